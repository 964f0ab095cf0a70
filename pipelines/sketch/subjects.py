"""Where the subject of a scene is in the token grid, and a lesson in it: what is where, by the words alone.

A subject covers a sixth of the tokens, and the error of its picture says little to a model that cannot
draw yet. Asked after three blocks "who does what?" and after four "is the subject here, of what colour?",
the model puts the right words at the right place within minutes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from diffusers import WanTransformer3DModel
from torch import Tensor, nn

from pipelines.sketch import scenes as drawing
from pipelines.sketch.world import ATTRIBUTES, COLOURS, NATURES, SUBJECTS, Scene

WORD_BLOCKS = 3
"""After how many blocks every token should know what the caption says."""
LESSON_BLOCKS = 4
"""After how many blocks every token should know what it shows."""
_WORDS = {name: values for name, values in ATTRIBUTES.items() if name != "colour"}
_TOKEN = 32  # pixels
_FPS = 8.0


def subject_masks(scenes: list[Scene], frames: Tensor, height: int, width: int) -> Tensor:
    """How much of each token the subject takes, [B, F, height, width] in [0, 1]; sizes are in tokens.

    The words alone decide it, so that a loss weighted with it keeps its minimum.
    """
    masks = torch.zeros(*frames.shape, height, width)
    rows = (torch.arange(height) + 0.5)[None, :, None] * _TOKEN
    columns = (torch.arange(width) + 0.5)[None, None, :] * _TOKEN
    tall, wide = height * _TOKEN, width * _TOKEN
    for row, scene in enumerate(scenes):
        if scene.subject == "none":
            continue
        times = ((frames[row] * 4 - 1.5) / _FPS).clamp(min=0)
        x, y, scale, opacity, _ = drawing.pose(scene, times, tall, wide)
        half = drawing.BOX / 2 * min(tall, wide) * NATURES[scene.subject].size * scale
        x, y, half = (value[:, None, None] for value in (x, y, half))
        away = torch.maximum((columns - x).abs(), (rows - y).abs())
        masks[row] = torch.sigmoid((0.9 * half - away) / 8) * opacity[:, None, None]
    return masks


class SubjectHead(nn.Module):
    """Reads from two hidden states what the words say, and whether and which subject is here."""

    def __init__(self, transformer: WanTransformer3DModel) -> None:
        super().__init__()
        self.width = transformer.config.num_attention_heads * transformer.config.attention_head_dim
        self.sizes = (1, len(SUBJECTS), len(COLOURS))
        self.linear = nn.Linear(self.width, sum(self.sizes))
        self.words = nn.Linear(self.width, sum(map(len, _WORDS.values())))
        self.hidden: dict[str, Tensor] = {}
        last = len(transformer.blocks)
        for name, depth in (("words", WORD_BLOCKS), ("here", LESSON_BLOCKS)):
            transformer.blocks[min(depth, last) - 1].register_forward_hook(self._keeper(name))

    def _keeper(self, name: str) -> Callable[[nn.Module, tuple, Tensor], None]:
        def keep(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            if torch.is_grad_enabled():
                self.hidden[name] = output

        return keep

    def loss(self, scenes: list[Scene], masks: Tensor, rows: list[int]) -> Tensor:
        """Weighted cross entropies over the last forward pass, for the `rows` that have captions."""
        kept = {name: F.layer_norm(hidden[rows], (self.width,)) for name, hidden in self.hidden.items()}
        self.hidden = {}
        here, which, colour = self.linear(kept["here"]).float().split(self.sizes, -1)
        share = masks[rows].flatten(1).to(here.device)
        everywhere = torch.ones_like(share)
        loss = 4 * F.binary_cross_entropy_with_logits(here[..., 0], share)
        said = self.words(kept["words"]).float().split([len(names) for names in _WORDS.values()], -1)
        asked = [(which, SUBJECTS, "subject", share), (colour, COLOURS, "colour", share)]
        asked += [
            (part, names, field, everywhere)
            for part, (field, names) in zip(said, _WORDS.items(), strict=True)
        ]
        for part, names, field, weight in asked:
            wanted = torch.tensor([names.index(getattr(scenes[row], field)) for row in rows])
            wanted = wanted[:, None].expand(share.shape).to(part.device)
            errors = F.cross_entropy(part.flatten(0, 1), wanted.flatten(), reduction="none").view_as(share)
            loss = loss + 0.5 * (errors * weight).sum() / weight.sum().clamp(min=1)
        return loss
