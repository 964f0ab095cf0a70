"""For tests of films: small plans on the tiny model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pipelines.request import GenerationRequest
from studio.jobs import Jobs
from studio.library import new_id, places
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.media.probe import thumbnail
from studio.rows import Job
from studio.story.film_plan import FilmPlan, PlannedShot, key_of
from tests.queue_kit import Desk, asset_of, small
from tests.seal_kit import finished


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


def render(desk: Desk, number: int) -> None:
    """Make the first clip in the queue: one colour, as long as it was asked for."""
    attempt = desk.begin(ticket=f"clip-{number}")
    request = attempt.job.request
    assert request is not None
    asset_id = new_id()
    place, still = places(asset_id, ".webp")
    clip, picture = desk.settings.tmp / f"{asset_id}.mp4", desk.settings.tmp / f"{asset_id}.webp"
    frame = np.full((request.height, request.width, 3), 40 * number % 255, np.uint8)
    frames = [frame] * request.num_frames
    write_clip(
        frames, path=clip, fps=request.fps, comment="{}", label=LabelStyle(), expected_frames=len(frames)
    )
    picture.write_bytes(thumbnail(clip))
    seconds = request.num_frames / request.fps
    asset = replace(asset_of(attempt.job, asset_id, place, still), seconds=seconds)
    files = [(clip, place), (picture, still)]
    assert desk.claims().publish(attempt, asset, files, desk.library, finished(asset_id), tail_seconds=0.1)
