"""Chinese words as the segmenter cuts them, put right where its dictionary glues or splits them wrongly."""

import re
from collections.abc import Collection
from functools import cache
from typing import Any

from studio.text.terms import words

# A word and the segmenter's tag for it; "name" for a known name, "eng" for Latin words.
Tagged = tuple[str, str]

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f][\w'’.&-]*(?:\s+[A-Za-z\u00c0-\u024f\d][\w'’&-]*)*", re.ASCII)
_PRONOUN_IN = re.compile(r"[我你他她它](?!们)|[我你他她它]们")
# Words that begin with 太 and mean no "too".
_TOO = re.compile("太(?:阳|太|子|空|极|监|平|师|婆|后|湖|原|古)")
_MORE = re.compile(r"越([\u4e00-\u9fff])越[\u4e00-\u9fff]")
# 大口大口地, 一下接一下地, 走着走着: how something is done.
_AGAIN = re.compile(
    r"(?P<two>[\u4e00-\u9fff]{2})(?P=two)(?=地)|一(?P<one>[\u4e00-\u9fff])[又接挨连]?一(?P=one)(?=地)"
    r"|(?P<verb>[\u4e00-\u9fff]着)(?P=verb)"
    r"|一(?P<each>[\u4e00-\u9fff])(?P=each)(?!的)|(?P<loud>[嗡噌嗖啪砰咚轰哗唰咔咣当扑噗嗤哐嘭咯吱嘶呼]{1,2}(?:地一声|的一声|地))"
    r"|(?P<way>[\u4e00-\u9fff])来(?P=way)去|一(?P<wink>[\u4e00-\u9fff])一(?P=wink)(?=的|[^\u4e00-\u9fff]|$)"
)
_BOTH = re.compile(r"(?P<a>[又边])(?P<x>[\u4e00-\u9fff])(?P=a)(?P<y>[\u4e00-\u9fff])")
_ON_THE_WAY = re.compile(r"([往向朝][前后上下回外里左右])([\u4e00-\u9fff])")
_WAYS = ("前", "后", "回", "上", "下", "里", "外", "左", "右")


@cache
def _jieba() -> Any:
    import rjieba  # reads its dictionary when it is imported

    return rjieba


def tagged(text: str, *, guess: bool = False) -> list[Tagged]:
    """The segmenter's words with its tags; `guess`: words that its dictionary lacks are guessed (names)."""
    return list(_jieba().tag(text, guess))


def cut_around(text: str, start: int, end: int) -> tuple[int, int, bool]:
    """Where the words begin and end that text[start:end] lies in, and whether that is a single word."""
    begin = max(0, start - 8)
    at = begin
    first, last, one = start, end, False
    for word in _jieba().cut(text[begin : end + 8], False):
        if at <= start < at + len(word):
            first = at
        if at < end <= at + len(word):
            last = at + len(word)
            one = at <= start
        at += len(word)
    return first, last, one


def cut(text: str, names: Collection[str] = ()) -> list[Tagged]:
    """The words of a Chinese clause, in order and with nothing left out; names and Latin words stay whole."""
    known = map(re.escape, sorted(names, key=len, reverse=True))
    whole = "|".join([*known, _LATIN.pattern, _MORE.pattern.replace("(", "(?:", 1), _AGAIN.pattern])
    raw: list[Tagged] = []
    place = 0
    for match in re.finditer(whole, text):
        raw += _jieba().tag(text[place : match.start()], False)
        if more := _MORE.fullmatch(match.group()):
            raw.append((match.group(), "v" if more[1] in heads() else "a"))
        elif match["two"] or match["one"] or match["verb"] or match["each"] or match["loud"]:
            raw.append((match.group(), "d"))
        elif match["way"] or match["wink"]:
            raw.append((match.group(), "v" if (match["way"] or match["wink"]) in heads() else "a"))
        else:
            raw.append((match.group(), "name" if match.group() in names else "eng"))
        place = match.end()
    raw += _jieba().tag(text[place:], False)
    return _joined(_split_ends([part for word, tag in raw for part in _apart(word, tag)]))


def is_name(word: str) -> bool:
    """Whether the segmenter knows the word as somebody's name."""
    parts = tagged(word)
    return len(parts) == 1 and parts[0][1].startswith("nr")


def heads() -> frozenset[str]:
    """Single characters that are verbs a camera sees."""
    return words("verbs", "heads", "zh")


@cache
def weak_heads() -> frozenset[str]:
    """Those that are as often something else."""
    return words("verbs", "weak", "zh") - heads()


