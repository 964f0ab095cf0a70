"""What the doors hand out: a job as one visitor sees it. No browser, no torch."""

from dataclasses import dataclass, replace

from pipelines.request import Notice
from studio import access
from studio.access import Visitor
from studio.jobs import Job, JobProgress
from studio.library import Asset, Standing
from studio.refusal import Refused

__all__ = ["FINAL_STATES", "JobView", "Refused", "seen_by"]

FINAL_STATES = frozenset({"done", "failed", "cancelled"})
# Standings of what is made and not shown to everybody.
WITHHELD: frozenset[Standing] = frozenset({"draft", "held", "blocked", "rejected"})


@dataclass(frozen=True)
class JobView:
    """A job as one visitor sees it now. `eta` in seconds until it is done; `position` counts jobs ahead.

    What a visitor may not see of a finished job is no asset here: `standing` and `reasons` say why.
    """

    job: Job
    progress: JobProgress | None
    position: int | None
    eta: float | None
    asset: Asset | None
    may_change: bool = False
    standing: Standing | None = None
    reasons: tuple[Notice, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether nothing about this job will change by itself any more: what is held is decided about."""
        return self.job.state in FINAL_STATES and self.standing != "held"

    @property
    def waits_for_a_person(self) -> bool:
        """Whether it goes on only when a person decides: about its words, or about what was made of them."""
        return self.job.state == "held" or (self.job.state == "done" and self.standing == "held")

    @property
    def state(self) -> str:
        """How it stands in one word: the job's state, or the standing of what was made and is not open."""
        withheld = self.job.state == "done" and self.standing in WITHHELD
        return str(self.standing) if withheld else self.job.state


def seen_by(visitor: Visitor, view: JobView) -> JobView:
    """The view with this visitor's rights."""
    view = replace(view, may_change=access.may_change(visitor, view.job.owner))
    asset = view.asset
    if asset is None:
        return view
    seen = asset if access.may_see(visitor, asset.standing, asset.owner) else None
    return replace(view, asset=seen, standing=asset.standing, reasons=asset.reasons)
