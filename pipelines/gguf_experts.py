"""An expert read from a GGUF file as people pass them on: by diffusers' names, or by Wan's own.

Files made for ComfyUI keep Wan's names, matrices in 2 to 8 bits, the rest in F32, F16 or BF16.
"""

from pathlib import Path
from typing import Any

import gguf
import torch
from diffusers import GGUFQuantizationConfig, WanTransformer3DModel
from diffusers.models.model_loading_utils import load_gguf_checkpoint
from diffusers.quantizers.gguf.utils import GGUFParameter, dequantize_gguf_tensor

# What some files put before every name.
_BEFORE = ("model.diffusion_model.", "diffusion_model.", "model.")
# Parameters that are added, not multiplied with: Wan's name and diffusers'. Their first side, of length 1, is
# lost where llama.cpp wrote the file.
_ADDED = ("modulation", "scale_shift_table")


def read_expert(file: Path, folder: Path, name: str, kind: torch.dtype) -> WanTransformer3DModel:
    """One expert of the model in `folder` (diffusers' layout), computing in `kind`; matrices stay quantized.

    ValueError for a file that lacks weights of the expert, has others, or is in a form nobody reads.
    """
    weights = {_named(key): _plain(key, value) for key, value in load_gguf_checkpoint(str(file)).items()}
    try:
        return WanTransformer3DModel.from_single_file(
            weights,
            config=str(folder),
            subfolder=name,
            quantization_config=GGUFQuantizationConfig(compute_dtype=kind),
            dtype=kind,
            local_files_only=True,
        )
    except NotImplementedError as error:
        # diffusers says nothing of what is missing, and fails at moving a tensor that has no numbers.
        raise ValueError(f"{file.name} lacks weights of {name}") from error


def _named(key: str) -> str:
    for before in _BEFORE:
        if key.startswith(before):
            return key.removeprefix(before)
    return key


def _plain(key: str, value: Any) -> Any:
    """A weight as its layer takes it: only the matrix of a projection is multiplied with while quantized."""
    added, kind = key.endswith(_ADDED), getattr(value, "quant_type", None)
    whole = added or value.ndim != 2 or kind == gguf.GGMLQuantizationType.BF16
    if isinstance(value, GGUFParameter) and whole:
        value = dequantize_gguf_tensor(value)
        if not added:
            value = value.to(torch.bfloat16)
    return value[None] if added and value.ndim == 2 else value
