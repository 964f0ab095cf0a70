"""What carries the invisible fingerprint: keyed waves, slow in space, in the two colour planes of a picture.

A wave is one coefficient of a cosine transform of the whole picture; every coefficient of a band belongs to
one of 64 bits or to the pilot. Places are counted in shares of the picture, so size does not matter.
"""

import hashlib
import hmac
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

BITS = 64
PILOT = BITS
GRID = (72, 128)
"""Rows and columns of the picture's grid that marks are made on."""

# Waves across the width: slower ones are mottling and drown in the picture, faster ones die in an encoder.
_LOW, _HIGH = 5.0, 18.0
# Pictures hold less of faster waves, so these may count for more.
_TILT = 1.0
_PILOT_SHARE = 0.22
# Colours that stand out from their surroundings (boxes of the grid) by this are cut to about it.
_LIMIT, _BOX = 3.0, 20
_SALT = b"fingerprint 1 "


def key_from(secret: bytes) -> bytes:
    """What a studio's fingerprints are spread by, from its secret: the same for ever."""
    return hmac.new(secret, b"wan-studio fingerprint 1", hashlib.sha256).digest()


@dataclass(frozen=True, eq=False)
class Carriers:
    """The band's coefficients: plane (0 blue, 1 red), row and column, whose (0..63 or PILOT), which sign.

    `sign` is already divided by the root of how many a slot has: every slot is a wave of unit length.
    """

    plane: NDArray[np.intp]
    row: NDArray[np.intp]
    column: NDArray[np.intp]
    slot: NDArray[np.intp]
    sign: Floats
    rows: int
    columns: int

    def projected(self, coefficients: Floats) -> Floats:
        """How much of each slot's wave is in planes, given their coefficients (2, rows, columns): (65,)."""
        found = coefficients[self.plane, self.row, self.column] * self.sign
        return np.bincount(self.slot, found, BITS + 1).astype(np.float32)

    def spread(self, amounts: Floats) -> Floats:
        """The coefficients (2, rows, columns) of the waves, each by its amount: (65,)."""
        out = np.zeros((2, self.rows, self.columns), np.float32)
        out[self.plane, self.row, self.column] = amounts[self.slot] * self.sign
        return out


@cache
def carriers(key: bytes) -> Carriers:
    """The waves of this key: the same for ever, on every machine."""
    rows, columns = int(2 * _HIGH * GRID[0] / GRID[1]) + 1, int(2 * _HIGH) + 1
    down, across = np.mgrid[0:rows, 0:columns]
    speed = np.hypot(across / 2, down / 2 * GRID[1] / GRID[0])
    row, column = np.nonzero((speed >= _LOW) & (speed < _HIGH))
    plane = np.repeat([0, 1], len(row))
    row, column = np.tile(row, 2), np.tile(column, 2)
    count = len(plane)
    # No library's generator: what is random there may become another sequence with a new version.
    drawn = np.frombuffer(hashlib.shake_256(_SALT + key).digest(count * 8), "<u8")
    order = np.argsort(drawn, kind="stable")
    slot = np.empty(count, np.intp)
    pilots = int(count * _PILOT_SHARE)
    slot[order[:pilots]] = PILOT
    slot[order[pilots:]] = np.arange(count - pilots) % BITS
    sign = np.where(drawn & np.uint64(1), 1.0, -1.0)
    sign *= np.hypot(column / 2, row / 2 * GRID[1] / GRID[0]) ** _TILT
    sign /= np.sqrt(np.bincount(slot, sign * sign, BITS + 1))[slot]
    return Carriers(plane, row, column, slot, sign.astype(np.float32), rows, columns)


def calmed(colours: Floats) -> Floats:
    """Colour planes (..., 72, 128) without what would drown a mark: slow differences go, edges are cut off.

    Marks are made and read in planes like this; where nothing is strong, what is added stays as it is.
    """
    fine = colours - _smooth(colours)
    out: Floats = fine / np.sqrt(1 + (fine / _LIMIT) ** 2)
    return out


def heard(colours: Floats) -> Floats:
    """How much of what is added to each place is left in the calmed planes: 1 in quiet places, 0 at edges."""
    fine = colours - _smooth(colours)
    out: Floats = (1 + (fine / _LIMIT) ** 2) ** -1.5
    return out


def _smooth(planes: Floats) -> Floats:
    """Means over boxes, the picture mirrored at its sides."""
    reach = _BOX // 2
    for axis in (-2, -1):
        pads = [(0, 0)] * planes.ndim
        pads[axis] = (reach + 1, reach)
        sums = np.cumsum(np.pad(planes, pads, mode="symmetric"), axis=axis, dtype=np.float64)
        size = planes.shape[axis]
        low, high = np.arange(size), np.arange(size) + 2 * reach + 1
        planes = ((sums.take(high, axis) - sums.take(low, axis)) / (2 * reach + 1)).astype(np.float32)
    return planes


def waves(count: int, places: NDArray[np.floating]) -> Floats:
    """Cosine waves 0..count-1 of unit length at places (shares of the side, 0..1): (..., count, places)."""
    numbers = np.arange(count)[:, None]
    table = np.cos(np.pi * numbers * places[..., None, :]) * np.sqrt(2 / places.shape[-1])
    table[..., 0, :] /= np.sqrt(2)
    out: Floats = table.astype(np.float32)
    return out


def middles(count: int) -> NDArray[np.float64]:
    """The middles of so many equal parts of a side, as shares of it."""
    return (np.arange(count) + 0.5) / count


def signs_of(codeword: int) -> Floats:
    """The 64 bits of a codeword as +1 and -1, the highest first."""
    bits = np.unpackbits(np.frombuffer(int(codeword).to_bytes(8, "big"), np.uint8))
    return bits.astype(np.float32) * 2 - 1
