"""What people want to know before it is done: the place in the queue and the time left. Reads only."""

import threading
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipelines.request import GenerationRequest
from studio import fleet
from studio.db import reading, utc_now
from studio.estimates import (
    Estimates,
    FilmEstimate,
    Past,
    PastFilm,
    film_by,
    film_rest,
    film_seconds,
    film_volume,
    pace_of,
    volume_of,
    waits,
)
from studio.library import asset_table
from studio.rows import (
    CLIPS,
    LIVE,
    Kind,
    film_take_table,
    is_paused,
    job_table,
    kind_of,
    progress_table,
    request_of,
)
from studio.story.film_plan import FilmPlan, key_of, read_plan

# Estimates look at this many finished jobs of a model.
PAST_JOBS = 20
# However many people follow waiting jobs, the queue is looked over only so often.
FRESH_SECONDS = 0.5
# What a look at the queue reads of each job: not the forms and plans, which are large.
_SEEN = ("id", "kind", "state", "owner", "model", "request", "request_key", "started")

Forecast = dict[str, tuple[int | None, float | None]]


class Ahead(NamedTuple):
    """For a job asked for now: how many come before it, and seconds until it would start (None: unknown)."""

    jobs: int
    wait: float | None


@dataclass(frozen=True)
class _Needs:
    """What a film's plan asks for: its takes by key, how many pixels it has, which networks work on it."""

    takes: dict[str, GenerationRequest]
    volume: int
    by: str


@dataclass(frozen=True)
class _Queue:
    """All that waits and runs, as one look at the database found it."""

    now: datetime
    lines: list[Any]
    written: dict[str, Any]
    needs: dict[str, _Needs]
    ready: set[tuple[str, str]]
    waited: dict[str, list[str]]
    estimates: Estimates
    films: list[PastFilm]
    lanes: int
    cloud_jobs: int
    paused: bool


class Outlook:
    """Positions and times of all jobs that wait or run, from a handful of queries for the whole queue.

    A worker makes `cloud_jobs` clips in the cloud beside each other, and one on its GPU.
    """

    def __init__(self, engine: Engine, *, cloud_jobs: int = 1) -> None:
        self.engine = engine
        self._cloud_jobs = cloud_jobs
        self._lock = threading.Lock()
        self._made = float("-inf")
        self._found: Forecast = {}
        self._ahead: dict[Kind, Ahead] = {}
        self._needs: dict[str, _Needs] = {}

    def all(self) -> Forecast:
        """Jobs before it and whole seconds until it is done, by id of each waiting or running job."""
        with self._lock:
            if time.monotonic() - self._made > FRESH_SECONDS:
                with reading(self.engine) as connection:
                    queue = self._look(connection)
                self._found, self._ahead = _forecast(queue)
                self._made = time.monotonic()
            return self._found

    def ahead(self, kind: Kind = "clip") -> Ahead:
        """What a new clip would have before it, here or in the cloud."""
        self.all()
        return self._ahead[kind]

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

    def estimate_film(self, owner: str, plan: FilmPlan) -> FilmEstimate:
        """What a film asked for now would cost."""
        takes = {key_of(request): request for request in plan.requests()}
        with reading(self.engine) as connection:
            there = {key for _, key in _ready(connection, {owner}, takes)}
            columns = job_table.c
            coming = sa.select(columns.request_key).where(
                columns.owner == owner, columns.state.in_(LIVE), columns.request_key.in_(takes)
            )
            there |= set(connection.execute(coming).scalars())
            estimates = _past(connection, {request.model for request in takes.values()})
            films = _past_films(connection)
        missing = [request for key, request in takes.items() if key not in there]
        cloud = tuple(request for request in missing if kind_of(request) == "cloud")
        gpu = _sum(estimates.seconds(request) for request in missing if kind_of(request) == "clip")
        elsewhere = _sum(estimates.seconds(request) for request in cloud)
        at_once = None if elsewhere is None else elsewhere / min(self._cloud_jobs, len(cloud) or 1)
        return FilmEstimate(
            to_render=len(missing),
            reused=len(takes) - len(missing),
            film_seconds=film_seconds(plan),
            render_seconds=_latest([gpu, at_once]),
            rest_seconds=film_rest(film_volume(plan), films, film_by(plan.larger, plan.smoother)),
            gpu_seconds=gpu,
            cloud=cloud,
            missing=tuple(missing),
        )

    def _look(self, connection: Connection) -> _Queue:
        now, columns = utc_now(), job_table.c
        wanted = [columns[name] for name in _SEEN]
        # Media jobs keep nobody waiting: no model is theirs.
        lasting = (columns.state.in_(LIVE), columns.kind != "media")
        query = sa.select(*wanted).where(*lasting).order_by(columns.place, columns.created)
        lines = list(connection.execute(query).all())
        films = {line.id for line in lines if line.kind == "film"}
        self._learn(connection, films)
        needs = {film: self._needs[film] for film in films}
        asked = [request_of(line.request) for line in lines if line.kind in CLIPS]
        models = {request.model for request in asked if request is not None}
        models |= {request.model for need in needs.values() for request in need.takes.values()}
        keys = {key for need in needs.values() for key in need.takes}
        waited: dict[str, list[str]] = {film: [] for film in films}
        taken = sa.select(film_take_table).where(film_take_table.c.film_id.in_(films))
        for row in connection.execute(taken).all() if films else ():
            waited[row.film_id].append(row.job_id)
        return _Queue(
            now=now,
            lines=lines,
            written={row.job_id: row for row in connection.execute(sa.select(progress_table))},
            needs=needs,
            ready=_ready(connection, {line.owner for line in lines}, keys),
            waited=waited,
            estimates=_past(connection, models),
            films=_past_films(connection) if films else [],
            lanes=len(fleet.alive(connection)),
            cloud_jobs=self._cloud_jobs,
            paused=is_paused(connection),
        )

    def _learn(self, connection: Connection, films: set[str]) -> None:
        """Read the plans of films not seen before: a plan is large, and never changes."""
        self._needs = {film: need for film, need in self._needs.items() if film in films}
        unknown = films - self._needs.keys()
        query = sa.select(job_table.c.id, job_table.c.plan).where(job_table.c.id.in_(unknown))
        for row in connection.execute(query).all() if unknown else ():
            plan = read_plan(row.plan)
            takes = {key_of(request): request for request in plan.requests()}
            by = film_by(plan.larger, plan.smoother)
            self._needs[row.id] = _Needs(takes, film_volume(plan), by)


