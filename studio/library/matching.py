"""How well documents match a question: by words, their forms, beginnings and typos, their other names.

A question is a few units (an English word, a Chinese word); each unit has alternatives (the same thing in
other words), each with a strength from 0 to 1. A document's coverage is how much of the question is found in
it, its rank counts besides where the words stand and whether they stand together.
"""

import bisect
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from studio.library.catalogue import View
from studio.library.segment import Vocabulary
from studio.library.words import (
    asked_for,
    edits,
    is_han,
    merely_asked,
    plain,
    stem,
    stop,
    tokens,
    typos_allowed,
)
from studio.text.segmenter import tagged
from studio.text.terms import table

Floats = NDArray[np.float32]

MAX_QUESTION = 200
_MAX_UNITS = 12
_MOST_FORMS = 48
# How much a match counts that is not the word itself.
_BEGINS, _TYPO, _OTHER, _SCATTERED = 0.9, 0.7, 0.75, 0.45
_TOGETHER = 0.35
# The weight of a word that is nowhere in the library.
_LOST = 0.5
_HAN_RUN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


@dataclass(frozen=True)
class Unit:
    """One word of a question as tokens: one English word, or the characters of a Chinese one.

    `open`: somebody may still be typing it.
    """

    parts: tuple[str, ...]
    open: bool = False

    @property
    def text(self) -> str:
        """The word."""
        return "".join(self.parts)


@dataclass(frozen=True)
class Match:
    """By document: `coverage` from 0 to 1, and `rank`, which orders those of like coverage."""

    coverage: Floats
    rank: Floats


def units_of(question: str) -> list[Unit]:
    """The words of a question, at most 12; none if it says nothing."""
    text = plain(question[:MAX_QUESTION])
    found: list[Unit] = []
    place = 0
    text = asked_for(text) if tokens(asked_for(text)) else text
    for run in _HAN_RUN.finditer(text):
        found += _latin(text[place : run.start()])
        for word, _ in tagged(run.group()):
            parts = tuple(char for char in word if char not in stop())
            if parts:
                found.append(Unit(parts))
        place = run.end()
    found += _latin(text[place:])
    if not found:
        found = [Unit((char,)) for char in _HAN_RUN.sub(lambda run: " ".join(run.group()), text).split()]
    telling = [unit for unit in found if unit.text not in merely_asked()]
    found = list(dict.fromkeys(telling or found))[:_MAX_UNITS]
    if found and text[-1:].isalnum() and text.endswith(found[-1].text) and not is_han(found[-1].text[-1]):
        found[-1] = Unit(found[-1].parts, open=True)
    return found


def _latin(text: str) -> list[Unit]:
    return [Unit((token,)) for token in tokens(text)]


def match(view: View, units: Sequence[Unit], words: "Words") -> Match:
    """Coverage and rank of every document."""
    coverage, rank = np.zeros(view.count, np.float32), np.zeros(view.count, np.float32)
    total = 0.0
    for unit in units:
        strength, weighed = _unit(view, unit, words)
        holding = int(np.count_nonzero(strength > 0.5 * float(strength.max(initial=0))))
        # What nothing holds tells the others apart from nothing: a hint that this is not all.
        rarity = _rarity(view, holding) if holding else _LOST
        coverage += rarity * strength
        rank += rarity * weighed
        total += rarity
    rank += _neighbours(view, units, words)
    # The shorter of two says more of what was asked.
    return Match(coverage / max(total, 1e-6), rank / max(total, 1e-6))


def _rarity(view: View, holding: int) -> float:
    return float(np.log(1 + view.count / (holding + 1)) / np.log(2 + view.count)) + 0.15


def _unit(view: View, unit: Unit, words: "Words") -> tuple[Floats, Floats]:
    """How strongly each document holds a unit, plainly and weighed by where it stands."""
    strength, weighed = _form(view, unit, words)
    for other in _others().get(_key(unit.parts), ()):
        if other != unit.parts:
            more, heavier = _form(view, Unit(other), words, exact=True)
            np.maximum(strength, more * _OTHER, out=strength)
            np.maximum(weighed, heavier * _OTHER, out=weighed)
    return strength, weighed


def _form(view: View, unit: Unit, words: "Words", *, exact: bool = False) -> tuple[Floats, Floats]:
    if len(unit.parts) > 1:
        return _spread(view, unit.parts, words.vocabulary)
    strength, weighed = np.zeros(view.count, np.float32), np.zeros(view.count, np.float32)
    forms = words.exactly(unit.parts[0]) if exact else words.forms(unit.parts[0], open=unit.open)
    for number, share in forms:
        for documents, weights in view.holding(number):
            strength[documents] = np.maximum(strength[documents], share)
            weighed[documents] = np.maximum(weighed[documents], share * weights)
    return strength, weighed


