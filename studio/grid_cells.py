"""The rows behind grids: which clip belongs where, jobs for those that are missing, what became of them."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipelines.request import GenerationRequest
from studio.checking import held_because, texts_of
from studio.db import utc_now, writing
from studio.endings import stop
from studio.film_takes import being_made, one_at_a_time
from studio.grid_tables import grid_cell_table, grid_table
from studio.grid_view import GridLine
from studio.jobs import Jobs
from studio.library import USABLE, Library, asset_table
from studio.rows import (
    CLIPS,
    LIVE,
    OPEN,
    Job,
    JobProgress,
    Kind,
    film_take_table,
    job_of,
    job_table,
    new_clip,
    progress_table,
)
from studio.trust import ledger

# So many pictures of a grid stand in a list.
_STILLS = 4


@dataclass(frozen=True)
class Asked:
    """What one cell asks for: the form to keep, the request that came of it, and its key."""

    number: int
    form: dict[str, Any]
    request: GenerationRequest
    key: str


class GridCells:
    """Asks for cells and stops them; every change is one transaction."""

    def __init__(self, engine: Engine, jobs: Jobs, assets: Library) -> None:
        self.engine = engine
        self._jobs, self._assets = jobs, assets

    def ask(
        self, owner: str, grid_id: str, asked: Sequence[Asked], new: Mapping[str, Any] | None = None
    ) -> None:
        """Every cell has a clip or a job afterwards; `new` is the grid's row, if it is made now.

        The texts are checked first, each once: Refused for words that may not be used. A cell whose words a
        person must look at is held, the others are not.
        """
        held = self._held(asked)
        place, now = time.time(), utc_now()
        made: list[Kind] = []
        with writing(self.engine) as connection:
            one_at_a_time(connection, owner)
            if new is not None:
                connection.execute(sa.insert(grid_table).values(**new))
            # Jobs before clips: one that ends between the two queries is found as a clip, never missed.
            coming = being_made(connection, owner, [one.key for one in asked])
            there = self._assets.find_keys(connection, owner, {one.key for one in asked})
            for one in asked:
                job_id = None if one.key in there else coming.get(one.key)
                if one.key not in there and job_id is None:
                    row = new_clip(owner, one.form, one.request, place=place)
                    # The grid's own order: rows of the same place are made by age.
                    row |= {"grid_id": grid_id, "created": now + timedelta(microseconds=one.number)}
                    row |= held.get(one.key, {})
                    connection.execute(sa.insert(job_table).values(**row))
                    self._note(connection, row, grid_id)
                    coming[one.key] = job_id = row["id"]
                    made += [row["kind"]] if row["state"] == "queued" else []
                _put(connection, grid_id, one, job_id)
        for kind in CLIPS:
            self._jobs.call_a_worker(kind, made.count(kind))
        ledger.note_last(self.engine, self._assets.home)

    def cancel(self, grid_id: str) -> None:
        """Stop the grid's jobs that wait or run, unless a film or another grid waits for them."""
        films, takes, cells = job_table.alias(), film_take_table.c, grid_cell_table.c
        for_films = (
            sa.select(takes.job_id).join(films, films.c.id == takes.film_id).where(films.c.state.in_(LIVE))
        )
        for_grids = sa.select(cells.job_id).where(cells.grid_id != grid_id, cells.job_id.is_not(None))
        columns = job_table.c
        mine = (columns.grid_id == grid_id, columns.kind.in_(CLIPS), columns.state.in_(OPEN))
        others = (columns.id.not_in(for_films), columns.id.not_in(for_grids))
        query = sa.select(columns.id, columns.state, columns.worker).where(*mine, *others)
        with writing(self.engine) as connection:
            # One order for all: two that stop at once never wait for each other.
            for row in connection.execute(query.order_by(columns.id).with_for_update()).all():
                stop(connection, row.id, row.state, row.worker)
        self._jobs.forget_outlook()

    def to_front(self, grid_id: str) -> None:
        """Let what waits of a grid be the next."""
        columns = job_table.c
        with writing(self.engine) as connection:
            waiting = columns.state == "queued"
            first = connection.execute(sa.select(sa.func.min(columns.place)).where(waiting)).scalar()
            if first is not None:
                mine = sa.update(job_table).where(waiting, columns.grid_id == grid_id)
                connection.execute(mine.values(place=first - 1))
        self._jobs.forget_outlook()

    def _held(self, asked: Sequence[Asked]) -> dict[str, dict[str, Any]]:
        """The state and reason of cells whose words wait for a person, by their keys."""
        texts = {one.key: texts_of(one.form, one.request, None) for one in asked}
        # Cells share most of their words: each is looked at once.
        once = {
            (place.split(" ")[0], text): None for found in texts.values() for place, text in found.items()
        }
        together = {f"{place} {at}": text for at, (place, text) in enumerate(once)}
        if self._jobs.checker.passed(together).outcome != "hold":
            return {}
        found = {key: self._jobs.checker.passed(own) for key, own in texts.items()}
        return {
            key: {"state": "held", "error": held_because(verdict)}
            for key, verdict in found.items()
            if verdict.outcome == "hold"
        }

    def _note(self, connection: Connection, row: Mapping[str, Any], grid_id: str) -> None:
        event: ledger.Event = "held" if row["state"] == "held" else "created"
        facts = {"kind": "clip", "model": row["model"], "grid": grid_id}
        self._jobs.checker.note(connection, event, row["id"], row["owner"], **facts)


