"""The register of every file that was made to leave: its number, fingerprint and owner. It outlives the file.

A leaked copy is named by it, also when the clip itself was deleted long ago.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from studio.db import UtcTime, metadata

export_table = sa.Table(
    "export",
    metadata,
    # The ProduceID of its metadata label.
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("asset_id", sa.Text, nullable=False),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    # "clip", "film", or the format that a film was exported to.
    sa.Column("kind", sa.Text, nullable=False),
    # 16 hexadecimal digits: no database here has unsigned 64-bit numbers.
    sa.Column("codeword", sa.Text, nullable=False),
    # Perceptual hashes of frames, one behind the other (`studio.trust.likeness`).
    sa.Column("hashes", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("label", sa.JSON, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Index("export_by_asset", "asset_id"),
    sa.Index("export_by_time", "created", "id"),
    sa.Index("export_by_hash", "sha256"),
)
# The library's own table, as much of it as is asked for here.
_asset = sa.table("asset", sa.column("id"))


@dataclass(frozen=True)
class Registered:
    """One export as the register keeps it. `label` says how its visible label was (`LabelStyle`'s fields)."""

    id: str
    asset_id: str
    job_id: str
    owner: str
    kind: str
    codeword: int
    hashes: bytes
    sha256: str
    label: dict[str, object]
    created: datetime


def register(connection: Connection, export: Registered) -> None:
    """Keep an export for good, within the caller's transaction."""
    values = {name: getattr(export, name) for name in Registered.__dataclass_fields__}
    values["codeword"] = f"{export.codeword:016x}"
    connection.execute(sa.insert(export_table).values(**values))


def of_asset(connection: Connection, asset_id: str) -> list[Registered]:
    """The exports of a clip or film, oldest first."""
    query = sa.select(export_table).where(export_table.c.asset_id == asset_id)
    rows = connection.execute(query.order_by(export_table.c.created, export_table.c.id)).mappings()
    return [_registered(row) for row in rows]


def whole_of(connection: Connection, asset_id: str) -> Registered | None:
    """The export that is the clip or film itself, not another format of it."""
    rows = of_asset(connection, asset_id)
    return next((row for row in rows if row.kind in ("clip", "film")), None)


def by_id(connection: Connection, export_id: str) -> Registered | None:
    """The export of that number; None if none was made here."""
    return _one(connection, export_table.c.id == export_id)


def by_sha256(connection: Connection, digest: str) -> Registered | None:
    """The export whose file is this one, to the last byte."""
    return _one(connection, export_table.c.sha256 == digest)


def by_codeword(connection: Connection, codeword: int) -> list[Registered]:
    """The exports whose pictures carry this fingerprint, oldest first: a film, and it in other formats."""
    query = sa.select(export_table).where(export_table.c.codeword == f"{codeword:016x}")
    rows = connection.execute(query.order_by(export_table.c.created, export_table.c.id)).mappings()
    return [_registered(row) for row in rows]


def kept(connection: Connection, asset_ids: Collection[str]) -> set[str]:
    """Which of these clips and films are still in the library."""
    query = sa.select(_asset.c.id).where(_asset.c.id.in_(asset_ids))
    return set(connection.execute(query).scalars()) if asset_ids else set()


def since(
    connection: Connection, created: datetime | None, after: str = "", *, limit: int | None = None
) -> list[Registered]:
    """The exports made later than `created` (of the same moment: with an id above `after`), oldest first."""
    table = export_table.c
    query = sa.select(export_table).order_by(table.created, table.id).limit(limit)
    if created is not None:
        same = sa.and_(table.created == created, table.id > after)
        query = query.where(sa.or_(table.created > created, same))
    return [_registered(row) for row in connection.execute(query).mappings()]


def _one(connection: Connection, condition: sa.ColumnElement[bool]) -> Registered | None:
    row = connection.execute(sa.select(export_table).where(condition).limit(1)).mappings().first()
    return None if row is None else _registered(row)


def _registered(row: sa.RowMapping) -> Registered:
    return Registered(**{**row, "codeword": int(row["codeword"], 16)})
