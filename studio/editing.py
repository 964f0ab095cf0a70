"""Edits of finished clips: a wish is read, what it comes to is queued, a clip's takes are found again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy import Engine

from pipelines.request import Notice
from studio import access
from studio.access import Visitor
from studio.checking import held_because, texts_of
from studio.db import reading, utc_now, writing
from studio.edit_tables import edit_table
from studio.edits.model import read_with_model
from studio.edits.operations import Clip
from studio.edits.plan import EditPlan
from studio.edits.reading import read_chosen, read_wishes
from studio.edits.types import Reading
from studio.finish_estimates import finish_seconds, past_finishes
from studio.forms import Resolve
from studio.jobs import Jobs
from studio.library import Asset, Library
from studio.media.ffmpeg import MediaError
from studio.media.retouch import Operation, Shape, shape_after
from studio.refusal import Cannot, Refused, refuse_what_cannot
from studio.retouching import NAME
from studio.settings import Settings
from studio.text.llm import configured

# A clip's request and form to be kept, of a form as a person fills it in; Refused.
EDITABLE = ("clip", "edit")
"""The kinds of assets that are changed in words."""
_MOST_TAKES = 24


@dataclass(frozen=True)
class Take:
    """One take that came of a wish. `operations`: all that was done to its pictures since they were drawn."""

    job_id: str
    source_id: str
    wish: str
    intents: tuple[str, ...]
    operations: tuple[Operation, ...]
    created: datetime


class Edits:
    """Owns the table `edit`."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        jobs: Jobs,
        assets: Library,
        resolve: Resolve,
        cannot: Cannot,
    ) -> None:
        self.engine, self.settings = engine, settings
        self.jobs, self.assets = jobs, assets
        self._resolve, self._cannot = resolve, cannot

    def read(self, visitor: Visitor, asset_id: str, text: str) -> Reading:
        """What a wish asks for of a clip; by the language model where one is configured.

        Refused for a clip that is not to be seen, or none that can be edited.
        """
        clip = _clip(self._source(visitor, asset_id))
        client = configured(self.settings)
        return read_wishes(text, clip) if client is None else read_with_model(text, clip, client)

    def chosen(self, visitor: Visitor, asset_id: str, text: str, intent: str) -> Reading:
        """As `read`, where the person was asked back and chose what is meant."""
        return read_chosen(text, intent, _clip(self._source(visitor, asset_id)))

    def make(self, visitor: Visitor, asset_id: str, document: Mapping[str, Any]) -> str:
        """Queue what an `EditPlan`'s document asks for, return the job's id; the clip stays as it is.

        A clip that is rendered anew keeps its seed and form, and what was done to its pictures is done again.
        Refused for a document that is none, a clip that can't be made (here), words that may not be used.
        """
        source = self._source(visitor, asset_id)
        try:
            plan = EditPlan.model_validate(document)
        except ValidationError as error:
            raise Refused(Notice("edit_bad")) from error
        if plan.empty:
            raise Refused(Notice("edit_nothing", {"wish": plan.wish}))
        before = self.take_of(source.job_id)
        done = before.operations if before is not None else ()
        if plan.renders:
            job_id = self._render(visitor, source, plan, (*done, *plan.operations))
        else:
            _check(Shape(source.width, source.height, source.frames, source.fps), plan.operations)
            form = {name: value for name, value in source.form.items() if name != "title"}
            if source.owner != visitor.owner:
                form.pop("project", None)
            task = {"name": NAME, "source": source.id, "operations": _told(plan.operations)}
            job_id = self.jobs.submit_media(visitor.owner, form, task)
        self._keep(job_id, source.id, plan, (*done, *plan.operations))
        return job_id

    def check(self, visitor: Visitor, asset_id: str, plan: EditPlan) -> Notice | None:
        """Why a person looks at the words first, if so; Refused with those that `make` would not take."""
        if not plan.renders:
            return None
        request, kept = self._resolve(visitor, _form(self._source(visitor, asset_id), plan))
        found = self.jobs.checker.passed(texts_of(kept, request, None))
        return Notice(**held_because(found)) if found.outcome == "hold" else None

    def takes(self, asset_id: str) -> Sequence[Take]:
        """What came of wishes about a clip, newest first; the jobs may be gone."""
        columns = edit_table.c
        query = sa.select(edit_table).where(columns.source_id == asset_id)
        with reading(self.engine) as connection:
            found = connection.execute(query.order_by(columns.created.desc()).limit(_MOST_TAKES))
            return [_take(row) for row in found.mappings()]

    def finish_seconds(self, shape: Shape, chosen: Sequence[Sequence[Operation]]) -> Sequence[float | None]:
        """How long each way to finish a clip of that shape takes, by those made last; None: nobody knows."""
        with reading(self.engine) as connection:
            past = past_finishes(connection)
        return [finish_seconds(shape, operations, past) for operations in chosen]

    def form(self, visitor: Visitor, asset_id: str, plan: EditPlan) -> dict[str, Any]:
        """The form by which an edit would be rendered, to be priced; Refused as `make`."""
        return _form(self._source(visitor, asset_id), plan)

    def take_of(self, job_id: str) -> Take | None:
        """The wish that a job is there for; None if it is no edit."""
        with reading(self.engine) as connection:
            found = connection.execute(sa.select(edit_table).where(edit_table.c.job_id == job_id))
            row = found.mappings().first()
        return None if row is None else _take(row)

    def _source(self, visitor: Visitor, asset_id: str) -> Asset:
        asset = self.assets.get(asset_id)
        if asset is None or not access.may_see(visitor, asset.standing, asset.owner):
            raise Refused(Notice("asset_unknown"))
        if asset.kind not in EDITABLE or not asset.form.get("prompt"):
            raise Refused(Notice("edit_no_film"))
        if not self.assets.exists(asset):
            raise Refused(Notice("file_missing"))
        return asset

    def _render(
        self, visitor: Visitor, source: Asset, plan: EditPlan, operations: Sequence[Operation]
    ) -> str:
        request, kept = self._resolve(visitor, _form(source, plan))
        refuse_what_cannot(self._cannot, [request])
        if not operations:
            return self.jobs.submit(owner=visitor.owner, form=kept, request=request)
        _check(Shape(request.width, request.height, request.num_frames, request.fps), operations)
        task: dict[str, Any] = {"name": NAME, "source": source.id, "operations": _told(operations)}
        task |= {"request": request.model_dump(mode="json")}
        return self.jobs.submit_media(visitor.owner, kept, task)

    def _keep(self, job_id: str, source_id: str, plan: EditPlan, operations: Sequence[Operation]) -> None:
        with writing(self.engine) as connection:
            connection.execute(
                sa.insert(edit_table).values(
                    job_id=job_id,
                    source_id=source_id,
                    wish=plan.wish,
                    intents=list(plan.intents),
                    operations=_told(operations),
                    created=utc_now(),
                )
            )


