"""From takes and voices to a film's cut: how long shots stand, what fills them, what is read when. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.media import music
from studio.media.label import LabelStyle
from studio.media.timeline import Caption, EndCard, FilmCut, Logo, Music, Piece, ShotCut
from studio.media.wrap import columns
from studio.story.film_plan import FilmPlan, PlannedShot
from studio.text.sentences import sentences
from studio.words import Language

if TYPE_CHECKING:
    from studio.voice.speak import Speech

# Around the voice within its shot; the planner counts on both together.
LEAD = TAIL = 0.35
# Between the voices of two shots, whatever the transition between them.
_BREATH = 0.2
SLOWEST = 0.8
PUSH_SECONDS = 1.0
# A clip that ends so little before the shot does is played a trace slower: no other take is made for it.
_TRACE = 0.05
# Nobody sees what is shown for less.
_SHORTEST_PIECE = 1.0
_CARD_FADE = 0.5


@dataclass(frozen=True)
class Footage:
    """What a shot can show: `seconds` of a file from `start`; `label` is the visible label on it."""

    path: Path
    seconds: float
    start: float = 0.0
    label: LabelStyle | None = None


@dataclass(frozen=True)
class Times:
    """How long a shot stands and when its voice begins, in seconds from its start."""

    seconds: float
    voice_start: float


@dataclass(frozen=True)
class Spoken:
    """What is said from `start` to `end`, in seconds from the shot's start."""

    text: str
    start: float
    end: float


def overlaps(plan: FilmPlan) -> list[tuple[float, float]]:
    """Seconds that each shot shares with the shot before and with what follows, at most."""
    after = [0.0 if shot.transition == "cut" else plan.transition_seconds for shot in plan.shots]
    if after:
        after[-1] = (after[-1] or _CARD_FADE) if plan.end_card else 0.0
    return list(zip([0.0, *after], after, strict=False))


def times(planned: float, voice: float | None, overlap: tuple[float, float] = (0.0, 0.0)) -> Times:
    """A shot as long as it was planned, or as its voice needs: voices of two shots never meet."""
    before, after = overlap
    lead, tail = max(LEAD, (before + _BREATH) / 2), max(TAIL, (after + _BREATH) / 2)
    return Times(max(planned, lead + voice + tail) if voice else planned, lead)


def wants_another(seconds: float, takes: Sequence[float]) -> bool:
    """Whether a shot needs one more take: its only one, played as slowly as is fit to see, ends before it."""
    return len(takes) == 1 and takes[0] / SLOWEST + _TRACE < seconds


def fit(seconds: float, footage: Sequence[Footage]) -> tuple[tuple[Piece, ...], bool]:
    """What fills a shot, and whether it has to show something twice.

    As few takes as will do, played slower (to 0.8) where they are a little short; then a slow push-in on the
    last picture, of 1 s at most; where that does not do, the takes again from the first one on.
    """
    if not footage or min(clip.seconds for clip in footage) <= 0:
        raise ValueError("a shot shows one clip at least, and each of them has a length")
    for count in range(1, len(footage) + 1):
        there = sum(clip.seconds for clip in footage[:count])
        if there / SLOWEST + _TRACE >= seconds:
            speed = max(SLOWEST, min(1.0, there / seconds))
            return _filled(seconds, footage[:count], speed), False
    there = sum(clip.seconds for clip in footage) / SLOWEST
    if there + PUSH_SECONDS >= seconds:
        return _filled(seconds, footage, SLOWEST), False
    rounds = list(footage)
    while sum(clip.seconds for clip in rounds) / SLOWEST < seconds:
        rounds.append(footage[len(rounds) % len(footage)])
    return _filled(seconds, rounds, SLOWEST), True


def _filled(seconds: float, footage: Sequence[Footage], speed: float) -> tuple[Piece, ...]:
    """The clips one after the other; the cutter leaves out what is too much of the last one."""
    lengths = [clip.seconds for clip in footage]
    if len(lengths) > 1:
        shown = seconds * speed - sum(lengths[:-1])
        spare = min(lengths[-1], _SHORTEST_PIECE * speed) - shown
        # The clip before gives up what the last one needs to be seen.
        lengths[-2] = max(lengths[-2] - max(0.0, spare), lengths[-2] / 2)
    last = len(footage) - 1
    return tuple(
        Piece(
            path=clip.path,
            start=clip.start,
            seconds=length,
            speed=speed,
            push=number == last,
            label=clip.label,
        )
        for number, (clip, length) in enumerate(zip(footage, lengths, strict=True))
    )


def spoken(speech: "Speech", start: float) -> tuple[Spoken, ...]:
    """A narration's sentences on the shot's time."""
    return tuple(Spoken(part.text, start + part.start, start + part.end) for part in speech.sentences)


