"""A story as one visitor sees it now: its shots, which takes they have, how its newest film is doing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipelines.cloud_facts import Money
from pipelines.request import Notice
from studio.jobs import Job
from studio.jobs import State as JobState
from studio.library import Asset, Standing
from studio.story.outline import LEVELS, ShotOutline
from studio.story.plan import ChosenTake
from studio.story.store import Take
from studio.story.types import Level, Shot, Story
from studio.text.lexicon import Hint
from studio.views import JobView

ShotState = Literal[
    "empty", "waiting", "running", "held", "draft", "stale", "full", "failed", "blocked", "source"
]
_LIVE = ("held", "queued", "running")
_LIVE_STATES: dict[str, ShotState] = {"held": "held", "queued": "waiting", "running": "running"}
_REFUSED: tuple[Standing, ...] = ("blocked", "rejected")


@dataclass(frozen=True)
class TakeView:
    """One take of a shot. `chosen`: the film shows it; `current`: it shows what the shot is now.

    `standing` is how a made one stands that may not be used.
    """

    asset_id: str | None
    job_id: str
    level: Level
    state: JobState
    chosen: bool
    current: bool
    standing: Standing | None = None


@dataclass(frozen=True)
class ShotView:
    """One shot, {variables} as they are written. `seconds` is its length as planned.

    `prompt` is the whole one, with style and variables. `job_id` is the job that makes a take of it now.
    """

    shot: Shot
    number: int
    prompt: str
    hints: tuple[Hint, ...]
    seconds: float
    takes: tuple[TakeView, ...]
    state: ShotState
    job_id: str | None
    notices: tuple[Notice, ...]

    @property
    def shown(self) -> TakeView | None:
        """The finished take that stands for the shot: the chosen one, else the newest."""
        made = [take for take in self.takes if take.asset_id]
        return next((take for take in made if take.chosen), made[-1] if made else None)


@dataclass(frozen=True)
class StoryView:
    """A story as one visitor sees it. `film` is its newest film's job."""

    id: str
    revision: int
    story: Story
    may_change: bool
    shots: tuple[ShotView, ...]
    film: JobView | None
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class StoryEstimate:
    """What pressing the button costs. Seconds: of the film, of making it, of waiting before; None: unknown.

    `gpu_seconds` are those of the takes to render here; `price` is for them, in `currency`; None: no price is
    set. `cloud` is what the cloud takes for the others, `unlisted` whether its list leaves something out.
    `cannot`: why it would be refused as things stand.
    """

    shots: int
    to_render: int
    reused: int
    film_seconds: float
    seconds: float | None
    wait: float | None
    ahead: int
    gpu_seconds: float | None
    price: float | None
    currency: str
    notices: tuple[Notice, ...]
    cloud: Money | None = None
    unlisted: bool = False
    cannot: Notice | None = None


@dataclass(frozen=True)
class Shelf:
    """The takes of a story: those that were asked for, the owner's jobs and clips by the requests' keys.

    `standings`: by job, how the clips stand that were made and may not be used.
    """

    takes: tuple[Take, ...]
    jobs: Mapping[str, Job]
    clips: Mapping[str, Asset]
    standings: Mapping[str, Standing] = field(default_factory=dict)

    def of(self, shot_id: str) -> list[Take]:
        """What was asked for of one shot, the oldest first."""
        return [take for take in self.takes if take.shot_id == shot_id]


def shot_view(outline: ShotOutline, written: Shot, shelf: Shelf, there: Collection[str] = ()) -> ShotView:
    """One shot; `there` are the ids of the library's clips that shots show and that are there."""
    takes = _takes(outline, shelf)
    notices = list(outline.notices)
    source = written.source
    if source is not None and source.kind == "asset" and source.place not in there:
        notices.append(Notice("shot_source_gone", {"number": outline.number}))
    state, job = _state(outline, written, takes, shelf)
    if job and job.error and (state == "failed" or job.state == "held"):
        notices.append(job.error)
    elif state in ("held", "blocked"):
        notices.append(Notice("take_held" if state == "held" else "take_refused"))
    return ShotView(
        shot=written,
        number=outline.number,
        prompt=outline.prompt,
        hints=outline.hints,
        seconds=outline.seconds,
        takes=tuple(take for take, _ in takes),
        state=state,
        job_id=job.id if job and job.state in _LIVE else None,
        notices=tuple(notices),
    )


