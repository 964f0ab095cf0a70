"""The database: how it is opened, and how an older one becomes today's. SQLite by default, Postgres by URL.

Each table is declared beside the class that owns it; `metadata` gathers them.
"""

import importlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from studio import migrations

metadata = sa.MetaData()

# The modules whose tables make up the schema.
_OWNERS = (
    "studio.rows",
    "studio.fleet",
    "studio.library.tables",
    "studio.story.tables",
    "studio.reviewing",
    "studio.trust.exports",
    "studio.trust.ledger",
    "studio.trust.policy",
    "studio.grid_tables",
    "studio.edit_tables",
    "studio.style_store",
    "studio.room.tables",
    "studio.library.looks",
    "studio.api_keys",
    "studio.api_tasks",
    "studio.picture_rows",
)
# Any number that no other program on the same Postgres uses for its own advisory lock.
_MIGRATION_LOCK = 7_274_201
STALL_MILLISECONDS = 10_000

_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

Step = Callable[[Connection], None]
# Step N (from 1) turns version N into N+1. A plain list instead of Alembic: a new database is made from
# `metadata` at once, so these steps only ever run on older ones, and there is one package less.
MIGRATIONS: tuple[Step, ...] = (
    migrations.films,
    migrations.stories,
    migrations.trust,
    migrations.library,
    migrations.grids,
    migrations.edits,
    migrations.styles,
    migrations.rooms,
    migrations.looks,
    migrations.carded,
    migrations.api,
    migrations.pictures,
    migrations.workers,
    migrations.cloud,
)


class SchemaTooNew(RuntimeError):
    """The database was written by a newer studio than this one."""


class UtcTime(sa.types.TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite itself keeps no time zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    """This machine's time, in UTC."""
    return datetime.now(UTC)


def database_now(connection: Connection) -> datetime:
    """The database's own time in UTC, so that hosts whose clocks differ agree on what is stale."""
    if connection.dialect.name == "sqlite":
        return utc_now()
    found: datetime = connection.execute(sa.text("select clock_timestamp()")).scalar_one()
    return found.astimezone(UTC)


def engine(url: str) -> Engine:
    """Open the database at an SQLAlchemy URL; `postgres://` and `postgresql://` use psycopg 3."""
    parsed = sa.make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        # A worker that stalls in the middle of a transaction must not keep its rows locked for the others.
        patience = {"options": f"-c idle_in_transaction_session_timeout={STALL_MILLISECONDS}"}
        return sa.create_engine(
            parsed, pool_pre_ping=True, pool_size=5, max_overflow=15, connect_args=patience
        )
    opened = sa.create_engine(parsed, pool_size=5, max_overflow=15, connect_args={"timeout": 30})
    event.listen(opened, "connect", _prepare_sqlite)
    event.listen(opened, "begin", _begin_sqlite)
    return opened


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for queries only; takes no write lock."""
    with engine.connect().execution_options(reading=True) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that commits at the end; on SQLite it holds the write lock from its first line."""
    with engine.begin() as connection:
        yield connection


def migrate(engine: Engine, steps: Sequence[Step] = MIGRATIONS) -> None:
    """Make the tables, or bring an older database up to date; safe when several processes start at once.

    Raises `SchemaTooNew` for a database of a newer studio.
    """
    for owner in _OWNERS:
        importlib.import_module(owner)
    newest = len(steps) + 1
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        found = _stored_version(connection)
        if found is None:
            metadata.create_all(connection)
            connection.execute(sa.insert(_version).values(version=newest))
            return
        if found > newest:
            raise SchemaTooNew(
                f"the database has schema {found}, this studio knows {newest}: upgrade the studio"
            )
        for step in steps[found - 1 :]:
            step(connection)
        if found < newest:
            connection.execute(sa.update(_version).values(version=newest))


def _stored_version(connection: Connection) -> int | None:
    if not sa.inspect(connection).has_table(_version.name):
        return None
    return connection.execute(sa.select(_version.c.version)).scalar_one_or_none()


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite does, and knows who only reads.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        # A job id was promised once it is committed: the promise holds when the power fails, too.
        "synchronous=FULL",
        "busy_timeout=30000",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options: Any = connection.get_execution_options()
    # IMMEDIATE: a transaction that reads and then writes would otherwise fail at once if another one writes.
    connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")
