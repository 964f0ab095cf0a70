"""Which memory plan fits which card, in words. No torch here: the page shows it before anything is loaded."""

from dataclasses import dataclass
from typing import Literal

from pipelines.models import ModelSpec
from pipelines.request import Notice

# UMT5-XXL in bf16, the text encoder of every real Wan.
_TEXT_ENCODER_GB = 11.4
# What a clip needs beside the weights: about 12 GB for 1280x720x81 in bf16 with an fp32 VAE (an estimate).
_WORKING_GB_PER_PIXEL = 12 / (1280 * 720 * 81)
# What the system and the CUDA context keep for themselves.
_SYSTEM_RAM_GB = 4.0
_USABLE_VRAM = 0.96


@dataclass(frozen=True)
class Plan:
    """Where the parts of a model live while it works, and why, to be worded for a person.

    resident       everything on the GPU
    model_offload  in main memory; one part at a time comes to the GPU
    cpu            everything on the CPU
    does_not_fit   no plan works, not even for the smallest clip
    """

    kind: Literal["cpu", "resident", "model_offload", "does_not_fit"]
    why: Notice


def plan(spec: ModelSpec, *, vram_gb: float | None, ram_gb: float) -> Plan:
    """The plan for a model on a card with `vram_gb` (None: no GPU) in a machine with `ram_gb` of memory."""
    if vram_gb is None:
        # bf16 weights are widened on a CPU, where they would run at half the speed.
        weights = spec.memory_gb if spec.embedded else 2 * spec.memory_gb
        needs = weights + _working_gb(spec, largest=False) + (0 if spec.embedded else _SYSTEM_RAM_GB)
        return _plan("cpu" if needs <= ram_gb else "does_not_fit", spec, needs, ram_gb)
    usable = vram_gb * _USABLE_VRAM
    resident = spec.memory_gb + _working_gb(spec, largest=True)
    if resident <= usable:
        return _plan("resident", spec, resident, vram_gb)
    offloaded = max(_TEXT_ENCODER_GB, _expert_gb(spec) + _working_gb(spec, largest=False))
    if offloaded > usable:
        return _plan("does_not_fit", spec, offloaded, vram_gb)
    if spec.memory_gb + _SYSTEM_RAM_GB > ram_gb:
        return _plan("does_not_fit", spec, spec.memory_gb + _SYSTEM_RAM_GB, ram_gb)
    return _plan("model_offload", spec, offloaded, vram_gb)


def _plan(
    kind: Literal["cpu", "resident", "model_offload", "does_not_fit"],
    spec: ModelSpec,
    needs: float,
    has: float,
) -> Plan:
    return Plan(
        kind,
        Notice(f"plan_{kind}", {"model": spec.title, "needs_gb": round(needs, 1), "has_gb": round(has, 1)}),
    )


def _expert_gb(spec: ModelSpec) -> float:
    """One expert; the VAE counts with it, which is on the safe side."""
    return (spec.memory_gb - _TEXT_ENCODER_GB) / (2 if spec.two_experts else 1)


def _working_gb(spec: ModelSpec, *, largest: bool) -> float:
    pixels = [size.width * size.height for size in spec.sizes]
    clip = max(pixels) * spec.max_frames if largest else min(pixels) * spec.min_frames
    return _WORKING_GB_PER_PIXEL * clip
