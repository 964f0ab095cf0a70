"""What there is of a story's takes, and the plan of a film from it: reads the rows of jobs and clips."""

import itertools
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock

import sqlalchemy as sa

from pipelines.request import GenerationRequest
from studio import access, film_finish
from studio.access import Visitor
from studio.db import reading
from studio.jobs import Jobs
from studio.library import USABLE, Asset, Library
from studio.media.ffmpeg import MediaError
from studio.media.probe import thumbnail
from studio.pictures import Pictures
from studio.prices import cloud_price
from studio.refusal import Cannot
from studio.rows import job_table
from studio.settings import Settings
from studio.story import plan
from studio.story.film_plan import FilmPlan, key_of
from studio.story.outline import ShotOutline, outline
from studio.story.plan import ChosenTake
from studio.story.problems import StoryProblem
from studio.story.store import StoredStory, StoryStore
from studio.story.types import Level, Shot, Story
from studio.story.variables import differing, filled
from studio.story_view import Shelf, ShotView, StoryEstimate, chosen_takes
from studio.text.llm import LlmProblem
from studio.trust import policy
from studio.views import Refused

_REMEMBERED = 64
# Films whose files were deleted since are passed over, but not for ever.
_LOOKED_AT = 5


class StoryDesk:
    """Reads for the stories' door: a handful of queries a story, however many shots it has."""

    def __init__(
        self, store: StoryStore, jobs: Jobs, assets: Library, pictures: Pictures, default_model: str
    ) -> None:
        self._store, self._jobs, self._assets, self._pictures = store, jobs, assets, pictures
        self.default_model = default_model
        self._outlines: OrderedDict[tuple[object, ...], tuple[ShotOutline, ...]] = OrderedDict()
        self._lock = Lock()

    def outlines(self, kept: StoredStory) -> tuple[ShotOutline, ...]:
        """What each shot of a revision comes to."""
        befores = self._befores(kept)
        place = (kept.id, kept.revision, *sorted(befores.items()))
        with self._lock:
            found = self._outlines.pop(place, None)
        found = found or outline(kept.story, self.default_model, befores)
        with self._lock:
            self._outlines[place] = found
            while len(self._outlines) > _REMEMBERED:
                self._outlines.popitem(last=False)
        return found

    def shelf(self, kept: StoredStory, outlines: tuple[ShotOutline, ...]) -> Shelf:
        """The takes that were asked for and those that there are, also of other stories of the owner."""
        takes = tuple(self._store.takes(kept.id))
        keys = {take.key for take in takes}
        keys |= {key for shot in outlines for found in shot.keys.values() for key in found}
        jobs, clips = self._jobs.with_keys(kept.owner, keys), self._assets.with_keys(kept.owner, keys)
        lacking = {job.asset_id: job.id for key, job in jobs.items() if key not in clips and job.asset_id}
        standings = self._assets.standings(lacking) if lacking else {}
        withheld = {lacking[asset]: how for asset, how in standings.items() if how not in USABLE}
        return Shelf(takes, jobs, clips, withheld)

    def requests(self, kept: StoredStory, shot: Shot, level: Level) -> tuple[GenerationRequest, ...]:
        """The takes that a shot needs, with the picture that it goes on from.

        StoryProblem "shot_before_first" where the take that it goes on from is not there.
        """
        story, before = filled(kept.story), ""
        if plan.goes_on(story, shot, level, self.default_model):
            place = next(at for at, one in enumerate(story.shots) if one.id == shot.id)
            take = self._last_take(kept.owner, story, story.shots[place - 1], self._befores(kept))
            if take is None:
                raise StoryProblem("shot_before_first", number=place + 1, before=place)
            before = self._pictures.keep_frame(take).id
        return plan.shot_requests(story, shot, level, self.default_model, before)

    def _befores(self, kept: StoredStory) -> dict[str, str]:
        """The pictures that shots go on from, by shot, as far as their takes are there and were used."""
        if not any(shot.continues for shot in kept.story.shots):
            return {}
        story, found = filled(kept.story), dict[str, str]()
        for before, shot in itertools.pairwise(story.shots):
            if plan.goes_on(story, shot, "film", self.default_model):
                take = self._last_take(kept.owner, story, before, found)
                picture = self._pictures.frame_kept(take.id) if take is not None else None
                found |= {} if picture is None else {shot.id: picture.id}
        return found

    def _last_take(self, owner: str, story: Story, shot: Shot, befores: Mapping[str, str]) -> Asset | None:
        """The take that a shot of a film ends with: the chosen one, else the one of its last request."""
        chosen = self._assets.usable(shot.take) if shot.take else None
        if chosen is not None:
            return chosen
        try:
            wanted = plan.shot_requests(story, shot, "film", self.default_model, befores.get(shot.id, ""))
        except StoryProblem:
            return None
        keys = [key_of(request) for request in wanted[-1:]]
        return next(iter(self._assets.with_keys(owner, keys).values()), None)

    def newest_film(self, story_id: str) -> str | None:
        """The job of the newest film of the story itself, not of a row of a table."""
        query = sa.select(job_table.c.id, job_table.c.form).where(
            job_table.c.story_id == story_id, job_table.c.kind == "film"
        )
        query = query.order_by(job_table.c.created.desc(), job_table.c.id)
        with reading(self._store.engine) as connection:
            for row in connection.execute(query.execution_options(yield_per=10)):
                if "row" not in row.form:
                    return str(row.id)
        return None

    def finished_films(self, story_id: str) -> Sequence[str]:
        """The jobs of the story's own films that were finished, the newest first; a few of them."""
        done = (job_table.c.story_id == story_id, job_table.c.kind == "film", job_table.c.state == "done")
        query = sa.select(job_table.c.id, job_table.c.form).where(*done)
        query = query.order_by(job_table.c.created.desc(), job_table.c.id)
        with reading(self._store.engine) as connection:
            rows = connection.execute(query.execution_options(yield_per=10))
            own = (str(row.id) for row in rows if "row" not in row.form)
            return list(itertools.islice(own, _LOOKED_AT))

    def places(self, story: Story) -> dict[str, str]:
        """Where the library clips lie that shots show, by asset id; those that are gone are missing."""
        wanted = {shot.source.place for shot in story.shots if shot.source and shot.source.kind == "asset"}
        found = (self._assets.usable(asset_id) for asset_id in wanted)
        return {asset.id: asset.path for asset in found if asset is not None}

    def stills(self, visitor: Visitor, shots: Sequence[ShotView]) -> dict[str, bytes]:
        """WebP pictures by shot id: of a shot's file, its chosen take, else its newest; none withheld."""
        found = ((shot.shot.id, self._still(visitor, shot)) for shot in shots)
        return {shot_id: picture for shot_id, picture in found if picture}

    def _still(self, visitor: Visitor, shot: ShotView) -> bytes:
        source, shown = shot.shot.source, shot.shown
        try:
            if source is not None and source.kind == "upload":
                return thumbnail(self._assets.archive.path(source.place), at=source.start + 0.04)
            asset_id = source.place if source is not None else shown and shown.asset_id
            asset = self._assets.usable(asset_id) if asset_id else None
            if asset is None or not access.may_see(visitor, asset.standing, asset.owner):
                return b""
            return self._assets.thumbnail_file(asset).read_bytes()
        except (OSError, MediaError):
            return b""

    def plan(self, kept: StoredStory, level: Level) -> FilmPlan:
        """The plan of a film of the story as it is now; StoryProblem if it can't be filmed."""
        shelf = self.shelf(kept, self.outlines(kept))
        return self._planned(kept, kept.story, level, shelf, self._befores(kept))

    def plans(self, kept: StoredStory, level: Level, rows: list[dict[str, str]]) -> list[FilmPlan]:
        """One plan for each row of values of the story's variables, each with a title of its own."""
        stories = [kept.story.model_copy(update={"variables": values}) for values in rows]
        outlines = tuple(shot for story in stories for shot in outline(story, self.default_model))
        shelf = self.shelf(kept, outlines)
        plans = [self._planned(kept, story, level, shelf) for story in stories]
        told = differing(rows)
        return [_named(found, values, plans) for found, values in zip(plans, told, strict=True)]

    def estimate(self, kept: StoredStory, level: Level, settings: Settings, cannot: Cannot) -> StoryEstimate:
        """What a film of the story as it is now would cost; StoryProblem if it can't be filmed."""
        planned = self.plan(kept, level)
        found = self._jobs.estimate_film(kept.owner, planned)
        elsewhere = bool(found.cloud) and len(found.cloud) == found.to_render
        ahead, wait = self._jobs.ahead("cloud" if elsewhere else "clip")
        render = found.render_seconds if found.to_render else 0.0
        gpu = found.gpu_seconds if found.to_render else 0.0
        cloud, unlisted = cloud_price(found.cloud, settings)
        rest = found.rest_seconds
        if rest is None:
            rest = plan.rest_seconds(planned, found.film_seconds)
        hourly = settings.price_per_gpu_hour
        told = (notice for shot in self.outlines(kept) for notice in shot.notices)
        return StoryEstimate(
            shots=len(planned.shots),
            to_render=found.to_render,
            reused=found.reused,
            film_seconds=found.film_seconds,
            seconds=None if render is None or rest is None else render + rest,
            wait=wait,
            ahead=ahead,
            gpu_seconds=gpu,
            price=None if elsewhere or gpu is None or hourly is None else gpu * hourly / 3600,
            currency=settings.currency,
            notices=(*plan.film_notices(kept.story), *told),
            cloud=cloud,
            unlisted=unlisted,
            cannot=cannot(found.missing),
        )

    def _planned(
        self,
        kept: StoredStory,
        story: Story,
        level: Level,
        shelf: Shelf,
        befores: Mapping[str, str] | None = None,
    ) -> FilmPlan:
        made = plan.make_plan(
            story,
            level,
            story_id=kept.id,
            default_model=self.default_model,
            have=shelf.clips.keys(),
            chosen=self._chosen(story, shelf),
            befores=befores,
            places=self.places(story),
            spoken_label=self._spoken_label(),
        )
        return film_finish.asked(made, self._assets.home, wanted=story.look.networks)

    def _spoken_label(self) -> bool:
        with reading(self._store.engine) as connection:
            return policy.current(connection).label.spoken

    def _chosen(self, story: Story, shelf: Shelf) -> dict[str, ChosenTake]:
        """The takes that a person chose; one that was not asked for here counts as finished."""
        found = chosen_takes(story, shelf)
        for shot in story.shots:
            if shot.take and shot.id not in found:
                asset = self._assets.usable(shot.take)
                if asset is not None and asset.request is not None:
                    found[shot.id] = ChosenTake(asset.request, "film")
        return found


def _named(found: FilmPlan, values: list[str], plans: list[FilmPlan]) -> FilmPlan:
    """The plan with a title that tells it from those of the other rows."""
    if len({other.title for other in plans}) == len(plans):
        return found
    own = " · ".join([*values, found.title])
    return found.model_copy(update={"title": own[:200]})


@contextmanager
def worded() -> Iterator[None]:
    """What is wrong with a story or a file, as a refusal."""
    try:
        yield
    except (StoryProblem, MediaError, LlmProblem) as error:
        raise Refused(error.notice) from error
