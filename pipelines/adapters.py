"""LoRAs on the experts: loaded for the job that wants them, kept for the next one that does, else taken off.

Weights are never merged: what a LoRA adds is computed beside them, so taking it off leaves them bit for bit.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers.hooks.group_offloading import _maybe_remove_and_reapply_group_offloading

from pipelines import loras
from pipelines.engine import experts_of, fuse
from pipelines.models import MODELS, ModelSpec
from pipelines.placing import know_the_order
from pipelines.request import GenerationRequest, Inputs, ModelError

log = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """One file on one expert at a strength."""

    name: str
    path: Path
    strength: float


class _Loaded(NamedTuple):
    """What lies in a slot: the file as it was, and the shape of its tensors."""

    mark: tuple[str, int, int]
    shapes: dict[str, tuple[int, ...]]


class Adapters:
    """The LoRAs of one pipeline. Each lies in a slot of its own on each expert: "lora_0", "lora_1" ..."""

    def __init__(self, pipe: Any, spec: ModelSpec, *, fused: bool = False) -> None:
        self._pipe = pipe
        self._spec = spec
        self._fused = fused
        self._slots: list[dict[str, _Loaded]] = [{} for _ in experts_of(pipe)]

    def use(self, request: GenerationRequest, inputs: Inputs) -> None:
        """Let the experts run with the LoRAs of a request, and with no others.

        What is there already is only given its strength. Files with the same layers and ranks as those in
        their slot are swapped in place; others are loaded anew. Raises ModelError: lora_gone, lora_broken,
        lora_misfit; then none is left.
        """
        wanted = wanted_by(request, inputs, len(self._slots))
        try:
            if not any(wanted):
                self.clear()
                return
            if not self._same_slots(wanted):
                self.clear()
            for expert, files, slots in zip(experts_of(self._pipe), wanted, self._slots, strict=True):
                if files and self._fused:
                    # A LoRA lies beside q, k and v, which a fused projection goes past.
                    expert.unfuse_qkv_projections()
                for index, one in enumerate(files):
                    self._fill(expert, slots, f"lora_{index}", one)
                if files:
                    names = [f"lora_{index}" for index in range(len(files))]
                    expert.set_adapters(names, [one.strength for one in files])
        except BaseException:
            self.clear()
            raise

    def clear(self) -> None:
        """Take all LoRAs off; the experts are what they were without."""
        if not any(self._slots):
            return
        self._pipe.unload_lora_weights()
        for expert, slots in zip(experts_of(self._pipe), self._slots, strict=True):
            know_the_order(expert)
            if slots and self._fused:
                fuse(expert)
            slots.clear()

    def _same_slots(self, wanted: Sequence[Sequence[Wanted]]) -> bool:
        """Whether the slots can stay, each with the file it holds or with another one of the same shape."""
        counts = [len(slots) for slots in self._slots]
        if counts != [len(files) for files in wanted]:
            return False
        for files, slots in zip(wanted, self._slots, strict=True):
            for index, one in enumerate(files):
                held = slots[f"lora_{index}"]
                if held.mark != _mark(one.path) and held.shapes != self._read(one)[2]:
                    return False
        return True

    def _fill(self, expert: Any, slots: dict[str, _Loaded], slot: str, one: Wanted) -> None:
        mark = _mark(one.path)
        if slot in slots and slots[slot].mark == mark:
            return
        tensors, metadata, shapes = self._read(one)
        self._check(expert, one, tensors)
        # Computed as the expert computes, whatever the file was kept in: this layer is never kept in 8 bits.
        kind = expert.patch_embedding.weight.dtype
        swapped = slot in slots
        slots[slot] = _Loaded(mark, shapes)
        tensors = {key: tensor.to(kind) for key, tensor in tensors.items()}
        self._pipe.load_lora_into_transformer(
            tensors,
            transformer=expert,
            adapter_name=slot,
            metadata=metadata,
            # Told of it, diffusers takes a text encoder that visits for a sign that all parts do, and lays
            # the model out anew.
            _pipeline=None,
            low_cpu_mem_usage=True,
            hotswap=swapped,
        )
        _widen(expert, slot, tensors)
        # What streams blocks to the card knows the tensors that were there before.
        _maybe_remove_and_reapply_group_offloading(expert)
        know_the_order(expert)
        log.info("LoRA %s is %s", one.name, "swapped in" if swapped else "loaded")

    def _read(self, one: Wanted) -> tuple[dict[str, torch.Tensor], Any, dict[str, tuple[int, ...]]]:
        """A file as diffusers has it, and the shapes that decide whether it fits a slot."""
        try:
            tensors, metadata = self._pipe.lora_state_dict(
                one.path.parent, weight_name=one.path.name, local_files_only=True, return_lora_metadata=True
            )
        except Exception as error:
            raise ModelError("lora_broken", name=one.name) from error
        shapes = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
        # Another alpha is another strength, which is kept with the layer.
        shapes[f"metadata {metadata}"] = ()
        return tensors, metadata, shapes

    def _check(self, expert: Any, one: Wanted, tensors: dict[str, torch.Tensor]) -> None:
        """Every tensor has its layer, of its size: diffusers only warns of what it leaves out."""
        layers = dict(expert.named_modules())
        if not tensors:
            raise ModelError("lora_broken", name=one.name)
        for key, tensor in tensors.items():
            layer, _, part = key.removeprefix("transformer.").partition(".lora_")
            base = layers.get(layer)
            weight = getattr(getattr(base, "base_layer", base), "weight", None)
            side = {"A.weight": 1, "B.weight": 0, "B.bias": 0}.get(part)
            if weight is None or side is None or not key.startswith("transformer."):
                raise self._misfit(one)
            if tensor.shape[side] != _sides(getattr(base, "base_layer", base))[side]:
                raise self._misfit(one)

    def _misfit(self, one: Wanted) -> ModelError:
        try:
            fits = loras.fitting(loras.read_header(one.path), MODELS)
        except ModelError:
            fits = ()
        others = [title for title in fits if title != self._spec.title]
        return loras.misfit(one.name, self._spec, others)


def _widen(expert: Any, slot: str, tensors: dict[str, torch.Tensor]) -> None:
    """Give a slot its numbers back where the base weights are kept in 8 bits: it is loaded as those are."""
    for name, weight in expert.named_parameters():
        own = tensors.get("transformer." + name.replace(f".{slot}.", ".")) if f".{slot}." in name else None
        if own is not None and own.dtype != weight.dtype:
            weight.data = own.to(weight.device)


def wanted_by(request: GenerationRequest, inputs: Inputs, experts: int) -> list[list[Wanted]]:
    """Which files each expert runs with: the distilled pair of "fast" first, then the request's own."""
    wanted: list[list[Wanted]] = [[] for _ in range(experts)]
    for name, high, low in _strengths(request):
        files = inputs.loras.get(name)
        if files is None:
            raise ModelError("lora_gone", name=name)
        both = (files[0], files[1] or files[0])
        for found, path, strength in zip(wanted, both, (high, low), strict=False):
            if strength:
                found.append(Wanted(name, path, strength))
    return wanted


def _strengths(request: GenerationRequest) -> Iterator[tuple[str, float, float]]:
    if request.tier == "fast" and request.spec.distilled is not None:
        yield request.spec.distilled.name, 1.0, 1.0
    for use in request.loras:
        yield use.name, use.high, use.high if use.low is None else use.low


def _sides(layer: Any) -> tuple[int, int]:
    """What comes out of a layer and what goes in; a quantized weight does not tell by its shape."""
    if hasattr(layer, "in_features"):
        return layer.out_features, layer.in_features
    return layer.weight.shape[0], layer.weight.shape[1]


def _mark(path: Path) -> tuple[str, int, int]:
    try:
        facts = path.stat()
    except OSError as error:
        raise ModelError("lora_gone", name=path.parent.name) from error
    return str(path), facts.st_size, facts.st_mtime_ns
