"""Weighs the cues of doers: `python -m tests.text.fit_doers` writes assets/lexicon/doers.toml.

Logistic regression with a small penalty, by Newton's method, on the candidates of each shot; what is right
of a shot stands in the annotated stories. The shots before count as they are found with the weights so far,
so it is fitted twice. Prints the set F1 of subjects that each fifth of the stories reaches by the weights of
the others.
"""

import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np

from studio.text import antecedents, doers, fields
from studio.text.antecedents import Candidate
from studio.text.characters import find_characters
from studio.text.terms import FOLDER, table
from tests.text.test_fields import _matches, _plain

FOLDERS = [Path(__file__).parent / "stories" / part for part in ("dev", "check")]
STORIES = sorted(path for folder in FOLDERS for path in folder.glob("*.toml"))
FILE = FOLDER / "doers.toml"
PENALTY = 1.0
_STEPS = 12
_FOLDS = 5
# Log odds at which a candidate is kept: a set's F1 is best below even odds.
_BELOW_EVEN = 0.1
# A woman is no "he", though few stories here are there to tell.
_PRIOR = {"differs": -3.0}


@dataclass(frozen=True)
class Told:
    """A story: its text, where its shots are, its names, and the subjects of each."""

    text: str
    spans: list[tuple[int, int]]
    names: list[str]
    subjects: list[list[str]]


def told(path: Path) -> Told:
    """An annotated story."""
    story = tomllib.loads(path.read_text(encoding="utf-8"))
    before, *shots = story["text"].split("||")
    starts = [len(before) + sum(map(len, shots[:k])) for k in range(len(shots) + 1)]
    text = before + "".join(shots)
    names = [name for one in find_characters(text, shots) for name in (one.name, *one.aliases)]
    return Told(text, list(pairwise(starts)), names, [shot["subject"] for shot in story["shots"]])


def seen(story: Told, weight: Mapping[str, float]) -> list[list[Candidate]]:
    """The candidates of each shot, after the shots before as these weights read them."""
    kept: list[list[Candidate]] = []
    choose = doers.chosen

    def keep(found: Sequence[Candidate], _: Mapping[str, float]) -> list[str]:
        kept.append(list(found))
        return choose(found, weight)

    with patch.object(doers, "chosen", keep):
        fields.fields_of_story(story.text, story.spans, names=story.names)
    return kept


def pointed(story: Told) -> list[tuple[Mapping[str, float], bool]]:
    """Cues of all whom the pronouns of a story may mean, and whether the shot is about them."""
    rows: list[tuple[Mapping[str, float], bool]] = []
    asked: list[list[Candidate]] = []
    choose, best = doers.chosen, antecedents._best
    gold = iter(story.subjects)

    def ask(found: Sequence[Candidate], weight: Mapping[str, float]) -> list[str]:
        asked.append(list(found))
        return best(found, weight)

    def keep(found: Sequence[Candidate], weight: Mapping[str, float]) -> list[str]:
        wanted = next(gold)
        for many in asked:
            marks = right(many, wanted)
            if sum(marks) == 1:
                rows.extend((one.cues, mark) for one, mark in zip(many, marks, strict=True))
        asked.clear()
        return choose(found, weight)

    with patch.object(doers, "chosen", keep), patch.object(antecedents, "_best", ask):
        fields.fields_of_story(story.text, story.spans, names=story.names)
    return rows


def right(found: Sequence[Candidate], wanted: Sequence[str]) -> list[bool]:
    """Which candidates are wanted; of two that mean the same, the one that says it best."""
    left = list(wanted)
    marks = [False] * len(found)
    for test in (lambda a, b: a == b, lambda a, b: a in b or b in a):
        for k, one in enumerate(found):
            gold = next((g for g in left if test(_plain(one.word), _plain(g))), None)
            if gold is not None and not marks[k]:
                marks[k] = True
                left.remove(gold)
    return marks


def fit(
    rows: Sequence[tuple[Mapping[str, float], bool]], prior: Mapping[str, float] = {}
) -> dict[str, float]:
    """The weights by which right candidates come out best; `prior` holds for want of stories that tell."""
    names = sorted({name for cues, _ in rows for name in cues})
    x = np.array([[1.0, *(cues.get(name, 0.0) for name in names)] for cues, _ in rows])
    y = np.array([mark for _, mark in rows], dtype=float)
    penalty = np.diag([0.01] + [PENALTY] * len(names))
    weight = middle = np.array([0.0, *(prior.get(name, 0.0) for name in names)])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-x @ weight))
        curve = (x * (p * (1 - p))[:, None]).T @ x + penalty
        weight = weight - np.linalg.solve(curve, x.T @ (p - y) + penalty @ (weight - middle))
    weight[0] += _BELOW_EVEN
    return dict(zip(["bias", *names], map(float, weight), strict=True))


def rows_of(stories: Sequence[Told], weight: Mapping[str, float]) -> list[tuple[Mapping[str, float], bool]]:
    """Cues and mark of every candidate of these stories."""
    found = []
    for story in stories:
        for shot, wanted in zip(seen(story, weight), story.subjects, strict=True):
            marks = right(shot, wanted)
            found += [(one.cues, mark) for one, mark in zip(shot, marks, strict=True)]
    return found


def f1(stories: Sequence[Told], weight: Mapping[str, float]) -> tuple[int, int, int]:
    """(right, found, wanted) over all shots."""
    hits = found = wanted = 0
    for story in stories:
        for shot, gold in zip(seen(story, weight), story.subjects, strict=True):
            mine = tuple(doers.chosen(shot, weight))
            hits += _matches(mine, gold)
            found, wanted = found + len(mine), wanted + len(gold)
    return hits, found, wanted


def _score(counts: Sequence[tuple[int, int, int]]) -> str:
    hits, found, wanted = (sum(part) for part in zip(*counts, strict=True))
    return f"F1 {2 * hits / (found + wanted):.3f} P {hits / found:.3f} R {hits / wanted:.3f}"


def main() -> None:
    """Fit, report, write."""
    stories = [told(path) for path in STORIES]
    weight: Mapping[str, float] = doers.weights()
    meant = {"bias": 0.0, **fit([row for story in stories for row in pointed(story)], _PRIOR)}
    table("doers")["antecedents"].update(meant)
    for _ in range(2):
        by_story = [rows_of([story], weight) for story in stories]
        weight = fit([row for rows in by_story for row in rows])
    possible = sum(mark for rows in by_story for _, mark in rows)
    print(f"among the candidates: {possible / sum(len(g) for s in stories for g in s.subjects):.3f}")
    if "--quick" not in sys.argv:
        counts = []
        for fold in range(_FOLDS):
            known = [row for k, rows in enumerate(by_story) if k % _FOLDS != fold for row in rows]
            counts.append(f1(stories[fold::_FOLDS], fit(known)))
        print("each fifth by the others:", _score(counts))
    print("all by all:", _score([f1(stories, weight)]))
    head = "# How strongly each cue speaks for a subject of a shot (studio/text/doers.py), or for what a\n"
    head += "# pronoun means (studio/text/antecedents.py), or against it: log odds.\n"
    head += "# Written by `python -m tests.text.fit_doers`: change what a cue means, not what it weighs.\n"
    parts = [_part("weights", weight), _part("antecedents", meant)]
    FILE.write_text(head + "".join(parts), encoding="utf-8")


def _part(name: str, weight: Mapping[str, float]) -> str:
    lines = [f"{cue} = {value:.2f}" for cue, value in sorted(weight.items(), key=lambda entry: entry[1])]
    return f"\n[{name}]\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
