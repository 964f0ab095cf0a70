"""How long a clip takes to be made larger and smoother, from those that were made before."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import sqlalchemy as sa
from sqlalchemy import Connection

from studio.library import asset_table
from studio.media.retouch import FINISHING, Operation, Shape, shape_after
from studio.retouching import NAME
from studio.rows import job_table

# Of the media jobs done last so many are looked at.
_LAST = 60


@dataclass(frozen=True)
class PastFinish:
    """One finished clip: by what ("enlarge network smooth blend"), seconds for a pixel of all its frames."""

    by: str
    pace: float


def past_finishes(connection: Connection) -> list[PastFinish]:
    """The clips finished last that nothing was rendered for."""
    job, asset = job_table.c, asset_table.c
    query = (
        sa.select(job.task, asset.width, asset.height, asset.frames, asset.render_seconds)
        .join(asset_table, asset.id == job.asset_id)
        .where(job.kind == "media", job.state == "done")
        .order_by(job.finished.desc())
        .limit(_LAST)
    )
    found = []
    for row in connection.execute(query):
        task = row.task or {}
        by = _by([Operation.model_validate(one) for one in task.get("operations", ())])
        if task.get("name") == NAME and not task.get("request") and by:
            pixels = row.width * row.height * row.frames
            found.append(PastFinish(by, row.render_seconds / max(1, pixels)))
    return found


def finish_seconds(shape: Shape, operations: Sequence[Operation], past: Sequence[PastFinish]) -> float | None:
    """What it takes by the median of the same; None if that was never done."""
    paces = [one.pace for one in past if one.by == _by(operations)]
    after = shape_after(shape, operations)
    return median(paces) * after.width * after.height * after.frames if paces else None


def _by(operations: Sequence[Operation]) -> str:
    last = {one.name: one.how for one in operations if one.name in FINISHING}
    return " ".join(f"{name} {last[name]}" for name in FINISHING if name in last)
