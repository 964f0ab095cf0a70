"""Where and when a token is: chosen latent frames at their true times, and a lesson in absolute position.

Wan knows only relative positions (RoPE), and at the start of sampling every token is noise: nothing says
which is the top left one. Without the lesson a small model spends most of its training on finding that out,
and until then no subject stands anywhere and nothing travels. Asked directly, two blocks learn it in minutes.
"""

from __future__ import annotations

import random

import torch
import torch.nn.functional as F
from diffusers import WanTransformer3DModel
from torch import Tensor, nn
from tqdm import tqdm

from pipelines.sketch.codec import Z_DIM
from pipelines.sketch.data import MAX_LATENT_FRAMES, SIZES, latent_size, pick_latent_frames
from pipelines.sketch.optim import Muon, Optimisers, split_matrices

LESSON_BLOCKS = 2
"""After how many blocks every token should know its place."""
_SIDE = 10  # the longest side of the training sizes in tokens


class ChosenFrames(nn.Module):
    """The rotary embedding of latent frames at given times; stands in for `transformer.rope` in training.

    `frames` [B, F] are the times; None means 0, 1, 2, … as in use.
    """

    def __init__(self, rope: nn.Module) -> None:
        super().__init__()
        self.rope = rope
        self.frames: Tensor | None = None

    def forward(self, hidden_states: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines [B or 1, tokens, 1, head width] for latents [B, C, F, h, w]."""
        rope, (_, _, count, height, width) = self.rope, hidden_states.shape
        height, width = height // 2, width // 2
        times = torch.arange(count)[None] if self.frames is None else self.frames
        parts = []
        for table in (rope.freqs_cos, rope.freqs_sin):
            by_time, by_row, by_column = table.split([rope.t_dim, rope.h_dim, rope.w_dim], 1)
            shape = (len(times), count, height, width, -1)
            tokens = torch.cat(
                [
                    by_time[times.to(table.device)][:, :, None, None].expand(shape),
                    by_row[:height][None, None, :, None].expand(shape),
                    by_column[:width][None, None, None].expand(shape),
                ],
                -1,
            )
            parts.append(tokens.flatten(1, 3)[:, :, None].to(hidden_states.dtype))
        return parts[0], parts[1]


class PlaceHead(nn.Module):
    """Reads column, row and latent frame of every token from the state after `LESSON_BLOCKS` blocks."""

    def __init__(self, transformer: WanTransformer3DModel) -> None:
        super().__init__()
        self.sizes = (_SIDE, _SIDE, MAX_LATENT_FRAMES)
        self.width = transformer.config.num_attention_heads * transformer.config.attention_head_dim
        self.linear = nn.Linear(self.width, sum(self.sizes))
        self.hidden: Tensor | None = None
        transformer.blocks[LESSON_BLOCKS - 1].register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _inputs: tuple, output: Tensor) -> None:
        if torch.is_grad_enabled():
            self.hidden = output

    def loss(self, frames: Tensor, height: int, width: int, rows: Tensor | None = None) -> Tensor:
        """Mean cross entropy over the last forward pass (or some `rows` of its batch).

        `frames` [B, F] are latent frame numbers; `height` and `width` are in tokens.
        """
        assert self.hidden is not None
        hidden, self.hidden = self.hidden, None
        if rows is not None:
            hidden, frames = hidden[rows], frames[rows.to(frames.device)]
        logits = self.linear(F.layer_norm(hidden, (self.width,)))
        grid = (*frames.shape, height, width)
        device = logits.device
        wanted = (
            torch.arange(width, device=device).expand(grid),
            torch.arange(height, device=device)[:, None].expand(grid),
            frames.to(device)[:, :, None, None].expand(grid),
        )
        parts = logits.float().split(self.sizes, -1)
        return torch.stack(
            [F.cross_entropy(p.flatten(0, 1), w.flatten()) for p, w in zip(parts, wanted, strict=True)]
        ).mean()


def learn_places(transformer: WanTransformer3DModel, *, steps: int, seed: int) -> tuple[dict, float]:
    """Teach the first blocks where every token of pure noise is. Needs no data.

    Returns the state of transformer and head, and the last loss (nats, 0 is perfect).
    """
    rng = random.Random(seed)
    device = transformer.device
    transformer.rope = ChosenFrames(transformer.rope)
    head = PlaceHead(transformer).to(device)
    blocks = transformer.blocks
    transformer.blocks = blocks[:LESSON_BLOCKS]
    matrices, rest = split_matrices(transformer)
    adam = torch.optim.AdamW([*rest, *head.parameters()], 2e-3, betas=(0.9, 0.98), weight_decay=0.0)
    optimisers = Optimisers([Muon(matrices, 2e-3), adam])
    average = 2.3
    bar = tqdm(range(steps), desc="places", mininterval=15)
    for step in bar:
        height, width = latent_size(SIZES[0] if step % 4 else SIZES[step // 4 % len(SIZES)])
        count, batch = (MAX_LATENT_FRAMES, 3) if step % 8 == 7 else (rng.choice((2, 3)), 14)
        frames = torch.tensor([pick_latent_frames(rng, count) for _ in range(batch)])
        transformer.rope.frames = frames
        level = 1 - torch.rand(batch, device=device) ** 2 * 0.2
        noise = torch.randn(batch, Z_DIM, count, height, width, device=device) * level.view(-1, 1, 1, 1, 1)
        text = torch.randn(batch, 4, transformer.config.text_dim, device=device)
        transformer(noise, (1000 * level).long().clamp(max=999), text)
        loss = head.loss(frames, height // 2, width // 2)
        loss.backward()
        optimisers.step(min(1.0, (step + 1) / 20, 3 * (1 - step / steps)))
        average += 0.05 * (loss.item() - average)
        bar.set_postfix(loss=f"{average:.3f}", refresh=False)
    transformer.blocks = blocks
    return {"transformer": transformer.state_dict(), "places": head.state_dict()}, average
