"""The table of edits, by itself: the database is made without reading more."""

import sqlalchemy as sa

from studio.db import UtcTime, metadata

# Which clip a job is another take of, because of which wish. It outlives both: what is gone is left out by
# whoever shows it.
edit_table = sa.Table(
    "edit",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("wish", sa.Text, nullable=False),
    sa.Column("intents", sa.JSON, nullable=False),
    # All that was done to the pictures since they were rendered (`media.retouch.Operation`), oldest first.
    sa.Column("operations", sa.JSON, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Index("edit_by_source", "source_id", "created"),
)
