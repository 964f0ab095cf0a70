"""Teaches meanings their intents: `python -m tests.edits.fit_sense` writes assets/edits/sense.npz.

Multinomial logistic regression on the meanings of our own phrasings. Prints how often phrasings that were
left out are read rightly, by meaning alone and beside the rules.
"""

import tomllib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from studio.edits import decide
from studio.edits.clauses import Clause, tidy, without_manners
from studio.edits.intents import intents
from studio.edits.rules import wishes_of
from studio.edits.sense import NOTHING, SCALE, WEIGHTS
from studio.text.meaning import meanings

HERE = Path(__file__).resolve().parent
FILES = ("wishes.toml", "voices.toml")
PENALTY, STEPS, RATE, MOMENTUM = 3e-4, 500, 0.3, 0.9
FOLDS = 5

Floats = npt.NDArray[np.float64]


def phrasings(name: str) -> list[tuple[str, str]]:
    """The single wishes of a file, each with its intent; NOTHING for what is none."""
    rows = tomllib.loads((HERE / name).read_text(encoding="utf-8"))
    told = {intent: row for intent, row in rows.items() if isinstance(row, dict)}
    return [
        (text, NOTHING if intent == "unknown" else intent)
        for intent, row in told.items()
        for script in ("zh", "en")
        for text in row[script]
    ]


def fit(x: Floats, y: Floats) -> Floats:
    """Weights, the last row the bias."""
    one = np.hstack([SCALE * x, np.ones((len(x), 1))])
    weight = np.zeros((one.shape[1], y.shape[1]))
    pace = np.zeros_like(weight)
    for _ in range(STEPS):
        share = likely(one, weight)
        pace = MOMENTUM * pace + one.T @ (share - y) / len(x) + PENALTY * weight
        weight -= RATE * pace
    return weight


def likely(one: Floats, weight: Floats) -> Floats:
    score = one @ weight
    share = np.exp(score - score.max(1, keepdims=True))
    found: Floats = share / share.sum(1, keepdims=True)
    return found


def main() -> None:
    """Fit, report, write."""
    table = [(text, name) for name, row in intents().items() for text in (*row.zh, *row.en)]
    rows = table + [row for file in FILES for row in phrasings(file)]
    names = (*intents(), NOTHING)
    texts = [without_manners(tidy(text)) or text for text, _ in rows]
    x = np.concatenate([meanings(texts[k : k + 64]) for k in range(0, len(texts), 64)]).astype(float)
    y = np.array([[intent == name for name in names] for _, intent in rows], float)
    order = np.random.default_rng(0).permutation(len(rows))
    alone = beside = 0
    for fold in range(FOLDS):
        held = order[fold::FOLDS]
        rest = np.setdiff1d(order, held)
        weight = fit(x[rest], y[rest])
        share = likely(np.hstack([SCALE * x[held], np.ones((len(held), 1))]), weight)
        for at, row in zip(held, share, strict=True):
            wanted = rows[at][1]
            by_meaning = dict(zip(names, row, strict=True))
            alone += max(by_meaning, key=by_meaning.__getitem__) == wanted
            read = wishes_of(Clause(texts[at]))
            found = decide.decided([wish.intent for wish in read], by_meaning)
            beside += found == ([] if wanted == NOTHING else [wanted])
    print(f"left out: {alone / len(rows):.3f} by meaning alone, {beside / len(rows):.3f} beside the rules")
    weight = fit(x, y)
    kept = {"weights": weight[:-1].T.astype(np.float16), "bias": weight[-1].astype(np.float16)}
    np.savez_compressed(WEIGHTS, names=np.array(names), **kept)


if __name__ == "__main__":
    main()
