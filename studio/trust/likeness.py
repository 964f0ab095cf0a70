"""What a video looks like, as hashes of a few of its pictures: finds copies whose invisible mark is gone.

A hash is 256 bits: signs of the slow waves of a picture's brightness and colours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.trust.carriers import Floats, middles, waves
from studio.trust.sampling import Samples, sample_file, sample_frames

WORDS = 4
"""A hash is so many words of 64 bits; hashes are uint64 (pictures, WORDS), kept as `tobytes()`."""

Hashes = NDArray[np.uint64]


def hashes_of(path: Path) -> Hashes:
    """The hashes of a video file, 2 a second, at most 64; MediaError "file_empty" or "not_a_video"."""
    return hashes_of_samples(sample_file(path))


def hashes_of_frames(frames: Iterable[np.ndarray]) -> Hashes:
    """The hashes of RGB frames, uint8 (height, width, 3)."""
    return hashes_of_samples(sample_frames(frames))


def hashes_of_samples(samples: Samples) -> Hashes:
    """The hashes of samples of a video."""
    return np.stack([_hash(planes) for planes in samples.planes])


def to_bytes(hashes: Hashes) -> bytes:
    """As the database keeps them."""
    return hashes.astype("<u8").tobytes()


def from_bytes(data: bytes) -> Hashes:
    """What `to_bytes` made; ValueError if it is none."""
    if len(data) % (8 * WORDS):
        raise ValueError("not hashes")
    return np.frombuffer(data, "<u8").reshape(-1, WORDS).astype(np.uint64)


def _hash(planes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    luma = _waves_of(planes[0].astype(np.float32), 16)
    return np.packbits(luma > np.median(luma)).view(">u8").astype(np.uint64)


def _waves_of(plane: Floats, count: int) -> Floats:
    rows, columns = plane.shape
    down, across = waves(count + 1, middles(rows)), waves(count + 1, middles(columns))
    found: Floats = (down @ plane @ across.T)[1:, 1:].ravel()
    return found


@dataclass(frozen=True)
class Near:
    """An asset and how far it is: 0 the same pictures, about 0.5 others."""

    asset: str
    distance: float


@dataclass(frozen=True)
class Answer:
    """What a video is a copy of: "certain" with one asset, "candidates" with a few look-alikes, or "none"."""

    kind: Literal["certain", "candidates", "none"]
    near: tuple[Near, ...] = ()


class Index:
    """The hashes of all assets, in memory."""

    def __init__(self) -> None:
        self._hashes: dict[str, Hashes] = {}

    def add(self, asset: str, hashes: Hashes) -> None:
        """Add an asset, or replace it."""
        self._hashes[asset] = hashes

    def remove(self, asset: str) -> None:
        """Forget an asset; nothing happens if it is not there."""
        self._hashes.pop(asset, None)

    def __len__(self) -> int:
        return len(self._hashes)

    def nearest(self, hashes: Hashes, count: int = 5) -> list[Near]:
        """The nearest assets, the nearest first."""
        found = []
        for asset, kept in self._hashes.items():
            apart = np.bitwise_count(hashes[:, None] ^ kept[None]).sum(axis=2)
            found.append(Near(asset, float(apart.min(axis=1).mean()) / (64 * WORDS)))
        return sorted(found, key=lambda near: near.distance)[:count]

    def answer(self, hashes: Hashes) -> Answer:
        """Which asset this is a copy of."""
        near = self.nearest(hashes)
        close = tuple(one for one in near if one.distance <= 0.2)
        if not close:
            return Answer("none")
        return Answer("certain" if len(close) == 1 else "candidates", close)
