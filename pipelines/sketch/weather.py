"""What falls, drifts and flashes in front of a scene: rain, snow, fog bands and lightning, from fixed tables."""

from __future__ import annotations

import functools
import math
import random

import numpy as np
import torch
from PIL import Image, ImageDraw

_SUPERSAMPLING = 3

FLASHES: tuple[tuple[float, float], ...] = ((0.75, 1.0), (2.75, 3.0), (4.75, 5.0), (6.75, 7.0), (8.75, 9.0))
"""Seconds from and to when lightning is seen: frames 6-8, 22-24, ... at 8 frames a second."""


@functools.lru_cache(maxsize=32)
def tile(kind: str, height: int, width: int) -> torch.Tensor:
    """A mask [height, width] of "rain" or "snow" in [0, 1] that repeats without a seam."""
    k = _SUPERSAMPLING
    unit = min(height, width) * k
    image = Image.new("L", (width * k, height * k), 0)
    draw = ImageDraw.Draw(image)
    rng = random.Random(kind)
    # A jittered grid: even everywhere, and no two drops on one another.
    step = unit * (0.125 if kind == "rain" else 0.115)
    columns, rows = round(width * k / step), round(height * k / step)
    for i in range(columns):
        for j in range(rows):
            x = (i + rng.uniform(0.1, 0.9)) * width * k / columns
            y = (j + rng.uniform(0.1, 0.9)) * height * k / rows
            shade = rng.choice((255, 200, 160))
            size = rng.choice((0.011, 0.014, 0.017)) * unit
            for ox in (-width * k, 0, width * k):
                for oy in (-height * k, 0, height * k):
                    if kind == "rain":
                        dx, dy = -0.035 * unit, 0.105 * unit
                        draw.line((x + ox, y + oy, x + ox + dx, y + oy + dy), fill=shade, width=round(0.0125 * unit))
                    else:
                        draw.ellipse((x + ox - size, y + oy - size, x + ox + size, y + oy + size), fill=shade)
    small = np.asarray(image, np.float32).reshape(height, k, width, k).mean((1, 3)) / 255
    return torch.from_numpy(small)


def falling(kind: str, times: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The mask of rain or snow at these seconds: [T, height, width]."""
    mask = tile(kind, height, width).to(times.device)
    unit = min(height, width)
    down, across = (1.35, -0.45) if kind == "rain" else (0.22, 0.0)
    # Whole pixels: the drops stay as soft as they were cut.
    dy = torch.round(times * down * unit).long()
    dx = torch.round(times * across * unit).long()
    if kind == "snow":
        dx = torch.round(torch.sin(times * 1.6) * 0.03 * unit).long()
    rows = (torch.arange(height, device=times.device)[None] - dy[:, None]) % height
    columns = (torch.arange(width, device=times.device)[None] - dx[:, None]) % width
    return mask[rows[:, :, None], columns[:, None, :]]


def fog_bands(times: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Opacity [T, height, width] of three long banks of mist that drift slowly."""
    y = torch.linspace(0, 1, height, device=times.device)[None, :, None]
    x = torch.linspace(-0.5, 0.5, width, device=times.device)[None, None, :] * (width / min(height, width))
    t = times[:, None, None]
    total = torch.zeros((1, 1, 1), device=times.device)
    for base, thick, speed, waves, share in ((0.46, 0.05, 0.10, 3.1, 0.62), (0.64, 0.06, -0.08, 2.3, 0.62),
                                             (0.84, 0.06, 0.12, 1.9, 0.70)):
        middle = base + 0.022 * torch.sin(waves * (x - speed * t) * 2)
        total = torch.maximum(total, share * torch.exp(-(((y - middle) / thick) ** 2)))
    return 0.16 + 0.84 * total


@functools.lru_cache(maxsize=32)
def bolt(height: int, width: int, which: int) -> torch.Tensor:
    """A lightning bolt's mask [2, height, width]: the stroke and its glow."""
    k = _SUPERSAMPLING
    rng = random.Random(f"bolt{which}")
    unit = min(height, width)
    image = Image.new("L", (width * k, height * k), 0)
    draw = ImageDraw.Draw(image)
    x = width * (0.26, 0.74)[which % 2]
    path = [(x, 0.0)]
    for j in range(1, 7):
        path.append((x + unit * rng.uniform(-0.09, 0.09), height * 0.60 * j / 6))
    twig = [path[3], (path[3][0] + unit * 0.10, path[3][1] + unit * 0.10), (path[3][0] + unit * 0.13, path[3][1] + unit * 0.2)]
    for points, thick in ((path, 0.026), (twig, 0.016)):
        draw.line([(a * k, b * k) for a, b in points], fill=255, width=max(2, round(thick * unit * k)), joint="curve")
    stroke = torch.from_numpy(np.asarray(image, np.float32).reshape(height, k, width, k).mean((1, 3)) / 255)
    size = 2 * round(unit / 16) + 1
    glow = stroke[None, None]
    for _ in range(2):
        glow = torch.nn.functional.avg_pool2d(glow, size, 1, size // 2)
    return torch.stack([stroke, (glow[0, 0] * 3).clamp(0, 1)])


def flash(time: float) -> tuple[float, int] | None:
    """How bright the lightning is at this second (1 at its start) and which bolt it is; None when dark."""
    for which, (start, end) in enumerate(FLASHES):
        if start - 1e-6 <= time <= end + 1e-6:
            return 1 - 0.7 * (time - start) / (end - start), which
    return None


@functools.lru_cache(maxsize=32)
def pigment(height: int, width: int) -> torch.Tensor:
    """Low blotches of pigment and paper for ink and watercolour: [height, width] around 0, within +-1."""
    unit = min(height, width)
    y = torch.arange(height, dtype=torch.float32)[:, None] / unit
    x = torch.arange(width, dtype=torch.float32)[None, :] / unit
    rng = random.Random("pigment")
    total = torch.zeros(height, width)
    for _ in range(7):
        angle, waves, turn = rng.uniform(0, math.pi), rng.uniform(5, 15), rng.uniform(0, 2 * math.pi)
        total += torch.sin(waves * (x * math.cos(angle) + y * math.sin(angle)) + turn) / 7 * 2
    return total.clamp(-1, 1)
