"""For tests of edits: a clip that was rendered, published as a worker does, and a worker's hand for edits."""

from collections.abc import Iterator

import numpy as np

from pipelines.request import GenerationRequest
from studio.claims import Attempt, Claims
from studio.core import Studio
from studio.db import utc_now
from studio.hands import Orders
from studio.library import Asset, new_id, places
from studio.media.clip import write_clip
from studio.media.probe import thumbnail
from studio.media_work import MediaMaker
from studio.recipe import Recipe
from studio.retouching import NAME, make

FRAMES, FPS = 17, 8


def frames() -> Iterator[np.ndarray]:
    """A red thing that moves to the right on a slope of greys."""
    across = np.tile(np.linspace(60, 150, 320).astype(np.uint8)[None, :, None], (192, 1, 3))
    for number in range(FRAMES):
        frame = across.copy()
        frame[70:120, 30 + 8 * number : 80 + 8 * number] = (200, 60, 50)
        yield frame


def clip(studio: Studio, owner: str = "ann") -> Asset:
    """A clip that was rendered, as a worker publishes it."""
    request = GenerationRequest(prompt="a red boat at sea", seed=7, num_frames=FRAMES, width=320, height=192)
    form = {"prompt": "a red boat at sea", "model": "sketch", "seed": 7, "size": "320x192"}
    form |= {"num_frames": FRAMES, "style": "none"}
    job_id = studio.jobs.submit(owner, form, request)
    attempt = claimed(studio, "clip")
    maker = media_maker(studio)
    asset_id = new_id()
    begun = maker.exporter.begin(asset_id, "clip")
    path, still = maker.tmp / f"{asset_id}.mp4", maker.tmp / f"{asset_id}.webp"
    recipe = Recipe(request=request, form=form, job=job_id).text()
    told = {"comment": begun.comment(recipe), "tags": begun.tags, "label": begun.label}
    facts = write_clip(frames(), path=path, fps=FPS, expected_frames=FRAMES, mark=begun.mark_frames(), **told)
    finished = maker.exporter.finish(begun, path, model="sketch", revision="abc", prompt=request.prompt)
    still.write_bytes(thumbnail(path))
    place, picture = places(asset_id, ".webp")
    asset = Asset(
        id=asset_id,
        job_id=job_id,
        owner=owner,
        path=place,
        thumbnail=picture,
        request=request,
        form=form,
        model="sketch",
        model_revision="abc",
        width=320,
        height=192,
        seconds=facts.seconds,
        fps=FPS,
        frames=FRAMES,
        render_seconds=1.0,
        created=utc_now(),
        **finished.facts,
    )
    files = [(path, place), (still, picture)]
    assert maker.claims.publish(attempt, asset, files, studio.assets, finished, tail_seconds=0.0)
    return asset


def media_maker(studio: Studio, orders: Orders | None = None) -> MediaMaker:
    return MediaMaker(studio.settings, studio.engine, orders or Orders(), {NAME: make})


def claimed(studio: Studio, kind: str = "media") -> Attempt:
    claims = Claims(studio.engine, studio.settings.worker_id)
    ticket = new_id()
    job_id = claims.claim(ticket, kind)  # type: ignore[arg-type]
    assert job_id is not None
    attempt = claims.begin(job_id, ticket)
    assert attempt is not None
    return attempt
