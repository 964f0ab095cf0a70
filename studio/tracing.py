"""The door to tracing: any video in, an answer out, and of the files it may be only what one may know."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from pipelines.request import Notice
from studio import access
from studio.access import Visitor
from studio.library import Asset, Library
from studio.media.ffmpeg import MediaError
from studio.recipe import MAX_FILE_BYTES
from studio.refusal import Refused
from studio.settings import Settings

if TYPE_CHECKING:
    from studio.trust.telling import Line
    from studio.trust.trace import Answer, Named, Tracer

# Each reads a whole video: more than a few at once would take the machine from everybody.
_AT_ONCE, _WAITING, _PATIENCE = 1, 6, 120.0


@dataclass(frozen=True)
class Kin:
    """A clip or film that a video is, or may be, as far as the visitor may know.

    `asset` is there for who may find it in the library; number, kind, owner, job and time for admins only.
    `distance` is that of the looks: 0 the same pictures, None not compared.
    """

    asset: Asset | None
    kept: bool
    distance: float | None
    number: str = ""
    kind: str = ""
    owner: str = ""
    job_id: str = ""
    created: datetime | None = None


@dataclass(frozen=True)
class TraceView:
    """What a visitor is told of a video: the answer, why, a line for each part, what it may be a copy of."""

    answer: "Answer"
    notice: Notice
    because: tuple[Notice, ...]
    lines: "tuple[Line, ...]"
    kin: tuple[Kin, ...]


class Tracing:
    """Traces for visitors, one video at a time."""

    def __init__(self, engine: Engine, settings: Settings, assets: Library) -> None:
        self._engine, self._settings, self._assets = engine, settings, assets
        self._turn = threading.Semaphore(_AT_ONCE)
        self._line = threading.Semaphore(_AT_ONCE + _WAITING)
        self._lock = threading.Lock()
        self._tracer: Tracer | None = None

    def trace(self, visitor: Visitor, path: Path) -> TraceView:
        """What there is to be told of a video file; it stays where it is.

        Refused: "trace_no_video", "file_empty", "file_too_big", "trace_busy".
        """
        from studio.trust import telling

        with self._in_turn():
            try:
                if path.stat().st_size > MAX_FILE_BYTES:
                    raise MediaError("file_too_big", high=MAX_FILE_BYTES // 1_000_000)
                traced = self._opened().trace(path)
            except FileNotFoundError as error:
                raise Refused(Notice("file_missing")) from error
            except MediaError as error:
                other = error.notice.code == "not_a_video"
                raise Refused(Notice("trace_no_video") if other else error.notice) from error
        kin = tuple(self._kin(visitor, one) for one in traced.named)
        return TraceView(
            answer=traced.answer,
            notice=telling.answer(traced),
            because=telling.because(traced),
            lines=telling.lines(traced),
            kin=tuple(one for one in kin if one.number or one.asset is not None),
        )

    def _kin(self, visitor: Visitor, named: "Named") -> Kin:
        export, asset = named.export, self._assets.get(named.export.asset_id)
        # A link is a key: nobody gets one by a video that merely looks alike. Who finds it in lists has it.
        listed = access.sees_all(visitor, self._settings) or visitor.owner == export.owner
        if asset is not None and not (listed and access.may_see(visitor, asset.standing, asset.owner)):
            asset = None
        if not visitor.admin:
            return Kin(asset, named.kept, named.distance)
        return Kin(
            asset,
            named.kept,
            named.distance,
            number=export.id,
            kind=export.kind,
            owner=export.owner,
            job_id=export.job_id,
            created=export.created,
        )

    def _opened(self) -> "Tracer":
        from studio.trust.trace import Tracer

        with self._lock:
            self._tracer = self._tracer or Tracer(self._engine, self._settings)
            return self._tracer

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise Refused(Notice("trace_busy"))
        try:
            if not self._turn.acquire(timeout=_PATIENCE):
                raise Refused(Notice("trace_busy"))
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._line.release()
