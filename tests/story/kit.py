"""For tests of stories: a small one, a studio that tells them, and takes as a worker would have made them."""

import sqlalchemy as sa

from pipelines.request import GenerationRequest
from studio import db
from studio.access import Visitor
from studio.core import Studio
from studio.library import Asset, new_id, places
from studio.rows import job_table
from studio.stories import StoryView
from studio.story.edit import edit
from studio.story.film_plan import key_of
from studio.story.types import Shot, Story

ANNA = Visitor(owner="anna", admin=False)
BEN = Visitor(owner="ben", admin=False)
ADMIN = Visitor(owner="root", admin=True)

TEXTS = (
    "清晨，一只白色的鹿站在森林里。",
    "突然，一条巨龙飞过高山。",
    "夜晚，一只小船在海上航行。",
    "雪原上，一个老人慢慢走着。",
)


def listed(*texts: str) -> str:
    """A text that says by itself where its shots begin."""
    return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))


TEXT = listed(*TEXTS)


def story_of(*texts: str, **values: object) -> Story:
    """A story of these shots, one a text."""
    story = Story(language="zh", title="试")
    for text in texts or TEXTS:
        after = story.shots[-1].id if story.shots else None
        story = edit(story, "add_shot", after=after, text=text)
    shots = tuple(shot.model_copy(update={"id": f"shot{n}"}) for n, shot in enumerate(story.shots, 1))
    return story.model_copy(update={"shots": shots, **values})


def shot_of(story: Story, number: int) -> Shot:
    """Shot number 1, 2, 3 …"""
    return story.shots[number - 1]


def make_clip(studio: Studio, request: GenerationRequest, owner: str = "anna") -> Asset:
    """The clip of a request as a worker publishes it; its job is made if there is none."""
    key = key_of(request)
    job = studio.jobs.with_keys(owner, [key]).get(key)
    job_id = job.id if job else studio.jobs.submit(owner, {"prompt": request.prompt}, request)
    asset_id = new_id()
    place, still = places(asset_id, ".webp")
    home = studio.settings.studio_home
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    (home / place).write_bytes(b"film")
    (home / still).write_bytes(b"RIFF....WEBP")
    asset = Asset(
        id=asset_id,
        job_id=job_id,
        owner=owner,
        path=place,
        thumbnail=still,
        request=request,
        form={"prompt": request.prompt},
        model=request.model,
        model_revision="",
        width=request.width,
        height=request.height,
        seconds=request.num_frames / request.fps,
        fps=request.fps,
        frames=request.num_frames,
        bytes=4,
        sha256="0" * 64,
        render_seconds=3.0,
        created=db.utc_now(),
        request_key=key,
    )
    studio.assets.add(asset)
    set_state(studio, job_id, "done", asset_id=asset_id, seconds=3.0, tail_seconds=1.0)
    return asset


def set_state(studio: Studio, job_id: str, state: str, **values: object) -> None:
    """Write a job's state as if a worker had done so."""
    values = {"state": state, "started": db.utc_now(), "finished": db.utc_now(), **values}
    with db.writing(studio.engine) as connection:
        connection.execute(sa.update(job_table).where(job_table.c.id == job_id).values(**values))


def new(studio: Studio, text: str = TEXT) -> StoryView:
    """Anna's story."""
    return studio.stories.new(ANNA, text=text)


def requests_of(studio: Studio, job_id: str) -> list[GenerationRequest]:
    """What a film has to have."""
    job = studio.jobs.get(job_id)
    assert job is not None
    assert job.plan is not None
    return job.plan.requests()


def finish(studio: Studio, job_id: str) -> list[str]:
    """Make all takes of a film and the film done; return their assets' ids."""
    assets = [make_clip(studio, request).id for request in requests_of(studio, job_id)]
    set_state(studio, job_id, "done")
    return assets


def states(view: StoryView) -> list[str]:
    """The state of each shot."""
    return [shot.state for shot in view.shots]
