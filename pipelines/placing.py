"""A memory plan put into effect with diffusers' own means: where the parts lie, when they come and go."""

import contextlib
import json
import logging
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import cpu_offload_with_hook
from accelerate.hooks import CpuOffload
from diffusers import AutoencoderKLWan, WanPipeline, WanTransformer3DModel
from diffusers.hooks import apply_group_offloading

from pipelines import gguf_files
from pipelines.cpu_conv import use_onednn
from pipelines.decode import lay_out_for_cards
from pipelines.models import ModelSpec
from pipelines.placement import Plan

log = logging.getLogger(__name__)

_EXPERTS = ("transformer", "transformer_2")
_GROUP_HOOK, _ORDER_HOOK = "group_offloading", "lazy_prefetch_group_offloading"


def assemble(
    spec: ModelSpec, folder: Path, device: str, chosen: Plan, check: Callable[[], None] = lambda: None
) -> WanPipeline:
    """Read a model's weights and lay them out as a plan says; `device` is where it works.

    bf16 with an fp32 VAE on a card; fp32 on a processor and for embedded models. Experts are read and laid
    out one after the other: main memory never holds more than the plan says. `check` is asked before each
    part, and may raise.
    """
    # Small, and so the same on every device; and bf16 is no faster on a processor.
    wide = device == "cpu" or spec.embedded
    kind = torch.float32 if wide else torch.bfloat16
    parts: dict[str, Any] = {"default": kind, "vae": torch.float32}
    if chosen.layout is None:
        check()
        pipe = _whole(spec, WanPipeline.from_pretrained(folder, dtype=parts, local_files_only=True))
        check()
        pipe.to(device)
    else:
        experts = {}
        for name in _EXPERTS if spec.two_experts else _EXPERTS[:1]:
            check()
            expert = _read_expert(folder, name, kind, gguf=chosen.kind == "gguf")
            experts[name] = _lay_out(expert, chosen, device)
        check()
        pipe = WanPipeline.from_pretrained(folder, dtype=parts, local_files_only=True, **experts)
        check()
        _lay_out_the_rest(_whole(spec, pipe), chosen, device)
    if device == "cpu":
        use_onednn(pipe.vae)
    elif not spec.embedded:
        lay_out_for_cards(pipe.vae)
    return pipe


def text_encoder_leaves(pipe: Any) -> None:
    """The prompt is read: where the text encoder only visits, it goes."""
    leaves(pipe.text_encoder)


def leaves(part: Any) -> None:
    """A part has done its work for now: where it only visits the card, it goes."""
    if _visits(part):
        part.to("cpu")
        _empty()


def job_ends(pipe: Any) -> None:
    """Send back what a job, also one that was broken off, left on the card; what stays there stays."""
    pipe.maybe_free_model_hooks()
    left = False
    for part in pipe.components.values():
        if not isinstance(part, torch.nn.Module):
            continue
        if _visits(part):
            left = left or next(part.parameters()).device.type != "cpu"
            part.to("cpu")
        for module in part.modules():
            registry = getattr(module, "_diffusers_hook", None)
            hook = None if registry is None else registry.get_hook(_GROUP_HOOK)
            if hook is not None:
                # A block that was cancelled never came to its end, where it would have gone by itself.
                hook.group.offload_()
    if left:
        _empty()


def decode_tiled(
    vae: AutoencoderKLWan, latents: torch.Tensor, check: Callable[[], None]
) -> Generator[np.ndarray, None, None]:
    """Yield uint8 arrays (n, H, W, 3) as `decode_chunks` does, decoded in diffusers' overlapping tiles.

    For cards with too little room for the whole picture; `check` is asked before each piece of a tile. All
    frames are there at once, and the seams between tiles are blended: not the very pixels of the whole.
    """
    hook = vae.decoder.register_forward_pre_hook(lambda *_: check())
    tiled = vae.use_tiling
    vae.enable_tiling()
    try:
        with torch.no_grad():
            where = getattr(getattr(vae, "_hf_hook", None), "execution_device", None) or vae.device
            latents = latents.to(where, vae.dtype)
            shape = (1, vae.config.z_dim, 1, 1, 1)
            mean = torch.tensor(vae.config.latents_mean).view(shape).to(latents)
            inverse = 1.0 / torch.tensor(vae.config.latents_std).view(shape).to(latents)
            video = vae.decode(latents / inverse + mean, return_dict=False)[0][0]
            pixels = ((video.clamp_(-1, 1) / 2 + 0.5) * 255).round().to(torch.uint8)
    finally:
        vae.use_tiling = tiled
        hook.remove()
        vae.clear_cache()
    del video
    yield from pixels.permute(1, 2, 3, 0).cpu().numpy()[:, None]


