"""Training the two experts by rectified flow, with the noise and the padding that `WanPipeline` uses."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import WanTransformer3DModel
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast, UMT5EncoderModel

from pipelines.sketch.build import BOUNDARY, FLOW_SHIFT
from pipelines.sketch.data import Clips, Shard
from pipelines.sketch.optim import Average, Muon, Optimisers, split_matrices
from pipelines.sketch.positions import ChosenFrames, PlaceHead
from pipelines.sketch.subjects import SubjectHead
from pipelines.sketch.words import encode_text, write_captions


@dataclass
class Plan:
    """How one expert is trained. `noise` is "high" or "low"; the length is in minutes of clock.

    `tokens` is the batch size in tokens, `decay` the last share of the plan over which the learning rate
    falls, `matrix_rate` and `other_rate` the learning rates of Muon and AdamW, `empty` the share of captions
    left out (for guidance), `place_weight` and `subject_weight` what the two lessons count beside the
    picture, `subject_share` how much more the picture counts where the words put the subject, `whole` the
    share of steps on whole clips and `whole_at_last` that share in the last `last` of the plan: the other
    steps see three latent frames of each clip.
    """

    noise: str
    minutes: float
    tokens: int
    decay: float = 0.22
    matrix_rate: float = 5e-3
    other_rate: float = 3e-3
    empty: float = 0.1
    place_weight: float = 0.05
    subject_weight: float = 0.1
    subject_share: float = 3.0
    whole: float = 0.05
    whole_at_last: float = 0.25
    last: float = 0.15
    average: float = 0.996
    max_steps: int = 10**9
    save_every: float = 300.0
    dtype: torch.dtype = torch.float32


def draw_noise_levels(count: int, noise: str) -> Tensor:
    """Noise levels s in (0, 1): "high" evenly from the boundary to 1, "low" as the sampler visits them."""
    if noise == "high":
        return BOUNDARY + (1 - BOUNDARY) * torch.rand(count)
    edge = BOUNDARY / (FLOW_SHIFT - (FLOW_SHIFT - 1) * BOUNDARY)
    even = torch.rand(count) * edge
    return (FLOW_SHIFT * even / (1 + (FLOW_SHIFT - 1) * even)).clamp(min=0.02)


def weight_of(level: Tensor) -> Tensor:
    """Weight of the error in the clean picture at a noise level: that of the flow's error, 1/s², limited."""
    return (1 / level**2).clamp(max=6.0)


