"""The room of models: what is on this machine, where it can run, what admins have done about it. No torch.

Downloads and checks run one after the other on a thread of the web process. What is asked for stands on the
disk, so a studio that is killed goes on with it at its next start; queue, GPU and database are not in it.
"""

import contextlib
import hashlib
import itertools
import logging
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from pipelines import errands, fetch, hub, loras, networks, placement, repos
from pipelines.extras import extras_of, no_room
from pipelines.fetch import Hub
from pipelines.hub import Shelf
from pipelines.loras import Lora
from pipelines.models import MODELS, ModelSpec
from pipelines.networks import Purpose
from pipelines.repos import Weights
from pipelines.request import Cancelled, GenerationRequest, ModelError, Notice
from studio import warming
from studio.access import Visitor
from studio.fleet import Fleet, WorkerView
from studio.refusal import Refused
from studio.settings import Settings

# How often the thread looks for errands of other processes; how soon it tries again what passes by itself.
LOOK_SECONDS, AGAIN_SECONDS = 2.0, 30.0
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fit:
    """How a model would run on one worker: whether it does, and the plan in words."""

    worker: WorkerView
    fits: bool
    why: Notice


@dataclass(frozen=True)
class Card:
    """One thing with weights as the page shows it.

    `spec` is None for LoRAs. `smallest` is the smallest card and the main memory beside it, in GB as they are
    sold; None if none does. `loaded_in` are the workers that hold it in memory now.
    """

    shelf: Shelf
    spec: ModelSpec | None
    fits: tuple[Fit, ...] = ()
    smallest: tuple[int, int] | None = None
    loaded_in: tuple[str, ...] = ()

    @property
    def weights(self) -> Weights:
        """What it is about."""
        return self.shelf.weights


