"""The training clips: scenes rendered in part, encoded at once and kept as small files of latents."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipelines.sketch.codec import SPACE, TIME, PatchCodec, frames_of_all
from pipelines.sketch.scenes import render
from pipelines.sketch.subjects import subject_masks
from pipelines.sketch.world import Scene, sample_scene

MAX_FRAMES = 41
MAX_LATENT_FRAMES = 11
SIZES: tuple[tuple[int, int], ...] = ((192, 320), (320, 192), (256, 256))
"""Heights and widths that the model is trained at; most clips have the first."""


@dataclass
class Shard:
    """Clips of one size.

    `frames` [N, F] are the numbers of their latent frames, `latents` [N, 32, F, h, w] the codes (fp16 in
    store), `masks` [N, F, h/2, w/2] how much of a token the subject takes.
    """

    scenes: list[Scene]
    frames: Tensor
    latents: Tensor
    masks: Tensor

    @classmethod
    def of(cls, scenes: list[Scene], frames: Tensor, latents: Tensor) -> Shard:
        """A shard with the masks worked out."""
        height, width = latents.shape[-2:]
        return cls(scenes, frames, latents, subject_masks(scenes, frames, height // 2, width // 2))


def pick_latent_frames(rng: random.Random, count: int) -> list[int]:
    """Some latent frames of a clip. The first is always there: from it the model counts the time."""
    return [0, *sorted(rng.sample(range(1, MAX_LATENT_FRAMES), count - 1))]


@torch.no_grad()
def fit_codec(seed: int, *, scenes: int = 800, device: str = "cpu") -> PatchCodec:
    """Fit the code on groups of four frames of random scenes, rendered at half size."""
    rng = random.Random(seed)
    groups = []
    for number in range(scenes // 8):
        height, width = SIZES[0 if number % 5 else number // 5 % len(SIZES)]
        start = rng.randrange(MAX_FRAMES - TIME + 1)
        groups.append(
            render(
                [sample_scene(rng, held_out=False) for _ in range(8)], num_frames=MAX_FRAMES,
                height=height // 2, width=width // 2, frame_indices=list(range(start, start + TIME)),
                device=device,
            )
        )  # fmt: skip
    return PatchCodec.fit(groups, half=True)


@torch.no_grad()
def make_shard(
    codec: PatchCodec, rng: random.Random, *, clips: int, count: int, size: tuple[int, int], half: bool,
    device: str = "cpu", held_out: bool | None = False, group: int = 16,
) -> Shard:  # fmt: skip
    """Render and encode `clips` scenes with `count` latent frames each (0 = all of them).

    With `half` pictures are rendered at half size: the code holds no finer detail, and it is faster.
    """
    scenes, frames, latents = [], [], []
    height, width = (side // 2 for side in size) if half else size
    for start in range(0, clips, group):
        some = [sample_scene(rng, held_out=held_out) for _ in range(min(group, clips - start))]
        # One choice of frames for a group of scenes, so that they are drawn together.
        picked = pick_latent_frames(rng, count) if count else list(range(MAX_LATENT_FRAMES))
        pictures = render(
            some, num_frames=MAX_FRAMES, height=height, width=width, frame_indices=frames_of_all(picked),
            device=device,
        )  # fmt: skip
        latents.append(codec.encode(pictures, half=half).half().cpu())
        scenes += some
        frames += [picked] * len(some)
    return Shard.of(scenes, torch.tensor(frames), torch.cat(latents))


def save_shard(shard: Shard, path: Path) -> None:
    """Write a shard under a temporary name, then rename: a reader never sees half of one."""
    partial = path.with_suffix(".partial")
    torch.save(
        {"scenes": [asdict(s) for s in shard.scenes], "frames": shard.frames, "latents": shard.latents},
        partial,
    )
    partial.rename(path)


def load_shard(path: Path) -> Shard:
    """Read a shard written by `save_shard`."""
    raw = torch.load(path, weights_only=True)
    return Shard.of([Scene(**scene) for scene in raw["scenes"]], raw["frames"], raw["latents"])


class Clips:
    """All shards of a folder, as endless batches; shards that arrive later are taken in."""

    def __init__(self, folder: Path, pattern: str, seed: int) -> None:
        self.folder, self.pattern = folder, pattern
        self.rng = random.Random(seed)
        self.shards: dict[str, Shard] = {}
        self.refresh()

    def refresh(self) -> None:
        """Take in shards written since the last look."""
        for path in sorted(self.folder.glob(self.pattern)):
            if path.name not in self.shards:
                self.shards[path.name] = load_shard(path)

    def __len__(self) -> int:
        return sum(len(shard.scenes) for shard in self.shards.values())

    def batches(self, tokens: int) -> Iterator[Shard]:
        """Endless batches of about `tokens` tokens (32×32 pixels of a latent frame), one size a batch."""
        while True:
            names = list(self.shards)
            name = self.rng.choices(names, weights=[len(self.shards[name].scenes) for name in names])[0]
            shard = self.shards[name]
            _, _, count, height, width = shard.latents.shape
            size = max(1, min(len(shard.scenes), round(tokens / (count * height * width / 4))))
            liked = [row for row, scene in enumerate(shard.scenes) if self.rng.random() < _share(scene)]
            rows = self.rng.sample(liked if len(liked) >= size else range(len(shard.scenes)), size)
            yield Shard(
                [shard.scenes[row] for row in rows],
                shard.frames[rows],
                shard.latents[rows].float(),
                shard.masks[rows],
            )


def _share(scene: Scene) -> float:
    """How often a clip is taken when its turn comes.

    Where the camera moves or something falls, most of the error is in what a subject and its way do not show.
    """
    return (1.0 if scene.camera == "still" else 0.45) * (1.0 if scene.weather in ("clear", "fog") else 0.75)


def latent_size(size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the latents of a picture size."""
    return size[0] // SPACE, size[1] // SPACE
