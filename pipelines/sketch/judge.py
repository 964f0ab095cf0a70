"""The judge: a small network that reads every attribute from a clip, trained on rendered scenes in minutes.

It knows nothing of the model under test. Half of what it learns from is softened, so that it judges what is
drawn and not how crisply.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from pipelines.sketch.data import MAX_FRAMES, SIZES
from pipelines.sketch.scenes import render
from pipelines.sketch.words import targets
from pipelines.sketch.world import ATTRIBUTES, Scene, sample_scene

LOOKS = 6
"""How many frames the judge looks at, evenly from the first to the last."""


def looked_at(num_frames: int) -> list[int]:
    """The frame numbers that the judge sees of a clip."""
    return [round(k * (num_frames - 1) / (LOOKS - 1)) for k in range(LOOKS)]


class Judge(nn.Module):
    """Clips [B, 6, 3, H, W] in [0, 1], at half size (96×160), to logits of every attribute."""

    def __init__(self) -> None:
        super().__init__()

        def layer(inner: int, outer: int, stride: int) -> list[nn.Module]:
            return [nn.Conv2d(inner, outer, 3, stride, 1), nn.GroupNorm(4, outer), nn.GELU()]

        self.frame = nn.Sequential(*layer(5, 24, 2), *layer(24, 40, 2), *layer(40, 64, 2))
        self.clip = nn.Sequential(
            nn.Conv2d(64 * LOOKS, 96, 1),
            nn.GELU(),
            *layer(96, 128, 1),
            *layer(128, 160, 2),
            *layer(160, 160, 1),
        )
        self.heads = nn.ModuleDict({name: nn.Linear(320, len(values)) for name, values in ATTRIBUTES.items()})

    def forward(self, clips: Tensor) -> dict[str, Tensor]:
        batch, count, _, height, width = clips.shape
        rows = torch.linspace(-1, 1, height)[:, None].expand(height, width)
        columns = torch.linspace(-1, 1, width)[None].expand(height, width)
        places = torch.stack([rows, columns]).to(clips).expand(batch * count, 2, -1, -1)
        maps = self.frame(torch.cat([clips.flatten(0, 1) * 2 - 1, places], 1))
        maps = self.clip(maps.unflatten(0, (batch, count)).flatten(1, 2))
        pooled = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)
        return {name: head(pooled) for name, head in self.heads.items()}


def real_clips(scenes: list[Scene]) -> Tensor:
    """What the judge sees of rendered scenes: [B, 6, 3, 96, 160]."""
    height, width = SIZES[0]
    return render(
        scenes,
        num_frames=MAX_FRAMES,
        height=height // 2,
        width=width // 2,
        frame_indices=looked_at(MAX_FRAMES),
    )


def _worn(clips: Tensor, rng: random.Random) -> Tensor:
    """Half of the clips softer and noisier, as if drawn by a model."""
    small = F.avg_pool2d(clips.flatten(0, 1), 2)
    soft = F.interpolate(small, scale_factor=2, mode="bilinear").view_as(clips)
    soft = soft + 0.03 * rng.random() * torch.randn_like(soft)
    chosen = torch.tensor([rng.random() < 0.5 for _ in clips])
    return torch.where(chosen[:, None, None, None, None], soft, clips).clamp(0, 1)


def train_judge(*, clips: int = 5000, epochs: int = 4, batch: int = 40, seed: int = 7) -> Judge:
    """Train a judge on freshly rendered scenes of both sides of the split; about five CPU minutes."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    judge = Judge()
    scenes = [sample_scene(rng, held_out=False) for _ in range(clips)]
    height, width = SIZES[0]
    seen = torch.empty(clips, LOOKS, 3, height // 2, width // 2, dtype=torch.uint8)
    for start in tqdm(range(0, clips, 50), desc="judge: clips", mininterval=15):
        seen[start : start + 50] = (real_clips(scenes[start : start + 50]) * 255).byte()
    wanted = targets(scenes)
    optimiser = torch.optim.AdamW(judge.parameters(), weight_decay=0.05)
    steps = epochs * clips // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.15)
    order: list[int] = []
    for _ in tqdm(range(steps), desc="judge", mininterval=15):
        if len(order) < batch:
            order = rng.sample(range(clips), clips)
        rows, order = order[:batch], order[batch:]
        logits = judge(_worn(seen[rows].float() / 255, rng))
        loss = torch.stack([F.cross_entropy(logits[name], wanted[name][rows]) for name in logits]).sum()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(judge.parameters(), 2.0)
        optimiser.step()
        schedule.step()
    return judge.eval()


def load_judge(path: Path) -> Judge:
    """Read a judge, or train one and keep it there."""
    if path.exists():
        judge = Judge()
        judge.load_state_dict(load_file(path))
        return judge.eval()
    judge = train_judge()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(judge.state_dict(), path)
    return judge
