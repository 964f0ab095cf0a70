"""What people do with many assets at once: move, tag, mark as favourites, put into the trash and back."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipelines.request import Notice
from studio import access
from studio.access import Visitor
from studio.checking import Checker
from studio.db import reading, utc_now, writing
from studio.library.projects import Projects
from studio.library.store import Library
from studio.library.tables import asset_table, favourite_table, tag_table, tick, touch
from studio.refusal import Refused
from studio.settings import Settings
from studio.trust import ledger

TRASH_DAYS = 30
MAX_AT_ONCE = 10_000
MAX_TAG = 40
MAX_TAGS = 30
_COMMA = re.compile("[,，、;；]")
# So many ids are asked about in one statement: databases limit a statement's values.
_CHUNK = 2000


@dataclass(frozen=True)
class Done:
    """How many assets were changed, and how many were left as they are because they are somebody else's."""

    changed: int
    others: int = 0


@dataclass(frozen=True)
class Usage:
    """Bytes on the disk: of the assets by owner and by project ("" for none), of the trash, free, in all.

    Only what the visitor may know: everybody's for who sees all, else one's own.
    """

    total: int
    count: int
    trash: int
    trashed: int
    free: int
    disk: int
    by_owner: dict[str, int] = field(default_factory=dict)
    by_project: dict[str, int] = field(default_factory=dict)


