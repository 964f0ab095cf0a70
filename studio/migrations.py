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


def trust(connection: Connection) -> None:
    """Version 4: rules, the ledger, the register of exports; clips have a standing and know their label.

    Clips made before carry the label that the studio put on all of them; it is told by their text alone.
    """
    postgres = connection.dialect.name == "postgresql"
    time, blob = ("TIMESTAMP WITH TIME ZONE", "BYTEA") if postgres else ("DATETIME", "BLOB")
    _run(
        connection,
        "ALTER TABLE asset ADD COLUMN standing TEXT DEFAULT 'public' NOT NULL",
        "ALTER TABLE asset ADD COLUMN label JSON",
        "ALTER TABLE asset ADD COLUMN reasons JSON",
        "CREATE INDEX asset_by_standing ON asset (standing, created)",
        "CREATE TABLE ledger ("
        " number INTEGER NOT NULL PRIMARY KEY,"
        f" at {time} NOT NULL,"
        " event TEXT NOT NULL,"
        " subject TEXT NOT NULL,"
        " who TEXT NOT NULL,"
        " facts JSON NOT NULL,"
        " mac TEXT NOT NULL)",
        "CREATE INDEX ledger_by_subject ON ledger (subject)",
        "CREATE TABLE policy ("
        " number INTEGER NOT NULL PRIMARY KEY,"
        f" at {time} NOT NULL,"
        " who TEXT NOT NULL,"
        " reason TEXT NOT NULL,"
        " document JSON NOT NULL)",
        "CREATE TABLE export ("
        " id TEXT NOT NULL PRIMARY KEY,"
        " asset_id TEXT NOT NULL,"
        " job_id TEXT NOT NULL,"
        " owner TEXT NOT NULL,"
        " kind TEXT NOT NULL,"
        " codeword TEXT NOT NULL,"
        f" hashes {blob} NOT NULL,"
        " sha256 TEXT NOT NULL,"
        " label JSON NOT NULL,"
        f" created {time} NOT NULL)",
        "CREATE INDEX export_by_asset ON export (asset_id)",
        "CREATE INDEX export_by_time ON export (created, id)",
        "CREATE INDEX export_by_hash ON export (sha256)",
        "CREATE TABLE decision ("
        " id TEXT NOT NULL PRIMARY KEY,"
        " kind TEXT NOT NULL,"
        " subject TEXT NOT NULL,"
        " title TEXT NOT NULL,"
        " what TEXT NOT NULL,"
        " who TEXT NOT NULL,"
        " name TEXT NOT NULL,"
        " comment TEXT NOT NULL,"
        f" at {time} NOT NULL)",
        "CREATE INDEX decision_by_subject ON decision (subject)",
        "CREATE INDEX decision_by_time ON decision (at)",
    )


def library(connection: Connection) -> None:
    """Version 5: projects, tags, favourites, trash, and what assets are found by."""
    postgres = connection.dialect.name == "postgresql"
    time, blob = ("TIMESTAMP WITH TIME ZONE", "BYTEA") if postgres else ("DATETIME", "BLOB")
    _run(
        connection,
        "ALTER TABLE asset ADD COLUMN project_id TEXT",
        f"ALTER TABLE asset ADD COLUMN trashed {time}",
        "ALTER TABLE asset ADD COLUMN revision BIGINT DEFAULT 0 NOT NULL",
        "CREATE INDEX asset_by_project ON asset (project_id, created)",
        "CREATE INDEX asset_by_trash ON asset (trashed)",
        "CREATE INDEX asset_by_revision ON asset (revision)",
        "CREATE TABLE project ("
        " id TEXT NOT NULL PRIMARY KEY,"
        " name TEXT NOT NULL,"
        " owner TEXT NOT NULL,"
        " publish TEXT,"
        f" created {time} NOT NULL)",
        "CREATE INDEX project_by_owner ON project (owner, created)",
        "CREATE TABLE asset_tag ("
        " asset_id TEXT NOT NULL REFERENCES asset (id) ON DELETE CASCADE,"
        " tag TEXT NOT NULL,"
        " PRIMARY KEY (asset_id, tag))",
        "CREATE INDEX asset_by_tag ON asset_tag (tag, asset_id)",
        "CREATE TABLE favourite ("
        " owner TEXT NOT NULL,"
        " asset_id TEXT NOT NULL REFERENCES asset (id) ON DELETE CASCADE,"
        " PRIMARY KEY (owner, asset_id))",
        "CREATE INDEX favourite_by_asset ON favourite (asset_id)",
        "CREATE TABLE library_entry ("
        " asset_id TEXT NOT NULL PRIMARY KEY REFERENCES asset (id) ON DELETE CASCADE,"
        " edition INTEGER NOT NULL,"
        " name TEXT NOT NULL,"
        " words TEXT NOT NULL,"
        " facets TEXT NOT NULL,"
        f" meaning {blob})",
        "CREATE INDEX entry_by_edition ON library_entry (edition)",
        "CREATE TABLE library_clock ("
        " id INTEGER NOT NULL PRIMARY KEY,"
        " revision BIGINT NOT NULL,"
        " gone BIGINT NOT NULL)",
    )


