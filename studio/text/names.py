"""Where a name stands in a text as a name: 高兴, Rose and Will are common words too."""

import re
from collections.abc import Collection
from functools import cache, lru_cache

from studio.text.language import has_han
from studio.text.segmenter import cut_around, tagged

_COMMON_TAGS = ("a", "ad", "an", "v", "vn", "d", "b", "z", "i", "l")
# Before and behind a Chinese word these tell that it is the word, not the name.
_DEGREE = re.compile(
    r"(?:很|真|太|好|更|最|多么|多|十分|非常|特别|格外|不|别|没有|感到|觉得|感觉|显得|变得|有点|有些|越来越|那么|这么|挺|无比|有多)$"
)
_MANNER = re.compile(r"^(?:地|得|极了|起来|万分|不已|之余|坏了|死了|一下)")
_MEASURE = re.compile(
    r"[一二两三四五六七八九十几半这那每\d][只个条块朵颗片棵座张把根头匹匙粒滴股阵场双对群堆层轮]$"
)
_ARTICLE = re.compile(r"\b(?:a|an|the|this|these|those|some|any|no|every|each|more|much)\s+$", re.IGNORECASE)
_SENTENCE_START = re.compile(r"(?:^|[.!?:\n“\"‘(—–-]|[.!?][”\"’)])\s*$")


def uses(text: str, name: str) -> list[tuple[int, int]]:
    """(start, end) of each place where the text uses `name` as a name, without a possessive ending."""
    if not name.strip():
        return []
    return list(_uses(text, name))


@lru_cache(maxsize=512)
def _uses(text: str, name: str) -> tuple[tuple[int, int], ...]:
    return tuple(_chinese(text, name) if has_han(name) else _latin(text, name))


def nameless(text: str, names: Collection[str]) -> str:
    """The text with its names blanked out: 小雨 is no weather and Rose no flower where they are names."""
    for name in names:
        for start, end in uses(text, name):
            text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    return text


def _chinese(text: str, name: str) -> list[tuple[int, int]]:
    found = []
    for match in re.finditer(re.escape(name), text):
        start, end = match.span()
        if _breaks_word(text, start, end) or _MEASURE.search(text[max(0, start - 3) : start]):
            continue
        if _is_common(name) and _as_word(text, start, end):
            continue
        found.append((start, end))
    return found


def _breaks_word(text: str, start: int, end: int) -> bool:
    """Whether the characters belong to other words: 小明 in 小明白."""
    first, last, _ = cut_around(text, start, end)
    # A longer word that begins with the name is another word, one that ends beyond it begins within it.
    return (
        last > end
        and has_han(text[start:last])
        and last - end <= 2
        and _is_word(text[max(first, start) : last], text, start, end)
    )


def _is_word(run: str, text: str, start: int, end: int) -> bool:
    at = 0
    for word, _ in tagged(run):
        if at < end - start < at + len(word):
            return len(word) > 1
        at += len(word)
    return False


@cache
def _is_common(name: str) -> bool:
    parts = tagged(name)
    return len(parts) == 1 and parts[0][1].startswith(_COMMON_TAGS)


def _as_word(text: str, start: int, end: int) -> bool:
    behind = text[end : end + 4]
    if _DEGREE.search(text[max(0, start - 4) : start]) or _MANNER.match(behind):
        return True
    if behind.startswith("的"):
        return True
    before = text[start - 1 : start]
    # "她高兴，…", "大家高兴了": said of somebody who was just named.
    named = (
        bool(re.search(r"[\u4e00-\u9fff]", before)) and before not in "和与跟对给向叫是被把找等让请带问像，。"
    )
    return named and (not behind or behind[0] in "，。！？；、了呢啊吧")


def _latin(text: str, name: str) -> list[tuple[int, int]]:
    edge = r"A-Za-z\d\u00c0-\u024f_"
    pattern = re.compile(
        rf"(?<![{edge}])(?<![{edge}][-])(?:{re.escape(name)}|{re.escape(name.upper())})(?![{edge}]|-[a-z])"
    )
    found = []
    for match in pattern.finditer(text):
        if _is_plain_word(name) and _ARTICLE.search(text[max(0, match.start() - 12) : match.start()]):
            continue
        if (
            _is_plain_word(name)
            and _begins_sentence(text, match.start())
            and _as_plain_word(text, match.start(), match.end())
        ):
            continue
        found.append(match.span())
    return found


@cache
def _is_plain_word(name: str) -> bool:
    """Whether a name in small letters is an ordinary English word (Rose, Will, Grace, May)."""
    from studio.text.english import is_plain_word

    return " " not in name and is_plain_word(name.lower())


def _begins_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 40) : start]
    return bool(_SENTENCE_START.search(before)) or not before.strip()


def _as_plain_word(text: str, start: int, end: int) -> bool:
    """At a sentence's head every word has a capital: what follows tells whether it is a name."""
    from studio.text.english import tokens_of

    following = tokens_of("Anna" + text[end : end + 24])[1:2]
    if not following:
        return False
    token = following[0]
    if token.tag in ("POS", "CC", "MD", "NNP") or not token.text[0].isalnum():
        return False
    return token.tag not in ("VBZ", "VBD", "VBP", "RB")
