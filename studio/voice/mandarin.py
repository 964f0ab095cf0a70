"""Chinese words become the sounds that the voices know: characters, pinyin, phonemes."""

import re
import tomllib
from functools import cache
from typing import Any

from studio.voice.voices import FOLDER

_BUZZING = ("zh", "ch", "sh", "r", "z", "c", "s")
_SYLLABLE = re.compile(r"[a-zêü]+[1-5]")


def phonemes(text: str) -> str:
    """The sounds of Chinese characters, a space between words; characters without a reading are left out.

    Numbers and signs must be words already (`studio.voice.figures`).
    """
    import rjieba

    words = (" ".join(pinyin(word, tag)) for word, tag in rjieba.tag(text))
    return " ".join("".join(map(_sounds, said.split())) for said in words if said)


def pinyin(word: str, tag: str = "") -> list[str]:
    """The syllables of a word with tone numbers, 5 for none; `tag` is the kind of word, as rjieba says it."""
    from pypinyin import Style, lazy_pinyin

    table = _table()
    known = table["tagged"].get(word, {}).get(tag) or table["readings"].get(word)
    if known:
        return str(known).split()
    found = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=True, errors="ignore")
    return [syllable for syllable in found if _SYLLABLE.fullmatch(syllable)]


@cache
def _sounds(syllable: str) -> str:
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    table = _table()
    plain, tone = syllable[:-1], syllable[-1]
    sounds = table["whole"].get(plain)
    if sounds is None:
        initial = to_initials(plain, strict=True)
        final = to_finals(plain, strict=True, v_to_u=True)
        finals = table["finals"] | (table["buzzing"] if initial in _BUZZING else {})
        sounds = table["initials"].get(initial, "") + finals.get(final, "")
    return str(sounds).replace("0", table["tones"][tone])


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "mandarin.toml").read_text(encoding="utf-8"))
