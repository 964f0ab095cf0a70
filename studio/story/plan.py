"""A story becomes the plan of a film: which takes each shot needs, which it has, how long it stands."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

from pydantic import ValidationError

from pipelines.models import MODELS, ModelSpec, Quality, Size
from pipelines.request import GenerationRequest, Notice
from studio import styles
from studio.media.timeline import FORMATS, frame_size
from studio.story.film_plan import (
    NOT_YET,
    FilmPlan,
    PlannedShot,
    PlannedSource,
    another,
    key_of,
    whole_seconds,
)
from studio.story.problems import StoryProblem
from studio.story.prompts import bare_prompt, seed_of, style_of
from studio.story.spoken_label import announced
from studio.story.translating import other_language, untranslated
from studio.story.types import Level, Look, Shot, Story
from studio.story.variables import fill, filled, unset
from studio.voice.timing import seconds_for
from studio.voice.voices import VOICES
from studio.words import Language

ANIMATIC_MODEL = "sketch"
ANIMATIC_HEIGHT = 480
# Before and after the voice, together.
AROUND_THE_VOICE = 0.7
# A clip is played this much slower at the most.
SLOWEST = 0.8
MOST_TAKES = 2
SHORTEST = 2.0
# How long voice and cutting take where no film was made yet: a guess for two cores, in seconds.
_A_SPOKEN_SECOND = 1.0
_A_SECOND_OF_720P = 1.5
_CHAPTER = 30
_REMEMBERED = 2048


@dataclass(frozen=True)
class ChosenTake:
    """The take that a person chose for a shot: what it was made from, and for which kind of film."""

    request: GenerationRequest
    level: Level


def make_plan(
    story: Story,
    level: Level,
    *,
    story_id: str,
    default_model: str,
    have: Collection[str] = (),
    chosen: Mapping[str, ChosenTake] | None = None,
    befores: Mapping[str, str] | None = None,
    places: Mapping[str, str] | None = None,
    spoken_label: bool = False,
) -> FilmPlan:
    """The plan of a film of the story as it is now.

    `have` are the keys of takes that are there already, `chosen` takes by shot, `places` the files of library
    clips by asset id, below the home; `befores` the pictures that shots go on from, as far as known. An
    animatic shows the best take of each shot that is there, else a draft of the sketch model. A film makes
    approved shots, and those without a draft of what they are now, at full quality; the others show their
    draft. `spoken_label`: the first narration begins by saying that AI made it. Raises StoryProblem for what
    can't be filmed.
    """
    if not story.shots:
        raise StoryProblem("story_no_shots")
    if missing := unset(story):
        raise StoryProblem("variable_unset", value=", ".join(missing))
    if level == "film" and not any(shot.approved or shot.source for shot in story.shots):
        raise StoryProblem("none_approved")
    story = filled(story)
    takes = _Takes(default_model, level, have, chosen or {}, befores or {})
    told = announced(story) if spoken_label else story
    shots = tuple(
        _planned(story, shot, number, takes, places or {}) for number, shot in enumerate(story.shots, 1)
    )
    shots = _joined(shots)
    # Takes and chapters are those of the story itself, so that the sentence asks for no new clips.
    shots = tuple(
        _told(told, shot, planned) if shot is not written else planned
        for written, shot, planned in zip(story.shots, told.shots, _with_chapters(shots), strict=True)
    )
    look = story.look
    return FilmPlan(
        story_id=story_id,
        title=story.title,
        language=story.language,
        level=level,
        shots=shots,
        height=min(look.height, ANIMATIC_HEIGHT) if level == "animatic" else look.height,
        look=style_of(story).look,
        voice=voice_of(story),
        **{name: getattr(look, name) for name in _SAME},
    )


_SAME = tuple(sorted((set(FilmPlan.model_fields) & set(Look.model_fields)) - {"height", "voice"}))


def goes_on(story: Story, shot: Shot, level: Level, default_model: str) -> bool:
    """Whether a shot's take begins with the picture that the shot before ends with."""
    place = next((at for at, one in enumerate(story.shots) if one.id == shot.id), 0)
    able = MODELS[model_of(story, default_model)].first_frame != "no"
    alone = place == 0 or shot.source is not None or story.shots[place - 1].source is not None
    return shot.continues and level == "film" and able and not alone


