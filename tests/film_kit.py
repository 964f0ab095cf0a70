"""For tests of films: small plans on the tiny model."""

from collections.abc import Sequence
from typing import Any

from pipelines.request import GenerationRequest
from studio.jobs import Jobs
from studio.rows import Job
from studio.story.film_plan import FilmPlan, PlannedShot, key_of
from tests.queue_kit import small


def take(prompt: str, **changes: Any) -> GenerationRequest:
    """A take of about two seconds that is made in a moment."""
    return small(prompt, **changes)


def shot(number: int, *requests: GenerationRequest, **changes: Any) -> PlannedShot:
    return PlannedShot(
        **{"shot_id": f"s{number}", "number": number, "requests": requests, "seconds": 2.0, **changes}
    )


def plan(*prompts: str, steps: int = 4, **changes: Any) -> FilmPlan:
    """A silent film with a shot of one take for each prompt."""
    shots = [shot(number, take(text, num_inference_steps=steps)) for number, text in enumerate(prompts, 1)]
    return film(shots, **changes)


def film(shots: Sequence[PlannedShot], **changes: Any) -> FilmPlan:
    values = {
        "story_id": "story",
        "title": "牛郎织女",
        "language": "zh",
        "level": "animatic",
        "shots": tuple(shots),
        "format": "1:1",
        "height": 256,
        "fps": 24,
        "narrate": False,
    }
    return FilmPlan(**{**values, **changes})


def submit(jobs: Jobs, made: FilmPlan, owner: str = "ann") -> str:
    return jobs.submit_film(owner, {}, made)


def takes(jobs: Jobs, owner: str = "ann") -> dict[str, list[Job]]:
    """Every job that was made for films, by what it was asked as."""
    found: dict[str, list[Job]] = {}
    for job in jobs.list(owner=owner, limit=1000, takes=True):
        if job.request is not None and job.parent is not None:
            found.setdefault(key_of(job.request), []).append(job)
    return found
