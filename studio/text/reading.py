"""Reading a sentence for its signs: what is quoted is set aside, the rest is read in its language."""

import re

from studio.text.language import HAN, words_of
from studio.text.reading_en import read_en
from studio.text.reading_zh import read_zh
from studio.text.sentences import speech_spans
from studio.text.signs import Signs

_HAN = re.compile(f"[{HAN}]")
_LATIN = re.compile(r"[A-Za-z]+")
_QUOTED_WORD = re.compile(r"[^。！？!?,，.]{1,10}")


def read(text: str, start: int, end: int) -> Signs:
    """The signs that the sentence text[start:end] gives."""
    told, said = [], 0
    place = start
    for opening, closing in speech_spans(text, start, end):
        told.append(text[place:opening])
        quoted = text[opening + 1 : closing - 1]
        if _names(text, start, opening, quoted):
            told.append(quoted)
        else:
            told.append(" ")
            said += words_of(quoted)
        place = closing
    told.append(text[place:end])
    sentence = "".join(told)
    length = words_of(sentence)
    spoken = said / max(1, said + length)
    chinese = len(_HAN.findall(sentence)) >= len(_LATIN.findall(sentence))
    return (read_zh if chinese else read_en)(sentence, spoken, length)


def _names(text: str, start: int, opening: int, quoted: str) -> bool:
    """Whether quotation marks hold a name or a word, not somebody's speech."""
    return opening > start and text[opening - 1] not in "：:，, " and bool(_QUOTED_WORD.fullmatch(quoted))
