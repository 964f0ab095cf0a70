"""Teaches wishes their intents: `python -m tests.edits.fit_sense` writes sense.npz and decide.npz.

Kernel ridge regression on the features of our own phrasings and of those that other people wrote
(people_*.toml), then a logistic model of how many and which intents stand in a wish, over scores that were
made without the wish's author. Prints how often the whole reading is right for each group of people left out.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import numpy.typing as npt

from studio.edits import decide, reading, sense
from studio.edits.decide import Heard, Said, candidates, cues, decided
from studio.edits.intents import intents
from studio.edits.reading import hear
from studio.edits.sense import NOTHING, Features, Sense, features, likeness, sense_of

HERE = Path(__file__).resolve().parent
OWN = ("wishes.toml", "voices.toml")
PEOPLE = tuple(sorted(path.name for path in HERE.glob("people_*.toml")))
NAMES = (*intents(), NOTHING)
# What likeness is worth beside chance (kernel ridge), and what keeps the weights of the cues small.
RIDGE, SMALL = 0.2, 3.0
# People are left out in groups: each model takes half a minute.
GROUPS = 5

Floats = npt.NDArray[np.float64]


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


@dataclass(frozen=True)
class Taken:
    """A phrasing taken apart: the clauses of its whole, parts and finer parts, by number, and the rules'."""

    row: Phrasing
    whole: int
    parts: tuple[int, ...]
    finer: tuple[int, ...]


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


class Seen:
    """Every clause of many phrasings once: its features, and the intents that the rules read in it."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str], int] = {}
        self.rows: list[Features] = []
        self.ruled: list[tuple[str, ...]] = []

    def take(self, row: Phrasing) -> Taken | None:
        """A phrasing, taken apart; None if there are no words in it."""
        nothing_known = (0.0,) * len(NAMES)
        with mock.patch.object(reading, "scores", return_value=nothing_known):
            heard = hear(row.text, row.prompt)
        if heard is None:
            return None
        said, clauses = heard
        numbers = []
        for clause, one in zip(clauses, (*said.parts, *said.finer, said.whole), strict=True):
            key = (clause.text, clause.prompt)
            if key not in self.numbers:
                self.numbers[key] = len(self.rows)
                self.rows.append(features(*key))
                self.ruled.append(one.ruled)
            numbers.append(self.numbers[key])
        parts = len(said.parts)
        return Taken(row, numbers[-1], tuple(numbers[:parts]), tuple(numbers[parts:-1]))

    def features(self, numbers: npt.ArrayLike) -> Features:
        """The features of some clauses."""
        chosen = [self.rows[number] for number in np.asarray(numbers)]
        joined = [np.vstack([getattr(row, name) for row in chosen]) for name in Features.__annotations__]
        return Features(*joined)

    def said(self, taken: Taken, scores: dict[int, tuple[float, ...]]) -> Said:
        """A phrasing as it is heard with these scores of its clauses."""

        def heard(number: int) -> Heard:
            return Heard(self.ruled[number], scores[number])

        parts, finer = map(heard, taken.parts), map(heard, taken.finer)
        return Said(heard(taken.whole), list(parts), list(finer))


def fitted(seen: Seen, rows: list[Taken]) -> Sense:
    """The model of these phrasings as wholes."""
    wishes = seen.features([row.whole for row in rows])
    wanted = np.array([_shares(row.row.intents) for row in rows])
    empty = sense_of(NAMES, wishes, np.zeros((len(rows), len(NAMES)), np.float32), np.zeros(1, np.float32))
    near = likeness(empty, wishes).astype(np.float64)
    near[np.diag_indices_from(near)] += RIDGE
    mean = wanted.mean(0)
    weights = np.linalg.solve(near, wanted - mean)
    return sense_of(NAMES, wishes, weights.astype(np.float32), mean.astype(np.float32))


def scored(seen: Seen, model: Sense, rows: list[Taken]) -> dict[int, tuple[float, ...]]:
    """The scores of all clauses of these phrasings."""
    numbers = sorted({number for row in rows for number in (row.whole, *row.parts, *row.finer)})
    found = likeness(model, seen.features(numbers)) @ model.weights + model.bias
    return {number: tuple(map(float, row)) for number, row in zip(numbers, found, strict=True)}


def _shares(wanted: tuple[str, ...]) -> list[float]:
    names = set(wanted) or {NOTHING}
    return [(name in names) / len(names) for name in NAMES]


def weighed(heard: list[tuple[Phrasing, Said]]) -> Floats:
    """What each cue counts: logistic regression; what may be read as well counts neither way."""
    told, truth = [], []
    for row, said in heard:
        names = candidates(said)
        for name, cue in zip(names, cues(said, names), strict=True):
            if name in row.intents or name not in row.also:
                told.append(cue)
                truth.append(name in (row.intents or (NOTHING,)))
    x, y = np.array(told), np.array(truth, np.float64)
    spread = np.maximum(x.std(0), 1e-3)
    spread[0] = 1.0
    x = x / spread
    weights = np.zeros(x.shape[1])
    for _ in range(30):
        share = 1 / (1 + np.exp(-x @ weights))
        slope = (x * (share * (1 - share))[:, None]).T @ x + SMALL * np.eye(len(weights))
        weights -= np.linalg.solve(slope, x.T @ (share - y) + SMALL * weights)
    return np.asarray(weights / spread)


def right(weights: Floats, heard: list[tuple[Phrasing, Said]]) -> float:
    """The share that is read rightly with these weights of the cues."""
    with mock.patch.object(decide, "_weights", return_value=weights):
        return float(np.mean([row.right(decided(said)) for row, said in heard]))


def main() -> None:
    """Fit, report, write."""
    seen = Seen()
    own = [taken for row in ours() if (taken := seen.take(row))]
    others = {name: [taken for row in people(name) if (taken := seen.take(row))] for name in PEOPLE}
    only_names = mock.Mock(names=NAMES)
    with mock.patch.object(decide, "sense", return_value=only_names):
        heard: dict[str, list[tuple[Phrasing, Said]]] = {}
        for group in range(GROUPS):
            known = [row for at, name in enumerate(PEOPLE) if at % GROUPS != group for row in others[name]]
            model = fitted(seen, own + known)
            for name in PEOPLE[group::GROUPS]:
                scores = scored(seen, model, others[name])
                heard[name] = [(row.row, seen.said(row, scores)) for row in others[name]]
        for name in PEOPLE:
            rest = [one for other in PEOPLE if other != name for one in heard[other]]
            print(f"{name} left out: {right(weighed(rest), heard[name]):.3f}", flush=True)
        weights = weighed([one for name in PEOPLE for one in heard[name]])
    rows = own + [row for name in PEOPLE for row in others[name]]
    model, wishes = fitted(seen, rows), seen.features([row.whole for row in rows])
    kept = {name: getattr(wishes, name) for name in Features.__annotations__}
    kept |= {"weights": model.weights.astype(np.float16), "bias": model.bias.astype(np.float32)}
    np.savez_compressed(sense.WEIGHTS, names=np.array(NAMES), **kept)
    np.savez_compressed(decide.WEIGHTS, weights=weights)


if __name__ == "__main__":
    main()
