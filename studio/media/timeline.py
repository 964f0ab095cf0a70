"""What a film is cut from, and where everything lies on its time: all in whole frames of the film.

Pictures, sound, subtitles and chapters take their positions from the one `Layout`: nothing drifts apart.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from studio.media.label import Corner, LabelStyle
from studio.words import Language

Format = Literal["16:9", "9:16", "1:1"]
TransitionKind = Literal["cut", "crossfade", "fade_black", "push", "slide", "zoom"]
Move = Literal["none", "push_in", "pull_out", "pan_left", "pan_right"]

FORMATS: dict[Format, tuple[int, int]] = {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1)}
HEIGHTS = (144, 2160)
RATES = (8, 60)
# A transition takes at most this share of the shorter of its two shots: something of each shot stays its own.
_MOST_OF_A_SHOT = 0.4
_CARD_FADE = 0.5
_ACROSS: dict[Corner, Corner] = {
    "top_left": "top_right",
    "top_right": "top_left",
    "bottom_left": "bottom_right",
    "bottom_right": "bottom_left",
}


@dataclass(frozen=True)
class Piece:
    """A stretch of one clip file: `seconds` of it from `start` (None: to its end), played at `speed`.

    `speed` 0.8 plays slower, so that the stretch takes seconds / 0.8. `push`, for a shot's last piece: if the
    pieces end before the shot does, this one's last frame goes on as a slow push-in (at most 1 s). `exact`:
    each frame stands at its own time, and is not moved a trace so that the last one ends the shot.
    `label` is the visible label that the clip already carries, if it does: it is covered where and while it
    stands (counted from the file's first frame), and the film's own label is the only one.
    """

    path: Path
    start: float = 0.0
    seconds: float | None = None
    speed: float = 1.0
    push: bool = False
    label: LabelStyle | None = None
    exact: bool = False


@dataclass(frozen=True)
class Caption:
    """What is written while it is said: `start` and `end` in seconds from the shot's start."""

    start: float
    end: float
    text: dict[Language, str]


@dataclass(frozen=True)
class ShotCut:
    """One shot: its pictures and how long they stand, its voice, its way into the next shot.

    `seconds`, `voice_start` and the captions' times count from the shot's start; `transition` leads into the
    NEXT shot and overlaps both; `title` begins a chapter; `keep_sound` plays the pieces' own sound.
    """

    pieces: tuple[Piece, ...]
    seconds: float
    move: Move = "none"
    transition: TransitionKind = "cut"
    transition_seconds: float = 0.5
    voice: Path | None = None
    voice_start: float = 0.0
    captions: tuple[Caption, ...] = ()
    title: str = ""
    keep_sound: bool = False


@dataclass(frozen=True)
class Logo:
    """A picture in a corner: `opacity` 0 to 1, `height` as a share of the frame's short side."""

    path: Path
    corner: Corner
    opacity: float = 1.0
    height: float = 0.09


@dataclass(frozen=True)
class EndCard:
    """The last picture: a text, and a logo above it, on a plain ground ("#rrggbb")."""

    text: str
    seconds: float = 2.5
    logo: Path | None = None
    ground: str = "#0f1115"


@dataclass(frozen=True)
class Music:
    """A bed under the film; `volume` in dB against the voice, as it is heard under it.

    Where nobody speaks it rises by 10 dB.
    """

    path: Path
    volume: float = -18.0


@dataclass(frozen=True)
class FilmCut:
    """Everything that decides a film. `height` is the short side (720: 1280x720, 720x1280, 720x720).

    `look` names an entry of `looks.LOOKS`; `subtitles` are the tracks, `burn` draws them into the picture;
    `label` is the visible AI label, which leaves its corner to a logo there; `comment` is the recipe for the
    file's `comment` tag, `tags` stand beside it under names of their own; `fps_mode` is how frames between
    the clips' own are made: "blend", or "motion" (compensated, much slower).
    """

    shots: tuple[ShotCut, ...]
    format: Format
    height: int
    fps: int
    label: LabelStyle
    comment: str
    look: str = ""
    subtitles: tuple[Language, ...] = ()
    burn: bool = False
    music: Music | None = None
    logo: Logo | None = None
    end_card: EndCard | None = None
    title: str = ""
    fps_mode: Literal["blend", "motion"] = "blend"
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """Frames `start` to `start + frames`; the last `overlap` of them are shared with what follows."""

    start: int
    frames: int
    overlap: int = 0

    @property
    def end(self) -> int:
        """The first frame after it."""
        return self.start + self.frames


@dataclass(frozen=True)
class Chapter:
    """A chapter mark: frames `start` to `end`."""

    start: int
    end: int
    title: str


@dataclass(frozen=True)
class Layout:
    """Where all lies, in frames: a span for each shot, one for the end card, `frames` in all."""

    fps: int
    shots: tuple[Span, ...]
    card: Span | None
    chapters: tuple[Chapter, ...]
    frames: int

    def seconds(self, frame: int) -> float:
        """When a frame begins."""
        return frame / self.fps


def frame_size(format: Format, height: int) -> tuple[int, int]:
    """Width and height in pixels, both even, of a film whose short side is `height` (144 to 2160)."""
    low, high = HEIGHTS
    if not low <= height <= high:
        raise ValueError(f"a film is {low} to {high} pixels high, not {height}")
    across, down = FORMATS[format]
    short = min(across, down)
    return 2 * round(height * across / short / 2), 2 * round(height * down / short / 2)


def label_of(cut: FilmCut) -> LabelStyle:
    """The film's label where it stands in truth: in the corner across if the logo is in its own."""
    corner = cut.label.corner
    if cut.logo is None or cut.logo.corner != corner:
        return cut.label
    return replace(cut.label, corner=_ACROSS[corner])


def layout(cut: FilmCut) -> Layout:
    """Where each shot lies. The exact times are rounded to frames once each, so errors never add up.

    Every border is within half a frame of its exact time. ValueError if there is no shot or a length is no
    number of at least two frames.
    """
    low, high = RATES
    if not low <= cut.fps <= high:
        raise ValueError(f"a film has {low} to {high} frames a second, not {cut.fps}")
    times = [shot.seconds for shot in cut.shots] + ([cut.end_card.seconds] if cut.end_card else [])
    if not cut.shots or not all(math.isfinite(time) and time * cut.fps >= 2 for time in times):
        raise ValueError("a film has one shot at least, and each of them two frames")
    overlaps = _overlaps(cut, times)
    spans: list[Span] = []
    exact = 0.0
    for time, overlap in zip(times, overlaps, strict=True):
        start, end = _frame(exact, cut.fps), _frame(exact + time, cut.fps)
        exact += time - overlap
        spans.append(Span(start, end - start, end - _frame(exact, cut.fps)))
    shots = tuple(spans[: len(cut.shots)])
    total = spans[-1].end
    return Layout(
        fps=cut.fps,
        shots=shots,
        card=spans[-1] if cut.end_card else None,
        chapters=_chapters(cut, shots, total),
        frames=total,
    )


def _overlaps(cut: FilmCut, times: list[float]) -> list[float]:
    """How many seconds each shot shares with what follows; the end card is always faded in."""
    wanted = [0.0 if shot.transition == "cut" else max(0.0, shot.transition_seconds) for shot in cut.shots]
    if cut.end_card:
        wanted[-1] = wanted[-1] or _CARD_FADE
        wanted.append(0.0)
    else:
        wanted[-1] = 0.0
    follows = [*times[1:], math.inf]
    return [
        min(want, _MOST_OF_A_SHOT * min(time, following))
        for want, time, following in zip(wanted, times, follows, strict=True)
    ]


def _chapters(cut: FilmCut, shots: tuple[Span, ...], total: int) -> tuple[Chapter, ...]:
    """Each title begins a chapter, up to the next one; what comes before the first belongs to the first."""
    marks = [(span.start, shot.title) for shot, span in zip(cut.shots, shots, strict=True) if shot.title]
    starts = [0, *(start for start, _ in marks[1:])]
    ends = [*starts[1:], total]
    return tuple(
        Chapter(start, end, title)
        for start, end, (_, title) in zip(starts, ends, marks, strict=False)
        if end > start
    )


def _frame(seconds: float, fps: int) -> int:
    return math.floor(seconds * fps + 0.5)
