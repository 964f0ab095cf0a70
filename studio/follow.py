"""Following a job: one poller reads its rows, however many people watch. No browser here."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

POLL_SECONDS = 0.12
# What waits for a person's decision may do so for days.
PATIENT_SECONDS = 1.0
# A database that does not answer is asked less often; the followers keep what they saw last.
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)
View = TypeVar("View")


@dataclass
class _Watch(Generic[View]):
    """The newest view of one job, and the event that tells its followers about the next one."""

    view: View
    version: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    followers: int = 0
    gone: bool = False
    poller: "asyncio.Task[None] | None" = None


class Followers(Generic[View]):
    """Shares one poller a job among all its followers in this process's event loop.

    `read(job_id)` gives the job's view now, or None if there is no such job; it runs in a thread.
    `is_final(view)` says that nothing will change any more, `is_slow(view)` that it will not change soon.
    """

    def __init__(
        self,
        read: Callable[[str], View | None],
        is_final: Callable[[View], bool],
        is_slow: Callable[[View], bool] = lambda view: False,
    ) -> None:
        self._read = read
        self._is_final, self._is_slow = is_final, is_slow
        self._watches: dict[str, _Watch[View]] = {}

    async def follow(self, job_id: str) -> AsyncIterator[View]:
        """Yield the job's view now and at each change, and end after the final one; nothing if unknown."""
        watch = self._watches.get(job_id)
        if watch is None:
            first = await asyncio.to_thread(self._read, job_id)
            if first is None:
                return
            # Another follower may have come while the thread read.
            watch = self._watches.setdefault(job_id, _Watch(view=first))
        watch.followers += 1
        if watch.poller is None:
            watch.poller = asyncio.create_task(self._poll(job_id, watch))
        try:
            seen = -1
            while True:
                changed = watch.changed
                if watch.version != seen:
                    seen, view = watch.version, watch.view
                    yield view
                    if self._is_final(view):
                        return
                elif watch.gone:
                    return
                else:
                    await changed.wait()
        finally:
            watch.followers -= 1
            if watch.followers == 0:
                watch.poller.cancel()
                if self._watches.get(job_id) is watch:
                    del self._watches[job_id]

    async def _poll(self, job_id: str, watch: _Watch[View]) -> None:
        while not self._is_final(watch.view):
            await asyncio.sleep(PATIENT_SECONDS if self._is_slow(watch.view) else POLL_SECONDS)
            try:
                view = await asyncio.to_thread(self._read, job_id)
            except SQLAlchemyError:
                log.warning("could not read job %s; trying again", job_id, exc_info=True)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if view == watch.view:
                continue
            if view is None:
                watch.gone = True
            else:
                watch.view = view
                watch.version += 1
            watch.changed.set()
            watch.changed = asyncio.Event()
            if view is None:
                return
