"""Where stories are kept: one row a story with its document, one row a take that was asked for."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql, sqlite

from studio.db import reading, utc_now, writing
from studio.story.tables import story_table, take_table
from studio.story.types import Level, Story


@dataclass(frozen=True)
class StoredStory:
    """A story as it is kept. `revision` grows with every change."""

    id: str
    owner: str
    story: Story
    revision: int
    created: datetime
    updated: datetime


@dataclass(frozen=True)
class StoryLine:
    """A story in a list. `shots` is how many it has."""

    id: str
    owner: str
    title: str
    shots: int
    updated: datetime


@dataclass(frozen=True)
class Take:
    """A take that was asked for: `key` names what it was made from, whatever the shot says by now."""

    shot_id: str
    key: str
    level: Level
    seed: int


class StoryStore:
    """Owns the tables `story` and `take`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, owner: str, story: Story) -> StoredStory:
        """Keep a new story, under an id of its own."""
        now = utc_now()
        kept = StoredStory(secrets.token_urlsafe(12), owner, story, 1, now, now)
        with writing(self.engine) as connection:
            connection.execute(
                sa.insert(story_table).values(
                    id=kept.id, owner=owner, revision=1, created=now, updated=now, **_values(story)
                )
            )
        return kept

    def get(self, story_id: str) -> StoredStory | None:
        """One story, or None if there is none of that id (any more)."""
        query = sa.select(story_table).where(story_table.c.id == story_id)
        with reading(self.engine) as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        names = ("id", "owner", "revision", "created", "updated")
        return StoredStory(story=Story.model_validate(row["document"]), **{name: row[name] for name in names})

    def list(self, owner: str | None = None, limit: int = 100) -> list[StoryLine]:
        """The stories changed last first; only one owner's if given."""
        columns = story_table.c
        query = sa.select(columns.id, columns.owner, columns.title, columns.shots, columns.updated)
        query = query.order_by(columns.updated.desc(), columns.id).limit(limit)
        if owner is not None:
            query = query.where(columns.owner == owner)
        with reading(self.engine) as connection:
            return [StoryLine(**row) for row in connection.execute(query).mappings()]

    def save(self, story_id: str, story: Story, *, revision: int) -> bool:
        """Keep a story instead of the one of `revision`; False if that was changed meanwhile, or is gone."""
        now_it_is = (story_table.c.id == story_id, story_table.c.revision == revision)
        with writing(self.engine) as connection:
            values = {**_values(story), "revision": revision + 1, "updated": utc_now()}
            return bool(
                connection.execute(sa.update(story_table).where(*now_it_is).values(**values)).rowcount
            )

    def delete(self, story_id: str) -> bool:
        """Forget a story and which takes it asked for; the takes themselves stay in the library."""
        with writing(self.engine) as connection:
            gone = sa.delete(story_table).where(story_table.c.id == story_id)
            return bool(connection.execute(gone).rowcount)

    def takes(self, story_id: str) -> Sequence[Take]:
        """The takes that a story asked for, the oldest first."""
        columns = take_table.c
        query = sa.select(columns.shot_id, columns.key, columns.level, columns.seed)
        query = query.where(columns.story_id == story_id).order_by(columns.created, columns.key)
        with reading(self.engine) as connection:
            return [Take(**row) for row in connection.execute(query).mappings()]

    def add_takes(self, story_id: str, takes: Iterable[Take]) -> None:
        """Remember takes; those that are known already stay as they are."""
        rows = [{"story_id": story_id, "created": utc_now(), **asdict(take)} for take in takes]
        if rows:
            with writing(self.engine) as connection:
                connection.execute(_insert_new(connection), rows)


def _insert_new(connection: Connection) -> Any:
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    return kind.insert(take_table).on_conflict_do_nothing()


def _values(story: Story) -> dict[str, Any]:
    document = story.model_dump(mode="json")
    return {"title": story.title, "shots": len(story.shots), "document": document}
