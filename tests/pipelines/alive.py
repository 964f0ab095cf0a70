"""Counts the bytes of all tensors that are alive while an expert works, weights left out."""

import contextlib
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from diffusers import WanTransformer3DModel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Alive(TorchDispatchMode):
    """While it is on: `peak`, the most bytes that were alive in one moment."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known = {weight.untyped_storage()._cdata for weight in model.parameters()}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)

        def gone() -> None:
            self._known.discard(key)
            self.now -= size

        weakref.finalize(storage, gone)


def expert(heads: int, ffn: int, channels: int, device: str) -> WanTransformer3DModel:
    """Two blocks of a Wan in bf16, with what diffusers keeps in fp32 in fp32."""
    with torch.device(device):
        model = WanTransformer3DModel(
            num_attention_heads=heads, ffn_dim=ffn, num_layers=2, in_channels=channels, out_channels=channels
        )
    return as_loaded(model)


def as_loaded(model: WanTransformer3DModel) -> WanTransformer3DModel:
    """In the precisions that `from_pretrained` gives."""
    model = model.to(torch.bfloat16).eval()
    for name, module in model.named_modules():
        if set(name.split(".")) & set(WanTransformer3DModel._keep_in_fp32_modules):
            module.to(torch.float32)
    for name, weight in model.named_parameters():
        if "scale_shift_table" in name:
            weight.data = weight.data.to(torch.float32)
    return model


@contextlib.contextmanager
def fused_attention() -> Iterator[None]:
    """Attention and norms as one kernel each, as cards have them: nothing of them is alive but the answer."""

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.zeros(query.shape, dtype=query.dtype, device=query.device)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.functional, "scaled_dot_product_attention", attend)
        patch.setattr(torch.nn.RMSNorm, "forward", lambda _, given: torch.zeros_like(given))
        yield


def peak_of(
    model: WanTransformer3DModel,
    latents: tuple[int, int, int],
    device: str,
    work: Callable[[Callable[[], Any]], Any] = lambda forward: forward(),
) -> int:
    """The most bytes alive while `work` calls forwards over latents (frames, height, width)."""
    given = {
        "hidden_states": torch.randn(
            1, model.config.in_channels, *latents, dtype=torch.bfloat16, device=device
        ),
        "timestep": torch.tensor([900.0], device=device),
        "encoder_hidden_states": torch.randn(1, 512, 4096, dtype=torch.bfloat16, device=device),
    }
    counted = Alive(model)
    with fused_attention(), torch.no_grad(), counted:
        work(lambda: model(**given, return_dict=False))
    return counted.peak
