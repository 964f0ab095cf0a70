"""What falls, drifts and flashes in front of a scene: rain, snow, fog and lightning, from fixed tables."""

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


PERIOD = 0.5
"""Seconds after which what falls looks the same again: 4 frames at 8 a second, one latent frame."""

# Height of the repeating strip and how far it moves sideways meanwhile, in short sides.
_FALL = {"rain": (0.5, -1 / 6), "snow": (0.25, -1 / 16)}


@functools.lru_cache(maxsize=32)
def strip(kind: str, height: int, width: int, device: torch.device) -> torch.Tensor:
    """A mask [strip height, width] of "rain" or "snow" in [0, 1] that repeats without a seam.

    Strips above and below are the same, moved sideways: a drop that has fallen through one strip lands on
    the place of the next drop, so that the whole field has a short period.
    """
    k = _SUPERSAMPLING
    unit = min(height, width) * k
    fall, aside = _FALL[kind]
    tall, aside = round(fall * unit / k) * k, round(aside * unit / k) * k
    image = Image.new("L", (width * k, tall), 0)
    draw = ImageDraw.Draw(image)
    rng = random.Random(kind)
    # A jittered grid: even everywhere, and no two drops on one another.
    step = unit * (0.13 if kind == "rain" else 0.11)
    columns, rows = round(width * k / step), round(tall / step)
    for i in range(columns):
        for j in range(rows):
            x = (i + rng.uniform(0.1, 0.9)) * width * k / columns
            y = (j + rng.uniform(0.1, 0.9)) * tall / rows
            shade, size = rng.choice((255, 215, 180)), rng.choice((0.011, 0.014, 0.017)) * unit
            for row in (-1, 0, 1):
                for ox in (-width * k, 0, width * k):
                    cx, cy = x + ox + row * aside, y + row * tall
                    if kind == "rain":
                        end = (cx + aside * 0.21, cy + tall * 0.21)
                        draw.line((cx, cy, *end), fill=shade, width=round(0.0125 * unit))
                    else:
                        draw.ellipse((cx - size, cy - size, cx + size, cy + size), fill=shade)
    small = np.asarray(image, np.float32).reshape(tall // k, k, width, k).mean((1, 3)) / 255
    return torch.from_numpy(small).to(device)


def falling(kind: str, times: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The mask of rain or snow at these seconds: [T, height, width]."""
    mask = strip(kind, height, width, times.device)
    tall, aside = mask.shape[0], round(_FALL[kind][1] * min(height, width))
    # Whole pixels: the drops stay as soft as they were cut.
    turns = times / PERIOD
    rows = torch.arange(height, device=times.device)[None] - torch.round(turns * tall).long()[:, None]
    # Strip j is moved aside j times; in one period a drop falls one strip and moves aside once.
    shift = torch.div(rows, tall, rounding_mode="floor") * aside + torch.round(turns * aside).long()[:, None]
    columns = (torch.arange(width, device=times.device)[None, None] - shift[:, :, None]) % width
    return mask[(rows % tall)[:, :, None], columns]


def fog_bands(times: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Opacity [T, height, width] of three long banks of mist that drift slowly."""
    y = torch.linspace(0, 1, height, device=times.device)[None, :, None]
    x = torch.linspace(-0.5, 0.5, width, device=times.device)[None, None, :] * (width / min(height, width))
    t = times[:, None, None]
    total = torch.zeros((1, 1, 1), device=times.device)
    for base, thick, speed, waves, share in (
        (0.40, 0.05, 0.10, 3.1, 0.55),
        (0.60, 0.05, -0.08, 2.3, 0.42),
        (0.86, 0.06, 0.12, 1.9, 0.62),
    ):
        middle = base + 0.022 * torch.sin(waves * (x - speed * t) * 2)
        total = torch.maximum(total, share * torch.exp(-(((y - middle) / thick) ** 2)))
    return 0.10 + 0.90 * total


@functools.lru_cache(maxsize=32)
def bolt(height: int, width: int, which: int, device: torch.device) -> torch.Tensor:
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
    twig = [
        path[3],
        (path[3][0] + unit * 0.10, path[3][1] + unit * 0.10),
        (path[3][0] + unit * 0.13, path[3][1] + unit * 0.2),
    ]
    for points, thick in ((path, 0.026), (twig, 0.016)):
        draw.line(
            [(a * k, b * k) for a, b in points],
            fill=255,
            width=max(2, round(thick * unit * k)),
            joint="curve",
        )
    stroke = torch.from_numpy(np.asarray(image, np.float32).reshape(height, k, width, k).mean((1, 3)) / 255)
    size = 2 * round(unit / 16) + 1
    glow = stroke[None, None]
    for _ in range(2):
        glow = torch.nn.functional.avg_pool2d(glow, size, 1, size // 2)
    return torch.stack([stroke, (glow[0, 0] * 3).clamp(0, 1)]).to(device)


def flash(time: float) -> tuple[float, int] | None:
    """How bright the lightning is at this second (1 at its start) and which bolt it is; None when dark."""
    for which, (start, end) in enumerate(FLASHES):
        if start - 1e-6 <= time <= end + 1e-6:
            return 1 - 0.7 * (time - start) / (end - start), which
    return None


@functools.lru_cache(maxsize=32)
def pigment(height: int, width: int, device: torch.device) -> torch.Tensor:
    """Low blotches of pigment and paper for ink and watercolour: [height, width] around 0, within +-1."""
    unit = min(height, width)
    y = torch.arange(height, dtype=torch.float32)[:, None] / unit
    x = torch.arange(width, dtype=torch.float32)[None, :] / unit
    rng = random.Random("pigment")
    total = torch.zeros(height, width)
    for _ in range(7):
        angle, waves, turn = rng.uniform(0, math.pi), rng.uniform(5, 15), rng.uniform(0, 2 * math.pi)
        total += torch.sin(waves * (x * math.cos(angle) + y * math.sin(angle)) + turn) / 7 * 2
    return total.clamp(-1, 1).to(device)
