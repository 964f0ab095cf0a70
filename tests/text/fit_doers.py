"""Weighs the cues of doers: `python -m tests.text.fit_doers` writes assets/lexicon/doers.toml.

Logistic regression with a small penalty, by Newton's method, on the candidates of each shot; what is right
of a shot stands in the annotated stories. The shots before count as they are found with the weights so far,
so it is fitted twice. Prints the set F1 of subjects that each fold of writers reaches by the weights of the
others. What meanings say is best learnt before: `python -m tests.text.fit_likely` runs this, too.
"""

import sys
from collections.abc import Mapping, Sequence
from unittest.mock import patch

import numpy as np

from studio.text import antecedents, doers, fields
from studio.text.antecedents import Candidate
from studio.text.terms import FOLDER, table
from tests.text.corpus import (
    FITTED,
    FOLDS,
    FURTHER,
    Annotated,
    annotated,
    fold_of,
    matches,
    plain,
    score,
    unread,
)
from tests.text.newton import logistic

FILE = FOLDER / "doers.toml"
PENALTY = 3.0
_STEPS = 12
# Log odds at which a candidate is kept: a set's F1 is best below even odds.
_BELOW_EVEN = 0.3
# A woman is no "he", several are no "she", though few stories here are there to tell.
_PRIOR = {"differs": -3.0, "plural": -3.0, "one_thing": -2.0}


def _subjects(story: Annotated) -> list[list[str]]:
    return [shot["subject"] for shot in story.shots]


def seen(story: Annotated, weight: Mapping[str, float]) -> list[list[Candidate]]:
    """The candidates of each shot, after the shots before as these weights read them."""
    kept: list[list[Candidate]] = []
    choose = doers.chosen

    def keep(found: Sequence[Candidate], _: Mapping[str, float]) -> list[str]:
        kept.append(list(found))
        return choose(found, weight)

    with patch.object(doers, "chosen", keep), unread(story.name):
        fields.fields_of_story(story.text, story.spans, names=story.names)
    return kept


def pointed(story: Annotated) -> list[list[tuple[Mapping[str, float], bool]]]:
    """For each pronoun of a story the cues of all whom it may mean, and whether the shot is about them."""
    groups: list[list[tuple[Mapping[str, float], bool]]] = []
    asked: list[list[Candidate]] = []
    choose, best = doers.chosen, antecedents._best
    gold = iter(_subjects(story))

    def ask(found: Sequence[Candidate], weight: Mapping[str, float]) -> list[str]:
        asked.append(list(found))
        return best(found, weight)

    def keep(found: Sequence[Candidate], weight: Mapping[str, float]) -> list[str]:
        wanted = next(gold)
        for many in asked:
            marks = right(many, wanted)
            if sum(marks) == 1:
                groups.append([(one.cues, mark) for one, mark in zip(many, marks, strict=True)])
        asked.clear()
        return choose(found, weight)

    with patch.object(doers, "chosen", keep), patch.object(antecedents, "_best", ask):
        fields.fields_of_story(story.text, story.spans, names=story.names)
    return groups


def right(found: Sequence[Candidate], wanted: Sequence[str]) -> list[bool]:
    """Which candidates are wanted; of two that mean the same, the one that says it best."""
    left = list(wanted)
    marks = [False] * len(found)
    for test in (lambda a, b: a == b, lambda a, b: a in b or b in a):
        for k, one in enumerate(found):
            gold = next((g for g in left if test(plain(one.word), plain(g))), None)
            if gold is not None and not marks[k]:
                marks[k] = True
                left.remove(gold)
    return marks


def fit(
    rows: Sequence[tuple[Mapping[str, float], bool]], prior: Mapping[str, float] = {}
) -> dict[str, float]:
    """The weights by which right candidates come out best; `prior` holds for want of stories that tell."""
    names = sorted({name for cues, _ in rows for name in cues})
    x = np.array([[cues.get(name, 0.0) for name in names] for cues, _ in rows])
    y = np.array([mark for _, mark in rows], dtype=float)
    middle = np.array([0.0, *(prior.get(name, 0.0) for name in names)])
    weight = logistic(x, y, PENALTY, middle=middle)
    weight[0] += _BELOW_EVEN
    return dict(zip(["bias", *names], map(float, weight), strict=True))


def fit_choice(
    groups: Sequence[Sequence[tuple[Mapping[str, float], bool]]], prior: Mapping[str, float]
) -> dict[str, float]:
    """The weights by which the right one of each group comes out best (conditional logit)."""
    names = sorted({name for rows in groups for cues, _ in rows for name in cues})
    many = [np.array([[cues.get(name, 0.0) for name in names] for cues, _ in rows]) for rows in groups]
    picked = [next(k for k, (_, mark) in enumerate(rows) if mark) for rows in groups]
    weight = middle = np.array([prior.get(name, 0.0) for name in names])
    for _ in range(_STEPS):
        slope, curve = PENALTY * (weight - middle), PENALTY * np.eye(len(names))
        for x, k in zip(many, picked, strict=True):
            p = np.exp(x @ weight - np.max(x @ weight))
            p /= p.sum()
            mean = p @ x
            slope = slope + mean - x[k]
            curve = curve + (x * p[:, None]).T @ x - np.outer(mean, mean)
        weight = weight - np.linalg.solve(curve, slope)
    return {"bias": 0.0, **dict(zip(names, map(float, weight), strict=True))}


def rows_of(
    stories: Sequence[Annotated], weight: Mapping[str, float]
) -> list[tuple[Mapping[str, float], bool]]:
    """Cues and mark of every candidate of these stories."""
    found = []
    for story in stories:
        for shot, wanted in zip(seen(story, weight), _subjects(story), strict=True):
            marks = right(shot, wanted)
            found += [(one.cues, mark) for one, mark in zip(shot, marks, strict=True)]
    return found


def f1(stories: Sequence[Annotated], weight: Mapping[str, float]) -> tuple[int, int, int]:
    """(right, found, wanted) over all shots."""
    hits = found = wanted = 0
    for story in stories:
        for shot, gold in zip(seen(story, weight), _subjects(story), strict=True):
            mine = tuple(doers.chosen(shot, weight))
            hits += matches(mine, gold)
            found, wanted = found + len(mine), wanted + len(gold)
    return hits, found, wanted


def main() -> None:
    """Fit, report, write."""
    stories = [annotated(path) for path in FITTED + FURTHER]
    weight: Mapping[str, float] = doers.weights()
    meant = fit_choice([rows for story in stories for rows in pointed(story)], _PRIOR)
    table("doers")["antecedents"].update(meant)
    for _ in range(2):
        by_story = [rows_of([story], weight) for story in stories]
        weight = fit([row for rows in by_story for row in rows])
    possible = sum(mark for rows in by_story for _, mark in rows)
    print(f"among the candidates: {possible / sum(len(g) for s in stories for g in _subjects(s)):.3f}")
    if "--quick" not in sys.argv:
        counts = []
        folds = [fold_of(story.name) for story in stories]
        for one in range(FOLDS):
            known = [row for rows, other in zip(by_story, folds, strict=True) if other != one for row in rows]
            own = [story for story, other in zip(stories, folds, strict=True) if other == one]
            counts.append(f1(own, fit(known)))
            print(f"  fold {one} by the others:", score(counts[-1:]))
        print("each fold of writers by the others:", score(counts))
    print("all by all:", score([f1(stories, weight)]))
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
