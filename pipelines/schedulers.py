"""A request's own scheduler. Whatever its kind, its clean estimate is `model_outputs[-1]` after each step."""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler
from diffusers.configuration_utils import register_to_config

from pipelines.models import ModelSpec
from pipelines.request import GenerationRequest


class DistilledEuler(FlowMatchEulerDiscreteScheduler):
    """Plain Euler on the very timesteps that a model was distilled on, from 1000 down.

    diffusers' own, told shift 5 and four steps, takes [1000, 910, 717, 24]: other ones than were taught.
    """

    @register_to_config
    def __init__(self, num_train_timesteps: int = 1000, shift: float = 1.0) -> None:
        super().__init__(num_train_timesteps=num_train_timesteps, shift=shift)
        self.taught: tuple[float, ...] = ()
        self.model_outputs: list[torch.Tensor | None] = [None]

    def set_timesteps(self, num_inference_steps: int, device: Any = None, **_: Any) -> None:
        """Take the taught timesteps; ValueError for another number of steps."""
        if num_inference_steps != len(self.taught):
            raise ValueError(f"{len(self.taught)} steps were taught, {num_inference_steps} are asked for")
        total = self.config.num_train_timesteps
        super().set_timesteps(sigmas=[timestep / total for timestep in self.taught], device=device)

    def step(self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, **more: Any) -> Any:
        """One step down; keeps the estimate of the clean latents."""
        if self.step_index is None:
            self._init_step_index(timestep)
        sigma = self.sigmas[self.step_index]
        self.model_outputs = [sample.float() - sigma * model_output.float()]
        # In the sample's precision: diffusers would leave the latents in the model's.
        return super().step(model_output.to(sample.dtype), timestep, sample, **more)


def distilled(timesteps: Sequence[float]) -> DistilledEuler:
    """The scheduler of a distilled model."""
    scheduler = DistilledEuler()
    scheduler.taught = tuple(timesteps)
    return scheduler


def scheduler_for(request: GenerationRequest, spec: ModelSpec, own: Any) -> Any:
    """A new scheduler for a request: it keeps the history of the steps, and no job may see another's.

    `own` is the config of the model's own; all but the shift is its affair: Wan's experts predict the flow,
    sketch's the clean latents.
    """
    if request.tier == "fast" and spec.distilled is not None:
        return distilled(spec.distilled.timesteps)
    return UniPCMultistepScheduler.from_config(own, flow_shift=request.flow_shift)
