"""What the library keeps: an asset, and how it may stand."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pipelines.models import Size
from pipelines.request import GenerationRequest, Notice
from studio.db import utc_now
from studio.rows import asked
from studio.story.film_plan import FilmPlan

# Public: whoever holds its id may look. Draft: a take of a story that is shown when its film is approved; its
# owner sees it. Held: waits for a person. Blocked: in quarantine. Rejected: a person said no. Those last
# three only an admin sees.
Standing = Literal["public", "draft", "held", "blocked", "rejected"]
USABLE: tuple[Standing, ...] = ("public", "draft")
# A grid is many clips as one video.
AssetKind = Literal["clip", "film", "grid", "edit"]


@dataclass(frozen=True)
class Asset:
    """A kept clip or film. Paths are relative to the home.

    `seconds` is its length, `render_seconds` what its making took. A clip has a `request`, and its key once
    it is kept (None: kept before there were keys); a film has a `title` and a `plan`. `label` are the fields
    of the `LabelStyle` that is drawn on it (None: made before that was kept), `reasons` why it is held.
    `trashed`: since when it lies in the trash.
    """

    id: str
    job_id: str
    owner: str
    path: str
    thumbnail: str
    request: GenerationRequest | None
    form: dict[str, Any]
    model: str
    model_revision: str
    width: int
    height: int
    seconds: float
    fps: int
    frames: int
    bytes: int
    sha256: str
    render_seconds: float
    created: datetime
    kind: AssetKind = "clip"
    title: str = ""
    request_key: str | None = None
    plan: FilmPlan | None = None
    standing: Standing = "public"
    label: dict[str, Any] | None = None
    reasons: tuple[Notice, ...] = ()
    project_id: str | None = None
    trashed: datetime | None = None

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return Size(self.width, self.height)

    @property
    def asked(self) -> str:
        """What a list shows: a film's title, or the prompt as it was typed."""
        return self.title or asked(self.form, self.request, self.plan)


def new_id() -> str:
    """A new asset's id."""
    return secrets.token_urlsafe(12)


def places(asset_id: str, suffix: str, *, blocked: bool = False) -> tuple[str, str]:
    """Where an asset's film and its still picture (`suffix`: ".webp") will lie: below `media`, or apart."""
    folder = f"{'quarantine' if blocked else 'media'}/{utc_now():%Y/%m}"
    return f"{folder}/{asset_id}.mp4", f"{folder}/{asset_id}{suffix}"


def card_place(path: str) -> str:
    """Where the card of an asset lies (`studio.library.cards`) whose film lies at `path`."""
    return f"{path.removesuffix('.mp4')}.json"
