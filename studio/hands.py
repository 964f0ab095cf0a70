"""What a worker has in hand: jobs of each kind, one or a few at once, from ticket to end. No torch."""

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for_all
from contextlib import ExitStack
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


# Called once when the next job may begin, though this one has still to be finished.
Free = Callable[[], None]


class Hand:
    """Makes jobs of one kind, `at_once` of them beside each other. `jobs` are those in hand.

    `work(attempt, free)` makes and publishes one: False if it was not ours to publish any more. It may call
    `free()` when all that is left is to finish the job: its ticket ends there, and the next one's job begins
    meanwhile. As many are finished as are made beside each other; `free` waits while there are more.
    """

    def __init__(
        self,
        kind: Kind,
        claims: Claims,
        orders: Orders,
        work: Callable[[Attempt, Free], bool],
        *,
        at_once: int = 1,
    ) -> None:
        self.kind, self.at_once = kind, at_once
        self._jobs: dict[str, Future[str]] = {}
        self._finishing: set[str] = set()
        self._claims = claims
        self._orders = orders
        self._work = work
        self._turn = threading.BoundedSemaphore(at_once)
        self._room = threading.BoundedSemaphore(at_once)
        self._threads = ThreadPoolExecutor(2 * at_once, thread_name_prefix=kind)

    @property
    def jobs(self) -> tuple[str, ...]:
        """The jobs in hand, the first begun first."""
        return tuple(self._jobs)

    @property
    def current(self) -> str | None:
        """The job that is made, the first of several; one that is finished if there is none."""
        jobs = self.jobs
        return next((job for job in jobs if job not in self._finishing), next(iter(jobs), None))

    @property
    def is_idle(self) -> bool:
        """Whether it could begin another job now."""
        return len(set(self.jobs) - self._finishing) < self.at_once

    def claim(self, workflow_id: str) -> str | None:
        """The job that a ticket is for; None if there is none, or this worker takes no more."""
        if self._orders.stopping.is_set() or self._orders.draining.is_set():
            return None
        return self._claims.claim(workflow_id, self.kind)

    def make(self, job_id: str, workflow_id: str) -> str:
        """Make a claimed job and publish it. Whatever happens, its row tells it and the queue goes on.

        Returns as soon as the next one may begin: "finishing" if the job is not at its end by then.
        """
        # DBOS was seen to hand out two tickets of one queue in the same moment: the second waits here.
        with self._turn:
            attempt = None if self._orders.stopping.is_set() else self._claims.begin(job_id, workflow_id)
            if attempt is None:
                return "not ours"
            freed = threading.Event()
            # In hand before it begins: who looks meanwhile must not think that it was lost.
            made = self._jobs[job_id] = Future()
            self._threads.submit(self._make, attempt, freed, made)
            freed.wait()
            return made.result() if made.done() else "finishing"

    def wait(self, seconds: float) -> None:
        """Until nothing is in hand any more, at most so long."""
        wait_for_all(list(self._jobs.values()), seconds)

    def _make(self, attempt: Attempt, freed: threading.Event, made: "Future[str]") -> None:
        job_id = attempt.job.id
        with ExitStack() as left:
            left.callback(freed.set)

            def free() -> None:
                self._room.acquire()
                left.callback(self._room.release)
                self._finishing.add(job_id)
                freed.set()

            try:
                made.set_result(self._outcome(attempt, free))
            except Exception as error:
                # Not even its row could be told. What is in nobody's hand is made anew (`studio.takeover`).
                log.exception("job %s ended without a word", job_id)
                made.set_exception(error)
            finally:
                self._jobs.pop(job_id, None)
                self._finishing.discard(job_id)

    def _outcome(self, attempt: Attempt, free: Free) -> str:
        try:
            return "done" if self._work(attempt, free) else "not ours"
        except Cancelled as stopped:
            return "cancelled" if self._claims.stopped(attempt, stopped.notice) else "given back"
        except Exception as error:
            self._claims.fail(attempt, notice_of(error, attempt.job.id))
            return "failed"


def nobody_waits() -> None:
    """The `Free` of who makes one job and no other."""


def alone(work: Callable[[Attempt], bool]) -> Callable[[Attempt, Free], bool]:
    """Work whose next job waits until it is all done."""
    return lambda attempt, _free: work(attempt)


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
