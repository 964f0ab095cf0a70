"""Vague words and how they look: monsters and moods, myths and festivals, tags such as 儿童 or 户外运动."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from studio.text.language import TextLanguage, has_han
from studio.text.terms import english_forms, inside_words, table
from studio.text.traditional import simplified

HintKind = Literal["visible", "myth", "stars", "festival", "tag"]

# Later files win where two hold the same word: a name says more than a vague word, that more than a tag.
_FILES = ("tags", "visible", "myths")

_SIGNS = r",，、;；:：#|/()（）【】。.!！?？“”\""


@dataclass(frozen=True)
class Hint:
    """A word of a text, text[start:end], and what a camera would see of it: a few phrases between commas."""

    word: str
    start: int
    end: int
    looks: str
    kind: HintKind


@dataclass(frozen=True)
class _Entry:
    key: str
    kind: HintKind
    zh: str
    en: str


def visible(text: str, language: TextLanguage) -> tuple[Hint, ...]:
    """What the vague words of a text look like, in order; `looks` is in the given language.

    The longest word wins, a tag counts only between signs, nothing is found inside a Latin word or across
    Chinese ones, and no entry comes twice. For "mixed", the looks are in the language of the word itself.
    Words of both languages are found whatever the language is.
    """
    found: list[Hint] = []
    told: set[str] = set()
    own, text = text, simplified(text)
    for match in _pattern().finditer(text):
        word = match.group()
        entry = _entry(word)
        if entry.key in told or (has_han(word) and not inside_words(text, match.start(), match.end())):
            continue
        # "The fox drinks" is no beverage: a tag stands by itself.
        if entry.kind == "tag" and not _stands_alone(text, match.start(), match.end()):
            continue
        told.add(entry.key)
        chinese = has_han(word) if language == "mixed" else language == "zh"
        looks = entry.zh if chinese else entry.en
        found.append(Hint(own[match.start() : match.end()], match.start(), match.end(), looks, entry.kind))
    return tuple(found)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a phrase stands between signs, a Chinese one also between spaces."""
    signs = _SIGNS + (r"\s" if has_han(text[start:end]) else r"\n")
    before = re.search(rf"(?:^|[{signs}])[ \u3000]*$", text[:start])
    return bool(before and re.match(rf"[ \u3000]*(?:$|[{signs}])", text[end:]))


@cache
def _listed() -> dict[str, _Entry]:
    """Every word to its entry."""
    found: dict[str, _Entry] = {}
    for file in _FILES:
        for key, row in table(file).items():
            kind: HintKind = "tag" if file == "tags" else row.get("kind", "visible")
            entry = _Entry(f"{file}.{key}", kind, row["looks"]["zh"], row["looks"]["en"])
            found.update({_plain(word): entry for word in (*row["zh"], *row["en"])})
    return found


def _entry(word: str) -> _Entry:
    plain = _plain(word)
    for ending, instead in (("", ""), ("s", ""), ("es", ""), ("ies", "y")):
        base = plain[: len(plain) - len(ending)] + instead
        if plain.endswith(ending) and base in _listed():
            return _listed()[base]
    return _listed()[plain]


def _plain(word: str) -> str:
    return " ".join(word.lower().replace("’", "'").replace("-", " ").split())


@cache
def _pattern() -> re.Pattern[str]:
    words = sorted(
        {word for file in _FILES for row in table(file).values() for word in (*row["zh"], *row["en"])},
        key=len,
        reverse=True,
    )
    chinese = "|".join(re.escape(word) for word in words if has_han(word))
    latin = "|".join(english_forms(word) for word in words if not has_han(word))
    # The bounds are those of Latin letters only: a Latin word may stand right beside a Chinese one.
    edge = r"A-Za-z\d\u00c0-\u024f"
    return re.compile(rf"(?:{chinese})|(?<![{edge}'’-])(?:{latin})(?![{edge}-])", re.IGNORECASE)
