"""A wide sheet of paper to draw one layer of a backdrop on, and how it is cut into small masks."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter

BODY, ACCENT, LAMP, DARK = 1, 2, 3, 4
"""Roles: the paper itself, its shaded or snowy part, what burns at night, the dark detail."""

OVERSCAN = 2.0
"""Width of a sheet in frame widths."""

_SUPERSAMPLING = 3


class Sheet:
    """Draws with x in short sides from the frame's middle and y in short sides above a base line.

    Base lines are given in frame heights, so a portrait keeps the composition and the shapes their form.
    """

    def __init__(self, height: int, width: int, seed: str) -> None:
        k = _SUPERSAMPLING
        self.unit = min(height, width) * k
        self.wide, self.tall = int(width * OVERSCAN) * k, height * k
        self.reach = self.wide / self.unit / 2
        self.image = Image.new("L", (self.wide, self.tall), 0)
        self._draw = ImageDraw.Draw(self.image)
        self.rng = random.Random(seed)

    def _xy(self, x: float, y: float, base: float) -> tuple[float, float]:
        return self.wide / 2 + x * self.unit, base * self.tall - y * self.unit

    def ridge(self, role: int, base: float, height: Callable[[float], float], below: float = 9.0) -> None:
        """Fill under the curve `height(x)`, down to `below` under it (by default to the bottom)."""
        xs = np.linspace(-self.reach, self.reach, 360)
        top = [self._xy(x, height(x), base) for x in xs]
        low = [(px, py + below * self.unit) for px, py in reversed(top)]
        self._draw.polygon(top + low, fill=role)

    def poly(self, role: int, base: float, *points: tuple[float, float]) -> None:
        self._draw.polygon([self._xy(x, y, base) for x, y in points], fill=role)

    def dot(self, role: int, base: float, x: float, y: float, rx: float, ry: float | None = None) -> None:
        ry = ry or rx
        (left, top), (right, bottom) = self._xy(x - rx, y + ry, base), self._xy(x + rx, y - ry, base)
        self._draw.ellipse((left, top, right, bottom), fill=role)

    def box(self, role: int, base: float, x: float, y: float, w: float, h: float) -> None:
        """A box standing on (x, y), its middle at x."""
        self.poly(role, base, (x - w / 2, y), (x + w / 2, y), (x + w / 2, y + h), (x - w / 2, y + h))

    def hills(self, waves: float, size: float, rough: float = 0.4) -> Callable[[float], float]:
        """A smooth ridge line of about `waves` hills per short side, from 0 to about `size`."""
        turns = [self.rng.uniform(0, 2 * math.pi) for _ in range(3)]

        def height(x: float) -> float:
            a = math.sin(waves * 3.4 * x + turns[0])
            b = math.sin(waves * 6.1 * x + turns[1])
            c = math.sin(waves * 13 * x + turns[2])
            return size * (0.5 + 0.5 * ((1 - rough) * a + rough * b) + 0.1 * c * rough)

        return height

    def spots(self, step: float, jitter: float = 0.3) -> list[float]:
        """x positions over the whole sheet, about `step` apart."""
        n = int(self.reach / step) + 1
        return [(k + self.rng.uniform(-jitter, jitter)) * step for k in range(-n, n + 1)]


def cut(draw: Callable[[Sheet, int], None], layer: int, seed: str, height: int, width: int) -> torch.Tensor:
    sheet = Sheet(height, width, seed)
    draw(sheet, layer)
    k = _SUPERSAMPLING
    roles = np.asarray(sheet.image)

    def small(mask: np.ndarray) -> np.ndarray:
        return mask.reshape(height, k, mask.shape[1] // k, k).mean((1, 3), dtype=np.float32)

    masks = [small(roles == role) for role in (BODY, ACCENT, LAMP, DARK)]
    cover = sum(masks)
    # Coverage a little further down, subtracted: a line along the upper edge, about 1/90 of the short side.
    drop = max(1.2, min(height, width) / 90)
    lower = _shifted(cover, drop)
    blurred = Image.fromarray((cover * 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(min(height, width) / 36)
    )
    shadow = _shifted(np.asarray(blurred, np.float32) / 255, -min(height, width) / 60)
    stack = np.stack([*masks, np.clip(cover - lower, 0, 1), shadow])
    return torch.from_numpy(np.round(stack * 255).astype(np.uint8))


def _shifted(mask: np.ndarray, down: float) -> np.ndarray:
    """The mask moved down by a fraction of pixels; edge rows repeat."""
    rows = np.clip(np.arange(mask.shape[0]) - down, 0, mask.shape[0] - 1)
    low = np.floor(rows).astype(int)
    part = (rows - low)[:, None].astype(np.float32)
    return mask[low] * (1 - part) + mask[np.minimum(low + 1, mask.shape[0] - 1)] * part
