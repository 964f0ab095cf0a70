"""What the tests of the routes share: a client of a studio, and a real film in its library."""

from datetime import UTC, datetime
from typing import Any

from starlette.testclient import TestClient

from pipelines.request import GenerationRequest
from studio import web
from studio.core import Studio
from studio.library import Asset
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.media.probe import thumbnail
from tests.media.pictures import frames

HERE = "http://127.0.0.1:7860"


def client_of(studio: Studio, base_url: str = HERE, **more: Any) -> TestClient:
    return TestClient(web.make_app(studio), base_url=base_url, follow_redirects=False, **more)


def keep(studio: Studio, prompt: str = "夜晚的海上，一只小船", asset_id: str = "Abc-_123") -> Asset:
    """A real film in the library."""
    request = GenerationRequest(prompt=prompt, num_frames=17)
    film = studio.settings.media / f"{asset_id}.mp4"
    facts = write_clip(frames(17), path=film, fps=8, comment="{}", label=LabelStyle(), expected_frames=17)
    film.with_suffix(".webp").write_bytes(thumbnail(film))
    asset = Asset(
        id=asset_id, job_id=f"job-{asset_id}", owner="anna", path=f"media/{asset_id}.mp4",
        thumbnail=f"media/{asset_id}.webp", request=request, form={"prompt": prompt}, model="sketch",
        model_revision="r", width=320, height=192, seconds=facts.seconds, fps=8, frames=17, bytes=facts.bytes,
        sha256=facts.sha256, render_seconds=1.0, created=datetime.now(UTC),
    )  # fmt: skip
    studio.assets.add(asset)
    return asset
