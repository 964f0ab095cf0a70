"""The file of a film: its takes made finer where that was asked for, then cut; what is finished is kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.request import Progress
from studio import film_finish
from studio.card import Card
from studio.exporting import Begun
from studio.media.clip import ClipFacts
from studio.media.timeline import FilmCut
from studio.media.whole import is_unfinished
from studio.reporter import Reporter
from studio.settings import Settings
from studio.story.film_plan import FilmPlan

# How often who follows is told.
_TELL_SECONDS = 0.3


@dataclass
class FilmFile:
    """One attempt at one file. `work` keeps its finished parts; `got_on` hears of each new one."""

    settings: Settings
    card: Card
    work: Path
    reporter: Reporter
    should_stop: Callable[[], bool]
    got_on: Callable[[], None]
    _parts: int = 0
    _told: float = float("-inf")

    def make(self, plan: FilmPlan, cut: FilmCut, path: Path, begun: Begun) -> ClipFacts:
        """Make it; `work` counts as in use from now. MediaError, ModelError, Cancelled."""
        from studio.media.film import make_film

        makers = film_finish.networks(plan, self.settings.studio_home)
        self.work.mkdir(parents=True, exist_ok=True)
        self.work.touch()
        self._parts = self._finished()
        tell = self._teller("finishing")
        means = film_finish.Means(self.card, self.settings.device, self.should_stop, tell)
        finer = film_finish.finer(cut, self.work, makers, means)
        self.reporter(Progress("cutting", 0, 1))
        return make_film(
            cut,
            path,
            work=self.work,
            on_progress=self._teller("cutting"),
            should_stop=self.should_stop,
            mark=begun.mark_planes(),
            finer=finer,
        )

    def _teller(self, stage: Literal["finishing", "cutting"]) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            if time.monotonic() - self._told < _TELL_SECONDS and done < total:
                return
            self._told = time.monotonic()
            self.reporter(Progress(stage, done, total))
            if (parts := self._finished()) > self._parts:
                self._parts = parts
                self.got_on()

        return tell

    def _finished(self) -> int:
        """How many parts of films lie finished in the folder."""
        made = (*self.work.glob("shot-*.mp4"), *self.work.glob("take-*.mp4"))
        return sum(not is_unfinished(path) for path in made)
