"""What a wish is about by its meaning, beside the rules: how near it is to the wishes that people labelled.

It looks at the meaning of the whole, at which of our concepts are named, and at pieces of the words.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from studio.edits.clauses import Clause
from studio.edits.concepts import words
from studio.edits.intents import FOLDER
from studio.text.language import HAN
from studio.text.meaning import meanings

WEIGHTS = FOLDER / "sense.npz"
NOTHING = "nothing"
"""The name for what asks for nothing that could be changed."""
# What a meaning, a concept and the pieces of the words count for, and how fast likeness falls with distance.
MEANING, CONCEPT, PIECES = 4.8, 0.5, 4.8
LIKENESS = 0.012
BUCKETS = 2048
_THING = {"zh": "某物", "en": "athing"}
_REMEMBERED = 8192
# A meaning is kept in whole steps of 1/127.
_STEPS = 127.0

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """What is looked at of wishes: meanings (n, 512), concepts (n, k) of 0 or 1, pieces (n, buckets)."""

    meanings: npt.NDArray[np.int8]
    concepts: npt.NDArray[np.uint8]
    pieces: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Sense:
    """Gaussian kernel ridge regression over labelled wishes.

    `weights` (wishes, names) and `bias` (names,) were fitted; the rest is made of the wishes' features.
    """

    names: tuple[str, ...]
    dense: Floats
    pieces: npt.NDArray[np.uint8]
    rarity: Floats
    lengths: Floats
    weights: Floats
    bias: Floats

    def scores(self, wish: Features) -> Floats:
        """About the share of each intent in one wish (names,), NOTHING among them."""
        near: Floats = likeness(self, wish)[0] @ self.weights + self.bias
        return near


def likeness(known: Sense, wishes: Features) -> Floats:
    """How near wishes are to each of the labelled ones, 0 to 1 (n, wishes)."""
    dense, rarity = _dense(wishes), _rarity(wishes)
    product = dense @ known.dense.T
    for row, counted in enumerate(wishes.pieces):
        there = np.flatnonzero(counted)
        shared = counted[there].astype(np.float32) @ known.pieces[there].astype(np.float32)
        product[row] += rarity[row] * known.rarity * shared
    distance = _lengths(wishes, dense, rarity)[:, None] + known.lengths - 2 * product
    return np.exp(-LIKENESS * np.maximum(0, distance)).astype(np.float32)


def sense_of(names: Sequence[str], wishes: Features, weights: Floats, bias: Floats) -> Sense:
    """The model of labelled wishes."""
    dense, rarity = _dense(wishes), _rarity(wishes)
    turned = np.ascontiguousarray(wishes.pieces.T)
    return Sense(tuple(names), dense, turned, rarity, _lengths(wishes, dense, rarity), weights, bias)


def _dense(wishes: Features) -> Floats:
    meaning = wishes.meanings.astype(np.float32) * np.float32(MEANING / _STEPS)
    return np.hstack([meaning, wishes.concepts.astype(np.float32) * np.float32(CONCEPT)])


def _rarity(wishes: Features) -> Floats:
    """What one piece counts: the less, the more there are."""
    found = np.maximum(1, wishes.pieces.sum(1, dtype=np.float32))
    return np.asarray(PIECES / np.sqrt(found), np.float32)


def _lengths(wishes: Features, dense: Floats, rarity: Floats) -> Floats:
    squares = np.square(wishes.pieces.astype(np.float32)).sum(1)
    return np.asarray(np.square(dense).sum(1) + rarity**2 * squares, np.float32)


@cache
def sense() -> Sense:
    """The model of assets/edits/sense.npz, which `python -m tests.edits.fit_sense` writes."""
    with np.load(WEIGHTS, allow_pickle=False) as file:
        wishes = Features(file["meanings"], file["concepts"], file["pieces"])
        weights, bias = file["weights"].astype(np.float32), file["bias"].astype(np.float32)
        return sense_of(tuple(map(str, file["names"])), wishes, weights, bias)


def features(text: str, prompt: str) -> Features:
    """What the model sees of a wish (tidied, without manners) about the clip of a prompt: one row."""
    clause = Clause(text, prompt)
    named = [clause.has(concept) for concept in words()]
    named += [bool(clause.things), len(clause.things) > 1, bool(clause.somebody), clause.chinese]
    return Features(
        np.round(meanings([text]) * _STEPS).astype(np.int8),
        np.array([named], np.uint8),
        _pieces(_bare(clause))[None],
    )


def _bare(clause: Clause) -> str:
    """The wish without what its things are called: that tells nothing of what shall become of them."""
    text = clause.text
    for thing in sorted(clause.things, key=len, reverse=True):
        text = text.replace(thing, _THING["zh" if clause.chinese else "en"])
    return text


def _pieces(text: str) -> npt.NDArray[np.uint8]:
    """Which runs of one to three Chinese characters, words, pairs of words and parts of words there are."""
    found: set[str] = set()
    for run in re.findall(rf"[{HAN}]+", text):
        signs = f"^{run}$"
        found.update(signs[at : at + size] for size in (1, 2, 3) for at in range(len(signs) - size + 1))
    latin = re.findall(r"[a-z0-9']+", text)
    found.update(latin)
    found.update(f"{one} {other}" for one, other in pairwise(latin))
    for word in (f"<{one}>" for one in latin):
        found.update(word[at : at + 4] for at in range(len(word) - 3))
    counted = np.bincount([zlib.crc32(piece.encode()) % BUCKETS for piece in found], minlength=BUCKETS)
    return np.minimum(counted, 255).astype(np.uint8)


@lru_cache(maxsize=_REMEMBERED)
def scores(text: str, prompt: str = "") -> tuple[float, ...]:
    """About the share of each intent of `sense().names` in a wish; NOTHING is among them."""
    return tuple(map(float, sense().scores(features(text, prompt))))
