"""Styles: words around a prompt, what it must not show, a look, a palette. Shipped: assets/styles."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from pipelines.models import ModelSpec, Quality
from pipelines.request import GUIDANCE_RANGE
from pipelines.sketch.lexicon import STYLE_EN, STYLE_ZH
from studio.media.looks import LOOKS
from studio.words import LANGUAGES, Language

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "styles"
PLACE = "{prompt}"
NEAREST = ("", *STYLE_EN)
"""What the sketch model may draw instead: one of its own styles, or none."""
_HAN = re.compile(r"[\u3400-\u9fff]")
_ENDS = "!?！？…"


def _plain(text: str) -> str:
    # Cc: control characters; Cs: lone surrogates, which no database or tokenizer takes.
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise PydanticCustomError("text_control", "text_control")
    return text.strip()


Plain = Annotated[str, AfterValidator(_plain)]
Title = Annotated[Plain, Field(min_length=1, max_length=40)]
About = Annotated[Plain, Field(max_length=200)]
Sentence = Annotated[Plain, Field(max_length=300)]
Template = Annotated[Plain, Field(max_length=600)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
Factor = Annotated[float, Field(ge=0.5, le=2.0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Guidance(_Part):
    """How closely each expert keeps to the words, as a multiple of its model's own guidance."""

    high_noise: Factor = 1.0
    low_noise: Factor = 1.0


class StyleWords(_Part):
    """What a style is, without its name: all that a person may write, so all of it is checked here.

    Texts are by language; `example` is a prompt that suits the style. An empty `negative` leaves the model's
    own negative prompt. It is a whole negative prompt otherwise: Wan's own one forbids "style" and "artwork"
    and so fights every look but the photographic. `look` names an entry of `studio.media.looks.LOOKS`;
    `palette` is #rrggbb, ground first; `nearest` is what the sketch model draws instead; `based_on` is the
    shipped style that this one began as, whose picture stands for it.
    """

    title: dict[Language, Title]
    about: dict[Language, About]
    template: dict[Language, Template]
    example: dict[Language, Sentence] = {"zh": "", "en": ""}
    negative: Annotated[Plain, Field(max_length=1000)] = ""
    look: Annotated[str, Field(max_length=40)] = ""
    nearest: str = ""
    based_on: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,40}$")] = ""
    palette: Annotated[tuple[Colour, ...], Field(min_length=3, max_length=5)]
    guidance: Guidance = Guidance()

    @field_validator("title", "about", "template", "example", mode="before")
    @classmethod
    def _in_both_languages(cls, texts: Any) -> Any:
        """Who writes in one language only has said it for both."""
        if isinstance(texts, str):
            return dict.fromkeys(LANGUAGES, texts)
        if isinstance(texts, dict) and len(texts) == 1 and set(texts) <= set(LANGUAGES):
            return dict.fromkeys(LANGUAGES, *texts.values())
        return texts

    @field_validator("title", "about", "template", "example")
    @classmethod
    def _complete(cls, texts: dict[Language, str]) -> dict[Language, str]:
        if set(texts) != set(LANGUAGES):
            raise PydanticCustomError("style_languages", "style_languages")
        return texts

    @field_validator("template")
    @classmethod
    def _holds_the_prompt(cls, template: dict[Language, str]) -> dict[Language, str]:
        if any(text.count(PLACE) != 1 for text in template.values()):
            raise PydanticCustomError("style_place", "style_place")
        return template

    @field_validator("look")
    @classmethod
    def _known_look(cls, look: str) -> str:
        if look not in LOOKS:
            raise PydanticCustomError("style_look", "style_look", {"value": look})
        return look

    @field_validator("nearest")
    @classmethod
    def _known_nearest(cls, nearest: str) -> str:
        if nearest not in NEAREST:
            raise PydanticCustomError("style_nearest", "style_nearest", {"value": nearest[:40]})
        return nearest


class Style(StyleWords):
    """One look under its name. A change of anything that it says is another `version`, counted from 1.

    Shipped ones have an `order` on the page; own ones (`studio.style_store`) come after them.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    version: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    order: int = 1000

    @property
    def known_to_sketch(self) -> bool:
        """Whether the sketch model was taught this very style."""
        return self.name != "" and self.name == self.nearest

    def words(self) -> StyleWords:
        """The style without name, version and place."""
        return StyleWords(**{name: getattr(self, name) for name in StyleWords.model_fields})


def _read() -> dict[str, Style]:
    files = sorted(FOLDER.glob("*.toml"))
    styles = [Style(name=file.stem, **tomllib.loads(file.read_text(encoding="utf-8"))) for file in files]
    return {style.name: style for style in sorted(styles, key=lambda style: style.order)}


STYLES: MappingProxyType[str, Style] = MappingProxyType(_read())
"""Every shipped style by name, in the order the page shows them; "none" is the first."""


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
    trained without one and gets none from the style, unless it is a cloud's; one of a small world gets the
    word it knows instead of the template.
    """
    spoken = language or written_in(prompt)
    small = spec is not None and spec.closed_world
    template = _small_template(style, spoken) if small else style.template[spoken]
    fields = {"prompt": _filled(template, prompt.strip())}
    takes_one = spec is None or spec.negative_prompt or spec.cloud is not None
    own = style.negative if takes_one else ""
    theirs = negative_prompt.strip() if isinstance(negative_prompt, str) else ""
    if theirs or own:
        fields["negative_prompt"] = "，".join(filter(None, (theirs, own)))
    return fields


def guidance(style: Style, spec: ModelSpec, quality: Quality) -> dict[str, float]:
    """The style's `guidance_scale` and `guidance_scale_2` for a model, where they are not the model's own.

    A model of a small world keeps its own: it was fitted to that, and knows nothing of the style's words. A
    cloud's model is told none.
    """
    if spec.closed_world or spec.cloud is not None:
        return {}
    own = spec.sampling[quality]
    low, high = GUIDANCE_RANGE
    wanted = (
        ("guidance_scale", own.guidance_scale, style.guidance.high_noise),
        ("guidance_scale_2", own.guidance_scale_2, style.guidance.low_noise),
    )
    return {
        name: min(high, max(low, round(scale * factor, 2)))
        for name, scale, factor in wanted
        if scale is not None and factor != 1
    }


def room_for_prompt(style: Style, most: int) -> int:
    """How long a prompt may be so that with the style's words it is no longer than `most` characters."""
    return most - max(len(text) for text in style.template.values())


def _small_template(style: Style, language: Language) -> str:
    words: Mapping[str, tuple[str, ...]] = STYLE_ZH if language == "zh" else STYLE_EN
    comma = "，" if language == "zh" else ", "
    return f"{PLACE}{comma}{words[style.nearest][0]}" if style.nearest else PLACE


def _filled(template: str, prompt: str) -> str:
    """The prompt in its place, without a full stop where the template's words go on after it."""
    before, _, after = template.partition(PLACE)
    if after:
        prompt = prompt.rstrip("。．.") or prompt
    if prompt.endswith(tuple(_ENDS)) and after[:1] in ("。", "."):
        after = after[1:]
    return before + prompt + after


def written_in(text: str) -> Language:
    """The language of a prompt: Chinese if at least one character in five of its letters is Han."""
    han = len(_HAN.findall(text))
    letters = sum(c.isalpha() for c in text)
    return "zh" if han and han * 5 >= letters else "en"
