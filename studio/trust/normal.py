"""Text as it reads, whatever it is written with: look-alike letters, invisible signs, traditional characters.

Everything keeps a map back to what was typed, so that the words that caused a finding can be shown.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pipelines.simplified import simplified

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_HAN_RUN = re.compile(rf"[{_HAN}]")
# Letters of other scripts (and old Latin ones) that look like Latin letters.
_LOOKS = (
    "аa бb вb гr еe з3 иu кk мm нh оo пn рp сc тt уy хx ьb ѕs іi јj ԛq ԝw һh ԁd ӏl ѵv яr ոn սu օo ցg հh "
    "ҽe αa βb γy δd εe ζz ηn ιi κk λl μu νv οo πn ρp σo ςc τt υu χx ωw ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk "
    "ʟl ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz ıi łl øo đd ħh ŧt ɑa ɡg ɩi ɾr ʋv ǀl ɛe ƒf "
)
_LIKE = {pair[0]: pair[1] for pair in _LOOKS.split()} | {"ß": "ss", "æ": "ae", "œ": "oe"}
_FOREIGN = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
_FOREIGN_WORD = re.compile(r"[\u0370-\u03ff\u0400-\u052f]+")
# Old forms of Han components, as people type them for parts of characters.
_PARTS = {"⺼": "月", "⻊": "足", "⺮": "竹", "⻏": "阝", "⻖": "阝", "丬": "爿", "㇏": "乂"}


@dataclass(frozen=True)
class Mapped:
    """A text and where each of its characters comes from: original[starts[i]:ends[i]]."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original that text[start:end] comes from."""
        return self.starts[start], max(self.ends[start:end])

    def replaced(self, changes: Sequence[tuple[int, int, str]]) -> "Mapped":
        """This text with text[start:end] replaced by the new one, for each change; of two that overlap, the
        longer counts."""
        if not changes:
            return self
        taken: list[tuple[int, int, str]] = []
        for change in sorted(set(changes), key=lambda one: (one[0], -one[1])):
            if taken and change[0] < taken[-1][1]:
                if change[1] - change[0] > taken[-1][1] - taken[-1][0]:
                    taken[-1] = change
                continue
            taken.append(change)
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        place = 0
        for start, end, new in taken:
            text += [self.text[place:start], new]
            whole = self.span(start, end)
            starts += [*self.starts[place:start], *[whole[0]] * len(new)]
            ends += [*self.ends[place:start], *[whole[1]] * len(new)]
            place = end
        text.append(self.text[place:])
        return Mapped("".join(text), (*starts, *self.starts[place:]), (*ends, *self.ends[place:]))


def is_han(char: str) -> bool:
    """Whether this is a Chinese character."""
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf"


def fold(raw: Mapped | str) -> Mapped:
    """The text in small plain letters and simplified characters, without what cannot be seen."""
    text = raw if isinstance(raw, str) else raw.text
    own = _own_words(text)
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for at, char in enumerate(text):
        plain = char.lower() if at in own else _plain(char)
        if not plain:
            # What is dropped belongs to the character before it.
            if ends:
                ends[-1] = at + 1
            continue
        for one in plain:
            chars.append(one)
            starts.append(at)
            ends.append(at + 1)
    if not isinstance(raw, str):
        starts, ends = [raw.starts[at] for at in starts], [raw.ends[at - 1] for at in ends]
    return Mapped("".join(chars), tuple(starts), tuple(ends))


def _own_words(text: str) -> frozenset[int]:
    """Where a text in Greek or Russian has words of its own language: those are no disguise."""
    foreign = len(_FOREIGN.findall(text))
    if not foreign or foreign <= sum(c.isascii() and c.isalpha() for c in text) + len(_HAN_RUN.findall(text)):
        return frozenset()
    found: set[int] = set()
    for word in _FOREIGN_WORD.finditer(text):
        before, after = text[word.start() - 1 : word.start()], text[word.end() : word.end() + 1]
        if len(word.group()) > 1 and not (before.isalnum() or after.isalnum()):
            found.update(range(*word.span()))
    return frozenset(found)


@cache
def _plain(char: str) -> str:
    if char in "\n\t\r":
        return "\n" if char == "\n" else " "
    if is_han(char):
        # Alone, the 么 of 什么 would be taken for an old way to write 幺.
        return char if char == "么" else simplified(char)
    if char in _PARTS:
        return _PARTS[char]
    code = ord(char)
    if 0x1F1E6 <= code <= 0x1F1FF:
        return chr(code - 0x1F1E6 + ord("a"))
    for first in (0x1F130, 0x1F150, 0x1F170):
        if first <= code < first + 26:
            return chr(code - first + ord("a"))
    if 0xAC00 <= code <= 0xD7A3:
        return char
    return "".join(_letter(one) for one in unicodedata.normalize("NFKD", char))


def _letter(char: str) -> str:
    if (
        unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc", "Cs", "Co", "Cn")
        or char in "\u115f\u1160\u3164"
    ):
        return ""
    low = char.casefold()
    plain = "".join(_LIKE.get(one, one) for one in low)
    return "".join(map(simplified, plain))
