"""Teaches meanings their kinds: `python -m tests.text.fit_senses` writes assets/lexicon/senses.npz.

Logistic regression of each kind of the word lists (grounds.toml, nouns.toml) on the meanings of their words.
Prints how often words that were left out get a kind of theirs.
"""

import numpy as np
import numpy.typing as npt

from studio.text.grounds import listed_words
from studio.text.meaning import meanings
from studio.text.senses import WEIGHTS

KINDS = (
    "settlement", "building", "room", "way", "land", "water", "sky", "vehicle", "part", "stuff", "thing",
    "surface", "air", "being", "body", "unseen",
)  # fmt: skip
PENALTY = 0.1
_STEPS = 7
_FOLDS = 5

Floats = npt.NDArray[np.float64]


def fit(x: Floats, y: Floats) -> Floats:
    """Weights, the last one the bias, by Newton's method."""
    one = np.hstack([x, np.ones((len(x), 1))])
    ridge = np.diag([*[PENALTY] * x.shape[1], 0.001])
    weight = np.zeros(one.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-one @ weight))
        curve = np.maximum(p * (1 - p), 1e-4)
        slope = one.T @ (p - y) + ridge @ weight
        weight -= np.linalg.solve((one * curve[:, None]).T @ one + ridge, slope)
    return weight


def main() -> None:
    """Fit, report, write."""
    listed = {word: kinds for script in ("zh", "en") for word, kinds in listed_words(script).items()}
    nouns = sorted(listed)
    x = np.concatenate([meanings(nouns[k : k + 64]) for k in range(0, len(nouns), 64)]).astype(np.float64)
    y = np.array([[kind in listed[noun] for kind in KINDS] for noun in nouns], dtype=float)
    order = np.random.default_rng(0).permutation(len(nouns))
    held = order[: len(nouns) // _FOLDS]
    rest = order[len(nouns) // _FOLDS :]
    odds = np.column_stack(
        [x[held] @ (w := fit(x[rest], y[rest, k]))[:-1] + w[-1] for k in range(len(KINDS))]
    )
    right = y[held, odds.argmax(1)]
    sure = odds.max(1) > 0
    print(f"words left out: {right.mean():.3f} right, {right[sure].mean():.3f} of the {sure.mean():.2f} sure")
    found = np.array([fit(x, y[:, k]) for k in range(len(KINDS))])
    np.savez_compressed(
        WEIGHTS,
        kinds=np.array(KINDS),
        weights=found[:, :-1].astype(np.float16),
        bias=found[:, -1].astype(np.float16),
    )


if __name__ == "__main__":
    main()
