"""The takes that a film needs: which are there, which are being made, and jobs for those that nobody makes.

Every take has a key (`studio.story.film_plan.key_of`). What stands under a key is made once, whoever asks for
it and however often workers are killed.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipelines.loras import write_uses
from pipelines.request import GenerationRequest, Notice
from studio.claims import Attempt
from studio.db import reading, utc_now, writing
from studio.library import Asset, Library
from studio.rows import LIVE, Kind, film_take_table, job_of, job_table, kind_of, new_clip
from studio.story.film_plan import key_of
from studio.trust import ledger

# With an owner's number beside it: two films of one owner ask for takes one after the other.
_LOCK = 7_274_202


class TakeFailed(Exception):
    """A take that a film waits for could not be made, or was cancelled (`reason` is None then)."""

    def __init__(self, key: str, reason: Notice | None) -> None:
        super().__init__(f"take {key}: {reason}")
        self.key = key
        self.reason = reason


@dataclass(frozen=True)
class Found:
    """What is there of a film's takes: clips by key, keys that a job is there for, the kinds of new jobs."""

    clips: dict[str, Asset]
    coming: frozenset[str]
    new: tuple[Kind, ...] = ()


class FilmTakes:
    """Looks for takes and asks for them, on behalf of films; `key` is what the ledger is sealed with."""

    def __init__(self, engine: Engine, library: Library, key: bytes) -> None:
        self.engine = engine
        self.library = library
        self.key = key

    def look(self, attempt: Attempt, requests: Sequence[GenerationRequest]) -> Found:
        """What is there now. Raises TakeFailed for the first take that failed or was cancelled.

        A take that is neither there nor coming was lost meanwhile: `ask` for it.
        """
        with reading(self.engine) as connection:
            return self._look(connection, attempt, [key_of(request) for request in requests])

    def ask(self, attempt: Attempt, requests: Sequence[GenerationRequest]) -> Found:
        """As `look`, and every take that is missing has a job afterwards, at the film's place in the queue.

        Nothing is asked for if the film is another worker's by now. The new jobs' tickets are the caller's to
        make.
        """
        owner, film = attempt.job.owner, attempt.job.id
        with writing(self.engine) as connection:
            mine = (job_table.c.id == film, job_table.c.fence == attempt.fence)
            place = connection.execute(sa.select(job_table.c.place).where(*mine).with_for_update()).scalar()
            one_at_a_time(connection, owner)
            wanted = {key_of(request): request for request in requests}
            # Jobs before clips: one that ends between the two queries is found as a clip, never missed.
            others = being_made(connection, owner, list(wanted))
            found = self._look(connection, attempt, list(wanted))
            missing = [key for key in wanted if key not in found.clips and key not in found.coming]
            if place is None or not missing:
                return found
            new = [key for key in missing if key not in others]
            now = utc_now()
            # A film's takes are kept where the film is.
            kept = {name: attempt.job.form[name] for name in ("project",) if name in attempt.job.form}
            for number, key in enumerate(new):
                request = wanted[key]
                row = new_clip(owner, form_of(request) | kept, request, place=place, parent=film)
                # The order of the film's shots: rows of the same place are made by age.
                row["created"] = now + timedelta(microseconds=number)
                connection.execute(sa.insert(job_table).values(**row))
                others[key] = row["id"]
                # Its words were checked with the film's.
                facts = {"kind": "clip", "model": row["model"], "film": film}
                ledger.append(connection, "created", row["id"], key=self.key, who=owner, facts=facts)
            _remember(connection, film, {key: others[key] for key in missing})
            kinds = tuple(kind_of(wanted[key]) for key in new)
            return Found(found.clips, found.coming | frozenset(missing), kinds)

    def _look(self, connection: Connection, attempt: Attempt, keys: Sequence[str]) -> Found:
        takes = film_take_table.c
        query = (
            sa.select(job_table, takes.request_key.label("key"))
            .join(film_take_table, takes.job_id == job_table.c.id)
            .where(takes.film_id == attempt.job.id, takes.request_key.in_(keys))
            .order_by(job_table.c.created)
        )
        jobs = [(row["key"], job_of(row)) for row in connection.execute(query).mappings()]
        clips = self.library.find_keys(connection, attempt.job.owner, keys)
        coming = set()
        for key, job in jobs:
            if key in clips:
                continue
            if job.state in LIVE:
                coming.add(key)
            elif job.state == "failed":
                raise TakeFailed(key, job.error)
            elif job.state == "cancelled" and job.parent == attempt.job.id:
                raise TakeFailed(key, None)
            elif (standing := self.library.standing(connection, job.asset_id)) is not None:
                raise TakeFailed(key, Notice("take_held" if standing == "held" else "take_refused"))
            # Else it was done and its clip is gone, or it was another's and given up: it is asked for anew.
        return Found(clips, frozenset(coming))


def form_of(request: GenerationRequest) -> dict[str, Any]:
    """What the page would have to be filled in with to ask for this very clip."""
    kept = request.model_dump(mode="json", exclude={"width", "height", "loras", "pair"}, exclude_none=True)
    if request.loras:
        kept["loras"] = write_uses(request.loras)
    return {**kept, "size": f"{request.width}x{request.height}"}


def being_made(connection: Connection, owner: str, keys: Sequence[str]) -> dict[str, str]:
    """The jobs of this owner that wait or run, by key."""
    columns = job_table.c
    live = (columns.owner == owner, columns.request_key.in_(keys), columns.state.in_(LIVE))
    query = sa.select(columns.request_key, columns.id).where(*live, columns.cancel_requested.is_(False))
    return {row.request_key: row.id for row in connection.execute(query.order_by(columns.created.desc()))}


def _remember(connection: Connection, film_id: str, jobs: dict[str, str]) -> None:
    """Note which jobs a film waits for, instead of those that it waited for before."""
    takes = film_take_table.c
    connection.execute(
        sa.delete(film_take_table).where(takes.film_id == film_id, takes.request_key.in_(jobs))
    )
    rows = [{"film_id": film_id, "request_key": key, "job_id": job} for key, job in jobs.items()]
    connection.execute(sa.insert(film_take_table), rows)


def one_at_a_time(connection: Connection, owner: str) -> None:
    """On SQLite whoever writes is alone anyway."""
    if connection.dialect.name == "postgresql":
        number = zlib.crc32(owner.encode()) - 2**31
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, number)))
