"""The tables of review rooms, by themselves: the database is made without reading more."""

import sqlalchemy as sa

from studio.db import UtcTime, metadata

# One link that somebody was given. Its secret is kept by nobody here, only its hash.
link_table = sa.Table(
    "room_link",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    # What it opens (`types.Room`), who made it and for whom.
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("rights", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("expires", UtcTime, nullable=False),
    sa.Column("revoked", UtcTime),
    sa.Index("room_link_by_room", "room", "created"),
    sa.Index("room_link_by_owner", "owner", "created"),
)

comment_table = sa.Table(
    "room_comment",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, nullable=False),
    # The link it came by; none for what is said from the studio.
    sa.Column("link_id", sa.Text),
    # What is spoken of (`types.Item.id`), and the clip or film that was looked at.
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("asset_id", sa.Text, nullable=False),
    # When in that clip, and where in its picture: shares of width and height.
    sa.Column("seconds", sa.Float),
    sa.Column("x", sa.Float),
    sa.Column("y", sa.Float),
    # The comment that this one answers.
    sa.Column("parent", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("guest", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("resolved", UtcTime),
    sa.Index("room_comment_by_room", "room", "at"),
    sa.Index("room_comment_by_asset", "asset_id"),
)

# What was decided of an item; rows are only ever added, the newest counts.
verdict_table = sa.Table(
    "room_verdict",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("link_id", sa.Text, nullable=False),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("asset_id", sa.Text, nullable=False),
    # "approve" or "changes".
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("guest", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Index("room_verdict_by_room", "room", "number"),
    sa.Index("room_verdict_by_asset", "asset_id"),
)