def _clip(asset: Asset) -> Clip:
    return Clip(str(asset.form["prompt"]), {**asset.form, "model": asset.model}, asset.seconds)


def _form(source: Asset, plan: EditPlan) -> dict[str, Any]:
    """The form of the source, with what is to be changed in it; its seed unless another one is asked for."""
    form = {**source.form, "model": source.model}
    if source.request is not None:
        form.setdefault("seed", source.request.seed)
    form.pop("title", None)
    if plan.prompt is not None:
        # What stood there before it was improved belongs to the other words.
        form.pop("prompt_original", None)
        form["prompt"] = plan.prompt
    if "seconds" in plan.settings:
        form.pop("num_frames", None)
    if "style" in plan.settings:
        form.pop("style_version", None)
    for name, value in plan.settings.items():
        form[name] = int(value) if name == "seed" and isinstance(value, float) else value
    return {name: value for name, value in form.items() if value is not None}


def _check(shape: Shape, operations: Sequence[Operation]) -> None:
    try:
        shape_after(shape, operations)
    except MediaError as error:
        raise Refused(error.notice) from error


def _told(operations: Sequence[Operation]) -> list[dict[str, Any]]:
    return [operation.model_dump(exclude_defaults=True) for operation in operations]


def _take(row: Any) -> Take:
    operations = tuple(Operation.model_validate(one) for one in row["operations"])
    told = (row["job_id"], row["source_id"], row["wish"], tuple(row["intents"]))
    return Take(*told, operations, row["created"])