def _apart(word: str, tag: str) -> list[Tagged]:
    """Undo what is glued together: 带我去, 睁开眼睛, 又哭又笑, 太漂亮."""
    fixed = word in words("verbs", "seen", "zh") or word in words("nouns", "no_verbs", "zh")
    fixed = fixed or bool(_AGAIN.match(word + "地"))
    if tag in ("name", "eng") or len(word) < 2 or fixed or _MORE.fullmatch(word):
        return [(word, tag)]
    if both := _BOTH.fullmatch(word):
        return [(both["a"], "d"), (both["x"], "v"), (both["a"], "d"), (both["y"], "v")]
    if word[0] == "太" and not _TOO.match(word):
        return [("太", "d"), (word[1:], "a")]
    if tag == "m" and len(word) > 2 and word[-1] == "人":
        return [(word[:-1], "m"), ("人", "n")]
    pronouns = words("grammar", "pronouns", "zh")
    if word not in pronouns and tag != "i" and (inner := _PRONOUN_IN.search(word)):
        parts = [(word[: inner.start()], "v"), (inner.group(), "r"), (word[inner.end() :], "v")]
        return [part for part in parts if part[0]]
    if way := _ON_THE_WAY.fullmatch(word):
        return [(way[1], "d"), (way[2], "v")]
    if len(word) == 2 and word[0] in "把被往" and tag not in ("d", "v"):
        return [(word[0], "p"), (word[1], "f" if word[1] in _WAYS else "n")]
    if len(word) == 2 and word[0] in "上下" and word[1] in heads() and tag[0] == "n":
        return [(word[0], "f"), (word[1], "v")]
    if len(word) == 3 and tag == "nr" and word[2] in heads() | weak_heads() and _is_noun(word[:2]):
        return [(word[:2], "n"), (word[2], "v")]  # 太阳升, 小溪流
    if tag in ("i", "l") and len(word) > 2:
        return _phrase_apart(word, tag)
    if len(word) == 2 and word[0] == "火" and word[1] in heads():
        return [(word[0], "n"), (word[1], "v")]
    return _verb_and_object(word, tag)


def _phrase_apart(word: str, tag: str) -> list[Tagged]:
    """What the dictionary holds as one saying: 草丛里, 天上掉, 一条线."""
    if word[-1] in "里上中下外边旁" and _is_noun(word[:-1]):
        return [(word[:-1], "n"), (word[-1], "f")]
    if len(word) == 3 and word[1] in "上下里" and word[2] in heads():
        return [(word[:2], "s"), (word[2], "v")]
    if word[0] in "一两几" and word[1] in "个只条张块根把片朵位扇道座棵" and len(word) == 3:
        return [(word[:2], "m"), (word[2], "n")]
    return [(word, tag)]


def _is_noun(word: str) -> bool:
    parts = tagged(word)
    return len(parts) == 1 and (parts[0][1][0] in "nst" or word[-1] in "上下里")


def _verb_and_object(word: str, tag: str) -> list[Tagged]:
    glued = len(word) > 2 and tag[0] in "nzvm" and word[0] in heads() | weak_heads()
    if glued and word[1] in "开出上下起到进过住着了掉" and word[1:] not in words("verbs", "tails", "zh"):
        return [(word[:2], "v"), (word[2:], "n")]
    return [(word, tag)]


def _split_ends(parts: list[Tagged]) -> list[Tagged]:
    """灯光照到 is 灯光 and 照到; 探出头 is 探出 and 头."""
    found: list[Tagged] = []
    for i, (word, tag) in enumerate(parts):
        following = parts[i + 1][0] if i + 1 < len(parts) else ""
        fixed = word in words("nouns", "no_verbs", "zh")
        if (
            following in ("到", "在", "着", "向", "进")
            and tag[0] == "n"
            and len(word) == 2
            and word[1] in heads()
        ):
            found += [(word, tag)] if fixed else [(word[0], "n"), (word[1], "v")]
        elif _moves_from(word, [part for part, _ in found[-4:]]):
            found += [(word[0], "f"), (word[1], "v")]
        elif found and len(word) == 2 and word[0] in "出进起上下" and found[-1][0] in heads() and not fixed:
            whole = word in words("verbs", "tails", "zh") or word in words("verbs", "seen", "zh")
            found += [(word, tag)] if whole else [(word[0], "v"), (word[1], "n")]
        else:
            found.append((word, tag))
    return found


def _moves_from(word: str, before: list[str]) -> bool:
    """从地平线上涌来: 上 belongs to the noun."""
    led = len(before) > 1 and any(part in ("从", "在", "沿", "到", "往", "向") for part in before[:-1])
    return led and len(word) == 2 and word[0] in "上下里" and word[1] in heads()


def _joined(parts: list[Tagged]) -> list[Tagged]:
    """Put together what makes one of our listed words: 深 and 吸, 月 and 宫."""
    seen, nouns = words("verbs", "seen", "zh"), _whole_nouns()
    found: list[Tagged] = []
    for word, tag in parts:
        before = found[-1] if found else ("", "x")
        if (
            before[1] not in ("name", "eng", "x")
            and tag != "x"
            and len(before[0]) < 3
            and before[0] + word in seen
        ):
            found[-1] = (before[0] + word, "v")
        elif before[1] not in ("name", "eng", "x") and before[0] + word in nouns:
            found[-1] = (before[0] + word, "n")
        elif tag != "x" and before[0] + word[:-1] in nouns and word[-1] in "上下里中内":
            found[-1:] = [(before[0] + word[:-1], "n"), (word[-1], "f")]  # 月 and 宫里
        elif before[0] in ("一小", "一大") and len(word) == 2 and word[0] in "块片条根张滴粒堆":
            found[-1:] = [(before[0] + word[0], "m"), (word[1], "n")]
        else:
            found.append((word, tag))
    return found


@cache
def _whole_nouns() -> frozenset[str]:
    parts = ("people", "no_verbs", "joined")
    lists = (*(("nouns", p) for p in parts), ("grammar", "pronouns"), ("places", "sky"), ("places", "town"))
    return frozenset[str]().union(*(words(name, part, "zh") for name, part in lists))
