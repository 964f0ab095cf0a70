"""How long clips take, from the clips made before. Numbers only: no database, no torch."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from pipelines.request import GenerationRequest
from studio.media.timeline import frame_size
from studio.story.film_plan import FilmPlan

_END_CARD_SECONDS = 2.5


@dataclass(frozen=True)
class Past:
    """One finished job. `volume`: pixels of all frames; `tail`: those of its seconds after the last step.

    `pace` is how fast its steps are, by its tier.
    """

    model: str
    volume: int
    steps: int
    seconds: float
    tail: float
    pace: str = "exact"


@dataclass(frozen=True)
class PastFilm:
    """One finished film. `rest`: seconds of voice and cutting after its last take was there.

    `by`: what made its takes larger and smoother (`film_by`).
    """

    volume: int
    rest: float
    by: str = ""


@dataclass(frozen=True)
class FilmEstimate:
    """What a film costs: takes to render, takes that are there or on their way, and times in seconds.

    `film_seconds` is its own length as planned; `render_seconds` until all takes are rendered, of which
    `gpu_seconds` on the GPU; `rest_seconds` voice and cutting: None where nothing like it was made before.
    `missing` are the takes to render, `cloud` those of them that the cloud has to make.
    """

    to_render: int
    reused: int
    film_seconds: float
    render_seconds: float | None
    rest_seconds: float | None
    gpu_seconds: float | None = None
    cloud: tuple[GenerationRequest, ...] = ()
    missing: tuple[GenerationRequest, ...] = ()


class Estimates:
    """Medians over the last jobs of a model: those of the same size where there are any, else scaled ones."""

    def __init__(self, past: Iterable[Past]) -> None:
        self._past: dict[str, list[Past]] = {}
        for job in past:
            self._past.setdefault(job.model, []).append(job)

    def seconds(self, request: GenerationRequest) -> float | None:
        """Seconds that a request takes once it runs, without loading the model; None if none was made yet."""
        jobs = self._like(request)
        if not jobs:
            return None
        volume = volume_of(request)
        a_step = median((job.seconds - job.tail) / (job.volume * job.steps) for job in jobs)
        after = median(job.tail / job.volume for job in jobs)
        return volume * (a_step * request.num_inference_steps + after)

    def tail(self, request: GenerationRequest) -> float:
        """Seconds from the last step to the finished file; 0 if none was made yet."""
        jobs = self._like(request)
        return volume_of(request) * median(job.tail / job.volume for job in jobs) if jobs else 0.0

    def _like(self, request: GenerationRequest) -> list[Past]:
        jobs = [job for job in self._past.get(request.model, []) if job.pace == pace_of(request)]
        # Attention grows faster than the number of pixels, so the same size beats any scaling.
        return [job for job in jobs if job.volume == volume_of(request)] or jobs


def pace_of(request: GenerationRequest) -> str:
    """Whose steps a request's are as fast as: a draft has fewer of them, no quicker ones."""
    return "exact" if request.tier == "draft" else request.tier


def volume_of(request: GenerationRequest) -> int:
    """Pixels of all frames together."""
    return request.width * request.height * request.num_frames


def film_seconds(plan: FilmPlan) -> float:
    """How long a film will be, as planned: the voice may need longer."""
    joints = [shot for shot in plan.shots[:-1] if shot.transition != "cut"]
    length = sum(shot.seconds for shot in plan.shots) - plan.transition_seconds * len(joints)
    return max(0.0, length) + (_END_CARD_SECONDS if plan.end_card else 0.0)


def film_volume(plan: FilmPlan) -> int:
    """Pixels of all frames of a film as planned."""
    width, height = frame_size(plan.format, plan.height)
    return round(width * height * plan.fps * film_seconds(plan))


def film_by(larger: str | None, smoother: str | None) -> str:
    """Which networks work on a film's takes ("larger", "larger smoother"): that decides how long it takes."""
    return " ".join(name for name, how in (("larger", larger), ("smoother", smoother)) if how == "network")


def film_rest(volume: int, past: Sequence[PastFilm], by: str = "") -> float | None:
    """Seconds of voice and cutting for a film of so many pixels; None if none was made like it yet."""
    past = [film for film in past if film.by == by]
    if not past:
        return None
    # Voice takes the same for small and for large frames: films about as large tell best.
    near = [film for film in past if volume / 2 <= film.volume <= volume * 2] or past
    return volume * median(film.rest / film.volume for film in near)


def waits(
    running: Sequence[float | None], queued: Sequence[float | None], lanes: int
) -> list[tuple[float | None, float | None]]:
    """When each queued job starts and ends, in seconds from now; None from the first unknown length on.

    `running`: seconds left of each running job; `queued`: seconds each waiting job takes, in order;
    `lanes`: workers that take jobs. Of more running ones than these the shortest are being finished.
    """
    if any(left is None for left in running):
        return [(None, None)] * len(queued)
    lanes = max(lanes, 1)
    ends = sorted((left for left in running if left is not None), reverse=True)[:lanes]
    ends += [0.0] * (lanes - len(ends))
    heapq.heapify(ends)
    times: list[tuple[float | None, float | None]] = []
    for length in queued:
        starts = ends[0]
        if length is None:
            times += [(starts, None)] + [(None, None)] * (len(queued) - len(times) - 1)
            break
        heapq.heapreplace(ends, starts + length)
        times.append((starts, starts + length))
    return times
