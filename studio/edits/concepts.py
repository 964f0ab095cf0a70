"""The concepts of assets/edits/words.toml, and where their words stand in a wish."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache

from studio.edits.intents import FOLDER
from studio.text.language import has_han
from studio.text.terms import inside_words

# Of one Chinese character a longer word may be made that means something else: 雨 in 雨伞, 风 in 风车.
_WHOLE_WORDS = frozenset(("time", "weather", "season", "light", "mood", "colour", "style", "sound", "looks"))
# Latin letters and hyphens: a word may stand right beside a Chinese one.
_LETTER = r"[A-Za-z\d\u00c0-\u024f'’-]"


@dataclass(frozen=True)
class Mark:
    """A word of a concept in a text: text[start:end]."""

    concept: str
    word: str
    start: int
    end: int


@cache
def words() -> dict[str, dict[str, tuple[str, ...]]]:
    """The entries of each concept, by language."""
    rows = tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))
    return {
        name: {
            "zh": tuple(row["zh"].split()),
            "en": tuple(" ".join(part.split()) for part in _parted(row["en"]) if part.strip()),
        }
        for name, row in rows.items()
    }


def marks(text: str, concept: str) -> tuple[Mark, ...]:
    """Where the words of a concept stand, longest first at each place, none inside another, in order."""
    found = []
    for match in pattern(concept).finditer(text):
        start, end = match.span()
        one = end - start == 1 and has_han(text[start:end])
        if one and concept in _WHOLE_WORDS and not inside_words(text, start, end):
            continue
        found.append(Mark(concept, match.group(), start, end))
    return tuple(found)


@cache
def no_things() -> frozenset[str]:
    """Nouns of a wish that are nothing in the picture, whatever stands around them."""
    listed = words()["no_thing"]
    return frozenset((*listed["zh"], *listed["en"]))


@cache
def pattern(concept: str) -> re.Pattern[str]:
    """All entries of a concept as one regular expression."""
    listed = words()[concept]
    chinese = "|".join(sorted(listed["zh"], key=_length, reverse=True))
    english = "|".join(_english(one) for one in sorted(listed["en"], key=_length, reverse=True))
    return re.compile(rf"(?:{chinese})|(?<!{_LETTER})(?:{english})(?!{_LETTER})", re.IGNORECASE)


def _length(entry: str) -> int:
    """How much an entry says: what stands around it does not count."""
    return len(re.sub(r"\(\?<?[=!][^)]*\)", "", entry))


def _english(entry: str) -> str:
    return entry.replace(" ?", r"\s*").replace(" ", r"\s+").replace("'", "['’]?")


def _parted(listed: str) -> list[str]:
    """The entries between commas; those inside of brackets divide nothing."""
    parts, depth = [""], 0
    for sign in listed:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
