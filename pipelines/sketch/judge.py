"""The judge: a small network that reads every attribute from a clip, trained on rendered scenes in minutes.

It knows nothing of the model under test. Half of what it learns from is softened, so that it judges what is
drawn and not how crisply.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from pipelines.sketch.data import MAX_FRAMES, SIZES
from pipelines.sketch.optim import Muon, Optimisers
from pipelines.sketch.scenes import render
from pipelines.sketch.subjects import subject_masks
from pipelines.sketch.words import targets
from pipelines.sketch.world import ATTRIBUTES, Scene, sample_scene

LOOKS = 6
"""How many frames the judge looks at, evenly from the first to the last."""


class Format(NamedTuple):
    """A clip's size in pixels and its number of frames."""

    height: int
    width: int
    frames: int

    def __str__(self) -> str:
        return f"{self.width}×{self.height}, {self.frames} frames"


FORMATS: tuple[Format, ...] = (*(Format(*size, MAX_FRAMES) for size in SIZES), Format(*SIZES[0], 17))
"""What the model is judged at. The judge learns from the first most."""

_SHARES = (0.55, 0.15, 0.15, 0.15)


def looked_at(num_frames: int) -> list[int]:
    """The frame numbers that the judge sees of a clip."""
    return [round(k * (num_frames - 1) / (LOOKS - 1)) for k in range(LOOKS)]


class Judge(nn.Module):
    """Clips [B, 6, 3, H, W] in [0, 1] (half size, so 96×160) to logits of every attribute.

    It first finds the subject in every frame: what it is, is read there, its action from the way it takes.
    """

    def __init__(self) -> None:
        super().__init__()

        def layer(inner: int, outer: int, stride: int) -> list[nn.Module]:
            return [nn.Conv2d(inner, outer, 3, stride, 1), nn.GroupNorm(4, outer), nn.GELU()]

        self.frame = nn.Sequential(*layer(5, 32, 2), *layer(32, 64, 2), *layer(64, 96, 2), *layer(96, 128, 1))
        self.here = nn.Conv2d(128, 1, 1)
        self.clip = nn.Sequential(nn.Conv2d(128 * LOOKS, 128, 1), nn.GELU(), *layer(128, 128, 1))
        self.way = nn.Sequential(nn.Linear(4 * LOOKS, 96), nn.GELU(), nn.Linear(96, 96), nn.GELU())
        inputs = {"subject": 256, "colour": 256, "action": 96 + 256}
        self.heads = nn.ModuleDict(
            {name: nn.Linear(inputs.get(name, 256), len(values)) for name, values in ATTRIBUTES.items()}
        )

    def forward(self, clips: Tensor) -> dict[str, Tensor]:
        """Logits [B, values] by attribute, and "here" [B, 6, H/16, W/16]: where the subject is."""
        clips = F.avg_pool3d(clips, (1, 2, 2))
        batch, count, _, height, width = clips.shape
        rows = torch.linspace(-1, 1, height)[:, None].expand(height, width)
        columns = torch.linspace(-1, 1, width)[None].expand(height, width)
        places = torch.stack([rows, columns]).to(clips).expand(batch * count, 2, -1, -1)
        maps = self.frame(torch.cat([clips.flatten(0, 1) * 2 - 1, places], 1))
        here = self.here(maps)[:, 0]
        share = torch.sigmoid(here).flatten(1)
        total = share.sum(1, keepdim=True)
        spots = F.adaptive_avg_pool2d(places[:1], here.shape[-2:]).flatten(2)[0]
        path = torch.cat([share @ spots.T / (total + 0.1), total / 8, share.amax(1, keepdim=True)], 1)
        path = self.way(path.view(batch, -1))
        flat, maps = maps.flatten(2), maps.unflatten(0, (batch, count))
        found = (flat @ share[..., None])[..., 0] / (total + 0.1)
        found = found.view(batch, count, -1)
        found = torch.cat([found.mean(1), found.amax(1)], 1)
        whole = self.clip(maps.flatten(1, 2))
        whole = torch.cat([whole.mean((2, 3)), whole.amax((2, 3))], 1)
        inputs = {"subject": found, "colour": found, "action": torch.cat([path, whole], 1)}
        logits = {name: head(inputs.get(name, whole)) for name, head in self.heads.items()}
        return {**logits, "here": here.view(batch, count, *here.shape[-2:])}


def real_clips(scenes: list[Scene], form: Format = FORMATS[0]) -> Tensor:
    """What the judge sees of rendered scenes: [B, 6, 3, height/2, width/2]."""
    return render(
        scenes,
        num_frames=form.frames,
        height=form.height // 2,
        width=form.width // 2,
        frame_indices=looked_at(form.frames),
    )


class _Lesson(NamedTuple):
    """Clips of one format (uint8) with what they show and where the subject is in the frames looked at."""

    clips: Tensor
    wanted: dict[str, Tensor]
    here: Tensor


def _lesson(scenes: list[Scene], form: Format) -> _Lesson:
    parts = []
    for start in tqdm(range(0, len(scenes), 50), desc=f"judge: {form}", mininterval=15):
        parts.append((real_clips(scenes[start : start + 50], form) * 255).byte())
    # Latent frame numbers with the times of the frames that are looked at.
    moments = (torch.tensor(looked_at(form.frames)) + 1.5) / 4
    here = subject_masks(scenes, moments.expand(len(scenes), -1), form.height // 32, form.width // 32)
    return _Lesson(torch.cat(parts), targets(scenes), here)


def _worn(clips: Tensor, rng: random.Random) -> Tensor:
    """Half of the clips softer and noisier, as if drawn by a model."""
    small = F.avg_pool2d(clips.flatten(0, 1), 2)
    soft = F.interpolate(small, scale_factor=2, mode="bilinear").view_as(clips)
    soft = soft + 0.03 * rng.random() * torch.randn_like(soft)
    chosen = torch.tensor([rng.random() < 0.5 for _ in clips])
    return torch.where(chosen[:, None, None, None, None], soft, clips).clamp(0, 1)


def train_judge(*, clips: int = 6000, steps: int = 1300, batch: int = 32, seed: int = 7) -> Judge:
    """Train a judge on freshly rendered scenes of the training side; about ten CPU minutes."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    judge = Judge()
    lessons = [
        _lesson([sample_scene(rng, held_out=False) for _ in range(round(share * clips))], form)
        for form, share in zip(FORMATS, _SHARES, strict=True)
    ]
    kernels = [p for p in judge.parameters() if p.ndim == 4 and p.shape[0] > 1]
    rest = [p for p in judge.parameters() if not (p.ndim == 4 and p.shape[0] > 1)]
    adam = torch.optim.AdamW(rest, 4e-3, betas=(0.9, 0.98), weight_decay=0.02)
    optimisers = Optimisers([Muon(kernels, 4e-3), adam])
    for step in tqdm(range(steps), desc="judge", mininterval=15):
        lesson = rng.choices(lessons, weights=_SHARES)[0]
        rows = rng.sample(range(len(lesson.clips)), batch)
        logits = judge(_worn(lesson.clips[rows].float() / 255, rng))
        loss = 3 * F.binary_cross_entropy_with_logits(logits.pop("here"), lesson.here[rows])
        loss = loss + sum(F.cross_entropy(logits[name], lesson.wanted[name][rows]) for name in logits)
        loss.backward()
        optimisers.step(min(1.0, (step + 1) / 20, 2 * (1 - step / steps)))
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
