"""The rows of a job, for both who use them: people (`studio.jobs`) and workers (`studio.claims`)."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from pipelines.models import MODELS, Size
from pipelines.request import GenerationRequest, Notice
from studio import ways
from studio.db import UtcTime, metadata, utc_now
from studio.media.timeline import frame_size
from studio.story.film_plan import FilmPlan, key_of, read_plan

# Cloud: a clip too, made elsewhere; it waits in a queue of its own, never for the GPU.
# Media: what ffmpeg makes of clips that are there, without a model; `task` says what (`studio.media_work`).
Kind = Literal["clip", "cloud", "film", "media"]
KINDS: tuple[Kind, ...] = ("clip", "cloud", "film", "media")
CLIPS: tuple[Kind, ...] = ("clip", "cloud")
# Held: its words wait for a person to look at them; no worker sees it until then.
State = Literal["held", "queued", "running", "done", "failed", "cancelled"]
LIVE: tuple[State, ...] = ("queued", "running")
OPEN: tuple[State, ...] = ("held", *LIVE)
_PAUSED = "paused"

job_table = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, server_default="clip"),
    # The film that a clip was made for first; it stands in no list of its own.
    sa.Column("parent", sa.Text),
    # The grid that a clip was asked for by; it stands in no list of its own either.
    sa.Column("grid_id", sa.Text),
    sa.Column("form", sa.JSON, nullable=False),
    # A clip has a request (JSON's null for a film) and its key; a film has a plan and the story it tells (as
    # have takes that were asked for one by one).
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("request_key", sa.Text),
    sa.Column("plan", sa.JSON(none_as_null=True)),
    # What a media job does, by name and values.
    sa.Column("task", sa.JSON(none_as_null=True)),
    sa.Column("story_id", sa.Text),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    # The lower, the earlier. Seconds since 1970 for a new job, less than all others for one sent to front.
    sa.Column("place", sa.Float, nullable=False),
    # Renderings begun since a person last asked for the job; shown, and limited.
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    # Grows when a rendering begins or the job is taken from it: who holds an older number changes nothing.
    sa.Column("fence", sa.Integer, nullable=False, default=0),
    sa.Column("workflow_id", sa.Text),
    sa.Column("worker", sa.Text),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("started", UtcTime),
    sa.Column("finished", UtcTime),
    sa.Column("error", sa.JSON(none_as_null=True)),
    # What is to be said about a job that went well.
    sa.Column("notices", sa.JSON(none_as_null=True)),
    sa.Column("asset_id", sa.Text),
    # By what a later attempt goes on with what was ordered elsewhere, and what was made of the prompt there.
    sa.Column("resume_token", sa.Text),
    sa.Column("actual_prompt", sa.Text),
    sa.Column("seconds", sa.Float),
    sa.Column("tail_seconds", sa.Float),
    sa.Index("job_by_place", "state", "place", "created"),
    sa.Index("job_by_owner", "owner", "created"),
    sa.Index("job_by_end", "state", "finished"),
    sa.Index("job_by_model", "model", "state", "finished"),
    sa.Index("job_by_key", "owner", "request_key"),
    sa.Index("job_by_story", "story_id", "created"),
    sa.Index("job_by_grid", "grid_id", "created"),
)

# Which job makes the take that a film waits for; more than one film may wait for the same.
film_take_table = sa.Table(
    "film_take",
    metadata,
    sa.Column("film_id", sa.Text, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("request_key", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, sa.ForeignKey("job.id", ondelete="CASCADE"), nullable=False),
    sa.Index("film_take_by_job", "job_id"),
)

progress_table = sa.Table(
    "progress",
    metadata,
    sa.Column("job_id", sa.Text, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("eta", sa.Float),
    sa.Column("preview_version", sa.Integer, nullable=False),
    sa.Column("updated", UtcTime, nullable=False),
)

# Beside the progress row, not in it: followers read the row eight times a second, the picture once a step.
preview_table = sa.Table(
    "preview",
    metadata,
    sa.Column("job_id", sa.Text, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("picture", sa.LargeBinary, nullable=False),
)

flag_table = sa.Table("flag", metadata, sa.Column("name", sa.Text, primary_key=True))


@dataclass(frozen=True)
class Job:
    """One job. `order` is its place in the queue (lower is earlier), `seconds` what its rendering took.

    A clip has a `request`, a film a `plan`, a media job a `task`. `parent` is the film that a clip was made
    for first, `grid_id` the grid that asked for it; `notices` are what is to be said about a job that went
    well. `actual_prompt` is what a cloud made of the prompt.
    """

    id: str
    owner: str
    form: dict[str, Any]
    request: GenerationRequest | None
    model: str
    state: State
    order: float
    attempt: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    error: Notice | None
    asset_id: str | None
    worker: str | None
    seconds: float | None
    cancel_requested: bool = False
    kind: Kind = "clip"
    parent: str | None = None
    plan: FilmPlan | None = None
    task: dict[str, Any] | None = None
    grid_id: str | None = None
    story_id: str | None = None
    notices: tuple[Notice, ...] = ()
    resume_token: str | None = field(default=None, repr=False)
    actual_prompt: str | None = None

    @property
    def size(self) -> Size:
        """Width and height in pixels of what is asked for."""
        if self.request is not None:
            return self.request.size
        return Size(*frame_size(self.plan.format, self.plan.height)) if self.plan is not None else Size(16, 9)

    @property
    def asked(self) -> str:
        """What a list shows: the prompt as it was typed, or a film's title."""
        return asked(self.form, self.request, self.plan)


