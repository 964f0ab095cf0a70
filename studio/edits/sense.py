"""What a wish is about by its meaning: a linear model beside the rules, for words that no list has.

It looks at the meaning of the whole, at which of our concepts are named, and at pieces of the words.
"""

import re
import zlib
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
# What a meaning, a concept and the pieces of the words count for.
MEANING, CONCEPT, PIECES = 4.0, 0.5, 4.0
BUCKETS = 2048
_THING = {"zh": "某物", "en": "athing"}
_REMEMBERED = 8192

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sense:
    """Scores of intents: `weights` (intents, features) by the features of a wish, `bias` (intents,)."""

    names: tuple[str, ...]
    weights: Floats
    bias: Floats


@cache
def sense() -> Sense:
    """Weights of assets/edits/sense.npz, which `python -m tests.edits.fit_sense` writes."""
    with np.load(WEIGHTS, allow_pickle=False) as file:
        weights = file["weights"].astype(np.float32)
        return Sense(tuple(map(str, file["names"])), weights, file["bias"].astype(np.float32))


@lru_cache(maxsize=_REMEMBERED)
def features(text: str, prompt: str) -> Floats:
    """What the model sees of a wish (tidied, without manners) about the clip of a prompt."""
    clause = Clause(text, prompt)
    named = [clause.has(concept) for concept in words()]
    named += [bool(clause.things), len(clause.things) > 1, bool(clause.somebody), clause.chinese]
    parts = (
        MEANING * meanings([text])[0],
        CONCEPT * np.array(named, np.float32),
        PIECES * _pieces(_bare(clause)),
    )
    return np.concatenate(parts).astype(np.float32)


def _bare(clause: Clause) -> str:
    """The wish without what its things are called: that tells nothing of what shall become of them."""
    text = clause.text
    for thing in sorted(clause.things, key=len, reverse=True):
        text = text.replace(thing, _THING["zh" if clause.chinese else "en"])
    return text


def _pieces(text: str) -> Floats:
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
    counted = np.zeros(BUCKETS, np.float32)
    for piece in found:
        counted[zlib.crc32(piece.encode()) % BUCKETS] += 1
    return counted / np.float32(max(1, len(found)) ** 0.5)


@lru_cache(maxsize=_REMEMBERED)
def shares(text: str, prompt: str = "") -> dict[str, float]:
    """How likely each intent is, NOTHING among them; they add up to 1."""
    known = sense()
    score = known.weights @ features(text, prompt) + known.bias
    likely = np.exp(score - score.max())
    return dict(zip(known.names, map(float, likely / likely.sum()), strict=True))
