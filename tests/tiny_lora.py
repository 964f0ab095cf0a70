"""Writes LoRAs of the tiny Wan, in the two spellings that are met: diffusers' own, and the makers'."""

from pathlib import Path

import torch
from safetensors.torch import save_file

_OWN = {"q": "attn1.to_q", "k": "attn1.to_k", "v": "attn1.to_v", "o": "attn1.to_out.0"}


def write_lora(
    path: Path, *, rank: int = 2, seed: int = 0, width: int = 24, layers: int = 2, own: bool = False
) -> Path:
    """A LoRA for the self-attention of every block, strong enough to be seen; `own`: diffusers' spelling."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in range(layers):
        for short, long in _OWN.items():
            place = (
                f"transformer.blocks.{layer}.{long}"
                if own
                else f"diffusion_model.blocks.{layer}.self_attn.{short}"
            )
            down, up = ("lora_A", "lora_B") if own else ("lora_down", "lora_up")
            tensors[f"{place}.{down}.weight"] = torch.randn(rank, width, generator=generator)
            tensors[f"{place}.{up}.weight"] = torch.randn(width, rank, generator=generator)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


def write_pair(folder: Path, *, rank: int = 2, seed: int = 0, width: int = 24) -> tuple[Path, Path]:
    """A pair as home/loras/NAME holds it: for the high-noise expert and for the low."""
    high = write_lora(folder / "high.safetensors", rank=rank, seed=seed, width=width)
    return high, write_lora(folder / "low.safetensors", rank=rank, seed=seed + 100, width=width)
