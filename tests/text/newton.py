"""Logistic regression by Newton's method, as the fits share it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 15


def logistic(
    x: Floats, y: Floats, penalty: float, *, count: Floats | float = 1.0, middle: Floats | float = 0.0
) -> Floats:
    """The weights (bias, columns) by which the rows (rows, columns) tell their marks 0 or 1 (rows,).

    `count` says how often each row counts. `penalty` pulls the weights to `middle`, but for the bias.
    """
    x = np.hstack([np.ones((len(x), 1)), x])
    pull = np.diag([0.01] + [penalty] * (x.shape[1] - 1))
    weight = middle = np.broadcast_to(middle, x.shape[1]).astype(float)
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-x @ weight))
        curve = (x * (count * p * (1 - p))[:, None]).T @ x + pull
        weight = weight - np.linalg.solve(curve, x.T @ (count * (p - y)) + pull @ (weight - middle))
    return weight
