"""What makes the same pictures faster: attention, compiled blocks, fused projections.

Chosen when a model is placed, and put on its pipeline for good; what differs by job is `speed`'s.
"""

import contextlib
import functools
import importlib.util
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from diffusers.models import attention_dispatch
from diffusers.models.attention import AttentionModuleMixin
from diffusers.models.attention_dispatch import (
    AttentionBackendName,
    _AttentionBackendRegistry,
    dispatch_attention_fn,
)

log = logging.getLogger(__name__)

# Fastest first. Hopper (capability 9) runs FlashAttention 3 and cuDNN's kernel a third faster than
# FlashAttention 2; older cards have no FlashAttention 3.
_HOPPER = ("_flash_3", "_flash_3_hub", "_native_cudnn", "flash")
_OLDER = ("flash", "_native_cudnn")
_HUB_KERNELS = {"_flash_3_hub": "kernels-community/flash-attn3"}
NATIVE = "native"
# Relative error within which two attentions in bf16 count as equal: bf16 keeps 8 bits.
_SAME = 0.02
# One compiled block serves every block; more are needed for other sizes, LoRAs, a cache's first block.
_RECOMPILE_LIMIT = 64


@dataclass(frozen=True)
class Engine:
    """What a model runs with. `attention` is diffusers' name of the kernel."""

    attention: str = NATIVE
    compiled: bool = False
    fused: bool = False

    def told(self) -> str:
        """The engine in one line, for the log and the recipe."""
        parts = [f"attention {self.attention}"]
        parts += ["compiled blocks"] if self.compiled else []
        parts += ["fused projections"] if self.fused else []
        return ", ".join(parts)


PLAIN = Engine()


def best(device: str, *, resident: bool) -> Engine:
    """The fastest engine of a device that makes the same pictures within bf16 noise.

    Projections are fused only where the weights stay on the card as they are (`resident`): a part that moves,
    or is kept in 8 bits, would be held twice.
    """
    if not device.startswith("cuda"):
        return PLAIN
    return Engine(attention=best_attention(device), compiled=_can_compile(), fused=resident)


@functools.cache
def best_attention(device: str) -> str:
    """The fastest attention that is really there, tried with a tiny call; told in the log."""
    if not device.startswith("cuda"):
        return NATIVE
    hopper = torch.cuda.get_device_capability(device)[0] >= 9
    for name in _HOPPER if hopper else _OLDER:
        if why := attention_fails(name, device):
            log.info("attention %s is not used: %s", name, why)
        else:
            return name
    return NATIVE


def attention_fails(name: str, device: str) -> str:
    """Why an attention can't be used on a device; empty if it answers as the native one does."""
    if (repo := _HUB_KERNELS.get(name)) and not _kernel_is_here(repo):
        return "its kernel is not on this machine"
    try:
        backend = AttentionBackendName(name)
        attention_dispatch._check_attention_backend_requirements(backend)
        attention_dispatch._maybe_download_kernel_for_backend(backend)
        with _active_backend_kept():
            # A clip's tokens among themselves, and those of the prompt.
            error = max(_distance(backend, device, seen) for seen in (256, 64))
    except Exception as problem:
        return str(problem).strip().split("\n")[0][:200] or type(problem).__name__
    return "" if error < _SAME else f"it answers otherwise, by {error:.3f}"


def _distance(backend: AttentionBackendName, device: str, seen: int) -> float:
    """How far an attention of 256 tokens to `seen` ones is from the native one's, relative."""
    probe = torch.Generator("cpu").manual_seed(0)
    parts = [torch.randn(1, length, 2, 128, generator=probe) for length in (256, seen, seen)]
    query, key, value = (part.to(device, torch.bfloat16) for part in parts)
    found = dispatch_attention_fn(query, key, value, backend=backend)
    native = dispatch_attention_fn(query, key, value, backend=AttentionBackendName.NATIVE)
    error = float((found.float() - native.float()).norm() / native.float().norm())
    return math.inf if math.isnan(error) else error


def put_on(pipe: Any, engine: Engine) -> Engine:
    """Let a pipeline's experts run with an engine, or with what of it they can; `take_off` undoes it.

    After the experts got their place and before LoRAs. Not fused are weights in 8 bits or fewer, not compiled
    are blocks whose layers are brought or cast one by one.
    """
    experts = experts_of(pipe)
    engine = replace(
        engine,
        fused=engine.fused and all(map(_can_fuse, experts)),
        compiled=engine.compiled and not any(map(_cares_for_layers, experts)),
    )
    for expert in experts:
        if engine.fused:
            fuse(expert)
        if engine.attention != NATIVE:
            with _active_backend_kept():
                expert.set_attention_backend(engine.attention)
        if engine.compiled:
            _compile(expert)
    log.info("the experts run with %s", engine.told())
    return engine