@dataclass(frozen=True)
class JobProgress:
    """How far a running job is. `eta`: seconds left at `updated`; `preview_version` grows by picture."""

    stage: str
    step: int
    total: int
    eta: float | None
    preview_version: int
    attempt: int
    updated: datetime


def asked(form: dict[str, Any], request: GenerationRequest | None, plan: FilmPlan | None) -> str:
    """What was asked for, in a person's own words: a clip's prompt before the style, a film's title."""
    typed = form.get("title") or form.get("prompt") or (request.prompt if request is not None else "")
    return str(typed or (plan.title if plan is not None else ""))


def job_of(row: Any) -> Job:
    """The job of a mapping of its row."""
    values = {name: row[name] for name in Job.__dataclass_fields__ if name != "order"}
    values["request"] = request_of(row["request"])
    values["plan"] = None if row["plan"] is None else read_plan(row["plan"])
    values["error"] = None if row["error"] is None else notice_of(row["error"])
    values["notices"] = tuple(map(notice_of, row["notices"] or ()))
    return Job(order=row["place"], **values)


def notice_of(document: dict[str, Any]) -> Notice:
    """A notice of a row; among its values may be another one: why a shot failed."""
    values = {
        name: notice_of(value) if isinstance(value, dict) and set(value) == {"code", "values"} else value
        for name, value in document["values"].items()
    }
    return Notice(document["code"], values)


def request_of(document: dict[str, Any] | None) -> GenerationRequest | None:
    """The request of a row.

    It was validated when it was asked for; a later studio may allow other sizes and still shows and makes it.
    """
    return None if document is None else GenerationRequest.kept(document)


def read_job(connection: Connection, job_id: str) -> Job | None:
    """One job, read within the caller's transaction."""
    row = connection.execute(sa.select(job_table).where(job_table.c.id == job_id)).mappings().first()
    return None if row is None else job_of(row)


def kind_of(request: GenerationRequest) -> Kind:
    """Where a clip is made: "clip" here, "cloud" elsewhere."""
    spec = MODELS.get(request.model)
    # Of a model that is in no table any more: the worker says so, and the GPU's queue is always there.
    return "clip" if spec is None or spec.cloud is None else "cloud"


def new_clip(
    owner: str, form: dict[str, Any], request: GenerationRequest, *, place: float, parent: str | None = None
) -> dict[str, Any]:
    """The values of a new row for a clip, here or in the cloud; `parent` is the film that asks for it."""
    return new_job(owner, kind_of(request), form, place=place) | {
        "parent": parent,
        "request": request.model_dump(mode="json"),
        "request_key": key_of(request),
        "model": request.model,
        "notices": ways.noted(form, request),
    }


def new_job(owner: str, kind: Kind, form: dict[str, Any], *, place: float) -> dict[str, Any]:
    """What the row of any new job has; what it makes is the caller's to add."""
    return {
        "id": secrets.token_urlsafe(12),
        "owner": owner,
        "kind": kind,
        "form": form,
        "request": None,
        "model": "",
        "state": "queued",
        "place": place,
        "created": utc_now(),
    }


def count_waiting(connection: Connection) -> dict[Kind, int]:
    """How many jobs of each kind wait."""
    query = sa.select(job_table.c.kind, sa.func.count()).where(job_table.c.state == "queued")
    found = {row[0]: int(row[1]) for row in connection.execute(query.group_by(job_table.c.kind))}
    return {kind: found.get(kind, 0) for kind in KINDS}


def is_paused(connection: Connection) -> bool:
    """Whether a person paused the queue."""
    query = sa.select(flag_table.c.name).where(flag_table.c.name == _PAUSED)
    return connection.execute(query).first() is not None


def set_paused(connection: Connection, paused: bool) -> None:
    """Pause the queue, or let it go on; nothing happens if it is so already."""
    if paused and not is_paused(connection):
        connection.execute(sa.insert(flag_table).values(name=_PAUSED))
    elif not paused:
        connection.execute(sa.delete(flag_table).where(flag_table.c.name == _PAUSED))