class ModelRoom:
    """Everybody may look; only admins change anything (`Refused` for the others)."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.studio_home
        self._engine = engine
        self.fleet = Fleet(engine)
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._not_before: dict[str, float] = {}

    # -- looking -------------------------------------------------------------------------------------------

    def cards(self) -> list[Card]:
        """Every model that runs here and every LoRA of the hub, as they stand."""
        workers = self.workers()
        return [self._card(one, workers) for one in hub.shelves(self.home)]

    def workers(self) -> list[WorkerView]:
        """The workers that are alive."""
        return [worker for worker in self.fleet.list() if worker.alive]

    def cloud(self) -> list[tuple[ModelSpec, bool]]:
        """The cloud's models, and whether each can be asked for with the key and region that are set."""
        return [(spec, self.settings.offers(spec)) for spec in MODELS.values() if spec.cloud is not None]

    def own_loras(self) -> list[Lora]:
        """LoRAs that are here and known by no repository of the hub: put there by hand, or from files."""
        known = {one.name for one in repos.everything(self.home)}
        return [lora for lora in loras.listed(self.home) if lora.name not in known]

    def network(self, purpose: Purpose) -> str:
        """The file of a finishing network; empty if there is none."""
        found = networks.find(self.home, purpose)
        return "" if found is None else found.path.name

    def in_memory(self) -> list[Notice]:
        """When a model is unloaded, and before which hours it is loaded."""
        return warming.told(self._engine, self.settings)

    def free(self) -> int:
        """Bytes free where models are kept."""
        return shutil.disk_usage(self.home).free

    def is_here(self, spec: ModelSpec) -> bool:
        """Whether a model lies on this machine, at a glance; what runs elsewhere needs nothing here."""
        if spec.cloud is not None:
            return True
        folder = hub.locate(repos.of_model(spec), self.home)
        return folder is not None and (folder / "model_index.json").is_file()

    def cannot(self, spec: ModelSpec) -> Notice | None:
        """Why a clip of this model would certainly fail; None where it may not.

        cloud_no_key or cloud_region for a cloud's that can't be asked; the plan's sentence where no worker
        has room; where the only worker is this machine's, what keeps the weights here from being used
        (`hub.sound`). What another machine has, nobody knows.
        """
        if not self.settings.offers(spec):
            code = "cloud_region" if self.settings.has_cloud else "cloud_no_key"
            region = self.settings.cloud_region
            return Notice(code, {"field": "model", "model": spec.title, "region": region})
        workers = self.workers()
        plans = self._plans(spec, workers)
        # Before the weights: nobody fetches what no card here has room for.
        if plans and not any(one.fits for one in plans):
            return Notice(plans[0].why.code, dict(plans[0].why.values) | {"field": "model"})
        alone = self.settings.local_worker and all(one.id == self.settings.worker_id for one in workers)
        # What a worker holds in memory it needs no folder for.
        if alone and spec.cloud is None and not any(one.model == spec.name for one in workers):
            try:
                hub.sound(spec, self.home)
            except ModelError as error:
                return Notice(error.notice.code, dict(error.notice.values) | {"field": "model"})
        return None

    def cannot_make(self, requests: Iterable[GenerationRequest]) -> Notice | None:
        """Why one of these clips would certainly fail; None where they may not.

        Each model is asked once, and so is each way to run it: size, length, speed, LoRAs.
        """
        known = [request for request in requests if request.model in MODELS]
        specs = {request.model: request.spec for request in known}
        ways = {
            (one.model, one.size, one.num_frames, one.tier, one.loras, bool(one.first_frame)): one
            for one in known
        }
        found = itertools.chain(map(self.cannot, specs.values()), map(self._no_room_for, ways.values()))
        return next(filter(None, found), None)

    def _no_room_for(self, request: GenerationRequest) -> Notice | None:
        """That no worker's card has room for a clip as it is asked for; None where one may have."""
        plans = self._plans(request.spec, self.workers())
        if not plans:
            return None
        files: Mapping[str, tuple[Path, Path | None]] = {}
        with contextlib.suppress(ModelError):
            # Those of another machine's worker are not here: what they add is not known.
            files = loras.files_of(self.home, request)
        extras = extras_of(request, files)
        short = [no_room(one, request, extras) for one in plans if one.fits]
        if not short or any(one is None for one in short) or short[0] is None:
            return None
        field = {"clip": "size", "tier": "tier", "lora": "loras"}[short[0].code.split("_")[0]]
        return Notice(short[0].code, dict(short[0].values) | {"field": field})

    def _plans(self, spec: ModelSpec, workers: Sequence[WorkerView]) -> list[placement.Plan]:
        """How each worker would lay a model out; none where that can't be told of all of them from here."""
        told = [_plan(spec.name, one.vram_gb, one.ram_gb) for one in workers if one.ram_gb is not None]
        known = spec.shape is not None and len(told) == len(workers) and not self._has_gguf(spec)
        return told if known else []

    def _has_gguf(self, spec: ModelSpec) -> bool:
        """Whether the worker may run it from smaller files, which only the worker can read."""
        folder = hub.locate(repos.of_model(spec), self.home)
        return folder is not None and next(folder.rglob("*.gguf"), None) is not None

    def no_room(self, shelf: Shelf) -> Notice | None:
        """That the disk has no room for what is missing of something, before anybody asks for it."""
        weights = shelf.weights
        if shelf.state not in ("missing", "partial", "broken"):
            return None
        here = shelf.size if shelf.state != "missing" else 0
        try:
            fetch.room_for(weights, round(weights.size_gb * 1e9) - here, self.home)
        except ModelError as error:
            return error.notice
        return None

    def now(self) -> tuple[str, dict[str, errands.Activity]]:
        """A mark that is another one once anything must be drawn anew, and what is being worked on."""
        live, seen = {}, [str(sorted((worker.id, worker.model) for worker in self.workers()))]
        for weights in repos.everything(self.home):
            activity = errands.activity_of(weights, self.home)
            place = weights.place(self.home)
            parts: list[Any] = [weights.name, place.exists(), place.is_symlink()]
            if activity is not None:
                parts += [activity.work, activity.live, activity.wanted, str(activity.notice), activity.bad]
                if activity.live or activity.wanted:
                    live[weights.name] = activity
            seen.append(str(parts))
        return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:16], live

    def _card(self, shelf: Shelf, workers: list[WorkerView]) -> Card:
        spec = MODELS.get(shelf.weights.name)
        if spec is None:
            return Card(shelf, None)
        fits = []
        for worker in workers:
            if worker.ram_gb is not None:
                chosen = placement.plan(spec, vram_gb=worker.vram_gb, ram_gb=worker.ram_gb)
                fits.append(Fit(worker, chosen.kind != "does_not_fit", chosen.why))
        smallest = placement.smallest_machine(spec)
        return Card(shelf, spec, tuple(fits), smallest, self._holders(shelf.weights, workers))

    def _holders(self, weights: Weights, workers: list[WorkerView]) -> tuple[str, ...]:
        return tuple(worker.id for worker in workers if worker.model == weights.name)

    # -- changing ------------------------------------------------------------------------------------------

    def download(self, visitor: Visitor, name: str) -> None:
        """Fetch what is missing of something; goes on where it stopped."""
        weights = self._known(visitor, name)
        state = hub.shelf(weights, self.home)
        if state.state in ("shipped", "linked"):
            path = "" if state.folder is None else str(weights.place(self.home).resolve())
            raise Refused(Notice(f"weights_{state.state}", {"model": weights.title, "path": path}))
        here = state.size if state.state in ("partial", "broken") else 0
        self._try(lambda: fetch.room_for(weights, round(weights.size_gb * 1e9) - here, self._models()))
        self._want(weights, "download")

    def verify(self, visitor: Visitor, name: str) -> None:
        """Compare every byte with what the hub said."""
        self._want(self._known(visitor, name), "verify")

    def stop(self, visitor: Visitor, name: str) -> None:
        """Stop a download or check; what came so far stays."""
        errands.unwant(self._known(visitor, name), self.home)

    def delete(self, visitor: Visitor, name: str) -> int:
        """Delete something; the bytes that became free."""
        _admin_only(visitor)
        weights = repos.named(name, self.home)
        if weights is None and loras.find(self.home, name) is not None:
            self._try(lambda: loras.delete(self.home, name))
            return 0
        weights = self._known(visitor, name)
        holders = ", ".join(self._holders(weights, self.workers()))
        added = weights.kind == "lora" and (self.home / repos.ADDED).is_file()
        there = weights.place(self.home).exists() or hub.shelf(weights, self.home).state == "partial"
        freed = 0
        if there or not added:
            freed = self._try(lambda: hub.delete(weights, self.home, resident_in=holders))
        repos.forget_added(self.home, name)
        return freed

    def link(self, visitor: Visitor, name: str, folder: str) -> None:
        """Use a folder of this machine."""
        weights = self._known(visitor, name)
        if not folder.strip():
            raise Refused(Notice("link_no_folder", {"path": "…"}))
        self._try(lambda: hub.link(weights, self.home, Path(folder.strip())))

    def add_lora(self, visitor: Visitor, name: str, repo: str, high: str, low: str) -> None:
        """Fetch a LoRA of the hub, as one file or as a pair, and know it by `name` from then on.

        The hub is asked first: `Refused` where it has no such thing, or can't be reached now.
        """
        _admin_only(visitor)
        name, repo, high, low = (text.strip() for text in (name, repo, high, low))
        if not repos.LORA_NAME.fullmatch(name) or name in MODELS:
            raise Refused(Notice("lora_name", {"name": name[:64]}))
        if repos.named(name, self.home) is not None or loras.find(self.home, name) is not None:
            raise Refused(Notice("lora_there", {"name": name}))
        if not _REPO.fullmatch(repo):
            raise Refused(Notice("lora_repo", {"value": repo[:80]}))
        files = [one for one in (high, low) if one]
        if not files or not all(repos.is_safe(one) and one.endswith(".safetensors") for one in files):
            raise Refused(Notice("lora_files", {"value": ", ".join(files)[:80]}))
        if len(set(files)) < len(files):
            raise Refused(Notice("lora_same"))
        weights = repos.lora(name, repo, files[0], files[1] if len(files) > 1 else None)
        where = Hub(self.settings.hf_endpoint, self.settings.hf_token)
        # What is known is fetched again and again: only what the hub really has becomes known.
        self._try(lambda: fetch.ask(weights, where, None))
        repos.remember(self.home, weights)
        self._want(weights, "download")

    def _known(self, visitor: Visitor, name: str) -> Weights:
        _admin_only(visitor)
        found = repos.named(name, self.home)
        if found is None:
            allowed = ", ".join(one.name for one in repos.everything(self.home))
            raise Refused(Notice("weights_unknown", {"name": name[:60], "allowed": allowed}))
        return found

    def _want(self, weights: Weights, work: errands.Work) -> None:
        if errands.is_taken(weights, self.home):
            raise Refused(Notice("download_running", {"model": weights.title}))
        # What an earlier try said is no longer true; which files are bad is needed to mend them.
        before = errands.activity_of(weights, self.home)
        errands.say(weights, self.home, work, bad=list(before.bad) if before is not None else [])
        errands.want(weights, self.home, work)
        self._not_before.pop(weights.name, None)
        self._wake.set()

    def _models(self) -> Path:
        folder = self.home / "models"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _try(self, does: Callable[[], Any]) -> Any:
        try:
            return does()
        except ModelError as error:
            raise Refused(error.notice) from error

    # -- working -------------------------------------------------------------------------------------------

    def run(self) -> None:
        """See to what is asked for, until `end`; the life of a thread."""
        while not self._ending.is_set():
            try:
                worked = self.work_once()
            except OSError:
                log.warning("the folder of models can't be used right now", exc_info=True)
                worked = False
            if not worked:
                self._wake.wait(LOOK_SECONDS)
                self._wake.clear()

    def end(self) -> None:
        """Let `run` end soon; what is in hand goes on at the next start."""
        self._ending.set()
        self._wake.set()

    def work_once(self) -> bool:
        """Do the oldest thing that is asked for; False if there is none (or it was tried a moment ago)."""
        now = time.monotonic()
        waiting = (one for one in errands.wanted(self.home) if self._not_before.get(one.name, now) <= now)
        weights = next(waiting, None)
        work = errands.wanted_work(weights, self.home) if weights is not None else None
        if weights is None or work is None:
            return False
        try:
            if work == "download":
                where = Hub(self.settings.hf_endpoint, self.settings.hf_token)
                hub.download(weights, self.home, where, should_stop=self._ending.is_set)
            else:
                hub.verify(weights, self.home, should_stop=self._ending.is_set)
        except Cancelled:
            log.info("%s: stopped", weights.name)
        except ModelError as error:
            log.warning("%s: %s", weights.name, error)
            if error.notice.code in errands.PASSING:
                self._not_before[weights.name] = time.monotonic() + AGAIN_SECONDS
            elif error.notice.code != "download_running":
                errands.unwant(weights, self.home)
                errands.say(weights, self.home, work, notice=error.notice)
        except Exception:
            log.exception("%s: %s failed", weights.name, work)
        return True


@lru_cache(maxsize=64)
def _plan(model: str, vram_gb: float | None, ram_gb: float) -> placement.Plan:
    return placement.plan(MODELS[model], vram_gb=vram_gb, ram_gb=ram_gb)


def _admin_only(visitor: Visitor) -> None:
    if not visitor.admin:
        raise Refused(Notice("admin_only"))