def _forecast(queue: _Queue) -> tuple[Forecast, dict[Kind, Ahead]]:
    """Everybody's place and time. Waiting films stand for the takes that nobody has asked for yet.

    Those that the cloud makes stand in a line of their own.
    """
    queued = [line for line in queue.lines if line.state == "queued"]
    making = {(line.owner, line.request_key): line.id for line in queue.lines if line.kind in CLIPS}
    waited = {film: list(jobs) for film, jobs in queue.waited.items()}
    units: dict[Kind, list[tuple[str, float | None]]] = {kind: [] for kind in CLIPS}
    for line in queued:
        if line.kind in CLIPS:
            units[line.kind].append((line.id, queue.estimates.seconds(_asked(line))))
            continue
        for key, request in queue.needs[line.id].takes.items():
            if (line.owner, key) in queue.ready:
                continue
            if (line.owner, key) not in making:
                making[line.owner, key] = f"{line.id} {key}"
                units[kind_of(request)].append((f"{line.id} {key}", queue.estimates.seconds(request)))
            waited[line.id].append(making[line.owner, key])
    ends: dict[str, float | None] = {}
    ahead = {kind: _line(queue, kind, units[kind], queued, ends) for kind in CLIPS}
    films = _films(queue, waited, ends)
    running = [line for line in queue.lines if line.state == "running" and line.kind in CLIPS]
    found: Forecast = {line.id: (None, _whole(ends[line.id])) for line in running}
    for line in queue.lines:
        if line.kind == "film" and line.state == "running":
            found[line.id] = (None, _whole(films[line.id]))
    before: dict[bool, int] = {True: 0, False: 0}
    for line in queued:
        seconds = films[line.id] if line.kind == "film" else ends[line.id]
        elsewhere = line.kind == "cloud"
        found[line.id] = (before[elsewhere], None if queue.paused else _whole(seconds))
        before[elsewhere] += 1
    return found, ahead


def _line(
    queue: _Queue,
    kind: Kind,
    units: list[tuple[str, float | None]],
    queued: Sequence[Any],
    ends: dict[str, float | None],
) -> Ahead:
    """Write down in `ends` when each clip of one line is done; what a new one would have before it."""
    running = [line for line in queue.lines if line.state == "running" and line.kind == kind]
    left = [_left(line, queue) for line in running]
    lanes = max(queue.lanes, 1) * (queue.cloud_jobs if kind == "cloud" else 1)
    # A last job of no length tells when a new one would start.
    times = waits(left, [*(seconds for _, seconds in units), 0.0], lanes)
    ends |= dict(zip((line.id for line in running), left, strict=True))
    ends |= {unit: end for (unit, _), (_, end) in zip(units, times, strict=False)}
    before = len(running) + sum((line.kind == "cloud") == (kind == "cloud") for line in queued)
    if kind == "cloud":
        # Nobody is before whoever begins at once.
        before = max(0, before + 1 - lanes)
    return Ahead(before, None if queue.paused else _whole(times[-1][0]))


