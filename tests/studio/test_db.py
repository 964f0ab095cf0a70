"""The database: made at once, upgraded step by step, safe with several processes."""

import json
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from studio import db
from studio.settings import Settings
from tests.postgres import Postgres
from tests.queue_kit import Desk, small

TABLES = {
    "asset", "film_clip", "film_take", "flag", "job", "preview", "progress", "schema_version",
    "story", "take", "worker",
}  # fmt: skip
NEWEST = len(db.MIGRATIONS) + 1


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'studio.db'}"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.url(server.create())


def _versions(engine: sa.Engine) -> list[int]:
    with db.reading(engine) as connection:
        return list(connection.execute(sa.text("select version from schema_version")).scalars())


def test_a_new_database_has_every_table_and_migrating_again_changes_nothing(url: str) -> None:
    engine = db.engine(url)
    db.migrate(engine)
    db.migrate(engine)
    assert set(sa.inspect(engine).get_table_names()) >= TABLES
    assert _versions(engine) == [NEWEST]
    engine.dispose()


def test_processes_that_start_at_once_migrate_once(url: str) -> None:
    engines = [db.engine(url) for _ in range(5)]
    threads = [threading.Thread(target=db.migrate, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _versions(engines[0]) == [NEWEST]
    for engine in engines:
        engine.dispose()


def test_an_older_database_is_brought_up_to_date_once_and_keeps_what_it_holds(url: str) -> None:
    def add_a_column(connection: Connection) -> None:
        connection.execute(sa.text("alter table flag add column note text"))

    def fill_it(connection: Connection) -> None:
        connection.execute(sa.text("update flag set note = 'upgraded'"))

    engine = db.engine(url)
    db.migrate(engine)
    with db.writing(engine) as connection:
        connection.execute(sa.text("insert into flag (name) values ('paused')"))
    for steps in ([add_a_column], [add_a_column, fill_it], [add_a_column, fill_it]):
        db.migrate(engine, [*db.MIGRATIONS, *steps])
    with db.reading(engine) as connection:
        assert connection.execute(sa.text("select name, note from flag")).all() == [("paused", "upgraded")]
    assert _versions(engine) == [NEWEST + 2]
    with pytest.raises(db.SchemaTooNew, match="upgrade the studio"):
        db.migrate(engine)
    engine.dispose()


def test_an_upgrade_that_fails_leaves_the_old_version(url: str) -> None:
    def halfway(connection: Connection) -> None:
        connection.execute(sa.text("insert into flag (name) values ('half')"))
        raise ValueError("no")

    engine = db.engine(url)
    db.migrate(engine)
    with pytest.raises(ValueError, match="no"):
        db.migrate(engine, [*db.MIGRATIONS, halfway])
    assert _versions(engine) == [NEWEST]
    with db.reading(engine) as connection:
        assert connection.execute(sa.text("select count(*) from flag")).scalar_one() == 0
    engine.dispose()


def test_the_first_studios_database_becomes_todays_and_its_clips_are_shown(url: str, tmp_path: Path) -> None:
    engine = db.engine(url)
    _make_the_first(engine)
    db.migrate(engine)
    newest = db.engine(f"sqlite:///{tmp_path / 'new.db'}" if url.startswith("sqlite") else _beside(url))
    db.migrate(newest)
    assert _shape(engine) == _shape(newest)
    desk = Desk(Settings(studio_home=tmp_path / "home", database_url=url))
    waiting, made = desk.jobs.list()
    assert [(job.id, job.state, job.request, job.kind) for job in (waiting, made)] == [
        ("waiting", "queued", small(), "clip"),
        ("made", "done", small(), "clip"),
    ]
    (kept,) = desk.library.list()
    assert (kept.id, kept.asked, kept.request, kept.kind, kept.plan) == (
        "kept",
        "a boat",
        small(),
        "clip",
        None,
    )
    assert desk.jobs.estimate(small()) == 9.5
    assert desk.publish(desk.begin())
    assert len(desk.library.list()) == 2
    desk.close()
    engine.dispose()
    newest.dispose()


def _make_the_first(engine: sa.Engine) -> None:
    lite = engine.dialect.name == "sqlite"
    values = {
        "moment": "DATETIME" if lite else "TIMESTAMP WITH TIME ZONE",
        "bytes": "BLOB" if lite else "BYTEA",
        "form": json.dumps({"prompt": "a boat"}),
        "request": small().model_dump_json(),
    }
    text = (Path(__file__).parent / "schema_1.sql").read_text("utf-8")
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    with db.writing(engine) as connection:
        for statement in filter(str.strip, text.split(";\n")):
            connection.exec_driver_sql(statement)


def _beside(url: str) -> str:
    """A new database on the same Postgres."""
    name = "beside_" + url.partition("@/")[2].partition("?")[0]
    with db.engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"create database {name} template template0")
    return url.replace(url.partition("@/")[2].partition("?")[0], name, 1)


def _shape(engine: sa.Engine) -> dict[str, object]:
    """Every table's columns, indexes and foreign keys, whatever their order."""
    inspector = sa.inspect(engine)
    return {
        table: (
            sorted(
                (c["name"], str(c["type"]), c["nullable"], str(c["default"]).partition("::")[0])
                for c in inspector.get_columns(table)
                if table != "schema_version"
            ),
            sorted((i["name"] or "", i["column_names"]) for i in inspector.get_indexes(table)),
            sorted(
                (f["constrained_columns"], f["referred_table"]) for f in inspector.get_foreign_keys(table)
            ),
        )
        for table in inspector.get_table_names()
    }


def test_times_come_back_in_utc_whatever_zone_they_were_given_in(desk: Desk) -> None:
    china = datetime(2026, 11, 21, 9, 30, tzinfo=timezone(timedelta(hours=8)))
    table = sa.Table("moment", sa.MetaData(), sa.Column("at", db.UtcTime))
    with db.writing(desk.engine) as connection:
        table.create(connection)
        connection.execute(sa.insert(table).values(at=china))
        connection.execute(sa.insert(table).values(at=None))
        found = connection.execute(sa.select(table.c.at)).scalars().all()
    assert found == [datetime(2026, 11, 21, 1, 30, tzinfo=UTC), None]
    assert found[0] is not None
    assert found[0].tzinfo is UTC
    with db.reading(desk.engine) as connection:
        assert abs(db.database_now(connection) - db.utc_now()) < timedelta(seconds=5)


def test_readers_do_not_wait_for_a_writer(desk: Desk) -> None:
    desk.submit()
    with db.writing(desk.engine) as connection:
        connection.execute(sa.text("update job set owner = 'someone'"))
        assert desk.jobs.list()[0].owner == "ann"
    assert desk.jobs.list()[0].owner == "someone"


def test_a_transaction_that_reads_before_it_writes_waits_for_its_turn(desk: Desk) -> None:
    """On SQLite a deferred transaction would fail here with "database is locked"."""

    def count_up() -> None:
        for _ in range(20):
            with db.writing(desk.engine) as connection:
                query = sa.text("select attempt from job" + _for_update(connection))
                attempt = connection.execute(query).scalar_one()
                connection.execute(sa.text("update job set attempt = :n"), {"n": attempt + 1})

    desk.submit()
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.jobs.list()[0].attempt == 80


def _for_update(connection: Connection) -> str:
    return "" if connection.dialect.name == "sqlite" else " for update"


def test_a_postgres_address_is_opened_with_psycopg_3() -> None:
    for address in ("postgres://u@host/d", "postgresql://u@host/d", "postgresql+psycopg://u@host/d"):
        engine = db.engine(address)
        assert engine.dialect.driver == "psycopg"
        engine.dispose()