def silent(text: str, seconds: float) -> tuple[Spoken, ...]:
    """The sentences of a text that nobody speaks, spread over a shot by their length."""
    parts = _sentences(text)
    weights = _shares(columns(part) for part in parts)
    start, length, found = min(LEAD, seconds / 4), max(seconds - LEAD - TAIL, seconds / 2), []
    for part, weight in zip(parts, weights, strict=True):
        found.append(Spoken(part, start, start + weight * length))
        start += weight * length
    return tuple(found)


def captions(told: Mapping[Language, str], language: Language, said: Sequence[Spoken]) -> tuple[Caption, ...]:
    """What is written while `said` is heard: in its own `language`, and in each other one that there is.

    Sentence by sentence where both have as many; else neighbours are joined, so that what is read and what is
    heard come as near as they can.
    """
    if not said:
        return ()
    other: dict[Language, list[str]] = {
        name: _sentences(text) for name, text in told.items() if name != language and text.strip()
    }
    fewest = min(other.values(), key=len, default=[])
    fewer = bool(other) and len(fewest) < len(said)
    wanted = _shares(columns(part) for part in fewest) if fewer else [1 / len(said)] * len(said)
    groups = _grouped([part.end - part.start for part in said], wanted)
    shares = _shares(said[group[-1]].end - said[group[0]].start for group in groups)
    found = []
    texts = {name: _joined_to(parts, shares, name) for name, parts in other.items()}
    for number, group in enumerate(groups):
        own = _joined([said[at].text for at in group], language)
        text: dict[Language, str] = {language: own} | {name: parts[number] for name, parts in texts.items()}
        found.append(Caption(said[group[0]].start, said[group[-1]].end, text))
    return tuple(found)


def shot_cut(
    plan: FilmPlan, shot: PlannedShot, length: Times, pieces: tuple[Piece, ...], speech: "Speech | None"
) -> ShotCut:
    """One shot of the film."""
    own = shot.narration or shot.captions.get(plan.language, "")
    said = silent(own, length.seconds) if speech is None else spoken(speech, length.voice_start)
    language = plan.language
    if not said and shot.captions:
        # Only a translation is there to read.
        language, text = next(iter(shot.captions.items()))
        said = silent(text, length.seconds)
    return ShotCut(
        pieces=pieces,
        seconds=length.seconds,
        move=shot.move,
        transition=shot.transition,
        transition_seconds=plan.transition_seconds,
        voice=None if speech is None else speech.path,
        voice_start=length.voice_start,
        captions=captions(shot.captions, language, said),
        title=shot.title,
        keep_sound=shot.source is not None,
    )


def film_cut(
    plan: FilmPlan,
    shots: Iterable[ShotCut],
    *,
    home: Path,
    label: LabelStyle,
    comment: str,
    tags: Mapping[str, str] | None = None,
) -> FilmCut:
    """The whole film; paths of the plan lie below `home`. MediaError "music_unknown"."""
    logo = Logo(home / plan.logo, plan.logo_corner, plan.logo_opacity) if plan.logo else None
    sound = None
    if plan.music:
        path = home / plan.music if is_place(plan.music) else music.bed(plan.music).path
        sound = Music(path, plan.music_volume)
    return FilmCut(
        shots=tuple(shots),
        format=plan.format,
        height=plan.height,
        fps=plan.fps,
        label=label,
        comment=comment,
        tags=dict(tags or {}),
        look=plan.look,
        subtitles=plan.subtitles,
        burn=plan.burn,
        music=sound,
        logo=logo,
        end_card=EndCard(plan.end_card, logo=None if logo is None else logo.path) if plan.end_card else None,
        title=plan.title,
        fps_mode=plan.fps_mode,
    )


def is_place(music: str) -> bool:
    """Whether a plan's music is a file below the home; a mood, or a bed's name, otherwise."""
    return "/" in music


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def _joined(parts: Iterable[str], language: Language) -> str:
    return ("" if language == "zh" else " ").join(parts)


def _shares(lengths: Iterable[float]) -> list[float]:
    known = list(lengths)
    total = sum(known)
    return [length / total if total else 1 / len(known) for length in known]


def _joined_to(parts: list[str], shares: Sequence[float], language: Language) -> list[str]:
    """As many texts as there are shares, each of about that share of all."""
    groups = _grouped([columns(part) for part in parts], shares)
    return [_joined([parts[at] for at in group], language) for group in groups]


def _grouped(lengths: Sequence[float], shares: Sequence[float]) -> list[range]:
    """Neighbours in as many groups as there are shares, none empty, each of about its share of all."""
    sizes, left = _shares(lengths), len(shares)
    groups: list[range] = []
    first, had, goal = 0, 0.0, 0.0
    for share in shares:
        goal += share
        left -= 1
        end = first + 1
        had += sizes[first]
        while end < len(sizes) - left and (left == 0 or abs(had + sizes[end] - goal) < abs(had - goal)):
            had += sizes[end]
            end += 1
        groups.append(range(first, end))
        first = end
    return groups
