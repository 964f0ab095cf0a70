"""The one resident model: found on disk, placed by the memory plan, kept until another one is asked for.

`OMP_WAIT_POLICY=PASSIVE` has to be in the environment before torch is imported, or OpenMP's spinning threads
take twice the time on a shared machine: whoever starts the worker process sets it, nobody here can.
"""

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from pipelines import gguf_files, hub, placing, prompts, tiny_vae
from pipelines.engine import PLAIN, best, put_on
from pipelines.hub import find as find
from pipelines.models import ModelSpec
from pipelines.placement import Plan, card_that_would_do, plan
from pipelines.prompts import Prompts
from pipelines.request import Cancelled, ModelError, OnProgress, Progress
from pipelines.tiny_vae import TinyVae
from pipelines.wan import WanVideo, free_memory, is_out_of_memory

log = logging.getLogger(__name__)

REPOSITORY = Path(__file__).resolve().parent.parent
_GB, _MB = 2**30, 2**20


class _Resident(NamedTuple):
    spec: ModelSpec
    home: Path
    device: str
    video: WanVideo


_lock = threading.RLock()
_resident: _Resident | None = None
# What is being waited for, by whom: what is loaded ahead gives way to it.
_awaited: dict[object, ModelSpec] = {}


def load(
    spec: ModelSpec,
    *,
    home: Path,
    device: str | None = None,
    on_progress: OnProgress | None = None,
    ahead: bool = False,
) -> WanVideo:
    """The model, ready to generate; the same object as long as the same spec, home and device are asked for.

    Another model is freed first. `device` is "cuda", "cuda:1", "mps" or "cpu"; None or "" takes the best one.
    `ahead`: nobody waits for it. Then no other model is freed for it, and it gives way between two parts as
    soon as somebody waits for another one: Cancelled.
    Raises ModelError: model_broken, device_missing, plan_does_not_fit or what `hub.sound` raises; nothing is
    left behind.
    Raises RuntimeError while another model is making a clip, which goes on.
    """
    global _resident
    ticket = object()
    if not ahead:
        _awaited[ticket] = spec
    try:
        with _lock:
            where = resolve_device(device)
            if where.startswith("cuda:"):
                # Each thread begins on the first card: streams and pinned memory would be made there.
                torch.cuda.set_device(where)
            if _resident is not None and _resident[:3] == (spec, home, where):
                _resident.video.used = time.monotonic()
                return _resident.video
            if ahead and _resident is not None:
                raise Cancelled
            unload()
            if on_progress is not None:
                on_progress(Progress("loading"))
            folder = hub.sound(spec, home)
            video = _read(spec, folder, where, home, _gives_way(spec) if ahead else _goes_on)
            _resident = _Resident(spec, home, where, video)
            return video
    finally:
        _awaited.pop(ticket, None)


def _goes_on() -> None:
    """Somebody waits for it."""


def _gives_way(spec: ModelSpec) -> Callable[[], None]:
    def check() -> None:
        if any(other != spec for other in list(_awaited.values())):
            raise Cancelled

    return check


def unload_idle(seconds: float) -> bool:
    """Free a model with which nothing was made for so long; whether one was. Waits for nothing.

    Embedded models are so small that they stay.
    """
    if not _lock.acquire(blocking=False):
        return False
    try:
        if _resident is None or _resident.spec.embedded or _resident.video.idle_seconds() < seconds:
            return False
        unload()
        return True
    finally:
        _lock.release()


def unload() -> None:
    """Free the resident model, if any; RuntimeError while it is making a clip.

    Whoever still holds it can't generate with it any more.
    """
    global _resident
    with _lock:
        if _resident is not None:
            _resident.video.close()
            _resident = None
            free_memory()


def resident() -> str:
    """The name of the model in memory; empty if there is none. Waits for nothing."""
    found = _resident
    return "" if found is None else found.spec.name


