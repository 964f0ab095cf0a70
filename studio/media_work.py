"""Media jobs: what is made of clips that are there, with ffmpeg alone. Runs in the worker beside the clips.

A task is a name and values, kept in the job's row (`Jobs.submit_media`); the worker's table TASKS says who
does it. Whoever does one makes a file, takes it through the gate (`studio.exporting`) and publishes it under
the job's fence. No torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from studio.card import Card
from studio.claims import Attempt, Claims
from studio.exporting import Exporter
from studio.hands import Orders, own_tmp
from studio.library import Library
from studio.media.ffmpeg import MediaError
from studio.reporter import Reporter
from studio.settings import Settings


@dataclass(frozen=True)
class Bench:
    """What a task works with: one attempt at one job, and where its results go.

    `tmp` is the worker's own folder (what is left there is swept); `should_stop()` turns true when the job
    was cancelled, or the worker is to end: the task then raises Cancelled soon. What computes on the worker's
    `card` takes turns there with its clips.
    """

    attempt: Attempt
    task: dict[str, Any]
    settings: Settings
    library: Library
    exporter: Exporter
    claims: Claims
    reporter: Reporter
    should_stop: Callable[[], bool]
    tmp: Path
    card: Card


# Makes and publishes its file: False if it was not ours to publish any more.
Task = Callable[[Bench], bool]


class MediaMaker:
    """Does media jobs, one at a time; `tasks` are those it knows by name, `card` is shared with clips."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        orders: Orders,
        tasks: Mapping[str, Task],
        card: Card | None = None,
    ) -> None:
        self.settings = settings
        self.card = card or Card()
        self.orders, self.tasks = orders, tasks
        self.claims = Claims(engine, settings.worker_id)
        self.library = Library(engine, settings.studio_home)
        self.exporter = Exporter(settings, engine)
        self.tmp = own_tmp(settings)

    def make(self, attempt: Attempt) -> bool:
        """Do a job's task; False if what came of it was not ours to publish any more."""
        task = attempt.job.task or {}
        does = self.tasks.get(str(task.get("name")))
        if does is None:
            # Asked for by a later studio.
            raise MediaError("task_unknown", value=str(task.get("name"))[:40])
        with Reporter(self.claims, attempt) as reporter:
            return does(
                Bench(
                    attempt=attempt,
                    task=task,
                    settings=self.settings,
                    library=self.library,
                    exporter=self.exporter,
                    claims=self.claims,
                    reporter=reporter,
                    should_stop=reporter.stops_at(self.orders.stopping),
                    tmp=self.tmp,
                    card=self.card,
                )
            )
