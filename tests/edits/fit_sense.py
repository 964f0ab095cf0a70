"""Teaches wishes their intents: `python -m tests.edits.fit_sense` writes assets/edits/sense.npz.

Ridge regression on the features of our own phrasings and of those that other people wrote (people_*.toml).
Prints for each of them how often the whole reading is right where all of that person's are left out.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import numpy.typing as npt

from studio.edits import read_edit, sense
from studio.edits.clauses import tidy, without_manners
from studio.edits.intents import intents
from studio.edits.reading import pieces_of
from studio.edits.sense import NOTHING, WEIGHTS, Sense, features
from studio.edits.typos import mended

HERE = Path(__file__).resolve().parent
OWN = ("wishes.toml", "voices.toml")
PEOPLE = tuple(sorted(path.name for path in HERE.glob("people_*.toml")))
NAMES = (*intents(), NOTHING)
PENALTY, SHARPNESS = 25.0, 24.0
# What a phrasing of somebody else, and a piece of one, count beside one of ours.
OTHERS, PIECE = 1.5, 0.6

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Phrasing:
    """A wish about the clip of a prompt; `also`: what may be read besides. No intents: it is asked back."""

    text: str
    prompt: str
    intents: tuple[str, ...]
    also: tuple[str, ...] = ()

    def right(self, found: tuple[str, ...]) -> bool:
        """Whether a reading with these intents is right."""
        allowed = {*self.intents, *self.also}
        whole = set(self.intents) <= set(found) or len(found) >= len(self.intents)
        return (not found) == (not self.intents) and set(found) <= allowed and whole


def ours() -> list[Phrasing]:
    """What stands in the table of intents, and our own phrasings of single wishes."""
    rows = [Phrasing(text, "", (name,)) for name, row in intents().items() for text in (*row.zh, *row.en)]
    for name in OWN:
        for intent, row in tomllib.loads((HERE / name).read_text(encoding="utf-8")).items():
            if isinstance(row, dict):
                wanted = () if intent == "unknown" else (intent,)
                rows += [Phrasing(text, "", wanted) for script in ("zh", "en") for text in row[script]]
    return rows


def people(name: str) -> list[Phrasing]:
    """The phrasings of somebody who had not seen the rules."""
    rows = tomllib.loads((HERE / name).read_text(encoding="utf-8"))["phrasing"]
    return [
        Phrasing(row["text"], row["prompt"], tuple(row["intents"]), tuple(row.get("also", ())))
        for row in rows
    ]


def ridge(x: Floats, y: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weights (features, intents) and bias (intents,) of the least squares with PENALTY."""
    middle, mean, root = x.mean(0), y.mean(0), np.sqrt(weight)[:, None]
    around, wanted = (x - middle) * root, (y - mean) * root
    near = around @ around.T
    near[np.diag_indices_from(near)] += PENALTY
    weights = around.T @ np.linalg.solve(near, wanted)
    return weights, mean - middle @ weights


def fitted(own: list[Phrasing], others: list[Phrasing]) -> Sense:
    """The model of these phrasings; what pieces of a longer one are is guessed by a first model of wholes."""
    rows = own + others
    x = np.array([features(_plain(row.text, row.prompt), row.prompt) for row in rows])
    y = np.array([_shares(row.intents) for row in rows], np.float32)
    weight = np.array([1.0] * len(own) + [OTHERS] * len(others), np.float32)
    weights, bias = ridge(x, y, weight)
    parted = [(row, pieces_of(mended(tidy(row.text), row.prompt))) for row in others]
    pieces = [(row, piece) for row, said in parted if len(said) > 1 for piece in said]
    if pieces:
        more = np.array([features(piece, row.prompt) for row, piece in pieces])
        may_be = np.array([[name in (*row.intents, NOTHING) for name in NAMES] for row, _ in pieces])
        score = np.where(may_be, SHARPNESS * (more @ weights + bias) / 2, -np.inf)
        share = np.exp(score - score.max(1, keepdims=True))
        y = np.vstack([y, share / share.sum(1, keepdims=True)])
        weight = np.append(weight, np.full(len(pieces), PIECE, np.float32))
        weights, bias = ridge(np.vstack([x, more]), y, weight)
    return Sense(NAMES, (SHARPNESS * weights.T).astype(np.float32), (SHARPNESS * bias).astype(np.float32))


def _plain(text: str, prompt: str) -> str:
    return without_manners(mended(tidy(text), prompt)) or text


def _shares(wanted: tuple[str, ...]) -> list[float]:
    names = wanted or (NOTHING,)
    return [(name in names) / len(names) for name in NAMES]


def right(model: Sense, rows: list[Phrasing]) -> float:
    """The share that is read rightly with a model."""
    sense.shares.cache_clear()
    with mock.patch.object(sense, "sense", return_value=model):
        found = [row.right(read_edit(row.text, prompt=row.prompt).intents) for row in rows]
    sense.shares.cache_clear()
    return sum(found) / len(found)


def main() -> None:
    """Fit, report, write."""
    own, others = ours(), {name: people(name) for name in PEOPLE}
    for left_out, rows in others.items():
        known = [row for name, found in others.items() if name != left_out for row in found]
        print(f"{left_out} left out: {right(fitted(own, known), rows):.3f}")
    model = fitted(own, [row for found in others.values() for row in found])
    kept = {"weights": model.weights.astype(np.float16), "bias": model.bias.astype(np.float16)}
    np.savez_compressed(WEIGHTS, names=np.array(NAMES), **kept)


if __name__ == "__main__":
    main()
