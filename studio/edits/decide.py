"""The rules and the meaning of a wish, weighed against each other; where none is sure, one asks back."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from studio.edits.intents import FOLDER
from studio.edits.sense import NOTHING, sense

WEIGHTS = FOLDER / "decide.npz"
# From scores to shares: how much the best stands out.
_SHARPNESS = 10.0
_FIRST, _GUESSES = 3, 3

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Heard:
    """A wish or a part of it: which intents the rules read, and the score of each by its meaning."""

    ruled: tuple[str, ...]
    scores: tuple[float, ...]

    def shares(self) -> Floats:
        """How likely each intent is; they add up to 1."""
        scores = np.array(self.scores)
        likely = np.exp(_SHARPNESS * (scores - scores.max()))
        return np.asarray(likely / likely.sum())

    @property
    def best(self) -> str:
        """The likeliest by its meaning."""
        return sense().names[int(np.argmax(self.scores))]


@dataclass(frozen=True)
class Said:
    """A wish as a whole, in its parts between signs, and in what stands around "and" within them."""

    whole: Heard
    parts: Sequence[Heard]
    finer: Sequence[Heard]


@cache
def _weights() -> Floats:
    with np.load(WEIGHTS, allow_pickle=False) as file:
        return np.asarray(file["weights"], np.float64)


def decided(said: Said) -> tuple[str, ...]:
    """The intents of a wish, the surest first; none where it asks for nothing, or nothing sure is meant."""
    names = candidates(said)
    sure = 1 / (1 + np.exp(-(cues(said, names) @ _weights())))
    order = sorted(range(len(names)), key=lambda at: -sure[at])
    if names[order[0]] == NOTHING:
        return ()
    more = (at for at in order[1:] if sure[at] > 0.5 and names[at] != NOTHING)
    return (names[order[0]], *(names[at] for at in more))


def candidates(said: Said) -> tuple[str, ...]:
    """What may be meant at all: the likeliest of the whole, of each part, and what a rule reads."""
    known, order = sense().names, np.argsort(said.whole.scores)[::-1]
    found = [known[at] for at in order[:_FIRST]]
    for heard in (said.whole, *said.parts, *said.finer):
        found += [heard.best, *heard.ruled]
    return tuple(dict.fromkeys(found))


def cues(said: Said, names: Sequence[str]) -> Floats:
    """What speaks for each of `names` (names, cues), weighed by `_weights`."""
    known = {name: at for at, name in enumerate(sense().names)}
    scores, shares = np.array(said.whole.scores), said.whole.shares()
    ranked = np.argsort(scores)[::-1]
    parts = np.array([part.shares() for part in said.parts])
    finer = np.array([part.shares() for part in said.finer])
    several, split = float(len(parts) > 1), float(len(finer) > len(parts))
    rows = []
    for name in names:
        at = known[name]
        score, share, nothing = scores[at], shares[at], float(name == NOTHING)
        best = float(any(part.best == name for part in said.parts))
        best_finer = float(any(part.best == name for part in said.finer))
        first, second = float(ranked[0] == at), float(ranked[1] == at)
        ruled = float(name in said.whole.ruled)
        part, fine = parts[:, at].max(), finer[:, at].max()
        rows.append(
            [
                *(1.0, score, share, first, second, part, best, fine, best_finer),
                *(ruled, any(name in one.ruled for one in said.parts), not said.whole.ruled),
                *(several, split, scores[known[NOTHING]], nothing, scores[ranked[0]] - score),
                *(scores[ranked[0]], second * several, best * several, best * first, best_finer * split),
                *(best * score, part * several, fine * split, ruled * score, nothing * score),
                *(nothing * first, nothing * several, several * score, several * part),
            ]
        )
    return np.array(rows, np.float64)


def guesses(heard: Heard) -> tuple[str, ...]:
    """What may be meant, the likeliest first: for the question back."""
    names = [sense().names[at] for at in np.argsort(heard.scores)[::-1]]
    return tuple(name for name in names if name != NOTHING)[:_GUESSES]
