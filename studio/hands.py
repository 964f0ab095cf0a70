"""What a worker has in hand: jobs of each kind, one or a few at once, from ticket to end. No torch."""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.request import Cancelled, Notice
from studio.claims import Attempt, Claims
from studio.lock import file_name
from studio.media.ffmpeg import MediaError, no_room
from studio.rows import Kind
from studio.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Orders:
    """What the process was told: `stopping` to give its jobs back at once, `draining` to take no new ones."""

    stopping: threading.Event = field(default_factory=threading.Event)
    draining: threading.Event = field(default_factory=threading.Event)


class Hand:
    """Makes jobs of one kind, `at_once` of them beside each other. `jobs` are those in hand.

    `work(attempt)` makes and publishes one: False if it was not ours to publish any more.
    """

    def __init__(
        self,
        kind: Kind,
        claims: Claims,
        orders: Orders,
        work: Callable[[Attempt], bool],
        *,
        at_once: int = 1,
    ) -> None:
        self.kind, self.at_once = kind, at_once
        self._jobs: dict[str, None] = {}
        self._claims = claims
        self._orders = orders
        self._work = work
        self._turn = threading.BoundedSemaphore(at_once)

    @property
    def jobs(self) -> tuple[str, ...]:
        """The jobs in hand, the first begun first."""
        return tuple(self._jobs)

    @property
    def current(self) -> str | None:
        """The job in hand, the first of several."""
        return next(iter(self.jobs), None)

    def claim(self, workflow_id: str) -> str | None:
        """The job that a ticket is for; None if there is none, or this worker takes no more."""
        if self._orders.stopping.is_set() or self._orders.draining.is_set():
            return None
        return self._claims.claim(workflow_id, self.kind)

    def make(self, job_id: str, workflow_id: str) -> str:
        """Make a claimed job and publish it. Whatever happens, its row tells it and the queue goes on."""
        # DBOS was seen to hand out two tickets of one queue in the same moment: the second waits here.
        with self._turn:
            attempt = None if self._orders.stopping.is_set() else self._claims.begin(job_id, workflow_id)
            if attempt is None:
                return "not ours"
            self._jobs[job_id] = None
            try:
                return "done" if self._work(attempt) else "not ours"
            except Cancelled as stopped:
                return "cancelled" if self._claims.stopped(attempt, stopped.notice) else "given back"
            except Exception as error:
                self._claims.fail(attempt, notice_of(error, job_id))
                return "failed"
            finally:
                self._jobs.pop(job_id, None)


def own_tmp(settings: Settings) -> Path:
    """A folder of this worker's own, so that what it left when killed can be told from others' work."""
    folder = settings.tmp / f"worker-{file_name(settings.worker_id)}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def notice_of(error: Exception, job_id: str) -> Notice:
    """What a person is told; the whole story goes to the log under the same reference."""
    known = getattr(error, "notice", None)
    if isinstance(known, Notice):
        log.warning("job %s failed: %s", job_id, error)
        return known
    if isinstance(error, OSError) and no_room(error):
        return MediaError("disk_full").notice
    reference = secrets.token_hex(4)
    log.error("job %s failed, reference %s", job_id, reference, exc_info=error)
    return Notice("internal", {"reference": reference})
