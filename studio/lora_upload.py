"""LoRAs that people bring as files: taken in piece by piece, looked through, kept beside those of the hub.

Of a file only the header is read, and it is never run: safetensors holds numbers and nothing else. What was
kept is known by its content, so the same files are not kept twice under two names.
"""

import contextlib
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from pipelines import loras, repos
from pipelines.loras import Lora
from pipelines.models import MODELS
from pipelines.request import ModelError, Notice
from studio.access import Visitor
from studio.refusal import Refused

_PREFIX = "lora-"
_SPARE = 10**9
# What a studio that was killed left of uploads is removed after so long.
_LEFT_SECONDS = 24 * 3600.0
_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")
# "high noise" anywhere; the word alone only as the last one, before numbers: "low_light" tells nothing.
_STAGE = re.compile(
    r"(?<![a-z])(high|low)"
    r"(?:[._ -]*noise(?![a-z])|(?=(?:[._ -]|\d|model|lora|rank|epoch|steps?|fp|bf|[erv])*$))"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Offer:
    """What is brought: a name, and per file how it is called and how many bytes it has; high noise first."""

    name: str
    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Kept:
    """What was taken in; `swapped` where the files stood the wrong way round by their names."""

    lora: Lora
    swapped: bool = False


def stage_of(file: str) -> str:
    """Which of two experts a file's name says it is for: "high", "low", or empty where it tells neither."""
    stem = _CAMEL.sub("_", re.sub(r"\.\w+$", "", file)).lower()
    found = {match[1] for match in _STAGE.finditer(stem)}
    return found.pop() if len(found) == 1 else ""


def looked_at(offer: Offer, visitor: Visitor, home: Path) -> None:
    """Refused for what is not to be taken in, before the first byte of it."""
    if not visitor.admin:
        raise Refused(Notice("admin_only"))
    if not offer.name:
        raise Refused(Notice("lora_no_name"))
    if not repos.LORA_NAME.fullmatch(offer.name) or offer.name in MODELS:
        raise Refused(Notice("lora_name", {"name": offer.name[:64]}))
    taken = (home / "loras" / offer.name).exists()
    if taken or repos.named(offer.name, home) is not None:
        raise Refused(Notice("lora_there", {"name": offer.name}))
    for file, size in offer.files:
        if file.lower().endswith(_PICKLES):
            raise Refused(Notice("lora_pickle", {"file": file[:80]}))
        if not file.lower().endswith(".safetensors") or not 0 < size <= loras.MAX_BYTES:
            raise Refused(Notice("lora_file", {"file": file[:80], "high": loras.MAX_BYTES // 2**30}))
    if not 0 < len(offer.files) <= 2:
        raise Refused(Notice("lora_file", {"file": "", "high": loras.MAX_BYTES // 2**30}))
    stages = [stage_of(file) for file, _ in offer.files]
    if len(stages) == 2 and stages[0] and stages[0] == stages[1]:
        files = ", ".join(file[:80] for file, _ in offer.files)
        raise Refused(Notice(f"lora_same_stage_{stages[0]}", {"files": files}))
    needs = sum(size for _, size in offer.files) + _SPARE
    if (free := shutil.disk_usage(home).free) < needs:
        values = {"needs_gb": round(needs / 1e9, 1), "has_gb": round(free / 1e9, 1), "path": str(home)}
        raise Refused(Notice("download_no_room", {"model": offer.name, **values}))


async def take_in(offer: Offer, visitor: Visitor, home: Path, tmp: Path, body: AsyncIterator[bytes]) -> Kept:
    """Write the files, one behind the other in `body`, look through them, keep them; whole or not at all.

    Of two, each is kept for the expert that its name tells, wherever it stood in the form.

    Refused as `looked_at`, for files that are no LoRAs of the models here or no pair, and for those that are
    here under another name.
    """
    await run_in_threadpool(looked_at, offer, visitor, home)
    _sweep(tmp)
    folder = tmp / f"{_PREFIX}{secrets.token_hex(8)}"
    folder.mkdir(parents=True)
    try:
        paths = await _written(offer, folder, body)
        return await run_in_threadpool(_kept, offer, home, paths)
    finally:
        await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)


async def _written(offer: Offer, folder: Path, body: AsyncIterator[bytes]) -> list[Path]:
    """The files; Refused where more or less comes than was told."""
    paths = [folder / f"{kind}.safetensors" for kind, _ in zip(("high", "low"), offer.files, strict=False)]
    sizes, at, done = [size for _, size in offer.files], 0, 0
    with contextlib.ExitStack() as opened:
        files = [opened.enter_context(path.open("wb")) for path in paths]
        async for chunk in body:
            rest = memoryview(chunk)
            while rest:
                if at == len(files):
                    raise Refused(Notice("lora_cut_short"))
                part = rest[: sizes[at] - done]
                await run_in_threadpool(files[at].write, part)
                done, rest = done + len(part), rest[len(part) :]
                if done == sizes[at]:
                    at, done = at + 1, 0
    if at < len(files):
        raise Refused(Notice("lora_cut_short"))
    return paths


def _kept(offer: Offer, home: Path, paths: list[Path]) -> Kept:
    stages = [stage_of(file) for file, _ in offer.files]
    swapped = len(paths) == 2 and (stages[0] == "low" or stages[1] == "high")
    placed = paths[::-1] if swapped else paths
    try:
        found = loras.add(home, offer.name, *placed, half=stages[0], keep=shutil.move)
    except ModelError as error:
        values = dict(error.notice.values)
        told = {path.name: name for path, (name, _) in zip(paths, offer.files, strict=True)}
        if "file" in values:
            values["file"] = told.get(str(values["file"]), str(values["file"]))[:80]
        raise Refused(Notice(error.notice.code, values)) from error
    others = (one for one in loras.listed(home) if one.name != found.name)
    if (same := next((one for one in others if one.revision == found.revision), None)) is not None:
        loras.delete(home, found.name)
        raise Refused(Notice("lora_here_as", {"name": same.name}))
    return Kept(found, swapped)


def _sweep(tmp: Path) -> None:
    for left in tmp.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if left.is_dir() and left.stat().st_mtime < time.time() - _LEFT_SECONDS:
                shutil.rmtree(left)
