"""How a job ends or goes back to the queue, and what that means for the takes that a film waited for."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from pipelines.cloud_facts import is_ordered
from pipelines.request import Notice
from studio import fleet
from studio.db import utc_now
from studio.grid_tables import grid_cell_table
from studio.rows import LIVE, State, film_take_table, job_table, preview_table, progress_table


def end(
    connection: Connection,
    job_id: str,
    state: State,
    error: Notice | None = None,
    *,
    notices: Sequence[Notice] = (),
    **more: Any,
) -> None:
    """Write a job's outcome and forget its progress, within the caller's transaction.

    A film that fails or is cancelled lets go of its takes: those that nobody else waits for are cancelled.
    One that is being rendered while its film fails is finished; asked for again, the film has it.
    """
    connection.execute(
        sa.update(job_table)
        .where(job_table.c.id == job_id)
        .values(
            state=state,
            fence=job_table.c.fence + 1,
            finished=utc_now(),
            error=None if error is None else asdict(error),
            notices=[asdict(notice) for notice in notices] or None,
            cancel_requested=False,
            **more,
        )
    )
    forget_progress(connection, job_id)
    if state != "done":
        _let_go(connection, job_id, rendered_too=state == "cancelled")


def stop(connection: Connection, job_id: str, state: State, worker: str | None) -> None:
    """Cancel a waiting or running job: a running one hears of it, unless its worker is gone."""
    if state == "running" and worker in fleet.alive(connection):
        mine = job_table.c.id == job_id
        connection.execute(sa.update(job_table).where(mine).values(cancel_requested=True))
    else:
        # Nobody is there to hear it: a waiting job, or one whose worker died.
        token = connection.scalar(sa.select(job_table.c.resume_token).where(job_table.c.id == job_id))
        notices = (Notice("cloud_not_told"),) if is_ordered(token) else ()
        end(connection, job_id, "cancelled", notices=notices)


def requeue(connection: Connection, job_id: str, **more: Any) -> None:
    """Put a running job back to its place in the queue, within the caller's transaction."""
    connection.execute(
        sa.update(job_table)
        .where(job_table.c.id == job_id)
        .values(
            state="queued",
            fence=job_table.c.fence + 1,
            workflow_id=None,
            worker=None,
            started=None,
            **more,
        )
    )
    forget_progress(connection, job_id)


def forget_progress(connection: Connection, job_id: str) -> None:
    """Remove what was shown while a job ran."""
    for table in (progress_table, preview_table):
        connection.execute(sa.delete(table).where(table.c.job_id == job_id))


# A grid waits for its cells, whoever asked for them first.
_in_grids = sa.select(grid_cell_table.c.job_id).where(grid_cell_table.c.job_id.is_not(None))


def _let_go(connection: Connection, film_id: str, *, rendered_too: bool) -> None:
    """Cancel the takes that were made for films and that no living film but this one waits for."""
    others, films = film_take_table.alias(), job_table.alias()
    wanted = (
        sa.select(others.c.job_id)
        .join(films, films.c.id == others.c.film_id)
        .where(films.c.id != film_id, films.c.state.in_(LIVE))
    )
    takes = (
        sa.select(job_table.c.id, job_table.c.state, job_table.c.worker)
        .join(film_take_table, film_take_table.c.job_id == job_table.c.id)
        .where(film_take_table.c.film_id == film_id)
        .where(job_table.c.parent.is_not(None), job_table.c.id.not_in(wanted))
        .where(job_table.c.id.not_in(_in_grids))
        .where(job_table.c.state.in_(LIVE if rendered_too else ("queued",)))
        # One order for all: two films that end at once never wait for each other.
        .order_by(job_table.c.id)
        .with_for_update(of=job_table)
    )
    for take in connection.execute(takes).all():
        stop(connection, take.id, take.state, take.worker)
