"""What a request's tier and LoRAs add to the memory of its model, and whether there is room. No torch."""

from collections.abc import Mapping
from pathlib import Path

from pipelines import loras
from pipelines.memory import Clip, Extras
from pipelines.placement import Plan, free_gb, peak_gb
from pipelines.request import GenerationRequest, ModelError, Notice
from pipelines.shapes import GB


def extras_of(request: GenerationRequest, files: Mapping[str, tuple[Path, Path | None]]) -> Extras:
    """What a request puts on the experts; `files` are those of all its LoRAs (`loras.files_of`).

    By the headers of the files. Of two experts the one with more on it counts.
    """
    high = low = 0
    for first, second in files.values():
        high += _numbers(first)
        low += _numbers(second or first)
    # In bf16, whatever the files are kept in.
    size = 2 * max(high, low) / GB
    return Extras(lora_gb=size, cached=request.tier == "balanced", guided=request.guidance_scale > 1)


def no_room(chosen: Plan, request: GenerationRequest, extras: Extras) -> Notice | None:
    """Why a clip can't be made by a model that was laid out as `chosen`; None where it can.

    clip_no_room where the clip itself is too large, tier_no_room and lora_no_room where it is what comes
    besides; `most` frames of this size would have room, and where none would, the code ends in _at_all.
    Predictions are off by some percent: said only where not even all that was free would do.
    """
    spec, has = request.spec, free_gb(chosen)
    if chosen.layout is None:
        return None

    def needs(extras: Extras, frames: int = request.num_frames) -> float:
        clip = Clip(request.size, frames)
        return peak_gb(chosen, spec, clip, pictured=bool(request.first_frame), extras=extras)

    if needs(extras) <= has:
        return None
    code = "clip_no_room"
    if needs(Extras(guided=extras.guided)) <= has:
        uncached = Extras(lora_gb=extras.lora_gb, guided=extras.guided)
        code = "tier_no_room" if extras.cached and needs(uncached) <= has else "lora_no_room"
    values: dict[str, object] = {"model": spec.title, "size": str(request.size), "frames": request.num_frames}
    values |= {"needs_gb": round(needs(extras), 1), "has_gb": round(has, 1), "tier": request.tier}
    shorter = [frames for frames in spec.legal_frames() if needs(extras, frames) <= has]
    return Notice(code, values | {"most": shorter[-1]}) if shorter else Notice(f"{code}_at_all", values)


def _numbers(path: Path) -> int:
    """How many numbers a LoRA holds; none for what is no LoRA: it is refused where it is loaded."""
    try:
        return loras.read_header(path).numbers
    except ModelError:
        return 0
