"""The table of intents: what a wish can be, and how it is usually done."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from studio.words import Language

FOLDER = Path(__file__).resolve().parent.parent.parent / "assets" / "edits"

By = Literal["prompt", "settings", "media", "no"]


class Intent(BaseModel):
    """One kind of wish. `by`: how it is usually done ("no": not here); `title` names it on the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    by: By
    title: dict[Language, str]
    means: str
    zh: tuple[str, ...]
    en: tuple[str, ...]


@cache
def intents() -> dict[str, Intent]:
    """Every intent by its name."""
    rows = tomllib.loads((FOLDER / "intents.toml").read_text(encoding="utf-8"))
    return {name: Intent(name=name, **row) for name, row in rows.items()}


INTENTS: tuple[str, ...] = tuple(intents())
"""Their names, in the table's order."""
