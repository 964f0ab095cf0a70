"""The tables of the library, and the clock that counts their changes."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from studio.db import UtcTime, metadata

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
    sa.Column("standing", sa.Text, nullable=False, server_default="public"),
    # How its visible label was (`LabelStyle`'s fields), and why it does not stand open.
    sa.Column("label", sa.JSON(none_as_null=True)),
    sa.Column("reasons", sa.JSON(none_as_null=True)),
    sa.Column("project_id", sa.Text),
    # When it was put into the trash; None: it is not there.
    sa.Column("trashed", UtcTime),
    # What the clock said when it last changed.
    sa.Column("revision", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Index("asset_by_standing", "standing", "created"),
    sa.Index("asset_by_owner", "owner", "created"),
    sa.Index("asset_by_time", "created"),
    sa.Index("asset_by_key", "owner", "request_key"),
    sa.Index("asset_by_project", "project_id", "created"),
    sa.Index("asset_by_trash", "trashed"),
    sa.Index("asset_by_revision", "revision"),
)

# Which clips a film was cut from. It holds copies of their pictures: either can be deleted alone.
film_clip_table = sa.Table(
    "film_clip",
    metadata,
    sa.Column("film_asset_id", sa.Text, sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("clip_asset_id", sa.Text, sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("film_clip_by_clip", "clip_asset_id"),
)

project_table = sa.Table(
    "project",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    # As the rule of that name (`trust.policy.Policy.publish`) for what is made here; None: as the rules say.
    sa.Column("publish", sa.Text),
    sa.Column("created", UtcTime, nullable=False),
    sa.Index("project_by_owner", "owner", "created"),
)

tag_table = sa.Table(
    "asset_tag",
    metadata,
    sa.Column("asset_id", sa.Text, sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag", sa.Text, primary_key=True),
    sa.Index("asset_by_tag", "tag", "asset_id"),
)

favourite_table = sa.Table(
    "favourite",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("asset_id", sa.Text, sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("favourite_by_asset", "asset_id"),
)

# What an asset is found by, read out of its words once: see `studio.library.entry`.
entry_table = sa.Table(
    "library_entry",
    metadata,
    sa.Column("asset_id", sa.Text, sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    # Which edition of the reading made it: another one is read anew.
    sa.Column("edition", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("facets", sa.Text, nullable=False),
    sa.Column("meaning", sa.LargeBinary),
    sa.Index("entry_by_edition", "edition"),
)

# One row: `revision` grows with each change of what is found, `gone` with each asset that is deleted. Whoever
# changes something holds the row until the commit, so revisions become visible in their order.
clock_table = sa.Table(
    "library_clock",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("gone", sa.BigInteger, nullable=False),
)

# Up to which revision the cards beside the films are written, by the edition of the cards.
carded_table = sa.Table(
    "library_carded",
    metadata,
    sa.Column("edition", sa.Text, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
)


def tick(connection: Connection, *, gone: int = 0) -> int:
    """A new revision, for what the caller's transaction changes; `gone`: how many assets it deletes."""
    clock = clock_table.c
    further = sa.update(clock_table).values(revision=clock.revision + 1, gone=clock.gone + gone)
    if not connection.execute(further).rowcount:
        try:
            with connection.begin_nested():
                connection.execute(sa.insert(clock_table).values(id=1, revision=1, gone=gone))
        except sa.exc.IntegrityError:
            # Another process began it in the meantime.
            connection.execute(further)
    return int(connection.execute(sa.select(clock.revision)).scalar_one())


def revision(connection: Connection) -> int:
    """What the clock says: 0 before the first change of all."""
    return int(connection.execute(sa.select(clock_table.c.revision)).scalar() or 0)


def touch(connection: Connection, ids: Sequence[str]) -> None:
    """Let what follows the library look at these assets anew."""
    these = sa.update(asset_table).where(asset_table.c.id.in_(ids))
    connection.execute(these.values(revision=tick(connection)))
