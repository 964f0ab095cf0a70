"""Plain image measures: the palette's nearest neighbours, and the way something takes through the picture."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.sketch.judge import real_clips
from pipelines.sketch.world import Scene, sample_scene

WAYS = ("left", "right", "up", "down")


def palette(clips: Tensor) -> Tensor:
    """Colours by rough place, [B, n], of clips [B, 6, 3, H, W]: light, hue, saturation of sky and land."""
    still = clips[:, ::2].mean(1)
    coarse = F.adaptive_avg_pool2d(still, (6, 4)).flatten(1)
    spread = clips[:, ::2].flatten(-2).std(-1).mean(1)
    grey = (clips.amax(2) - clips.amin(2)).mean((1, 2, 3))
    return torch.cat([coarse, 2 * spread, 3 * grey[:, None]], 1)


@dataclass
class Neighbours:
    """Real clips with their palettes, to compare others with."""

    scenes: list[Scene]
    palettes: Tensor

    @classmethod
    def fit(cls, seed: int, count: int = 1200) -> Neighbours:
        """Render scenes of the training side and remember their palettes."""
        rng = random.Random(f"palettes {seed}")
        scenes = [sample_scene(rng, held_out=False) for _ in range(count)]
        parts = [palette(real_clips(scenes[start : start + 50])) for start in range(0, count, 50)]
        return cls(scenes, torch.cat(parts))

    def vote(self, clips: Tensor, name: str, nearest: int = 5) -> list[str]:
        """The most frequent value of an attribute among the real clips with the nearest palettes."""
        rows = torch.cdist(palette(clips), self.palettes).topk(nearest, largest=False).indices
        return [
            Counter(getattr(self.scenes[row], name) for row in some).most_common(1)[0][0]
            for some in rows.tolist()
        ]


def way(clip: Tensor) -> str:
    """Where the thing that differs from the clip's own median frame goes: "left", "right", "up" or "down".

    `clip` [6, 3, H, W] has its frames evenly in time; the camera must be still.
    """
    height, width = clip.shape[-2:]
    differs = (clip - clip.median(0).values).abs().amax(1)
    differs = F.avg_pool2d(differs[:, None], 9, 4, 4)[:, 0] ** 3
    rows = torch.linspace(0, height / width, differs.shape[-2])
    columns = torch.linspace(0, 1, differs.shape[-1])
    total = differs.sum((1, 2)).clamp(min=1e-9)
    x = (differs.sum(1) * columns).sum(1) / total
    y = (differs.sum(2) * rows).sum(1) / total
    dx, dy = (x[-2:].mean() - x[:2].mean()).item(), (y[-2:].mean() - y[:2].mean()).item()
    if abs(dx) > abs(dy):
        return "right" if dx > 0 else "left"
    return "down" if dy > 0 else "up"
