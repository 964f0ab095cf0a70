"""The tables of grids and of the votes on them, by themselves: the database is made without reading more."""

import sqlalchemy as sa

from studio.db import UtcTime, metadata

grid_table = sa.Table(
    "grid",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    # What was asked for (`grid_plan.GridPlan`); its cells have rows of their own.
    sa.Column("plan", sa.JSON, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Index("grid_by_owner", "owner", "created"),
    sa.Index("grid_by_time", "created"),
)

# Which clip belongs into which place. The key finds it, whoever made it for this owner and when.
grid_cell_table = sa.Table(
    "grid_cell",
    metadata,
    sa.Column("grid_id", sa.Text, sa.ForeignKey("grid.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("request_key", sa.Text, nullable=False),
    sa.Column("form", sa.JSON, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    # The job that makes or made it; none for a clip that was there before.
    sa.Column("job_id", sa.Text),
    sa.Index("grid_cell_by_job", "job_id"),
)

# What one visitor said of one pair of a grid's clips, by their cells' numbers, `one` below `other`.
vote_table = sa.Table(
    "vote",
    metadata,
    sa.Column("grid_id", sa.Text, sa.ForeignKey("grid.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("voter", sa.Text, primary_key=True),
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("other", sa.Integer, primary_key=True),
    # "one", "other", "tie" or "skip".
    sa.Column("choice", sa.Text, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
)