def _whole(spec: ModelSpec, pipe: WanPipeline) -> WanPipeline:
    if spec.two_experts and (pipe.transformer_2 is None or pipe.config.boundary_ratio is None):
        raise ValueError("it has one expert, two are expected")
    return pipe


def _read_expert(folder: Path, name: str, kind: torch.dtype, *, gguf: bool) -> Any:
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    if not (index.get(name) or [None])[0]:
        raise ValueError("it has one expert, two are expected")
    if gguf:
        # Only here: the package that reads them may be missing where there are none.
        from pipelines.gguf_experts import read_expert

        two = bool((index.get(_EXPERTS[1]) or [None])[0])
        file = gguf_files.find(folder, two_experts=two)[_EXPERTS.index(name)]
        return read_expert(file, folder, name, kind)
    return WanTransformer3DModel.from_pretrained(folder, subfolder=name, dtype=kind, local_files_only=True)


def _lay_out(expert: Any, chosen: Plan, device: str) -> Any:
    """One expert where the plan has it; those that take turns stay in main memory until they have theirs."""
    layout = chosen.layout
    assert layout is not None
    if layout.fp8:
        expert.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=expert.dtype)
    if layout.way == "resident":
        return expert.to(device)
    if layout.way == "streamed":
        expert.enable_group_offload(
            onload_device=torch.device(device),
            offload_device=torch.device("cpu"),
            offload_type="block_level",
            num_blocks_per_group=1,
            use_stream=device.startswith("cuda"),
            # Each block waits for the one before it anyway: its memory is free as soon as it is done.
            record_stream=False,
            low_cpu_mem_usage=not layout.pinned,
        )
        know_the_order(expert)
    return expert


def know_the_order(expert: Any) -> None:
    """Let the blocks of an expert that is streamed come ahead from its first forward on; others: nothing.

    diffusers would watch the first forward to learn their order, and takes its watching hooks off from under
    a step cache in such a way that the cache is off, too, for the rest of that job.
    """
    registry = getattr(expert, "_diffusers_hook", None)
    watching = None if registry is None else registry.get_hook(_ORDER_HOOK)
    if watching is not None:
        watching.execution_order = [(f"blocks.{at}", block) for at, block in enumerate(expert.blocks)]
        watching.post_forward(expert, None)


def _lay_out_the_rest(pipe: WanPipeline, chosen: Plan, device: str) -> None:
    """The text encoder (None: there is none) and the VAE, and who makes room for whom."""
    layout, where, encoder = chosen.layout, torch.device(device), pipe.text_encoder
    assert layout is not None
    if layout.way == "one_at_a_time" and layout.text_encoder == "visits":
        # diffusers' chain: each expert makes the other leave when its turn comes, once a job.
        pipe.enable_model_cpu_offload(device=device)
        return
    if encoder is not None and layout.text_encoder == "stays":
        encoder.to(where)
    elif encoder is not None and layout.text_encoder == "visits":
        cpu_offload_with_hook(encoder, where)
    elif encoder is not None:
        apply_group_offloading(
            encoder,
            onload_device=where,
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
        )
    if layout.way == "resident":
        pipe.vae.to(where)
        return
    # The same chain by hand: diffusers refuses its own beside parts that come in groups.
    last = None
    for name in (*_EXPERTS, "vae") if layout.way == "one_at_a_time" else ("vae",):
        part = getattr(pipe, name)
        if part is not None:
            _, last = cpu_offload_with_hook(part, where, prev_module_hook=last)


def _visits(part: Any) -> bool:
    """Whether a part comes to the card when it is called, and has to be sent away."""
    return isinstance(getattr(part, "_hf_hook", None), CpuOffload)


def _empty() -> None:
    with contextlib.suppress(RuntimeError):
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