def _put(connection: Connection, grid_id: str, one: Asked, job_id: str | None) -> None:
    """Write a cell's row, or which job makes it from now on."""
    cells = grid_cell_table.c
    mine = (cells.grid_id == grid_id, cells.number == one.number)
    if not connection.execute(sa.update(grid_cell_table).where(*mine).values(job_id=job_id)).rowcount:
        row = {"grid_id": grid_id, "number": one.number, "request_key": one.key, "job_id": job_id}
        row |= {"form": one.form, "request": one.request.model_dump(mode="json")}
        connection.execute(sa.insert(grid_cell_table).values(**row))


# -- looking -----------------------------------------------------------------------------------------------


def read_jobs(connection: Connection, ids: Collection[str]) -> dict[str, Job]:
    """Jobs by id; those that are gone are missing."""
    query = sa.select(job_table).where(job_table.c.id.in_(ids))
    return {row["id"]: job_of(row) for row in connection.execute(query).mappings()} if ids else {}


def read_progress(connection: Connection, ids: Collection[str]) -> dict[str, JobProgress]:
    """How far running jobs are, by id."""
    query = sa.select(progress_table).where(progress_table.c.job_id.in_(ids))
    rows = connection.execute(query).mappings() if ids else ()
    return {row["job_id"]: JobProgress(**{k: v for k, v in row.items() if k != "job_id"}) for row in rows}


def newest_export(connection: Connection, grid_id: str) -> Job | None:
    """The job that was asked last to make one film of a grid."""
    columns = job_table.c
    query = sa.select(job_table).where(columns.grid_id == grid_id, columns.kind == "media")
    row = connection.execute(query.order_by(columns.created.desc()).limit(1)).mappings().first()
    return None if row is None else job_of(row)


def read_lines(connection: Connection, owner: str | None, *, live: bool, limit: int) -> list[GridLine]:
    """The newest grids of an owner (None: of all) with their numbers; `live`: only those that wait or run."""
    grid, cell, job, asset = grid_table.c, grid_cell_table.c, job_table.c, asset_table.c
    clip = (
        sa.select(asset.id)
        .where(asset.owner == grid.owner, asset.request_key == cell.request_key)
        .where(asset.kind == "clip", asset.standing.in_(USABLE))
        .order_by(asset.created.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = sa.select(grid_table).order_by(grid.created.desc(), grid.id).limit(limit)
    if owner is not None:
        query = query.where(grid.owner == owner)
    if live:
        waits = sa.select(cell.grid_id).join(job_table, job.id == cell.job_id).where(job.state.in_(OPEN))
        query = query.where(grid.id.in_(waits))
    rows = connection.execute(query).mappings().all()
    cells = (
        sa.select(cell.grid_id, cell.number, job.state, clip.label("clip"))
        .join(grid_table, grid.id == cell.grid_id)
        .outerjoin(job_table, job.id == cell.job_id)
        .where(cell.grid_id.in_([row["id"] for row in rows]))
        .order_by(cell.grid_id, cell.number)
    )
    found: dict[str, list[Any]] = {row["id"]: [] for row in rows}
    for one in connection.execute(cells).all() if rows else ():
        found[one.grid_id].append(one)
    return [
        GridLine(
            id=row["id"],
            owner=row["owner"],
            title=row["title"],
            created=row["created"],
            cells=len(found[row["id"]]),
            done=sum(one.clip is not None for one in found[row["id"]]),
            live=sum(one.clip is None and one.state in OPEN for one in found[row["id"]]),
            stills=tuple(one.clip for one in found[row["id"]] if one.clip)[:_STILLS],
        )
        for row in rows
    ]
