"""What people want to know before it is done: the place in the queue and the time left. Reads only."""

import threading
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipelines.request import GenerationRequest
from studio import fleet
from studio.db import reading, utc_now
from studio.estimates import Estimates, Past, volume_of, waits
from studio.rows import Job, is_paused, job_of, job_table, progress_table

# Estimates look at this many finished jobs of a model.
PAST_JOBS = 20
# However many people follow waiting jobs, the queue is looked over only so often.
FRESH_SECONDS = 0.5

Forecast = dict[str, tuple[int | None, float | None]]


class Ahead(NamedTuple):
    """For a job asked for now: how many come before it, and seconds until it would start (None: unknown)."""

    jobs: int
    wait: float | None


class Outlook:
    """Positions and times of all jobs that wait or run, from a handful of queries for the whole queue."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = threading.Lock()
        self._made = float("-inf")
        self._found: Forecast = {}
        self._next: float | None = None

    def all(self) -> Forecast:
        """Jobs before it and whole seconds until it is done, by id of each waiting or running job."""
        with self._lock:
            if time.monotonic() - self._made > FRESH_SECONDS:
                self._look()
                self._made = time.monotonic()
            return self._found

    def ahead(self) -> Ahead:
        """What a new job would have before it."""
        found = self.all()
        return Ahead(len(found), self._next)

    def forget(self) -> None:
        """Look again next time: this process changed the queue."""
        self._made = float("-inf")

    def estimate(self, request: GenerationRequest) -> float | None:
        """Seconds that such a clip took before, once it ran; None for a model that never finished one."""
        with reading(self.engine) as connection:
            return _past(connection, {request.model}).seconds(request)

    def tail(self, request: GenerationRequest) -> float:
        """Seconds that such clips took after their last step; 0 if none was made yet."""
        with reading(self.engine) as connection:
            return _past(connection, {request.model}).tail(request)

    def _look(self) -> None:
        with reading(self.engine) as connection:
            now = utc_now()
            rows = connection.execute(
                sa.select(job_table)
                .where(job_table.c.state.in_(("running", "queued")))
                .order_by(job_table.c.place, job_table.c.created)
            ).mappings()
            jobs = [job_of(row) for row in rows]
            estimates = _past(connection, {job.model for job in jobs})
            written = {row.job_id: row for row in connection.execute(sa.select(progress_table))}
            lanes = len(fleet.alive(connection))
            paused = is_paused(connection)
        running = [job for job in jobs if job.state == "running"]
        queued = [job for job in jobs if job.state == "queued"]
        left = [_left(job, written.get(job.id), estimates, now) for job in running]
        # A last job of no length tells when a new one would start.
        times = waits(left, [*(estimates.seconds(job.request) for job in queued), 0.0], lanes)
        found: Forecast = {
            job.id: (None, _whole(seconds)) for job, seconds in zip(running, left, strict=True)
        }
        for position, (job, (_, ends)) in enumerate(zip(queued, times, strict=False)):
            found[job.id] = (position, None if paused else _whole(ends))
        self._found, self._next = found, None if paused else _whole(times[-1][0])


def _past(connection: Connection, models: Iterable[str]) -> Estimates:
    """What the last finished jobs of these models took."""
    found = []
    for model in models:
        rows = connection.execute(
            sa.select(job_table.c.request, job_table.c.seconds, job_table.c.tail_seconds)
            .where(job_table.c.model == model, job_table.c.state == "done", job_table.c.seconds.is_not(None))
            .order_by(job_table.c.finished.desc())
            .limit(PAST_JOBS)
        )
        for row in rows:
            request = GenerationRequest.model_construct(**row.request)
            steps, tail = request.num_inference_steps, row.tail_seconds or 0.0
            found.append(Past(model, volume_of(request), steps, row.seconds, tail))
    return Estimates(found)


def _left(job: Job, written: Any, estimates: Estimates, now: datetime) -> float | None:
    """Seconds until a running job is done: by its own steps, else by the past, else None."""
    if written is not None and written.eta is not None:
        since: float = (now - written.updated).total_seconds()
        return max(0.0, float(written.eta) - since)
    expected = estimates.seconds(job.request)
    if expected is None or job.started is None:
        return None
    return max(0.0, expected - (now - job.started).total_seconds())


def _whole(seconds: float | None) -> float | None:
    # Followers are told of each change: whole seconds make that once a second.
    return None if seconds is None else float(round(seconds))
