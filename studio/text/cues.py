"""The words that tell where shots begin, from assets/lexicon/cues.toml."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent.parent / "assets" / "lexicon" / "cues.toml"


@dataclass(frozen=True)
class Cues:
    """One language's lists by name, and what times with figures look like (regular expressions)."""

    words: dict[str, frozenset[str]]
    time_patterns: tuple[str, ...]

    def __getitem__(self, name: str) -> frozenset[str]:
        return self.words[name]

    def either(self, name: str) -> str:
        """A pattern for any word of a list, the longest first."""
        return "|".join(map(re.escape, sorted(self.words[name], key=lambda word: (-len(word), word))))


@cache
def cues_zh() -> Cues:
    """The Chinese cues."""
    return _cues("zh")


@cache
def cues_en() -> Cues:
    """The English cues."""
    return _cues("en")


def _cues(language: str) -> Cues:
    table: dict[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))[language]
    words = {name: _words(value) for name, value in table.items() if isinstance(value, str)}
    return Cues(words, tuple(table["time_patterns"]))


def _words(listed: str) -> frozenset[str]:
    """English lists with phrases of several words stand between commas, all others between spaces."""
    parts = re.split(r",\s*", listed) if "," in listed else listed.split()
    return frozenset(part.strip() for part in parts if part.strip())
