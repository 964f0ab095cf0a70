"""Cuts the subjects out of paper: each figure is drawn once into small masks, one per colour role.

A mask stack has no colour yet; palettes give it one, so one stack serves all colours, times and styles.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter

Point = tuple[float, float]

CUT, MAIN, SECOND, LIGHT, DARK = 0, 1, 2, 3, 4
"""Roles: nothing, the part that a colour word paints, the second part, skin or glow, hair or wheels."""

PHASES = 4
"""Poses in one cycle of walking, flapping or burning."""

_SUPERSAMPLING = 4


class Pen:
    """Draws shapes in roles on a square from -1 to 1 (x to the right, y down), the figure facing right."""

    def __init__(self, side: int) -> None:
        self._scale = side / 2
        self.image = Image.new("L", (side, side), CUT)
        self._draw = ImageDraw.Draw(self.image)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        return [((x + 1) * self._scale, (y + 1) * self._scale) for x, y in points]

    def poly(self, role: int, *points: Point) -> None:
        self._draw.polygon(self._pixels(points), fill=role)

    def blob(self, role: int, *points: Point) -> None:
        """A closed smooth curve through the points."""
        self._draw.polygon(self._pixels(_spline(points, closed=True)), fill=role)

    def dot(self, role: int, x: float, y: float, rx: float, ry: float | None = None) -> None:
        ry = rx if ry is None else ry
        (left, top), (right, bottom) = self._pixels([(x - rx, y - ry), (x + rx, y + ry)])
        self._draw.ellipse((left, top, right, bottom), fill=role)

    def line(self, role: int, width: float, *points: Point) -> None:
        """A round-ended stroke along straight pieces."""
        self._stroke(role, [width] * len(points), points)

    def curve(self, role: int, widths: Sequence[float], *points: Point) -> None:
        """A smooth stroke through the points whose width goes from widths[0] to widths[-1]."""
        path = _spline(points, closed=False)
        steps = np.linspace(0, len(widths) - 1, len(path))
        self._stroke(role, list(np.interp(steps, range(len(widths)), widths)), path)

    def _stroke(self, role: int, widths: Sequence[float], points: Sequence[Point]) -> None:
        for (x, y), width in zip(points, widths, strict=False):
            self.dot(role, x, y, width / 2)
        for a, b, wa, wb in zip(points, points[1:], widths, widths[1:], strict=False):
            length = math.hypot(b[0] - a[0], b[1] - a[1]) or 1.0
            nx, ny = (a[1] - b[1]) / length / 2, (b[0] - a[0]) / length / 2
            self.poly(
                role,
                (a[0] + nx * wa, a[1] + ny * wa),
                (b[0] + nx * wb, b[1] + ny * wb),
                (b[0] - nx * wb, b[1] - ny * wb),
                (a[0] - nx * wa, a[1] - ny * wa),
            )


def _spline(points: Sequence[Point], closed: bool, steps: int = 8) -> list[Point]:
    """Catmull-Rom curve through the points."""
    n = len(points)
    spans = n if closed else n - 1
    out: list[Point] = []
    for i in range(spans):
        ids = (i - 1, i, i + 1, i + 2)
        p = [points[j % n] if closed else points[min(max(j, 0), n - 1)] for j in ids]
        for k in range(steps):
            t = k / steps
            weights = (
                -0.5 * t + t * t - 0.5 * t**3,
                1 - 2.5 * t * t + 1.5 * t**3,
                0.5 * t + 2 * t * t - 1.5 * t**3,
                -0.5 * t * t + 0.5 * t**3,
            )
            out.append(
                (
                    sum(w * q[0] for w, q in zip(weights, p, strict=False)),
                    sum(w * q[1] for w, q in zip(weights, p, strict=False)),
                )
            )
    return out if closed else [*out, points[-1]]


@functools.lru_cache(maxsize=256)
def masks(subject: str, side: int, device: torch.device) -> torch.Tensor:
    """The figure's masks: float32 [PHASES, 6, side, side] in [0, 1].

    Channels: the four roles (their sum is the coverage), the outline ring with the coverage under it,
    and the soft shadow around it.
    """
    from . import animals, people, things  # they import the pen from here

    draw: Callable[[Pen, float], None] = {**people.FIGURES, **animals.FIGURES, **things.FIGURES}[subject]
    stack = []
    for phase in range(PHASES):
        pen = Pen(side * _SUPERSAMPLING)
        draw(pen, phase / PHASES)
        stack.append(_channels(pen.image, side))
    return torch.from_numpy(np.stack(stack)).to(device)


def _channels(image: Image.Image, side: int) -> np.ndarray:
    roles = np.asarray(image)

    def small(mask: np.ndarray) -> np.ndarray:
        step = _SUPERSAMPLING
        return mask.reshape(side, step, side, step).mean((1, 3), dtype=np.float32)

    covered = Image.fromarray(((roles > 0) * 255).astype(np.uint8))
    # The ring is about 1/40 of the square: 2 to 3 pixels at 192 lines, and always at least one.
    ring = max(3, round(side * _SUPERSAMPLING / 56) * 2 + 1)
    thick = covered.resize((side * 2, side * 2), Image.Resampling.BOX)
    thick = thick.filter(ImageFilter.MaxFilter(max(3, ring // 2 // 2 * 2 + 1)))
    shadow = covered.resize((side, side), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(side / 24))
    outline = np.asarray(thick.resize((side, side), Image.Resampling.BOX), np.float32) / 255
    soft = np.asarray(shadow, np.float32) / 255
    return np.stack([*(small(roles == role) for role in (MAIN, SECOND, LIGHT, DARK)), outline, soft])


def wave(phase: float, shift: float = 0.0) -> float:
    """A cycle of -1..1 for poses; `phase` and `shift` in turns."""
    return math.sin(2 * math.pi * (phase + shift))
