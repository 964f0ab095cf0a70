"""When a model is in memory: unloaded when nobody comes, loaded before the hours in which people usually do.

The hours are learned from the job history; nothing is stored.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Engine

from pipelines.models import MODELS
from pipelines.request import Notice
from studio.db import reading, utc_now
from studio.rows import job_table
from studio.settings import Settings

log = logging.getLogger(__name__)

DAYS = 14
"""How many past days are looked at, today not among them."""
AHEAD_MINUTES = 10
"""So long before people usually come, the model is loaded."""

# An hour is usual if at least half of the days had jobs in it, and not by one day's chance.
_SHARE, _TIMES, _LEAST_DAYS = 0.5, 2, 3
# From so many on, days of work and of rest are told apart.
_WORKDAYS, _RESTDAYS = 5, 2
_SATURDAY = 5
# The history is read anew so often at most.
_FRESH_SECONDS = 600.0


@dataclass(frozen=True)
class Usual:
    """The hours (0 to 23, local time) in which people usually come, on workdays and on weekends.

    `days` is how many days they were learned from; `split` whether the two were told apart.
    """

    workdays: frozenset[int] = frozenset()
    weekend: frozenset[int] = frozenset()
    days: int = 0
    split: bool = False

    def has(self, moment: datetime) -> bool:
        """Whether people usually come in the hour of a local time."""
        return moment.hour in (self.weekend if moment.weekday() >= _SATURDAY else self.workdays)


def usual_hours(asked: Iterable[datetime], now: datetime) -> Usual:
    """The usual hours, learned from when jobs were asked for; all times in the same (local) zone.

    Each of the last 14 days counts from the first one with a job; an hour counts once a day, however many
    jobs it had. Fewer than three such days teach nothing.
    """
    first = now.date() - timedelta(days=DAYS)
    seen = {(moment.date(), moment.hour) for moment in asked if first <= moment.date() < now.date()}
    if not seen:
        return Usual()
    begin = min(day for day, _ in seen)
    days = [begin + timedelta(days=past) for past in range((now.date() - begin).days)]
    rest = [day for day in days if day.weekday() >= _SATURDAY]
    work = [day for day in days if day.weekday() < _SATURDAY]

    def usual(among: Sequence[object]) -> frozenset[int]:
        counted = Counter(hour for day, hour in seen if day in among)
        return frozenset(h for h, n in counted.items() if n >= max(_TIMES, _SHARE * len(among)))

    if len(days) < _LEAST_DAYS:
        return Usual(days=len(days))
    if len(work) >= _WORKDAYS and len(rest) >= _RESTDAYS:
        return Usual(usual(work), usual(rest), len(days), split=True)
    return Usual(usual(days), usual(days), len(days))


def is_time(usual: Usual, now: datetime) -> bool:
    """Whether a model should be in memory: people usually come in this hour, or in ten minutes."""
    return usual.has(now) or usual.has(now + timedelta(minutes=AHEAD_MINUTES))


def spans(hours: frozenset[int]) -> str:
    """Hours as people write them: "9–12, 14–17"; empty for none."""
    found: list[list[int]] = []
    for hour in sorted(hours):
        if found and found[-1][1] == hour:
            found[-1][1] = hour + 1
        else:
            found.append([hour, hour + 1])
    return ", ".join(f"{begin}–{end}" for begin, end in found)


def learned(engine: Engine, now: datetime | None = None) -> tuple[Usual, str]:
    """The usual hours on this machine's clock, and the model of this machine most asked for ("" for none)."""
    local = (now or utc_now()).astimezone()
    columns = job_table.c
    query = sa.select(columns.created, columns.model).where(
        columns.kind == "clip", columns.created >= utc_now() - timedelta(days=DAYS + 1)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    models = Counter(row.model for row in rows if _runs_here(row.model))
    usual = usual_hours((row.created.astimezone() for row in rows), local)
    return usual, models.most_common(1)[0][0] if models else ""


def told(engine: Engine, settings: Settings) -> list[Notice]:
    """What the page says about it: when the model is unloaded, and when it is loaded ahead."""
    minutes = settings.model_idle_minutes
    said = [Notice("idle_unload", {"minutes": minutes}) if minutes else Notice("idle_never")]
    if not settings.warm_ahead:
        return [*said, Notice("warm_off")]
    usual, _ = learned(engine)
    if usual.days < _LEAST_DAYS:
        return [*said, Notice("warm_learning", {"least": _LEAST_DAYS})]
    if not usual.workdays and not usual.weekend:
        return [*said, Notice("warm_no_hours", {"days": usual.days})]
    values = {"days": usual.days, "ahead": AHEAD_MINUTES}
    if usual.workdays == usual.weekend:
        return [*said, Notice("warm_hours", {**values, "hours": spans(usual.workdays)})]
    names = {"workdays": spans(usual.workdays) or "—", "weekend": spans(usual.weekend) or "—"}
    return [*said, Notice("warm_hours_split", {**values, **names})]


class Warmth:
    """Keeps or frees the model of one worker; its loop calls `look` again and again, which waits for nothing.

    `holds()` is the name of the model in memory, `unload_idle(seconds)` frees it if nothing was made with it
    for so long, `load(name)` loads one (on a thread of its own) and gives way to whoever waits for another.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        holds: Callable[[], str],
        unload_idle: Callable[[float], bool],
        load: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._holds = holds
        self._unload_idle = unload_idle
        self._load = load
        self._thread: threading.Thread | None = None
        self._read = float("-inf")
        self._usual, self._favourite = Usual(), ""
        self._tried = ""

    def begin(self) -> None:
        """Load the configured model, as the worker starts."""
        if _runs_here(self._settings.model):
            self._start(self._settings.model)

    def look(self, *, busy: Callable[[], bool], now: datetime | None = None) -> None:
        """Unload or load, where it is time; `busy()` tells whether some job runs or waits."""
        local = (now or utc_now()).astimezone()
        wanted = self._settings.warm_ahead and is_time(self._learned(local), local)
        minutes = self._settings.model_idle_minutes
        held = self._holds()
        if held and minutes and not wanted:
            if self._unload_idle(minutes * 60.0):
                log.info("%s is unloaded: nobody came for %d minutes", held, minutes)
            return
        # Once an hour: weights that are not there now are not there in two seconds either.
        moment = (local + timedelta(minutes=AHEAD_MINUTES)).strftime("%Y-%m-%d %H")
        if wanted and not held and self._tried != moment and not busy():
            self._tried = moment
            self._start(self._favourite or self._settings.model)

    def _start(self, model: str) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        self._thread = threading.Thread(target=self._load, args=(model,), name="warm", daemon=True)
        self._thread.start()

    def _learned(self, local: datetime) -> Usual:
        if time.monotonic() - self._read > _FRESH_SECONDS:
            self._usual, self._favourite = learned(self._engine, local)
            self._read = time.monotonic()
        return self._usual


def _runs_here(model: str) -> bool:
    spec = MODELS.get(model)
    return spec is not None and spec.shape is not None
