"""What one film is made from, frozen when it is asked for: the worker acts on what the job's row holds."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pipelines.models import MODELS
from pipelines.request import MAX_SEED, GenerationRequest
from studio.media.still import CONTINUES_AT
from studio.media.timeline import Format, Move, TransitionKind
from studio.words import Language


class _Plan(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PlannedSource(_Plan):
    """A file below the home that a shot shows instead of takes; `seconds` None: to its end."""

    path: str
    start: float = 0.0
    seconds: float | None = None


class PlannedShot(_Plan):
    """One shot. `requests` are the takes it shows, one after the other; empty when it has a `source`.

    `seconds` is how long it shall be at least; the voice may need longer. `captions` by language are read
    along with `narration`, sentence by sentence where both have as many. `continues`: it goes on from the
    last take of the shot before, which is shown to its end, without a transition.
    """

    shot_id: str
    number: int
    title: str = ""
    requests: tuple[GenerationRequest, ...] = ()
    source: PlannedSource | None = None
    narration: str = ""
    captions: dict[Language, str] = {}
    seconds: float
    continues: bool = False
    move: Move = "none"
    transition: TransitionKind = "crossfade"


class FilmPlan(_Plan):
    """A whole film. `music` is a mood or a path below the home, `logo` a path below the home; empty: none.

    `larger` and `smoother` say what makes its takes so, as it was told before the film was asked for: where
    it is no network, the cut does it, by Lanczos and as `fps_mode` says.
    """

    version: Literal[1] = 1
    story_id: str
    title: str
    language: Language
    level: Literal["animatic", "film"]
    shots: tuple[PlannedShot, ...]
    format: Format
    height: int
    fps: int
    fps_mode: Literal["blend", "motion"] = "blend"
    larger: Literal["lanczos", "network"] = "lanczos"
    smoother: Literal["blend", "network"] = "blend"
    transition_seconds: float = 0.5
    look: str = ""
    narrate: bool = True
    voice: str = ""
    voice_speed: float = 1.0
    subtitles: tuple[Language, ...] = ()
    burn: bool = True
    music: str = ""
    music_volume: float = -16.0
    logo: str = ""
    logo_corner: Literal["top_left", "top_right", "bottom_left", "bottom_right"] = "top_right"
    logo_opacity: float = 0.9
    end_card: str = ""

    def requests(self) -> list[GenerationRequest]:
        """Every take it needs, each once, in the order in which they are wanted."""
        return list({key_of(request): request for shot in self.shots for request in shot.requests}.values())


NOT_YET = "0" * 64
"""Stands for the first picture of a request that goes on from a take which is not there yet."""


def waits(request: GenerationRequest) -> bool:
    """Whether a request can't be made yet: the take that it goes on from is not there."""
    return request.first_frame == NOT_YET


def whole_seconds(requests: Sequence[GenerationRequest]) -> float:
    """How long takes are up to the frame that the next shot begins with."""
    return sum(one.num_frames / one.fps for one in requests) - CONTINUES_AT / requests[-1].fps


# Fields that requests did not have at first, with the value that changes nothing.
_SINCE = {"look": "", "tier": "exact", "loras": (), "pair": "", "first_frame": ""}


def key_of(request: GenerationRequest) -> str:
    """What says that two takes are the same picture: 24 hex digits of the hash of request and weights."""
    facts = request.model_dump(mode="json")
    for name, value in _SINCE.items():
        # As before there were looks, tiers ...: what was rendered then is still found.
        if getattr(request, name) == value:
            del facts[name]
    spec = MODELS.get(request.model)
    if spec is not None and spec.revision is not None:
        facts["revision"] = spec.revision
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def another(request: GenerationRequest) -> GenerationRequest:
    """One more take of the same picture."""
    return request.model_copy(update={"seed": (request.seed + 1) % (MAX_SEED + 1)})


def read_plan(document: Mapping[str, Any]) -> FilmPlan:
    """The plan that a job's row or an asset's holds.

    Its requests were validated when they were asked for; a later studio may allow other sizes and still makes
    them.
    """
    shots = document["shots"]
    plan = FilmPlan.model_validate({**document, "shots": [{**shot, "requests": ()} for shot in shots]})
    kept = tuple(
        shot.model_copy(update={"requests": tuple(map(_request, given.get("requests", ())))})
        for shot, given in zip(plan.shots, shots, strict=True)
    )
    return plan.model_copy(update={"shots": kept})


def _request(values: dict[str, Any]) -> GenerationRequest:
    return GenerationRequest.kept(values)