def grids(connection: Connection) -> None:
    """Version 6: grids, the votes on them, and jobs that make something of clips that are there."""
    time = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    _run(
        connection,
        "ALTER TABLE job ADD COLUMN grid_id TEXT",
        "ALTER TABLE job ADD COLUMN task JSON",
        "CREATE INDEX job_by_grid ON job (grid_id, created)",
        "CREATE TABLE grid ("
        " id TEXT NOT NULL PRIMARY KEY,"
        " owner TEXT NOT NULL,"
        " title TEXT NOT NULL,"
        " plan JSON NOT NULL,"
        f" created {time} NOT NULL)",
        "CREATE INDEX grid_by_owner ON grid (owner, created)",
        "CREATE INDEX grid_by_time ON grid (created)",
        "CREATE TABLE grid_cell ("
        " grid_id TEXT NOT NULL REFERENCES grid (id) ON DELETE CASCADE,"
        " number INTEGER NOT NULL,"
        " request_key TEXT NOT NULL,"
        " form JSON NOT NULL,"
        " request JSON NOT NULL,"
        " job_id TEXT,"
        " PRIMARY KEY (grid_id, number))",
        "CREATE INDEX grid_cell_by_job ON grid_cell (job_id)",
        "CREATE TABLE vote ("
        " grid_id TEXT NOT NULL REFERENCES grid (id) ON DELETE CASCADE,"
        " voter TEXT NOT NULL,"
        " one INTEGER NOT NULL,"
        " other INTEGER NOT NULL,"
        " choice TEXT NOT NULL,"
        f" created {time} NOT NULL,"
        " PRIMARY KEY (grid_id, voter, one, other))",
    )


def styles(connection: Connection) -> None:
    """Version 8: people's own styles, each with all its versions."""
    time = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    _run(
        connection,
        "CREATE TABLE own_style ("
        " name TEXT NOT NULL,"
        " version INTEGER NOT NULL,"
        " owner TEXT NOT NULL,"
        " document JSON NOT NULL,"
        f" created {time} NOT NULL,"
        f" deleted {time},"
        " PRIMARY KEY (name, version))",
        "CREATE INDEX own_style_by_owner ON own_style (owner, name)",
    )


def edits(connection: Connection) -> None:
    """Version 7: which clip is another take of which one, because of what was wished."""
    time = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    _run(
        connection,
        "CREATE TABLE edit ("
        " job_id TEXT NOT NULL PRIMARY KEY,"
        " source_id TEXT NOT NULL,"
        " wish TEXT NOT NULL,"
        " intents JSON NOT NULL,"
        " operations JSON NOT NULL,"
        f" created {time} NOT NULL)",
        "CREATE INDEX edit_by_source ON edit (source_id, created)",
    )


