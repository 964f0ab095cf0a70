"""The database: made at once, upgraded step by step, safe with several processes."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from studio import db
from tests.postgres import Postgres
from tests.queue_kit import Desk

TABLES = {"asset", "flag", "job", "preview", "progress", "schema_version", "worker"}


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
    assert set(sa.inspect(engine).get_table_names()) == TABLES
    assert _versions(engine) == [1]
    engine.dispose()


def test_processes_that_start_at_once_migrate_once(url: str) -> None:
    engines = [db.engine(url) for _ in range(5)]
    threads = [threading.Thread(target=db.migrate, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _versions(engines[0]) == [1]
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
    db.migrate(engine, [add_a_column])
    db.migrate(engine, [add_a_column, fill_it])
    db.migrate(engine, [add_a_column, fill_it])
    with db.reading(engine) as connection:
        assert connection.execute(sa.text("select name, note from flag")).all() == [("paused", "upgraded")]
    assert _versions(engine) == [3]
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
        db.migrate(engine, [halfway])
    assert _versions(engine) == [1]
    with db.reading(engine) as connection:
        assert connection.execute(sa.text("select count(*) from flag")).scalar_one() == 0
    engine.dispose()


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
