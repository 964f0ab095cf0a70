"""What the API remembers of a task beside its job: the model's name as it was asked for, and refusals."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Engine

from pipelines.request import Notice
from studio.api_keys import Key
from studio.db import UtcTime, metadata, reading, utc_now, writing
from studio.library import Standing
from studio.library.tables import asset_table
from studio.rows import OPEN, State, job_table, notice_of

KEPT = timedelta(hours=24)
"""How long a refusal is known."""
# More tasks than anybody has in a day.
_MOST = 5000

task_table = sa.Table(
    "api_task",
    metadata,
    # The job's, or its own for what was refused and never became one.
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    # Why it was refused, as notices.
    sa.Column("refused", sa.JSON(none_as_null=True)),
    sa.Index("api_task_by_owner", "owner", "created"),
)


@dataclass(frozen=True)
class Listed:
    """A task as lists have it. `state` is None for what was refused, `standing` for what has no clip.

    `model` is the name it was asked for by, empty with the other two for a job whose note was lost.
    """

    id: str
    model: str
    key_id: str
    request_id: str
    created: datetime
    started: datetime | None
    finished: datetime | None
    state: State | None
    standing: Standing | None


@dataclass(frozen=True)
class Refusal:
    """A task that was refused for its words; it never became a job."""

    id: str
    created: datetime
    notices: tuple[Notice, ...]


class Tasks:
    """Owns the table `api_task`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(self, job_id: str, key: Key, model: str, request_id: str) -> None:
        """Remember by which names a job was asked for."""
        self._insert(job_id, key, model, request_id, None)

    def refuse(self, key: Key, model: str, request_id: str, notices: Sequence[Notice]) -> str:
        """Remember a refusal as a task that has failed; its id. It is forgotten after `KEPT`."""
        task_id = secrets.token_urlsafe(12)
        self._insert(task_id, key, model, request_id, notices)
        return task_id

    def refusal(self, owner: str, task_id: str) -> Refusal | None:
        """The refusal of an owner's task of this id, if there is one."""
        columns = task_table.c
        query = sa.select(task_table).where(columns.id == task_id, columns.owner == owner)
        with reading(self._engine) as connection:
            row = connection.execute(query.where(columns.refused.is_not(None))).mappings().first()
        if row is None:
            return None
        return Refusal(row["id"], row["created"], tuple(map(notice_of, row["refused"])))

    def count_open(self, owner: str) -> int:
        """How many of an owner's jobs are held, wait or run."""
        columns = job_table.c
        query = sa.select(sa.func.count()).select_from(job_table)
        with reading(self._engine) as connection:
            mine = (columns.owner == owner, columns.state.in_(OPEN))
            return int(connection.execute(query.where(*mine)).scalar_one())

    def between(self, owner: str, since: datetime, until: datetime) -> list[Listed]:
        """An owner's tasks that were asked for in this time, the newest first."""
        jobs, tasks, assets = job_table.c, task_table.c, asset_table.c
        joined = job_table.outerjoin(task_table, tasks.id == jobs.id)
        joined = joined.outerjoin(asset_table, sa.and_(assets.id == jobs.asset_id, assets.trashed.is_(None)))
        of_jobs = (
            sa.select(
                jobs.id,
                sa.func.coalesce(tasks.model, jobs.model).label("model"),
                sa.func.coalesce(tasks.key_id, "").label("key_id"),
                sa.func.coalesce(tasks.request_id, "").label("request_id"),
                jobs.created,
                jobs.started,
                jobs.finished,
                jobs.state,
                assets.standing,
            )
            .select_from(joined)
            .where(jobs.owner == owner, jobs.created.between(since, until))
            .order_by(jobs.created.desc())
            .limit(_MOST)
        )
        refused = (tasks.owner == owner, tasks.created.between(since, until), tasks.refused.is_not(None))
        of_refusals = sa.select(task_table).where(*refused).order_by(tasks.created.desc()).limit(_MOST)
        with reading(self._engine) as connection:
            found = [Listed(**row) for row in connection.execute(of_jobs).mappings()]
            for row in connection.execute(of_refusals).mappings():
                moment = {"created": row["created"], "started": None, "finished": row["created"]}
                kept = {name: row[name] for name in ("id", "model", "key_id", "request_id")}
                found.append(Listed(**kept, **moment, state=None, standing=None))
        return sorted(found, key=lambda one: (one.created, one.id), reverse=True)

    def _insert(
        self, task_id: str, key: Key, model: str, request_id: str, refused: Sequence[Notice] | None
    ) -> None:
        values = {"id": task_id, "owner": key.owner, "key_id": key.id, "model": model}
        told = None if refused is None else [asdict(notice) for notice in refused]
        old = (task_table.c.refused.is_not(None), task_table.c.created < utc_now() - KEPT)
        with writing(self._engine) as connection:
            connection.execute(sa.delete(task_table).where(*old))
            row = values | {"request_id": request_id, "created": utc_now(), "refused": told}
            connection.execute(sa.insert(task_table).values(**row))
