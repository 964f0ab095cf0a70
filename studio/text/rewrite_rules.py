"""What the rules add to a prompt: how vague words look, light and framing where it says nothing of them."""

import re
from collections.abc import Sequence
from functools import cache

from studio.text.beings import kind_of
from studio.text.fields import ShotFields
from studio.text.lexicon import Hint
from studio.text.terms import Script, english_forms, table

_PARTS = re.compile(r"[，,;；、]+\s*")


def additions(prompt: str, fields: ShotFields, hints: Sequence[Hint], language: Script) -> list[str]:
    """Phrases in that language that a prompt does not say yet, the most telling first."""
    low = prompt.casefold()
    found: list[str] = []
    for hint in hints:
        phrases = [part.strip() for part in _PARTS.split(hint.looks) if part.strip()]
        # "a sea monster, huge sea monster, scales" would be two of them.
        plain = [part for part in phrases if hint.word.casefold() not in part.casefold()]
        found += plain or phrases
    if not found or not _lit(" ".join(found), language):
        found += _light(prompt, fields, language)
    found += _framing(fields, language)
    return [part for part in dict.fromkeys(found) if part.casefold() not in low]


@cache
def no_picture() -> frozenset[str]:
    """English words that carry no picture."""
    return frozenset(word.strip() for word in table("improve")["empty"]["en"].split(","))


def _light(prompt: str, fields: ShotFields, language: Script) -> list[str]:
    """The light of the time that the prompt names; none if it speaks of light itself."""
    if _lit(prompt, language):
        return []
    times = " ".join((*fields.time, prompt))
    for entry in table("improve")["light"]:
        if _any_of(entry["zh_words"], entry["en_words"]).search(times):
            return [part.strip() for part in _PARTS.split(entry[language])]
    return []


def _lit(text: str, language: Script) -> bool:
    lit = table("improve")["lit"]
    return bool(_any_of(lit["zh"], lit["en"]).search(text))


def _framing(fields: ShotFields, language: Script) -> list[str]:
    """Somebody is shown from near, all else from afar; a prompt with a camera of its own keeps it."""
    if fields.camera or not fields.subject:
        return []
    near = any(kind_of(subject) in ("person", "animal") for subject in fields.subject)
    return [str(table("improve")["framing"]["near" if near else "far"][language])]


@cache
def _any_of(zh: str, en: str) -> re.Pattern[str]:
    chinese = "|".join(map(re.escape, zh.split()))
    latin = "|".join(english_forms(word.strip()) for word in en.split(","))
    return re.compile(rf"{chinese}|\b(?:{latin})\b", re.IGNORECASE)
