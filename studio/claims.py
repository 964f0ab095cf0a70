"""What workers do to the rows of jobs: claim, begin, report, publish, fail, give back.

Every change is made under the attempt's fence: a worker that stalled, lost its job to another one and wakes
up changes nothing and publishes nothing.
"""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from pipelines.request import Notice, Progress
from studio.db import reading, utc_now, writing
from studio.endings import end, forget_progress, requeue
from studio.exporting import Finished
from studio.library import PUBLISHING, Asset, Library
from studio.rows import KINDS, Job, Kind, is_paused, job_of, job_table, preview_table, progress_table
from studio.trust import ledger

# A job whose worker died this often has failed: it may be what kills them. A film's worker may also die of
# the takes that it makes meanwhile.
MAX_ATTEMPTS = 3
_MOST: dict[Kind, int] = dict.fromkeys(KINDS, MAX_ATTEMPTS) | {"film": 2 * MAX_ATTEMPTS}

Wish = Literal["go", "cancel", "lost"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """One rendering of a job. `number` counts from 1 since a person asked; `fence` never repeats."""

    job: Job
    number: int
    fence: int


class Claims:
    """One worker's side of the queue."""

    def __init__(self, engine: Engine, worker_id: str) -> None:
        self.engine = engine
        self.worker_id = worker_id

    def claim(self, workflow_id: str, kind: Kind = "clip") -> str | None:
        """Take the first waiting job of a kind for a ticket; None if none waits or the queue is paused.

        The same ticket asking again (its worker died right after) gets the same job.
        """
        with writing(self.engine) as connection:
            mine = job_table.c.workflow_id == workflow_id
            had = connection.execute(sa.select(job_table.c.id).where(mine, job_table.c.state == "running"))
            kept: str | None = had.scalar()
            if kept is not None or is_paused(connection):
                return kept
            first: str | None = connection.execute(
                sa.select(job_table.c.id)
                .where(job_table.c.state == "queued", job_table.c.kind == kind)
                .order_by(job_table.c.place, job_table.c.created)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).scalar()
            if first is not None:
                _set(
                    connection,
                    first,
                    state="running",
                    workflow_id=workflow_id,
                    worker=self.worker_id,
                    started=utc_now(),
                )
            return first

    def begin(self, job_id: str, workflow_id: str) -> Attempt | None:
        """Count a new rendering of a claimed job; None if the job is not this ticket's any more.

        A job that was cancelled meanwhile ends here, and so does one that outlived too many workers.
        """
        with writing(self.engine) as connection:
            row = _locked(connection, job_id)
            if row is None or row["state"] != "running" or row["workflow_id"] != workflow_id:
                return None
            if row["cancel_requested"]:
                end(connection, job_id, "cancelled")
                return None
            if row["attempt"] >= _MOST[row["kind"]]:
                end(connection, job_id, "failed", Notice("worker_died", {"attempts": row["attempt"]}))
                return None
            number, fence = row["attempt"] + 1, row["fence"] + 1
            _set(
                connection,
                job_id,
                attempt=number,
                fence=fence,
                worker=self.worker_id,
                started=utc_now(),
            )
            forget_progress(connection, job_id)
            return Attempt(job_of(row), number, fence)

    def wish(self, attempt: Attempt) -> Wish:
        """What is wanted of a rendering: go on, stop, or forget it because it is another worker's now."""
        with reading(self.engine) as connection:
            return _wish(connection, attempt)

    def report(
        self, attempt: Attempt, progress: Progress, eta: float | None, preview: tuple[int, bytes] | None
    ) -> Wish:
        """Overwrite the job's progress and, if there is a new one, its picture; tell what is wanted."""
        with writing(self.engine) as connection:
            wanted = _wish(connection, attempt, lock=True)
            if wanted == "lost":
                return wanted
            values = {
                "attempt": attempt.number,
                "stage": progress.stage,
                "step": progress.step,
                "total": progress.total,
                "eta": eta,
                "updated": utc_now(),
            }
            if progress.actual_prompt:
                _set(connection, attempt.job.id, actual_prompt=progress.actual_prompt)
            if preview is not None:
                values["preview_version"] = preview[0]
                _put(connection, preview_table, attempt.job.id, {"picture": preview[1]}, {})
            _put(connection, progress_table, attempt.job.id, values, {"preview_version": 0})
            return wanted

    def keep_token(self, attempt: Attempt, token: str, before: str) -> tuple[bool, Wish]:
        """Keep by what a later attempt goes on (empty: by nothing); whether it was kept, what is wanted.

        `before` is what this attempt kept last: where the row still holds that, the new one replaces it even
        if the job was taken away meanwhile, so that whoever has it now finds what was ordered.
        """
        columns = job_table.c
        ours = columns.fence == attempt.fence
        if before:
            ours = sa.or_(ours, columns.resume_token == before)
        with writing(self.engine) as connection:
            kept = sa.update(job_table).where(columns.id == attempt.job.id, ours)
            done = connection.execute(kept.values(resume_token=token or None)).rowcount
            return done > 0, _wish(connection, attempt)

    def got_on(self, attempt: Attempt) -> None:
        """Count deaths anew: a part of the film is finished and kept, so it is not what kills workers."""
        mine = (job_table.c.id == attempt.job.id, job_table.c.state == "running")
        with writing(self.engine) as connection:
            unchanged = sa.update(job_table).where(*mine, job_table.c.fence == attempt.fence)
            connection.execute(unchanged.values(attempt=1))

    def publish(
        self,
        attempt: Attempt,
        asset: Asset,
        files: Sequence[tuple[Path, str]],
        library: Library,
        finished: Finished,
        *,
        tail_seconds: float,
        clips: Sequence[str] = (),
        notices: Sequence[Notice] = (),
    ) -> bool:
        """Move an asset's `files` (where they are, where they belong below home) and end the job as done.

        False, with the files removed, if the job was cancelled or is another worker's now. `tail_seconds` is
        what came after the last step, for later estimates; `clips` are the assets that a film is cut from.
        `finished` is the seal on the film: nothing is published without one.
        """
        marker = files[0][0].with_name(asset.id + PUBLISHING)
        with ExitStack() as undo:
            # Written first: a worker killed from here on finds it when it starts and removes the moved files.
            undo.callback(marker.unlink, missing_ok=True)
            marker.write_text("".join(f"{place}\n" for _, place in files), "utf-8")
            for source, _ in files:
                undo.callback(source.unlink, missing_ok=True)
            for source, place in files:
                undo.callback(library.archive.remove, place)
                library.archive.put(source, place)
            try:
                published = self._done(
                    attempt, asset, library, finished, clips, tail_seconds=tail_seconds, notices=notices
                )
            except SQLAlchemyError:
                # Nobody knows whether this was committed: the marker lets the next sweep look.
                undo.pop_all()
                raise
            if published:
                undo.pop_all()
                marker.unlink(missing_ok=True)
        if published:
            # Last, for it may be slow: the job already counts as done, so nothing of it may still lie about.
            ledger.note_last(self.engine, library.home)
        return published

    def _done(
        self,
        attempt: Attempt,
        asset: Asset,
        library: Library,
        finished: Finished,
        clips: Sequence[str],
        **more: Any,
    ) -> bool:
        with writing(self.engine) as connection:
            wanted = _wish(connection, attempt, lock=True)
            if wanted == "cancel":
                end(connection, attempt.job.id, "cancelled")
            elif wanted == "go":
                library.add(asset, connection, clips=clips)
                finished.keep(connection, asset)
                more |= {"asset_id": asset.id, "seconds": asset.render_seconds}
                end(connection, attempt.job.id, "done", **more)
            return wanted == "go"

    def fail(self, attempt: Attempt, notice: Notice) -> None:
        """End the job as failed; as cancelled if somebody asked for that meanwhile."""
        with writing(self.engine) as connection:
            wanted = _wish(connection, attempt, lock=True)
            if wanted == "cancel":
                end(connection, attempt.job.id, "cancelled")
            elif wanted == "go":
                end(connection, attempt.job.id, "failed", notice)

    def stopped(self, attempt: Attempt, notice: Notice | None = None) -> bool:
        """End a job that stopped half-way as cancelled if somebody asked for that; else give it back.

        Whether it was cancelled; `notice` is then what is to be said of it.
        """
        with writing(self.engine) as connection:
            wanted = _wish(connection, attempt, lock=True)
            if wanted == "cancel":
                notices = () if notice is None else (notice,)
                end(connection, attempt.job.id, "cancelled", notices=notices)
            elif wanted == "go":
                requeue(connection, attempt.job.id, attempt=max(0, attempt.number - 1))
            return wanted == "cancel"

    def give_back(self, kind: Kind = "clip") -> int:
        """Put this worker's running jobs of a kind back to their places, as if they had never been begun.

        How many there were; their tickets are the caller's to make.
        """
        with writing(self.engine) as connection:
            here = sa.select(job_table).where(
                job_table.c.state == "running",
                job_table.c.kind == kind,
                job_table.c.worker == self.worker_id,
            )
            given = 0
            for row in connection.execute(here.with_for_update()).mappings().all():
                if row["cancel_requested"]:
                    end(connection, row["id"], "cancelled")
                else:
                    requeue(connection, row["id"], attempt=max(0, row["attempt"] - 1))
                    given += 1
            return given


def _wish(connection: Connection, attempt: Attempt, *, lock: bool = False) -> Wish:
    query = sa.select(job_table.c.state, job_table.c.fence, job_table.c.cancel_requested)
    query = query.where(job_table.c.id == attempt.job.id)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None or row.state != "running" or row.fence != attempt.fence:
        return "lost"
    return "cancel" if row.cancel_requested else "go"


def _locked(connection: Connection, job_id: str) -> Any:
    query = sa.select(job_table).where(job_table.c.id == job_id).with_for_update()
    return connection.execute(query).mappings().first()


def _set(connection: Connection, job_id: str, **values: Any) -> None:
    connection.execute(sa.update(job_table).where(job_table.c.id == job_id).values(**values))


def _put(
    connection: Connection, table: sa.Table, job_id: str, values: dict[str, Any], first: dict[str, Any]
) -> None:
    """Overwrite a job's row in a table, or make it; `first`: what a new row has besides, unless given."""
    if not connection.execute(sa.update(table).where(table.c.job_id == job_id).values(**values)).rowcount:
        connection.execute(sa.insert(table).values(job_id=job_id, **{**first, **values}))
