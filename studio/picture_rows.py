"""The rows of pictures that clips begin with, for those who queue jobs and those who make them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from pipelines.request import GenerationRequest, Notice
from studio.db import UtcTime, metadata
from studio.rows import notice_of

FOLDER = "inputs"

picture_table = sa.Table(
    "picture",
    metadata,
    # SHA-256 of its file: the same picture twice is one.
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    # What the picture check said: "allow", or "hold" for these reasons. One that is blocked is never kept.
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reasons", sa.JSON(none_as_null=True)),
    # The clip that it is a frame of, counted from 0, and the colour look that the clip has.
    sa.Column("asset_id", sa.Text),
    sa.Column("frame", sa.Integer),
    sa.Column("look", sa.Text, nullable=False, server_default=""),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("used", UtcTime, nullable=False),
    sa.Index("picture_by_asset", "asset_id"),
    sa.Index("picture_by_use", "used"),
)


@dataclass(frozen=True)
class Picture:
    """A picture that a clip may begin with. `id` is what requests name: the SHA-256 of its PNG.

    `asset_id` and `frame` say which frame of which clip it is, None where it was brought; `look` is the
    colour look that such a frame already has.
    """

    id: str
    width: int
    height: int
    reasons: tuple[Notice, ...]
    asset_id: str | None
    frame: int | None
    look: str
    created: datetime
    used: datetime

    @property
    def held(self) -> bool:
        """Whether a person looks at a clip's picture before the clip is made."""
        return bool(self.reasons)


def place_of(home: Path, picture_id: str) -> Path:
    """Where a picture's file lies."""
    return home / FOLDER / f"{picture_id}.png"


def read_picture(connection: Connection, picture_id: str) -> Picture | None:
    """One picture; None if none of that id is kept (any more)."""
    query = sa.select(picture_table).where(picture_table.c.id == picture_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else picture_of(row)


def picture_of(row: Any) -> Picture:
    """The picture of a mapping of its row."""
    values = {name: row[name] for name in Picture.__dataclass_fields__}
    return Picture(**values | {"reasons": tuple(map(notice_of, row["reasons"] or ()))})


def held_picture(connection: Connection, request: GenerationRequest | None) -> Notice | None:
    """Why a request's picture waits for a person; None if it does not, or the request has none."""
    if request is None or not request.first_frame:
        return None
    picture = read_picture(connection, request.first_frame)
    return picture.reasons[0] if picture is not None and picture.held else None


def frames_of(connection: Connection, asset_ids: Collection[str]) -> dict[str, str]:
    """The pictures that clips are gone on from, by clip: as far as they were taken out already."""
    columns = picture_table.c
    query = sa.select(columns.asset_id, columns.id).where(columns.asset_id.in_(asset_ids))
    return {row.asset_id: row.id for row in connection.execute(query)} if asset_ids else {}
