"""Draws the covers of styles and example stories with the sketch model: `python -m studio.covers`.

They are shipped, and drawn anew when the model's weights, a style's words or a look change. A style has three
files: `NAME.webp` (a still), `moving/NAME.webp`, and `plain/NAME.webp`, the still without the style's look.
"""

import asyncio
import io
import logging
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from PIL import Image

from pipelines.models import MODELS, ModelSpec
from pipelines.request import GenerationRequest
from studio.access import Visitor
from studio.core import JobView, Studio
from studio.library import Asset
from studio.media.looks import graded
from studio.media.probe import thumbnail
from studio.settings import Settings
from studio.story.examples import story_examples
from studio.styles import STYLES, Style, apply
from studio.supervisor import LocalWorker

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "examples" / "covers"
VISITOR = Visitor(owner="command-line", admin=True)
SPEC: ModelSpec = MODELS["sketch"]
_SEED = 4
_AT_SECONDS = 3.0
# The page's own words stand over the foot of a cover, so the label there could not be read.
_SHOWN = 0.75
# The end of a moving cover fades into its beginning: one does not see where it starts again.
_FADE = 6


class _Asked(NamedTuple):
    """A cover that is being drawn: its file's name, the job, and the style if it is one's."""

    name: str
    job_id: str
    style: Style | None = None


def main() -> int:
    """Draw all covers, or those that are named; exit code 1 if one could not be drawn."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    wanted = set(sys.argv[1:])
    with tempfile.TemporaryDirectory() as home:
        studio = Studio(Settings(studio_home=Path(home), model=SPEC.name))
        worker = LocalWorker(studio.settings)
        worker.start()
        try:
            asked = [*_styles(studio, wanted), *_stories(studio, wanted)]
            drawn = [_draw(studio, one) for one in asked]
        finally:
            worker.stop()
    return 0 if all(drawn) else 1


def _styles(studio: Studio, wanted: set[str]) -> Iterator[_Asked]:
    """In each style the prompt that suits it, without its look: that is laid over it afterwards."""
    for style in STYLES.values():
        prompt = style.example["en"]
        if prompt and (not wanted or style.name in wanted):
            asked: dict[str, Any] = apply(style, prompt=prompt, spec=SPEC)
            asked |= {"model": SPEC.name, "quality": "final", "seed": _SEED}
            request = GenerationRequest(**asked)
            job_id = studio.jobs.submit(VISITOR.owner, {"prompt": prompt, "style": style.name}, request)
            yield _Asked(style.name, job_id, style)


def _stories(studio: Studio, wanted: set[str]) -> Iterator[_Asked]:
    for example in story_examples():
        if not wanted or example.name in wanted:
            view = studio.stories.new(VISITOR, example=example.name)
            shot = view.shots[example.cover - 1].shot
            yield _Asked(example.name, studio.stories.render_shot(VISITOR, view.id, shot.id, "film"))


def _draw(studio: Studio, asked: _Asked) -> bool:
    view = asyncio.run(_last(studio, asked.job_id))
    if view is None or view.asset is None:
        print(f"{asked.name}: {view.job.error if view else 'gone'}", file=sys.stderr)
        return False
    if asked.style is None:
        picture = thumbnail(studio.library_file(view.asset), at=_AT_SECONDS)
        _still(Image.open(io.BytesIO(picture)), asked.name)
    else:
        _style_covers(studio.library_file(view.asset), view.asset, asked.style)
    print(asked.name, flush=True)
    return True


def _style_covers(path: Path, asset: Asset, style: Style) -> None:
    with av.open(f"file:{path}", format="mp4") as film:
        frames = [
            frame.reformat(format="rgb24", src_colorspace="itu709").to_ndarray()
            for frame in film.decode(video=0)
        ]
    at = round(_AT_SECONDS * asset.fps)
    _still(Image.fromarray(frames[at]), f"plain/{style.name}")
    seen = list(graded(frames, style.look))
    _still(Image.fromarray(seen[at]), style.name)
    first, *more = (_cropped(Image.fromarray(frame)) for frame in _looped(seen))
    first.save(
        FOLDER / "moving" / f"{style.name}.webp",
        save_all=True,
        append_images=more,
        duration=round(1000 / asset.fps),
        loop=0,
        quality=60,
        method=6,
    )


def _looped(frames: list[np.ndarray]) -> list[np.ndarray]:
    """The frames as a ring: the last ones have become the first ones little by little."""
    kept, end = frames[:-_FADE], frames[-_FADE:]
    for number, last in enumerate(end):
        share = (number + 1) / (_FADE + 1)
        mixed = last * (1 - share) + kept[number] * share
        kept[number] = mixed.astype(np.uint8)
    return kept


def _still(picture: Image.Image, name: str) -> None:
    path = FOLDER / f"{name}.webp"
    path.parent.mkdir(exist_ok=True)
    _cropped(picture).save(path, quality=80, method=6)


def _cropped(picture: Image.Image) -> Image.Image:
    return picture.crop((0, 0, picture.width, round(picture.height * _SHOWN)))


async def _last(studio: Studio, job_id: str) -> JobView | None:
    last = None
    async for view in studio.follow(VISITOR, job_id):
        last = view
    return last


if __name__ == "__main__":
    sys.exit(main())
