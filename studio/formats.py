"""Films and clips in other formats: made once, through the same gate as everything that leaves.

Their pictures are those of the film, so they keep its fingerprint and its visible label; number, metadata
label and credentials are their own. "h264" is the film's own file. One from before there were seals is made
anew.
"""

import contextlib
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from sqlalchemy import Engine

from pipelines.request import Notice
from studio import footage
from studio.db import reading, writing
from studio.exporting import Begun, Exporter, Finished
from studio.library import EXPORTS, Asset, Library, new_id
from studio.library.tables import touch
from studio.media import probe
from studio.media.export import SUFFIXES, Kind, export
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from studio.settings import Settings
from studio.trust import exports, ledger

if TYPE_CHECKING:
    from studio.trust.credentials import Ingredient

# What is made; "h264" is there already.
Other = Literal["h265", "vp9", "gif"]
OTHERS: tuple[Other, ...] = get_args(Other)
SIDECAR = ".c2pa"
# What a studio that was killed left of exports is removed after so long.
_LEFT_SECONDS = 24 * 3600.0
_PREFIX = "export-"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """How an export is doing: `share` of it is done, it lies at `path`, or `error` says why not."""

    share: float = 0.0
    path: Path | None = None
    error: Notice | None = None
    notices: tuple[Notice, ...] = ()


