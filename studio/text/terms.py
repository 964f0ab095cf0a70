"""The word lists of assets/lexicon, and where their words stand in a text."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from studio.text.language import HAN, has_han

FOLDER = Path(__file__).resolve().parent.parent.parent / "assets" / "lexicon"
Script = Literal["zh", "en"]
SCRIPTS: tuple[Script, Script] = ("zh", "en")

_HAN_CHAR = re.compile(f"[{HAN}]")


@dataclass(frozen=True)
class Found:
    """A listed word in a text: text[start:end]."""

    word: str
    start: int
    end: int


@cache
def table(name: str) -> dict[str, Any]:
    """assets/lexicon/{name}.toml."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def words(name: str, part: str, script: Script) -> frozenset[str]:
    """One list of words: Chinese ones stand between spaces, English ones between commas."""
    raw = table(name)[part].get(script, "")
    parts = raw.split() if script == "zh" else re.split(r"\s*,\s*", raw.strip().rstrip(","))
    return frozenset(" ".join(word.split()) for word in parts if word.strip())


def find(text: str, name: str, *parts: str, free: bool = False) -> list[Found]:
    """Where words of these lists stand, longest first at each place, none inside another, in order.

    English words are found whole, in any case, in the plural too; Chinese ones only where they do not run
    across other words, unless `free`.
    """
    found: list[Found] = []
    for match in _pattern(name, parts).finditer(text):
        word = match.group()
        if match["never"] is None and (free or _whole(text, match.start(), match.end())):
            found.append(Found(word, match.start(), match.end()))
    return found


def inside_words(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] runs across no Chinese words: 天马 is not in 今天马上, nor 龙 in 水龙头."""
    from studio.text.segmenter import cut_around

    begins, ends, one = cut_around(text, start, end)
    if end - start == 1:
        return begins == start and ends == end
    return one or begins == start


def _whole(text: str, start: int, end: int) -> bool:
    return not _HAN_CHAR.match(text[start]) or inside_words(text, start, end)


@cache
def pattern_of(name: str, part: str, script: Script) -> re.Pattern[str]:
    """The regular expression that a list holds instead of words."""
    return re.compile(table(name)[part][script], re.IGNORECASE)


@cache
def _pattern(name: str, parts: tuple[str, ...]) -> re.Pattern[str]:
    never = (
        "|".join(_any_of(name, "never", script) for script in SCRIPTS) if "never" in table(name) else "(?!)"
    )
    wanted = "|".join(_any_of(name, part, script) for part in parts for script in SCRIPTS)
    # One alternation: what is in `never` is eaten first, so that nothing is found inside it.
    return re.compile(f"(?P<never>{never})|(?:{wanted})", re.IGNORECASE)


@cache
def _any_of(name: str, part: str, script: Script) -> str:
    if part == "patterns":
        return "|".join(table(name)[part].get(script, ())) or "(?!)"
    listed = sorted(words(name, part, script), key=len, reverse=True)
    if script == "en":
        return rf"\b(?:{'|'.join(map(english_forms, listed))})\b" if listed else "(?!)"
    return f"(?:{'|'.join(map(re.escape, listed))})" if listed else "(?!)"


def english_forms(word: str) -> str:
    """A regular expression for an English word or phrase and its plural; hyphens may be spaces."""
    body = re.escape(word).replace(r"\-", "[- ]").replace(r"\ ", r"\s+").replace("'", "['’]")
    if has_han(word) or word[-1] in "s'" or not word[-1].isalpha():
        return body
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{body[:-1]}(?:y|ies)"
    if re.search(r"(?:s|x|z|ch|sh)$", word):
        return f"{body}(?:es)?"
    return f"{body}s?"
