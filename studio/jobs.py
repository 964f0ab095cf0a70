"""The queue as people see it: submit, order, cancel, retry, pause, progress. No torch.

The row is the job; a DBOS ticket only makes a worker look (`studio.tickets`). What workers do to the rows is
in `studio.claims`.
"""

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from dbos import error as dbos_error
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from pipelines.request import GenerationRequest, Notice
from studio.checking import Checker, because_of, categories, held_because, texts_of
from studio.db import reading, writing
from studio.endings import end, stop
from studio.estimates import FilmEstimate
from studio.fleet import Fleet, WorkerView
from studio.outlook import Ahead, Forecast, Outlook
from studio.picture_rows import held_picture
from studio.rows import (
    CLIPS,
    KINDS,
    LIVE,
    OPEN,
    Job,
    JobProgress,
    Kind,
    State,
    count_waiting,
    film_take_table,
    is_paused,
    job_of,
    job_table,
    new_clip,
    new_job,
    preview_table,
    progress_table,
    read_job,
    set_paused,
)
from studio.settings import Settings
from studio.story.film_plan import FilmPlan
from studio.tickets import Tickets
from studio.trust import ledger

__all__ = ["FilmEstimate", "Job", "JobProgress", "Jobs", "State", "WorkerView"]

log = logging.getLogger(__name__)


