"""Weighs the cues of places: `python -m tests.text.fit_places` writes assets/lexicon/placing.toml.

Logistic regression with a small penalty, by Newton's method: for a phrase being a place of the picture, and
for a place of the shots before holding on. Prints the set F1 that each fold of writers reaches with the
weights of the others, and that all reach with those of all. What meanings say is best learnt before:
`python -m tests.text.fit_likely` runs this, too.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt

from studio.text import fields, places
from studio.text.belief import Belief, placed
from studio.text.places import Scenery, Shown, Weights, held_cues, named_cues, named_in
from studio.text.terms import FOLDER
from tests.text.corpus import FITTED, FOLDS, FURTHER, annotated, fold_of, matches, plain, score, unread

FILE = FOLDER / "placing.toml"
NAMED_PENALTY = 8.0
HELD_PENALTY = 8.0
_STEPS = 6
_INNER_STEPS = 30
_SMALL = 1e-4
_INNER = 3
_ROUNDS = 1
# Cues that fewer phrases have are left out.
_RARE = 5
# Below even odds: a place less costs more than one too much when few are named.
NAMED_BIAS = 0.2
HELD_BIAS = 0.3

Vector = npt.NDArray[np.float64]
Row = tuple[Mapping[str, float], bool]


@dataclass(frozen=True)
class PlacedStory:
    """A story, shot by shot: what it says of its places, and the right ones."""

    name: str
    language: str
    sceneries: list[Scenery]
    gold: list[list[str]]
    subjects: list[tuple[str, ...]]


def told(path: Path) -> PlacedStory:
    """An annotated story as the fields read it."""
    story = annotated(path)
    kept: list[Scenery] = []

    def keep(scenery: Scenery, believed: Belief) -> tuple[tuple[str, ...], Belief]:
        kept.append(scenery)
        return placed(scenery, believed)

    with patch.object(fields, "placed", keep), unread(story.name):
        fields.fields_of_story(story.text, story.spans, names=story.names)
    gold = [shot["environment"] for shot in story.shots]
    return PlacedStory(story.name, story.language, kept, gold, [one.subjects for one in kept])


def right(found: Sequence[str], wanted: Sequence[str]) -> list[bool | None]:
    """Which phrases are wanted; None: says the same as one that says it better."""
    marks: list[bool | None] = [False] * len(found)
    for gold in wanted:
        meant = plain(gold)
        fits = [
            k
            for k, one in enumerate(found)
            if marks[k] is False and (plain(one) in meant or meant in plain(one))
        ]
        if fits:
            best = min(fits, key=lambda k: (abs(len(plain(found[k])) - len(meant)), k))
            for k in fits:
                marks[k] = True if k == best or plain(found[k]) == plain(found[best]) else None
    return marks


def fit(rows: Sequence[Row], penalty: float) -> dict[str, float]:
    """The weights by which right ones come out best."""
    often = Counter(name for cues, _ in rows for name, value in cues.items() if value)
    names = sorted(name for name, times in often.items() if times >= _RARE)
    at = {name: k + 1 for k, name in enumerate(names)}
    cells = [
        [(0, 1.0), *((at[name], value) for name, value in cues.items() if value and name in at)]
        for cues, _ in rows
    ]
    counts = np.array([len(row) for row in cells])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    column = np.array([k for row in cells for k, _ in row])
    value = np.array([v for row in cells for _, v in row])
    y = np.array([mark for _, mark in rows], dtype=float)
    ridge = np.array([0.01] + [penalty] * len(names))

    def times(w: Vector) -> Vector:
        return np.add.reduceat(value * w[column], starts)

    def back(v: Vector) -> Vector:
        return np.bincount(column, value * np.repeat(v, counts), len(ridge))

    weight = np.zeros(len(ridge))
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-times(weight)))
        curve = p * (1 - p)
        scale = 1 / (np.bincount(column, value * value * np.repeat(curve, counts), len(ridge)) + ridge)
        slope = back(p - y) + ridge * weight
        weight -= _solved(lambda w, c=curve: back(c * times(w)) + ridge * w, slope, scale)
    return dict(zip(["bias", *names], map(float, weight), strict=True))


def _solved(bent: Callable[[Vector], Vector], slope: Vector, scale: Vector) -> Vector:
    """Newton's step by conjugate gradients: the matrix of all pairs of cues would be large."""
    step, rest = np.zeros_like(slope), slope.copy()
    way = scale * rest
    size = float(rest @ way)
    for _ in range(_INNER_STEPS):
        turned = bent(way)
        far = size / float(way @ turned)
        step += far * way
        rest -= far * turned
        new = float(rest @ (scale * rest))
        if new < _SMALL:
            break
        way, size = scale * rest + new / size * way, new
    return step


