"""What tickets do: claim the first job, make it, publish it. Imported by the worker only.

Rendering and publishing are one step: its only lasting result is the row, which the fence guards. A recorded
rendering would name a file that the next worker may not have.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dbos import DBOS
from sqlalchemy import Engine

from pipelines import loader, loras
from pipelines.models import MODELS
from pipelines.request import GenerationRequest, ModelError
from studio import footage
from studio.card import Card
from studio.claims import Attempt, Claims
from studio.db import utc_now
from studio.exporting import Begun, Exporter
from studio.hands import Free, Hand, Orders, nobody_waits, own_tmp
from studio.library import Library, new_id
from studio.media.clip import ClipFacts, write_clip
from studio.media.label import Frame
from studio.media.looks import graded
from studio.media.probe import thumbnail
from studio.outlook import Outlook
from studio.pictures import Pictures
from studio.recipe import Recipe
from studio.reporter import Reporter
from studio.rows import Kind
from studio.settings import Settings
from studio.tickets import WORKFLOWS


@dataclass(frozen=True)
class Made:
    """A written film: its facts, what made it, and when (monotonic seconds) that was ready to begin."""

    facts: ClipFacts
    revision: str
    began: float


@dataclass(frozen=True)
class Rendering:
    """One clip on its way into its file. `free()` is called when its last frame is there."""

    attempt: Attempt
    request: GenerationRequest
    path: Path
    begun: Begun
    reporter: Reporter
    free: Free

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return self.attempt.job.model

    def write(self, frames: Iterator[Frame], **made_by: Any) -> ClipFacts:
        """Write its film; `made_by` is what its recipe says of who made the frames."""
        job, request, begun = self.attempt.job, self.request, self.begun
        recipe = Recipe(
            request=request,
            form=job.form,
            created=utc_now().isoformat(timespec="seconds"),
            job=job.id,
            **made_by,
        )
        return write_clip(
            graded(_then(frames, self.free), request.look),
            path=self.path,
            fps=request.fps,
            comment=begun.comment(recipe.text()),
            tags=begun.tags,
            label=begun.label,
            mark=begun.mark_frames(),
            expected_frames=request.num_frames,
        )


def _then(frames: Iterator[Frame], end: Callable[[], None]) -> Iterator[Frame]:
    """The frames; `end()` is called behind the last one."""
    yield from frames
    end()


class Maker:
    """Makes clips with the one resident pipeline, alone on the card while it does."""

    def __init__(self, settings: Settings, engine: Engine, orders: Orders, card: Card | None = None) -> None:
        self.settings = settings
        self.card = card or Card()
        self.orders = orders
        self.claims = Claims(engine, settings.worker_id)
        self.library = Library(engine, settings.studio_home)
        self.outlook = Outlook(engine)
        self.exporter = Exporter(settings, engine)
        self.pictures = Pictures(engine, settings, self.library)
        self.tmp = own_tmp(settings)

    def make(self, attempt: Attempt, free: Free = nobody_waits) -> bool:
        """Render a clip and publish it; False if it was not ours to publish any more.

        `free()` is called with the last frame: checking, sealing and publishing need no card.
        """
        job, request = attempt.job, _request(attempt)
        asset_id = new_id()
        film, still = self.tmp / f"{asset_id}.mp4", self.tmp / f"{asset_id}.webp"
        with contextlib.ExitStack() as left:
            for path in (film, still):
                left.callback(path.unlink, missing_ok=True)
            tail = self.outlook.tail(request)
            with Reporter(self.claims, attempt, tail=tail) as reporter:
                begun = self.exporter.begin(asset_id, "clip", project=job.form.get("project"))
                made = self._film(Rendering(attempt, request, film, begun, reporter, free))
                before = self.pictures.source(request)
                finished = self.exporter.finish(
                    begun,
                    film,
                    model=job.model,
                    revision=made.revision,
                    prompt=request.prompt,
                    ingredients=footage.first_frame(request, before, self.library),
                    draft=job.parent is not None or job.story_id is not None,
                )
                still.write_bytes(thumbnail(film))
            asset = finished.asset(
                job,
                made.facts,
                fps=request.fps,
                took=time.monotonic() - made.began,
                request=request,
                model_revision=made.revision,
            )
            files = [(film, asset.path), (still, asset.thumbnail)]
            after = time.monotonic() - reporter.last_step
            return self.claims.publish(
                attempt,
                asset,
                files,
                self.library,
                finished,
                tail_seconds=after,
                clips=[] if before is None else [before.id],
                notices=job.notices,
            )

    def _film(self, job: Rendering) -> Made:
        """Write the film, alone on the card until the last frame is there."""
        spec = MODELS.get(job.model)
        if spec is None:
            # Queued by a studio that had this model.
            raise ModelError("model_unknown", field="model", value=job.model, allowed=", ".join(MODELS))
        should_stop = job.reporter.stops_at(self.orders.stopping)
        with contextlib.ExitStack() as card:
            card.enter_context(self.card.clip(should_stop))
            home, request = self.settings.studio_home, job.request
            video = loader.load(spec, home=home, device=self.settings.device, on_progress=job.reporter)
            began = time.monotonic()
            inputs = replace(self.pictures.inputs(request), loras=loras.files_of(home, request))
            engine = video.engine.told()
            with contextlib.closing(video.generate(request, job.reporter, should_stop, inputs)) as frames:
                facts = job.write(_then(frames, card.close), model_revision=video.revision, engine=engine)
        return Made(facts, video.revision, began)


def _request(attempt: Attempt) -> GenerationRequest:
    request = attempt.job.request
    if request is None:
        raise RuntimeError(f"job {attempt.job.id} is no clip")
    return request


_hands: dict[Kind, Hand] = {}


def serve(hands: Mapping[Kind, Hand]) -> None:
    """Let this process's tickets use these hands."""
    _hands.update(hands)


