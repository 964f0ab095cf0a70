"""Teaches meanings what is a subject and what a place: `python -m tests.text.fit_likely` writes likely.npz.

A small network for each question, on the meanings of phrase, last word and clause (studio/text/likely.py).
The cues of doers and places are weighed anew behind it (doers.toml, placing.toml): there a story is read with
networks that have read neither it nor any other of its writer. Takes a quarter of an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
import numpy.typing as npt

from studio.text import doers, places
from studio.text.fields import fields_of_story
from studio.text.likely import QUESTIONS, WEIGHTS, Asked, Learned, Question, inputs_of
from tests.text import fit_doers, fit_places
from tests.text.corpus import APART, FITTED, FOLDS, FURTHER, Annotated, annotated, fold_of

UNITS, SEEDS = 24, 3
_EPOCHS, _BATCH = 8, 128
_RATE, _DECAY = 3e-3, 0.05
_DROPPED, _HIDDEN_DROPPED = 0.4, 0.3
# A meaning has length 1; so its numbers come out about 1.
_SCALE = np.float32(22.6)

Floats = npt.NDArray[np.float32]
Nets = dict[Question, Learned]


@dataclass(frozen=True)
class Asking:
    """What was asked of a story, and what of it was right."""

    fold: int
    rows: dict[Question, list[tuple[Asked, bool]]]


def asking(story: Annotated) -> Asking:
    """Everything that is asked of meanings when this story is read."""
    rows: dict[Question, list[tuple[Asked, bool]]] = {of: [] for of in QUESTIONS}
    shots = {of: iter(story.shots) for of in QUESTIONS}

    def ask(of: Question, asked: Sequence[Asked]) -> list[float]:
        wanted = next(shots[of])[of]
        marks: Sequence[bool | None]
        if of == "subject":
            marks = fit_doers.right([doers.Candidate(phrase) for phrase, _ in asked], wanted)
        else:
            marks = fit_places.right([phrase for phrase, _ in asked], wanted)
        rows[of] += [(one, mark) for one, mark in zip(asked, marks, strict=True) if mark is not None]
        return [0.0] * len(asked)

    with patch.object(doers, "likely", ask), patch.object(places, "likely", ask):
        fields_of_story(story.text, story.spans, names=story.names)
    return Asking(fold_of(story.name), rows)


def net(x: Floats, y: Floats) -> Learned:
    """The network of these rows: a few of them side by side, whose mean counts."""
    parts = [_one(x, y, seed) for seed in range(SEEDS)]
    return Learned(
        np.hstack([part.hidden for part in parts]) * _SCALE,
        np.hstack([part.bias for part in parts]),
        np.hstack([part.out for part in parts]) / SEEDS,
        sum(part.base for part in parts) / SEEDS,
    )


def _one(x: Floats, y: Floats, seed: int) -> Learned:
    """Gradient descent with momentum of both kinds (Adam), some of what is seen left out at random."""
    rng = np.random.default_rng(seed)
    weight = [
        rng.normal(0, 0.5 / np.sqrt(x.shape[1]), (x.shape[1], UNITS)).astype(np.float32),
        np.zeros(UNITS, np.float32),
        rng.normal(0, 0.2, UNITS).astype(np.float32),
        np.zeros(1, np.float32),
    ]
    mean = [np.zeros_like(one) for one in weight]
    square = [np.zeros_like(one) for one in weight]
    step = 0
    for _ in range(_EPOCHS):
        order = rng.permutation(len(x))
        for at in range(0, len(x), _BATCH):
            step += 1
            slopes = _slopes(x[order[at : at + _BATCH]] * _SCALE, y[order[at : at + _BATCH]], weight, rng)
            for k, slope in enumerate(slopes):
                mean[k] += 0.1 * (slope - mean[k])
                square[k] += 0.001 * (slope**2 - square[k])
                size = np.sqrt(square[k] / (1 - 0.999**step)) + 1e-8
                weight[k] -= _RATE * (mean[k] / (1 - 0.9**step) / size + _DECAY * weight[k])
    return Learned(weight[0], weight[1], weight[2], float(weight[3][0]))


def _slopes(x: Floats, y: Floats, weight: Sequence[Floats], rng: np.random.Generator) -> list[Floats]:
    hidden, bias, out, base = weight
    kept = (rng.random(x.shape, np.float32) > _DROPPED) / np.float32(1 - _DROPPED)
    seen = x * kept
    units = np.maximum(seen @ hidden + bias, 0)
    left = (rng.random(units.shape, np.float32) > _HIDDEN_DROPPED) / np.float32(1 - _HIDDEN_DROPPED)
    wrong = (1 / (1 + np.exp(-(units * left) @ out - base)) - y) / np.float32(len(x))
    back = np.outer(wrong, out) * left * (units > 0)
    return [seen.T @ back, back.sum(0), (units * left).T @ wrong, wrong.sum(keepdims=True)]


def nets(asked: Sequence[Asking]) -> Nets:
    """The networks of these stories."""
    found: Nets = {}
    for of in QUESTIONS:
        rows = [(one, mark) for story in asked for one, mark in story.rows[of]]
        y = np.array([mark for _, mark in rows], np.float32)
        found[of] = net(_inputs([one for one, _ in rows]), y)
    return found


def _inputs(asked: Sequence[Asked]) -> Floats:
    return np.vstack([inputs_of(asked[at : at + 64]) for at in range(0, len(asked), 64)])


def apart(asked: Sequence[Asking]) -> dict[int, Nets]:
    """For each fold of writers the networks of the others' stories."""
    return {fold: nets([story for story in asked if story.fold != fold]) for fold in range(FOLDS)}


def main() -> None:
    """Fit and write; then weigh what builds on it."""
    asked = [asking(annotated(path)) for path in FITTED + FURTHER]
    kept: dict[str, npt.ArrayLike] = {}
    for of, found in nets(asked).items():
        kept[f"{of}_base"] = found.base
        kept |= {
            f"{of}_{part}": getattr(found, part).astype(np.float16) for part in ("hidden", "bias", "out")
        }
    np.savez_compressed(WEIGHTS, **kept)
    APART.update(apart(asked))
    fit_doers.main()
    fit_places.main()


if __name__ == "__main__":
    main()