def named_rows(story: PlacedStory) -> list[Row]:
    """Cues of every phrase after the right places before, and whether it is one."""
    rows: list[Row] = []
    past: list[Shown] = []
    for scenery, gold in zip(story.sceneries, story.gold, strict=True):
        found = named_cues(scenery, past)
        marks = right([mention.phrase for mention, _ in found], gold)
        rows += [(cues, mark) for (_, cues), mark in zip(found, marks, strict=True) if mark is not None]
        past.append(Shown(tuple(gold), scenery.subjects))
    return rows


def held_rows(story: PlacedStory, named: Mapping[str, float], own: Weights | None = None) -> list[Row]:
    """Cues of every place that may hold on, after what was right before (`own`: what was found by these)."""
    rows: list[Row] = []
    past: list[Shown] = []
    believed = Belief()
    for scenery, gold in zip(story.sceneries, story.gold, strict=True):
        mentioned = named_in(scenery, past, named)
        here = [one.phrase for one in mentioned if one.sure > 0.5]
        offered = [one for one in held_cues(scenery, past, mentioned) if not places.is_within(one[0], here)]
        left = [one for one, mark in zip(gold, right(gold, here), strict=True) if mark is False]
        marks = right([place for place, _ in offered], left)
        rows += [(cues, mark) for (_, cues), mark in zip(offered, marks, strict=True) if mark is not None]
        found = tuple(gold)
        if own is not None:
            found, believed = placed(scenery, believed, own)
        past.append(Shown(found, scenery.subjects))
    return rows


def weighed(stories: Sequence[PlacedStory]) -> Weights:
    """Both weights, the second fitted on what the first finds in stories that it was not fitted on."""
    by_story = [named_rows(story) for story in stories]
    named = _named([row for rows in by_story for row in rows])
    apart = []
    for fold in range(_INNER):
        kept = _named([row for k, rows in enumerate(by_story) if k % _INNER != fold for row in rows])
        apart += [(story, kept) for story in stories[fold::_INNER]]
    rows = [row for story, kept in apart for row in held_rows(story, kept)]
    held = fit(rows, HELD_PENALTY)
    for _ in range(_ROUNDS):
        own = [row for story, kept in apart for row in held_rows(story, kept, Weights(kept, held))]
        held = fit(rows + own, HELD_PENALTY)
    held["bias"] += HELD_BIAS
    return Weights(named, held)


def _named(rows: Sequence[Row]) -> dict[str, float]:
    weight = fit(rows, NAMED_PENALTY)
    weight["bias"] += NAMED_BIAS
    return weight


def counts(story: PlacedStory, weight: Weights) -> tuple[int, int, int]:
    """(right, found, wanted) of a story."""
    believed = Belief()
    hits = found = wanted = 0
    for scenery, gold in zip(story.sceneries, story.gold, strict=True):
        mine, believed = placed(scenery, believed, weight)
        hits, found, wanted = hits + matches(mine, gold), found + len(mine), wanted + len(gold)
    return hits, found, wanted


def main() -> None:
    """Fit, report, write."""
    stories = [told(path) for path in sorted(FITTED + FURTHER, key=lambda path: path.stem)]
    by_fold: list[tuple[PlacedStory, tuple[int, int, int]]] = []
    for fold in range(FOLDS):
        weight = weighed([story for story in stories if fold_of(story.name) != fold])
        by_fold += [(story, counts(story, weight)) for story in stories if fold_of(story.name) == fold]
    print("each fold of writers by the others:", score([one for _, one in by_fold]))
    for language in ("zh", "en", "mixed"):
        print(f"  {language}:", score([one for story, one in by_fold if story.language == language]))
    weight = weighed(stories)
    print("all by all:", score([counts(story, weight) for story in stories]))
    if "--try" in sys.argv:
        return
    head = "# How strongly each cue (studio/text/places.py) speaks for a phrase being a place of a shot\n"
    head += "# and for a place of the shots before holding on: log odds.\n"
    head += "# Written by `python -m tests.text.fit_places`: change what a cue means, not what it weighs.\n"
    FILE.write_text(head + _part("named", weight.named) + _part("held", weight.held), encoding="utf-8")


def _part(name: str, weight: Mapping[str, float]) -> str:
    lines = [f'"{cue}" = {value:.2f}' for cue, value in sorted(weight.items(), key=lambda entry: entry[1])]
    return f"\n[{name}]\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
