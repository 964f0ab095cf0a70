"""English words become the sounds that the voices know; the reader is hibari's, loaded when first needed."""

import re
import threading
from functools import cache
from typing import Any, Literal

_lock = threading.Lock()
# The reader takes [word](/sounds/) as an order; here it is only a text.
_MARKUP = re.compile(r"[\[\]{}<>|\\^_*`~]+")
# A word without end is no word: the reader's network would take quadratic time for it.
_ENDLESS = re.compile(r"([A-Za-z\u00c0-\u024f'’]{24})(?=[A-Za-z\u00c0-\u024f'’])")


def phonemes(text: str, accent: Literal["us", "gb"]) -> str:
    """The sounds of an English text, its punctuation between them; other scripts are left out."""
    text = _ENDLESS.sub(r"\1 ", _MARKUP.sub(" ", text))
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
def _reader(accent: Literal["us", "gb"]) -> Any:
    from hibari.g2p import G2P

    return G2P(british=accent == "gb")
