"""The queue as people see it: submit, order, cancel, retry, pause, progress. No torch.

The row is the job; a DBOS ticket only makes a worker look (`studio.tickets`). What workers do to the rows is
in `studio.claims`.
"""

import logging
import secrets
import time
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from dbos import error as dbos_error
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from pipelines.request import GenerationRequest
from studio import fleet
from studio.db import reading, utc_now, writing
from studio.fleet import Fleet, WorkerView
from studio.outlook import Ahead, Forecast, Outlook
from studio.rows import (
    Job,
    JobProgress,
    State,
    end,
    is_paused,
    job_of,
    job_table,
    preview_table,
    progress_table,
    read_job,
    set_paused,
)
from studio.settings import Settings
from studio.tickets import Tickets

__all__ = ["Job", "JobProgress", "Jobs", "State", "WorkerView"]

log = logging.getLogger(__name__)


class Jobs:
    """Owns the tables of `studio.rows`."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.tickets = Tickets(settings.database_url, settings.studio_home)
        self.fleet = Fleet(engine)
        self._outlook = Outlook(engine)

    # -- asking --------------------------------------------------------------------------------------------

    def submit(self, owner: str, form: dict[str, Any], request: GenerationRequest) -> str:
        """Keep a new job at the end of the queue, return its id; raises only if the row can't be written."""
        job_id = secrets.token_urlsafe(12)
        with writing(self.engine) as connection:
            connection.execute(
                sa.insert(job_table).values(
                    id=job_id,
                    owner=owner,
                    form=form,
                    request=request.model_dump(mode="json"),
                    model=request.model,
                    state="queued",
                    place=time.time(),
                    created=utc_now(),
                )
            )
        self._call_a_worker()
        return job_id

    def cancel(self, job_id: str) -> bool:
        """Cancel a waiting job at once, a running one at its next block; False if it has ended already."""
        with writing(self.engine) as connection:
            mine = job_table.c.id == job_id
            query = sa.select(job_table.c.state, job_table.c.worker).where(mine).with_for_update()
            row = connection.execute(query).first()
            if row is None or row.state not in ("queued", "running"):
                return False
            if row.state == "running" and row.worker in fleet.alive(connection):
                connection.execute(sa.update(job_table).where(mine).values(cancel_requested=True))
            else:
                # Nobody is there to hear it: a waiting job, or one whose worker died.
                end(connection, job_id, "cancelled")
        self._outlook.forget()
        return True

    def retry(self, job_id: str) -> str:
        """Queue a failed or cancelled job again, last, as the same job; its attempts are counted anew."""
        with writing(self.engine) as connection:
            changed = connection.execute(
                sa.update(job_table)
                .where(job_table.c.id == job_id, job_table.c.state.in_(("failed", "cancelled")))
                .values(
                    state="queued",
                    place=time.time(),
                    attempt=0,
                    fence=job_table.c.fence + 1,
                    workflow_id=None,
                    worker=None,
                    cancel_requested=False,
                    started=None,
                    finished=None,
                    error=None,
                )
            ).rowcount
        if changed:
            self._call_a_worker()
        return job_id

    def to_front(self, job_id: str) -> bool:
        """Let a waiting job be the next one; False if it waits no more."""
        waiting = job_table.c.state == "queued"
        with writing(self.engine) as connection:
            first = connection.execute(sa.select(sa.func.min(job_table.c.place)).where(waiting)).scalar()
            if first is None:
                return False
            mine = sa.update(job_table).where(job_table.c.id == job_id, waiting)
            changed = connection.execute(mine.values(place=first - 1)).rowcount
        self._outlook.forget()
        return bool(changed)

    def delete(self, job_id: str) -> bool:
        """Forget a job; False if it runs or is unknown. Its clip stays in the library."""
        with writing(self.engine) as connection:
            gone = sa.delete(job_table).where(job_table.c.id == job_id, job_table.c.state != "running")
            changed = connection.execute(gone).rowcount
        self._outlook.forget()
        return bool(changed)

    def pause(self) -> None:
        """Start no further job, on any worker, until `resume`; running ones finish."""
        with writing(self.engine) as connection:
            set_paused(connection, True)
        self._outlook.forget()

    def resume(self) -> None:
        """Go on after `pause`: one ticket for each job that waits."""
        with writing(self.engine) as connection:
            set_paused(connection, False)
            query = sa.select(sa.func.count()).select_from(job_table).where(job_table.c.state == "queued")
            waiting = connection.execute(query).scalar_one()
        self._call_a_worker(waiting)

    def paused(self) -> bool:
        """Whether the queue is paused."""
        with reading(self.engine) as connection:
            return is_paused(connection)

    # -- looking -------------------------------------------------------------------------------------------

    def get(self, job_id: str) -> Job | None:
        """One job, or None if there is none of that id (any more)."""
        with reading(self.engine) as connection:
            return read_job(connection, job_id)

    def workers(self) -> list[WorkerView]:
        """All workers known, with the age of their heartbeat."""
        return self.fleet.list()

    def list(
        self, owner: str | None = None, states: Iterable[State] | None = None, limit: int = 200
    ) -> list[Job]:
        """Running jobs, then waiting ones in the queue's order, then the newest finished ones."""
        wanted = set(states) if states is not None else None
        columns = job_table.c
        groups = (
            (("running",), (columns.started, columns.id)),
            (("queued",), (columns.place, columns.created)),
            (("done", "failed", "cancelled"), (columns.finished.desc(), columns.id)),
        )
        found: list[Job] = []
        with reading(self.engine) as connection:
            for group, order in groups:
                chosen = [state for state in group if wanted is None or state in wanted]
                query = sa.select(job_table).where(columns.state.in_(chosen)).order_by(*order)
                if owner is not None:
                    query = query.where(columns.owner == owner)
                if chosen and len(found) < limit:
                    rows = connection.execute(query.limit(limit - len(found))).mappings()
                    found += [job_of(row) for row in rows]
        return found

    def progress(self, job_id: str) -> JobProgress | None:
        """How far a running job is; None before its first step and once it has ended."""
        query = sa.select(progress_table).where(progress_table.c.job_id == job_id)
        with reading(self.engine) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else JobProgress(**{k: v for k, v in row.items() if k != "job_id"})

    def preview(self, job_id: str) -> bytes | None:
        """A running job's newest preview as an animated WebP."""
        query = sa.select(preview_table.c.picture).where(preview_table.c.job_id == job_id)
        with reading(self.engine) as connection:
            return connection.execute(query).scalar_one_or_none()

    def position(self, job_id: str) -> int | None:
        """How many waiting jobs come before a waiting job; None if it does not wait."""
        return self._outlook.all().get(job_id, (None, None))[0]

    def eta(self, job_id: str) -> float | None:
        """Whole seconds until a waiting or running job is done; None if nobody can know yet."""
        return self._outlook.all().get(job_id, (None, None))[1]

    def outlook(self) -> Forecast:
        """(position, eta) of every waiting and running job, by id; at most half a second old."""
        return self._outlook.all()

    def ahead(self) -> Ahead:
        """For a job asked for now: jobs before it, seconds until it would start."""
        return self._outlook.ahead()

    def estimate(self, request: GenerationRequest) -> float | None:
        """Seconds that such a clip took before, once it ran; None for a model that never finished one."""
        return self._outlook.estimate(request)

    def _call_a_worker(self, count: int = 1) -> None:
        self._outlook.forget()
        try:
            self.tickets.add(count)
        except (SQLAlchemyError, dbos_error.DBOSException):
            # The job is kept all the same: workers look for jobs without a ticket every few seconds.
            log.warning("no ticket could be made; a worker will make it", exc_info=True)
