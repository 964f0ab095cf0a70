"""For tests of review rooms: a story with a film and takes that nobody rendered, and a guest at a link."""

import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import sqlalchemy as sa
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from pipelines.request import GenerationRequest
from studio import web
from studio.access import Visitor
from studio.core import Studio
from studio.db import writing
from studio.library import Asset, new_id
from studio.room.types import Link, Room
from studio.rows import job_table
from studio.story.film_plan import FilmPlan, another, key_of
from studio.story.store import Take

ANNA = Visitor(owner="anna", admin=False)
BEN = Visitor(owner="ben", admin=False)
TEXT = "1. A boy lives by the sea.\n2. At night a red dragon flies over the mountain.\n3. Snow falls."
HERE = "http://127.0.0.1:7860"
_COLOURS = ("#3b6ea5", "#a5473b", "#dfe6ea", "#5a7d4f", "#8a6aa8")


@dataclass(frozen=True)
class Told:
    """A story of Anna's: its id, its shots' ids, the clips by shot, the film."""

    id: str
    shots: tuple[str, ...]
    clips: dict[str, list[Asset]]
    film: Asset


def clip(
    studio: Studio, colour: str, *, seconds: float = 2.0, chapters: int = 0, owner: str = "anna", **more: Any
) -> Asset:
    """A small film of one colour, kept in the library as if it had been made."""
    asset_id = new_id()
    film = studio.settings.media / f"{asset_id}.mp4"
    film.write_bytes(_film(colour, seconds, chapters))
    still = Image.new("RGB", (320, 180), colour)
    ImageDraw.Draw(still).rectangle((20, 60, 60, 120), fill="white")
    still.save(film.with_suffix(".webp"))
    request = more.pop("request", GenerationRequest(prompt="a boat", num_frames=33))
    values: dict[str, Any] = {
        "id": asset_id, "job_id": f"job-{asset_id}", "owner": owner, "path": f"media/{asset_id}.mp4",
        "thumbnail": f"media/{asset_id}.webp", "request": request, "form": {"prompt": f"a boat, {colour}"},
        "model": "sketch", "model_revision": "r", "width": 320, "height": 180, "seconds": seconds, "fps": 16,
        "frames": round(16 * seconds), "bytes": film.stat().st_size, "sha256": "0" * 64,
        "render_seconds": 1.0, "created": datetime.now(UTC),
    }  # fmt: skip
    asset = Asset(**values | more)
    studio.assets.add(asset)
    return asset


@cache
def _film(colour: str, seconds: float, chapters: int) -> bytes:
    """A film of one colour; with chapters it has sound, too."""
    with tempfile.TemporaryDirectory() as folder:
        film, notes = Path(folder) / "film.mp4", Path(folder) / "notes.txt"
        times = [round(1000 * seconds * n / (chapters or 1)) for n in range(chapters + 1)]
        marks = [
            f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={times[n]}\nEND={times[n + 1]}\ntitle=shot {n + 1}\n"
            for n in range(chapters)
        ]
        notes.write_text(";FFMETADATA1\n" + "".join(marks))
        picture = f"color={colour.replace('#', '0x')}:s=320x180:r=16:d={seconds}"
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            picture,
            "-i",
            str(notes),
        ]
        if chapters:
            command += ["-f", "lavfi", "-i", f"sine=220:d={seconds}", "-map", "2:a", "-c:a", "aac"]
        command += ["-map", "0:v", "-map_metadata", "1", "-pix_fmt", "yuv420p", "-threads", "1", str(film)]
        subprocess.run(command, check=True)
        return film.read_bytes()


def story(
    studio: Studio, visitor: Visitor = ANNA, *, title: str = "The red dragon", text: str = TEXT
) -> Told:
    """A story whose first shot has two takes, the others one each, and its film of six seconds."""
    view = studio.stories.new(visitor, text=text, title=title, language="en")
    job = studio.stories.film(visitor, view.id, "animatic")
    row = studio.jobs.get(job)
    assert row is not None
    assert row.plan is not None
    clips = {
        shot.shot_id: [clip(studio, _COLOURS[n], request=shot.requests[0], owner=visitor.owner)]
        for n, shot in enumerate(row.plan.shots)
    }
    first = row.plan.shots[0]
    more = another(first.requests[0])
    studio.stories.store.add_takes(view.id, [Take(first.shot_id, key_of(more), "animatic", more.seed)])
    clips[first.shot_id].append(clip(studio, _COLOURS[3], request=more, owner=visitor.owner))
    film = finish(studio, job, row.plan, visitor)
    return Told(view.id, tuple(shot.shot_id for shot in row.plan.shots), clips, film)


def finish(studio: Studio, job: str, plan: FilmPlan, visitor: Visitor = ANNA) -> Asset:
    """What a worker does at the end of a film, without the work."""
    film = clip(
        studio, _COLOURS[4], seconds=2.0 * len(plan.shots), chapters=len(plan.shots), owner=visitor.owner,
        kind="film", plan=plan, request=None, job_id=job, title=plan.title, form={},
    )  # fmt: skip
    with writing(studio.engine) as connection:
        done = sa.update(job_table).where(job_table.c.id == job)
        connection.execute(done.values(state="done", asset_id=film.id))
    return film


def stand(studio: Studio, asset: Asset, standing: Any) -> None:
    """Let an asset stand otherwise."""
    with writing(studio.engine) as connection:
        studio.assets.stand(connection, asset.id, standing)


def end(studio: Studio, link: Link) -> None:
    """Let a link have ended yesterday."""
    from studio.room.tables import link_table

    with writing(studio.engine) as connection:
        late = sa.update(link_table).where(link_table.c.id == link.id)
        connection.execute(late.values(expires=datetime.now(UTC) - timedelta(days=1)))


class Guest:
    """A browser of somebody who was sent a link, with cookies of its own."""

    def __init__(self, studio: Studio, token: str, name: str = "") -> None:
        self.client = TestClient(web.make_app(studio), base_url=HERE, follow_redirects=False)
        self.at = f"/room/{token}"
        if name:
            assert self.say("name", name=name).status_code == 200

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(f"{self.at}/{path}", **more)

    def state(self) -> dict[str, Any]:
        answer = self.get("state")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def say(self, path: str, /, **values: Any) -> Any:
        headers = {"x-room": self.state()["token"]}
        return self.client.post(f"{self.at}/{path}", json=values, headers=headers)


def shared(studio: Studio, room: Room, rights: str = "decide", visitor: Visitor = ANNA) -> tuple[Link, str]:
    """A link, and its token."""
    return studio.rooms.share(visitor, room, rights)
