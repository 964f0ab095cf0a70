"""How a wish is said in a prompt, in either language, whichever it was said in: assets/edits/phrases.toml."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from studio.edits.concepts import pattern, words
from studio.edits.intents import FOLDER
from studio.text.language import HAN, has_han
from studio.words import Language

_COMPARATIVES = {
    "bigger": "big",
    "larger": "big",
    "huge": "big",
    "giant": "big",
    "brighter": "bright",
    "better": "pretty",
}


@dataclass(frozen=True)
class Phrase:
    """What is said of the scene; `more` and `less` where it shall be stronger or weaker."""

    said: re.Pattern[str]
    say: dict[Language, str]
    more: dict[Language, str]
    less: dict[Language, str]

    def text(self, language: Language, sign: int, strength: float) -> str:
        """In the prompt's language; the stronger or weaker one where that is asked for outright."""
        if sign < 0:
            return self.less[language]
        return self.more[language] if strength > 1 else self.say[language]


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "phrases.toml").read_text(encoding="utf-8"))


@cache
def phrases(kind: str) -> tuple[Phrase, ...]:
    """The phrases of a kind: time, season, weather, light, camera, mood."""
    return tuple(
        Phrase(
            re.compile(rf"(?:{row['zh']})|\b(?:{row['en']})", re.IGNORECASE),
            row["say"],
            row.get("more", row["say"]),
            row.get("less", row["say"]),
        )
        for row in _table()[kind]
    )


def phrase_for(kind: str, text: str) -> Phrase | None:
    """The first phrase of a kind that a text speaks of."""
    return next((one for one in phrases(kind) if one.said.search(text)), None)


def spoken(word: str, language: Language) -> str:
    """A colour, adjective or thing in the prompt's language; as it is where the table does not have it."""
    word = word.strip()
    if has_han(word) == (language == "zh"):
        return word
    for part in ("colours", "adjectives", "things"):
        listed: dict[str, str] = _table()[part]
        if language == "zh":
            base = re.sub(r"^(?:the|an?|some|his|her|its|their|that|this) ", "", word.lower())
            for one in (base, base.removesuffix("s"), base.removesuffix("es"), adjective(base)):
                if one in listed:
                    return listed[one]
        else:
            bare = word.removesuffix("的")
            for one, chinese in listed.items():
                if bare in (chinese, chinese.removesuffix("色")) or (
                    part == "colours" and f"{bare}色" == chinese
                ):
                    return one
    return _whole(word, language) or word


def _whole(word: str, language: Language) -> str | None:
    """A thing with a colour before it, in the other language; None if a piece is unknown."""
    if language == "zh":
        parts = re.sub(r"^(?:the|an?|some) ", "", word.lower()).split()
        if len(parts) != 2:
            return None
        first, second = (spoken(part, "zh") for part in parts)
        return f"{first}的{second}" if has_han(first) and has_han(second) else None
    found = re.fullmatch(rf"([{HAN}]+?色?)的([{HAN}]+)", word)
    if not found:
        return None
    first, second = spoken(found[1], "en"), spoken(found[2], "en")
    return None if has_han(first) or has_han(second) else f"{first} {second}"


def adjective(word: str) -> str:
    """The plain form of an English adjective: brighter is bright."""
    low = word.lower()
    listed: dict[str, str] = _table()["adjectives"]
    if low in _COMPARATIVES:
        return _COMPARATIVES[low]
    for ending, instead in (("er", ""), ("r", ""), ("est", ""), ("ier", "y"), ("iest", "y")):
        base = low.removesuffix(ending) + instead
        if low.endswith(ending) and (base in listed or base in _plain()):
            return base
    if re.search(r"([bdgmnt])\1er$", low) and low[:-3] in listed:
        return low[:-3]
    return low


@cache
def _plain() -> frozenset[str]:
    return frozenset(one for one in words()["looks"]["en"] if one.isalpha())


def opposite(word: str) -> str | None:
    """What less of a quality is, in the word's own language; None if the table has none."""
    listed: dict[str, str] = _table()["opposites"]
    if not has_han(word):
        return listed.get(adjective(word))
    english = spoken(word, "en")
    other = listed.get(english)
    return None if other is None else spoken(other, "zh")


def colour_in(text: str) -> str:
    """The first colour that a text names; empty if none."""
    found = pattern("colour").search(text)
    return found.group() if found else ""
