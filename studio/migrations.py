"""How an older database becomes today's: one function a version, plain SQL for SQLite and Postgres alike.

A new database is made from `studio.db.metadata` at once; a test compares both ways. A step is never changed
once it was released.
"""

import sqlalchemy as sa
from sqlalchemy import Connection


def films(connection: Connection) -> None:
    """Version 2: jobs and assets may be films, and clips are found again by what they were asked as."""
    _run(
        connection,
        "ALTER TABLE job ADD COLUMN kind TEXT DEFAULT 'clip' NOT NULL",
        "ALTER TABLE job ADD COLUMN parent TEXT",
        "ALTER TABLE job ADD COLUMN request_key TEXT",
        "ALTER TABLE job ADD COLUMN story_id TEXT",
        "ALTER TABLE job ADD COLUMN plan JSON",
        "ALTER TABLE job ADD COLUMN notices JSON",
        "CREATE INDEX job_by_key ON job (owner, request_key)",
        "CREATE INDEX job_by_story ON job (story_id, created)",
        "ALTER TABLE asset ADD COLUMN kind TEXT DEFAULT 'clip' NOT NULL",
        "ALTER TABLE asset ADD COLUMN title TEXT DEFAULT '' NOT NULL",
        "ALTER TABLE asset ADD COLUMN request_key TEXT",
        "ALTER TABLE asset ADD COLUMN plan JSON",
        "CREATE INDEX asset_by_key ON asset (owner, request_key)",
        "CREATE TABLE film_take ("
        " film_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,"
        " request_key TEXT NOT NULL,"
        " job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,"
        " PRIMARY KEY (film_id, request_key))",
        "CREATE INDEX film_take_by_job ON film_take (job_id)",
        "CREATE TABLE film_clip ("
        " film_asset_id TEXT NOT NULL REFERENCES asset (id) ON DELETE CASCADE,"
        " clip_asset_id TEXT NOT NULL REFERENCES asset (id) ON DELETE CASCADE,"
        " PRIMARY KEY (film_asset_id, clip_asset_id))",
        "CREATE INDEX film_clip_by_clip ON film_clip (clip_asset_id)",
    )


def stories(connection: Connection) -> None:
    """Version 3: stories, and the takes that they asked for."""
    time = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    _run(
        connection,
        "CREATE TABLE story ("
        " id TEXT NOT NULL PRIMARY KEY,"
        " owner TEXT NOT NULL,"
        " title TEXT NOT NULL,"
        " shots INTEGER NOT NULL,"
        " document JSON NOT NULL,"
        " revision INTEGER NOT NULL,"
        f" created {time} NOT NULL,"
        f" updated {time} NOT NULL)",
        "CREATE INDEX story_by_owner ON story (owner, updated)",
        "CREATE INDEX story_by_time ON story (updated)",
        "CREATE TABLE take ("
        " story_id TEXT NOT NULL REFERENCES story (id) ON DELETE CASCADE,"
        " shot_id TEXT NOT NULL,"
        " key TEXT NOT NULL,"
        " level TEXT NOT NULL,"
        " seed BIGINT NOT NULL,"
        f" created {time} NOT NULL,"
        " PRIMARY KEY (story_id, shot_id, key))",
    )


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(sa.text(statement))
