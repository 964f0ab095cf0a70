"""What kind of thing a noun is that no list has, told by its meaning: byre is like barn, 茶寮 like 茶馆."""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from studio.text.meaning import remembered
from studio.text.terms import FOLDER

WEIGHTS = FOLDER / "senses.npz"
# Kinds that a meaning tells apart well enough.
SURE = 0.5
_REMEMBERED = 4096

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Senses:
    """Log odds of each kind: `weights` (kinds, 512) by a meaning, and `bias` (kinds,)."""

    kinds: tuple[str, ...]
    weights: Floats
    bias: Floats


@cache
def senses() -> Senses:
    """Weights of assets/lexicon/senses.npz, which `python -m tests.text.fit_senses` writes."""
    with np.load(WEIGHTS, allow_pickle=False) as file:
        weights = file["weights"].astype(np.float32)
        return Senses(tuple(map(str, file["kinds"])), weights, file["bias"].astype(np.float32))


@lru_cache(maxsize=_REMEMBERED)
def guessed_kind(noun: str) -> str:
    """The likeliest kind of a noun, or "" if none is likelier than not."""
    known = senses()
    odds = known.weights @ remembered([noun])[0] + known.bias
    best = int(odds.argmax())
    return known.kinds[best] if 1 / (1 + float(np.exp(-odds[best]))) > SURE else ""
