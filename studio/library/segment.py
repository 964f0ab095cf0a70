"""A part of the library as arrays: who holds which word, what lists are cut by. Never changed once made."""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.library.words import stem

Numbers = NDArray[np.int32]
Weights = NDArray[np.float32]
CODE_WORDS = 8
# What each document has one of.
_COLUMNS: dict[str, Any] = {
    "owners": np.int32,
    "standings": np.int32,
    "created": np.float64,
    "seconds": np.float32,
    "trashed": np.bool_,
    "ties": np.int64,
    "codes": np.uint64,
}


class Vocabulary:
    """Words and facet values as numbers; it only ever grows. Forms of one word share its number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.surfaces: dict[str, int] = {}
        self.values: list[tuple[str, str]] = []
        self._of_values: dict[tuple[str, str], int] = {}

    def word(self, surface: str) -> int:
        """The number of a word, by any of its forms."""
        number = self.surfaces.get(surface)
        if number is None:
            number = self.numbers.setdefault(stem(surface), len(self.numbers))
            self.surfaces[surface] = number
        return number

    def value(self, facet: str, value: str) -> int:
        """The number of a facet's value."""
        key = (facet, value)
        number = self._of_values.get(key)
        if number is None:
            number = self._of_values[key] = len(self.values)
            self.values.append(key)
        return number

    def known(self, facet: str, value: str) -> int | None:
        """As `value`, without making a new one."""
        return self._of_values.get((facet, value))


@dataclass(frozen=True)
class Doc:
    """One asset as it goes in: `words` and `meaning` as its entry has them, `facets` with its row's, too."""

    id: str
    owner: str
    standing: str
    name: str
    created: float
    seconds: float
    trashed: bool
    words: str
    facets: Sequence[tuple[str, str]]
    meaning: bytes | None


@dataclass(frozen=True)
class Postings:
    """Which documents hold a number, and how much it counts there: documents[starts[n]:starts[n + 1]]."""

    starts: NDArray[np.int64]
    documents: Numbers
    weights: Weights

    def of(self, number: int) -> tuple[Numbers, Weights]:
        """The documents (ascending) that hold a number, and its weight in each."""
        if number < 0 or number + 1 >= len(self.starts):
            return self.documents[:0], self.weights[:0]
        part = slice(int(self.starts[number]), int(self.starts[number + 1]))
        return self.documents[part], self.weights[part]


