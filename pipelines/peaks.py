"""How full a clip really makes the card, beside what its plan predicted: for `bench/gpu.py`."""

from dataclasses import dataclass

import torch

from pipelines.extras import extras_of
from pipelines.memory import Clip
from pipelines.placement import peak_gb
from pipelines.request import NO_INPUTS, GenerationRequest, Inputs
from pipelines.shapes import GB
from pipelines.wan import WanVideo


@dataclass(frozen=True)
class Peak:
    """One clip under one plan, in GB of 2^30 bytes; `measured_gb` is None where there is no card."""

    plan: str
    predicted_gb: float
    measured_gb: float | None

    @property
    def error(self) -> float | None:
        """How far the prediction is off, as a share of what was measured: 0.1 is 10 % too much."""
        return None if not self.measured_gb else self.predicted_gb / self.measured_gb - 1


def peak_of(video: WanVideo, request: GenerationRequest, inputs: Inputs = NO_INPUTS) -> Peak:
    """Make a clip, all its frames, and say how full the card was: `torch.cuda.max_memory_allocated`.

    The model's weights count; what the allocator keeps beside (its cache) does not. Make one clip before: the
    first one also traces and compiles.
    """
    device = video.pipe._execution_device
    on_card = device.type == "cuda"
    if on_card:
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    for _ in video.generate(request, lambda _: None, lambda: False, inputs):
        pass
    measured = torch.cuda.max_memory_allocated(device) / GB if on_card else None
    clip = Clip(request.size, request.num_frames)
    if video.plan is None:
        return Peak("none", 0.0, measured)
    extras = extras_of(request, inputs.loras)
    predicted = peak_gb(video.plan, video.spec, clip, pictured=bool(request.first_frame), extras=extras)
    return Peak(video.plan.kind, predicted, measured)
