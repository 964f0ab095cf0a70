"""How much a wish says: more or less, a bit or much, twice, 30 %."""

import re

from studio.edits.clauses import Clause
from studio.edits.types import Amount

_DIGITS = {
    **{sign: number for number, sign in enumerate("零一二三四五六七八九十")},
    "两": 2, "半": 0.5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30,
    "half a": 0.5, "a": 1, "an": 1, "half": 0.5, "couple": 2, "few": 3, "几": 3,
}  # fmt: skip
_PERCENT = re.compile(
    r"(\d+(?:\.\d+)?) ?(?:%|percent|per cent)|百分之([一二三四五六七八九十百\d]+)|([一二三四五六七八九])成"
)
_TIMES = re.compile(
    r"(\d+(?:\.\d+)?) ?(?:x\b|times|倍)|\b(two|three|four|five) times|([一两二三四五六七八九十半])倍"
)
_TWICE = re.compile(r"\btwice\b|\bdouble\b|\bdoubled\b|翻倍|(?<![十百])一倍")
_HALF = re.compile(r"\bhalf\b|\bhalve\b|一半|减半|对折")
_COMPLAINT = re.compile(
    r"\b(?:is|are|looks?|seems?|feels?|it's|that's|was|'s)\b(?! (?:less|more))"
    r"|有点儿?(?!点)|有些|偏|太|过于|过分|不够|不太|显得|看起来"
)
_WANTED = re.compile(
    r"\b(?:should|must|shall|make|let|needs? to|has to|have to|want|turn)\b|\w(?:er|est)\b|more|less"
    r"|[一些]点|点$|些$|一些|调|变|改|更|再|别|不要"
)
_NOT_SO = re.compile(
    r"\b(?:not|n't|nt|no|less|isn't) (?:\w+ )?(?:so|too|that|quite so|as|overly)\b|\bless\b|don't "
    r"make|no need"
    r"|别|不要|不用|不必|没必要|少|不想"
)
_NOT_ENOUGH = re.compile(
    r"\b(?:not|n't|isn't|aren't) (?:\w+ )?(?:\w+ )?enough\b|not (?:very|really|quite) "
    r"|isn't (?:very|really|quite)? ?"
    r"|lack|不够|不太(?!要)|不怎么|没那么|不足|缺"
)


def number(word: str) -> float | None:
    """The number that a word says: digits, English and short Chinese ones; None if it says none."""
    word = word.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", word):
        return float(word)
    if word in _DIGITS:
        return float(_DIGITS[word])
    if tens := re.fullmatch(r"([二三四五六七八九]?)十([一二三四五六七八九]?)", word):
        return (_DIGITS[tens[1]] if tens[1] else 1) * 10 + (_DIGITS[tens[2]] if tens[2] else 0)
    if half := re.fullmatch(r"([一二三四五六七八九两])(?:点五|个半|秒半)", word):
        return _DIGITS[half[1]] + 0.5
    return None


def amount_of(clause: Clause, name: str = "") -> Amount:
    """How much more or less a clause asks for; `name` ("brightness"): whose words say in which direction."""
    more, less = (bool(name) and clause.has(f"{name}_{way}") for way in ("more", "less"))
    plain = more or less
    if plain:
        sign = -1 if less and not more else 1
    else:
        sign = -1 if clause.has("less") and not clause.has("more") else 1
    if _NOT_ENOUGH.search(clause.text):
        sign = sign if plain else 1
    elif _turned(clause, plain=plain):
        sign = -sign
    return Amount(sign, _strength(clause), _factor(clause, sign))


def _turned(clause: Clause, *, plain: bool) -> bool:
    """Whether the other direction is meant: too bright, not so bright, 有点亮."""
    if _NOT_SO.search(clause.text):
        return plain
    if clause.has("too"):
        return True
    return plain and bool(_COMPLAINT.search(clause.text)) and not _WANTED.search(clause.text)


def _strength(clause: Clause) -> float:
    if clause.has("little"):
        return 0.5
    return 2.0 if clause.has("much") else 1.0


def _factor(clause: Clause, sign: int) -> float | None:
    """ "twice" is 2, "30 % brighter" 1.3, "30 % darker" 0.7, "half" 0.5; None if nothing is told."""
    text = clause.text
    if found := _PERCENT.search(text):
        share = number(found[1] or found[2] or "") if not found[3] else 10 * (number(found[3]) or 0)
        if share is not None:
            return 1 + sign * share / 100 if not re.search(r"\bto \d|到百分|到\d", text) else share / 100
    if _TWICE.search(text):
        return 2.0 if sign >= 0 else 0.5
    if found := _TIMES.search(text):
        times = number(next(one for one in found.groups() if one))
        if times:
            return times if sign >= 0 else 1 / times
    if _HALF.search(text):
        return 0.5
    return None