def take_off(pipe: Any) -> None:
    """Plain diffusers again."""
    for expert in experts_of(pipe):
        expert.unfuse_qkv_projections()
        with _active_backend_kept():
            expert.reset_attention_backend()
        for block in expert.blocks:
            if _hooked(block):
                _inner_forward(block, lambda forward: getattr(forward, "_torchdynamo_orig_callable", forward))
            else:
                vars(block).pop("forward", None)


def experts_of(pipe: Any) -> list[Any]:
    """The transformers of a pipeline: one, or the high-noise and the low-noise one."""
    found = (pipe.transformer, getattr(pipe, "transformer_2", None))
    return [expert for expert in found if expert is not None]


def fuse(expert: Any) -> None:
    """Fuse an expert's projections; q, k, v become views into their fused matrix: nothing is held twice."""
    for module in expert.modules():
        if isinstance(module, AttentionModuleMixin) and not module.fused_projections:
            module.fuse_projections()
            _share(module, "to_qkv", ("to_q", "to_k", "to_v"))
            _share(module, "to_kv", ("to_k", "to_v"))
            _share(module, "to_added_kv", ("add_k_proj", "add_v_proj"))


def _compile(expert: Any) -> None:
    """One compiled block for all blocks, in the place of diffusers' `compile_repeated_blocks`.

    That one compiles the hooks of a block too: those that look whether a job was cancelled are another job's
    with every job. The inner forward has none, and step caches that wrap it cause no second compilation.
    """
    torch._dynamo.config.recompile_limit = max(_RECOMPILE_LIMIT, torch._dynamo.config.recompile_limit)
    for block in expert.blocks:
        _inner_forward(block, lambda forward: torch.compile(forward, dynamic=False))


def _inner_forward(block: Any, change: Callable[[Any], Any]) -> None:
    """Change a block's own forward, below the hooks that diffusers wrapped it in."""
    if not _hooked(block):
        block.forward = change(block.forward)
        return
    innermost = block._diffusers_hook._fn_refs[0]
    if innermost.original_forward is None:
        innermost.forward = change(innermost.forward)
    else:
        innermost.original_forward = change(innermost.original_forward)


def _hooked(block: Any) -> bool:
    return bool(getattr(getattr(block, "_diffusers_hook", None), "_fn_refs", None))


def _can_fuse(expert: Any) -> bool:
    projections = [module.to_q for module in expert.modules() if isinstance(module, AttentionModuleMixin)]
    return all(type(one) is torch.nn.Linear and one.weight.element_size() > 1 for one in projections)


def _cares_for_layers(expert: Any) -> bool:
    """Whether hooks lie on the layers of a block: traced, they would be taken for a part of it."""
    inner = (module for block in expert.blocks for module in block.modules() if module is not block)
    return any(getattr(getattr(module, "_diffusers_hook", None), "hooks", None) for module in inner)


@torch.no_grad()
def _share(module: Any, fused: str, names: tuple[str, ...]) -> None:
    whole = getattr(module, fused, None)
    if whole is None:
        return
    weights, biases = whole.weight.data.chunk(len(names)), whole.bias.data.chunk(len(names))
    for name, weight, bias in zip(names, weights, biases, strict=True):
        part = getattr(module, name)
        part.weight.data, part.bias.data = weight, bias


@contextlib.contextmanager
def _active_backend_kept() -> Any:
    """diffusers sets the backend of one model as that of all; here each model has its own."""
    kept = _AttentionBackendRegistry._active_backend
    try:
        yield
    finally:
        _AttentionBackendRegistry.set_active_backend(kept)


def _kernel_is_here(repo: str) -> bool:
    """Whether a kernel of the hub lies in the local cache, and nobody is asked for it over the network."""
    if importlib.util.find_spec("kernels") is None or not attention_dispatch.HF_HUB_OFFLINE:
        return False
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        return any(found.repo_id == repo for found in scan_cache_dir().repos)
    except CacheNotFound:
        return False


def _can_compile() -> bool:
    """Whether torch can compile for the GPU here: it needs Triton."""
    return importlib.util.find_spec("triton") is not None
