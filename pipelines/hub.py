"""Which weights are on this machine, and how they come, are checked, linked and go. No torch.

`.NAME.partial` beside a thing's folder is what a download has so far; `errands` tells of the others.
"""

import contextlib
import functools
import os
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from pipelines import fetch, gguf_files, intact
from pipelines.errands import Activity, activity_of, beside, forget, held, say, working
from pipelines.fetch import Hub
from pipelines.intact import Checked, OnBytes
from pipelines.models import MODELS, ModelSpec
from pipelines.repos import (
    MANIFEST,
    Weights,
    everything,
    is_commit,
    of_model,
    read_json,
    read_manifest,
    write_whole,
)
from pipelines.request import ModelError, Notice

# Faults that are sentences of their own: nothing is broken, it is another model's folder.
_OTHER_MODEL = ("weights_other", "weights_misfit", "weights_expert_more")

_EXPERT_FILE = re.compile(r"transformer(_2)?/.*\.safetensors$")

State = Literal["shipped", "installed", "linked", "cached", "broken", "partial", "missing"]


@dataclass(frozen=True)
class Shelf:
    """How one thing stands on this machine: where it lies, its bytes there, the hub's commit (or "")."""

    weights: Weights
    state: State
    folder: Path | None
    size: int
    revision: str
    faults: tuple[Notice, ...] = ()
    activity: Activity | None = None

    @property
    def usable(self) -> bool:
        """Whether it can be loaded from."""
        return self.state in ("shipped", "installed", "linked", "cached")


# -- looking -----------------------------------------------------------------------------------------------


def find(spec: ModelSpec, home: Path) -> Path:
    """The folder with a model's weights; ModelError: model_missing, model_link_gone (what was linked moved).

    First home/models/NAME (downloaded, put there by hand, or a link), then the repository for a shipped
    model, else the cache of huggingface_hub. Asks nobody.
    """
    weights = of_model(spec)
    own, folder = weights.place(home), locate(weights, home)
    if folder is None and own.is_symlink():
        raise ModelError("model_link_gone", model=spec.title, path=os.readlink(own))
    if folder is None or not (own.is_symlink() or (folder / "model_index.json").is_file()):
        raise ModelError("model_missing", model=spec.title, size_gb=weights.size_gb, repo=spec.repo)
    return folder


def sound(spec: ModelSpec, home: Path) -> Path:
    """The same for whoever is about to use it: looked through at a glance, as when it was linked.

    A folder that somebody else keeps may hold another model by now, or half of one. ModelError: as `find`,
    weights_broken (with what is wrong), weights_other, weights_misfit, weights_expert_more.
    """
    folder, weights = find(spec, home), of_model(spec)
    if spec.embedded:
        return folder
    faults = _seen(weights, folder, weights.place(home).is_symlink(), _marks(folder))
    if gguf_files.offered(folder, two_experts=spec.two_experts) is not None:
        # Whoever brings the experts in that form may have left out the others.
        faults = [one for one in faults if not _EXPERT_FILE.match(str(one.values.get("file", "")))]
    if faults:
        raise _told(weights, faults[0])
    return folder


def _told(weights: Weights, fault: Notice) -> ModelError:
    if fault.code in _OTHER_MODEL:
        return ModelError(fault.code, **fault.values)
    return ModelError("weights_broken", model=weights.title, reason=fault)


