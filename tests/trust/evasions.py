"""How people disguise a word: transformation rules, each from a sentence and the word in it to hide."""

import random
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from opencc import OpenCC
from pypinyin import Style, lazy_pinyin

from tests.trust.list_ordinary import dictionary

SENTENCES = Path(__file__).parent / "sentences"
_HOMOGLYPHS = str.maketrans("aceiopsxy", "асеіорѕху")
_LEET = str.maketrans("aeiost", "4310$7")
_PARTS = (
    "炸火乍 弹弓单 奸女干 枪木仓 裸衤果 性忄生 精米青 "
    "割害刂 强弓虽 腥月星 死歹匕 斩车斤 杀乂木 残歹戋 砍石欠 "
    "肢月支 怖忄布 做亻故 爆火暴 吸口及 体亻本 妓女支 嫖女票 解角军 情忄青 "
)
_SPLITS = {three[0]: three[1:] for three in _PARTS.split()}
# The commonest characters, by their sounds: the first level of GB 2312 is ordered by pinyin.
_COMMON = "".join(
    bytes((high, low)).decode("gb2312", "ignore") for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF)
)


@dataclass(frozen=True)
class Evasion:
    """A disguised sentence and the rule that made it."""

    text: str
    rule: str


def _dice(word: str, rule: str) -> random.Random:
    return random.Random(f"{word} {rule}")


def _between(sign: str) -> Callable[[str], str | None]:
    return lambda word: sign.join(word)


def _halfway(sign: str) -> Callable[[str], str | None]:
    return lambda word: word[: len(word) // 2] + sign + word[len(word) // 2 :]


@cache
def _sounding(sound: str) -> tuple[str, ...]:
    """The common characters of a sound, in their order."""
    return tuple(char for char in _COMMON if lazy_pinyin(char, style=Style.NORMAL) == [sound])


@cache
def _traditional(kind: str) -> OpenCC:
    return OpenCC(kind)


def _homophone(word: str) -> str | None:
    """One character becomes another of the same sound that makes no word with its neighbour."""
    import rjieba

    dice = _dice(word, "homophone")
    places = list(range(len(word)))
    dice.shuffle(places)
    for at in places:
        (sound,) = lazy_pinyin(word[at], style=Style.NORMAL)
        others = [char for char in _sounding(sound) if char != word[at]]
        dice.shuffle(others)
        for other in others:
            new = word[:at] + other + word[at + 1 :]
            if all(other not in piece or len(piece) == 1 for piece in rjieba.cut(new, False)):
                return new
    return None


def _split(word: str) -> str | None:
    new = "".join(_SPLITS.get(char, char) for char in word)
    return new if new != word else None


def _misspelt(word: str) -> str | None:
    """A letter dropped, doubled or swapped, as long as no other word comes of it."""
    if len(word) < 6:
        return None
    dice = _dice(word, "misspelt")
    at = dice.randrange(1, len(word) - 2)
    ways = [word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]]
    if word[at] != word[at + 1]:
        ways.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    new = dice.choice(ways)
    return new if new not in dictionary() and new != word else None


def _starred(word: str) -> str | None:
    at = next((k for k, c in enumerate(word) if k and c in "aeiou"), 0)
    return word[:at] + "*" + word[at + 1 :] if at else None


RULES_ZH: dict[str, Callable[[str], str | None]] = {
    "zero-width": _between("\u200b"),
    "spaced": _between(" "),
    "starred": _between("*"),
    "dotted": _halfway("·"),
    "emoji": _halfway("🌸"),
    "comma": _halfway("，"),
    "traditional": lambda word: _traditional("s2t").convert(word),
    "pinyin": lambda word: "".join(lazy_pinyin(word)),
    "pinyin spaced": lambda word: " ".join(lazy_pinyin(word)),
    "pinyin tones": lambda word: " ".join(lazy_pinyin(word, style=Style.TONE)),
    "half pinyin": lambda word: lazy_pinyin(word[0])[0] + word[1:],
    "homophone": _homophone,
    "split": _split,
}
RULES_EN: dict[str, Callable[[str], str | None]] = {
    "zero-width": _between("\u200d"),
    "homoglyph": lambda word: word.translate(_HOMOGLYPHS),
    "full-width": lambda word: "".join(chr(ord(c) + 0xFEE0) for c in word),
    "spaced": _between(" "),
    "dotted": _between("."),
    "dashed": _between("-"),
    "cut": _halfway(" "),
    "leet": lambda word: word.translate(_LEET),
    "starred": _starred,
    "accents": _between("\u0301"),
    "bold": lambda word: "".join(chr(0x1D400 + ord(c) - 97 + 26) if c.islower() else c for c in word),
    "repeated": lambda word: "".join(c * 3 if c in "aeiou" else c for c in word),
    "misspelt": _misspelt,
    "emoji": _halfway("💥"),
    "capitals": lambda word: "".join(c.upper() if k % 2 else c for k, c in enumerate(word)),
}


def evasions(bases: list[list[str]], language: str) -> Iterator[Evasion]:
    """Every rule on every sentence, where it changes something."""
    for sentence, word in bases:
        for name, rule in (RULES_ZH if language == "zh" else RULES_EN).items():
            hidden = rule(word)
            if hidden and hidden != word:
                yield Evasion(sentence.replace(word, hidden), name)
        if language == "zh":
            yield Evasion(_traditional("s2twp").convert(sentence), "all traditional")
        else:
            yield Evasion(
                "".join(chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in sentence), "all full-width"
            )


@cache
def sentences(part: str) -> dict[str, dict[str, list[str]]]:
    """The sentences of a part of both languages: evasive, plain and harmless ones; not to be changed.

    "dev", "held", "blind_a" or "blind_b" (the halves of "blind": every second entry of each list).
    """
    name, _, half = part.partition("_")
    data = tomllib.loads((SENTENCES / f"{name}.toml").read_text("utf-8"))
    own = slice("ab".index(half), None, 2) if half else slice(None)
    return {
        language: {
            "evasive": [one.text for one in evasions(data[f"base_{language}"][own], language)]
            + data.get(f"euphemisms_{language}", [])[own],
            "plain": [text for texts in data[f"plain_{language}"].values() for text in texts[own]],
            "harmless": data["harmless"][language][own],
        }
        for language in ("zh", "en")
    }
