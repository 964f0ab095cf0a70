"""A grid as one visitor sees it: its cells in their places, how each stands, and what the whole costs."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from pipelines.cloud_facts import Money
from pipelines.request import GenerationRequest, Notice
from studio.grid_plan import GridPlan, Place
from studio.library import Asset
from studio.rows import OPEN, Job, JobProgress

# Wider tables are no table on a page of a video.
_WIDEST = 8
# As a job's states; a finished clip may be withheld by its standing, and "gone" is one whose file is lost.
CellState = Literal[
    "held", "queued", "running", "done", "failed", "cancelled", "gone", "draft", "blocked", "rejected"
]
AGAIN: tuple[CellState, ...] = ("failed", "cancelled", "gone")


@dataclass(frozen=True)
class Cell:
    """One cell. `number` counts from 0 in the plan's order; `asset` is the clip, if this visitor may see it.

    `reused`: nobody had to make it for this grid. `eta` in seconds, `position` counts jobs ahead.
    """

    number: int
    place: Place
    form: Mapping[str, Any]
    request: GenerationRequest
    key: str
    state: CellState
    job: Job | None = None
    asset: Asset | None = None
    reused: bool = False
    progress: JobProgress | None = None
    position: int | None = None
    eta: float | None = None

    @property
    def error(self) -> Notice | None:
        """Why it failed."""
        return self.job.error if self.job is not None and self.state == "failed" else None


@dataclass(frozen=True)
class GridView:
    """A grid. `export` is the newest job that makes one film of it (`Grids.export`)."""

    id: str
    owner: str
    plan: GridPlan
    created: datetime
    cells: tuple[Cell, ...]
    may_change: bool = False
    export: Job | None = None
    export_progress: JobProgress | None = None

    @property
    def title(self) -> str:
        """What it is called."""
        return self.plan.title

    @cached_property
    def counts(self) -> Mapping[CellState, int]:
        """How many cells are in each state; 0 for states that none is in."""
        return Counter(cell.state for cell in self.cells)

    @property
    def is_live(self) -> bool:
        """Whether anything of it may still change by itself."""
        waits = self.export is not None and self.export.state in OPEN
        return waits or any(self.counts[state] for state in ("held", "queued", "running"))

    @property
    def eta(self) -> float | None:
        """Seconds until its last cell is done; None if nobody can know."""
        left = [cell.eta for cell in self.cells if cell.state in ("queued", "running")]
        known = [seconds for seconds in left if seconds is not None]
        return max(known) if known and len(known) == len(left) else None

    @property
    def mark(self) -> str:
        """Another one whenever something shown of it is another."""
        told: list[object] = [self.export.state if self.export else "", self.export_progress]
        for cell in self.cells:
            told += [cell.state, cell.asset and cell.asset.id, cell.position, cell.progress]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class GridLine:
    """One grid in a list: how many of its cells are done, and how many still wait or run."""

    id: str
    owner: str
    title: str
    created: datetime
    cells: int
    done: int
    live: int
    stills: tuple[str, ...] = ()


@dataclass(frozen=True)
class GridEstimate:
    """What a grid asked for now would cost: clips to render, those that are there or on their way, times.

    `seconds` of rendering, `wait` before it starts; `price` in `currency` of the GPU's time: None where
    nobody can know. `cloud` is what the cloud takes, `unlisted` whether its list leaves something out.
    `cannot`: why it would be refused as things stand.
    """

    cells: int
    to_render: int
    reused: int
    seconds: float | None
    ahead: int
    wait: float | None
    price: float | None
    currency: str
    cloud: Money | None = None
    unlisted: bool = False
    cannot: Notice | None = None


def columns_of(view: GridView) -> int | None:
    """How many columns its table has: styles x seeds; None where a table says nothing, as in a single row."""
    columns = {(cell.place.style, cell.place.seed) for cell in view.cells}
    rows = {(cell.place.line, cell.place.setting) for cell in view.cells}
    return len(columns) if len(rows) > 1 and 1 < len(columns) <= _WIDEST else None
