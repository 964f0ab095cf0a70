"""Fits the classifier of sentences: `python -m tests.trust.fit_sense` writes assets/safety/sense.safetensors.

One logistic head per category over sentence embeddings, by Newton's method, on fit.toml and fit_more.toml of
tests/trust/sentences, the fitting part of harmless.toml and the harmless sentences of the annotated stories.
Thresholds come from sentences that the heads were not fitted to (five folds, by line): as low as the false
alarms allow. Prints what each fold reaches.
"""

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from studio.text.meaning import meanings as meanings_of
from studio.trust.normal import fold
from studio.trust.sense import WEIGHTS, sentences
from tests.text.corpus import STORIES, annotated

SENTENCES = Path(__file__).parent / "sentences"
CATEGORIES = ("violence", "gore", "sexual", "minors", "self_harm", "hate", "political")
_FOLDS = 5
_PENALTY = 1.0
# How much a sentence of another category says against this one.
_OTHERS = 0.2
# The share of harmless sentences that may be taken for something else; a text has several.
_FALSE = 0.0016
# No head finds anything that it is less sure of.
_SURE = 0.85
_FILLINGS = 3
# How far a threshold stands above the likeliest sentence of a shipped story.
_MARGIN = 0.03


@dataclass(frozen=True)
class Rows:
    """Sentences with their categories ("harmless" is one) and the lines they were made from.

    Lines after `written` are stories.
    """

    texts: list[str]
    categories: list[str]
    lines: list[int]
    written: int


def filled(line: str, slots: dict[str, list[str]], language: str, dice: random.Random) -> list[str]:
    """A line with its slots filled in a few ways."""
    if "{" not in line:
        return [line]
    names = ("A", "V", "P")
    return [
        line.format(**{name: dice.choice(slots[f"{name}_{language}"]) for name in names})
        for _ in range(_FILLINGS)
    ]


def rows_of() -> Rows:
    """The written sentences, then those of the annotated stories."""
    parts = [tomllib.loads((SENTENCES / f"{name}.toml").read_text("utf-8")) for name in ("fit", "fit_more")]
    slots, dice, line_at = parts[0]["slots"], random.Random(7), 0
    written = [
        (line, language, category)
        for part in parts
        for language in ("zh", "en")
        for category, lines in part[language].items()
        for line in lines
    ]
    rows = Rows([], [], [], len(written))
    for line_at, (line, language, category) in enumerate(written, 1):
        for text in filled(line, slots, language, dice):
            _add(rows, text, category, line_at)
    for text in _harmless():
        line_at += 1
        _add(rows, text, "harmless", line_at)
    rows = replace(rows, written=line_at)
    for story in sorted((STORIES / "dev").glob("*.toml")):
        line_at += 1
        text = fold(annotated(story).text).text
        for start, end in sentences(text):
            if end - start > 4:
                _add(rows, text[start:end], "harmless", line_at)
    return rows


def _harmless() -> list[str]:
    """The fitting part of harmless.toml: every third sentence is kept to measure on."""
    parts = tomllib.loads((SENTENCES / "harmless.toml").read_text("utf-8"))
    kept = [text for lines in parts["harmless"].values() for k, text in enumerate(lines) if k % 3 != 2]
    return kept + [text for lines in parts["near"].values() for text in lines]


def _add(rows: Rows, text: str, category: str, line: int) -> None:
    rows.texts.append(fold(text).text)
    rows.categories.append(category)
    rows.lines.append(line)


def head(meanings: np.ndarray, marks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights and bias (last) of a logistic regression."""
    x = np.hstack([meanings, np.ones((len(meanings), 1))])
    w = np.zeros(x.shape[1])
    penalty = np.full(x.shape[1], _PENALTY * 0.1)
    penalty[-1] = 1e-4
    for _ in range(12):
        p = 1 / (1 + np.exp(-(x @ w)))
        gradient = x.T @ (weights * (p - marks)) + penalty * w
        curve = (x * (weights * p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(curve, gradient)
        w -= step
        if np.abs(step).max() < 1e-3:
            break
    return w


def heads(meanings: np.ndarray, categories: Sequence[str]) -> np.ndarray:
    """One row of weights and bias per category."""
    own = np.array(categories)
    found = []
    for category in CATEGORIES:
        marks = (own == category).astype(float)
        weights = np.where(own == "harmless", 1.0, np.where(own == category, 3.0, _OTHERS))
        found.append(head(meanings, marks, weights))
    return np.array(found)


def scored(meanings: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """How likely each category is, (sentences, categories)."""
    return 1 / (1 + np.exp(-(meanings @ fitted[:, :-1].T + fitted[:, -1])))


def main() -> None:
    """Fit, choose thresholds on sentences not fitted to, print figures, write the file."""
    rows = rows_of()
    meanings = np.concatenate([meanings_of(rows.texts[at : at + 64]) for at in range(0, len(rows.texts), 64)])
    meanings = meanings.astype(float)
    own, folds = np.array(rows.categories), np.array(rows.lines) % _FOLDS
    scores = np.zeros((len(own), len(CATEGORIES)))
    for k in range(_FOLDS):
        seen = folds != k
        scores[~seen] = scored(meanings[~seen], heads(meanings[seen], own[seen]))
    harmless = own == "harmless"
    thresholds = np.array([max(_SURE, np.quantile(column, 1 - _FALSE / 2)) for column in scores[harmless].T])
    over = (scores >= thresholds).any(axis=1)
    print("harmless", harmless.sum(), "taken for something", round(over[harmless].mean(), 4))
    for k, category in enumerate(CATEGORIES):
        print(
            category,
            (own == category).sum(),
            "found",
            round(over[own == category].mean(), 3),
            thresholds[k].round(2),
        )
    worst = np.argsort(-(scores - thresholds).max(axis=1) * harmless)[:25]
    for k in worst:
        if over[k]:
            print("  false:", rows.texts[k], CATEGORIES[(scores[k] - thresholds).argmax()])
    fitted = heads(meanings, own)
    # The shipped stories are harmless through and through.
    told = np.array(rows.lines) > rows.written
    thresholds = np.maximum(thresholds, scored(meanings[told], fitted).max(axis=0) + _MARGIN)
    tensors = {
        "weights": fitted[:, :-1].astype(np.float32),
        "bias": fitted[:, -1].astype(np.float32),
        "thresholds": thresholds.astype(np.float32),
    }
    save_file(tensors, WEIGHTS, metadata={"categories": " ".join(CATEGORIES)})


if __name__ == "__main__":
    main()
