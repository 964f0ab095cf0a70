"""The invisible fingerprint: 64 bits in slow colour waves of every frame, readable after re-encoding.

Informed embedding: what a picture already holds of each wave is measured and only what is missing is added,
weaker where the picture is dark or flat. The bits are random and stored per export; reading means finding the
nearest.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.trust.carriers import (
    BITS,
    GRID,
    PILOT,
    Carriers,
    Floats,
    calmed,
    carriers,
    heard,
    middles,
    signs_of,
    waves,
)
from studio.trust.sampling import Samples, sample_file, sample_frames

Bytes = NDArray[np.uint8]

# How far each bit's wave, and the pilot's, is driven.
_AMOUNT, _PILOT_AMOUNT = 17.0, 72.0
# The most that may be added, in steps of a colour plane: root of mean square, and where nothing is spared.
_RMS, _PEAK = 1.32, 3.0
# So many frames of a million pixels share one pattern: more cannot be paid for, and pictures change slowly.
_HOLD, _LONGEST_HOLD = 3.2, 6
_STEPS = 5
# How much is left of the change in the dark, in flat places; a picture that is all like that aims lower.
_DARK, _FLAT, _LIFT = 0.45, 0.6, 1.2
# Where nobody tells how bright and busy the picture is.
_UNKNOWN = 0.6
# Crops that are tried: up to so much of each side, in such steps.
_CROP, _CROP_STEP = 0.1, 0.01
# The pilot's height from which no crop is tried, and what the best of many crops has by chance.
_SURE, _CHANCE = 7.0, (0.0, 1.5)
# From this height, chance taken away, a mark is seen.
_SEEN = 3.5
# How well a codeword must fit: less for each step of the pilot, down to a limit; more where the mark is so
# clear that a weak fit means another codeword.
_FITS, _FITS_STEP, _FITS_LEAST, _FITS_SURE = 0.76, 0.04, 0.62, 0.68
# bt709: what one step of blue and of red difference is in red, green and blue.
_TO_RGB = np.array([[0.0, 1.5748], [-0.18733, -0.46813], [1.8556, 0.0]], np.float32)


def new_codeword() -> int:
    """A random number of 64 bits, for one export."""
    return secrets.randbits(BITS)


class Marker:
    """Marks the frames of one export, in order; `width` and `height` in pixels. Not for several threads."""

    def __init__(self, codeword: int, key: bytes, width: int, height: int) -> None:
        self._carriers: Carriers = carriers(key)
        self._size = (height, width)
        self._aim = np.full(BITS + 1, _PILOT_AMOUNT, np.float32)
        self._aim[:PILOT] = signs_of(codeword) * _AMOUNT
        self._down = waves(self._carriers.rows, middles(GRID[0]))
        self._across = waves(self._carriers.columns, middles(GRID[1]))
        self._hold = min(_LONGEST_HOLD, max(1, round(_HOLD * width * height / 1e6)))
        self._until = 0
        self._ceiling: list[Bytes] = []
        self._added: list[Bytes] = []
        self._taken: list[Bytes] = []

    def rgb(self, frame: Bytes) -> None:
        """Mark a frame in place: uint8 (height, width, 3), bt709. ValueError for another shape."""
        if frame.shape != (*self._size, 3) or frame.dtype != np.uint8:
            raise ValueError(f"a frame of {frame.dtype} {frame.shape} for a marker of {self._size}")
        if self._until == 0:
            small = _shrunk(frame).astype(np.float32)
            luma = small @ np.array([0.2126, 0.7152, 0.0722], np.float32)
            colours = np.stack([(small[..., 2] - luma) / 1.8556, (small[..., 0] - luma) / 1.5748])
            change = self._change(colours, _tolerance(luma, _activity(frame[..., 1])))
            self._keep((_TO_RGB @ change.reshape(2, -1)).reshape(3, *GRID), frame.shape[:2], joined=True)
        self._until = (self._until + 1) % self._hold
        self._add([frame])

    def planes(self, u: Bytes, v: Bytes, y: Bytes | None = None) -> None:
        """Mark a yuv420p frame's colour planes in place: uint8 (height/2, width/2), limited range.

        With the luma plane `y` (height, width) flat and dark places are spared; it is not changed.
        """
        half = (self._size[0] // 2, self._size[1] // 2)
        if u.shape != half or v.shape != half:
            raise ValueError(f"planes of {u.shape} for a marker of {self._size}")
        if self._until == 0:
            colours = np.stack([_shrunk(u), _shrunk(v)]).astype(np.float32) * (255 / 224)
            if y is None:
                tolerance = np.full(GRID, _UNKNOWN, np.float32)
            else:
                luma = (_shrunk(y).astype(np.float32) - 16) * (255 / 219)
                tolerance = _tolerance(luma, _activity(y))
            self._keep(self._change(colours, tolerance) * (224 / 255), half, joined=False)
        self._until = (self._until + 1) % self._hold
        self._add([u, v])

    def _change(self, colours: Floats, tolerance: Floats) -> Floats:
        """What to add on the grid, (2, rows, columns), so that each slot's wave reaches its aim."""
        mine = self._carriers
        held = mine.projected(self._analysed(colours))
        side = np.sign(self._aim)
        aim = self._aim * min(1.0, float(tolerance.mean()) * _LIFT)
        change = np.zeros_like(colours)
        # Where the picture is strong, nothing that is added would be read.
        weight = tolerance * heard(colours)
        gain = 1 / max(0.5, float(weight.mean()))
        for _ in range(_STEPS):
            missing = np.maximum(0, aim * side - held * side) * side
            added = self._down.T @ mine.spread(missing * gain) @ self._across
            change += added * weight
            np.clip(change, -_PEAK * tolerance, _PEAK * tolerance, out=change)
            held = mine.projected(self._analysed(colours + change))
        rms = float(np.sqrt(np.mean(change * change)))
        return change * min(1.0, _RMS / max(rms, 1e-6))

    def _analysed(self, colours: Floats) -> Floats:
        found: Floats = self._down @ calmed(colours) @ self._across.T
        return found

    def _keep(self, change: Floats, size: tuple[int, int], *, joined: bool) -> None:
        """Bring the change to full size as bytes to add and to take away, for the next frames."""
        full = [_enlarged(plane, size) + _dither(size) for plane in change]
        whole = [np.stack(full, axis=2)] if joined else full
        steps = [np.floor(plane).astype(np.int8) for plane in whole]
        self._added = [np.maximum(step, 0).astype(np.uint8) for step in steps]
        self._taken = [np.maximum(-step, 0).astype(np.uint8) for step in steps]
        self._ceiling = [255 - added for added in self._added]

    def _add(self, planes: list[Bytes]) -> None:
        for plane, ceiling, added, taken in zip(planes, self._ceiling, self._added, self._taken, strict=True):
            np.minimum(plane, ceiling, out=plane)
            np.add(plane, added, out=plane)
            np.maximum(plane, taken, out=plane)
            np.subtract(plane, taken, out=plane)


