"""Following a story from the page while something of it is rendered: its stage, and its shots' pictures."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

import gradio as gr
from sqlalchemy.exc import SQLAlchemyError

from studio.access import Visitor
from studio.core import Refused
from studio.ui.context import Page
from studio.ui.story import shown
from studio.ui.story.message import Here

# A story is read this often while something of it is rendered: the pictures of a take come as often.
LOOK_SECONDS = 0.4
# While nothing changes the stage is sent again this often: the page then knows that the line is alive.
BEAT_SECONDS = 3.0


@dataclass(frozen=True)
class Glance:
    """What a page is told: stage and pictures as they are sent, and whether more will come."""

    stage: str
    live: str
    busy: bool


class StoryFollower:
    """Follows one story for each open page; a page that turns to another story leaves the one before."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._turns: dict[str, object] = {}

    async def follow(self, asked: str, request: gr.Request) -> AsyncIterator[tuple[str, str]]:
        """Yield stage and pictures until nothing is rendered any more or the page has turned away.

        `asked` is a story's id and, after a space, the job of the film that is looked at, if not the newest;
        what may follow only makes the value new.
        """
        session, turn = request.session_hash or "", object()
        self._turns[session] = turn
        story, film = ([*asked.split(" "), "", ""])[:2]
        film = film.removeprefix("~")
        try:
            if story:
                visitor = self._page.visitor(request)
                async for glance in self._glances(visitor, story, Here(film=film)):
                    if self._turns.get(session) is not turn:
                        return
                    yield glance.stage, glance.live
        finally:
            if self._turns.get(session) is turn:
                del self._turns[session]

    async def _glances(self, visitor: Visitor, story: str, here: Here) -> AsyncIterator[Glance]:
        last: tuple[str, str] | None = None
        beats = itertools.count()
        beat, quiet = next(beats), 0.0
        while True:
            try:
                glance = await asyncio.to_thread(self.look, visitor, story, here, beat)
            except Refused:
                return
            except SQLAlchemyError:
                # The page keeps what it saw last.
                await asyncio.sleep(BEAT_SECONDS)
                continue
            if (glance.stage, glance.live) != last:
                last, quiet = (glance.stage, glance.live), 0.0
                yield glance
            if not glance.busy:
                return
            await asyncio.sleep(LOOK_SECONDS)
            quiet += LOOK_SECONDS
            if quiet >= BEAT_SECONDS:
                beat = next(beats)

    def look(self, visitor: Visitor, story: str, here: Here, beat: int) -> Glance:
        """The story as it is now; raises Refused if it is gone."""
        page = self._page
        view = page.studio.stories.get(visitor, story)
        takes = {shot: asdict(one) for shot, one in shown.live(page, visitor, view).items()}
        told = {"story": story, "stamp": shown.stamp(view, here), "shots": takes, "beat": beat}
        return Glance(
            stage=shown.stage(page, visitor, view, here, beat=beat),
            live=json.dumps(told),
            busy=shown.busy(view, shown.film_of(page, visitor, view, here)),
        )
