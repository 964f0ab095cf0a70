"""Many films of one story: a table of {variables} is checked, priced, asked for; what waits is cancelled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studio.access import Visitor
from studio.jobs import Jobs
from studio.refusal import Cannot, refuse_what_cannot
from studio.story import plan, variables
from studio.story.store import StoredStory
from studio.story.types import Level
from studio.story_desk import StoryDesk, worded


@dataclass(frozen=True)
class FilmCounts:
    """How many films of a story were asked for, and how many of them wait."""

    asked: int
    waiting: int


class StoryTables:
    """A part of the stories' door. `own` gives a story to who may change it, else it refuses."""

    def __init__(
        self, own: Callable[[Visitor, str], StoredStory], desk: StoryDesk, jobs: Jobs, cannot: Cannot
    ) -> None:
        self._own, self._desk, self._jobs, self._cannot = own, desk, jobs, cannot

    def rows(self, visitor: Visitor, story_id: str, table: str | bytes) -> int:
        """How many films a table would make; `Refused` says what is wrong with it."""
        kept = self._own(visitor, story_id)
        with worded():
            return len(variables.rows_of(table, kept.story))

    def seconds(self, visitor: Visitor, story_id: str, table: str | bytes, level: Level) -> float | None:
        """How long all films of a table would take from now on, waiting included; None if nobody knows."""
        kept = self._own(visitor, story_id)
        with worded():
            plans = self._desk.plans(kept, level, variables.rows_of(table, kept.story))
        # As one long film: takes that several rows share are rendered once.
        shots = tuple(shot for planned in plans for shot in planned.shots)
        whole = plans[0].model_copy(update={"shots": shots})
        found, wait = self._jobs.estimate_film(kept.owner, whole), self._jobs.ahead().wait
        gpu, rest = found.render_seconds if found.to_render else 0.0, found.rest_seconds
        if rest is None:
            rest = plan.rest_seconds(whole, found.film_seconds)
        return None if gpu is None or rest is None else gpu + rest + (wait or 0.0)

    def films(self, visitor: Visitor, story_id: str, table: str | bytes, level: Level) -> Sequence[str]:
        """Ask for one film a row, return their jobs' ids; for none if one of them can't be made."""
        kept = self._own(visitor, story_id)
        with worded():
            rows = variables.rows_of(table, kept.story)
            plans = self._desk.plans(kept, level, rows)
        for planned in plans:
            refuse_what_cannot(self._cannot, self._jobs.estimate_film(kept.owner, planned).missing)
        told = variables.differing(rows)
        form = {"story": story_id, "level": level}
        return [
            self._jobs.submit_film(kept.owner, {**form, "row": number, "values": told[number - 1]}, planned)
            for number, planned in enumerate(plans, 1)
        ]

    def counts(self, story_id: str) -> FilmCounts:
        """How many films of a story there are."""
        found = self._jobs.count_films(story_id)
        return FilmCounts(sum(found.values()), found.get("queued", 0))

    def cancel_waiting(self, visitor: Visitor, story_id: str) -> int:
        """Cancel all films of a story that wait, return how many; those that are being made go on."""
        self._own(visitor, story_id)
        return sum(self._jobs.cancel(job_id) for job_id in self._jobs.waiting_films(story_id))
