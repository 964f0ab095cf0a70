"""Cuts the backdrops out of paper: three or four layers each, far to near.

A layer is a wide sheet (twice the frame) of masks per colour role, so that a camera can pan over it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch

from .sheet import ACCENT, BODY, DARK, LAMP, OVERSCAN, Sheet, cut

GROUND = 0.85
"""Where feet stand, in frame heights from the top."""


def _pine(s: Sheet, role: int, base: float, x: float, y: float, h: float) -> None:
    s.box(role, base, x, y - 0.03, h * 0.12, h * 0.3)
    for k, w in ((0.15, 0.30), (0.40, 0.235), (0.65, 0.16)):
        s.poly(role, base, (x - h * w, y + h * k), (x + h * w, y + h * k), (x, y + h * (k + 0.42)))


def _tree(s: Sheet, role: int, base: float, x: float, y: float, h: float) -> None:
    s.box(role, base, x, y - 0.02, h * 0.12, h * 0.6)
    for dx, dy, r in ((0, 0.75, 0.28), (-0.2, 0.58, 0.2), (0.2, 0.6, 0.2)):
        s.dot(role, base, x + dx * h, y + dy * h, r * h)


def _peaks(s: Sheet, base: float, size: float, step: float, snow: float) -> None:
    for x in s.spots(step, 0.25):
        h, w = size * s.rng.uniform(0.65, 1.1), step * s.rng.uniform(0.75, 1.0)
        lean = s.rng.uniform(-0.15, 0.15) * w
        s.poly(BODY, base, (x - w, -0.05), (x + w, -0.05), (x + lean, h))
        s.poly(DARK, base, (x + w * 0.25, -0.05), (x + w, -0.05), (x + lean, h))
        if snow:
            a, b = 1 - snow, 1 - snow * 0.7
            s.poly(
                ACCENT,
                base,
                (x + lean, h),
                (x + lean * a - w * (1 - a), h * a),
                (x + lean * b - w * 0.05, h * (b + 0.02)),
                (x + lean * a + w * 0.04, h * (a - 0.04)),
                (x + lean * b + w * 0.1, h * b),
                (x + lean * a + w * (1 - a), h * a),
            )
    s.ridge(BODY, base, lambda x: -0.04)


def _sea(s: Sheet, layer: int) -> None:
    if layer == 0:
        for x in s.spots(0.75, 0.3):
            w, h = s.rng.uniform(0.2, 0.4), s.rng.uniform(0.05, 0.12)
            s.dot(BODY, 0.585, x, 0, w, h)
        s.ridge(DARK, 0.585, lambda x: 0.0)
        return
    _waves(s, (0.0, 0.575, 0.68, 0.79)[layer], (0, 0.010, 0.022, 0.030)[layer], (0, 0.16, 0.23, 0.3)[layer])


def _waves(s: Sheet, base: float, size: float, length: float) -> None:
    """A band of scallops with a pale crest and a pale line below."""
    start = s.rng.random()

    def crest(x: float) -> float:
        return size * (2 * abs(math.sin(math.pi * (x / length + start))) ** 0.8 - 1)

    s.ridge(ACCENT, base, lambda x: -crest(x))
    s.ridge(BODY, base, lambda x: -crest(x) - 0.016 - size * 0.25)
    s.ridge(DARK, base, lambda x: -crest(x + length / 2) - 0.085 - size, 0.014 + size * 0.2)


def _mountains(s: Sheet, layer: int) -> None:
    if layer == 0:
        _peaks(s, 0.66, 0.44, 0.42, 0.34)
    elif layer == 1:
        line = s.hills(0.8, 0.17)
        for x in s.spots(0.11):
            _pine(s, DARK, 0.74, x, line(x), s.rng.uniform(0.07, 0.12))
        s.ridge(BODY, 0.74, line)
    else:
        line = s.hills(0.5, 0.05)
        for x in s.spots(0.34):
            _pine(s, DARK, 0.83, x, line(x), s.rng.uniform(0.12, 0.19))
        s.ridge(BODY, 0.83, line)
        s.ridge(ACCENT, 0.93, s.hills(0.6, 0.04))


def _desert(s: Sheet, layer: int) -> None:
    if layer == 0:
        for x in s.spots(0.62, 0.2):
            h = s.rng.uniform(0.14, 0.3)
            s.poly(BODY, 0.66, (x - h * 0.9, 0), (x + h * 0.9, 0), (x, h))
            s.poly(DARK, 0.66, (x + h * 0.2, 0), (x + h * 0.9, 0), (x, h))
        s.ridge(BODY, 0.66, s.hills(0.6, 0.03))
    elif layer == 1:
        line = s.hills(0.6, 0.15, 0.2)
        s.ridge(BODY, 0.76, line)
        s.ridge(ACCENT, 0.76, lambda x: min(line(x), 1.5 * line(x + 0.13) - 0.04))
    else:
        line = s.hills(0.45, 0.06, 0.2)
        for x in s.spots(0.9, 0.2):
            h = s.rng.uniform(0.16, 0.24)
            x += 0.42
            s.box(DARK, 0.82, x, line(x) - 0.02, h * 0.2, h)
            s.dot(DARK, 0.82, x, line(x) + h - 0.02, h * 0.1)
            for side, up in ((-1, 0.42), (1, 0.3)):
                s.box(DARK, 0.82, x + side * h * 0.22, line(x) + h * up, h * 0.36, h * 0.13)
                s.box(DARK, 0.82, x + side * h * 0.36, line(x) + h * up, h * 0.14, h * 0.4)
        s.ridge(BODY, 0.82, line)
        s.ridge(ACCENT, 0.93, s.hills(0.7, 0.05, 0.2))


def _forest(s: Sheet, layer: int) -> None:
    if layer == 0:
        line = s.hills(0.7, 0.1)
        for x in s.spots(0.08):
            _pine(s, BODY, 0.62, x, line(x) - 0.05, s.rng.uniform(0.16, 0.26))
        s.ridge(BODY, 0.62, line)
    elif layer == 1:
        line = s.hills(0.6, 0.06)
        for x in s.spots(0.15):
            _pine(s, s.rng.choice((BODY, ACCENT, DARK)), 0.75, x, line(x) - 0.03, s.rng.uniform(0.3, 0.44))
        s.ridge(BODY, 0.75, line)
    else:
        line = s.hills(0.5, 0.04)
        for x in s.spots(0.62, 0.12):
            x += 0.31 if x >= 0 else -0.31  # the middle stays free for the subject
            _pine(s, DARK, 0.84, x, line(x) - 0.03, s.rng.uniform(0.6, 0.78))
        s.ridge(BODY, 0.83, line)
        s.ridge(ACCENT, 0.93, s.hills(0.8, 0.04))


def _windows(s: Sheet, base: float, x: float, y: float, w: float, h: float, share: float) -> None:
    step = 0.05
    columns, rows = int((w - 0.02) / step), int((h - 0.03) / (step * 1.15))
    for i in range(columns):
        for j in range(rows):
            if s.rng.random() < share:
                s.box(
                    LAMP,
                    base,
                    x + (i - (columns - 1) / 2) * step,
                    y + h - 0.06 - j * step * 1.15,
                    0.024,
                    0.032,
                )


def _city(s: Sheet, layer: int) -> None:
    if layer == 2:
        s.ridge(BODY, 0.80, lambda x: 0.0)
        s.ridge(ACCENT, 0.80, lambda x: 0.0, 0.02)
        for x in s.spots(0.24, 0.0):
            s.box(ACCENT, 0.92, x, 0, 0.12, 0.018)
        return
    base, step, low, high = (0.74, 0.13, 0.22, 0.5) if layer == 0 else (0.82, 0.17, 0.14, 0.42)
    for x in s.spots(step, 0.15):
        w, h = step * s.rng.uniform(0.7, 1.0), s.rng.uniform(low, high)
        role = s.rng.choice((BODY, BODY, ACCENT, DARK))
        s.box(role, base, x, -0.1, w, h + 0.1)
        top = s.rng.random()
        if top < 0.25:
            s.poly(role, base, (x - w / 2, h), (x + w / 2, h), (x, h + 0.06))
        elif top < 0.5:
            s.box(role, base, x, h, w * 0.5, 0.035)
        if layer == 1:
            _windows(s, base, x, 0, w, h, 0.55)
    s.ridge(BODY, base, lambda x: -0.02)


def _grassland(s: Sheet, layer: int) -> None:
    if layer == 0:
        s.ridge(BODY, 0.66, s.hills(0.7, 0.17))
    elif layer == 1:
        line = s.hills(0.55, 0.12)
        for x in s.spots(0.36, 0.35):
            _tree(s, DARK, 0.75, x, line(x), s.rng.uniform(0.09, 0.15))
        s.ridge(BODY, 0.75, line)
        s.ridge(ACCENT, 0.80, s.hills(0.9, 0.06))
    else:
        line = s.hills(0.5, 0.05)
        for x in s.spots(0.07):
            h = s.rng.uniform(0.03, 0.06)
            s.poly(
                BODY,
                0.83,
                (x - 0.02, line(x) - 0.01),
                (x + 0.02, line(x) - 0.01),
                (x + s.rng.uniform(-0.02, 0.02), line(x) + h),
            )
        s.ridge(BODY, 0.83, line)
        s.ridge(ACCENT, 0.93, s.hills(0.8, 0.04))
        for x in s.spots(0.17, 0.4):
            s.dot(s.rng.choice((DARK, LAMP)), 0.93, x, s.rng.uniform(-0.02, 0.06), 0.016)


def _river(s: Sheet, layer: int) -> None:
    if layer == 0:
        _peaks(s, 0.58, 0.28, 0.5, 0.0)
    elif layer == 1:
        line = s.hills(0.8, 0.07)
        for x in s.spots(0.2, 0.4):
            _tree(s, DARK, 0.60, x, line(x), s.rng.uniform(0.10, 0.19))
        s.ridge(BODY, 0.60, line)
        s.ridge(ACCENT, 0.645, lambda x: 0.0)
    elif layer == 2:
        s.ridge(BODY, 0.66, lambda x: 0.004 * math.sin(20 * x))
        for y in (0.70, 0.74):
            for x in s.spots(0.34, 0.3):
                w = s.rng.uniform(0.06, 0.13)
                s.dot(ACCENT, y, x, 0, w, 0.009)
    else:
        _waves(s, 0.80, 0.014, 0.26)


def _space(s: Sheet, layer: int) -> None:
    if layer == 0:
        x, y, r = s.rng.uniform(0.5, 0.58), s.rng.uniform(0.40, 0.48), s.rng.uniform(0.115, 0.145)
        turns = [math.pi * k / 24 for k in range(49)]
        wide, tight = (
            [
                (
                    x + q * r * (1.75 * math.cos(a) - 0.16 * math.sin(a)),
                    y + q * r * (0.5 * math.cos(a) + 0.42 * math.sin(a)),
                )
                for a in turns
            ]
            for q in (1.0, 0.76)
        )
        # The ring's back half, the planet, then the front half over it.
        s.poly(ACCENT, 1.0, *wide[:25], *reversed(tight[:25]))
        s.dot(BODY, 1.0, x, y, r)
        s.dot(DARK, 1.0, x + 0.35 * r, y + 0.42 * r, r * 0.22)
        s.dot(DARK, 1.0, x - 0.45 * r, y + 0.2 * r, r * 0.16)
        s.poly(ACCENT, 1.0, *wide[24:], *reversed(tight[24:]))
    elif layer == 1:
        _peaks(s, 0.82, 0.10, 0.3, 0.0)
    else:
        line = s.hills(0.35, 0.06, 0.2)
        s.ridge(BODY, 0.84, line)
        for x in s.spots(0.3, 0.3):
            y = line(x) - s.rng.uniform(0.05, 0.12)
            w = s.rng.uniform(0.04, 0.09)
            s.dot(DARK, 0.84, x, y, w, w * 0.32)
            s.dot(ACCENT, 0.84, x, y - w * 0.1, w * 0.8, w * 0.2)


def _village(s: Sheet, layer: int) -> None:
    if layer == 0:
        s.ridge(BODY, 0.64, s.hills(0.7, 0.2))
    elif layer == 1:
        for k, x in enumerate(s.spots(0.34, 0.1)):
            w, h = s.rng.uniform(0.24, 0.31), s.rng.uniform(0.13, 0.2)
            tiers = 3 if k % 5 == s.rng.randrange(5) else 1
            for tier in range(tiers):
                y, ww = tier * (h + 0.05), w * (1 - 0.22 * tier)
                s.box(BODY, 0.80, x, y - 0.06, ww * 0.86, h + 0.06)
                # Eaves turned up at the ends: an old street, not a suburb.
                s.poly(
                    ACCENT,
                    0.80,
                    (x - ww * 0.66, y + h + 0.025),
                    (x - ww * 0.5, y + h - 0.015),
                    (x + ww * 0.5, y + h - 0.015),
                    (x + ww * 0.66, y + h + 0.025),
                    (x + ww * 0.3, y + h + 0.085),
                    (x - ww * 0.3, y + h + 0.085),
                )
                for side in (-0.24, 0.24):
                    s.box(LAMP, 0.80, x + side * ww, y + h * 0.35, 0.05, 0.06)
            s.box(DARK, 0.80, x, -0.06, 0.05, h * 0.62 + 0.06)
        s.ridge(DARK, 0.80, lambda x: -0.03)
    else:
        s.ridge(BODY, 0.80, lambda x: 0.0)
        for row, y in enumerate((0.86, 0.92, 0.98)):
            for x in s.spots(0.2, 0.1):
                s.dot(ACCENT, y, x + 0.1 * (row % 2), 0, 0.075, 0.016)


def _igloo(s: Sheet, base: float, x: float, y: float, r: float) -> None:
    """A house of snow: at night and in grey it tells a snowfield from mountains."""
    s.dot(BODY, base, x, y, r)
    for k, w in ((0.34, 0.92), (0.66, 0.72)):
        s.box(ACCENT, base, x, y + r * k, 2 * r * w, 0.009)
    for dx, k in ((-0.55, 0.0), (0.55, 0.0), (-0.3, 0.34), (0.3, 0.34), (0.0, 0.66)):
        s.box(ACCENT, base, x + dx * r, y + r * k, 0.009, r * 0.33)
    s.dot(DARK, base, x, y, r * 0.3, r * 0.5)


def _snowfield(s: Sheet, layer: int) -> None:
    if layer == 0:
        _peaks(s, 0.66, 0.3, 0.5, 0.6)
    elif layer == 1:
        line = s.hills(0.7, 0.12)
        for x in s.spots(0.24, 0.4):
            _pine(s, DARK, 0.76, x, line(x), s.rng.uniform(0.11, 0.2))
        s.ridge(BODY, 0.76, line)
    else:
        line = s.hills(0.45, 0.05)
        for x in (-1.2, -0.36, 0.44, 1.3):
            _igloo(s, 0.83, x, line(x) - 0.02, 0.19)
        s.ridge(BODY, 0.83, line)
        s.ridge(ACCENT, 0.93, s.hills(0.7, 0.05))


_DRAW: dict[str, tuple[Callable[[Sheet, int], None], int]] = {
    "sea": (_sea, 4),
    "mountains": (_mountains, 3),
    "desert": (_desert, 3),
    "forest": (_forest, 3),
    "city": (_city, 3),
    "grassland": (_grassland, 3),
    "river": (_river, 4),
    "space": (_space, 3),
    "village": (_village, 3),
    "snowfield": (_snowfield, 3),
}


def _clouds(s: Sheet, layer: int) -> None:
    for x in s.spots(0.5, 0.2):
        y, w = s.rng.uniform(0.70, 0.90), s.rng.uniform(0.10, 0.15)
        if 0.64 < x * s.unit / (s.wide / OVERSCAN) + 0.5 < 1.0:
            continue  # here shines the sun
        s.dot(BODY, 1.0, x, y * s.tall / s.unit, w * 1.5, w * 0.3)
        s.dot(BODY, 1.0, x - 0.3 * w, y * s.tall / s.unit + w * 0.3, w * 0.55, w * 0.42)
        s.dot(BODY, 1.0, x + 0.45 * w, y * s.tall / s.unit + w * 0.22, w * 0.5, w * 0.34)


def _overcast(s: Sheet, layer: int) -> None:
    for row, base in enumerate((0.06, 0.0)):
        for x in s.spots(0.26, 0.2):
            s.dot(ACCENT if row == 0 else BODY, base, x, 0, 0.22, s.rng.uniform(0.11, 0.17))


def _stars(s: Sheet, layer: int) -> None:
    step = 0.15
    for row in range(int(0.62 * s.tall / s.unit / step)):
        for x in s.spots(step, 0.4):
            y = (row + s.rng.uniform(0.1, 0.9)) * step * s.unit / s.tall
            r = s.rng.choice((0.007, 0.009, 0.009, 0.013))
            across = x * s.unit / (s.wide / OVERSCAN) + 0.5
            # No stars on the dark side of the moon.
            if math.hypot((across - 0.80) * s.wide / OVERSCAN, (y - 0.17) * s.tall) > 0.13 * s.unit:
                s.dot(BODY, y, x, 0, r)


@functools.cache
def sheets(backdrop: str, height: int, width: int, device: torch.device) -> tuple[torch.Tensor, ...]:
    """The layers' masks, far to near: uint8 [6, height, 2*width] each, 255 for full coverage.

    Channels: body, accent, lamp, dark (their sum is the coverage), edge line inside the top, shadow above.
    """
    draw, count = _DRAW[backdrop]
    layers = (cut(draw, layer, f"{backdrop}/{layer}", height, width) for layer in range(count))
    return tuple(layer.to(device) for layer in layers)


@functools.cache
def sky_sheet(kind: str, height: int, width: int, device: torch.device) -> torch.Tensor:
    """Masks of "clouds", "overcast" or "stars", shaped like one of `sheets`."""
    draw = {"clouds": _clouds, "overcast": _overcast, "stars": _stars}[kind]
    return cut(draw, 0, kind, height, width).to(device)
