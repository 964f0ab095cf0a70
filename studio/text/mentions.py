"""Which beings a story has spoken of before a place in it, whatever they did there."""

import re
from collections.abc import Collection
from functools import lru_cache

from studio.text.names import uses
from studio.text.terms import find
from studio.text.told import unquoted

# In how many characters before a place somebody is still in mind.
_REACH = 700
_MOST = 8
_ENDS = re.compile(r"[。！？!?\n]+|\.(?=\s)")


def spoken_of(story: str, place: int, names: Collection[str]) -> dict[str, int]:
    """Beings that story[:place] names, the last one first, and how many sentences ago each was named."""
    sentences = _ends(story)
    found: dict[str, int] = {}
    here = _before(sentences, place)
    for at, word in reversed(_mentions(story, tuple(sorted(names)))):
        if at >= place:
            continue
        if at < place - _REACH or len(found) == _MOST:
            break
        found.setdefault(word, here - _before(sentences, at))
    return found


def _before(ends: tuple[int, ...], place: int) -> int:
    return sum(end <= place for end in ends)


@lru_cache(maxsize=8)
def _ends(story: str) -> tuple[int, ...]:
    return tuple(match.end() for match in _ENDS.finditer(story))


@lru_cache(maxsize=8)
def _mentions(story: str, names: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """(place, word) of every name and every noun for a being that is told, not said."""
    told = unquoted(story)
    known = [(start, end, name) for name in names for start, end in uses(told, name)]
    taken = {at for start, end, _ in known for at in range(start, end)}
    nouns = [
        (one.start, one.end, one.word)
        for part in ("people", "animals")
        for one in find(told, "nouns", part)
        if one.start not in taken
    ]
    return tuple((start, word) for start, _, word in sorted([*known, *nouns]))
