"""What the pipeline's tests make clips with."""

from typing import Any

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler

from pipelines.request import GenerationRequest, Progress
from pipelines.sketch.reading import read
from pipelines.wan import WanVideo
from tests.tiny_wan import tiny_request


def never() -> bool:
    return False


def ignore(_: Progress) -> None:
    pass


def frames_of(video: WanVideo, **changes: object) -> np.ndarray:
    return np.stack(list(video.generate(tiny_request(**changes), ignore, never)))


class Countdown:
    """A `should_stop` that says yes at its n-th question."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def __call__(self) -> bool:
        self.left -= 1
        return self.left <= 0


def bare(video: WanVideo, request: GenerationRequest, **changes: Any) -> np.ndarray:
    """The same clip by diffusers alone: whole decode, floats, rounded at the end."""
    pipe = video.pipe
    pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config, flow_shift=request.flow_shift)
    arguments = {
        "prompt": read(request.prompt).caption if video.spec.closed_world else request.prompt,
        "negative_prompt": request.negative_prompt,
        "height": request.height,
        "width": request.width,
        "num_frames": request.num_frames,
        "num_inference_steps": request.num_inference_steps,
        "guidance_scale": request.guidance_scale,
        "guidance_scale_2": request.guidance_scale_2,
        "generator": torch.Generator().manual_seed(request.seed),
        "max_sequence_length": video.spec.max_sequence_length,
        "output_type": "np",
    }
    return (pipe(**arguments | changes).frames[0] * 255).round().astype(np.uint8)
