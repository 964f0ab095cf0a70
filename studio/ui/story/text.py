"""The whole text of a story, to write on and to split again."""

from html import escape

from studio.stories import StoryView
from studio.ui.context import Page
from studio.ui.markup import attributes


def render(page: Page, view: StoryView) -> str:
    """The text; split again, shots whose words stayed keep what was done to them."""
    text = view.story.text or "\n\n".join(shot.shot.text for shot in view.shots)
    if not view.may_change:
        return f'<div class="whole"><p class="text">{escape(text)}</p></div>'
    box = attributes(id="story_whole", name="text", rows=16, aria_label=page.t("story_to_text"))
    again = attributes(type="submit", class_="btn primary", id="story_split_again")
    return (
        '<form class="whole" data-act="change" data-edit="write">'
        f'<p class="muted">{escape(page.t("story_split_again_hint"))}</p>'
        f"<textarea{box}>\n{escape(text)}</textarea>"
        f'<div class="actions"><button{again}>{escape(page.t("story_split_again"))}</button></div></form>'
    )
