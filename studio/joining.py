"""Shots of a film that go on from the one before, so that one can't see where a clip ends and another begins.

Such a shot's first frame is the third frame from the end of the take before it. That take is shown up to the
frame before that one, and then the next one from its beginning: the picture where they meet is the same one.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from pipelines.request import GenerationRequest
from studio.cutting import Footage, Times, fit
from studio.library import Asset
from studio.media.still import CONTINUES_AT
from studio.media.timeline import Piece
from studio.picture_rows import Picture
from studio.story.film_plan import FilmPlan, waits, whole_seconds

Requests = Sequence[GenerationRequest]


def followed(plan: FilmPlan) -> list[bool]:
    """Of each shot, whether the next one goes on from it."""
    return [*(bool(shot.requests) and later.continues for shot, later in pairwise(plan.shots)), False]


def with_pictures(
    plan: FilmPlan,
    needs: Sequence[Requests],
    *,
    ask: Callable[[Requests], object],
    take: Callable[[GenerationRequest], Asset],
    picture: Callable[[Asset, int], Picture],
) -> list[Requests]:
    """The takes of all shots, those included that go on from another: each once that one is there.

    `ask` lets takes be made, `take` waits for one, `picture` takes out what goes on from it, for the shot of
    that number.
    """
    found = list(needs)
    for at, shot in enumerate(plan.shots):
        if any(map(waits, found[at])):
            begins = picture(take(found[at - 1][-1]), shot.number)
            found[at] = [one.model_copy(update={"first_frame": begins.id}) for one in found[at]]
            ask(found[at])
    return found


def made_of(plan: FilmPlan, needs: Sequence[Requests]) -> FilmPlan:
    """The plan with the takes that were really made: what the film's recipe and row tell."""
    shots = [
        shot.model_copy(update={"requests": tuple(need[: len(shot.requests)])})
        for shot, need in zip(plan.shots, needs, strict=True)
    ]
    return plan.model_copy(update={"shots": tuple(shots)})


def shown_whole(lengths: Sequence[Times], needs: Sequence[Requests], plan: FilmPlan) -> list[Times]:
    """Shots that another one goes on from stand as long as their takes are up to that picture."""
    return [
        replace(length, seconds=max(length.seconds, whole_seconds(need))) if goes_on else length
        for length, need, goes_on in zip(lengths, needs, followed(plan), strict=True)
    ]


def up_to_the_joint(seconds: float, shown: Sequence[Footage], clips: Sequence[Asset]) -> tuple[Piece, ...]:
    """What fills a shot when the next one goes on from the last of its takes.

    A shot's file holds a frame or two more than are seen, wherever it comes to lie: those are the take's own
    next ones, so that the one before the joint is seen at its time.
    """
    spare = CONTINUES_AT / clips[-1].fps
    pieces, _ = fit(seconds, [*shown[:-1], replace(shown[-1], seconds=shown[-1].seconds - spare)])
    last = pieces[-1]
    return (*pieces[:-1], replace(last, seconds=(last.seconds or 0.0) + spare, exact=True))
