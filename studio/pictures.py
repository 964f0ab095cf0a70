"""The pictures that clips begin with: taken in, checked, kept by content below home/inputs, swept later.

They belong to nobody: who knows the hash of a picture has had it. One is kept while a job or a clip names it.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipelines.models import ModelSpec, Size
from pipelines.request import GenerationRequest, Inputs, Notice
from studio import footage
from studio.db import reading, utc_now, writing
from studio.library import USABLE, Asset, Library
from studio.library.tables import asset_table
from studio.media import still
from studio.media.ffmpeg import MediaError
from studio.media.still import Still
from studio.media.whole import publish, unfinished
from studio.picture_rows import FOLDER, Picture, frames_of, picture_of, picture_table, place_of, read_picture
from studio.refusal import Objected, Refused
from studio.rows import job_table
from studio.settings import Settings
from studio.trust import ledger, policy

KEEP = timedelta(days=1)
"""A picture that nothing names stays so long after it was last brought: forms are filled in slowly."""
_TOUCH = timedelta(hours=1)
_HASH = re.compile(r"[0-9a-f]{64}")


class Pictures:
    """Owns the table `picture` and the folder home/inputs."""

    def __init__(self, engine: Engine, settings: Settings, library: Library) -> None:
        self._engine, self._settings, self._library = engine, settings, library
        self._home = settings.studio_home

    # -- taking in -----------------------------------------------------------------------------------------

    def keep(self, data: bytes, *, owner: str) -> Picture:
        """Take in a picture that somebody brought; the same one again is the same picture.

        Refused if it can't be read, is too big or small, or shows what may not be shown; what a person must
        see first is kept, and holds the jobs that name it. Takes about a second: the check looks at it.
        """
        try:
            found = still.normal(data)
        except MediaError as error:
            raise Refused(error.notice) from error
        return self._kept(found, lambda: self._checked(found, owner))

    def keep_frame(self, asset: Asset, should_stop: Callable[[], bool] = lambda: False) -> Picture:
        """The frame that goes on from a clip, its third from the end; Refused if the clip can't be gone on.

        It was checked with its clip. The same clip gives the same picture.
        """
        if asset.standing not in USABLE or not self._library.exists(asset):
            raise Refused(Notice("asset_unknown"))
        known = self.frame_kept(asset.id)
        if known is not None:
            return known
        label = footage.label_on(asset.label, self._settings)
        part = self._settings.tmp / f"frame-{asset.id}.png"
        try:
            at = still.frame_of(self._library.file(asset), label, part, should_stop=should_stop)
            found = still.normal(part.read_bytes())
        except MediaError as error:
            raise Refused(error.notice) from error
        finally:
            part.unlink(missing_ok=True)
        look = asset.request.look if asset.request is not None else ""
        return self._kept(found, tuple, asset_id=asset.id, frame=at, look=look)

    def _kept(
        self,
        found: Still,
        check: Callable[[], tuple[Notice, ...]],
        *,
        asset_id: str | None = None,
        frame: int | None = None,
        look: str = "",
    ) -> Picture:
        """The picture's row and file, made unless they are there; `check` says why it is held."""
        name = hashlib.sha256(found.png).hexdigest()
        now = utc_now()
        reasons = check()
        path = place_of(self._home, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            with unfinished(path) as part:
                part.write_bytes(found.png)
                publish(part, path)
        kept = Picture(name, found.width, found.height, reasons, asset_id, frame, look, now, now)
        values = asdict(kept) | {"reasons": [asdict(one) for one in reasons] or None}
        values["outcome"] = "hold" if reasons else "allow"
        with writing(self._engine) as connection:
            before = read_picture(connection, name)
            if before is None:
                connection.execute(sa.insert(picture_table).values(**values))
                return kept
            # Whoever brings a frame of a clip back does not make it less that clip's.
            origin = ("asset_id", "frame", "look") if asset_id is None else ()
            changed = {key: value for key, value in values.items() if key not in ("id", "created", *origin)}
            connection.execute(sa.update(picture_table).where(picture_table.c.id == name).values(**changed))
            if asset_id is None:
                return replace(before, reasons=reasons, used=now)
            return replace(kept, created=before.created)

    def _checked(self, found: Still, owner: str) -> tuple[Notice, ...]:
        """Why a person looks at it first; Refused if it may not be used at all."""
        from studio.trust.frames import sample_of
        from studio.trust.pictures import checkers, judge

        with reading(self._engine) as connection:
            rules = policy.current(connection)
        verdict = judge(
            (sample_of(found.png),),
            checkers=checkers(self._settings),
            outcomes=rules.pictures,
            when_down=rules.when_down,
        )
        told = tuple(one.notice for one in verdict.findings if one.outcome == verdict.outcome)
        facts = {
            "kind": "picture",
            "outcome": verdict.outcome,
            "by": list(verdict.by),
            "scores": {name: round(score, 3) for name, score in verdict.scores.items()},
        }
        name = hashlib.sha256(found.png).hexdigest()
        with writing(self._engine) as connection:
            key = self._settings.sealing_key()
            ledger.append(connection, "checked", name, key=key, who=owner, facts=facts)
        ledger.note_last(self._engine, self._home)
        if verdict.outcome == "block":
            raise Objected(*told)
        return (told or verdict.problems) if verdict.outcome == "hold" else ()

    # -- looking -------------------------------------------------------------------------------------------

    def find(self, picture_id: object) -> Picture | None:
        """A picture by its hash, if it is here; the hash may come from anywhere."""
        if not isinstance(picture_id, str) or not _HASH.fullmatch(picture_id):
            return None
        with reading(self._engine) as connection:
            found = read_picture(connection, picture_id)
        return found if found is not None and self.file(found).is_file() else None

    def file(self, picture: Picture) -> Path:
        """Where its PNG lies."""
        return place_of(self._home, picture.id)

    def frame_kept(self, asset_id: str) -> Picture | None:
        """The frame that goes on from a clip, if it was taken out before."""
        with reading(self._engine) as connection:
            found = frames_of(connection, [asset_id]).get(asset_id)
        return None if found is None else self.find(found)

    def inputs(self, request: GenerationRequest) -> Inputs:
        """What a pipeline gets besides a request: the picture's file, if it is here."""
        found = self.find(request.first_frame)
        return Inputs(first_frame=None if found is None else self.file(found))

    def source(self, request: GenerationRequest) -> Asset | None:
        """The clip that a request's picture is a frame of, if it is still there."""
        found = self.find(request.first_frame)
        return self._library.get(found.asset_id) if found is not None and found.asset_id else None

    def applied(self, request: GenerationRequest) -> GenerationRequest:
        """The request as its picture wants it; Refused if that is not here.

        A frame that already has the colour look of the request gets it no second time.
        """
        if not request.first_frame:
            return request
        found = self.find(request.first_frame)
        if found is None:
            raise Refused(Notice("first_frame_gone", {"field": "first_frame"}))
        if found.used < utc_now() - _TOUCH:
            with writing(self._engine) as connection:
                mine = picture_table.c.id == found.id
                connection.execute(sa.update(picture_table).where(mine).values(used=utc_now()))
        again = request.look and request.look == found.look
        return request.model_copy(update={"look": ""}) if again else request

    # -- going -----------------------------------------------------------------------------------------------

    def sweep(self) -> int:
        """Remove pictures that no job or clip names any more, a day after their last use; how many."""
        columns, gone = picture_table.c, 0
        with reading(self._engine) as connection:
            old = sa.select(picture_table).where(columns.used < utc_now() - KEEP)
            found = [picture_of(row) for row in connection.execute(old).mappings()]
        for picture in found:
            with writing(self._engine) as connection:
                if any(_named(connection, table, picture.id) for table in (job_table, asset_table)):
                    continue
                connection.execute(sa.delete(picture_table).where(columns.id == picture.id))
                self.file(picture).unlink(missing_ok=True)
                gone += 1
        known = {picture.id for picture in self._all()}
        before = (utc_now() - KEEP).timestamp()
        for path in (self._home / FOLDER).glob("*.png"):
            if path.stem not in known and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
        return gone

    def _all(self) -> list[Picture]:
        with reading(self._engine) as connection:
            return [picture_of(row) for row in connection.execute(sa.select(picture_table)).mappings()]


def _named(connection: Connection, table: sa.Table, picture_id: str) -> bool:
    mine = table.c.request["first_frame"].as_string() == picture_id
    return connection.execute(sa.select(table.c.id).where(mine).limit(1)).first() is not None


def size_for(picture: Picture, spec: ModelSpec) -> Size:
    """The model's size nearest to the picture's shape; of equals the first, which the model does best."""
    shape = picture.width / picture.height
    off = {size: size.width / size.height / shape for size in spec.sizes}
    return min(spec.sizes, key=lambda size: max(off[size], 1 / off[size]))


def cut_off(picture: Picture, size: Size) -> float:
    """How much of the picture's area lies outside a frame of this size, 0 to 1."""
    shape, frame = picture.width / picture.height, size.width / size.height
    return 1 - min(shape, frame) / max(shape, frame)