def rooms(connection: Connection) -> None:
    """Version 9: links that share something with guests, and what those say of it."""
    postgres = connection.dialect.name == "postgresql"
    time = "TIMESTAMP WITH TIME ZONE" if postgres else "DATETIME"
    number = "SERIAL PRIMARY KEY" if postgres else "INTEGER NOT NULL PRIMARY KEY"
    _run(
        connection,
        "CREATE TABLE room_link ("
        " id TEXT NOT NULL PRIMARY KEY,"
        " room TEXT NOT NULL,"
        " owner TEXT NOT NULL,"
        " note TEXT NOT NULL,"
        " rights TEXT NOT NULL,"
        " hash TEXT NOT NULL,"
        f" created {time} NOT NULL,"
        f" expires {time} NOT NULL,"
        f" revoked {time})",
        "CREATE INDEX room_link_by_room ON room_link (room, created)",
        "CREATE INDEX room_link_by_owner ON room_link (owner, created)",
        "CREATE TABLE room_comment ("
        " id TEXT NOT NULL PRIMARY KEY,"
        " room TEXT NOT NULL,"
        " link_id TEXT,"
        " item TEXT NOT NULL,"
        " asset_id TEXT NOT NULL,"
        " seconds FLOAT,"
        " x FLOAT,"
        " y FLOAT,"
        " parent TEXT,"
        " text TEXT NOT NULL,"
        " guest TEXT NOT NULL,"
        " name TEXT NOT NULL,"
        f" at {time} NOT NULL,"
        f" resolved {time})",
        "CREATE INDEX room_comment_by_room ON room_comment (room, at)",
        "CREATE INDEX room_comment_by_asset ON room_comment (asset_id)",
        "CREATE TABLE room_verdict ("
        f" number {number},"
        " id TEXT NOT NULL UNIQUE,"
        " room TEXT NOT NULL,"
        " link_id TEXT NOT NULL,"
        " item TEXT NOT NULL,"
        " asset_id TEXT NOT NULL,"
        " what TEXT NOT NULL,"
        " text TEXT NOT NULL,"
        " guest TEXT NOT NULL,"
        " name TEXT NOT NULL,"
        f" at {time} NOT NULL)",
        "CREATE INDEX room_verdict_by_room ON room_verdict (room, number)",
        "CREATE INDEX room_verdict_by_asset ON room_verdict (asset_id)",
    )


def looks(connection: Connection) -> None:
    """Version 10: what assets look like."""
    postgres = connection.dialect.name == "postgresql"
    blob = "BYTEA" if postgres else "BLOB"
    number = "SERIAL PRIMARY KEY" if postgres else "INTEGER NOT NULL PRIMARY KEY"
    _run(
        connection,
        "CREATE TABLE asset_look ("
        f" number {number},"
        " asset_id TEXT NOT NULL UNIQUE REFERENCES asset (id) ON DELETE CASCADE,"
        f" look {blob} NOT NULL)",
    )


def carded(connection: Connection) -> None:
    """Version 11: up to which revision of the library the cards are written."""
    _run(
        connection,
        "CREATE TABLE library_carded (edition TEXT NOT NULL PRIMARY KEY, revision BIGINT NOT NULL)",
    )


def api(connection: Connection) -> None:
    """Version 12: API keys, and what was asked for with them."""
    time = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    _run(
        connection,
        "CREATE TABLE api_key ("
        " id TEXT NOT NULL PRIMARY KEY,"
        " name TEXT NOT NULL,"
        " owner TEXT NOT NULL,"
        " prefix TEXT NOT NULL,"
        " hash TEXT NOT NULL UNIQUE,"
        f" created {time} NOT NULL,"
        f" used {time},"
        f" revoked {time})",
        "CREATE TABLE api_task ("
        " id TEXT NOT NULL PRIMARY KEY,"
        " owner TEXT NOT NULL,"
        " key_id TEXT NOT NULL,"
        " model TEXT NOT NULL,"
        " request_id TEXT NOT NULL,"
        f" created {time} NOT NULL,"
        " refused JSON)",
        "CREATE INDEX api_task_by_owner ON api_task (owner, created)",
    )


def pictures(connection: Connection) -> None:
    """Version 13: pictures that clips begin with."""
    time = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    _run(
        connection,
        "CREATE TABLE picture ("
        " id TEXT NOT NULL PRIMARY KEY,"
        " width INTEGER NOT NULL,"
        " height INTEGER NOT NULL,"
        " outcome TEXT NOT NULL,"
        " reasons JSON,"
        " asset_id TEXT,"
        " frame INTEGER,"
        " look TEXT DEFAULT '' NOT NULL,"
        f" created {time} NOT NULL,"
        f" used {time} NOT NULL)",
        "CREATE INDEX picture_by_asset ON picture (asset_id)",
        "CREATE INDEX picture_by_use ON picture (used)",
    )


def workers(connection: Connection) -> None:
    """Version 14: what a worker runs on, and which model it holds."""
    _run(
        connection,
        "ALTER TABLE worker ADD COLUMN model TEXT",
        "ALTER TABLE worker ADD COLUMN card TEXT",
        "ALTER TABLE worker ADD COLUMN vram_gb FLOAT",
        "ALTER TABLE worker ADD COLUMN ram_gb FLOAT",
    )


def cloud(connection: Connection) -> None:
    """Version 15: by what a later attempt goes on with what a cloud makes, and what that made of a prompt."""
    _run(
        connection,
        "ALTER TABLE job ADD COLUMN resume_token TEXT",
        "ALTER TABLE job ADD COLUMN actual_prompt TEXT",
    )


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(sa.text(statement))
