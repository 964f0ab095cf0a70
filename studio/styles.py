"""Styles: a named prompt template, its own negative prompt, a few colours. One file each in assets/styles."""

import re
import tomllib
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, field_validator

from pipelines.models import ModelSpec
from studio.words import Language

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "styles"
_HAN = re.compile(r"[\u3400-\u9fff]")


class Style(BaseModel):
    """One look. `template` and `title` by language; `swatch` are its colours as #rrggbb, ground first.

    An empty `negative` leaves the model's own negative prompt. It is a whole negative prompt otherwise:
    Wan's own one forbids "style" and "artwork" and so fights every look but the photographic.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    order: int
    title: dict[Language, str]
    template: dict[Language, str]
    negative: str
    swatch: tuple[str, str, str]

    @field_validator("template")
    @classmethod
    def _holds_the_prompt(cls, template: dict[Language, str]) -> dict[Language, str]:
        if any(text.count("{prompt}") != 1 for text in template.values()):
            raise ValueError("a template holds {prompt} once")
        return template


def _read() -> dict[str, Style]:
    files = sorted(FOLDER.glob("*.toml"))
    styles = [Style(name=file.stem, **tomllib.loads(file.read_text(encoding="utf-8"))) for file in files]
    return {style.name: style for style in sorted(styles, key=lambda style: style.order)}


STYLES: MappingProxyType[str, Style] = MappingProxyType(_read())
"""Every style by name, in the order the page shows them; "none" is the first."""


def apply(
    style: Style,
    *,
    prompt: str,
    negative_prompt: str | None = None,
    language: Language | None = None,
    spec: ModelSpec | None = None,
) -> dict[str, str]:
    """The request's `prompt` and, if anything asks for one, its `negative_prompt` in this style.

    `language` is the template's; None takes the one the prompt is written in. What the person does not want
    stays in front of what the style does not want. A model without a negative prompt of its own (`spec`) was
    trained without one and gets none from the style.
    """
    template = style.template[language or written_in(prompt)]
    fields = {"prompt": template.replace("{prompt}", _open_ended(prompt.strip(), template))}
    own = style.negative if spec is None or spec.negative_prompt else ""
    theirs = negative_prompt.strip() if isinstance(negative_prompt, str) else ""
    if theirs or own:
        fields["negative_prompt"] = "，".join(filter(None, (theirs, own)))
    return fields


def _open_ended(prompt: str, template: str) -> str:
    """The prompt without its full stop where the template's words go on after it."""
    goes_on = not template.endswith("{prompt}")
    return (prompt.rstrip("。．.") or prompt) if goes_on else prompt


def written_in(text: str) -> Language:
    """The language of a prompt: Chinese if at least one character in five of its letters is Han."""
    han = len(_HAN.findall(text))
    letters = sum(c.isalpha() for c in text)
    return "zh" if han and han * 5 >= letters else "en"