@dataclass(frozen=True)
class Segment:
    """Documents by number 0 … count - 1. `codes`: the signs of their meanings, 512 bits each."""

    ids: list[str]
    names: list[str]
    # By their numbers as facet values.
    owners: Numbers
    standings: Numbers
    created: NDArray[np.float64]
    seconds: Weights
    trashed: NDArray[np.bool_]
    ties: NDArray[np.int64]
    codes: NDArray[np.uint64]
    # Forward: the words of document d are flat[bounds[d]:bounds[d + 1]]; its facet values likewise.
    bounds: NDArray[np.int64]
    flat: Numbers
    weights: Weights
    facet_bounds: NDArray[np.int64]
    facets: Numbers
    # Backward.
    words: Postings
    pairs: Postings
    pair_keys: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many documents there are."""
        return len(self.ids)

    @cached_property
    def facet_rows(self) -> Numbers:
        """The document that each of `facets` is of."""
        return np.repeat(np.arange(self.count, dtype=np.int32), np.diff(self.facet_bounds))

    def adjacent(self, first: int, second: int) -> Numbers:
        """The documents in which one word stands right before another."""
        key = (first << 32) | second
        at = int(np.searchsorted(self.pair_keys, key))
        if at == len(self.pair_keys) or self.pair_keys[at] != key:
            return self.pairs.documents[:0]
        return self.pairs.of(at)[0]


def segment_of(docs: Iterable[Doc], vocabulary: Vocabulary) -> Segment:
    """A new segment; documents are taken one by one."""
    ids: list[str] = []
    names: list[str] = []
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    flat, weights, facets = array("i"), array("b"), array("i")
    bounds, facet_bounds = [0], [0]
    word, value = vocabulary.word, vocabulary.value
    for doc in docs:
        ids.append(doc.id)
        names.append(doc.name)
        for line in doc.words.split("\n"):
            # A number that nobody has stands between lines, so that no pair goes across.
            numbers = [*map(word, line[2:].split()), -1]
            flat.extend(numbers)
            weights.extend([int(line[0]) if line else 0] * len(numbers))
        bounds.append(len(flat))
        facets.extend({value(*one) for one in doc.facets})
        facet_bounds.append(len(facets))
        row = (value("owner", doc.owner), value("standing", doc.standing), doc.created, doc.seconds)
        for name, item in zip(_COLUMNS, (*row, doc.trashed, _tie(doc.id), code_of(doc.meaning)), strict=True):
            columns[name].append(item)
    shaped = {name: np.array(columns[name], kind) for name, kind in _COLUMNS.items()}
    return _segment(
        ids,
        names,
        **shaped | {"codes": shaped["codes"].reshape(-1, CODE_WORDS)},
        bounds=np.array(bounds, np.int64),
        flat=np.array(flat, np.int32),
        weights=np.array(weights, np.float32) / 9,
        facet_bounds=np.array(facet_bounds, np.int64),
        facets=np.array(facets, np.int32),
    )


def merged(parts: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> Segment:
    """Several segments as one, each without the documents that are not alive in it."""
    kept = [(part, np.flatnonzero(alive)) for part, alive in parts]

    def joined(name: str) -> Any:
        return np.concatenate([getattr(part, name)[rows] for part, rows in kept])

    words = [_chosen(part.bounds, rows) for part, rows in kept]
    values = [_chosen(part.facet_bounds, rows) for part, rows in kept]
    return _segment(
        [part.ids[row] for part, rows in kept for row in rows],
        [part.names[row] for part, rows in kept for row in rows],
        **{name: joined(name) for name in _COLUMNS},
        bounds=_bounds([lengths for _, lengths in words]),
        flat=np.concatenate([part.flat[at] for (part, _), (at, _) in zip(kept, words, strict=True)]),
        weights=np.concatenate([part.weights[at] for (part, _), (at, _) in zip(kept, words, strict=True)]),
        facet_bounds=_bounds([lengths for _, lengths in values]),
        facets=np.concatenate([part.facets[at] for (part, _), (at, _) in zip(kept, values, strict=True)]),
    )


def code_of(meaning: bytes | None) -> NDArray[np.uint64]:
    """The signs of a meaning as bits; all zero if there is none."""
    if not meaning or len(meaning) != CODE_WORDS * 64:
        return np.zeros(CODE_WORDS, np.uint64)
    return np.packbits(np.frombuffer(meaning, np.int8) > 0).view(np.uint64)


def _segment(ids: list[str], names: list[str], **columns: Any) -> Segment:
    bounds, flat, weights = columns["bounds"], columns["flat"], columns["weights"]
    rows = np.repeat(np.arange(len(ids), dtype=np.int32), np.diff(bounds))
    real = flat >= 0
    words, _ = _postings(flat[real].astype(np.int64), rows[real], weights[real])
    beside = real[:-1] & real[1:] & (rows[:-1] == rows[1:]) if len(flat) else real[:0]
    keys = (flat[:-1].astype(np.int64) << 32 | flat[1:])[beside]
    pair_keys, numbers = np.unique(keys, return_inverse=True)
    pairs, _ = _postings(numbers.astype(np.int64), rows[:-1][beside], weights[:-1][beside])
    return Segment(ids, names, **columns, words=words, pairs=pairs, pair_keys=pair_keys)


def _postings(numbers: NDArray[np.int64], rows: Numbers, weights: Weights) -> tuple[Postings, int]:
    """Numbers with their documents, each pair once with its greatest weight."""
    count = int(numbers.max()) + 1 if len(numbers) else 0
    keys = numbers << 32 | rows
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1)) if len(keys) else order[:0]
    greatest = np.maximum.reduceat(weights[order], first) if len(first) else weights[:0]
    starts = np.searchsorted(keys[first] >> 32, np.arange(count + 1))
    return Postings(starts, (keys[first] & 0xFFFFFFFF).astype(np.int32), greatest), count


def _chosen(
    bounds: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the items of chosen documents stand, and how many each has."""
    lengths = bounds[rows + 1] - bounds[rows]
    ends = np.cumsum(lengths)
    at = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(bounds[rows] - (ends - lengths), lengths)
    return at, lengths


def _bounds(lengths: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])


def _tie(asset_id: str) -> int:
    """A number by which assets that are alike otherwise have an order of their own."""
    return int.from_bytes(hashlib.blake2b(asset_id.encode(), digest_size=7).digest(), "big")
