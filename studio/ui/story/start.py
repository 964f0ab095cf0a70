"""Where a story begins: a text to split, examples, a file, and the stories there are."""

from collections.abc import Mapping, Sequence
from html import escape

from studio.stories import StoryLine
from studio.story.examples import StoryExample, story_examples
from studio.ui.context import Page
from studio.ui.markup import attributes, icon
from studio.ui.story.parts import do

TEXT_ROWS = 10


def render(page: Page, stories: Sequence[StoryLine], stills: Mapping[str, str], *, sorry: str = "") -> str:
    """The first screen. `stills` are addresses of pictures by story id; `sorry` says why a text won't do."""
    return (
        f'<div class="start"><section class="begin">{_text(page, sorry)}</section>'
        f'<section class="examples"><h3>{escape(page.t("story_examples"))}</h3>{_examples(page)}</section>'
        f"{_mine(page, stories, stills)}</div>"
    )


def _text(page: Page, sorry: str) -> str:
    box = attributes(
        id="story_text",
        name="text",
        rows=TEXT_ROWS,
        placeholder=page.t("story_paste"),
        aria_label=page.t("story_paste_label"),
    )
    split = attributes(type="submit", class_="btn primary", id="story_split")
    bring = attributes(
        type="file",
        accept=".json,application/json",
        data_import=True,
        class_="visually-hidden",
        aria_label=page.t("story_import"),
    )
    wrong = f'<p class="sorry" role="alert" id="story_sorry">{escape(sorry)}</p>' if sorry else ""
    return (
        f"<h2>{escape(page.t('story_begin'))}</h2><p class='muted'>{escape(page.t('story_begin_hint'))}</p>"
        f'<form data-act="new"><textarea{box}></textarea>{wrong}<div class="actions">'
        f"<button{split}>{escape(page.t('story_split_text'))}</button>"
        f"{do(page.t('story_blank'), 'blank', symbol='plus', id_='story_blank')}"
        f'<label class="btn upload" id="story_import">{icon("upload")}'
        f"<span>{escape(page.t('story_import'))}</span><input{bring}></label></div></form>"
    )


def _examples(page: Page) -> str:
    # Those in the page's language first.
    found = sorted(story_examples(), key=lambda one: one.language != page.language)
    return f'<div class="tries">{"".join(_example(page, one) for one in found)}</div>'


def _example(page: Page, one: StoryExample) -> str:
    cover = f"--cover:url(../examples/covers/{one.name}.webp)"
    named = attributes(
        type="button",
        class_="try",
        data_act="example",
        data_key=one.name,
        style=cover,
        data_format=one.look.format,
    )
    language = page.t(f"story_language_{one.language}")
    about = " · ".join((language, page.t("story_shots", count=len(one.shot)), one.look.format))
    title = one.title[page.language]
    for name, value in one.variables.items():
        title = title.replace(f"{{{name}}}", value)
    return (
        f"<button{named}><span class='kind'>{escape(page.t(f'story_kind_{one.kind}'))}</span>"
        f"<b>{escape(title)}</b><small>{escape(about)}</small></button>"
    )


def _mine(page: Page, stories: Sequence[StoryLine], stills: Mapping[str, str]) -> str:
    if not stories:
        return ""
    rows = "".join(_row(page, one, stills.get(one.id, "")) for one in stories)
    title = f"<h3>{escape(page.t('story_recent'))}</h3>"
    return f'<section class="mine">{title}<ul class="stories">{rows}</ul></section>'


def _row(page: Page, one: StoryLine, still: str) -> str:
    named = attributes(type="button", data_act="open_story", data_key=one.id, class_="open")
    image = f"<img{attributes(src=still, alt='', loading='lazy')}>" if still else icon("film")
    about = f"{page.t('story_shots', count=one.shots)} · {page.ago(one.updated)}"
    title = one.title or page.t("story_untitled")
    return (
        f'<li data-key="{escape(one.id)}"><button{named}><span class="still">{image}</span>'
        f"<span class='words-of'><b>{escape(title)}</b><small>{escape(about)}</small></span></button></li>"
    )