def chosen_takes(story: Story, shelf: Shelf) -> dict[str, ChosenTake]:
    """By shot, the takes that a person chose, as far as they are still there."""
    by_asset = {asset.id: asset for asset in shelf.clips.values()}
    found = {}
    for shot in story.shots:
        asset = by_asset.get(shot.take or "")
        if asset is not None and asset.request is not None:
            levels = {take.level for take in shelf.of(shot.id) if take.key == asset.request_key}
            found[shot.id] = ChosenTake(asset.request, "animatic" if levels == {"animatic"} else "film")
    return found


def _takes(outline: ShotOutline, shelf: Shelf) -> list[tuple[TakeView, str]]:
    """The takes that there are or will be, with their keys: asked for here, or made for another story."""
    asked = {take.key: take for take in shelf.of(outline.shot.id)}
    for level in LEVELS:
        for request, key in zip(outline.requests[level], outline.keys[level], strict=True):
            asked.setdefault(key, Take(outline.shot.id, key, level, request.seed))
    used = _used(outline, shelf)
    found = []
    for key, take in asked.items():
        clip, job = shelf.clips.get(key), shelf.jobs.get(key)
        standing = shelf.standings.get(job.id) if job is not None and clip is None else None
        if clip is None and (job is None or (job.state == "done" and standing is None)):
            continue  # never made, or deleted since
        view = TakeView(
            asset_id=clip.id if clip else None,
            job_id=clip.job_id if clip else job.id if job else "",
            level=take.level,
            state="done" if clip else job.state if job else "queued",
            chosen=clip is not None and clip.id == used,
            current=outline.is_current(key, take.seed),
            standing=standing,
        )
        found.append((view, key))
    return found


def _used(outline: ShotOutline, shelf: Shelf) -> str | None:
    """The clip that a film would show now: the chosen one, else the best."""
    if any(clip.id == outline.shot.take for clip in shelf.clips.values()):
        return outline.shot.take
    best = (shelf.clips.get(key) for level in reversed(LEVELS) for key in outline.keys[level][:1])
    return next((clip.id for clip in best if clip), None)


def _state(
    outline: ShotOutline, shot: Shot, takes: list[tuple[TakeView, str]], shelf: Shelf
) -> tuple[ShotState, Job | None]:
    """The shot's state, and the job that makes it so."""
    if shot.source is not None:
        return "source", None
    current = [(take.state, shelf.jobs.get(key)) for take, key in takes if take.current]
    for state, job in sorted(current, key=lambda one: one[0] != "running"):
        if job and state in _LIVE:
            return _LIVE_STATES[state], job
    standings = {take.standing: shelf.jobs.get(key) for take, key in takes if take.current and take.standing}
    if "held" in standings:
        return "held", standings["held"]
    chosen = next((take for take, _ in takes if take.asset_id and take.asset_id == shot.take), None)
    if _complete(outline, shelf, "film") or (chosen and chosen.level == "film"):
        return "full", None
    # A better take that failed is what a person has to know of, also where there is a draft.
    failed = next((job for state, job in reversed(current) if state == "failed" and job), None)
    if failed:
        return "failed", failed
    refused = next((standings[name] for name in _REFUSED if name in standings), None)
    if refused:
        return "blocked", refused
    if chosen or _complete(outline, shelf, "animatic"):
        return "draft", None
    return ("stale" if any(take.asset_id for take, _ in takes) else "empty"), None


def _complete(outline: ShotOutline, shelf: Shelf, level: Level) -> bool:
    keys = outline.keys[level]
    return bool(keys) and all(key in shelf.clips for key in keys)
