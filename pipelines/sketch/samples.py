"""Sample pictures: what the model draws at this point of training, on one sheet to look at."""

from __future__ import annotations

import random
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from pipelines.sketch.build import BOUNDARY, make_scheduler
from pipelines.sketch.captions import caption
from pipelines.sketch.codec import Z_DIM, PatchCodec
from pipelines.sketch.data import MAX_LATENT_FRAMES
from pipelines.sketch.words import encode_text
from pipelines.sketch.world import sample_scene


@torch.no_grad()
def sample(
    high: nn.Module,
    low: nn.Module,
    encoder: nn.Module,
    tokenizer: PreTrainedTokenizerFast,
    texts: list[str],
    *,
    frames: int = MAX_LATENT_FRAMES,
    size: tuple[int, int] = (12, 20),
    steps: int = 10,
    guidance: float = 2.5,
    seed: int = 0,
) -> Tensor:
    """Latents [B, 32, frames, h, w] for several texts at once, sampled as `WanPipeline` does."""
    scheduler = make_scheduler()
    device = encoder.device
    scheduler.set_timesteps(steps, device=device)
    noise = torch.randn(len(texts), Z_DIM, frames, *size, generator=torch.Generator().manual_seed(seed))
    latents = noise.to(device)
    with_text = encode_text(tokenizer, encoder, texts)
    without = encode_text(tokenizer, encoder, [""] * len(texts))
    for t in scheduler.timesteps:
        model = high if t >= 1000 * BOUNDARY else low
        times = t.expand(len(texts))
        said = model(latents, times, with_text, return_dict=False)[0]
        free = model(latents, times, without, return_dict=False)[0]
        latents = scheduler.step(free + guidance * (said - free), t, latents, return_dict=False)[0]
    return latents


def tiled(clips: Tensor, columns: list[int]) -> Image.Image:
    """Clips [B, T, 3, H, W] in [0, 1] as rows, chosen frames as columns."""
    rows = [torch.cat([clip[column] for column in columns], -1) for clip in clips.clamp(0, 1)]
    return Image.fromarray((torch.cat(rows, 1).permute(1, 2, 0) * 255).byte().cpu().numpy())


def fixed_texts(count: int, seed: int) -> list[str]:
    """Captions of held-out scenes, both languages in turn."""
    rng = random.Random(f"sheet {seed}")
    return [caption(sample_scene(rng, held_out=True), ("en", "zh")[n % 2], rng) for n in range(count)]


def video_sheet(
    learner: object, other: nn.Module, codec: PatchCodec, path: Path, seed: int, count: int = 8
) -> None:
    """Draw a few held-out captions with averaged weights; pictures are the linear code's, at half size.

    `other` is the other expert (or the same one, while there is no other).
    """
    own = learner.average.modules["transformer"].eval()
    high, low = (own, other) if learner.plan.noise == "high" else (other, own)
    texts = fixed_texts(count, seed)
    latents = sample(high, low, learner.encoder, learner.tokenizer, texts, seed=seed)
    tiled(codec.decode(latents.cpu()), [0, 10, 20, 30, 40]).save(path)
    path.with_suffix(".txt").write_text("\n".join(texts) + "\n", encoding="utf-8")


@torch.no_grad()
def decoder_sheet(learner: object, path: Path) -> None:
    """Real frames beside the linear code's and the decoder's, for a few clips."""
    real = learner.pool[:4].float() / 255
    vae = learner.average.modules["vae"].eval()
    latents = learner.codec.encode(real.to(vae.device))
    made = vae.decode(latents, return_dict=False)[0].transpose(1, 2) * 0.5 + 0.5
    linear = learner.codec.to("cpu").decode(latents.cpu()).flatten(0, 1)
    linear = F.interpolate(linear, scale_factor=2).unflatten(0, (len(real), -1))
    tiled(torch.cat([real, linear, made.cpu()], -1), [0, 8]).save(path)
