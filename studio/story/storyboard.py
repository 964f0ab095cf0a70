"""A story as a sheet to print: one file of HTML that holds all it shows, and a code that leads on."""

import io
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template

import segno

from studio.story.plan import shot_seconds
from studio.story.prompts import characters_of, shot_prompt, style_of
from studio.story.types import Shot, Story
from studio.story.variables import filled
from studio.words import Language, page

_TEMPLATE = Path(__file__).resolve().parents[2] / "assets" / "pages" / "storyboard.html"
# A still is some ten kilobytes; what is far larger is none.
_MAX_STILL = 500_000


@dataclass(frozen=True)
class _Sheet:
    story: Story
    stills: Mapping[str, bytes]
    language: Language

    def said(self, key: str, **values: object) -> str:
        return escape(page(f"sheet_{key}", self.language, **values))


def storyboard(story: Story, *, link: str, stills: Mapping[str, bytes], language: Language) -> str:
    """The sheet in the reader's language. `stills` are WebP pictures by shot id; the code holds `link`."""
    sheet = _Sheet(filled(story), stills, language)
    shots = sheet.story.shots
    seconds = sum(shot_seconds(sheet.story, shot) for shot in shots)
    facts = sheet.said(
        "facts",
        count=len(shots),
        seconds=round(seconds),
        format=sheet.story.look.format,
        style=style_of(sheet.story).title[language],
    )
    return _template().substitute(
        lang="zh-CN" if language == "zh" else "en",
        title=escape(sheet.story.title) or sheet.said("untitled"),
        facts=facts,
        code=_code(link),
        scan=sheet.said("scan"),
        shots="\n".join(_shot(sheet, shot, number) for number, shot in enumerate(shots, 1)),
        people=_people(sheet),
    )


def _shot(sheet: _Sheet, shot: Shot, number: int) -> str:
    story = sheet.story
    still = _still(sheet.stills.get(shot.id))
    names = page("sheet_comma", sheet.language).join(person.name for person in characters_of(story, shot))
    title = f"<b>{number}</b> {escape(shot.title)}".strip()
    length = sheet.said("seconds", count=f"{shot_seconds(story, shot):.1f}")
    prompt = shot.source.title if shot.source else shot_prompt(story, shot)
    lines = [
        f'<p class="top"><span>{title}</span><span>{length}</span></p>',
        f'<p class="text">{escape(shot.text)}</p>',
        f'<p class="told">{escape(shot.translation)}</p>' if shot.translation else "",
        f'<p class="note">{escape(names)}</p>' if names else "",
        f'<p class="prompt">{escape(prompt)}</p>' if prompt else "",
    ]
    body = "".join(lines)
    return f'<li><div class="still">{still or number}</div><div>{body}</div></li>'


def _people(sheet: _Sheet) -> str:
    if not sheet.story.characters:
        return ""
    lines = [
        f"<p>{escape(person.description(sheet.story.language))}</p>" for person in sheet.story.characters
    ]
    return f'<section class="people"><h2>{sheet.said("people")}</h2>{"".join(lines)}</section>'


def _still(content: bytes | None) -> str:
    if not content or len(content) > _MAX_STILL:
        return ""
    return f'<img src="data:image/webp;base64,{b64encode(content).decode()}" alt="">'


def _code(link: str) -> str:
    """The link as a QR code, in a data URI."""
    picture = io.BytesIO()
    segno.make(link, micro=False, error="m").save(picture, kind="png", scale=6, border=2)
    return f"data:image/png;base64,{b64encode(picture.getvalue()).decode()}"


@cache
def _template() -> Template:
    return Template(_TEMPLATE.read_text(encoding="utf-8"))
