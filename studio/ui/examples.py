"""Prompts to start from, in both languages, from assets/examples: only what the sketch model knows."""

import json
import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipelines.sketch.reading import read
from studio.words import Language

_READ_ORDER = ("subject", "colour", "action", "backdrop", "time", "weather", "style", "camera")
ASSETS = Path(__file__).resolve().parents[2] / "assets"
_WORDS = ASSETS / "models" / "sketch" / "words.json"


class Example(BaseModel):
    """One sentence in each language and the style it looks best in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: dict[Language, str]
    style: str = "none"


@cache
def examples() -> tuple[Example, ...]:
    """The examples in the order the page shows them."""
    found = tomllib.loads((ASSETS / "examples" / "prompts.toml").read_text(encoding="utf-8"))
    return tuple(Example(**item) for item in found["example"])


def sketch_words(language: Language) -> list[str]:
    """What the sketch model can draw, as its training wrote it down; empty if that list is not there."""
    listed = _sketch_world()
    return [word[language] for kind in ("subjects", "backdrops") for word in listed.get(kind, [])]


def sketch_reads(prompt: str, language: Language) -> list[str]:
    """What the sketch model takes from a prompt: the names of the things it will draw, in their own order."""
    found = read(prompt)
    names = {
        (kind.removesuffix("s"), word["value"]): word[language]
        for kind, words in _sketch_world().items()
        for word in words
    }
    said = [name for name in _READ_ORDER if name in found.said]
    values = [(name, getattr(found.scene, name)) for name in said]
    return [names[pair].removesuffix("的") for pair in values if pair in names]


@cache
def _sketch_world() -> dict[str, list[dict[str, str]]]:
    try:
        found: dict[str, list[dict[str, str]]] = json.loads(_WORDS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
