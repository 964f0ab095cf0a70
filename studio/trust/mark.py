"""The invisible fingerprint: 64 bits in slow colour waves of every frame, readable after re-encoding.

Informed embedding: what a picture already holds of each wave is measured and only what is missing is added,
weaker where the picture is dark or flat. The bits are random and stored per export; reading means finding the
nearest.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.trust.carriers import BITS, GRID, PILOT, Carriers, Floats, carriers, middles, signs_of, waves
from studio.trust.sampling import Samples, sample_file, sample_frames

Bytes = NDArray[np.uint8]

# How far each bit's wave, and the pilot's, is driven (grid units), and the most that may be added, as rms.
_AMOUNT, _PILOT_AMOUNT = 15.0, 75.0
_RMS = 1.32
_PEAK = 5.0
_HOLD = 6
"""So many frames share one pattern: pictures change slowly, and encoders keep what stays."""

_STEPS = 3
# Crops that are tried: up to so much of each side, in such steps.
_CROP, _CROP_STEP = 0.1, 0.005
# The pilot's height from which no crop is tried, by which a crop must beat the whole, and that means a mark.
_SURE, _PREFER, _SEEN = 7.0, 1.5, 4.5
# How well a codeword must fit where a mark is seen, and where none is.
_FITS, _FITS_ALONE = 0.64, 0.8
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
        self._until = (self._until + 1) % _HOLD
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
                tolerance = np.full(GRID, 0.8, np.float32)
            else:
                luma = (_shrunk(y).astype(np.float32) - 16) * (255 / 219)
                tolerance = _tolerance(luma, _activity(y))
            self._keep(self._change(colours, tolerance) * (224 / 255), half, joined=False)
        self._until = (self._until + 1) % _HOLD
        self._add([u, v])

    def _change(self, colours: Floats, tolerance: Floats) -> Floats:
        """What to add on the grid, (2, rows, columns), so that each slot's wave reaches its aim."""
        mine = self._carriers
        held = mine.projected(self._analysed(colours))
        side = np.sign(self._aim)
        change = np.zeros_like(colours)
        gain = 1 / max(0.5, float(tolerance.mean()))
        for _ in range(_STEPS):
            missing = np.maximum(0, self._aim * side - held * side) * side
            waves_ = self._down.T @ mine.spread(missing * gain) @ self._across
            change += waves_ * tolerance
            np.clip(change, -_PEAK * tolerance, _PEAK * tolerance, out=change)
            held = mine.projected(self._analysed(colours + change))
        rms = float(np.sqrt(np.mean(change * change)))
        return change * min(1.0, _RMS / max(rms, 1e-6))

    def _analysed(self, colours: Floats) -> Floats:
        found: Floats = self._down @ colours @ self._across.T
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
    picture = Image.fromarray(plane).resize(size[::-1], Image.Resampling.BICUBIC)
    return np.asarray(picture)


def _activity(plane: Bytes) -> Floats:
    """How busy the picture is, on the grid: mean steps between pixels."""
    part = plane[::2, ::2].astype(np.int16)
    steps = np.minimum(np.abs(part[:, 1:] - part[:, :-1]), 64).astype(np.uint8)
    return np.asarray(Image.fromarray(steps).resize(GRID[::-1], Image.Resampling.BOX), np.float32)


def _tolerance(luma: Floats, activity: Floats) -> Floats:
    """How much change goes unseen, about 1 in a mid-bright picture with some detail."""
    bright = np.clip(0.35 + luma / 100, 0.35, 1.0) * np.clip((270 - luma) / 40, 0.4, 1.0)
    busy = np.clip(0.65 + activity / 10, 0.65, 1.5)
    return (bright * busy).astype(np.float32)


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
    """What was read: `bits` float32 (64,), unit length, positive means 1; `pilot` how surely a mark is there.

    `pilot` is in standard deviations of pictures that carry none.
    """

    bits: Floats
    pilot: float


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
    """Read samples of a video: as it is, or cropped by up to a tenth of each side, whatever fits best."""
    colours = samples.mean_colours() - 128
    mine = carriers(key)
    whole = _read_at(colours, mine, (0.0, 0.0), (0.0, 0.0))
    if whole.pilot > _SURE:
        return whole
    cropped = _read_at(colours, mine, *_crop_of(colours, mine))
    return cropped if cropped.pilot > whole.pilot + _PREFER else whole


def score(soft: SoftBits, codewords: NDArray[np.uint64]) -> Floats:
    """How well each codeword fits, -1..1: (n,)."""
    raw = np.ascontiguousarray(codewords, dtype=">u8").view(np.uint8).reshape(-1, 8)
    signs = np.unpackbits(raw, axis=1).astype(np.float32) * 2 - 1
    found: Floats = signs @ soft.bits / np.float32(BITS**0.5)
    return found


def match(soft: SoftBits, codewords: NDArray[np.uint64]) -> Match | None:
    """The codeword that was read, None if none fits well enough."""
    if not len(codewords):
        return None
    fits = score(soft, codewords)
    best = int(np.argmax(fits))
    needed = _FITS if soft.pilot > _SEEN else _FITS_ALONE
    return Match(int(codewords[best]), float(fits[best])) if fits[best] >= needed else None


Sides = tuple[float, float]


def _read_at(colours: Floats, mine: Carriers, across: Sides, down: Sides) -> SoftBits:
    """Read a picture (2, rows, columns) from which these shares of its sides were cropped."""
    rows, columns = colours.shape[1:]
    left = waves(mine.columns, across[0] + (1 - sum(across)) * middles(columns))
    top = waves(mine.rows, down[0] + (1 - sum(down)) * middles(rows))
    coefficients = top @ colours @ left.T
    held = mine.projected(coefficients)
    noise = coefficients[mine.plane, mine.row, mine.column] * mine.sign
    spread = float(np.sqrt(np.sum(noise[mine.slot == PILOT] ** 2)))
    bits = held[:PILOT] / max(float(np.linalg.norm(held[:PILOT])), 1e-9)
    return SoftBits(bits, float(held[PILOT]) / max(spread, 1e-9))


def _crop_of(colours: Floats, mine: Carriers) -> tuple[Sides, Sides]:
    """The crop (left and right, top and bottom) at which the pilot stands out most."""
    pilot = np.zeros(BITS + 1, np.float32)
    pilot[PILOT] = 1
    chips = mine.spread(pilot)
    rows, columns = colours.shape[1:]
    steps = np.arange(0, _CROP + 1e-9, _CROP_STEP)
    pairs = [(a, b) for a in steps for b in steps]
    left = waves(mine.columns, np.stack([a + (1 - a - b) * middles(columns) for a, b in pairs]))
    top = waves(mine.rows, np.stack([a + (1 - a - b) * middles(rows) for a, b in pairs]))
    fits = np.zeros((len(pairs), len(pairs)), np.float32)
    for plane, chip in zip(colours, chips, strict=True):
        # (pairs, kx, columns) -> for each pair the plane seen through the pilot: (pairs, ky, rows)
        seen = np.matmul(np.matmul(chip, left), plane.T)
        fits += top.reshape(len(pairs), -1) @ seen.reshape(len(pairs), -1).T
    vertical, horizontal = np.unravel_index(int(np.argmax(fits)), fits.shape)
    return pairs[int(horizontal)], pairs[int(vertical)]
