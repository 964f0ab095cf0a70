"""The stories' part of the door: written, changed, estimated, filmed, handed on. No browser, no torch.

Whoever holds a story's id may look at it; only its owner or an admin changes it. What a person asks for and
can't have is `Refused`.
"""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine

from pipelines.request import MAX_SEED, GenerationRequest, Notice
from studio import access
from studio.access import Visitor
from studio.jobs import Jobs
from studio.library import Library
from studio.pictures import Pictures
from studio.refusal import Cannot, refuse_what_cannot
from studio.settings import Settings
from studio.story import exchange, files, plan, prompts, storyboard, translating, variables, writing
from studio.story.edit import edit as edited
from studio.story.edit import write_as_read
from studio.story.examples import example_story
from studio.story.film_plan import FilmPlan, key_of, waits
from studio.story.problems import StoryProblem
from studio.story.shot_edits import with_source
from studio.story.store import StoredStory, StoryLine, StoryStore, Take
from studio.story.types import MAX_SOURCE_SECONDS, Level, Look, Source, Story
from studio.story_desk import StoryDesk, worded
from studio.story_tables import StoryTables
from studio.story_view import ShotView, StoryEstimate, StoryView, TakeView, shot_view
from studio.styles import STYLES, Style
from studio.text import llm, llm_story
from studio.text.llm_story import StoryReading
from studio.text.rewrite import Rewrite, rewrite
from studio.views import FINAL_STATES, JobView, Refused, seen_by
from studio.words import Language

__all__ = ["ShotView", "Stories", "StoryEstimate", "StoryLine", "StoryView", "TakeView"]

What = Literal["music", "logo", "shot"]
# The films of a table of {variables} among them.
_MOST_FILMS = 1000
# Others may change a story at the same moment so often before we give up.
_TRIES = 5