def _marks(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells cheaply that any file of a model is another one."""
    found = []
    for path in sorted((*folder.glob("*.json"), *folder.glob("*/*.json"), *folder.glob("*/*.safetensors"))):
        with contextlib.suppress(OSError):
            facts = path.stat()
            found.append((path.relative_to(folder).as_posix(), facts.st_size, facts.st_mtime_ns))
    return tuple(found)


@functools.lru_cache(maxsize=32)
def _seen(
    weights: Weights, folder: Path, linked: bool, _marks: tuple[tuple[str, int, int], ...]
) -> list[Notice]:
    return _faults(weights, folder, linked=linked)


def _faults(weights: Weights, folder: Path, *, linked: bool) -> list[Notice]:
    """What is wrong with a folder at a glance; of a linked one also that it is another model's."""
    faults, spec = intact.faults(weights, folder), MODELS.get(weights.name)
    other = intact.misfit(spec, folder) if linked and spec is not None and not faults else None
    return faults if other is None else [other]


def locate(weights: Weights, home: Path) -> Path | None:
    """Where weights lie, whole or not; None if nowhere."""
    own = weights.place(home)
    if own.is_dir() or own.is_symlink():
        # Where somebody linked a folder, no other one is taken for it.
        return own if own.is_dir() else None
    if weights.shipped is not None:
        return weights.shipped if weights.shipped.is_dir() else None
    return _cached(weights)


def _cached(weights: Weights) -> Path | None:
    if weights.kind != "model":
        return None
    # A newer commit that somebody fetched by other means is better than nothing; recipes name the one used.
    for revision in dict.fromkeys((weights.revision, None)):
        with contextlib.suppress(LocalEntryNotFoundError, HfHubHTTPError, ValueError):
            return Path(snapshot_download(weights.repo, revision=revision, local_files_only=True))
    return None


def shelf(weights: Weights, home: Path) -> Shelf:
    """How weights stand. Reads names, sizes and headers, never whole files."""
    own, activity = weights.place(home), activity_of(weights, home)
    folder = locate(weights, home)
    if folder is None or (folder != own and activity is not None and activity.work == "download"):
        partial = beside(own, "partial")
        # The list of what should come is nothing that came.
        came = size_of(partial) - (list_.stat().st_size if (list_ := partial / MANIFEST).is_file() else 0)
        state: State = "partial" if came > 0 else "missing"
        linked = own.is_symlink()
        gone = (Notice("weights_link_gone", {"path": os.readlink(own)}),) if linked else ()
        return Shelf(weights, "broken" if linked else state, None, size_of(partial), "", gone, activity)
    faults = tuple(_faults(weights, folder, linked=own.is_symlink()))
    whole: State = "linked" if own.is_symlink() else "installed" if folder == own else "cached"
    if folder == weights.shipped:
        whole = "shipped"
    return Shelf(
        weights, "broken" if faults else whole, folder, size_of(folder), commit(folder), faults, activity
    )


def shelves(home: Path) -> list[Shelf]:
    """Everything that the studio knows of, and how it stands."""
    return [shelf(weights, home) for weights in everything(home)]


def commit(folder: Path) -> str:
    """The hub's commit that a folder is of; empty if it says none."""
    if folder.parent.name == "snapshots":
        return folder.name
    manifest = read_manifest(folder)
    if manifest is not None:
        return manifest.revision
    with contextlib.suppress(OSError, UnicodeDecodeError):
        # What huggingface_hub itself leaves in a folder it was told to fetch to.
        fetched = folder / ".cache" / "huggingface" / "download" / "model_index.json.metadata"
        first = fetched.read_text(encoding="utf-8").split("\n", 1)[0]
        return first if is_commit(first) else ""
    return ""


def size_of(folder: Path) -> int:
    """Bytes of all files of a folder on disk; 0 if it is not there."""
    total = 0
    for path in folder.rglob("*") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


# -- doing -------------------------------------------------------------------------------------------------


def download(
    weights: Weights,
    home: Path,
    hub: Hub,
    *,
    on_bytes: OnBytes = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Fetch weights, or what is missing or damaged of them; the folder gets its name when it is whole.

    Goes on where an earlier try stopped, even in the middle of a file. Where no commit is known, the newest
    is taken, written down and kept to. Raises ModelError (see `fetch`), download_running, weights_shipped,
    weights_linked; Cancelled once `should_stop()`, or when the errand was taken back: what came so far stays.
    """
    own = weights.place(home)
    if weights.shipped is not None:
        raise ModelError("weights_shipped", model=weights.title)
    if own.is_symlink():
        raise ModelError("weights_linked", model=weights.title, path=os.readlink(own))
    before = activity_of(weights, home)
    bad = before is not None and bool(before.bad)
    with working(weights, home, "download", on_bytes, should_stop) as (told, stop):
        partial, revision = beside(own, "partial"), weights.revision or _pinned(weights, home)
        if own.is_dir():
            if bad or intact.faults(weights, own):
                shutil.rmtree(partial, ignore_errors=True)
                own.rename(partial)
                _distrust(weights, hub, partial, revision, told, stop)
            else:
                return own
        partial.mkdir(parents=True, exist_ok=True)
        try:
            manifest = fetch.begin(weights, hub, partial, revision)
        finally:
            # Nothing came, so nothing has begun.
            with contextlib.suppress(OSError):
                partial.rmdir()
        _pin(weights, home, manifest.revision)
        fetch.fetch(weights, hub, manifest, partial, on_bytes=told, should_stop=stop)
        faults = intact.faults(weights, partial)
        if faults:
            raise ModelError("weights_broken", model=weights.title, reason=faults[0])
        partial.rename(own)
        return own


def verify(
    weights: Weights,
    home: Path,
    *,
    on_bytes: OnBytes = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Checked]:
    """Read every file and compare it; ModelError("weights_absent") if there are none."""
    folder = locate(weights, home)
    if folder is None:
        raise ModelError("weights_absent", model=weights.title)
    with working(weights, home, "verify", on_bytes, should_stop) as (told, stop):
        found = intact.verify(weights, folder, on_bytes=told, should_stop=stop)
        bad = [one.name for one in found if one.notice is not None]
        compared = sum(one.compared for one in found)
        values = {"model": weights.title, "count": len(bad) if bad else len(found)}
        code = "weights_verified_bad" if bad else "weights_verified" if compared else "weights_verified_form"
        say(weights, home, "verify", notice=Notice(code, values), bad=bad)
    return found


def delete(weights: Weights, home: Path, *, resident_in: str = "") -> int:
    """Remove what lies in the home, what a download left too; the bytes that became free.

    A link is only unlinked. Raises ModelError: weights_shipped, weights_resident (`resident_in` names the
    worker), weights_elsewhere for what lies in another program's cache, weights_absent, download_running.
    """
    own = weights.place(home)
    partial = beside(own, "partial")
    if not (own.exists() or own.is_symlink() or partial.is_dir()):
        folder = locate(weights, home)
        if folder is not None and folder == weights.shipped:
            raise ModelError("weights_shipped", model=weights.title)
        if folder is not None:
            raise ModelError("weights_elsewhere", model=weights.title, path=str(folder))
        raise ModelError("weights_absent", model=weights.title)
    if resident_in and own.exists():
        raise ModelError("weights_resident", model=weights.title, worker=resident_in)
    if not own.parent.resolve().is_relative_to(home.resolve()):
        raise ModelError("weights_elsewhere", model=weights.title, path=str(own.parent.resolve()))
    with held(weights, home):
        if own.is_symlink():
            own.unlink()
            freed = 0
        else:
            freed = size_of(own)
        freed += size_of(partial)
        for path in (own, partial):
            if path.is_dir() and not path.is_symlink():
                # Out of sight first: half of it is never taken for the whole.
                gone = path.with_name(f".{path.name.strip('.')}.{secrets.token_hex(4)}.gone")
                path.rename(gone)
                shutil.rmtree(gone)
        forget(weights, home)
    return freed


def link(weights: Weights, home: Path, folder: Path) -> Path:
    """Use a folder of this machine as it is, by a link; nothing is copied.

    Raises ModelError: link_no_folder, weights_broken (with what is wrong), weights_there, weights_shipped,
    weights_other, weights_misfit, weights_expert_more (it is another model's folder), download_running.
    """
    own, folder = weights.place(home), folder.expanduser().absolute()
    if weights.shipped is not None:
        raise ModelError("weights_shipped", model=weights.title)
    if not folder.is_dir():
        raise ModelError("link_no_folder", path=str(folder))
    if own.exists() and not own.is_symlink():
        raise ModelError("weights_there", model=weights.title)
    faults = _faults(weights, folder, linked=True)
    if faults:
        raise _told(weights, faults[0])
    with held(weights, home):
        fresh = own.with_name(f".{own.name}.{secrets.token_hex(4)}.link")
        fresh.symlink_to(folder.resolve(), target_is_directory=True)
        fresh.replace(own)
        forget(weights, home)
    return own


def _distrust(
    weights: Weights, hub: Hub, partial: Path, revision: str | None, told: OnBytes, stop: Callable[[], bool]
) -> None:
    """Keep of a folder only what is the hub's, byte for byte."""
    manifest, done = fetch.begin(weights, hub, partial, revision), 0
    for file in manifest.files:
        if intact.compare(partial, file, should_stop=stop) is not None:
            (partial / file.name).unlink(missing_ok=True)
        done += file.size
        told(done, manifest.size)


def _pins(home: Path) -> Path:
    return home / "models" / "pins.json"


def _pinned(weights: Weights, home: Path) -> str | None:
    pins = read_json(_pins(home))
    found = pins.get(weights.repo) if isinstance(pins, dict) else None
    return found if is_commit(found) else None


def _pin(weights: Weights, home: Path, revision: str) -> None:
    pins = read_json(_pins(home))
    pins = pins if isinstance(pins, dict) else {}
    if pins.get(weights.repo) != revision:
        _pins(home).parent.mkdir(parents=True, exist_ok=True)
        write_whole(_pins(home), pins | {weights.repo: revision})
