"""When a model is in memory: hours learned from jobs, what is said about them, what is loaded and freed."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from studio import db
from studio.rows import job_table
from studio.settings import Settings
from studio.warming import Usual, Warmth, is_time, learned, spans, told, usual_hours
from studio.words import LANGUAGES, say

# A Wednesday.
NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def at(days_ago: int, hour: int, minute: int = 5) -> datetime:
    return (NOW - timedelta(days=days_ago)).replace(hour=hour, minute=minute)


def test_an_hour_is_usual_if_half_of_the_days_had_jobs_in_it() -> None:
    days = range(1, 5)  # Saturday to Tuesday: too few of either kind to tell them apart
    asked = [at(day, 9) for day in days] + [at(1, 14), at(2, 14)] + [at(3, 20)]
    usual = usual_hours(asked, NOW)
    assert (usual.workdays, usual.weekend, usual.days, usual.split) == ({9, 14}, {9, 14}, 4, False)


def test_many_jobs_on_one_day_are_one_day() -> None:
    asked = [at(1, 9, minute) for minute in range(60)] + [at(day, 15) for day in range(1, 6)]
    assert usual_hours(asked, NOW).workdays == {15}


def test_workdays_and_weekends_are_told_apart_when_there_are_enough() -> None:
    asked = []
    for day in range(1, 15):
        asked.append(at(day, 11 if at(day, 0).weekday() >= 5 else 9))
    usual = usual_hours(asked, NOW)
    assert (usual.workdays, usual.weekend, usual.days, usual.split) == ({9}, {11}, 14, True)


@pytest.mark.parametrize(
    "asked",
    [[], [at(0, 9)] * 20, [at(1, 9), at(2, 9)], [at(20, 9), at(40, 9), at(60, 9)], [at(-1, 9), at(-2, 9)]],
    ids=["nothing", "today", "two days", "long ago", "to come"],
)
def test_too_little_teaches_nothing(asked: list[datetime]) -> None:
    usual = usual_hours(asked, NOW)
    assert not usual.workdays
    assert not usual.weekend


def test_a_model_is_wanted_from_ten_minutes_before_to_the_end_of_the_hour() -> None:
    usual = Usual(frozenset({9, 10}), frozenset(), 14, split=True)
    moments = {(8, 49): False, (8, 50): True, (9, 0): True, (10, 59): True, (11, 0): False}
    assert {moment: is_time(usual, at(0, *moment)) for moment in moments} == moments
    assert not is_time(usual, at(4, 9)), "a Saturday"
    midnight = Usual(frozenset({0}), frozenset(), 14, split=True)
    assert is_time(midnight, at(0, 23, 55))
    assert not is_time(midnight, at(-2, 23, 55)), "the next day is a Saturday"


def test_hours_as_people_write_them() -> None:
    assert spans(frozenset()) == ""
    assert spans(frozenset({14, 9, 10, 11, 15})) == "9–12, 14–16"
    assert spans(frozenset({0, 23})) == "0–1, 23–24"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(studio_home=tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[sa.Engine]:
    settings.make_folders()
    engine = db.engine(settings.database_url)
    db.migrate(engine)
    yield engine
    engine.dispose()


def ask(engine: sa.Engine, moments: list[datetime], model: str = "sketch", kind: str = "clip") -> None:
    with db.writing(engine) as connection:
        for index, moment in enumerate(moments):
            row = {"id": f"{model}{kind}{index}", "owner": "o", "kind": kind, "form": {}, "request": {}}
            row |= {"model": model, "state": "done", "place": 0.0, "created": moment}
            connection.execute(sa.insert(job_table).values(row))


def lately(hour: int, days: int = 10) -> list[datetime]:
    today = datetime.now().astimezone().replace(hour=hour, minute=1)
    return [today - timedelta(days=day) for day in range(1, days + 1)]


def test_the_history_teaches_hours_and_the_model(engine: sa.Engine) -> None:
    ask(engine, lately(9), "wan2.2-t2v-a14b")
    ask(engine, lately(9)[:3], "sketch")
    ask(engine, lately(9) * 2, "wan2.6-t2v", kind="cloud")
    usual, model = learned(engine)
    assert (usual.workdays, usual.weekend, usual.days) == ({9}, {9}, 10)
    assert model == "wan2.2-t2v-a14b"


def test_it_is_told_in_words(engine: sa.Engine, settings: Settings) -> None:
    def codes(**changes: object) -> list[str]:
        found = told(engine, settings.model_copy(update=changes))
        for notice in found:
            for language in LANGUAGES:
                assert say(notice, language) != say("generic", language)
        return [notice.code for notice in found]

    assert codes() == ["idle_unload", "warm_learning"]
    assert codes(model_idle_minutes=0, warm_ahead=False) == ["idle_never", "warm_off"]
    ask(engine, lately(9))
    assert codes() == ["idle_unload", "warm_hours"]
    assert "9–10" in say(told(engine, settings)[1], "en")
    with db.writing(engine) as connection:
        connection.execute(sa.delete(job_table))
    ask(engine, [moment for moment in lately(9, 14) if moment.weekday() < 5])
    assert codes() == ["idle_unload", "warm_hours_split"]
    with db.writing(engine) as connection:
        connection.execute(sa.delete(job_table))
    ask(engine, [moment.replace(hour=day) for day, moment in enumerate(lately(9, 14))])
    assert codes() == ["idle_unload", "warm_no_hours"]


class Model:
    """A model that is held or not, and what was done with it."""

    def __init__(self, held: str = "") -> None:
        self.held = held
        self.idle = 0.0
        self.loaded: list[str] = []
        self.freed: list[float] = []

    def unload_idle(self, seconds: float) -> bool:
        self.freed.append(seconds)
        if self.idle >= seconds:
            self.held = ""
        return not self.held

    def load(self, model: str) -> None:
        self.loaded.append(model)


def warmth(engine: sa.Engine, settings: Settings, model: Model) -> Callable[..., None]:
    made = Warmth(engine, settings, holds=lambda: model.held, unload_idle=model.unload_idle, load=model.load)

    def look(hour: int, minute: int = 0, *, busy: bool = False) -> None:
        now = datetime.now().astimezone().replace(hour=hour, minute=minute)
        made.look(busy=lambda: busy, now=now)
        for thread in threading.enumerate():
            if thread.name == "warm":
                thread.join()

    return look


def test_an_idle_model_is_freed_but_not_when_people_are_about_to_come(
    engine: sa.Engine, settings: Settings
) -> None:
    ask(engine, lately(9))
    model = Model("wan2.2-ti2v-5b")
    look = warmth(engine, settings, model)
    look(3)
    assert model.held
    model.idle = 1801
    look(8, 55)
    look(9, 30)
    assert model.held
    look(10)
    assert not model.held
    assert set(model.freed) == {1800.0}


def test_it_stays_for_ever_where_somebody_wants_that(engine: sa.Engine, settings: Settings) -> None:
    model = Model("wan2.2-ti2v-5b")
    model.idle = 1e9
    warmth(engine, settings.model_copy(update={"model_idle_minutes": 0}), model)(3)
    assert model.freed == []


def test_the_usual_model_is_loaded_once_before_people_come(engine: sa.Engine, settings: Settings) -> None:
    ask(engine, lately(9), "wan2.2-ti2v-5b")
    model = Model()
    look = warmth(engine, settings, model)
    look(8, 40)
    look(8, 52, busy=True)
    assert model.loaded == []
    look(8, 53)
    look(8, 54)
    look(9, 5)
    assert model.loaded == ["wan2.2-ti2v-5b"], "weights that are not there are not looked for every second"
    model.held = "wan2.2-ti2v-5b"
    look(9, 6)
    assert len(model.loaded) == 1
    off = Model()
    warmth(engine, settings.model_copy(update={"warm_ahead": False}), off)(8, 55)
    assert off.loaded == []


def test_a_worker_begins_with_the_configured_model_unless_it_is_a_clouds(
    engine: sa.Engine, settings: Settings
) -> None:
    for name, loaded in (("sketch", ["sketch"]), ("wan2.6-t2v", [])):
        model = Model()
        own = settings.model_copy(update={"model": name})
        Warmth(engine, own, holds=lambda: "", unload_idle=model.unload_idle, load=model.load).begin()
        deadline = time.monotonic() + 10
        while model.loaded != loaded and time.monotonic() < deadline:
            time.sleep(0.01)
        assert model.loaded == loaded
