"""Text in lines: broken by display width where a reader would pause, in Chinese and in words with spaces."""

import unicodedata
from dataclasses import dataclass

import rjieba

# What may not begin a line, and what may not end one (避头尾).
_NEVER_FIRST = frozenset("，。、；：！？）》」』】〕〉〗”’…—～·・ー々％℃°,.;:!?)]}%»›")
_NEVER_LAST = frozenset("（《「『【〔〈〖“‘([{«‹￥$€£#＃№")
_SENTENCE = frozenset("。！？；…!?;.")
_CLAUSE = frozenset("，、：,:—”」』》）)")
# A line that begins with one of these, or ends with one of those, reads badly.
_PARTICLES = frozenset("的了着们吗呢吧啊得地过里上下中")
_LEADING_WORDS = """
a an the and or but of in on at to for from with by as that which who is are was were his her its their my
your our no not very mr mrs dr 在 和 与 跟 把 被 从 向 对 给 让 是 不 很 一
"""
_LEADING = frozenset(_LEADING_WORDS.split())
_EITHER = frozenset("—…“”‘’·")
_INSIDE_WORD, _EMERGENCY = 12.0, 60.0


@dataclass(frozen=True)
class _Break:
    """A line may end before character `at`, which is `column` columns in; `cost` says how badly it reads."""

    at: int
    column: int
    cost: float


def columns(text: str) -> int:
    """The display width: a Han character counts two, a Latin letter one, a combining mark nothing."""
    return sum(_widths(text))


def tidy(text: str) -> str:
    """The text in one line: single spaces, no control, format or private characters."""
    kept = (" " if char.isspace() else char for char in text if char.isspace() or _visible(char))
    return " ".join("".join(kept).split())


def wrapped(text: str, *, limit: int, lines: int = 2) -> tuple[str, ...] | None:
    """The text in as few lines as possible, at most `lines` of `limit` columns, about as long; or None."""
    marks = _breaks(text, limit)
    for count in range(1, lines + 1):
        if parts := _parts(text, marks, count, limit=limit, evenness=30.0):
            return parts
    return None


def split(text: str, count: int, *, limit: int, lines: int = 2) -> tuple[str, ...] | None:
    """The text in `count` parts of about a length, each of which fits in so many lines; None if they do not.

    A text without enough places to break comes in fewer parts.
    """
    marks = _breaks(text, limit)
    count = min(count, len(marks) + 1)
    parts = _parts(text, marks, count, limit=limit * lines, evenness=12.0)
    if parts and all(wrapped(part, limit=limit, lines=lines) for part in parts):
        return parts
    return None


def _parts(
    text: str, marks: list[_Break], count: int, *, limit: int, evenness: float
) -> tuple[str, ...] | None:
    """The text in exactly `count` parts of at most `limit` columns, or None.

    Part by part: what lies nearest to an equal share of the rest, where it reads well, wins.
    """
    total = columns(text)
    parts: list[str] = []
    begin = first = 0
    at = 0
    for left in range(count, 1, -1):
        share = (total - begin) / left
        best: tuple[float, _Break, int] | None = None
        for number in range(first, len(marks) - left + 2):
            mark = marks[number]
            width = mark.column - begin
            if width > limit:
                break
            if total - mark.column > limit * (left - 1):
                continue
            cost = mark.cost + evenness * ((width - share) / share) ** 2
            if best is None or cost < best[0]:
                best = (cost, mark, number)
        if best is None:
            return None
        _, mark, number = best
        parts.append(text[at : mark.at].strip())
        at, begin, first = mark.at, mark.column, number + 1
    parts.append(text[at:].strip())
    return tuple(parts) if columns(parts[-1]) <= limit and all(parts) else None


def _breaks(text: str, limit: int) -> list[_Break]:
    """Where a line may end, in order. A word longer than half a line may be broken inside, if it must be."""
    borders = _word_borders(text)
    found: list[_Break] = []
    column = last = 0
    for at, width in enumerate(_widths(text)):
        if at and (cost := _cost(text, at, borders, stuck=(column - last) / limit)) is not None:
            found.append(_Break(at, column, cost))
            last = column
        column += width
    return found


def _cost(text: str, at: int, borders: set[int], *, stuck: float) -> float | None:
    """How badly it reads if a line ends before character `at`; None where it may not.

    `stuck` is how much of a line has gone by without a place to break.
    """
    before, after = text[at - 1], text[at]
    if after == " " or _mark(after):
        return None
    if after in _NEVER_FIRST or (text[at - 2] if before == " " and at > 1 else before) in _NEVER_LAST:
        return 2 * _EMERGENCY if stuck > 0.9 else None
    if before == " ":
        return _cost_of_space(text, at)
    if _wide(before) or _wide(after):
        if before in _SENTENCE:
            return 0.0
        if before in _CLAUSE:
            return 1.0
        cost = 4.0 if at in borders else _INSIDE_WORD
        # A number belongs to what it counts.
        return cost + (6.0 if after in _PARTICLES or before in _LEADING or before.isdigit() else 0.0)
    if before in "-–/" and after.isalpha():
        return 6.0
    return _EMERGENCY if stuck > 0.5 else None


def _cost_of_space(text: str, at: int) -> float:
    words = text[: at - 1].rsplit(" ", 1)
    word = words[-1]
    if not word:
        return 3.0
    if word[-1] in _SENTENCE:
        return 0.0
    if word[-1] in _CLAUSE:
        return 1.0
    return 7.0 if word.lower() in _LEADING else 3.0


def _word_borders(text: str) -> set[int]:
    """Where Chinese words begin."""
    found, at = set(), 0
    for word in rjieba.cut(text):
        found.add(at)
        at += len(word)
    return found


def _wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _mark(char: str) -> bool:
    """Whether it is drawn onto the character before."""
    return unicodedata.category(char) in ("Mn", "Me", "Cf")


def _widths(text: str) -> list[int]:
    # Quotes, dashes and dots are as wide as a Han character among such, and narrow among letters.
    either = 2 if any(map(_wide, text)) else 1
    return [0 if _mark(char) else 2 if _wide(char) else either if char in _EITHER else 1 for char in text]


def _visible(char: str) -> bool:
    # The joiners and marks of emoji and of some scripts are kept, direction marks are not.
    return unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn", "Cf") or char in "\u200c\u200d"