class Learner:
    """One expert in training, with all that is needed to go on after a stop. The text encoder is finished."""

    def __init__(
        self,
        transformer: WanTransformer3DModel,
        encoder: UMT5EncoderModel,
        tokenizer: PreTrainedTokenizerFast,
        plan: Plan,
        seed: int,
    ) -> None:
        self.transformer, self.tokenizer, self.plan = transformer, tokenizer, plan
        self.encoder = encoder.eval().requires_grad_(False)
        if not isinstance(transformer.rope, ChosenFrames):
            transformer.rope = ChosenFrames(transformer.rope)
        self.average = Average({"transformer": transformer}, plan.average)
        self.places = PlaceHead(transformer).to(transformer.device)
        self.subjects = SubjectHead(transformer).to(transformer.device)
        matrices, rest = split_matrices(transformer)
        rest += list(self.places.parameters())
        adam = torch.optim.AdamW(rest, plan.other_rate, betas=(0.9, 0.98), weight_decay=0.0)
        extra = torch.optim.AdamW(self.subjects.parameters(), plan.other_rate, betas=(0.9, 0.98))
        self.optimisers = Optimisers([Muon(matrices, plan.matrix_rate), adam, extra])
        self.rng = random.Random(seed)
        self.step, self.seconds = 0, 0.0
        self.losses: dict[str, float] = {}

    def state(self) -> dict:
        """Everything needed to go on: weights, optimisers, average, counters."""
        parts = ("transformer", "places", "subjects", "optimisers", "average")
        state = {name: getattr(self, name).state_dict() for name in parts}
        return {**state, "step": self.step, "seconds": self.seconds}

    def load(self, state: dict) -> None:
        """Go on from `state`."""
        for name in ("transformer", "places", "subjects", "optimisers", "average"):
            if name in state:
                getattr(self, name).load_state_dict(state[name])
        self.step, self.seconds = state["step"], state["seconds"]
        self.rng.seed(self.step)
        torch.manual_seed(self.step)

    def start_from(self, state: dict) -> None:
        """Take over an earlier run's weights; its optimisers and the head of its lesson in words are left."""
        for name in ("transformer", "places", "average"):
            getattr(self, name).load_state_dict(state[name])

    def done(self) -> float:
        """How much of the plan is behind us, 0..1."""
        return max(self.seconds / (60 * self.plan.minutes), self.step / self.plan.max_steps)

    def learn(self, batch: Shard) -> None:
        """One step on one batch."""
        plan, device = self.plan, self.transformer.device
        clean = batch.latents.to(device)
        level = draw_noise_levels(len(clean), plan.noise).to(device)
        wide = level.view(-1, 1, 1, 1, 1)
        noisy = (1 - wide) * clean + wide * torch.randn_like(clean)
        with torch.no_grad():
            captions = write_captions(batch.scenes, self.rng, empty=plan.empty)
            text = encode_text(self.tokenizer, self.encoder, captions)
        self.transformer.rope.frames = batch.frames
        with torch.autocast(device.type, plan.dtype, enabled=plan.dtype != torch.float32):
            guess = self.transformer(noisy, (1000 * level).long(), text, return_dict=False)[0]
        height, width = clean.shape[-2] // 2, clean.shape[-1] // 2
        said = [row for row, text in enumerate(captions) if text]
        masks = batch.masks
        shares = torch.ones_like(masks)
        shares[said] += plan.subject_share * masks[said]
        shares = F.interpolate(shares, scale_factor=2).to(device)
        squares = ((guess.float() - clean) ** 2).mean(1)
        errors = squares.mean((1, 2, 3))
        loss = (weight_of(level) * (shares * squares).mean((1, 2, 3))).mean()
        # Where there is little noise the picture itself says where a token is.
        blind = level > 0.6
        places = self.places.loss(batch.frames, height, width, blind) if blind.any() else torch.zeros(())
        subjects = self.subjects.loss(batch.scenes, masks, said) if said else torch.zeros(())
        (loss + plan.place_weight * places + plan.subject_weight * subjects).backward()
        torch.nn.utils.clip_grad_norm_(self.transformer.parameters(), 1.0)
        rest = (1 - self.done()) / plan.decay
        self.optimisers.step(min(1.0, (self.step + 1) / 30, max(0.02, rest)))
        self.average.update({"transformer": self.transformer})
        self.step += 1
        for name, value in (("error", errors), ("place", places), ("subject", subjects)):
            now = value.detach().mean().item()
            self.losses[name] = now + 0.98 * (self.losses.get(name, now) - now)


def train(
    learner: Learner,
    some: Clips,
    whole: Clips,
    checkpoint: Path,
    *,
    until: float,
    on_save: Callable[[], None] | None = None,
) -> bool:
    """Train until the plan is done (True) or the clock passes `until` (False); saves now and then.

    `some` are clips in part, `whole` whole ones; `until` is in seconds of `time.monotonic()`.
    """
    plan = learner.plan
    parts, wholes = some.batches(plan.tokens), whole.batches(plan.tokens)
    bar = tqdm(initial=learner.step, desc=f"{plan.noise} noise", mininterval=15)
    saved = last = time.monotonic()
    while learner.done() < 1 and last < until:
        share = plan.whole if learner.done() < 1 - plan.last else plan.whole_at_last
        learner.learn(next(wholes if learner.rng.random() < share else parts))
        now = time.monotonic()
        learner.seconds += now - last
        last = now
        bar.update()
        bar.set_postfix({k: f"{v:.3f}" for k, v in learner.losses.items()}, clips=len(some), refresh=False)
        if now - saved > plan.save_every:
            save(learner, checkpoint)
            if on_save:
                on_save()
            some.refresh()
            whole.refresh()
            saved = last = time.monotonic()
    bar.close()
    save(learner, checkpoint)
    if on_save:
        on_save()
    return learner.done() >= 1


def save(learner: Learner, checkpoint: Path) -> None:
    """Write a checkpoint so that a kill at any moment leaves a whole one."""
    partial = checkpoint.with_suffix(".partial")
    torch.save(learner.state(), partial)
    partial.rename(checkpoint)
