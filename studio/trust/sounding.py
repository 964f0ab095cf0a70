"""Chinese words in disguise (gaps, split characters, homophones, pinyin) become the listed words."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from studio.trust.normal import Mapped, is_han
from studio.trust.terms import crosses_words, jieba, machine, table

Change = tuple[int, int, str]

_PIECE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|[a-z]+(?:[1-5](?!\d))?")
_SINGLE = re.compile(
    r"(?<![\u3400-\u9fff])[\u3400-\u4dbf\u4e00-\u9fff](?:(?P<gap>[^\w\n]{1,2})[\u3400-\u4dbf\u4e00-\u9fff]"
    r"(?:(?P=gap)[\u3400-\u4dbf\u4e00-\u9fff])+)(?![\u3400-\u9fff])"
)
_BREAK = "\0"
# Shorter rows of letters are hardly more than one word of pinyin, which is known as it is.
_SHORTEST_RUN = 6
# So many ways to read a row of letters are looked at.
_WAYS = 8
_TONES = {"\u0304": 1, "\u0301": 2, "\u030c": 3, "\u0300": 4}
# Characters that carry grammar: next to each other they sound like anything.
_SMALL = frozenset(
    "的了是在有和里上下不人我你他她它这那一个来去到说要就也都会对能而于之与为以从把被给让向又再还很太更最没着过地得"
    "大小中前后左右外时年月日天两三几多少吗呢吧啊呀"
)
# Syllables that are English words too.
_ENGLISH_SYLLABLES = (
    "a ai an ba bai ban bang bi bin bo can cha chat chi dang de di die din do e en fa fan fang "
    "fen fu gang gin go gong gun guy hai hang he hei hen her hi hot i ice in is jade la lai lan lang "
    "lei lie lin ling long lu ma man mane me mei men mi min mu nan nu nun o pa pan pang pen pi pie pin "
    "ping pong pu ran rang run sang sha she sin so song sun tan tang tie tin to tong van wan wang we "
    "wei win wo xu ya yang ye yin you "
)
_ENGLISH = frozenset(_ENGLISH_SYLLABLES.split())


@dataclass(frozen=True)
class _Unit:
    """A Chinese character or a syllable in Latin letters, at text[start:end]."""

    char: str
    start: int
    end: int
    symbol: str


class Ear:
    """Hears its literals (Chinese strings) in texts; thread-safe, as nothing changes after building."""

    def __init__(self, literals: Iterable[str]) -> None:
        self._literals = sorted({literal for literal in literals if all(map(is_han, literal))})
        self._symbols: dict[str, str] = {}
        self._by_sound: dict[str, list[str]] = {}
        self._joined: dict[str, tuple[str, ...]] = {}
        letters = {char for literal in self._literals for char in literal}
        self._splits = {parts: char for parts, char in table("splits").items() if char in letters}
        for literal in self._literals:
            self._learn(literal)
        self._sounds, self._plain = machine(self._by_sound), machine(self._literals)

    def _learn(self, literal: str) -> None:
        from pypinyin import Style, lazy_pinyin

        read = [one.replace("v", "u") for one in lazy_pinyin(literal, style=Style.NORMAL)]
        alone = [sound(char)[0] for char in literal]
        for syllables in {tuple(read), tuple(alone)}:
            if len(syllables) != len(literal) or not all(syllables):
                continue
            key = "".join(
                self._symbols.setdefault(one, chr(0xE000 + len(self._symbols))) for one in syllables
            )
            self._by_sound.setdefault(key, []).append(literal)
            joined = "".join(syllables)
            if len(joined) > 3 and joined not in _ordinary():
                self._joined.setdefault(joined, syllables)

    def spells(self, word: str) -> bool:
        """Whether a word in Latin letters is pinyin: of a literal, or one syllable."""
        return word in self._joined or word in _sounds()

    def _run(self, word: str) -> tuple[str, ...]:
        """The syllables of pinyin without gaps, if a literal is among them: luotimeinv holds 裸体."""
        if len(word) < _SHORTEST_RUN or word in _ordinary():
            return ()
        return next((one for one in _syllables(word) if self._holds(one)), ())

    def _holds(self, syllables: tuple[str, ...]) -> bool:
        key = "".join(self._symbols.get(one, _BREAK) for one in syllables)
        return any(len(heard) > 1 for _, heard in self._sounds.iter(key))

    def mend(self, text: Mapped) -> Mapped:
        """The text with its disguised words written plainly."""
        if not self._literals:
            return text
        text = text.replaced(_closed(text.text))
        units = self._units(text.text)
        return text.replaced([*self._gapped(text.text, units), *self._heard(text.text, units)])

    def _units(self, text: str) -> list[_Unit]:
        found: list[_Unit] = []
        at = 0
        for match in _PIECE.finditer(text):
            start, end = match.span()
            if start - at > 3 or "\n" in text[at:start]:
                found.append(_Unit(_BREAK, start, start, _BREAK))
            at = end
            piece = match.group()
            if is_han(piece):
                found.append(_Unit(piece, start, end, self._symbols.get(sound(piece)[0], _BREAK)))
                continue
            plain = piece.rstrip("12345").replace("v", "u")
            syllables = self._joined.get(plain) or self._run(plain) or (plain,)
            found += [_Unit("", start, end, self._symbols.get(one, _BREAK)) for one in syllables]
        return found

    def _gapped(self, text: str, units: Sequence[_Unit]) -> list[Change]:
        """Listed words with something between their characters, or characters taken apart (女子: 好)."""
        found: list[Change] = []
        merged: list[tuple[str, int, int]] = []
        k = 0
        while k < len(units):
            both = units[k].char + units[k + 1].char if k + 1 < len(units) else ""
            if len(both) == 2 and both in self._splits:
                merged.append((self._splits[both], units[k].start, units[k + 1].end))
                k += 2
            else:
                merged.append((units[k].char or _BREAK, units[k].start, units[k].end))
                k += 1
        for row in ([(unit.char or _BREAK, unit.start, unit.end) for unit in units], merged):
            for last, literal in self._plain.iter("".join(char for char, _, _ in row)):
                first = last - len(literal) + 1
                start, end = row[first][1], row[last][2]
                if end - start > len(literal) and not _crosses(text, start, end, literal):
                    found.append((start, end, literal))
        return found

    def _heard(self, text: str, units: Sequence[_Unit]) -> list[Change]:
        found: list[Change] = []
        for last, key in self._sounds.iter("".join(unit.symbol for unit in units)):
            first = last - len(key) + 1
            row = units[first : last + 1]
            if (_same_token(units, first - 1, first) or _same_token(units, last, last + 1)) and not self._run(
                text[units[first].start : units[first].end].replace("v", "u")
            ):
                continue
            for literal in sorted(self._by_sound[key], key=lambda one: -_alike(row, one)):
                if _means(text, row, literal):
                    found.append((row[0].start, row[-1].end, literal))
                    break
        # Of several literals in one row of letters none is lost.
        rows: dict[tuple[int, int], str] = {}
        for start, end, literal in found:
            rows[start, end] = rows.get((start, end), "") + literal
        return [(start, end, literal) for (start, end), literal in rows.items()]


def _syllables(word: str) -> list[tuple[str, ...]]:
    """The ways to read a row of letters as pinyin, those with long syllables first; at most a few."""
    ways: list[list[tuple[str, ...]]] = [[] for _ in word] + [[()]]
    for at in range(len(word) - 1, -1, -1):
        for length in range(min(6, len(word) - at), 0, -1):
            if word[at : at + length] in _sounds():
                ways[at] += [(word[at : at + length], *rest) for rest in ways[at + length]]
        del ways[at][_WAYS:]
    return ways[0]


def _crosses(text: str, start: int, end: int, literal: str) -> bool:
    """Whether a literal with gaps is only parts of other words: of its neighbours, read without the gaps."""
    if not crosses_words(text, start, end):
        return False
    before, after = text[max(0, start - 6) : start], text[end : end + 6]
    return crosses_words(before + literal + after, len(before), len(before) + len(literal))


def _same_token(units: Sequence[_Unit], one: int, other: int) -> bool:
    """Whether two units are syllables of one word in Latin letters."""
    return one >= 0 and other < len(units) and units[one].start == units[other].start and not units[one].char


def _alike(row: Sequence[_Unit], literal: str) -> int:
    return sum(unit.char == char for unit, char in zip(row, literal, strict=True))


def _means(text: str, row: Sequence[_Unit], literal: str) -> bool:
    """Whether units that sound like a literal stand for it, and not for what they say."""
    alike = _alike(row, literal)
    latin = [unit for unit in row if not unit.char]
    if alike == len(literal):
        return False
    if len(latin) == len(row):
        first, last = row[0], row[-1]
        if (first.start, first.end) == (last.start, last.end):
            return True
        # A token may hold more syllables than these.
        tokens = [text[unit.start : unit.end].rstrip("12345") for unit in row]
        whole = sum(len(token) for token in dict.fromkeys(tokens)) >= 4
        return whole and len(set(map(len, tokens))) > 0 and not all(token in _ENGLISH for token in tokens)
    if latin:
        apart = " " in text[row[0].start : row[-1].end]
        return alike > 0 and not (apart and all(text[unit.start : unit.end] in _ENGLISH for unit in latin))
    start, end = row[0].start, row[-1].end
    wrong = [unit for unit, char in zip(row, literal, strict=True) if unit.char != char]
    if any(unit.char in _SMALL for unit in wrong) or crosses_words(text, start, end):
        return False
    if (
        len(literal) == 2
        and alike == 0
        and any(sound(unit.char)[1] != sound(char)[1] for unit, char in zip(row, literal, strict=True))
    ):
        return False
    if _in_a_word(text, start, end):
        return False
    return not _says_a_word(text, start, end, {unit.start for unit in wrong})


def _in_a_word(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] belongs to an ordinary word: the 持人 of 主持人 is no 吃人."""
    at = max(0, start - 6)
    for word in jieba().cut(text[at : end + 6], False):
        if at <= start and end <= at + len(word) and len(word) > end - start:
            return True
        at += len(word)
    return any(text.find(word, max(0, end - len(word)), start + len(word)) >= 0 for word in table("said"))


