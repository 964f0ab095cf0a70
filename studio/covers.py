"""Draws the covers of styles and example stories with the sketch model: `python -m studio.covers`.

They are shipped, and drawn anew when the model's weights change.
"""

import asyncio
import io
import logging
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from studio.access import Visitor
from studio.core import JobView, Studio
from studio.media.probe import thumbnail
from studio.settings import Settings
from studio.story.examples import story_examples
from studio.styles import STYLES
from studio.supervisor import LocalWorker

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "examples" / "covers"
VISITOR = Visitor(owner="command-line", admin=True)
_SEED = 4
_AT_SECONDS = 3.0
_SHOWN = 0.81


def main() -> int:
    """Draw all covers; exit code 1 if one could not be drawn."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with tempfile.TemporaryDirectory() as home:
        studio = Studio(Settings(studio_home=Path(home), model="sketch"))
        worker = LocalWorker(studio.settings)
        worker.start()
        try:
            asked = [*_styles(studio), *_stories(studio)]
            drawn = [_draw(studio, name, job_id) for name, job_id in asked]
        finally:
            worker.stop()
    return 0 if all(drawn) else 1


def _styles(studio: Studio) -> Iterator[tuple[str, str]]:
    """File names and job ids: in each style the first example prompt that is written for it."""
    prompts = tomllib.loads((FOLDER.parent / "prompts.toml").read_text(encoding="utf-8"))["example"]
    for name in STYLES:
        if name != "none":
            fitting = next((one for one in prompts if one["style"] == name), prompts[0])
            asked = studio.generate(
                VISITOR, prompt=fitting["prompt"]["en"], style=name, quality="final", seed=_SEED
            )
            yield name, asked


def _stories(studio: Studio) -> Iterator[tuple[str, str]]:
    for example in story_examples():
        view = studio.stories.new(VISITOR, example=example.name)
        shot = view.shots[example.cover - 1].shot
        yield example.name, studio.stories.render_shot(VISITOR, view.id, shot.id, "film")


def _draw(studio: Studio, name: str, job_id: str) -> bool:
    view = asyncio.run(_last(studio, job_id))
    if view is None or view.asset is None:
        print(f"{name}: {view.job.error if view else 'gone'}", file=sys.stderr)
        return False
    drawn = Image.open(io.BytesIO(thumbnail(studio.library_file(view.asset), at=_AT_SECONDS)))
    # The page's own words stand over the foot of a cover, so the label there could not be read.
    still = drawn.crop((0, 0, drawn.width, round(drawn.height * _SHOWN)))
    still.save(FOLDER / f"{name}.webp", quality=80, method=6)
    print(name, flush=True)
    return True


async def _last(studio: Studio, job_id: str) -> JobView | None:
    last = None
    async for view in studio.follow(VISITOR, job_id):
        last = view
    return last


if __name__ == "__main__":
    sys.exit(main())
