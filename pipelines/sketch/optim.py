"""Muon for the block matrices, AdamW for the rest, and a running average of the weights."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn


def orthogonalised(batch: Tensor, steps: int = 5) -> Tensor:
    """Newton-Schulz: the nearest (semi-)orthogonal matrices to a batch [N, rows, columns]."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = batch.shape[-2] > batch.shape[-1]
    x = batch.mT if tall else batch
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum orthogonalised, with updates as large as AdamW's (RMS 0.2 × lr), for any shape [out, ...].

    Matrices of one shape are handled together: on a CPU that is several times faster than one by one.
    """

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, steps: int = 5
    ) -> None:
        super().__init__(list(params), {"lr": lr, "momentum": momentum, "steps": steps})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One update of every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, ...], list[Tensor]] = {}
            for param in group["params"]:
                if param.grad is not None:
                    by_shape.setdefault(tuple(param.shape), []).append(param)
            for params in by_shape.values():
                self._step_shape(params, group)

    def _step_shape(self, params: list[Tensor], group: dict) -> None:
        updates = []
        for param in params:
            state = self.state[param]
            if not state:
                state["momentum"] = torch.zeros_like(param)
            state["momentum"].mul_(group["momentum"]).add_(param.grad)
            updates.append((param.grad + group["momentum"] * state["momentum"]).flatten(1))
        stacked = orthogonalised(torch.stack(updates), group["steps"])
        size = group["lr"] * 0.2 * max(stacked.shape[-2:]) ** 0.5
        for param, update in zip(params, stacked, strict=True):
            param.add_(update.view_as(param), alpha=-size)


class Optimisers:
    """Several optimisers as one; learning rates are given as a factor on their base."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts
        self.base = [[group["lr"] for group in part.param_groups] for part in parts]

    def step(self, factor: float) -> None:
        """Step all with the learning rate scaled by `factor`, then forget the gradients."""
        for part, rates in zip(self.parts, self.base, strict=True):
            for group, rate in zip(part.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict]:
        """What is needed to go on later."""
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict]) -> None:
        """Go on from `state_dict`."""
        for part, state in zip(self.parts, states, strict=False):
            part.load_state_dict(state)


def split_matrices(
    *models: nn.Module, also: tuple[str, ...] = ()
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The parameters for Muon (matrices and kernels inside blocks) and those for AdamW (all the rest)."""
    matrices, rest = [], []
    for model in models:
        for name, param in model.named_parameters():
            inside = any(f"{part}." in name for part in ("blocks", "mid_block", *also))
            is_matrix = param.ndim >= 2 and "table" not in name and "gamma" not in name
            (matrices if inside and is_matrix else rest).append(param)
    return matrices, rest


class Average:
    """Exponential moving average of modules' weights; young averages forget faster."""

    def __init__(self, modules: dict[str, nn.Module], decay: float) -> None:
        self.decay = decay
        self.count = 0
        self.modules = {name: copy.deepcopy(module).requires_grad_(False) for name, module in modules.items()}

    @torch.no_grad()
    def update(self, modules: dict[str, nn.Module]) -> None:
        """Move a little towards the present weights."""
        self.count += 1
        weight = 1 - min(self.decay, (1 + self.count) / (10 + self.count))
        for name, module in modules.items():
            torch._foreach_lerp_(list(self.modules[name].parameters()), list(module.parameters()), weight)

    def state_dict(self) -> dict:
        """What is needed to go on later."""
        return {"count": self.count, **{name: module.state_dict() for name, module in self.modules.items()}}

    def load_state_dict(self, state: dict) -> None:
        """Go on from `state_dict`."""
        self.count = state["count"]
        for name, module in self.modules.items():
            module.load_state_dict(state[name])