def _says_a_word(text: str, start: int, end: int, wrong: set[int]) -> bool:
    """Whether one of the wrong characters is at home in a word of its own."""
    at = start
    for word in jieba().cut(text[start:end], False):
        if len(word) > 1 and any(at + k in wrong for k in range(len(word))):
            return True
        at += len(word)
    return False


def _closed(text: str) -> list[Change]:
    """Characters that stand one by one, with the same sign between them all, close up: 他 把 门 打 开."""
    found: list[Change] = []
    for match in _SINGLE.finditer(text):
        step = len(match["gap"]) + 1
        for at in range(match.start(), match.end() - 1, step):
            # A character cannot stand for nothing: it takes the gap behind it along.
            found.append((at, at + step, text[at]))
    return found


@cache
def sound(char: str) -> tuple[str, int]:
    """The usual reading of a Chinese character without its tone, and the tone (0: none)."""
    reading = _readings().get(ord(char), "").split(",")[0]
    tone, plain = 0, []
    for one in unicodedata.normalize("NFKD", reading):
        tone = _TONES.get(one, tone)
        if unicodedata.category(one) != "Mn":
            plain.append("g" if one == "ɡ" else one)
    return "".join(plain), tone


@cache
def _sounds() -> frozenset[str]:
    """The syllables of pinyin."""
    every = (sound(chr(code))[0] for code in range(0x4E00, 0x9FA6))
    return frozenset(one.replace("ü", "u").replace("v", "u") for one in every if one and one.isascii()) - {
        *"abcdfghijklmnopqrstuvwxyz"
    }


@cache
def _ordinary() -> frozenset[str]:
    """Ordinary words that are also listed words in pinyin."""
    return frozenset(table("ordinary").get("pinyin", "").split(", "))


@cache
def _readings() -> Any:
    from pypinyin.pinyin_dict import pinyin_dict

    return pinyin_dict
