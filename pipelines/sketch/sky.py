"""What hangs in the sky of a scene: the Milky Way, the sun, the moon."""

from __future__ import annotations

import functools

import torch

from . import palettes
from .world import Scene


@functools.lru_cache(maxsize=16)
def _band(height: int, width: int) -> torch.Tensor:
    """The Milky Way's bright core and its haze across a frame: [2, H, W]."""
    unit = min(height, width)
    y = (torch.arange(height)[:, None] - 0.34 * height) / unit
    x = (torch.arange(width)[None, :] - 0.5 * width) / unit
    along, across = x * 0.88 - y * 0.47, x * 0.47 + y * 0.88
    middle = 0.035 * torch.sin(along * 5 + 1)
    core = torch.exp(-(((across - middle) / 0.085) ** 2))
    rift = 0.45 * torch.exp(-(((across - middle - 0.015 * torch.sin(along * 13)) / 0.02) ** 2))
    haze = torch.exp(-(((across - middle) / 0.2) ** 2))
    return torch.stack([core * (0.75 + 0.25 * torch.sin(along * 9)) * (1 - rift), haze])


def milky_way(scene: Scene, height: int, width: int, device: torch.device) -> torch.Tensor:
    """Light added to the sky by the Milky Way: [1, 3, H, W]."""
    core, haze = _band(height, width).to(device)
    warm, cool = torch.tensor(((0.40, 0.37, 0.42), (0.10, 0.10, 0.22)), device=device)
    if scene.style == "mythic":
        warm, cool = torch.tensor(((0.55, 0.42, 0.18), (0.10, 0.10, 0.20)), device=device)
    elif scene.style in ("ink", "mono"):
        warm, cool = torch.tensor(((0.34, 0.34, 0.33), (0.1, 0.1, 0.1)), device=device)
    return warm[None, :, None, None] * core + cool[None, :, None, None] * haze


def disc(canvas: torch.Tensor, scene: Scene) -> torch.Tensor:
    """The sun (low and rising left at dawn, high by day, big and low at sunset) or the moon, with a halo."""
    height, width = canvas.shape[-2:]
    unit = min(height, width)
    x, y, radius, halo = {
        "dawn": (0.20, 0.36, 0.080, 0.32),
        "day": (0.82, 0.16, 0.075, 0.20),
        "sunset": (0.66, 0.44, 0.125, 0.42),
        "night": (0.80, 0.17, 0.080, 0.24),
    }[scene.time]
    device = canvas.device
    rows = (torch.arange(height, device=device)[:, None] + 0.5 - y * height) / unit
    columns = (torch.arange(width, device=device)[None, :] + 0.5 - x * width) / unit
    distance = torch.sqrt(rows**2 + columns**2)
    tone = torch.tensor(palettes.sun(scene), device=device)[None, :, None, None]
    pale = {"clear": 1.0, "storm": 0.5}.get(scene.weather, 0.65)
    glow = torch.exp(-(((distance - radius).clamp(min=0) / halo * 2.2) ** 2)) * (0.42 * pale)
    disc = ((radius - distance) * unit + 0.5).clamp(0, 1) * pale
    if scene.time == "night":
        # A crescent: a second disc bites into it.
        bite = torch.sqrt((rows + 0.022) ** 2 + (columns - 0.036) ** 2)
        disc = disc * (1 - 0.88 * ((radius * 0.86 - bite) * unit + 0.5).clamp(0, 1))
    return torch.lerp(torch.lerp(canvas, tone, glow * (0.5 if scene.time == "night" else 1.0)), tone, disc)
