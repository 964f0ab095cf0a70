"""Prompts to start from, in both languages, from assets/examples: only what the sketch model knows."""

import json
import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from studio.words import Language

ASSETS = Path(__file__).resolve().parents[2] / "assets"


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
    path = ASSETS / "models" / "sketch" / "words.json"
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [
        word[language]
        for kind in ("subjects", "backdrops")
        for word in listed.get(kind, [])
        if language in word
    ]
