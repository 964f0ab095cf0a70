"""The frozen linear code between pixels and latents: a closed-form PCA of 16×16×4 pixel blocks.

Because it is known after seconds, the decoder and the transformers can be trained at the same time, apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

Z_DIM = 32
PARITY = 2
"""The last two channels hold no picture: +1/-1 by column and by row of the latent grid.

A decoder of "nearest" upsampling and convolutions cannot tell the left from the right half of an upsampled
cell; the alternation gives it that, and costs the transformer nothing: inside a 2×2 token it is constant.
"""
CODES = Z_DIM - PARITY
SPACE = 16
TIME = 4
_CELL = SPACE // 2  # blocks are cut from pictures at half size: what 30 codes hold is coarser anyway


def latent_frames(num_frames: int) -> int:
    """Number of latent frames of a clip of 4n+1 frames."""
    return (num_frames - 1) // TIME + 1


def frames_of(latent_frame: int) -> list[int]:
    """The frame numbers behind one latent frame: [0] for the first, else a group of four."""
    return [0] if latent_frame == 0 else list(range(TIME * latent_frame - 3, TIME * latent_frame + 1))


def frames_of_all(picked: list[int]) -> list[int]:
    """The frame numbers behind several latent frames, in order."""
    return [frame for latent_frame in picked for frame in frames_of(latent_frame)]


@dataclass
class PatchCodec:
    """PCA of pixel blocks: `mean` [768], `basis` [768, 30] (unit columns), `scale` [30]."""

    mean: Tensor
    basis: Tensor
    scale: Tensor

    @staticmethod
    def blocks(frames: Tensor, *, half: bool = False) -> Tensor:
        """Cut frames [B, 4n, 3, H, W] in [0, 1] into [B, n, H/16, W/16, 768] in [-1, 1].

        With `half` the frames are already at half the size.
        """
        batch, count = frames.shape[:2]
        if not half:
            frames = F.avg_pool2d(frames.flatten(0, 1), 2).unflatten(0, (batch, count))
        height, width = frames.shape[-2] // _CELL, frames.shape[-1] // _CELL
        cells = frames.reshape(batch, count // TIME, TIME, 3, height, _CELL, width, _CELL)
        return cells.permute(0, 1, 4, 6, 2, 3, 5, 7).flatten(4) * 2 - 1

    @classmethod
    def fit(cls, groups: list[Tensor], *, half: bool = False) -> PatchCodec:
        """Fit the code on groups of four frames [B, 4, 3, H, W]; still groups stand for first frames."""
        stills = [group[::4, :1].expand(-1, TIME, -1, -1, -1) for group in groups]
        data = torch.cat([cls.blocks(group, half=half).flatten(0, 3) for group in [*groups, *stills]])
        mean = data.mean(0)
        data = data - mean
        values, vectors = torch.linalg.eigh((data.T @ data / len(data)).double())
        basis = vectors.flip(1)[:, :CODES]
        spread = values.flip(0)[:CODES].sqrt()
        # Strong components keep more weight than weak ones, less than in the picture; the mean square is 1.
        scale = spread**0.6
        scale = scale * ((spread / scale) ** 2).mean().sqrt()
        return cls(mean.float(), basis.float(), scale.float())

    def encode(self, frames: Tensor, *, first: bool = True, half: bool = False) -> Tensor:
        """Frames [B, T, 3, H, W] in [0, 1] to latents [B, 32, F, H/16, W/16] of mean square about 1.

        With `first` the first frame stands alone (T = 4n+1), else all are groups of four (T = 4n).
        """
        if first:
            frames = torch.cat([frames[:, :1].expand(-1, TIME - 1, -1, -1, -1), frames], 1)
        codes = (self.blocks(frames, half=half) - self.mean) @ self.basis / self.scale
        latents = codes.movedim(-1, 1)
        batch, _, count, height, width = latents.shape
        return torch.cat([latents, parity(height, width).to(latents).expand(batch, -1, count, -1, -1)], 1)

    def decode(self, latents: Tensor) -> Tensor:
        """The best linear picture of latents [B, 32, F, h, w]: frames [B, 4F-3, 3, 8h, 8w] at half size."""
        cells = (latents[:, :CODES].movedim(1, -1) * self.scale) @ self.basis.T + self.mean
        batch, count, height, width, _ = cells.shape
        cells = cells.unflatten(-1, (TIME, 3, _CELL, _CELL)).permute(0, 1, 4, 5, 2, 6, 3, 7)
        frames = cells.reshape(batch, count * TIME, 3, height * _CELL, width * _CELL)
        return (frames[:, TIME - 1 :] * 0.5 + 0.5).clamp(0, 1)

    def to(self, device: str | torch.device) -> PatchCodec:
        """The same code on another device."""
        return PatchCodec(self.mean.to(device), self.basis.to(device), self.scale.to(device))

    def save(self, path: Path) -> None:
        """Write the code as safetensors."""
        save_file({name: getattr(self, name).contiguous() for name in ("mean", "basis", "scale")}, path)

    @classmethod
    def load(cls, path: Path) -> PatchCodec:
        """Read a code written by `save`."""
        return cls(**load_file(path))

    def preview_factors(self) -> dict[str, list]:
        """Linear latent→RGB factors for previews in [-1, 1]: "factors" [[r, g, b] × 32] and "bias" [r, g, b].

        For a linear code the least-squares fit is exact: the block's mean colour.
        """
        colour = (self.basis * self.scale).T.unflatten(-1, (TIME, 3, -1)).mean((1, 3))
        colour = torch.cat([colour, torch.zeros(PARITY, 3)])
        bias = self.mean.unflatten(-1, (TIME, 3, -1)).mean((0, 2))
        return {
            "factors": [[round(float(v), 5) for v in row] for row in colour],
            "bias": [round(float(v), 5) for v in bias],
        }


def parity(height: int, width: int) -> Tensor:
    """The two constant channels [2, 1, height, width]: alternating by column, and by row."""
    columns = 1.0 - 2.0 * (torch.arange(width) % 2)
    rows = 1.0 - 2.0 * (torch.arange(height) % 2)
    return torch.stack([columns.expand(height, width), rows[:, None].expand(height, width)])[:, None]