class Stories:
    """Owns the stories and the folder `home/stories`. `read_job` is the door's own look at a job."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        jobs: Jobs,
        assets: Library,
        read_job: Callable[[str], JobView | None],
        find_style: Callable[[str], Style | None],
        cannot: Cannot,
    ) -> None:
        self.settings = settings
        self.store = StoryStore(engine)
        self._jobs, self._assets, self._read_job = jobs, assets, read_job
        self._find_style, self._cannot = find_style, cannot
        self._front, self._client = llm_story.front(settings), llm.configured(settings)
        self._desk = StoryDesk(self.store, jobs, assets, Pictures(engine, settings, assets), settings.model)
        self.tables = StoryTables(self._own, self._desk, jobs, cannot)

    @property
    def has_model(self) -> bool:
        """Whether a language model is there to translate."""
        return self._client is not None

    # -- looking -------------------------------------------------------------------------------------------

    def list(self, visitor: Visitor, *, limit: int = 100) -> list[StoryLine]:
        """The stories this visitor may see, those changed last first."""
        owner = None if access.sees_all(visitor, self.settings) else visitor.owner
        return self.store.list(owner, limit)

    def get(self, visitor: Visitor, story_id: str) -> StoryView:
        """A story with its shots, their takes, and its newest film."""
        return self._view(visitor, self._known(story_id))

    def films(self, visitor: Visitor, story_id: str, *, limit: int = 50) -> Sequence[JobView]:
        """The films that were asked for of a story, the newest first."""
        self._known(story_id)
        found = (self._read_job(job.id) for job in self._jobs.films_of(story_id, limit))
        return [seen_by(visitor, view) for view in found if view is not None]

    def last_film(self, visitor: Visitor, story_id: str) -> JobView | None:
        """The newest film of a story itself that can be watched; None if there is none."""
        self._known(story_id)
        found = (self._read_job(job) for job in self._desk.finished_films(story_id))
        seen = (seen_by(visitor, view) for view in found if view is not None)
        return next((view for view in seen if view.asset is not None), None)

    def estimate(self, visitor: Visitor, story_id: str, level: Level) -> StoryEstimate:
        """What a film of the story would cost now; `Refused` if it can't be made."""
        kept = self._known(story_id)
        with worded():
            return self._desk.estimate(kept, level, self.settings, self._cannot)

    def storyboard(
        self, visitor: Visitor, story_id: str, base_url: str, language: Language | None = None
    ) -> str:
        """The story as a sheet of HTML to print; its code leads to the newest film, or to the story."""
        view = self.get(visitor, story_id)
        film = view.film if view.film and view.film.asset else None
        link = f"{base_url.rstrip('/')}/" + (f"?job={film.job.id}" if film else f"?story={story_id}")
        stills = self._desk.stills(visitor, view.shots)
        return storyboard.storyboard(
            view.story, link=link, stills=stills, language=language or view.story.language
        )

    def export_json(self, visitor: Visitor, story_id: str) -> str:
        """The story as a file to keep or hand on, without its takes and files."""
        return exchange.export_json(self._known(story_id).story)

    # -- writing -------------------------------------------------------------------------------------------

    def new(
        self,
        visitor: Visitor,
        text: str = "",
        title: str = "",
        example: str | None = None,
        language: Language = "zh",
    ) -> StoryView:
        """A new story: empty, of a text, or of the example of that name."""
        read: StoryReading | None = None
        with worded():
            if example is not None:
                story = example_story(example)
            else:
                story = Story(language=language, look=Look(seed=secrets.randbelow(MAX_SEED + 1)))
                read = self._read_text(text) if text else None
                story = write_as_read(story, text, read) if read else story
                story = edited(story, "update_look", subtitles=(story.language,))
            story = edited(story, "set_title", title=title) if title.strip() else story
        return self._view(visitor, self.store.add(visitor.owner, story), read)

    def change(
        self, visitor: Visitor, story_id: str, edit: str, /, revision: int | None = None, **values: Any
    ) -> StoryView:
        """Make one edit of `studio.story.edit.EDITS`. A `revision` that is not the newest is refused."""
        if edit == "choose_take" and values.get("asset_id"):
            values |= {"seed": self._seed_of(values["asset_id"])}
        if edit == "update_look" and "style" in values:
            # Kept with the story as it is now: changing the style later changes no film.
            style = self._find_style(str(values["style"]))
            values |= {"own_style": style if style and style.name not in STYLES else None}
        if edit == "translate":
            values = {"texts": self._translations(self._own(visitor, story_id).story)}

        read: StoryReading | None = None
        if edit == "write" and isinstance(text := values.get("text"), str):
            self._own(visitor, story_id)
            with worded():
                read = self._read_text(text)

        def change(story: Story) -> Story:
            if read and values.keys() == {"text"}:
                return write_as_read(story, values["text"], read)
            changed = edited(story, edit, **values)
            files.check_places(self.settings.studio_home, story_id, story.look, changed.look)
            return changed

        return self._view(visitor, self._save(visitor, story_id, change, revision), read)

    def put_back(
        self, visitor: Visitor, story_id: str, story: Story, revision: int | None = None
    ) -> StoryView:
        """Make a story what it was before: `story` as `get` gave it; refused if it was changed since."""
        return self._view(visitor, self._save(visitor, story_id, lambda _: story, revision))

    def rewrite(self, visitor: Visitor, story_id: str, shot_id: str) -> Rewrite:
        """A shot's prompt made more visible, and the difference; the edit "accept_rewrite" takes it."""
        story = self._own(visitor, story_id).story.model_copy(update={"variables": {}})
        if (shot := story.shot(shot_id)) is None:
            raise Refused(Notice("shot_unknown"))
        return rewrite(prompts.bare_prompt(story, shot), language=story.language, client=self._client)

    def attach(
        self,
        visitor: Visitor,
        story_id: str,
        what: What,
        path: Path,
        name: str,
        shot_id: str | None = None,
        *,
        start: float = 0.0,
        seconds: float | None = None,
    ) -> StoryView:
        """Bring a file to a story: music, a logo, or the video (that stretch of it) or picture of a shot.

        `name` is what the file was called; `path` is where it lies now, and is only read.
        """
        kept, home = self._own(visitor, story_id), self.settings.studio_home
        with worded():
            files.room_left(home, story_id, path)
            if what != "shot":
                keep = files.keep_music if what == "music" else files.keep_logo
                place = keep(home, story_id, path, name)
                values: dict[str, Any] = {what: place}
                if what == "music":
                    values["music_name"] = files.called(name)
                return self.change(visitor, story_id, "update_look", **values)
            shot = kept.story.shot(shot_id or "")
            if shot is None:
                raise StoryProblem("shot_unknown")
            stands = seconds or plan.shot_seconds(kept.story, shot)
            source = files.keep_shot(home, story_id, path, name, start=start, seconds=seconds, stands=stands)
        return self._show(visitor, story_id, shot.id, source)

    def use_asset(self, visitor: Visitor, story_id: str, shot_id: str, asset_id: str) -> StoryView:
        """Let a shot show a clip or film of the library."""
        asset = self._assets.get(asset_id)
        if asset is None or not access.may_see(visitor, asset.standing, asset.owner):
            raise Refused(Notice("asset_unknown"))
        length = min(asset.seconds, MAX_SOURCE_SECONDS)
        source = Source(kind="asset", place=asset.id, title=asset.asked[:120], seconds=length)
        return self._show(visitor, story_id, shot_id, source)

    def duplicate(self, visitor: Visitor, story_id: str) -> StoryView:
        """The same story once more, as the visitor's own."""
        kept = self._known(story_id)
        copy = self.store.add(visitor.owner, kept.story)
        files.copy_all(self.settings.studio_home, story_id, copy.id)
        self.store.save(copy.id, files.moved(kept.story, story_id, copy.id), revision=copy.revision)
        self.store.add_takes(copy.id, self.store.takes(story_id) if visitor.owner == kept.owner else ())
        return self.get(visitor, copy.id)

    def import_json(self, visitor: Visitor, text: str) -> StoryView:
        """A new story from an exported file."""
        with worded():
            story = exchange.import_json(text)
        return self._view(visitor, self.store.add(visitor.owner, story))

    def delete(self, visitor: Visitor, story_id: str) -> None:
        """Delete a story with the files brought to it, and stop its films; takes and finished films stay."""
        self._own(visitor, story_id)
        for job in self._jobs.films_of(story_id, _MOST_FILMS):
            if job.state not in FINAL_STATES:
                self._jobs.cancel(job.id)
        self.store.delete(story_id)
        files.remove_all(self.settings.studio_home, story_id)

    # -- making --------------------------------------------------------------------------------------------

    def film(self, visitor: Visitor, story_id: str, level: Level) -> str:
        """Ask for a film of the story as it is now, return its job's id; the same one while that is made."""
        kept = self._own(visitor, story_id)
        with worded():
            planned = self._desk.plan(kept, level)
        for job in self._jobs.films_of(story_id):
            if job.state not in FINAL_STATES and job.plan == planned:
                return job.id
        refuse_what_cannot(self._cannot, self._jobs.estimate_film(kept.owner, planned).missing)
        self.store.add_takes(story_id, self._takes(kept, planned))
        form = {"story": story_id, "level": level, **_project(kept.story)}
        return self._jobs.submit_film(kept.owner, form, planned)

    def render_shot(
        self, visitor: Visitor, story_id: str, shot_id: str, level: Level, another: bool = False
    ) -> str:
        """Ask for the takes of one shot, `another` with a new seed; return the first one's job id.

        What is there already, or on its way, is not asked for again.
        """
        kept = self._own(visitor, story_id)
        with worded():
            story = variables.filled(kept.story)
            shot = story.shot(shot_id)
            if shot is None:
                raise StoryProblem("shot_unknown")
            if missing := variables.unset(kept.story):
                raise StoryProblem("variable_unset", value=", ".join(missing))
            shot = shot.model_copy(update={"seed": secrets.randbelow(MAX_SEED)}) if another else shot
            requests = self._desk.requests(kept, shot, level)
            if not requests:
                raise StoryProblem("shot_shows_file", number=story.shots.index(shot) + 1)
        there = self._assets.with_keys(kept.owner, [key_of(one) for one in requests])
        refuse_what_cannot(self._cannot, [one for one in requests if key_of(one) not in there])
        self.store.add_takes(story_id, [_take(shot_id, request, level) for request in requests])
        style = prompts.style_of(story)
        typed: dict[str, Any] = {"prompt": prompts.bare_prompt(story, shot)}
        typed |= {"style": style.name, "style_version": style.version, **_project(story)}
        first, *_ = [self._ask(kept.owner, story_id, typed, request) for request in requests]
        return first

    def _ask(self, owner: str, story_id: str, typed: dict[str, Any], request: GenerationRequest) -> str:
        key = key_of(request)
        clip, job = self._assets.with_keys(owner, [key]).get(key), self._jobs.with_keys(owner, [key]).get(key)
        if clip is not None:
            return clip.job_id
        if job is not None and (job.state not in FINAL_STATES or self._is_held(job.asset_id)):
            return job.id
        form = typed | {"model": request.model, "size": f"{request.width}x{request.height}"}
        form |= {name: getattr(request, name) for name in ("num_frames", "seed", "num_inference_steps")}
        return self._jobs.submit(owner, form, request, story_id=story_id)

    def _is_held(self, asset_id: str | None) -> bool:
        return asset_id is not None and self._assets.standings([asset_id]).get(asset_id) == "held"

    def _show(self, visitor: Visitor, story_id: str, shot_id: str, source: Source) -> StoryView:
        """The story whose shot shows a file."""
        kept = self._save(visitor, story_id, lambda story: with_source(story, shot_id, source))
        return self._view(visitor, kept)

    # -- within --------------------------------------------------------------------------------------------

    def _known(self, story_id: str) -> StoredStory:
        kept = self.store.get(story_id)
        if kept is None:
            raise Refused(Notice("story_unknown"))
        return kept

    def _own(self, visitor: Visitor, story_id: str) -> StoredStory:
        kept = self._known(story_id)
        if not access.may_change(visitor, kept.owner):
            raise Refused(Notice("not_yours"))
        return kept

    def _save(
        self, visitor: Visitor, story_id: str, change: Callable[[Story], Story], revision: int | None = None
    ) -> StoredStory:
        """Change a story; if somebody was quicker, change what came of that, but not for a `revision`."""
        for _ in range(_TRIES):
            kept = self._own(visitor, story_id)
            if revision is not None and revision != kept.revision:
                break
            with worded():
                story = change(kept.story)
            if story == kept.story:
                return kept
            if self.store.save(story_id, story, revision=kept.revision):
                return self._known(story_id)
        raise Refused(Notice("story_changed"))

    def _read_text(self, text: str) -> StoryReading:
        with writing.text_problems(text):
            return self._front(text)

    def _view(self, visitor: Visitor, kept: StoredStory, read: StoryReading | None = None) -> StoryView:
        """The story as this visitor sees it; `read`: how its text was just read, for what is to be told."""
        outlines = self._desk.outlines(kept)
        shelf = self._desk.shelf(kept, outlines)
        there = self._desk.places(kept.story)
        shots = (
            shot_view(found, shot, shelf, there)
            for found, shot in zip(outlines, kept.story.shots, strict=True)
        )
        split = read.draft.notices if read else ()
        newest = self._desk.newest_film(kept.id)
        film = self._read_job(newest) if newest else None
        return StoryView(
            id=kept.id,
            revision=kept.revision,
            story=kept.story,
            may_change=access.may_change(visitor, kept.owner),
            shots=tuple(shots),
            film=None if film is None else seen_by(visitor, film),
            notices=(*split, *plan.film_notices(kept.story)),
        )

    def _takes(self, kept: StoredStory, planned: FilmPlan) -> Sequence[Take]:
        """The takes that a film asks for; drafts among those of a film stay drafts."""
        drafts = {key for shot in self._desk.outlines(kept) for key in shot.keys["animatic"]}
        return [
            _take(shot.shot_id, request, "animatic" if key_of(request) in drafts else planned.level)
            for shot in planned.shots
            for request in shot.requests
            if not waits(request)
        ]

    def _translations(self, story: Story) -> dict[str, str]:
        if self._client is None:
            raise Refused(Notice("llm_unset"))
        with worded():
            return translating.translations(story, self._client)

    def _seed_of(self, asset_id: str) -> int:
        asset = self._assets.usable(asset_id)
        if asset is None or asset.request is None:
            raise Refused(Notice("asset_unknown"))
        return asset.request.seed


def _project(story: Story) -> dict[str, str]:
    """Where what is made of a story is kept, as a form has it."""
    return {"project": story.look.project} if story.look.project else {}


def _take(shot_id: str, request: GenerationRequest, level: Level) -> Take:
    return Take(shot_id, key_of(request), level, request.seed)
