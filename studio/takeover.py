"""Nothing is lost: dead workers' jobs go on, waiting jobs have tickets. Each worker looks now and then."""

import logging
import time
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from studio import fleet
from studio.db import reading, utc_now, writing
from studio.endings import requeue
from studio.rows import KINDS, Kind, count_waiting, is_paused, job_table
from studio.tickets import WORKFLOWS_VERSION, Tickets

# Between a ticket's claim and its rendering lie milliseconds; a job without either for this long is lost.
GRACE = timedelta(seconds=5)
# DBOS may take a ticket and then fail to start it, when the database does not answer for a moment.
STUCK_SECONDS = 30.0

log = logging.getLogger(__name__)


class Takeover:
    """Compares the rows of jobs with DBOS's tickets and the workers' heartbeats."""

    def __init__(
        self,
        engine: Engine,
        tickets: Tickets,
        worker_id: str,
        *,
        stale_seconds: float = fleet.STALE_SECONDS,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self.engine = engine
        self.tickets = tickets
        self.worker_id = worker_id
        self.stale_seconds = stale_seconds
        self.stuck_seconds = stuck_seconds
        self._forgotten: dict[str, float] = {}

    def look(self, held: Collection[str] = (), idle: Collection[Kind] = KINDS) -> None:
        """Put right what is wrong. `held` are the jobs that this worker has in hand; it is `idle` for a kind
        while it could begin another job of it.
        """
        columns = job_table.c
        with reading(self.engine) as connection:
            running = connection.execute(
                sa.select(
                    columns.id,
                    columns.kind,
                    columns.worker,
                    columns.workflow_id,
                    columns.started,
                    columns.fence,
                )
                .where(columns.state == "running")
                .where(columns.id.not_in(held))
            ).all()
            waiting = {} if is_paused(connection) else count_waiting(connection)
            alive = fleet.alive(connection, self.stale_seconds)
        self._forgotten = {
            job.id: self._forgotten.get(job.id, time.monotonic())
            for job in running
            if job.worker == self.worker_id and job.kind in idle
        }
        for job in running:
            if job.worker == self.worker_id or job.worker not in alive:
                self._rescue(job, alive)
        for kind, count in waiting.items():
            if count and kind in idle:
                # Tickets of running jobs wait too, after a takeover; they are not for a job that waits.
                spare = self.tickets.waiting(kind) - {job.workflow_id for job in running}
                if len(spare) < count:
                    self.tickets.add(count - len(spare), kind)

    def _rescue(self, job: Any, alive: set[str]) -> None:
        """Let somebody go on with a job whose worker is gone, or that this worker has forgotten."""
        if utc_now() - job.started < GRACE and job.worker == self.worker_id:
            return
        ticket = self.tickets.status(job.workflow_id)
        if ticket is not None and ticket.app_version == WORKFLOWS_VERSION:
            if ticket.status == "ENQUEUED":
                return
            if ticket.status == "PENDING" and ticket.executor_id not in alive:
                log.warning("worker %s is gone: its job %s goes on elsewhere", job.worker, job.id)
                self.tickets.resume(job.workflow_id, job.kind)
                return
            if ticket.status == "PENDING" and not self._is_stuck(job.id):
                return
        log.warning("job %s lost its ticket and goes back to the queue", job.id)
        with writing(self.engine) as connection:
            unchanged = (job_table.c.state == "running", job_table.c.fence == job.fence)
            query = sa.select(job_table.c.id).where(job_table.c.id == job.id, *unchanged).with_for_update()
            if connection.execute(query).first() is not None:
                requeue(connection, job.id)
        self.tickets.add(1, job.kind)

    def _is_stuck(self, job_id: str) -> bool:
        """Whether a job has been this idle worker's for long without being in its hands."""
        since = self._forgotten.get(job_id, float("inf"))
        return time.monotonic() - since >= self.stuck_seconds
