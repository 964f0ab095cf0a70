"""Studio: the only door for the page, the API and the command line. No browser, no torch."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from pipelines import loras
from pipelines.cloud_facts import Money
from pipelines.models import MODELS, ModelSpec
from pipelines.request import GenerationRequest, Notice, model_spec, notices
from studio import access, db, ways
from studio.access import Visitor
from studio.api_keys import Keys
from studio.api_tasks import Tasks
from studio.editing import Edits
from studio.follow import Followers
from studio.forms import ANY_PICTURE, FORM_FIELDS, NOT_KEPT, fields_of, going_on, original_of, refusal
from studio.grids import Grids
from studio.jobs import Job, Jobs
from studio.library import Asset, Library
from studio.library.cards import Cards
from studio.library.finder import Finder
from studio.library.kin import Family
from studio.library.looks import Looks
from studio.library.projects import Projects
from studio.library.shelves import Shelves
from studio.library.upkeep import Upkeep
from studio.media.ffmpeg import MediaError
from studio.model_room import ModelRoom
from studio.picture_rows import Picture
from studio.pictures import Pictures
from studio.prices import clip_price
from studio.recipe import read_recipe
from studio.refusal import refuse_what_cannot
from studio.reviewing import Reviews
from studio.room.rooms import Rooms
from studio.rows import kind_of, request_of
from studio.settings import Settings
from studio.stories import Stories
from studio.style_store import Styles
from studio.styles import STYLES, Style
from studio.tracing import TraceView, Tracing
from studio.views import JobView, Refused, seen_by
from studio.votes import Votes

__all__ = ["FORM_FIELDS", "Estimate", "JobView", "Refused", "Studio"]


@dataclass(frozen=True)
class Estimate:
    """What pressing the button costs: seconds of rendering (None if unknown) and of waiting before.

    `told` says what will be done otherwise than was asked for. `paid`: the cloud takes money for it, `cost`
    by its list (None: the list does not tell). `cannot`: why it would be refused as things stand.
    """

    seconds: float | None
    ahead: int
    wait: float | None
    told: tuple[Notice, ...] = ()
    paid: bool = False
    cost: Money | None = None
    cannot: Notice | None = None


class Studio:
    """Owns the database, the queue's rows and the library; one per process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.make_folders()
        self.engine = db.engine(settings.database_url)
        db.migrate(self.engine)
        self.jobs = Jobs(self.engine, settings)
        self.styles = Styles(self.engine, settings, self.jobs.checker)
        self.assets = Library(self.engine, settings.studio_home)
        self.pictures = Pictures(self.engine, settings, self.assets)
        self.projects = Projects(self.engine, settings, self.jobs.checker)
        self.shelves = Shelves(self.engine, settings, self.assets, self.projects, self.jobs.checker)
        self.finder = Finder(self.engine, settings, self.assets, self.shelves, self.styles.find)
        looks = Looks(self.engine, self.assets)
        self.family = Family(self.engine, settings, self.assets, looks)
        cards = Cards(self.engine, self.assets.archive, settings.tmp, settings.sealing_key())
        self.upkeep = Upkeep(self.finder, looks, cards, self.shelves)
        self.model_room = ModelRoom(self.engine, settings)
        self.reviews = Reviews(self.engine, settings, self.jobs, self.assets)
        self._tracing = Tracing(self.engine, settings, self.assets)
        cannot = self.model_room.cannot_make
        self.stories = Stories(
            self.engine, settings, self.jobs, self.assets, self._read, self.styles.find, cannot
        )
        self.grids = Grids(self.engine, settings, self.jobs, self.assets, self._asked, cannot)
        self.rooms = Rooms(
            self.engine,
            settings,
            self.jobs.checker,
            assets=self.assets,
            stories=self.stories,
            projects=self.projects,
            grids=self.grids,
        )
        self.votes = Votes(self.engine)
        self.keys, self.api_tasks = Keys(self.engine), Tasks(self.engine)
        self.edits = Edits(self.engine, settings, self.jobs, self.assets, self._asked, cannot)
        self._followers: Followers[JobView] = Followers(
            self._read, lambda view: view.is_final, lambda view: view.waits_for_a_person
        )

    # -- asking for a clip ---------------------------------------------------------------------------------

    def generate(self, visitor: Visitor, /, **form: Any) -> str:
        """Queue one clip, return its job id at once; `Refused` says what is wrong, then nothing is queued."""
        request, kept = self._asked(visitor, form)
        refuse_what_cannot(self.model_room.cannot_make, [request])
        return self.jobs.submit(owner=visitor.owner, form=kept, request=request)

    def estimate(self, **form: Any) -> Estimate:
        """Time before the button is pressed; `Refused` if the form can't be made."""
        request, kept = self._resolve(form, priced=True)
        ahead, wait = self.jobs.ahead(kind_of(request))
        return Estimate(
            seconds=self.jobs.estimate(request),
            ahead=ahead,
            wait=wait,
            told=ways.instead(kept, request),
            paid=request.spec.cloud is not None,
            cost=clip_price(request, self.settings),
            cannot=self.model_room.cannot_make([request]),
        )

    def again(self, visitor: Visitor, job_id: str) -> str:
        """Queue the same clip with another seed and return the new job's id; films are their story's."""
        job = self._known(job_id)
        if job.kind == "film":
            raise Refused(Notice("is_film"))
        form = dict(job.form)
        form.pop("seed", None)
        return self.generate(visitor, **form)

    def keep_picture(self, visitor: Visitor, data: bytes) -> Picture:
        """Take in a picture for clips to begin with: `first_frame` takes its id. `Refused` says why not."""
        return self.pictures.keep(data, owner=visitor.owner)

    def goes_on(self, visitor: Visitor, asset_id: str, model: str) -> dict[str, Any]:
        """The form that goes on from a clip with a model: its words and style, from its third last frame."""
        asset = self.asset(visitor, asset_id)
        return going_on(asset, model_spec(model), self.pictures.keep_frame(asset))

    def restore(self, path: Path) -> dict[str, Any]:
        """The form that an MP4 made here was asked with; `Refused` if it is not ours.

        The picture it began with is named only by its hash: `first_frame` stays where that is here.
        """
        try:
            return dict(read_recipe(path, self.styles.find).form)
        except MediaError as error:
            raise Refused(error.notice) from error

    def _asked(self, visitor: Visitor, form: dict[str, Any]) -> tuple[GenerationRequest, dict[str, Any]]:
        """As `_resolve`, with a style by its title too, and without a project that this visitor can't use."""
        style = form.get("style")
        if isinstance(style, str) and style and self.styles.find(style) is None:
            form = form | {"style": self.styles.named(visitor, style)}
        request, kept = self._resolve(form)
        if not self.projects.known(visitor, kept.get("project")):
            # One that was deleted meanwhile, or is of another studio, keeps nobody from a clip.
            kept.pop("project", None)
        return request, kept

    def _resolve(
        self, form: dict[str, Any], *, priced: bool = False
    ) -> tuple[GenerationRequest, dict[str, Any]]:
        """The request a form asks for, and the form to keep: what was typed, with the seed that was drawn.

        `priced`: only what it costs counts, which no picture changes.
        """
        given = {name: value for name, value in form.items() if value is not None and value != ""}
        given.setdefault("model", self.settings.model)
        try:
            spec = model_spec(given["model"])
            self._offered(spec)
            if priced:
                given["first_frame"] = ANY_PICTURE if spec.first_frame == "needed" else ""
            style = self._style(given)
            fields = fields_of(ways.applied(given, spec, self.settings.studio_home), spec, style)
            request = GenerationRequest(**fields)
            request = loras.with_pair(self.settings.studio_home, request)
            request = request if priced else self.pictures.applied(request)
            original = original_of(given)
        except ValidationError as error:
            raise Refused(*notices(error)) from error
        except PydanticCustomError as error:
            raise Refused(Notice(error.type, dict(error.context or {}))) from error
        kept = {name: given[name] for name in FORM_FIELDS if name in given and name not in NOT_KEPT}
        kept |= original
        kept |= {
            "prompt": str(given["prompt"]).strip(),
            "size": f"{request.width}x{request.height}",
            "num_frames": request.num_frames,
            "seed": request.seed,
        }
        return request, kept | ({} if style is None else {"style_version": style.version})

    def _offered(self, spec: ModelSpec) -> None:
        """Refused for a cloud's model without a key, or in a region that has it not."""
        cannot = None if self.settings.offers(spec) else self.model_room.cannot(spec)
        if cannot is not None:
            raise Refused(cannot)

    def _style(self, given: dict[str, Any]) -> Style | None:
        """The style that a form names, in the version it names while that is kept; None if it names none."""
        if "style" not in given:
            return None
        version = str(given.get("style_version", ""))
        style = self.styles.find(str(given["style"]), int(version) if version.isdecimal() else None)
        if style is None:
            allowed = ", ".join(STYLES)
            raise refusal("style_unknown", field="style", value=str(given["style"])[:40], allowed=allowed)
        return style

    # -- following -----------------------------------------------------------------------------------------

    def job(self, visitor: Visitor, job_id: str) -> JobView:
        """A job as this visitor sees it; whoever holds a job's id may look at it."""
        view = self._read(job_id)
        if view is None:
            raise Refused(Notice("job_unknown"))
        seen = seen_by(visitor, view)
        return _without_preview(seen) if self._hides(visitor, view) else seen

    def shows_previews(self, visitor: Visitor, project: object = None) -> bool:
        """Whether this visitor sees pictures in the making: not where a person approves them first."""
        return visitor.admin or self.reviews.policy(project).publish == "at_once"

    def _hides(self, visitor: Visitor, view: JobView) -> bool:
        shown = view.progress is not None and view.progress.preview_version
        return bool(shown) and not self.shows_previews(visitor, view.job.form.get("project"))

    async def follow(self, visitor: Visitor, job_id: str) -> AsyncIterator[JobView]:
        """Yield a job's view now and at each change, and end after the final one."""
        known = False
        async for view in self._followers.follow(job_id):
            if not known:
                known, project = True, view.job.form.get("project")
                hidden = not await asyncio.to_thread(self.shows_previews, visitor, project)
            yield _without_preview(seen_by(visitor, view)) if hidden else seen_by(visitor, view)
        # Whoever saw it end asks next what is ahead now.
        self.jobs.forget_outlook()
        if not known:
            raise Refused(Notice("job_unknown"))

    def preview(self, visitor: Visitor, job_id: str) -> bytes | None:
        """The newest preview of a running job as an animated WebP, if there is one that may be seen."""
        job = self.jobs.get(job_id)
        seen = job is not None and self.shows_previews(visitor, job.form.get("project"))
        return self.jobs.preview(job_id) if seen else None

    def queue(self, visitor: Visitor, *, limit: int = 100) -> list[JobView]:
        """The jobs this visitor may see: waiting ones in the queue's order, then the newest finished ones."""
        owner = None if access.sees_all(visitor, self.settings) else visitor.owner
        outlook = self.jobs.outlook()
        views, listed = [], self.jobs.list(owner=owner, limit=limit)
        standings = self.assets.standings([job.asset_id for job in listed if job.asset_id])
        for job in listed:
            position, eta = outlook.get(job.id, (None, None))
            progress = self.jobs.progress(job.id) if job.state == "running" else None
            standing = standings.get(job.asset_id or "")
            view = JobView(job, progress, position, eta, asset=None, standing=standing)
            views.append(seen_by(visitor, view))
        return [_without_preview(view) if self._hides(visitor, view) else view for view in views]

    def _read(self, job_id: str) -> JobView | None:
        job = self.jobs.get(job_id)
        if job is None:
            return None
        waiting, running = job.state == "queued", job.state == "running"
        asset = self.assets.get(job.asset_id) if job.asset_id else None
        return JobView(
            job=job,
            progress=self.jobs.progress(job_id) if running else None,
            position=self.jobs.position(job_id) if waiting else None,
            eta=self.jobs.eta(job_id) if waiting or running else None,
            asset=asset,
            standing=None if asset is None else asset.standing,
            reasons=() if asset is None else asset.reasons,
        )

    def _known(self, job_id: str) -> Job:
        job = self.jobs.get(job_id)
        if job is None:
            raise Refused(Notice("job_unknown"))
        return job

    # -- changing the queue --------------------------------------------------------------------------------

    def cancel(self, visitor: Visitor, job_id: str) -> None:
        """Cancel one's own job, waiting or running; a finished one stays as it is."""
        self._own(visitor, job_id)
        self.jobs.cancel(job_id)

    def retry(self, visitor: Visitor, job_id: str) -> None:
        """Queue one's own failed or cancelled job again, as the same job; Refused where that would fail."""
        self._own(visitor, job_id)
        refuse_what_cannot(self.model_room.cannot_make, self._still_to_make(self._known(job_id)))
        self.jobs.retry(job_id)

    def _still_to_make(self, job: Job) -> Sequence[GenerationRequest]:
        """The clips that a model has to make for a job if it is asked for again."""
        if job.plan is not None:
            return self.jobs.estimate_film(job.owner, job.plan).missing
        request = job.request or request_of((job.task or {}).get("request"))
        return () if request is None else (request,)

    def to_front(self, visitor: Visitor, job_id: str) -> None:
        """Let a waiting job be the next one; an admin's right."""
        _admin_only(visitor)
        self._known(job_id)
        self.jobs.to_front(job_id)

    def pause(self, visitor: Visitor) -> None:
        """Start no further job; the running one finishes. An admin's right."""
        _admin_only(visitor)
        self.jobs.pause()

    def resume(self, visitor: Visitor) -> None:
        """Go on after `pause`. An admin's right."""
        _admin_only(visitor)
        self.jobs.resume()

    def _own(self, visitor: Visitor, job_id: str) -> None:
        if not access.may_change(visitor, self._known(job_id).owner):
            raise Refused(Notice("not_yours"))

    # -- the library ---------------------------------------------------------------------------------------

    def library(self, visitor: Visitor, *, limit: int = 60, offset: int = 0) -> list[Asset]:
        """The clips this visitor may see, newest first."""
        owner = None if access.sees_all(visitor, self.settings) else visitor.owner
        drafts_of = None if visitor.admin else visitor.owner
        return self.assets.list(owner=owner, limit=limit, offset=offset, drafts_of=drafts_of)

    def asset(self, visitor: Visitor, asset_id: str) -> Asset:
        """One kept clip; whoever holds its id may look at it, unless it is held back: then it is unknown."""
        found = self.assets.get(asset_id)
        if found is None or not access.may_see(visitor, found.standing, found.owner):
            raise Refused(Notice("asset_unknown"))
        if found.trashed is not None and not access.may_change(visitor, found.owner):
            raise Refused(Notice("asset_unknown"))
        return found

    def library_file(self, asset: Asset) -> Path:
        """Where a clip's MP4 lies; it may have been removed by hand."""
        return self.assets.file(asset)

    def thumbnail_file(self, asset: Asset) -> Path:
        """Where a clip's still picture lies; it may have been removed by hand."""
        return self.assets.thumbnail_file(asset)

    def delete_asset(self, visitor: Visitor, asset_id: str) -> None:
        """Delete one's own clip for good: its file, its thumbnail, its row."""
        if not access.may_change(visitor, self.asset(visitor, asset_id).owner):
            raise Refused(Notice("not_yours"))
        self.shelves.delete(asset_id, visitor.owner)

    def trace(self, visitor: Visitor, path: Path) -> TraceView:
        """Where any video comes from, as far as this visitor may know; `Refused` if the file is none."""
        return self._tracing.trace(visitor, path)

    def models(self) -> list[ModelSpec]:
        """The models there are, the configured default first; the cloud's where there is a key for them."""
        offered = filter(self.settings.offers, MODELS.values())
        return sorted(offered, key=lambda spec: spec.name != self.settings.model)


def _without_preview(view: JobView) -> JobView:
    if view.progress is None:
        return view
    return replace(view, progress=replace(view.progress, preview_version=0))


def _admin_only(visitor: Visitor) -> None:
    if not visitor.admin:
        raise Refused(Notice("admin_only"))
