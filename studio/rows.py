"""The rows of a job, for both who use them: people (`studio.jobs`) and workers (`studio.claims`)."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from pipelines.request import GenerationRequest, Notice
from studio.db import UtcTime, metadata, utc_now

State = Literal["queued", "running", "done", "failed", "cancelled"]
_PAUSED = "paused"

job_table = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("form", sa.JSON, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    # The lower, the earlier. Seconds since 1970 for a new job, less than all others for one sent to front.
    sa.Column("place", sa.Float, nullable=False),
    # Renderings begun since a person last asked for the job; shown, and limited.
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    # Grows when a rendering begins or the job is taken from it: who holds an older number changes nothing.
    sa.Column("fence", sa.Integer, nullable=False, default=0),
    sa.Column("workflow_id", sa.Text),
    sa.Column("worker", sa.Text),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("started", UtcTime),
    sa.Column("finished", UtcTime),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("asset_id", sa.Text),
    sa.Column("seconds", sa.Float),
    sa.Column("tail_seconds", sa.Float),
    sa.Index("job_by_place", "state", "place", "created"),
    sa.Index("job_by_owner", "owner", "created"),
    sa.Index("job_by_end", "state", "finished"),
    sa.Index("job_by_model", "model", "state", "finished"),
)

progress_table = sa.Table(
    "progress",
    metadata,
    sa.Column("job_id", sa.Text, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("eta", sa.Float),
    sa.Column("preview_version", sa.Integer, nullable=False),
    sa.Column("updated", UtcTime, nullable=False),
)

# Beside the progress row, not in it: followers read the row eight times a second, the picture once a step.
preview_table = sa.Table(
    "preview",
    metadata,
    sa.Column("job_id", sa.Text, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("picture", sa.LargeBinary, nullable=False),
)

flag_table = sa.Table("flag", metadata, sa.Column("name", sa.Text, primary_key=True))


@dataclass(frozen=True)
class Job:
    """One job. `order` is its place in the queue (lower is earlier), `seconds` what its rendering took."""

    id: str
    owner: str
    form: dict[str, Any]
    request: GenerationRequest
    model: str
    state: State
    order: float
    attempt: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    error: Notice | None
    asset_id: str | None
    worker: str | None
    seconds: float | None
    cancel_requested: bool = False


@dataclass(frozen=True)
class JobProgress:
    """How far a running job is. `eta`: seconds left at `updated`; `preview_version` grows by picture."""

    stage: str
    step: int
    total: int
    eta: float | None
    preview_version: int
    attempt: int
    updated: datetime


def job_of(row: Any) -> Job:
    """The job of a mapping of its row."""
    values = {name: row[name] for name in Job.__dataclass_fields__ if name != "order"}
    # Validated when it was asked for; a later studio may allow other sizes and still shows and makes it.
    values["request"] = GenerationRequest.model_construct(**row["request"])
    values["error"] = None if row["error"] is None else Notice(**row["error"])
    return Job(order=row["place"], **values)


def read_job(connection: Connection, job_id: str) -> Job | None:
    """One job, read within the caller's transaction."""
    row = connection.execute(sa.select(job_table).where(job_table.c.id == job_id)).mappings().first()
    return None if row is None else job_of(row)


def end(connection: Connection, job_id: str, state: State, error: Notice | None = None, **more: Any) -> None:
    """Write a job's outcome and forget its progress, within the caller's transaction."""
    connection.execute(
        sa.update(job_table)
        .where(job_table.c.id == job_id)
        .values(
            state=state,
            fence=job_table.c.fence + 1,
            finished=utc_now(),
            error=None if error is None else asdict(error),
            cancel_requested=False,
            **more,
        )
    )
    forget_progress(connection, job_id)


def forget_progress(connection: Connection, job_id: str) -> None:
    """Remove what was shown while a job ran."""
    for table in (progress_table, preview_table):
        connection.execute(sa.delete(table).where(table.c.job_id == job_id))


def is_paused(connection: Connection) -> bool:
    """Whether a person paused the queue."""
    query = sa.select(flag_table.c.name).where(flag_table.c.name == _PAUSED)
    return connection.execute(query).first() is not None


def set_paused(connection: Connection, paused: bool) -> None:
    """Pause the queue, or let it go on; nothing happens if it is so already."""
    if paused and not is_paused(connection):
        connection.execute(sa.insert(flag_table).values(name=_PAUSED))
    elif not paused:
        connection.execute(sa.delete(flag_table).where(flag_table.c.name == _PAUSED))
