"""English words become the sounds that the voices know; the reader is hibari's, loaded when first needed."""

import re
import threading
import tomllib
from functools import cache
from typing import Any, Literal

from studio.voice.voices import FOLDER

_lock = threading.Lock()
# The reader takes [word](/sounds/) as an order; here it is only a text.
_MARKUP = re.compile(r"[\[\]{}<>|\\^_*`~]+")
# A word without end is no word: the reader's network would take quadratic time for it.
_ENDLESS = re.compile(r"([A-Za-z\u00c0-\u024f'’]{24})(?=[A-Za-z\u00c0-\u024f'’])")


def phonemes(text: str, accent: Literal["us", "gb"]) -> str:
    """The sounds of an English text, its punctuation between them; other scripts are left out."""
    text = _ENDLESS.sub(r"\1 ", _MARKUP.sub(" ", text)).replace("’", "'")
    text = _names().sub(lambda m: f"[{m.group()}](/{_table()[m.group().lower()]}/)", text)
    with _lock:
        reader = _reader(accent)
        try:
            return str(reader(text))
        except Exception:
            # Its number and symbol rules have gaps; one odd word shall not silence a sentence.
            return " ".join(filter(None, (_word(reader, word) for word in text.split())))


def _word(reader: Any, word: str) -> str:
    try:
        return str(reader(word))
    except Exception:
        return ""


@cache
def _names() -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(_table(), key=len, reverse=True))
    return re.compile(rf"\b(?:{names})(?!\w)", re.IGNORECASE)


@cache
def _table() -> dict[str, str]:
    names = tomllib.loads((FOLDER / "names.toml").read_text(encoding="utf-8"))["names"]
    return {name.lower(): sounds for name, sounds in names.items()}


@cache
def _reader(accent: Literal["us", "gb"]) -> Any:
    from hibari.g2p import G2P

    return G2P(british=accent == "gb")