def _shrunk(plane: Bytes) -> Bytes:
    """A picture or plane on the grid."""
    return np.asarray(
        Image.fromarray(np.ascontiguousarray(plane[::2, ::2])).resize(GRID[::-1], Image.Resampling.BOX)
    )


def _enlarged(plane: Floats, size: tuple[int, int]) -> Floats:
    picture = Image.fromarray(plane).resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(picture)


def _activity(plane: Bytes) -> Floats:
    """How busy the picture is, on the grid: mean steps between pixels."""
    part = plane[::2, ::2].astype(np.int16)
    steps = np.minimum(np.abs(part[:, 1:] - part[:, :-1]), 64).astype(np.uint8)
    return np.asarray(Image.fromarray(steps).resize(GRID[::-1], Image.Resampling.BOX), np.float32)


def _tolerance(luma: Floats, activity: Floats) -> Floats:
    """How much change goes unseen, about 1 in a mid-bright picture with some detail."""
    bright = np.clip(_DARK + luma / 110, _DARK, 1.0) * np.clip((280 - luma) / 50, 0.5, 1.0)
    busy = np.clip(_FLAT + activity / 8, _FLAT, 1.5)
    return (bright * busy).astype(np.float32)


@lru_cache(maxsize=4)
def _dither(size: tuple[int, int]) -> Floats:
    """Thresholds 0..1 in a fixed fine pattern: what is less than a step stays right on average."""
    tile = np.zeros((1, 1))
    for _ in range(3):
        tile = np.block([[4 * tile, 4 * tile + 2], [4 * tile + 3, 4 * tile + 1]])
    tile = (tile + 0.5) / 64
    repeats = (-(-size[0] // 8), -(-size[1] // 8))
    out: Floats = np.tile(tile.astype(np.float32), repeats)[: size[0], : size[1]]
    return out


@dataclass(frozen=True, eq=False)
class SoftBits:
    """What was read, as the picture is and as if its sides had been cropped: n readings.

    `bits` is float32 (n, 64), rows of unit length, positive means 1. `pilots` (n,) tells how surely a mark is
    there, in standard deviations of pictures without.
    """

    bits: Floats
    pilots: Floats

    @property
    def needed(self) -> Floats:
        """How well a codeword must fit each reading to be its name, (n,): the surer a mark, the less."""
        least = np.clip(_FITS - _FITS_STEP * self._above, _FITS_LEAST, _FITS)
        return np.where(self.pilots >= _SURE, _FITS_SURE, least)

    @property
    def marked(self) -> bool:
        """Whether the video seems to carry a mark of this key, known or not; one in a thousand only seems."""
        return bool((self._above >= _SEEN).any())

    @property
    def _above(self) -> Floats:
        above: Floats = self.pilots - np.array(_CHANCE[: len(self.pilots)])
        return above


@dataclass(frozen=True)
class Match:
    """The codeword that was found and how well it fits, 0..1."""

    codeword: int
    score: float


def read(frames: Iterable[np.ndarray], key: bytes) -> SoftBits:
    """Read RGB frames, uint8 (height, width, 3), of any size. ValueError if there are none."""
    return read_samples(sample_frames(frames), key)


def read_file(path: Path, key: bytes) -> SoftBits:
    """Read a video file; MediaError "file_empty" or "not_a_video"."""
    return read_samples(sample_file(path), key)


def read_samples(samples: Samples, key: bytes) -> SoftBits:
    """Read samples of a video: as it is, and cropped by up to a tenth of each side as fits best."""
    mine = carriers(key)
    readings = [_read_at(samples.colours, mine, _WHOLE)]
    if readings[0][1] < _SURE:
        readings.append(_read_at(samples.colours, mine, _crop_of(samples.colours, mine)))
    return SoftBits(np.stack([bits for bits, _ in readings]), np.array([pilot for _, pilot in readings]))


def score(soft: SoftBits, codewords: NDArray[np.uint64]) -> Floats:
    """How well each codeword fits the reading that it fits best, -1..1: (n,)."""
    best: Floats = _fits(soft, codewords).max(axis=0)
    return best


def match(soft: SoftBits, codewords: NDArray[np.uint64]) -> Match | None:
    """The codeword that was read, None if none fits well enough.

    Codewords are random, so what a picture holds by itself fits one by chance with a known probability: with
    10,000 codewords fewer than one in 100,000 videos without a mark is given a name.
    """
    if not len(codewords):
        return None
    fits = _fits(soft, codewords)
    needed = soft.needed[:, None]
    reading, best = np.unravel_index(int(np.argmax(fits - needed)), fits.shape)
    fit = float(fits[reading, best])
    return Match(int(codewords[best]), fit) if fit >= needed[reading, 0] else None


def _fits(soft: SoftBits, codewords: NDArray[np.uint64]) -> Floats:
    raw = np.ascontiguousarray(codewords, dtype=">u8").view(np.uint8).reshape(-1, 8)
    signs = np.unpackbits(raw, axis=1).astype(np.float32) * 2 - 1
    fits: Floats = np.asarray(soft.bits @ signs.T / np.float32(BITS**0.5))
    return fits


@dataclass(frozen=True)
class _Crop:
    """Shares of a picture's sides that are missing."""

    left: float = 0.0
    right: float = 0.0
    top: float = 0.0
    bottom: float = 0.0


_WHOLE = _Crop()
_Pairs = tuple[tuple[float, float], ...]


def _read_at(colours: Floats, mine: Carriers, crop: _Crop) -> tuple[Floats, float]:
    """The 64 bits, unit length, and the pilot's height, if the picture (2, 72, 128) was cropped like this."""
    across = waves(mine.columns, crop.left + (1 - crop.left - crop.right) * middles(GRID[1]))
    down = waves(mine.rows, crop.top + (1 - crop.top - crop.bottom) * middles(GRID[0]))
    found = down @ colours @ across.T
    held = mine.projected(found)
    pilot = (found[mine.plane, mine.row, mine.column] * mine.sign)[mine.slot == PILOT]
    bits = held[:PILOT] / max(float(np.linalg.norm(held[:PILOT])), 1e-9)
    return bits, float(pilot.sum()) / max(float(np.linalg.norm(pilot)), 1e-9)


def _crop_of(colours: Floats, mine: Carriers) -> _Crop:
    """The crop at which the pilot stands out most: first coarsely, then round the best."""
    ends = [step * _CROP_STEP for step in range(round(_CROP / _CROP_STEP) + 1)]
    pairs = tuple((a, b) for a in ends for b in ends)
    best = _best_crop(colours, mine, pairs, pairs)
    near = (-0.5 * _CROP_STEP, 0.0, 0.5 * _CROP_STEP)
    return _best_crop(
        colours,
        mine,
        tuple((max(0.0, best.left + a), max(0.0, best.right + b)) for a in near for b in near),
        tuple((max(0.0, best.top + a), max(0.0, best.bottom + b)) for a in near for b in near),
    )


def _best_crop(colours: Floats, mine: Carriers, sideways: _Pairs, upright: _Pairs) -> _Crop:
    """The best of all pairs of (left, right) and (top, bottom)."""
    pilot = np.zeros(BITS + 1, np.float32)
    pilot[PILOT] = 1
    across, down = _cropped(mine.columns, GRID[1], sideways), _cropped(mine.rows, GRID[0], upright)
    fits = np.zeros((len(upright), len(sideways)), np.float32)
    for plane, chips in zip(colours, mine.spread(pilot), strict=True):
        # For each pair of sides, the rows of the plane as the pilot's slow waves see them: (pairs, ky, 72).
        seen = chips @ (across @ plane.T)
        fits += down.reshape(len(upright), -1) @ seen.reshape(len(sideways), -1).T
    vertical, horizontal = np.unravel_index(int(np.argmax(fits)), fits.shape)
    (left, right), (top, bottom) = sideways[int(horizontal)], upright[int(vertical)]
    return _Crop(left, right, top, bottom)


@lru_cache(maxsize=4)
def _cropped(count: int, size: int, pairs: _Pairs) -> Floats:
    """The slow waves of a side of which these shares are missing before and after: (pairs, count, size)."""
    return waves(count, np.array([before + (1 - before - after) * middles(size) for before, after in pairs]))
