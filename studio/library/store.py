"""The assets themselves: their rows, and their files below the studio's home."""

import glob
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipelines.request import Notice
from studio.archive import Archive, Folder
from studio.db import reading, writing
from studio.library import entry
from studio.library.tables import asset_table, film_clip_table, project_table, tick
from studio.library.types import USABLE, Asset, Standing, card_place
from studio.rows import notice_of, request_of
from studio.story.film_plan import key_of, read_plan

# Its file lies in a worker's tmp folder while clips are being published, and names the files that are moved.
PUBLISHING = ".publishing"
# Below the home: what was made in other formats. Each name begins with the asset's id and a dot.
EXPORTS = "exports"
_AT_ONCE = 500

log = logging.getLogger(__name__)


class Library:
    """Owns the table `asset` and its files, which `archive` keeps (by default below `home`)."""

    def __init__(self, engine: Engine, home: Path, archive: Archive | None = None) -> None:
        self.engine = engine
        self.home = home
        self.archive: Archive = archive or Folder(home)

    def add(self, asset: Asset, connection: Connection | None = None, *, clips: Sequence[str] = ()) -> None:
        """Keep an asset whose files lie in their place; within the caller's transaction if there is one.

        `clips` are the ids of those that a film was cut from; one deleted meanwhile is left out.
        """
        if connection is None:
            with writing(self.engine) as own:
                return self.add(asset, own, clips=clips)
        values = {name: getattr(asset, name) for name in Asset.__dataclass_fields__}
        for name in ("request", "plan"):
            values[name] = None if values[name] is None else values[name].model_dump(mode="json")
        values["request_key"] = None if asset.request is None else key_of(asset.request)
        values["reasons"] = [asdict(reason) for reason in asset.reasons] or None
        values["project_id"] = asset.project_id or _project_of(connection, asset.form)
        connection.execute(sa.insert(asset_table).values(**values, revision=tick(connection)))
        entry.write(connection, asset.id, entry.plain_entry(asset))
        there = sa.select(asset_table.c.id).where(asset_table.c.id.in_(clips))
        for clip in connection.execute(there).scalars().all() if clips else ():
            connection.execute(sa.insert(film_clip_table).values(film_asset_id=asset.id, clip_asset_id=clip))
        return None

    def at(self, place: str) -> Asset | None:
        """The asset whose film lies at this place below the home."""
        with reading(self.engine) as connection:
            found = connection.execute(sa.select(asset_table).where(asset_table.c.path == place))
            row = found.mappings().first()
        return None if row is None else asset_of(row)

    def held(self, limit: int = 100) -> list[Asset]:
        """What waits for a person, oldest first, and behind it what lies in quarantine, newest first."""
        columns = asset_table.c
        found: list[Asset] = []
        orders: dict[Standing, Any] = {"held": columns.created, "blocked": columns.created.desc()}
        with reading(self.engine) as connection:
            for standing, order in orders.items():
                query = sa.select(asset_table).where(columns.standing == standing).order_by(order, columns.id)
                found += [asset_of(row) for row in connection.execute(query.limit(limit)).mappings()]
        return found

    def standing(self, connection: Connection, asset_id: str | None) -> Standing | None:
        """How an asset stands; None if there is none of that id (any more)."""
        query = sa.select(asset_table.c.standing).where(asset_table.c.id == asset_id)
        found: Standing | None = connection.execute(query).scalar()
        return found

    def standings(self, ids: Collection[str]) -> dict[str, Standing]:
        """How assets stand, by id; those that are gone are missing."""
        query = sa.select(asset_table.c.id, asset_table.c.standing).where(asset_table.c.id.in_(ids))
        with reading(self.engine) as connection:
            return {row.id: row.standing for row in connection.execute(query)} if ids else {}

    def stand(
        self,
        connection: Connection,
        asset_id: str,
        standing: Standing,
        reasons: Sequence[Notice] | None = None,
    ) -> bool:
        """Let an asset stand otherwise, for other reasons if they are given; False if it is gone."""
        more: dict[str, Any] = (
            {} if reasons is None else {"reasons": [asdict(reason) for reason in reasons] or None}
        )
        changed = sa.update(asset_table).where(asset_table.c.id == asset_id)
        more |= {"revision": tick(connection)}
        return bool(connection.execute(changed.values(standing=standing, **more)).rowcount)

    def get(self, asset_id: str) -> Asset | None:
        """One clip, or None if there is none of that id (any more)."""
        with reading(self.engine) as connection:
            return self.read(connection, asset_id)

    def usable(self, asset_id: str) -> Asset | None:
        """As `get`, but for what is held back."""
        asset = self.get(asset_id)
        return asset if asset is not None and asset.standing in USABLE else None

    def get_many(self, ids: Collection[str]) -> dict[str, Asset]:
        """Assets by their ids; those that are gone are missing."""
        query = sa.select(asset_table).where(asset_table.c.id.in_(ids))
        with reading(self.engine) as connection:
            found = connection.execute(query).mappings() if ids else ()
            return {row["id"]: asset_of(row) for row in found}

    def read(self, connection: Connection, asset_id: str) -> Asset | None:
        """As `get`, within the caller's transaction."""
        found = connection.execute(sa.select(asset_table).where(asset_table.c.id == asset_id))
        row = found.mappings().first()
        return None if row is None else asset_of(row)

    def list(
        self, owner: str | None = None, limit: int = 60, offset: int = 0, *, drafts_of: str | None = None
    ) -> list[Asset]:
        """The newest usable clips first; only one owner's if given; of drafts only those of `drafts_of`."""
        columns = asset_table.c
        query = sa.select(asset_table).order_by(columns.created.desc(), columns.id)
        if owner is not None:
            query = query.where(columns.owner == owner)
        shown: sa.ColumnElement[bool] = columns.standing.in_(USABLE)
        if drafts_of is not None:
            shown = sa.and_(shown, sa.or_(columns.standing == "public", columns.owner == drafts_of))
        query = query.where(shown, columns.trashed.is_(None))
        with reading(self.engine) as connection:
            return [asset_of(row) for row in connection.execute(query.limit(limit).offset(offset)).mappings()]

    def every(self) -> Iterator[Asset]:
        """All assets there are, however they stand, by their ids."""
        after = ""
        while True:
            query = sa.select(asset_table).where(asset_table.c.id > after).order_by(asset_table.c.id)
            with reading(self.engine) as connection:
                found = [asset_of(row) for row in connection.execute(query.limit(_AT_ONCE)).mappings()]
            yield from found
            if len(found) < _AT_ONCE:
                return
            after = found[-1].id

    def with_keys(self, owner: str, keys: Collection[str]) -> dict[str, Asset]:
        """An owner's newest clip of each request's key (`film_plan.key_of`), if its file is there."""
        with reading(self.engine) as connection:
            return self.find_keys(connection, owner, keys)

    def find_keys(self, connection: Connection, owner: str, keys: Collection[str]) -> dict[str, Asset]:
        """As `with_keys`, within the caller's transaction."""
        columns = asset_table.c
        mine = (columns.owner == owner, columns.kind == "clip", columns.request_key.in_(keys))
        usable = columns.standing.in_(USABLE)
        query = sa.select(asset_table).where(*mine, usable).order_by(columns.created.desc(), columns.id)
        found: dict[str, Asset] = {}
        for row in connection.execute(query).mappings() if keys else ():
            if row["request_key"] not in found and self.archive.exists(row["path"]):
                found[row["request_key"]] = asset_of(row)
        return found

    def clips_of(self, film_asset_id: str) -> Sequence[Asset]:
        """The clips that a film was cut from, oldest first; those deleted since are missing."""
        query = (
            sa.select(asset_table)
            .join(film_clip_table, film_clip_table.c.clip_asset_id == asset_table.c.id)
            .where(film_clip_table.c.film_asset_id == film_asset_id)
            .order_by(asset_table.c.created, asset_table.c.id)
        )
        with reading(self.engine) as connection:
            return [asset_of(row) for row in connection.execute(query).mappings()]

    def file(self, asset: Asset) -> Path:
        """Where its MP4 lies; it may have been removed by hand."""
        return self.archive.path(asset.path)

    def thumbnail_file(self, asset: Asset) -> Path:
        """Where its still picture lies; it may have been removed by hand."""
        return self.archive.path(asset.thumbnail)

    def exists(self, asset: Asset) -> bool:
        """Whether its MP4 is still there."""
        return self.archive.exists(asset.path)

    def delete(self, asset_id: str, note: Callable[[Connection], None] | None = None) -> bool:
        """Remove a clip's files and its row for good; False if it is unknown. A missing file is no error.

        `note` writes down that it was deleted, in the transaction that does it.
        """
        asset = self.get(asset_id)
        if asset is None:
            return False
        # Files first: if this is interrupted, the row is still there to delete again.
        for place in (asset.path, asset.thumbnail, card_place(asset.path)):
            self.archive.remove(place)
        self._delete_exports(asset_id)
        with writing(self.engine) as connection:
            tick(connection, gone=1)
            gone = connection.execute(sa.delete(asset_table).where(asset_table.c.id == asset_id)).rowcount
            if gone and note is not None:
                note(connection)
        # One may have been given its place meanwhile: none is from here on.
        self._delete_exports(asset_id)
        return bool(gone)

    def _delete_exports(self, asset_id: str) -> None:
        """Remove it in other formats, and their credentials."""
        for path in (self.home / EXPORTS).glob(f"{glob.escape(asset_id)}.*"):
            path.unlink(missing_ok=True)

    def sweep(self, tmp: Path) -> None:
        """Remove what a killed worker left in its own `tmp`, and files it moved but never published."""
        for marker in tmp.glob(f"*{PUBLISHING}"):
            if self.get(marker.name.removesuffix(PUBLISHING)) is None:
                for line in marker.read_text("utf-8").splitlines():
                    self.archive.remove(line)
        for left in tmp.glob("*"):
            log.info("removing %s, left by a worker that was killed", left.name)
            left.unlink(missing_ok=True)


def _project_of(connection: Connection, form: Mapping[str, Any]) -> str | None:
    """The project that a form asks for, if it is there (still)."""
    wanted = form.get("project")
    query = sa.select(project_table.c.id).where(project_table.c.id == wanted)
    return connection.execute(query).scalar() if isinstance(wanted, str) and wanted else None


def asset_of(row: Any) -> Asset:
    """The asset of a mapping of its row."""
    values = {name: row[name] for name in Asset.__dataclass_fields__}
    values["plan"] = None if row["plan"] is None else read_plan(row["plan"])
    values["reasons"] = tuple(map(notice_of, row["reasons"] or ()))
    return Asset(**values | {"request": request_of(row["request"])})
