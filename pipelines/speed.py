"""What the tier of one request puts on the experts, and takes off again: guidance gating and a step cache."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from diffusers import SeaCacheConfig
from diffusers.hooks import HookRegistry, ModelHook
from diffusers.hooks.hooks import BaseState, StateManager

from pipelines.engine import experts_of
from pipelines.request import GenerationRequest

GATE_AFTER = 0.5
"""From this share of the steps on, what guidance adds is kept from the last step that computed it."""

# SeaCache needs no ratios measured on the weights (MagCache does), looks at what really changed, and answers
# rightly after a job that broke off. Its own defaults; nobody has tuned them for these weights.
_THRESHOLD = 0.25
_GATE = "guidance_gate"


@contextlib.contextmanager
def running(pipe: Any, request: GenerationRequest) -> Iterator["Spared"]:
    """The experts as the request's tier wants them; afterwards, whatever happened, as they were."""
    experts = experts_of(pipe)
    spared = Spared()
    try:
        if request.tier == "balanced":
            for expert in experts:
                expert.enable_cache(
                    SeaCacheConfig(threshold=_THRESHOLD, raw_vision_callback=_visible_latents)
                )
                registry = HookRegistry.check_if_exists_or_initialize(expert)
                # Last, so outermost: a forward that guidance spares never reaches the step cache.
                registry.register_hook(_Gate(spared, experts), _GATE)
                registry.invalidate_child_registries_cache()
        yield spared
    finally:
        for expert in experts:
            registry = HookRegistry.check_if_exists_or_initialize(expert)
            registry.remove_hook(_GATE, recurse=False)
            registry.invalidate_child_registries_cache()
            expert._reset_stateful_cache()
            if request.tier == "balanced" and expert.is_cache_enabled:
                expert.disable_cache()


class Spared:
    """How often an expert was asked, and how often guidance needed no forward of its own."""

    def __init__(self) -> None:
        self.asked = self.gated = 0


class _Delta(BaseState):
    """What one expert's guidance adds: the answer with the prompt, and its distance from that without."""

    def __init__(self) -> None:
        self.reset()

    def reset(self, *_: Any, **__: Any) -> None:
        self.with_prompt: torch.Tensor | None = None
        self.delta: torch.Tensor | None = None


class _Gate(ModelHook):
    """Answers the forward without prompt from the kept delta, late in a job.

    A guided step is u + g (c - u). With the delta d of an earlier step, u = c - d makes it c + (g - 1) d: one
    forward instead of two. Each expert has its own delta, so the low-noise one begins with a full step.
    """

    _is_stateful = True

    def __init__(self, spared: Spared, experts: list[Any]) -> None:
        super().__init__()
        self._spared = spared
        self._experts = experts
        self._begun = False
        # diffusers tells hooks where the loop is through their state managers.
        self.where = StateManager(_Delta)
        self._kept = _Delta()

    def new_forward(self, module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        """The expert's answer: computed, or the one with the prompt less the kept delta."""
        context = self.where._context
        if context is None or context.step_index is None or not context.num_inference_steps:
            return self.fn_ref.original_forward(*args, **kwargs)
        self._let_others_go(module)
        self._spared.asked += 1
        late = context.step_index >= GATE_AFTER * context.num_inference_steps
        kept = self._kept
        if context.name == "uncond" and late and kept.delta is not None and kept.with_prompt is not None:
            self._spared.gated += 1
            return (kept.with_prompt - kept.delta,)
        answer = self.fn_ref.original_forward(*args, **kwargs)
        if context.name == "cond":
            kept.with_prompt = answer[0]
        elif context.name == "uncond" and kept.with_prompt is not None:
            kept.delta = kept.with_prompt - answer[0]
        return answer

    def _let_others_go(self, module: torch.nn.Module) -> None:
        """The other expert is done with: what its step cache keeps is gigabytes."""
        if not self._begun:
            self._begun = True
            for expert in self._experts:
                if expert is not module:
                    expert._reset_stateful_cache()

    def reset_state(self, module: torch.nn.Module) -> torch.nn.Module:
        """Forget everything."""
        self._kept.reset()
        self.where.reset()
        return module


def _visible_latents(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[torch.Tensor] | None:
    """What the step cache watches: the latents of the film, without the channels of a given first frame."""
    hidden = kwargs.get("hidden_states", args[0] if args else None)
    if not isinstance(hidden, torch.Tensor) or hidden.ndim != 5:
        return None
    return list(hidden[:, : module.config.out_channels].unbind(dim=0))
