"""The library: clips that are kept, as files below the studio's home and one row each."""

import logging
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from pipelines.request import GenerationRequest
from studio.db import UtcTime, metadata, reading, utc_now, writing

# Its file lies in a worker's tmp folder while clips are being published, and names the files that are moved.
PUBLISHING = ".publishing"

log = logging.getLogger(__name__)

asset_table = sa.Table(
    "asset",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False, unique=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("thumbnail", sa.Text, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
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
)


@dataclass(frozen=True)
class Asset:
    """A kept clip. Paths are relative to the home; `seconds` is its length, `render_seconds` its making."""

    id: str
    job_id: str
    owner: str
    path: str
    thumbnail: str
    request: GenerationRequest
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

    def add(self, asset: Asset, connection: Connection | None = None) -> None:
        """Keep a clip whose files lie in their place; within the caller's transaction if there is one."""
        values = asdict(asset) | {"request": asset.request.model_dump(mode="json")}
        if connection is not None:
            connection.execute(sa.insert(asset_table).values(**values))
            return
        with writing(self.engine) as own:
            own.execute(sa.insert(asset_table).values(**values))

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
    # Validated when it was made; a later studio may allow other sizes and still shows it.
    return Asset(**{**row, "request": GenerationRequest.model_construct(**row["request"])})
