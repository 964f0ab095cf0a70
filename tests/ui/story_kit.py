"""Stories for tests of the tab: a small one, and one whose every text tries to be HTML."""

from typing import Any

from studio.access import Visitor
from studio.core import Studio
from studio.stories import StoryView
from studio.story.types import Look, Shot, Source, Story
from studio.text.characters import Character
from studio.text.fields import ShotFields
from studio.ui.context import Page
from studio.ui.story import shown
from studio.ui.story.message import SECTIONS, Here
from studio.ui.story.screen import Live

ME = Visitor(owner="me", admin=False)
GUEST = Visitor(owner="guest", admin=False)
EVIL = "<img src=x onerror=alert(1)>\"'&{name}"
TEXT = "1. A boy lives by the sea.\n2. At night a red dragon flies over the mountain.\n3. Snow falls."


def told(studio: Studio, text: str = TEXT) -> StoryView:
    """My story of three shots."""
    return studio.stories.new(ME, text=text, language="en")


def hostile(studio: Studio) -> StoryView:
    """A story with the same hostile text wherever a person or a file can put one."""
    view = studio.stories.new(ME, language="en")
    fields = ShotFields(**dict.fromkeys(ShotFields.model_fields, (EVIL,)))
    shots = [
        Shot(
            id="a", text=EVIL, translation=EVIL, title=EVIL, fields=fields, characters=("p",), approved=True
        ),
        Shot(id="b", text=EVIL, prompt=EVIL, edited=("subject",)),
        Shot(id="c", text=EVIL, source=Source(kind="asset", place="x\"'><img src=x onerror=1>", title=EVIL)),
    ]
    person = Character(id="p", name=EVIL[:100], looks=EVIL, age=EVIL, clothing=EVIL, aliases=(EVIL,))
    look = Look(palette=EVIL, end_card=EVIL, style=EVIL[:100], music="calm", subtitles=("zh", "en"))
    story = Story(
        title=EVIL, language="en", text=EVIL, shots=tuple(shots), characters=(person,), look=look,
        variables={"name": EVIL},
    )  # fmt: skip
    return studio.stories.put_back(ME, view.id, story)


def everything(page: Page, view: StoryView, visitor: Visitor = ME, **more: Any) -> dict[str, str]:
    """All that the tab shows of a story: every area, every section, every card opened, as HTML by name."""
    found = {}
    for section in SECTIONS:
        areas = shown.areas(page, visitor, view, Here(section=section))
        found |= {f"{section} {name}": html for name, html in areas.items()}
    for shot in view.shots:
        found[f"open {shot.number}"] = shown.board(page, visitor, view, Here(open=shot.shot.id, pick=True))
    return found


def running(view: StoryView) -> dict[str, Live]:
    """The first shot's take at step 3 of 10."""
    return {view.shots[0].shot.id: Live("job", version=2, step=3, total=10)}