def machine(device: str) -> tuple[str, float | None, float]:
    """The GPU's name and memory (None: no GPU) and main memory, in GB of 2^30 bytes."""
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else ""
    return name, _vram_gb(device), _ram_gb()


def resolve_device(wanted: str | None) -> str:
    """The device to run on; ModelError("device_missing") if the wanted one is not there."""
    if not wanted or wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise ModelError("device_missing", device=wanted) from None
    there = {
        "cpu": True,
        "cuda": (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(device.type, False):
        raise ModelError("device_missing", device=wanted)
    return "cpu" if device.type == "cpu" else str(device)


def revision(spec: ModelSpec, *, home: Path | None = None) -> str:
    """What a recipe stores about the weights: the hub's commit, else 12 hex digits over the files."""
    with _lock:
        if _resident is not None and _resident.spec == spec and home in (None, _resident.home):
            return _resident.video.revision
    return _revision(find(spec, home or REPOSITORY))


def _read(
    spec: ModelSpec, folder: Path, device: str, home: Path, check: Callable[[], None] = _goes_on
) -> WanVideo:
    """Read and place the weights; every failure becomes a ModelError."""
    gguf = gguf_files.offered(folder, two_experts=spec.two_experts)
    chosen = plan(spec, vram_gb=_vram_gb(device), ram_gb=_ram_gb(), gguf=gguf)
    log.info("%s from %s on %s: %s", spec.name, folder, device, chosen.why)
    if not chosen.fits:
        raise ModelError(chosen.why.code, **chosen.why.values)
    try:
        pipe = placing.assemble(spec, folder, device, chosen, check)
        # Embedded models are fp32, which the quick kernels do not take, and small enough without.
        engine = PLAIN if spec.embedded else best(device, resident=chosen.stays)
        engine = put_on(pipe, engine)
        mark = prompts.mark_of(folder, device, pipe.text_encoder.dtype)
        return WanVideo(
            pipe,
            spec,
            revision=_revision(folder),
            folder=folder,
            engine=engine,
            plan=chosen,
            kept=Prompts(home / "cache" / "prompts", mark),
            tiny=_tiny(spec, pipe.vae.config.z_dim, home, device),
        )
    except Exception as error:
        failure = _failure(error, spec, device, chosen)
    # Out here the failed load's stack is gone, and with it the half-read weights.
    free_memory()
    raise failure


def _failure(error: Exception, spec: ModelSpec, device: str, chosen: Plan) -> Exception:
    """What is told of an error while loading."""
    if isinstance(error, Cancelled):
        return Cancelled()
    log.warning("%s could not be loaded", spec.name, exc_info=error)
    if is_out_of_memory(error):
        short = "plan_does_not_fit_ram_cloud" if device == "cpu" else "plan_does_not_fit_cloud"
        return ModelError(short, **chosen.why.values | card_that_would_do(spec))
    return ModelError("model_broken", model=spec.title, reason=_brief(error))


def _tiny(spec: ModelSpec, channels: int, home: Path, device: str) -> TinyVae | None:
    """What makes the previews, if somebody put its weights here; an embedded model's latents are its own."""
    path = None if spec.embedded else tiny_vae.find(home, channels)
    return tiny_vae.for_previews(path, channels, torch.device(device))


def _revision(folder: Path) -> str:
    known = hub.commit(folder)
    if known:
        return known
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".safetensors")):
        if path.name == "preview.json":
            continue
        digest.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            # Of very large files the beginning is enough: it holds the weights' names and the first of them.
            digest.update(file.read(64 * _MB))
    return digest.hexdigest()[:12]


def _vram_gb(device: str) -> float | None:
    if not device.startswith("cuda"):
        return None
    # What is free, not what the card has: others may use it too. Nothing of ours is on it now.
    return torch.cuda.mem_get_info(device)[0] / _GB


def _ram_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GB


def _brief(error: BaseException) -> str:
    """One line of an error, for a sentence that a person reads."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