def _spread(view: View, parts: Sequence[str], vocabulary: Vocabulary) -> tuple[Floats, Floats]:
    """A Chinese word: its characters side by side count whole, apart from each other little."""
    numbers = [vocabulary.numbers.get(part, -1) for part in parts]
    beside, apart = np.zeros(view.count, np.float32), np.zeros(view.count, np.float32)
    weighed = np.zeros(view.count, np.float32)
    for first, second in pairwise(numbers):
        for documents in view.adjacent(first, second):
            beside[documents] += 1
    for number in dict.fromkeys(numbers):
        for documents, weights in view.holding(number):
            apart[documents] += numbers.count(number)
            weighed[documents] = np.maximum(weighed[documents], weights)
    beside /= len(parts) - 1
    apart /= len(parts)
    strength = np.maximum(beside, _SCATTERED * apart**2)
    return strength, strength * weighed


def _neighbours(view: View, units: Sequence[Unit], words: "Words") -> Floats:
    """More for documents where words of the question stand next to each other as they do in it."""
    found = np.zeros(view.count, np.float32)
    for one, next_one in pairwise(units):
        for first in _ends(one, -1):
            for second in _ends(next_one, 0):
                here = np.zeros(view.count, np.float32)
                for documents in view.adjacent(words.number(first), words.number(second)):
                    here[documents] = _TOGETHER
                np.maximum(found, here, out=found)
    return found


def _ends(unit: Unit, at: int) -> Iterable[str]:
    """The tokens that a unit or one of its other names ends (-1) or begins (0) with."""
    same_script = [parts for parts in _others().get(_key(unit.parts), ()) if is_han(parts[0][0])]
    yield from dict.fromkeys(parts[at] for parts in (unit.parts, *same_script[:4]))


class Words:
    """The vocabulary as it is looked up in: by form, by beginning, by a typo. Made anew as it grows."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._size = len(vocabulary.surfaces)
        self._sorted = sorted(
            word for word in list(vocabulary.surfaces) if word.isalpha() and not is_han(word)
        )

    @property
    def stale(self) -> bool:
        """Whether there are more words by now."""
        return len(self.vocabulary.surfaces) != self._size

    def number(self, word: str) -> int:
        """A word's number; -1 if nothing has it."""
        return self.vocabulary.numbers.get(stem(word), -1)

    def exactly(self, word: str) -> list[tuple[int, float]]:
        """The word itself, in all its forms."""
        number = self.number(word)
        return [] if number < 0 else [(number, 1.0)]

    def forms(self, word: str, *, open: bool) -> list[tuple[int, float]]:
        """The numbers of the words that are meant by one, and how likely: itself, longer ones, typos."""
        found = dict(self.exactly(word))
        if (open or not found) and len(word) > (0 if open else 3) and not is_han(word):
            for longer in self._beginning(word):
                found.setdefault(self.vocabulary.surfaces[longer], _BEGINS if open else _TYPO)
        if not found and (most := typos_allowed(word)):
            for near, wrong in self._near(word, most):
                found.setdefault(self.vocabulary.surfaces[near], _TYPO if wrong == 1 else _TYPO - 0.1)
        return list(found.items())[:_MOST_FORMS]

    def _beginning(self, word: str) -> list[str]:
        start = bisect.bisect_left(self._sorted, word)
        end = bisect.bisect_left(self._sorted, word + "\uffff")
        return sorted(self._sorted[start:end], key=len)[:_MOST_FORMS]

    def _near(self, word: str, most: int) -> list[tuple[str, int]]:
        letters, lengths = self._letters
        own = _letters_of(word)
        alike = np.bitwise_count(letters ^ np.uint32(own)) <= 2 * most
        alike &= np.abs(lengths - len(word)) <= most
        near = [(self._sorted[at], edits(word, self._sorted[at], most)) for at in np.flatnonzero(alike)]
        found = sorted((wrong, other) for other, wrong in near if wrong <= most)
        least = found[0][0] if found else 0
        return [(other, wrong) for wrong, other in found if wrong == least]

    @cached_property
    def _letters(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Which letters each word has, as bits, and how many: most words need not be compared."""
        letters = np.array([_letters_of(word) for word in self._sorted], np.uint32)
        return letters, np.array([len(word) for word in self._sorted], np.int64)


def _letters_of(word: str) -> int:
    bits = 0
    for char in word:
        bits |= 1 << (ord(char) % 31)
    return bits


def _key(parts: Sequence[str]) -> tuple[str, ...]:
    return (stem(parts[0]),) if len(parts) == 1 else tuple(parts)


@cache
def _others() -> dict[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """What else a thing is called, in both languages, by each of its names."""
    found: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    for part in table("same").values():
        for line in part["lines"].strip().splitlines():
            english, _, chinese = line.partition("=")
            names = [(word.strip(),) for word in english.split(",")]
            names += [tuple(word) for word in chinese.split()]
            for name in names:
                found[_key(name)] += names
    return {name: tuple(dict.fromkeys(others)) for name, others in found.items()}
