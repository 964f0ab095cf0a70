"""What a ticket does: claim the first job, make its clip, publish it. Imported by the worker only.

Rendering and publishing are one step: its only lasting result is the row, which the fence guards. A recorded
rendering would name a file that the next worker may not have.
"""

import contextlib
import logging
import secrets
import threading
import time
from pathlib import Path

from dbos import DBOS
from sqlalchemy import Engine

from pipelines import loader
from pipelines.models import MODELS
from pipelines.request import Cancelled, ModelError, Notice
from studio.claims import Attempt, Claims
from studio.db import utc_now
from studio.library import Asset, Library, new_place
from studio.lock import file_name
from studio.media.clip import ClipFacts, write_clip
from studio.media.ffmpeg import MediaError, no_room
from studio.media.probe import thumbnail
from studio.outlook import Outlook
from studio.recipe import Recipe
from studio.reporter import Reporter
from studio.settings import Settings
from studio.tickets import WORKFLOW

log = logging.getLogger(__name__)


class Maker:
    """Makes clips with the one resident pipeline, one at a time. `current` is the job in hand."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings = settings
        self.claims = Claims(engine, settings.worker_id)
        self.library = Library(engine, settings.studio_home)
        self.outlook = Outlook(engine)
        # A folder of this worker's own, so that what it left when killed can be told from others' work.
        self.tmp = settings.tmp / f"worker-{file_name(settings.worker_id)}"
        self.tmp.mkdir(parents=True, exist_ok=True)
        self.stopping = threading.Event()
        self.draining = threading.Event()
        self.current: str | None = None

    def claim(self, workflow_id: str) -> str | None:
        """The job that this ticket is for; None if there is none, or this worker takes no more."""
        if self.stopping.is_set() or self.draining.is_set():
            return None
        return self.claims.claim(workflow_id)

    def make(self, job_id: str, workflow_id: str) -> str:
        """Render a claimed job and publish it. Whatever happens, its row tells it and the queue goes on."""
        attempt = None if self.stopping.is_set() else self.claims.begin(job_id, workflow_id)
        if attempt is None:
            return "not ours"
        self.current = job_id
        try:
            return "done" if self._render(attempt) else "not ours"
        except Cancelled:
            # A worker that stops has given its job back already: this then changes nothing.
            self.claims.cancelled(attempt)
            return "cancelled"
        except Exception as error:
            self.claims.fail(attempt, _notice(error, job_id))
            return "failed"
        finally:
            self.current = None

    def _render(self, attempt: Attempt) -> bool:
        job = attempt.job
        asset_id, place, still_place = new_place(".webp")
        film, still = self.tmp / f"{asset_id}.mp4", self.tmp / f"{asset_id}.webp"
        with contextlib.ExitStack() as left:
            for path in (film, still):
                left.callback(path.unlink, missing_ok=True)
            tail = self.outlook.tail(job.request)
            with Reporter(self.claims, attempt, tail=tail) as reporter:
                facts, revision, began = self._film(attempt, film, reporter)
                still.write_bytes(thumbnail(film))
            asset = Asset(
                id=asset_id,
                job_id=job.id,
                owner=job.owner,
                path=place,
                thumbnail=still_place,
                request=job.request,
                form=job.form,
                model=job.model,
                model_revision=revision,
                width=facts.width,
                height=facts.height,
                seconds=facts.seconds,
                fps=job.request.fps,
                frames=facts.frames,
                bytes=facts.bytes,
                sha256=facts.sha256,
                render_seconds=time.monotonic() - began,
                created=utc_now(),
            )
            files = [(film, place), (still, still_place)]
            after = time.monotonic() - reporter.last_step
            return self.claims.publish(attempt, asset, files, self.library, tail_seconds=after)

    def _film(self, attempt: Attempt, film: Path, reporter: Reporter) -> tuple[ClipFacts, str, float]:
        """Write the film; its facts, the model's revision, and when the model was ready to begin."""
        job = attempt.job
        spec = MODELS.get(job.model)
        if spec is None:
            # Queued by a studio that had this model.
            raise ModelError("model_unknown", field="model", value=job.model, allowed=", ".join(MODELS))
        video = loader.load(
            spec, home=self.settings.studio_home, device=self.settings.device, on_progress=reporter
        )
        began = time.monotonic()
        recipe = Recipe(
            request=job.request,
            form=job.form,
            model_revision=video.revision,
            created=utc_now().isoformat(timespec="seconds"),
            job=job.id,
        )

        def should_stop() -> bool:
            return reporter.wish != "go" or self.stopping.is_set()

        with contextlib.closing(video.generate(job.request, reporter, should_stop)) as frames:
            facts = write_clip(
                frames,
                path=film,
                fps=job.request.fps,
                recipe=recipe.text(),
                label_text=self.settings.label_text,
                expected_frames=job.request.num_frames,
            )
        return facts, video.revision, began


def _notice(error: Exception, job_id: str) -> Notice:
    """What a person is told; the whole story goes to the log under the same reference."""
    if isinstance(error, ModelError | MediaError):
        log.warning("job %s failed: %s", job_id, error)
        return error.notice
    if isinstance(error, OSError) and no_room(error):
        return MediaError("disk_full").notice
    reference = secrets.token_hex(4)
    log.error("job %s failed, reference %s", job_id, reference, exc_info=error)
    return Notice("internal", {"reference": reference})


_maker: Maker | None = None


def serve(maker: Maker) -> None:
    """Let this process's tickets use this maker."""
    global _maker
    _maker = maker


def _serving() -> tuple[Maker, str]:
    if _maker is None or DBOS.workflow_id is None:
        raise RuntimeError("tickets run only in a worker")
    return _maker, DBOS.workflow_id


@DBOS.workflow(name=WORKFLOW)
def ticket() -> str:
    """One look into the queue: a job is made, or there is none."""
    job_id = claim()
    return "nothing to do" if job_id is None else make(job_id)


@DBOS.step(name="claim")
def claim() -> str | None:
    """Take the first waiting job."""
    maker, workflow_id = _serving()
    return maker.claim(workflow_id)


@DBOS.step(name="make")
def make(job_id: str) -> str:
    """Render and publish it."""
    maker, workflow_id = _serving()
    return maker.make(job_id, workflow_id)
