"""Wan of the real size with random weights, in memory; for `bench.gpu`. Zeros would run 13 % too fast."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed
from safetensors.torch import save_file

from pipelines.models import MODELS, ModelSpec, Size
from pipelines.prompts import Prompts
from tests.tiny_wan import write_tiny_wan

TFLOPS = 790.0
"""What one H200 does in bf16 matrix products on random data, TFLOP/s: the floor that ratios refer to."""


class Shot(NamedTuple):
    """A size to measure. `pflop` is one forward's, counted on diffusers' own classes (0: unknown)."""

    name: str
    size: Size
    frames: int
    pflop: float

    @property
    def floor_ms(self) -> float:
        """Milliseconds of a forward that is bound by matrix products alone."""
        return self.pflop / TFLOPS * 1e6


class Subject(NamedTuple):
    """A model to measure, and in which sizes; the last one is the one that whole clips are made in."""

    name: str
    spec: ModelSpec
    shots: tuple[Shot, ...]


A14B = Subject(
    "A14B",
    MODELS["wan2.2-t2v-a14b"],
    (Shot("480p81", Size(832, 480), 81, 1.68), Shot("720p81", Size(1280, 720), 81, 6.52)),
)
TI2V_5B = Subject("TI2V-5B", MODELS["wan2.2-ti2v-5b"], (Shot("704p121", Size(1280, 704), 121, 0.517),))
TINY = Subject("tiny", MODELS["wan2.2-t2v-a14b"], (Shot("64p9", Size(64, 64), 9, 0.0),))

_EXPERTS: dict[str, dict[str, Any]] = {
    "A14B": {},
    "TI2V-5B": {
        "num_attention_heads": 24, "in_channels": 48, "out_channels": 48, "ffn_dim": 14336, "num_layers": 30,
    },
}  # fmt: skip
_VAES: dict[str, dict[str, Any]] = {
    "A14B": {},
    "TI2V-5B": {
        "base_dim": 160, "decoder_base_dim": 256, "z_dim": 48, "is_residual": True, "in_channels": 12,
        "out_channels": 12, "patch_size": 2, "scale_factor_spatial": 16, "scale_factor_temporal": 4,
        "temperal_downsample": [False, True, True], "latents_mean": [0.0] * 48, "latents_std": [1.0] * 48,
    },
}  # fmt: skip


def build(subject: Subject, device: str, folder: Path) -> WanPipeline:
    """The pipeline without a text encoder, experts in bf16 and the VAE in fp32, all on `device`."""
    if subject is TINY:
        return WanPipeline.from_pretrained(write_tiny_wan(folder)).to(device)
    torch.manual_seed(0)
    boundary = 0.875 if subject.spec.two_experts else None
    return WanPipeline(
        tokenizer=None,
        text_encoder=None,
        vae=AutoencoderKLWan(**_VAES[subject.name]).eval().to(device),
        scheduler=UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, num_train_timesteps=1000
        ),
        transformer=expert(subject, device),
        transformer_2=expert(subject, device) if subject.spec.two_experts else None,
        boundary_ratio=boundary,
        expand_timesteps=subject is TI2V_5B,
    )


@torch.no_grad()
def expert(subject: Subject, device: str) -> WanTransformer3DModel:
    """One expert in bf16, with what diffusers keeps in fp32 in fp32."""
    shape = {"text_dim": 4096, **_EXPERTS[subject.name]}
    with torch.device("meta"):
        model = WanTransformer3DModel(**shape)
    model = model.to(torch.bfloat16).to_empty(device=device).eval()
    wide = WanTransformer3DModel._keep_in_fp32_modules
    for name, module in model.named_modules():
        if name and any(part in name.split(".") for part in wide):
            module.to(torch.float32)
    # Drawn on the card, also for main memory: a processor needs minutes for so many.
    source = "cuda" if torch.cuda.is_available() else device
    for name, weight in model.named_parameters():
        if any(part in name for part in ("norm_q.weight", "norm_k.weight", "norm2.weight")):
            weight.fill_(1.0)
        else:
            weight.copy_(torch.empty_like(weight, device=source).normal_(std=0.02))
        if "scale_shift_table" in name:
            weight.data = weight.data.to(torch.float32)
    # Its tables are computed when it is made, and a model from nowhere has none.
    config = model.config
    model.rope = WanRotaryPosEmbed(config.attention_head_dim, config.patch_size, config.rope_max_seq_len).to(
        device
    )
    return model


class Given(Prompts):
    """Embedded prompts from nowhere: what is measured begins after the text encoder."""

    def __init__(self, dim: int, length: int) -> None:
        self._text = torch.randn(1, length, dim, generator=torch.Generator().manual_seed(1)) * 0.1

    def get(self, text: str, max_sequence_length: int) -> torch.Tensor:
        """The same for every text."""
        return self._text[:, :max_sequence_length]

    def put(self, text: str, embeds: torch.Tensor) -> None:
        """Kept nowhere."""


def write_pair(folder: Path, pipe: WanPipeline, *, rank: int) -> tuple[Path, Path]:
    """A random distilled pair over all projections, as heavy as the published ones at rank 64."""
    files = []
    for kind, model in (("high", pipe.transformer), ("low", pipe.transformer_2)):
        tensors = {}
        for name, layer in model.named_modules():
            if not (name.startswith("blocks.") and isinstance(layer, torch.nn.Linear)):
                continue
            if name.endswith(("to_qkv", "to_kv")):
                continue
            down, up = torch.randn(rank, layer.in_features), torch.randn(layer.out_features, rank)
            tensors[f"transformer.{name}.lora_A.weight"] = (down * 0.01).to(torch.bfloat16)
            tensors[f"transformer.{name}.lora_B.weight"] = (up * 0.01).to(torch.bfloat16)
        folder.mkdir(parents=True, exist_ok=True)
        files.append(folder / f"{kind}.safetensors")
        save_file(tensors, files[-1])
    return files[0], files[1]