class Exports:
    """Makes other formats, one after the other; they lie in `home/exports`, sealed and registered."""

    def __init__(self, engine: Engine, settings: Settings, assets: Library) -> None:
        self._engine, self._settings, self._assets = engine, settings, assets
        self._exporter = Exporter(settings, engine)
        self._made: dict[tuple[str, Kind], Made] = {}
        # Which files were found to be the registered ones: path, moment of the last change, size.
        self._known: set[tuple[Path, int, int]] = set()
        self._lock = threading.Lock()
        self._hands = ThreadPoolExecutor(max_workers=1, thread_name_prefix="export")
        self._sweep()

    def begin(self, asset: Asset, kind: Kind) -> None:
        """Make it in that format, unless it is there or in the making."""
        key, other = (asset.id, kind), _other(kind)
        if other is None or asset.standing != "public" or self._place(asset, kind) is not None:
            return
        with self._lock:
            now = self._made.get(key)
            # One that was done has been removed from the disk since, or is not the one that was sealed.
            if now is not None and now.error is None and now.path is None:
                return
            self._made[key] = Made()
        self._hands.submit(self._make, asset, other)

    def state(self, asset: Asset, kind: Kind) -> Made:
        """How it is doing now; a path is that of a file that may leave."""
        if asset.standing != "public":
            return Made(error=Notice("export_held"))
        with self._lock:
            made = self._made.get((asset.id, kind))
        if made is not None and made.error is None and made.path is None:
            return made
        place = self._place(asset, kind)
        if place is not None:
            return replace(made or Made(), share=1.0, path=place, error=None)
        if _other(kind) is None:
            return Made(error=Notice("file_missing"))
        return made if made is not None and made.error is not None else Made()

    def sidecar(self, asset: Asset, kind: Kind) -> Path | None:
        """The credentials that lie beside an export whose format has no place for them."""
        place = self.state(asset, kind).path
        beside = None if place is None else place.with_name(place.name + SIDECAR)
        return beside if beside is not None and beside.is_file() else None

    # -- making one ----------------------------------------------------------------------------------------

    def _make(self, asset: Asset, kind: Other) -> None:
        key = (asset.id, kind)
        try:
            made = self._through_the_gate(asset, kind, self._teller(key))
        except MediaError as error:
            made = Made(error=error.notice)
        except FileNotFoundError:
            made = Made(error=Notice("file_missing"))
        except Exception as error:
            made = Made(error=_why(error))
            log.exception("%s of %s could not be made", kind, asset.id)
        with self._lock:
            self._made[key] = made

    def _through_the_gate(self, asset: Asset, kind: Other, tell: Callable[[int, int], None]) -> Made:
        film = self._assets.file(asset)
        begun = self._begun(asset, kind)
        part = self._settings.tmp / f"{_PREFIX}{begun.id}{SUFFIXES[kind]}"
        with contextlib.ExitStack() as left:
            for path in (part, _beside(part)):
                left.callback(partial(path.unlink, missing_ok=True))
            comment = _comment(begun, film)
            facts = export(film, part, kind, tags=begun.tags, comment=comment, on_progress=tell)
            finished = self._exporter.finish(
                begun,
                part,
                model=asset.model,
                revision=asset.model_revision,
                prompt=_prompt(asset),
                title=asset.title,
                ingredients=[_parent(asset, film)],
            )
            place = self._published(asset, kind, part, finished)
        if place is None:
            return Made(error=Notice("asset_unknown"))
        return Made(share=1.0, path=place, notices=facts.notices)

    def _begun(self, asset: Asset, kind: Other) -> Begun:
        """A number of its own; codeword and label are those that its pictures carry already.

        A film from before there were fingerprints carries none: its exports are found by their looks.
        """
        with reading(self._engine) as connection:
            own = exports.whole_of(connection, asset.id)
        # As it is drawn; where it was taken off, it is told like that.
        label = LabelStyle(**asset.label) if asset.label else footage.label_on(None, self._settings)
        return self._exporter.begin(new_id(), kind, codeword=own.codeword if own else None, label=label)

    def _published(self, asset: Asset, kind: Other, part: Path, finished: Finished) -> Path | None:
        """Enter it into register and ledger, then give it its place; None if it may not leave any more."""
        place = self._path(asset, kind)
        place.parent.mkdir(parents=True, exist_ok=True)
        # What lies there from an earlier time shall not be taken for this one.
        for old in (place, _beside(place)):
            old.unlink(missing_ok=True)
        with writing(self._engine) as connection:
            if self._assets.standing(connection, asset.id) != "public":
                return None
            finished.keep(connection, asset)
            touch(connection, [asset.id])
        ledger.note_last(self._engine, self._settings.studio_home)
        if _beside(part).exists():
            os.replace(_beside(part), _beside(place))
        os.replace(part, place)
        if self._assets.get(asset.id) is None:
            # Deleted in this very moment, its exports before this one was there.
            for path in (place, _beside(place)):
                path.unlink(missing_ok=True)
            return None
        return place

    def _teller(self, key: tuple[str, Kind]) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            with self._lock:
                self._made[key] = Made(share=min(0.99, done / max(1, total)))

        return tell

    # -- finding one ---------------------------------------------------------------------------------------

    def _path(self, asset: Asset, kind: Kind) -> Path:
        return self._settings.studio_home / EXPORTS / f"{asset.id}.{kind}{SUFFIXES[kind]}"

    def _place(self, asset: Asset, kind: Kind) -> Path | None:
        """Where a file lies that may leave: the film itself, or an export that is the one in the register."""
        if _other(kind) is None:
            film = self._assets.file(asset)
            return film if film.is_file() else None
        path = self._path(asset, kind)
        try:
            now = path.stat()
            if kind == "vp9":
                _beside(path).stat()
        except FileNotFoundError:
            return None
        seen = (path, now.st_mtime_ns, now.st_size)
        if seen in self._known:
            return path
        with reading(self._engine) as connection:
            registered = {row.sha256 for row in exports.of_asset(connection, asset.id) if row.kind == kind}
        with path.open("rb") as file:
            if not registered or hashlib.file_digest(file, "sha256").hexdigest() not in registered:
                return None
        self._known.add(seen)
        return path

    def _sweep(self) -> None:
        for path in self._settings.tmp.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - _LEFT_SECONDS:
                    path.unlink()


def _other(kind: Kind) -> Other | None:
    return next((one for one in OTHERS if one == kind), None)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + SIDECAR)


def _comment(begun: Begun, film: Path) -> str:
    """The film's recipe with the new label in it; one that can't be read gives way."""
    try:
        return begun.comment(probe.comment(film))
    except ValueError:
        return begun.comment("")


def _prompt(asset: Asset) -> str:
    if asset.request is not None:
        return asset.request.prompt
    return "\n".join(request.prompt for request in asset.plan.requests()) if asset.plan else ""


def _parent(asset: Asset, film: Path) -> "Ingredient":
    from studio.trust.credentials import Ingredient

    # Named by its number: what is in credentials goes wherever the file goes.
    return Ingredient(f"{asset.kind} {asset.id}", "parentOf", "studio", film)


def _why(error: Exception) -> Notice:
    from studio.trust.seal import SealError

    return error.notice if isinstance(error, SealError) else Notice("internal")