def shot_requests(
    story: Story, shot: Shot, level: Level, default_model: str, before: str = ""
) -> tuple[GenerationRequest, ...]:
    """The takes that a shot needs: one, or two where the voice is longer than the longest clip, slowed down.

    None for a shot that shows a file. `before` is the picture that it goes on from, where it does; not known
    yet, the takes wait for it. Raises StoryProblem "shot_empty" if there is nothing to see in it,
    "shot_long" if its words are more than the model takes.
    """
    if shot.source is not None:
        return ()
    bare = bare_prompt(story, shot)
    look = story.look
    spec = MODELS[ANIMATIC_MODEL if level == "animatic" else model_of(story, default_model)]
    quality: Quality = "draft" if level == "animatic" else look.quality
    width, height = size_for(spec, look, quality)
    needed = _pace(story, shot)
    # In whole seconds, so that a word more or less seldom changes the clip's length.
    frames = spec.frames_for(ceil(needed)) if needed else spec.default_frames
    style = style_of(story)
    # No look: the film lays it over all its shots at once.
    asked: dict[str, Any] = styles.apply(style, prompt=bare, spec=spec)
    asked |= styles.guidance(style, spec, quality)
    asked |= {"model": spec.name, "quality": quality, "width": width, "height": height}
    if goes_on(story, shot, level, default_model):
        asked["first_frame"] = before or NOT_YET
    try:
        first = _request(**asked, num_frames=frames, seed=seed_of(story, shot))
    except ValidationError as error:
        long = any(one["type"] == "text_too_long" for one in error.errors(include_url=False))
        raise StoryProblem("shot_long" if long else "shot_empty", number=_number(story, shot)) from error
    return (first, another(first)) if _takes_needed(story, shot, frames / spec.fps) > 1 else (first,)


def size_for(spec: ModelSpec, look: Look, quality: Quality) -> Size:
    """The model's size nearest to the format: the smallest for a draft, the largest for a final film."""
    across, down = FORMATS[look.format]
    off = {size: abs(size.width / size.height - across / down) for size in spec.sizes}
    # Sizes of one format differ a little: they are multiples of sixteen.
    fitting = [size for size in spec.sizes if off[size] <= min(off.values()) + 0.1]
    fitting.sort(key=lambda size: size.width * size.height)
    if quality == "standard":
        return min(fitting, key=lambda size: abs(min(size) - look.height))
    return fitting[0] if quality == "draft" else fitting[-1]


def model_of(story: Story, default_model: str) -> str:
    """The film's model; the studio's where the story names none that is known and makes any shot."""
    named = (story.look.model, default_model)
    able = (name for name in named if name in MODELS and MODELS[name].first_frame != "needed")
    return next(able, ANIMATIC_MODEL)


def voice_of(story: Story) -> str:
    """The narrator; the first of the story's language where the story names none that is known."""
    if story.look.voice in VOICES:
        return story.look.voice
    return next((name for name, voice in VOICES.items() if voice.language == story.language), "")


def shot_seconds(story: Story, shot: Shot) -> float:
    """How long a shot stands, as far as that is known before anything is spoken."""
    if shot.seconds is not None:
        return shot.seconds
    if shot.source is not None and shot.source.seconds is not None:
        return max(shot.source.seconds, _spoken(story, shot))
    return max(SHORTEST, _spoken(story, shot)) if shot.text.strip() else _silent(story, shot)


def rest_seconds(plan: FilmPlan, film_seconds: float) -> float | None:
    """About how long voice and cutting take, for a studio that has made no film yet.

    None where networks take part: how fast they are here nobody knows.
    """
    if "network" in (plan.larger, plan.smoother):
        return None
    told = [shot.narration for shot in plan.shots] if plan.narrate else []
    spoken = sum(_seconds(text, voice=plan.voice, speed=plan.voice_speed) for text in told)
    width, height = frame_size(plan.format, plan.height)
    share = width * height * plan.fps / (1280 * 720 * 24)
    return spoken * _A_SPOKEN_SECOND + film_seconds * share * _A_SECOND_OF_720P


def notices_of(story: Story, shot: Shot, default_model: str) -> tuple[Notice, ...]:
    """What a person should know about a shot before it is made."""
    if shot.source is not None or not bare_prompt(story, shot):
        return ()
    if shot.continues and not goes_on(story, shot, "film", default_model):
        return (_goes_on_not(story, shot, default_model),)
    spec = MODELS[model_of(story, default_model)]
    longest = spec.max_frames / spec.fps
    if _takes_needed(story, shot, longest) > MOST_TAKES:
        seconds = round(shot_seconds(story, shot))
        high = int(MOST_TAKES * longest / SLOWEST)
        return (
            Notice("shot_voice_long", {"number": _number(story, shot), "seconds": seconds, "high": high}),
        )
    return ()


def _goes_on_not(story: Story, shot: Shot, default_model: str) -> Notice:
    """Why a shot that should go on from the one before does not."""
    spec, number = MODELS[model_of(story, default_model)], _number(story, shot)
    code = "shot_continues_cant" if spec.first_frame == "no" else "shot_continues_nothing"
    return Notice(code, {"number": number, "model": spec.title})


def film_notices(story: Story) -> tuple[Notice, ...]:
    """What a person should know about the story before a film is made of it."""
    found = []
    if other_language(story) in story.look.subtitles:
        count = len(untranslated(story))
        found += [Notice("translation_missing", {"count": count})] if count else []
    found += [Notice("variable_unset", {"value": name}) for name in unset(story)]
    return tuple(found)


