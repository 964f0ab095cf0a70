"""Following a job from the page: an event of its own that yields the stage at each change.

The job does not know of it: a dropped connection ends this event and nothing else.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable

import gradio as gr

from studio.core import JobView, Refused
from studio.ui import stage
from studio.ui.context import Page

# While nothing changes the stage is sent again this often: the page then knows that the line is alive.
BEAT_SECONDS = 3.0


class Follower:
    """Follows one job for each open page; a page that turns to another job leaves the one before."""

    def __init__(self, page: Page, empty: Callable[[], str]) -> None:
        self._page = page
        self._empty = empty
        self._turns: dict[str, object] = {}

    async def follow(self, job: str, request: gr.Request) -> AsyncIterator[str]:
        """Yield the stage's HTML until the job has ended or the page has turned away.

        `job` is a job's id; what may stand after a space only makes the value new, to follow it again.
        """
        session, turn = request.session_hash or "", object()
        self._turns[session] = turn
        try:
            async for html in self._stages(job.partition(" ")[0], request):
                if self._turns.get(session) is not turn:
                    return
                yield html
        finally:
            if self._turns.get(session) is turn:
                del self._turns[session]

    async def _stages(self, job_id: str, request: gr.Request) -> AsyncIterator[str]:
        if not job_id:
            yield self._empty()
            return
        last = ""
        try:
            async for beat, view in _with_beats(
                self._page.studio.follow(self._page.visitor(request), job_id)
            ):
                html = stage.render(self._page, view, beat=beat)
                if html != last:
                    last = html
                    yield html
        except Refused as refused:
            yield stage.unknown(self._page, refused.notices[0])


async def _with_beats(views: AsyncIterator[JobView]) -> AsyncIterator[tuple[int, JobView]]:
    """Every view as it comes, and the last one again with a higher beat when none came for a while."""
    beats, view = itertools.count(), None
    upcoming = asyncio.ensure_future(anext(views))
    beat = next(beats)
    try:
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=BEAT_SECONDS)
            if done:
                try:
                    view = upcoming.result()
                except StopAsyncIteration:
                    return
                upcoming = asyncio.ensure_future(anext(views))
            else:
                beat = next(beats)
            if view is not None:
                yield beat, view
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        if hasattr(views, "aclose"):
            await views.aclose()
