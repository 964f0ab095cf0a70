"""What the doors hand out: a job as one visitor sees it, and a refusal in words. No browser, no torch."""

from dataclasses import dataclass, replace

from pipelines.request import Notice
from studio import access
from studio.access import Visitor
from studio.jobs import Job, JobProgress
from studio.library import Asset

FINAL_STATES = frozenset({"done", "failed", "cancelled"})


class Refused(Exception):
    """What was asked can't be done; `notices` say why, one a problem, in words each reader gets worded."""

    def __init__(self, *found: Notice) -> None:
        super().__init__(", ".join(notice.code for notice in found))
        self.notices = list(found)


@dataclass(frozen=True)
class JobView:
    """A job as one visitor sees it now. `eta` in seconds until it is done; `position` counts jobs ahead."""

    job: Job
    progress: JobProgress | None
    position: int | None
    eta: float | None
    asset: Asset | None
    may_change: bool = False

    @property
    def is_final(self) -> bool:
        """Whether nothing about this job will change by itself any more."""
        return self.job.state in FINAL_STATES


def seen_by(visitor: Visitor, view: JobView) -> JobView:
    """The view with this visitor's rights."""
    return replace(view, may_change=access.may_change(visitor, view.job.owner))