@dataclass(frozen=True)
class _Takes:
    """Which takes the film's shots may show."""

    default_model: str
    level: Level
    have: Collection[str]
    chosen: Mapping[str, ChosenTake]
    befores: Mapping[str, str]

    def of(self, story: Story, shot: Shot) -> tuple[GenerationRequest, ...]:
        before = self.befores.get(shot.id, "")
        full = shot_requests(story, shot, "film", self.default_model, before)
        draft = shot_requests(story, shot, "animatic", self.default_model)
        mine = self.chosen.get(shot.id)
        if mine and (self.level == "animatic" or mine.level == "film" or not shot.approved):
            return (mine.request, another(mine.request)) if len(full) > 1 else (mine.request,)
        if self._there(full):
            return full
        if self.level == "animatic" or (self._there(draft) and not shot.approved):
            return draft
        return full

    def _there(self, requests: tuple[GenerationRequest, ...]) -> bool:
        return all(key_of(request) in self.have for request in requests)


def _planned(story: Story, shot: Shot, number: int, takes: _Takes, places: Mapping[str, str]) -> PlannedShot:
    source = None
    if shot.source is not None:
        path = shot.source.place if shot.source.kind == "upload" else places.get(shot.source.place)
        if not path:
            raise StoryProblem("shot_source_gone", number=number)
        source = PlannedSource(path=path, start=shot.source.start, seconds=shot.source.seconds)
    requests = takes.of(story, shot)
    seconds = shot_seconds(story, shot)
    if requests and not (story.look.narrate and shot.text.strip()):
        # Nobody speaks, so nothing asks for more than the takes can show.
        seconds = min(seconds, sum(request.num_frames / request.fps for request in requests) / SLOWEST)
    return PlannedShot(
        shot_id=shot.id,
        number=number,
        title=shot.title,
        requests=requests,
        source=source,
        narration=shot.text,
        captions=_captions(story, shot),
        seconds=round(seconds, 2),
        continues=bool(requests and requests[0].first_frame),
        move=shot.move,
        transition=shot.transition or story.look.transition,
    )


def _joined(shots: tuple[PlannedShot, ...]) -> tuple[PlannedShot, ...]:
    """What another shot goes on from is shown up to that picture, and nothing comes between them."""
    found = []
    for shot, following in zip(shots, (*shots[1:], None), strict=True):
        if following is not None and following.continues and shot.requests:
            least = ceil(100 * whole_seconds(shot.requests)) / 100
            shot = shot.model_copy(update={"seconds": max(shot.seconds, least), "transition": "cut"})
        found.append(shot)
    return tuple(found)


def _told(story: Story, shot: Shot, planned: PlannedShot) -> PlannedShot:
    """A planned shot with what this one says instead, and as long as that needs."""
    seconds = max(planned.seconds, round(shot_seconds(story, shot), 2))
    told = {"narration": shot.text, "captions": _captions(story, shot), "seconds": seconds}
    return planned.model_copy(update=told)


def _captions(story: Story, shot: Shot) -> dict[Language, str]:
    told = {story.language: shot.text.strip(), other_language(story): shot.translation.strip()}
    return {language: text for language, text in told.items() if text}


def _with_chapters(shots: tuple[PlannedShot, ...]) -> tuple[PlannedShot, ...]:
    """The shots' own titles are the chapters; where there are none, the first words of each shot."""
    if any(shot.title for shot in shots):
        return shots
    return tuple(shot.model_copy(update={"title": _first_words(shot.narration)}) for shot in shots)


def _first_words(text: str) -> str:
    text = " ".join(text.split())
    if len(text) <= _CHAPTER:
        return text
    cut = text[:_CHAPTER]
    return (cut[: cut.rfind(" ")] if " " in cut else cut).rstrip("，。,. ") + "…"


# As in `prompts`: most shots of a story are as they were when it was looked at last.
@lru_cache(maxsize=_REMEMBERED)
def _request(**asked: Any) -> GenerationRequest:
    return GenerationRequest(**asked)


@lru_cache(maxsize=_REMEMBERED)
def _seconds(text: str, *, voice: str = "", language: Language | None = None, speed: float = 1.0) -> float:
    return seconds_for(text, voice=voice, language=language, speed=speed)


def _pace(story: Story, shot: Shot) -> float | None:
    """Seconds that the clip is made for: not by the chosen voice, so that another one needs no new clips."""
    if shot.seconds is not None:
        return shot.seconds
    text = fill(shot.text, story.variables).strip()
    return _seconds(text, language=story.language) + AROUND_THE_VOICE if text else None


def _spoken(story: Story, shot: Shot) -> float:
    """Seconds that the narration needs."""
    text = fill(shot.text, story.variables).strip()
    if not text:
        return 0.0
    return _seconds(text, voice=voice_of(story), speed=story.look.voice_speed) + AROUND_THE_VOICE


def _silent(story: Story, shot: Shot) -> float:
    """Seconds that a shot without a text stands."""
    spec = MODELS[ANIMATIC_MODEL]
    return spec.default_frames / spec.fps


def _takes_needed(story: Story, shot: Shot, clip: float) -> int:
    seconds = shot.seconds or 0.0
    if story.look.narrate:
        seconds = max(seconds, _spoken(story, shot))
    return max(1, ceil(seconds * SLOWEST / clip))


def _number(story: Story, shot: Shot) -> int:
    return next((number for number, one in enumerate(story.shots, 1) if one.id == shot.id), 0)