def _serving(kind: Kind) -> tuple[Hand, str]:
    if kind not in _hands or DBOS.workflow_id is None:
        raise RuntimeError("tickets run only in a worker")
    return _hands[kind], DBOS.workflow_id


@DBOS.workflow(name=WORKFLOWS["clip"])
def ticket() -> str:
    """One look into the queue: a clip is made, or there is none."""
    job_id = claim()
    return "nothing to do" if job_id is None else make(job_id)


@DBOS.step(name="claim")
def claim() -> str | None:
    """Take the first waiting clip."""
    hand, workflow_id = _serving("clip")
    return hand.claim(workflow_id)


@DBOS.step(name="make")
def make(job_id: str) -> str:
    """Render and publish it."""
    hand, workflow_id = _serving("clip")
    return hand.make(job_id, workflow_id)


@DBOS.workflow(name=WORKFLOWS["cloud"])
def cloud_ticket() -> str:
    """The same for clips that the cloud makes, several beside each other."""
    job_id = claim_cloud()
    return "nothing to do" if job_id is None else make_cloud(job_id)


@DBOS.step(name="claim_cloud")
def claim_cloud() -> str | None:
    """Take the first clip that waits for the cloud."""
    hand, workflow_id = _serving("cloud")
    return hand.claim(workflow_id)


@DBOS.step(name="make_cloud")
def make_cloud(job_id: str) -> str:
    """Order it, or go on with what was ordered; fetch and publish it."""
    hand, workflow_id = _serving("cloud")
    return hand.make(job_id, workflow_id)


@DBOS.workflow(name=WORKFLOWS["film"])
def film_ticket() -> str:
    """The same for films: cutting one is a step that picks up whatever parts of it are there."""
    job_id = claim_film()
    return "nothing to do" if job_id is None else make_film(job_id)


@DBOS.step(name="claim_film")
def claim_film() -> str | None:
    """Take the first waiting film."""
    hand, workflow_id = _serving("film")
    return hand.claim(workflow_id)


@DBOS.step(name="make_film")
def make_film(job_id: str) -> str:
    """Have its takes made, speak, cut and publish it."""
    hand, workflow_id = _serving("film")
    return hand.make(job_id, workflow_id)


@DBOS.workflow(name=WORKFLOWS["media"])
def media_ticket() -> str:
    """The same for what is made of clips that are there."""
    job_id = claim_media()
    return "nothing to do" if job_id is None else make_media(job_id)


@DBOS.step(name="claim_media")
def claim_media() -> str | None:
    """Take the first waiting media job."""
    hand, workflow_id = _serving("media")
    return hand.claim(workflow_id)


@DBOS.step(name="make_media")
def make_media(job_id: str) -> str:
    """Do what its task says, and publish it."""
    hand, workflow_id = _serving("media")
    return hand.make(job_id, workflow_id)
