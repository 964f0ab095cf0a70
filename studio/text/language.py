"""Which language a text is in, by its scripts: short texts and mixed ones are what statistics get wrong."""

import re
from typing import Literal

TextLanguage = Literal["zh", "en", "mixed"]

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
EMOJI = "\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\U0001f000-\U0001faff"
_HAN = re.compile(f"[{HAN}]")
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['’-][A-Za-z\u00c0-\u024f]+)*")
_WORD_OR_FIGURE = re.compile(r"[A-Za-z\d\u00c0-\u024f]+(?:['’-][A-Za-z]+)*")
_LINK = re.compile(r"(?:https?://|www\.)[\x21-\x7e]+", re.IGNORECASE)
# A Chinese word has about one and a half characters, so that is what one Latin word weighs.
_WORD_WEIGHT = 1.5
# A name or a brand in the other script does not make a text mixed; a sentence of it does.
_MIXED_FROM = 0.15


def language_of(text: str) -> TextLanguage:
    """ "zh", "en", or "mixed" where the weaker script carries at least 15 % of the words.

    A text without any letters (figures, emoji) counts as "en".
    """
    text = _LINK.sub(" ", text)
    han = len(_HAN.findall(text))
    latin = len(_WORD.findall(text)) * _WORD_WEIGHT
    if not han:
        return "en"
    share = latin / (han + latin)
    if share < _MIXED_FROM:
        return "zh"
    return "en" if share > 1 - _MIXED_FROM else "mixed"


def has_han(text: str) -> bool:
    """Whether any character of the text is Chinese."""
    return bool(_HAN.search(text))


def words_of(text: str) -> int:
    """How long a text reads: a Chinese character counts one, a Latin word or a figure two."""
    return len(_HAN.findall(text)) + 2 * len(_WORD_OR_FIGURE.findall(text))
