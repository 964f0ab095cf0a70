"""The library: clips and films that are kept, as files below the studio's home and one row each."""

import logging
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipelines.models import Size
from pipelines.request import GenerationRequest
from studio.db import UtcTime, metadata, reading, utc_now, writing
from studio.rows import Kind, asked, request_of
from studio.story.film_plan import FilmPlan, key_of, read_plan

# Its file lies in a worker's tmp folder while clips are being published, and names the files that are moved.
PUBLISHING = ".publishing"

log = logging.getLogger(__name__)

asset_table = sa.Table(
    "asset",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False, unique=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, server_default="clip"),
    sa.Column("title", sa.Text, nullable=False, server_default=""),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("thumbnail", sa.Text, nullable=False),
    # As in the row of the job: a clip has a request and its key, a film a plan.
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("request_key", sa.Text),
    sa.Column("plan", sa.JSON(none_as_null=True)),
    sa.Column("form", sa.JSON, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("model_revision", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("fps", sa.Integer, nullable=False),
    sa.Column("frames", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("render_seconds", sa.Float, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Index("asset_by_owner", "owner", "created"),
    sa.Index("asset_by_time", "created"),
    sa.Index("asset_by_key", "owner", "request_key"),
)

# Which clips a film was cut from. It holds copies of their pictures: either can be deleted alone.
film_clip_table = sa.Table(
    "film_clip",
    metadata,
    sa.Column("film_asset_id", sa.Text, sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("clip_asset_id", sa.Text, sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("film_clip_by_clip", "clip_asset_id"),
)


@dataclass(frozen=True)
class Asset:
    """A kept clip or film. Paths are relative to the home.

    `seconds` is its length, `render_seconds` what its making took. A clip has a `request`, and its key once
    it is kept (None: kept before there were keys); a film has a `title` and a `plan`.
    """

    id: str
    job_id: str
    owner: str
    path: str
    thumbnail: str
    request: GenerationRequest | None
    form: dict[str, Any]
    model: str
    model_revision: str
    width: int
    height: int
    seconds: float
    fps: int
    frames: int
    bytes: int
    sha256: str
    render_seconds: float
    created: datetime
    kind: Kind = "clip"
    title: str = ""
    request_key: str | None = None
    plan: FilmPlan | None = None

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return Size(self.width, self.height)

    @property
    def asked(self) -> str:
        """What a list shows: a film's title, or the prompt as it was typed."""
        return self.title or asked(self.form, self.request, self.plan)


def new_place(suffix: str) -> tuple[str, str, str]:
    """A new asset's id, and where its film and its still picture (`suffix`: ".webp") will lie."""
    asset_id = secrets.token_urlsafe(12)
    folder = f"media/{utc_now():%Y/%m}"
    return asset_id, f"{folder}/{asset_id}.mp4", f"{folder}/{asset_id}{suffix}"


class Library:
    """Owns the table `asset` and the files in `home/media`."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self.engine = engine
        self.home = home

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
        connection.execute(sa.insert(asset_table).values(**values))
        there = sa.select(asset_table.c.id).where(asset_table.c.id.in_(clips))
        for clip in connection.execute(there).scalars().all() if clips else ():
            connection.execute(sa.insert(film_clip_table).values(film_asset_id=asset.id, clip_asset_id=clip))
        return None

    def get(self, asset_id: str) -> Asset | None:
        """One clip, or None if there is none of that id (any more)."""
        with reading(self.engine) as connection:
            row = (
                connection.execute(sa.select(asset_table).where(asset_table.c.id == asset_id))
                .mappings()
                .first()
            )
        return None if row is None else _asset(row)

    def list(self, owner: str | None = None, limit: int = 60, offset: int = 0) -> list[Asset]:
        """The newest clips first; only one owner's if given."""
        query = sa.select(asset_table).order_by(asset_table.c.created.desc(), asset_table.c.id)
        if owner is not None:
            query = query.where(asset_table.c.owner == owner)
        with reading(self.engine) as connection:
            return [_asset(row) for row in connection.execute(query.limit(limit).offset(offset)).mappings()]

    def with_keys(self, owner: str, keys: Collection[str]) -> dict[str, Asset]:
        """An owner's newest clip of each request's key (`film_plan.key_of`), if its file is there."""
        with reading(self.engine) as connection:
            return self.find_keys(connection, owner, keys)

    def find_keys(self, connection: Connection, owner: str, keys: Collection[str]) -> dict[str, Asset]:
        """As `with_keys`, within the caller's transaction."""
        columns = asset_table.c
        mine = (columns.owner == owner, columns.kind == "clip", columns.request_key.in_(keys))
        query = sa.select(asset_table).where(*mine).order_by(columns.created.desc(), columns.id)
        found: dict[str, Asset] = {}
        for row in connection.execute(query).mappings() if keys else ():
            if row["request_key"] not in found and (self.home / row["path"]).is_file():
                found[row["request_key"]] = _asset(row)
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
            return [_asset(row) for row in connection.execute(query).mappings()]

    def file(self, asset: Asset) -> Path:
        """Where its MP4 lies; it may have been removed by hand."""
        return self.home / asset.path

    def thumbnail_file(self, asset: Asset) -> Path:
        """Where its still picture lies; it may have been removed by hand."""
        return self.home / asset.thumbnail

    def exists(self, asset: Asset) -> bool:
        """Whether its MP4 is still there."""
        return self.file(asset).is_file()

    def delete(self, asset_id: str) -> bool:
        """Remove a clip's files and its row for good; False if it is unknown. A missing file is no error."""
        asset = self.get(asset_id)
        if asset is None:
            return False
        # Files first: if this is interrupted, the row is still there to delete again.
        self.file(asset).unlink(missing_ok=True)
        self.thumbnail_file(asset).unlink(missing_ok=True)
        with writing(self.engine) as connection:
            connection.execute(sa.delete(asset_table).where(asset_table.c.id == asset_id))
        return True

    def sweep(self, tmp: Path) -> None:
        """Remove what a killed worker left in its own `tmp`, and files it moved but never published."""
        for marker in tmp.glob(f"*{PUBLISHING}"):
            if self.get(marker.name.removesuffix(PUBLISHING)) is None:
                for line in marker.read_text("utf-8").splitlines():
                    (self.home / line).unlink(missing_ok=True)
        for left in tmp.glob("*"):
            log.info("removing %s, left by a worker that was killed", left.name)
            left.unlink(missing_ok=True)


def _asset(row: Any) -> Asset:
    plan = None if row["plan"] is None else read_plan(row["plan"])
    return Asset(**{**row, "request": request_of(row["request"]), "plan": plan})
