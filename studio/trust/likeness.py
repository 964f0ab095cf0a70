"""What a video looks like, as hashes of a few of its pictures: finds copies whose invisible mark is gone.

A hash is 256 bits: which slow waves of a picture are bright where they begin. Each picture is hashed as it
is, as if cropped, so that a cropped copy finds it, and without its foot, where subtitles stand.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.trust.carriers import Floats, middles, waves
from studio.trust.sampling import SMALL, Samples, sample_file, sample_frames

WORDS = 4
VIEWS = ((0.0, 0.0), (0.025, 0.025), (0.05, 0.05), (0.0, 0.25))
"""What is hashed of a picture: without these shares of left, right and top, and of its foot."""

KEPT = 16
"""So many pictures of a video are compared, spread evenly."""

Hashes = NDArray[np.uint64]
"""Hashes of one video: (pictures, views, words)."""

# What is asked is seen as it is, or without its foot: that is compared with each view of an asset.
_ASKED_AS = (0, 0, 0, 3)
_WAVES = 16
# Pictures with less contrast than this are a plain colour: their hash would be noise.
_PLAIN = 2.0


def hashes_of(path: Path) -> Hashes:
    """The hashes of a video file, (0..64, 4, 4); MediaError "file_empty" or "not_a_video"."""
    return hashes_of_samples(sample_file(path))


def hashes_of_frames(frames: Iterable[np.ndarray]) -> Hashes:
    """The hashes of RGB frames, uint8 (height, width, 3); ValueError if there are none."""
    return hashes_of_samples(sample_frames(frames))


def hashes_of_samples(samples: Samples) -> Hashes:
    """The hashes of samples of a video. Pictures of one plain colour have none."""
    lumas = [planes[0].astype(np.float32) for planes in samples.planes]
    found = [[_hash(luma, *view) for view in VIEWS] for luma in lumas if luma.std() >= _PLAIN]
    return np.array(found, np.uint64).reshape(-1, len(VIEWS), WORDS)


def to_bytes(hashes: Hashes) -> bytes:
    """As a database keeps them: 128 bytes a picture."""
    return hashes.astype("<u8").tobytes()


def from_bytes(data: bytes) -> Hashes:
    """What `to_bytes` made; ValueError if it is none."""
    if len(data) % (8 * WORDS * len(VIEWS)):
        raise ValueError("not hashes")
    return np.frombuffer(data, "<u8").astype(np.uint64).reshape(-1, len(VIEWS), WORDS)


def _hash(luma: Floats, sides: float, foot: float) -> NDArray[np.uint64]:
    down, across = _table(SMALL[0], sides, foot), _table(SMALL[1], sides, sides)
    found = (down @ luma @ across.T).ravel()[1:]
    # The mean of the picture has no bit: it would only tell how bright a copy is.
    bits = np.packbits(np.append(found > np.median(found), False))
    return np.asarray(bits.view(">u8"), np.uint64)


@cache
def _table(size: int, before: float, after: float) -> Floats:
    """Slow waves over what is left of a side, 0 elsewhere: (waves, size)."""
    first, end = round(size * before), size - round(size * after)
    table = np.zeros((_WAVES, size), np.float32)
    table[:, first:end] = waves(_WAVES, middles(end - first))
    return table


@dataclass(frozen=True)
class Near:
    """An asset and how far it is: 0 the same pictures, about 0.5 others."""

    asset: str
    distance: float


@dataclass(frozen=True)
class Answer:
    """What a video is a copy of: "certain" with one asset, "candidates" with a few look-alikes, or "none".

    Certain: one asset looks the same as far as re-encoding, scaling and subtitles let it, and every other is
    much farther. Candidates: assets are near, but none that near, or several; at most `MOST_CANDIDATES`, the
    nearest first, and more may look like it. The invisible mark is the better witness where it can be read.
    """

    kind: Literal["certain", "candidates", "none"]
    near: tuple[Near, ...] = ()


MOST_CANDIDATES = 5
# Other photographs begin at 0.3, other drawn scenes at 0.2, a scene with a detail changed anywhere below;
# copies end at 0.03, cropped ones at 0.05.
_NEAR, _SAME, _APART = 0.16, 0.03, 0.06


class Index:
    """The hashes of all assets, in memory: about 2 kB an asset. One thread at a time may change it."""

    def __init__(self) -> None:
        self._assets: dict[str, Hashes] = {}
        self._table: tuple[list[str], NDArray[np.intp], Hashes] | None = None

    def __len__(self) -> int:
        return len(self._assets)

    def add(self, asset: str, hashes: Hashes) -> None:
        """Add an asset, or replace it. One without hashes is never found."""
        self._assets[asset] = _spread(hashes)
        self._table = None

    def remove(self, asset: str) -> None:
        """Forget an asset; nothing happens if it is not there."""
        if self._assets.pop(asset, None) is not None:
            self._table = None

    def nearest(self, hashes: Hashes, count: int = MOST_CANDIDATES) -> list[Near]:
        """The nearest assets, the nearest first; none for a video without hashes."""
        names, starts, words = self._laid_out()
        asked = _spread(hashes)[:, _ASKED_AS]
        if not names or not len(asked):
            return []
        away = np.stack([_distances(picture, words, starts) for picture in asked])
        # Pictures that something was laid over, or that are new, shall not hide what the others say.
        best = np.sort(away, axis=0)[: -(-3 * len(asked) // 4)]
        apart = best.mean(axis=0) / (64 * WORDS)
        order = np.argsort(apart, kind="stable")[:count]
        return [Near(names[at], float(apart[at])) for at in order]

    def answer(self, hashes: Hashes) -> Answer:
        """Which asset this is a copy of, as far as looks tell."""
        near = self.nearest(hashes, MOST_CANDIDATES + 1)
        if not near or near[0].distance > _NEAR:
            return Answer("none")
        first = near[0].distance
        alike = tuple(one for one in near if one.distance < first + _APART)[:MOST_CANDIDATES]
        return Answer("certain" if len(alike) == 1 and first <= _SAME else "candidates", alike)

    def _laid_out(self) -> tuple[list[str], NDArray[np.intp], Hashes]:
        """Names, where each one's pictures begin, and all hashes: (words, views, pictures)."""
        table = self._table
        if table is None:
            held = [(name, hashes) for name, hashes in self._assets.items() if len(hashes)]
            starts = np.cumsum([0, *(len(hashes) for _, hashes in held)])[:-1]
            empty = np.zeros((0, len(VIEWS), WORDS), np.uint64)
            words = np.concatenate([hashes for _, hashes in held] or [empty])
            words = np.ascontiguousarray(words.transpose(2, 1, 0))
            table = self._table = ([name for name, _ in held], starts, words)
        return table


def _spread(hashes: Hashes) -> Hashes:
    """At most `KEPT` pictures, from all over the video."""
    if len(hashes) <= KEPT:
        return hashes
    chosen: Hashes = hashes[np.linspace(0, len(hashes) - 1, KEPT).round().astype(int)]
    return chosen


def _distances(picture: Hashes, words: Hashes, starts: NDArray[np.intp]) -> NDArray[np.uint16]:
    """Bits between a picture (views, words) and the nearest of each asset."""
    apart = np.zeros(words.shape[1:], np.uint16)
    for asked, row in zip(picture.T, words, strict=True):
        apart += np.bitwise_count(row ^ asked[:, None])
    nearest: NDArray[np.uint16] = np.minimum.reduceat(apart.min(axis=0), starts)
    return nearest
