"""Frames for the media tests: moving, coloured, cheap."""

from collections.abc import Iterator

import numpy as np


def frames(count: int, width: int = 320, height: int = 192, *, noise: bool = False) -> Iterator[np.ndarray]:
    """Frames whose blue tells their number; `noise` makes them hard to compress."""
    rng = np.random.default_rng(0)
    x = np.arange(width, dtype=np.uint8)
    for number in range(count):
        if noise:
            yield rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
            continue
        frame = np.zeros((height, width, 3), np.uint8)
        frame[..., 0] = x
        frame[..., 1] = 80
        frame[..., 2] = number * 5 % 256
        yield frame
