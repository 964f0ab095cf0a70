"""The workers that are alive, as rows with a heartbeat; `studio.worker` writes them, everyone reads them."""

from dataclasses import asdict, dataclass
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
    # The model that it holds in memory, and what it runs on: GB of 2^30 bytes, no card on a processor.
    sa.Column("model", sa.Text),
    sa.Column("card", sa.Text),
    sa.Column("vram_gb", sa.Float),
    sa.Column("ram_gb", sa.Float),
)


@dataclass(frozen=True)
class WorkerView:
    """One worker: what it runs on, seconds since its last heartbeat, the job it has in hand.

    `model` is what it holds in memory ("" for none), `card` its GPU's name; `vram_gb` is None on a processor,
    `ram_gb` None until it has told.
    """

    id: str
    device: str
    heartbeat_age: float
    job_id: str | None
    pid: int
    version: str
    started: datetime
    model: str = ""
    card: str = ""
    vram_gb: float | None = None
    ram_gb: float | None = None

    @property
    def alive(self) -> bool:
        """Whether it has been heard of lately."""
        return self.heartbeat_age < STALE_SECONDS


@dataclass(frozen=True)
class Machine:
    """What a worker runs on: its GPU's name and memory (None: no GPU), main memory; GB of 2^30 bytes."""

    card: str
    vram_gb: float | None
    ram_gb: float


class Fleet:
    """Owns the table `worker`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def beat(
        self,
        worker_id: str,
        *,
        device: str,
        pid: int,
        version: str,
        job_id: str | None,
        model: str = "",
        machine: Machine | None = None,
    ) -> None:
        """Say that this worker is alive, with which job, and which model it holds."""
        with writing(self.engine) as connection:
            now = database_now(connection)
            values = {"device": device, "pid": pid, "version": version, "heartbeat": now, "job_id": job_id}
            values |= {"model": model} | ({} if machine is None else asdict(machine))
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
            kept = {name: row[name] for name in WorkerView.__dataclass_fields__ if name != "heartbeat_age"}
            told = {name: kept[name] or "" for name in ("model", "card")}
            views.append(WorkerView(heartbeat_age=age, **(kept | told)))
        return views


def alive(connection: Connection, stale_seconds: float = STALE_SECONDS) -> set[str]:
    """The ids of the workers whose heartbeat is younger than `stale_seconds`."""
    since = database_now(connection) - timedelta(seconds=stale_seconds)
    return set(
        connection.execute(sa.select(worker_table.c.id).where(worker_table.c.heartbeat > since)).scalars()
    )
