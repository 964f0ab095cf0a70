"""The words of a text as the library looks for them: one manner for what is kept and for what is asked."""

import re
import unicodedata
from functools import cache, lru_cache

from pipelines.simplified import simplified
from studio.text.terms import table, words

_HAN_CHARS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN = re.compile(f"[{_HAN_CHARS}]")
# Han characters one by one, everything else that is written with letters or digits in runs.
_TOKEN = re.compile(rf"[{_HAN_CHARS}]|[^\W_{_HAN_CHARS}]+")
_OWNERS_S = re.compile(r"(?<=\w)['’]s\b")
_VOWEL = re.compile("[aeiouy]")


@cache
def stop() -> frozenset[str]:
    """Words that say nothing about what is looked for."""
    return words("asking", "stop", "zh") | words("asking", "stop", "en")


@cache
def merely_asked() -> frozenset[str]:
    """Words that say nothing in a question, though in what is kept they may stand for something."""
    return words("asking", "asked", "zh") | words("asking", "asked", "en")


def asked_for(question: str) -> str:
    """What is left of a question when what people say around it is taken out: 有没有红船的视频 is 红船的."""
    return _around().sub(" ", plain(question))


@cache
def _around() -> re.Pattern[str]:
    listed = sorted(words("asking", "phrases", "zh"), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, listed)))


def is_han(token: str) -> bool:
    """Whether a token is a Han character."""
    return len(token) == 1 and bool(_HAN.match(token))


def plain(text: str) -> str:
    """A text as it is compared: one width, one case, simplified characters."""
    return simplified(unicodedata.normalize("NFKC", text).casefold())


def tokens(text: str) -> list[str]:
    """A text's words in their order: Latin words whole, Han characters one by one, stop words left out."""
    found = _TOKEN.findall(_OWNERS_S.sub("", plain(text)))
    return [token for token in map(_without_accents, found) if token not in stop()]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The part of an English word that its forms share, roughly: boats, boat; running, runs, run."""
    if word in table("asking")["forms"]:
        return str(table("asking")["forms"][word])
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x")):
        if word.endswith(ending):
            return word[: -len(ending)] + instead
    if len(word) > 5 and word.endswith("men"):
        return word[:-2] + "an"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return stem(word[:-1])
    for ending in ("ingly", "edly", "ing", "ed", "ly"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) > 2 and _VOWEL.search(base):
            return _whole(base)
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def _whole(base: str) -> str:
    """What is left of a verb: runn is run, glow stays, and driv is what drive is, too."""
    if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
        return base[:-1]
    return base[:-1] if base.endswith("e") and len(base) > 4 else base


@lru_cache(maxsize=65536)
def _without_accents(token: str) -> str:
    if token.isascii() or is_han(token):
        return token
    split = unicodedata.normalize("NFD", token)
    return "".join(char for char in split if not unicodedata.combining(char))


def edits(one: str, other: str, most: int) -> int:
    """How many letters are wrong, missing, too many or swapped; most + 1 if more than `most`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def typos_allowed(word: str) -> int:
    """How many letters of a word may be wrong: none in a short one or a number."""
    if not word.isalpha() or is_han(word) or len(word) < 4:
        return 0
    return 2 if len(word) >= 8 else 1
