"""What tells an open page that a story has changed: one small query, nothing is rendered."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Engine

from studio.db import reading
from studio.rows import LIVE, job_table
from studio.story.tables import story_table, take_table


@dataclass(frozen=True)
class Pulse:
    """A story's revision; its newest film and that one's state; how many films are under way, how many takes.

    The newest film may be one of a table's. `decided`: how often a person decided about anything so far.
    """

    revision: int
    film: str
    state: str
    busy: int
    takes: int
    decided: int = 0

    @property
    def mark(self) -> str:
        """All of it as one text: another one as soon as anything of it is another."""
        return f"{self.revision}.{self.film}.{self.state}.{self.busy}.{self.takes}.{self.decided}"


def pulse(engine: Engine, story_id: str) -> Pulse | None:
    """How a story is now; None if there is none of that id (any more)."""
    job, story = job_table.c, story_table.c
    mine = sa.and_(job.story_id == story_id, job.kind == "film")
    newest = sa.select(job.id, job.state).where(mine).order_by(job.created.desc(), job.id).limit(1).subquery()
    query = sa.select(
        story.revision,
        sa.select(newest.c.id).scalar_subquery().label("film"),
        sa.select(newest.c.state).scalar_subquery().label("state"),
        sa.select(sa.func.count()).where(mine, job.state.in_(LIVE)).scalar_subquery().label("busy"),
        sa.select(sa.func.count()).where(take_table.c.story_id == story_id).scalar_subquery().label("takes"),
        sa.select(sa.func.count()).select_from(sa.table("decision")).scalar_subquery().label("decided"),
    ).where(story.id == story_id)
    with reading(engine) as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    return Pulse(row.revision, row.film or "", row.state or "", row.busy, row.takes, row.decided)
