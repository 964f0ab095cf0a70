"""Training the VAE's decoder by regression: from the frozen linear codes back to the pictures."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
from torch import Tensor
from tqdm import tqdm

from pipelines.sketch.codec import PatchCodec
from pipelines.sketch.data import MAX_FRAMES, SIZES
from pipelines.sketch.optim import Average, Muon, Optimisers, split_matrices
from pipelines.sketch.scenes import render
from pipelines.sketch.world import sample_scene

CLIP_FRAMES = 9
CROP = 64


@dataclass
class DecoderPlan:
    """How the decoder is trained; the length is in minutes of clock.

    `clips` windows of nine frames are rendered once and cut into `batch` random crops a step. `noise` is
    added to the codes so that the decoder forgives the transformers' small errors.
    """

    minutes: float
    clips: int
    batch: int
    matrix_rate: float = 2e-3
    other_rate: float = 2e-3
    decay: float = 0.3
    noise: float = 0.08
    average: float = 0.998
    max_steps: int = 10**9
    save_every: float = 180.0
    dtype: torch.dtype = torch.float32


@torch.no_grad()
def render_pool(clips: int, seed: int, device: str = "cpu") -> Tensor:
    """Rendered windows of nine frames at the main size: uint8 [clips, 9, 3, H, W]."""
    rng = random.Random(seed)
    height, width = SIZES[0]
    pool = torch.empty(clips, CLIP_FRAMES, 3, height, width, dtype=torch.uint8)
    for row in tqdm(range(clips), desc="decoder clips", mininterval=15):
        # The window starts on a frame that could be the first: its own time does not matter to the decoder.
        start = rng.randrange(0, MAX_FRAMES - CLIP_FRAMES + 1)
        frames = render(
            [sample_scene(rng, held_out=False)], num_frames=MAX_FRAMES, height=height, width=width,
            frame_indices=list(range(start, start + CLIP_FRAMES)), device=device,
        )  # fmt: skip
        pool[row] = (frames[0] * 255).round().to(torch.uint8).cpu()
    return pool


def decode_open(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """What `vae.decode` computes, but without its clamp: [B, 3, T, H, W] about [-1, 1]."""
    vae.clear_cache()
    hidden = vae.post_quant_conv(latents)
    pieces = []
    for number in range(hidden.shape[2]):
        vae._conv_idx = [0]
        pieces.append(
            vae.decoder(
                hidden[:, :, number : number + 1],
                feat_cache=vae._feat_map,
                feat_idx=vae._conv_idx,
                first_chunk=number == 0,
            )
        )
    vae.clear_cache()
    return unpatchify(torch.cat(pieces, 2), patch_size=vae.config.patch_size)


def picture_loss(made: Tensor, real: Tensor) -> Tensor:
    """Absolute error of the pixels and of their differences to the right and below: edges count extra."""
    loss = (made - real).abs().mean()
    for axis in (-1, -2):
        loss = loss + 0.5 * (made.diff(dim=axis) - real.diff(dim=axis)).abs().mean()
    return loss


class DecoderLearner:
    """The decoder in training, and all that is needed to go on after a stop."""

    def __init__(self, vae: AutoencoderKLWan, codec: PatchCodec, pool: Tensor, plan: DecoderPlan) -> None:
        self.vae, self.codec, self.pool, self.plan = vae, codec, pool, plan
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
        matrices, rest = split_matrices(vae.decoder, also=("up_blocks",))
        rest += list(vae.post_quant_conv.parameters())
        self.optimisers = Optimisers(
            [Muon(matrices, plan.matrix_rate), torch.optim.AdamW(rest, plan.other_rate, betas=(0.9, 0.98))]
        )
        self.average = Average({"vae": vae}, plan.average)
        self.step, self.seconds, self.error = 0, 0.0, 0.0

    def state(self) -> dict:
        """Everything needed to go on."""
        return {
            "vae": self.vae.state_dict(), "optimisers": self.optimisers.state_dict(),
            "average": self.average.state_dict(), "step": self.step, "seconds": self.seconds,
        }  # fmt: skip

    def load(self, state: dict) -> None:
        """Go on from `state`."""
        for name in ("vae", "optimisers", "average"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.seconds = state["step"], state["seconds"]
        torch.manual_seed(self.step)

    def done(self) -> float:
        """How much of the plan is behind us, 0..1."""
        return max(self.seconds / (60 * self.plan.minutes), self.step / self.plan.max_steps)

    def crops(self) -> Tensor:
        """Random crops [B, 9, 3, 64, 64] in [0, 1], cut on token borders so that the parity channels fit."""
        _, _, _, height, width = self.pool.shape
        picks = []
        for _ in range(self.plan.batch):
            row = int(torch.randint(len(self.pool), ()))
            top = 32 * int(torch.randint((height - CROP) // 32 + 1, ()))
            left = 32 * int(torch.randint((width - CROP) // 32 + 1, ()))
            picks.append(self.pool[row, :, :, top : top + CROP, left : left + CROP])
        return torch.stack(picks).to(self.vae.device).float() / 255

    def learn(self) -> None:
        """One step on one batch of crops."""
        real = self.crops()
        latents = self.codec.encode(real)
        latents = latents + self.plan.noise * torch.rand(len(real), 1, 1, 1, 1, device=latents.device) * (
            torch.randn_like(latents)
        )
        with torch.autocast(latents.device.type, self.plan.dtype, enabled=self.plan.dtype != torch.float32):
            made = decode_open(self.vae, latents).float()
        real = real.transpose(1, 2) * 2 - 1
        picture_loss(made, real).backward()
        torch.nn.utils.clip_grad_norm_(self.vae.decoder.parameters(), 1.0)
        rest = (1 - self.done()) / self.plan.decay
        self.optimisers.step(min(1.0, (self.step + 1) / 30, max(0.02, rest)))
        self.average.update({"vae": self.vae})
        self.step += 1
        error = F.mse_loss(made.detach().clamp(-1, 1), real).item() / 4
        self.error = error + 0.98 * (self.error - error) if self.error else error


def train_decoder(
    learner: DecoderLearner, checkpoint: Path, *, until: float, on_save: Callable[[], None] | None = None
) -> bool:
    """Train until the plan is done (True) or `time.monotonic()` passes `until` (False); saves at times."""
    bar = tqdm(initial=learner.step, desc="decoder", mininterval=15)
    saved = last = time.monotonic()
    while learner.done() < 1 and last < until:
        learner.learn()
        now = time.monotonic()
        learner.seconds += now - last
        last = now
        bar.update()
        bar.set_postfix(dB=f"{-10 * torch.tensor(learner.error).log10().item():.2f}", refresh=False)
        if now - saved > learner.plan.save_every:
            _save(learner, checkpoint, on_save)
            saved = last = time.monotonic()
    bar.close()
    _save(learner, checkpoint, on_save)
    return learner.done() >= 1


def _save(learner: DecoderLearner, checkpoint: Path, on_save: Callable[[], None] | None) -> None:
    partial = checkpoint.with_suffix(".partial")
    torch.save(learner.state(), partial)
    partial.rename(checkpoint)
    if on_save:
        on_save()
