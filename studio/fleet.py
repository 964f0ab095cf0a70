"""The workers that are alive, as rows with a heartbeat; `studio.worker` writes them, everyone reads them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from studio.db import UtcTime, database_now, metadata, reading, writing

# A worker beats each second; without a beat for this long, others take its job over.
STALE_SECONDS = 10.0

worker_table = sa.Table(
    "worker",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("started", UtcTime, nullable=False),
    sa.Column("heartbeat", UtcTime, nullable=False),
    sa.Column("job_id", sa.Text),
)


@dataclass(frozen=True)
class WorkerView:
    """One worker: what it runs on, seconds since its last heartbeat, the job it has in hand."""

    id: str
    device: str
    heartbeat_age: float
    job_id: str | None
    pid: int
    version: str
    started: datetime


class Fleet:
    """Owns the table `worker`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def beat(self, worker_id: str, *, device: str, pid: int, version: str, job_id: str | None) -> None:
        """Say that this worker is alive, and with which job."""
        with writing(self.engine) as connection:
            now = database_now(connection)
            values = {"device": device, "pid": pid, "version": version, "heartbeat": now, "job_id": job_id}
            mine = worker_table.c.id == worker_id
            known = connection.execute(sa.update(worker_table).where(mine).values(**values)).rowcount
            if not known:
                connection.execute(sa.insert(worker_table).values(id=worker_id, started=now, **values))

    def leave(self, worker_id: str) -> None:
        """Say that this worker has ended, so that nobody waits for its heartbeat to grow stale."""
        with writing(self.engine) as connection:
            connection.execute(sa.delete(worker_table).where(worker_table.c.id == worker_id))

    def forget_the_dead(self) -> None:
        """Remove workers that have not been heard of for a day."""
        with writing(self.engine) as connection:
            before = database_now(connection) - timedelta(days=1)
            connection.execute(sa.delete(worker_table).where(worker_table.c.heartbeat < before))

    def list(self) -> list[WorkerView]:
        """All workers that did not say goodbye, the stale ones too."""
        with reading(self.engine) as connection:
            now = database_now(connection)
            rows = connection.execute(sa.select(worker_table).order_by(worker_table.c.id)).mappings().all()
        views = []
        for row in rows:
            age = max(0.0, (now - row["heartbeat"]).total_seconds())
            kept = {name: row[name] for name in ("id", "device", "job_id", "pid", "version", "started")}
            views.append(WorkerView(heartbeat_age=age, **kept))
        return views


def alive(connection: Connection, stale_seconds: float = STALE_SECONDS) -> set[str]:
    """The ids of the workers whose heartbeat is younger than `stale_seconds`."""
    since = database_now(connection) - timedelta(seconds=stale_seconds)
    return set(
        connection.execute(sa.select(worker_table.c.id).where(worker_table.c.heartbeat > since)).scalars()
    )
