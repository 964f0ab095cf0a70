"""The tables of stories, by themselves: the database is made without reading the rest of this room."""

import sqlalchemy as sa

from studio.db import UtcTime, metadata

story_table = sa.Table(
    "story",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    # How many shots it has, so that lists need not read the documents.
    sa.Column("shots", sa.Integer, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    # Grows with every change: who changes an older one is told so.
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("updated", UtcTime, nullable=False),
    sa.Index("story_by_owner", "owner", "updated"),
    sa.Index("story_by_time", "updated"),
)

# What was asked for, by the request's key; which job makes or made it, the jobs' rows tell.
take_table = sa.Table(
    "take",
    metadata,
    sa.Column("story_id", sa.Text, sa.ForeignKey("story.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("shot_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
)
