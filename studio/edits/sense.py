"""What a wish is about by its meaning: a small linear model beside the rules, for words that no list has."""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from studio.edits.intents import FOLDER
from studio.text.meaning import meanings

WEIGHTS = FOLDER / "sense.npz"
NOTHING = "nothing"
"""The name for what asks for nothing that could be changed."""
SCALE = 4.0
_REMEMBERED = 1024

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sense:
    """Scores of each intent: `weights` (intents, 512) by a meaning times SCALE, and `bias` (intents,)."""

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
def shares(text: str) -> dict[str, float]:
    """How likely each intent is, NOTHING among them; they add up to 1."""
    known = sense()
    score = known.weights @ (SCALE * meanings([text])[0]) + known.bias
    likely = np.exp(score - score.max())
    return dict(zip(known.names, map(float, likely / likely.sum()), strict=True))