class Shelves:
    """Owns tags and favourites, and what stands in an asset's row about project and trash."""

    def __init__(
        self, engine: Engine, settings: Settings, assets: Library, projects: Projects, checker: Checker
    ) -> None:
        self._engine, self._settings, self._assets = engine, settings, assets
        self._projects, self._checker = projects, checker

    def move(self, visitor: Visitor, ids: Sequence[str], project_id: str | None) -> Done:
        """Put assets into a project, or (None) into none."""
        if project_id is not None:
            project_id = self._projects.get(visitor, project_id).id
        return self._change(visitor, ids, project_id=project_id)

    def trash(self, visitor: Visitor, ids: Sequence[str]) -> Done:
        """Put assets into the trash: found nowhere but there, and deleted for good after TRASH_DAYS."""
        return self._change(visitor, ids, asset_table.c.trashed.is_(None), trashed=utc_now())

    def restore(self, visitor: Visitor, ids: Sequence[str]) -> Done:
        """Take assets out of the trash; they are where they were, with all that was known of them."""
        return self._change(visitor, ids, asset_table.c.trashed.is_not(None), trashed=None)

    def tag(self, visitor: Visitor, ids: Sequence[str], tags: str) -> Done:
        """Give assets a tag, or several with commas between; Refused if one can't be used."""
        known = list(dict.fromkeys(self._tag(tag) for tag in _COMMA.split(tags) if tag.strip()))
        done = [self._tag_all(visitor, ids, tag) for tag in known[:MAX_TAGS] or [self._tag("")]]
        return max(done, key=lambda one: one.changed)

    def _tag_all(self, visitor: Visitor, ids: Sequence[str], tag: str) -> Done:
        mine = asset_table.c.id == tag_table.c.asset_id
        had = sa.select(tag_table.c.tag).where(mine, tag_table.c.tag == tag).exists()
        few = sa.select(sa.func.count()).select_from(tag_table).where(mine).scalar_subquery() < MAX_TAGS

        def add(connection: Connection, part: Sequence[str]) -> None:
            untagged = sa.select(asset_table.c.id, sa.literal(tag)).where(
                asset_table.c.id.in_(part), ~had, few
            )
            connection.execute(sa.insert(tag_table).from_select(["asset_id", "tag"], untagged))

        return self._change(visitor, ids, also=add)

    def untag(self, visitor: Visitor, ids: Sequence[str], tag: str) -> Done:
        """Take a tag from assets."""

        def drop(connection: Connection, part: Sequence[str]) -> None:
            these = tag_table.c.asset_id.in_(part)
            connection.execute(sa.delete(tag_table).where(these, tag_table.c.tag == tag))

        return self._change(visitor, ids, also=drop)

    def favourite(self, visitor: Visitor, ids: Sequence[str], wanted: bool = True) -> Done:
        """Mark assets as one's own favourites, or no more; anybody's that the visitor may see."""
        if not visitor.owner:
            raise Refused(Notice("not_yours"))
        mine = favourite_table.c.owner == visitor.owner
        changed = 0
        with writing(self._engine) as connection:
            for part in _parts(ids):
                these = favourite_table.c.asset_id.in_(part)
                connection.execute(sa.delete(favourite_table).where(mine, these))
                touch(connection, part)
                query = sa.select(asset_table.c.id).where(asset_table.c.id.in_(part), _seen_by(visitor))
                seen = connection.execute(query).scalars().all() if wanted else ()
                rows = [{"owner": visitor.owner, "asset_id": asset_id} for asset_id in seen]
                if rows:
                    connection.execute(sa.insert(favourite_table), rows)
                changed += len(rows)
        return Done(changed if wanted else len(ids))

    def tags_of(self, asset_id: str) -> list[str]:
        """An asset's tags, in their order."""
        query = sa.select(tag_table.c.tag).where(tag_table.c.asset_id == asset_id).order_by(tag_table.c.tag)
        with reading(self._engine) as connection:
            return [str(tag) for tag in connection.execute(query).scalars()]

    def favourites(self, visitor: Visitor) -> frozenset[str]:
        """The ids of what the visitor marked."""
        query = sa.select(favourite_table.c.asset_id).where(favourite_table.c.owner == visitor.owner)
        with reading(self._engine) as connection:
            return frozenset(connection.execute(query).scalars()) if visitor.owner else frozenset()

    def usage(self, visitor: Visitor) -> Usage:
        """How much room the library takes."""
        columns = asset_table.c
        binned = columns.trashed.is_not(None)
        query = sa.select(
            columns.owner, columns.project_id, binned, sa.func.sum(columns.bytes), sa.func.count()
        )
        if not access.sees_all(visitor, self._settings):
            query = query.where(columns.owner == visitor.owner)
        by_owner: dict[str, int] = {}
        by_project: dict[str, int] = {}
        total = count = trash = trashed = 0
        with reading(self._engine) as connection:
            for row in connection.execute(query.group_by(columns.owner, columns.project_id, binned)):
                owner, project, lies, size, many = row
                total, count = total + int(size), count + int(many)
                trash, trashed = trash + lies * int(size), trashed + lies * int(many)
                by_owner[owner] = by_owner.get(owner, 0) + int(size)
                by_project[project or ""] = by_project.get(project or "", 0) + int(size)
        disk = shutil.disk_usage(self._settings.studio_home)
        return Usage(total, count, trash, trashed, disk.free, disk.total, by_owner, by_project)

    def sweep(self, most: int = 200) -> int:
        """Delete for good what has lain in the trash for TRASH_DAYS; how many of them, at most `most`."""
        columns = asset_table.c
        old = sa.select(columns.id, columns.owner).where(
            columns.trashed < utc_now() - timedelta(days=TRASH_DAYS)
        )
        with reading(self._engine) as connection:
            found = connection.execute(old.order_by(columns.trashed).limit(most)).all()
        return sum(self.delete(asset_id, owner) for asset_id, owner in found)

    def delete(self, asset_id: str, who: str) -> bool:
        """Delete an asset for good, with its entry in the ledger; False if it is gone already."""

        def note(connection: Connection) -> None:
            self._checker.note(connection, "deleted", asset_id, who)

        deleted = self._assets.delete(asset_id, note)
        ledger.note_last(self._engine, self._settings.studio_home)
        return deleted

    def _change(
        self,
        visitor: Visitor,
        ids: Sequence[str],
        *where: sa.ColumnElement[bool],
        also: Callable[[Connection, Sequence[str]], None] | None = None,
        **values: Any,
    ) -> Done:
        """Change those that are the visitor's to change, all in one transaction."""
        if len(ids) > MAX_AT_ONCE:
            raise Refused(Notice("library_many", {"high": MAX_AT_ONCE}))
        mine = _changed_by(visitor)
        changed = others = 0
        with writing(self._engine) as connection:
            revision = tick(connection)
            for part in _parts(ids):
                these = asset_table.c.id.in_(part)
                allowed = connection.execute(sa.select(asset_table.c.id).where(these, mine)).scalars().all()
                theirs = sa.select(sa.func.count()).where(these, _seen_by(visitor), ~mine)
                others += int(connection.execute(theirs).scalar_one())
                if also is not None:
                    also(connection, allowed)
                chosen = sa.update(asset_table).where(asset_table.c.id.in_(allowed), *where)
                changed += connection.execute(chosen.values(**values, revision=revision)).rowcount
        return Done(changed, others)

    def _tag(self, tag: str) -> str:
        tidy = " ".join(tag.replace("#", " ").replace(",", " ").split())
        if not tidy or len(tidy) > MAX_TAG or not tidy.isprintable():
            raise Refused(Notice("tag_wrong", {"high": MAX_TAG}))
        self._checker.passed({"title": tidy})
        return tidy


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _seen_by(visitor: Visitor) -> sa.ColumnElement[bool]:
    """As `access.may_see`."""
    if visitor.admin:
        return sa.true()
    draft = sa.and_(asset_table.c.standing == "draft", asset_table.c.owner == (visitor.owner or None))
    return sa.or_(asset_table.c.standing == "public", draft)


def _changed_by(visitor: Visitor) -> sa.ColumnElement[bool]:
    """As `access.may_change`, of what the visitor may see."""
    if visitor.admin:
        return sa.true()
    return sa.and_(asset_table.c.owner == (visitor.owner or None), _seen_by(visitor))