def _films(
    queue: _Queue, waited: dict[str, list[str]], ends: dict[str, float | None]
) -> dict[str, float | None]:
    """Seconds until each film is done: its takes have to be there, and the films before it to be cut."""
    found: dict[str, float | None] = {}
    films = [line for line in queue.lines if line.kind == "film"]
    takes = {film: _latest(ends[take] for take in jobs if take in ends) for film, jobs in waited.items()}
    needs = {line.id: queue.needs[line.id] for line in films}
    rest = {film: film_rest(need.volume, queue.films, need.by) for film, need in needs.items()}
    for line in films:
        if line.state == "running":
            written = queue.written.get(line.id)
            told = written is not None and written.eta is not None
            found[line.id] = _still(written, queue.now) if told else _sum([takes[line.id], rest[line.id]])
    lanes = [*found.values(), *[0.0] * (max(1, queue.lanes) - len(found))]
    for line in films:
        if line.state == "queued":
            free = None if None in lanes else min(seconds for seconds in lanes if seconds is not None)
            found[line.id] = _sum([_latest([takes[line.id], free]), rest[line.id]])
            lanes[lanes.index(free)] = found[line.id]
    return found


def _ready(connection: Connection, owners: set[str], keys: Collection[str]) -> set[tuple[str, str]]:
    """Owner and key of each clip that is there."""
    if not keys:
        return set()
    columns = asset_table.c
    query = sa.select(columns.owner, columns.request_key)
    found = connection.execute(query.where(columns.owner.in_(owners), columns.request_key.in_(keys)))
    return {(row.owner, row.request_key) for row in found}


def _past(connection: Connection, models: Iterable[str]) -> Estimates:
    """What the last finished clips of these models took."""
    found, columns = [], job_table.c
    for model in models:
        rows = connection.execute(
            sa.select(columns.request, columns.seconds, columns.tail_seconds)
            .where(columns.model == model, columns.state == "done", columns.seconds.is_not(None))
            .where(columns.kind.in_(CLIPS))
            .order_by(columns.finished.desc())
            .limit(PAST_JOBS)
        )
        for row in rows:
            request = GenerationRequest.kept(row.request)
            steps, tail = request.num_inference_steps, row.tail_seconds or 0.0
            found.append(Past(model, volume_of(request), steps, row.seconds, tail, pace_of(request)))
    return Estimates(found)


def _past_films(connection: Connection) -> list[PastFilm]:
    """What the last films took after their takes."""
    asset, told = asset_table.c, job_table.c.plan
    larger, smoother = (told[name].as_string().label(name) for name in ("larger", "smoother"))
    query = (
        sa.select(asset.width, asset.height, asset.frames, job_table.c.tail_seconds, larger, smoother)
        .join(job_table, job_table.c.asset_id == asset.id)
        .where(job_table.c.kind == "film", job_table.c.state == "done")
        .order_by(job_table.c.finished.desc())
        .limit(PAST_JOBS)
    )
    rows = connection.execute(query).all()
    return [
        PastFilm(
            row.width * row.height * row.frames, row.tail_seconds or 0.0, film_by(row.larger, row.smoother)
        )
        for row in rows
    ]


def _asked(line: Any) -> GenerationRequest:
    return GenerationRequest.kept(line.request)


def _left(line: Any, queue: _Queue) -> float | None:
    """Seconds until a running clip is done: by its own steps, else by the past, else None."""
    written = queue.written.get(line.id)
    if written is not None and written.eta is not None:
        return _still(written, queue.now)
    expected = queue.estimates.seconds(_asked(line))
    if expected is None or line.started is None:
        return None
    since: float = (queue.now - line.started).total_seconds()
    return max(0.0, expected - since)


def _still(written: Any, now: datetime) -> float:
    """What is left now of the seconds that were left when they were written."""
    return max(0.0, float(written.eta) - float((now - written.updated).total_seconds()))


def _sum(parts: Iterable[float | None]) -> float | None:
    known = list(parts)
    return None if None in known else sum(part for part in known if part is not None)


def _latest(parts: Iterable[float | None]) -> float | None:
    known = list(parts)
    return None if None in known else max((part for part in known if part is not None), default=0.0)


def _whole(seconds: float | None) -> float | None:
    # Followers are told of each change: whole seconds make that once a second.
    return None if seconds is None else float(round(seconds))