class Jobs:
    """Owns the tables of `studio.rows`."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self._home = engine, settings.studio_home
        self.tickets = Tickets(settings.database_url, settings.studio_home)
        self.fleet = Fleet(engine)
        self.checker = Checker(engine, settings)
        self._outlook = Outlook(engine, cloud_jobs=settings.cloud_jobs)

    # -- asking --------------------------------------------------------------------------------------------

    def submit(
        self, owner: str, form: dict[str, Any], request: GenerationRequest, *, story_id: str | None = None
    ) -> str:
        """Keep a new job at the end of the queue, return its id; `story_id`: the story that asks for a take.

        Its texts are checked first: Refused for words that may not be used; a job that a person must look at
        is held, and no worker sees it.
        """
        values = new_clip(owner, form, request, place=time.time()) | {"story_id": story_id}
        with reading(self.engine) as connection:
            waits = held_picture(connection, request)
        return self._keep(values, values["kind"], texts_of(form, request, None), waits)

    def submit_film(self, owner: str, form: dict[str, Any], plan: FilmPlan) -> str:
        """As `submit`, for a film: a worker asks for the takes that are missing once it begins with it.

        `form` is kept beside the plan; a `prompt` in it is shown where lists show one, else the plan's title.
        """
        values = new_job(owner, "film", form, place=time.time()) | {
            "plan": plan.model_dump(mode="json"),
            "story_id": plan.story_id,
            "model": next((request.model for request in plan.requests()), ""),
        }
        return self._keep(values, "film", texts_of(form, None, plan))

    def submit_media(
        self, owner: str, form: dict[str, Any], task: dict[str, Any], *, grid_id: str | None = None
    ) -> str:
        """As `submit`, for what is made of clips that are there, without a model; see `studio.media_work`.

        `task` holds its "name" and values; the form's "title" or "prompt" is checked, and shown in lists.
        """
        values = new_job(owner, "media", form, place=time.time()) | {"task": task, "grid_id": grid_id}
        return self._keep(values, "media", texts_of(form, None, None))

    def _keep(
        self, values: dict[str, Any], kind: Kind, texts: Mapping[str, str], picture: Notice | None = None
    ) -> str:
        found = self.checker.passed(texts)
        held: dict[str, Any] = {}
        if found.outcome == "hold" or picture is not None:
            told = because_of(picture) if picture and found.outcome != "hold" else held_because(found)
            held = {"state": "held", "error": told}
        with writing(self.engine) as connection:
            connection.execute(sa.insert(job_table).values(**values | held))
            facts: dict[str, Any] = {"kind": kind, "model": values["model"], "texts": found.outcome}
            event: ledger.Event = "held" if held else "created"
            facts |= {"categories": categories(found)}
            self.checker.note(connection, event, values["id"], values["owner"], **facts)
        ledger.note_last(self.engine, self._home)
        if not held:
            self.call_a_worker(kind)
        return str(values["id"])

    def release(self, connection: Connection, job_id: str) -> Kind | None:
        """Let a held job into the queue, within the caller's transaction; its kind, None if it was not held.

        The caller then tells a worker (`call_a_worker`).
        """
        query = sa.select(job_table.c.kind).where(job_table.c.id == job_id, job_table.c.state == "held")
        kind: Kind | None = connection.execute(query.with_for_update()).scalar()
        if kind is not None:
            free = {"state": "queued", "place": time.time(), "error": None}
            connection.execute(sa.update(job_table).where(job_table.c.id == job_id).values(**free))
        return kind

    def cancel(self, job_id: str) -> bool:
        """Cancel a waiting job at once, a running one at its next block; False if it has ended already.

        With a film go its takes that no other film waits for.
        """
        with writing(self.engine) as connection:
            query = sa.select(job_table.c.state, job_table.c.worker).where(job_table.c.id == job_id)
            row = connection.execute(query.with_for_update()).first()
            if row is None or row.state not in OPEN:
                return False
            stop(connection, job_id, row.state, row.worker)
        self._outlook.forget()
        return True

    def retry(self, job_id: str) -> str:
        """Queue a failed or cancelled job again, last, as the same job; its attempts are counted anew.

        A film goes on with what is there; takes that failed or were cancelled are asked for again. Its texts
        are checked by the rules of now, unless a person approved them.
        """
        ended = job_table.c.state.in_(("failed", "cancelled"))
        held = self._held_again(job_id)
        with writing(self.engine) as connection:
            query = sa.select(job_table.c.kind).where(job_table.c.id == job_id, ended).with_for_update()
            kind: Kind | None = connection.execute(query).scalar()
            if kind is not None:
                connection.execute(
                    sa.update(job_table)
                    .where(job_table.c.id == job_id)
                    .values(
                        state="held" if held else "queued",
                        place=time.time(),
                        attempt=0,
                        fence=job_table.c.fence + 1,
                        workflow_id=None,
                        worker=None,
                        cancel_requested=False,
                        started=None,
                        finished=None,
                        error=held,
                    )
                )
                takes = film_take_table.c
                lost = sa.select(job_table.c.id).where(ended)
                connection.execute(
                    sa.delete(film_take_table).where(takes.film_id == job_id, takes.job_id.in_(lost))
                )
        if kind is not None and not held:
            self.call_a_worker(kind)
        return job_id

    def _held_again(self, job_id: str) -> dict[str, Any] | None:
        """Why an ended job is held when it is asked for again; None if it is not. Refused as in `submit`."""
        with reading(self.engine) as connection:
            job = read_job(connection, job_id)
            decided = [entry.event for entry in ledger.of_subject(connection, job_id)]
        if job is None or "approved" in decided:
            return None
        found = self.checker.passed(texts_of(job.form, job.request, job.plan))
        return held_because(found) if found.outcome == "hold" else None

    def to_front(self, job_id: str) -> bool:
        """Let a waiting job be the next one, a film with all its takes; False if nothing of it waits."""
        columns, takes = job_table.c, film_take_table.c
        with writing(self.engine) as connection:
            waiting = columns.state == "queued"
            first = connection.execute(sa.select(sa.func.min(columns.place)).where(waiting)).scalar()
            if first is None:
                return False
            made = sa.select(takes.job_id).where(takes.film_id == job_id)
            mine = sa.or_(columns.id == job_id, columns.id.in_(made))
            changed = connection.execute(
                sa.update(job_table).where(waiting, mine).values(place=first - 1)
            ).rowcount
            # The takes that it asks for later come with it.
            film = (columns.id == job_id, columns.kind == "film", columns.state == "running")
            connection.execute(sa.update(job_table).where(*film).values(place=first - 1))
        self._outlook.forget()
        return bool(changed)

    def delete(self, job_id: str) -> bool:
        """Forget a job; False if it runs or is unknown. Its clip stays in the library."""
        with writing(self.engine) as connection:
            state = connection.execute(
                sa.select(job_table.c.state).where(job_table.c.id == job_id).with_for_update()
            ).scalar()
            if state in (None, "running"):
                return False
            if state in ("held", "queued"):
                # Its takes go with it.
                end(connection, job_id, "cancelled")
            connection.execute(sa.delete(job_table).where(job_table.c.id == job_id))
        self._outlook.forget()
        return True

    def pause(self) -> None:
        """Start no further job, on any worker, until `resume`; running ones finish."""
        with writing(self.engine) as connection:
            set_paused(connection, True)
        self._outlook.forget()

    def resume(self) -> None:
        """Go on after `pause`: one ticket for each job that waits."""
        with writing(self.engine) as connection:
            set_paused(connection, False)
            waiting = count_waiting(connection)
        for kind in KINDS:
            self.call_a_worker(kind, waiting[kind])

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
        self,
        owner: str | None = None,
        states: Iterable[State] | None = None,
        limit: int = 200,
        *,
        takes: bool = False,
    ) -> list[Job]:
        """Running jobs, then waiting ones in the queue's order, then the newest finished ones.

        The takes that films asked for and the cells of grids are left out, unless `takes`.
        """
        wanted = set(states) if states is not None else None
        columns = job_table.c
        groups = (
            (("running",), (columns.started, columns.id)),
            (("held",), (columns.created, columns.id)),
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
                if not takes:
                    hidden = sa.and_(columns.grid_id.is_not(None), columns.kind.in_(CLIPS))
                    query = query.where(columns.parent.is_(None), sa.not_(hidden))
                if chosen and len(found) < limit:
                    rows = connection.execute(query.limit(limit - len(found))).mappings()
                    found += [job_of(row) for row in rows]
        return found

    def takes_of(self, film_id: str) -> Sequence[Job]:
        """The jobs that make, or made, what a film had to wait for, the first that was asked for first.

        Takes that were there already have no job here.
        """
        query = (
            sa.select(job_table)
            .join(film_take_table, film_take_table.c.job_id == job_table.c.id)
            .where(film_take_table.c.film_id == film_id)
            .order_by(job_table.c.created, job_table.c.id)
        )
        with reading(self.engine) as connection:
            return [job_of(row) for row in connection.execute(query).mappings()]

    def films_of(self, story_id: str, limit: int = 20) -> Sequence[Job]:
        """The films that were asked for of a story, newest first."""
        query = sa.select(job_table).where(*_films(story_id))
        query = query.order_by(job_table.c.created.desc(), job_table.c.id).limit(limit)
        with reading(self.engine) as connection:
            return [job_of(row) for row in connection.execute(query).mappings()]

    def count_films(self, story_id: str) -> dict[State, int]:
        """How many films were asked for of a story, by state."""
        query = sa.select(job_table.c.state, sa.func.count()).where(*_films(story_id))
        with reading(self.engine) as connection:
            return {row[0]: row[1] for row in connection.execute(query.group_by(job_table.c.state))}

    def waiting_films(self, story_id: str) -> Sequence[str]:
        """The ids of a story's films that wait, the last one first."""
        columns = job_table.c
        query = sa.select(columns.id).where(*_films(story_id), columns.state == "queued")
        with reading(self.engine) as connection:
            return connection.execute(query.order_by(columns.place.desc())).scalars().all()

    def with_keys(self, owner: str, keys: Collection[str]) -> dict[str, Job]:
        """An owner's job for each request's key (`key_of`): one that waits or runs, else the newest."""
        columns = job_table.c
        query = sa.select(job_table).where(columns.owner == owner, columns.request_key.in_(keys))
        found: dict[str, Job] = {}
        with reading(self.engine) as connection:
            rows = connection.execute(query.order_by(columns.created)).mappings() if keys else ()
            for row in rows:
                before = found.get(row["request_key"])
                if before is None or before.state not in LIVE or row["state"] in LIVE:
                    found[row["request_key"]] = job_of(row)
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

    def ahead(self, kind: Kind = "clip") -> Ahead:
        """For a clip asked for now, here or in the cloud: jobs before it, seconds until it would start."""
        return self._outlook.ahead(kind)

    def estimate(self, request: GenerationRequest) -> float | None:
        """Seconds that such a clip took before, once it ran; None for a model that never finished one."""
        return self._outlook.estimate(request)

    def estimate_film(self, owner: str, plan: FilmPlan) -> FilmEstimate:
        """What a film asked for now would cost; see `FilmEstimate`."""
        return self._outlook.estimate_film(owner, plan)

    def forget_outlook(self) -> None:
        """Look at the queue again next time: it is known to have changed."""
        self._outlook.forget()

    def call_a_worker(self, kind: Kind, count: int = 1) -> None:
        """Make tickets for jobs that were queued."""
        self._outlook.forget()
        try:
            self.tickets.add(count, kind)
        except (SQLAlchemyError, dbos_error.DBOSException):
            # The job is kept all the same: workers look for jobs without a ticket every few seconds.
            log.warning("no ticket could be made; a worker will make it", exc_info=True)


def _films(story_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return job_table.c.story_id == story_id, job_table.c.kind == "film"
