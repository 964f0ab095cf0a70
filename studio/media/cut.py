"""One shot of a film as a file of its own: its pieces joined, in the film's size, rate and colours.

Such a file is made once and named by what went into it, so a film that was interrupted, or of which one shot
changed, finds the others ready.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from pipelines.models import Size
from pipelines.request import Cancelled
from studio.media.canvas import Box, Canvas
from studio.media.ffmpeg import MediaError, run
from studio.media.label import LabelStyle, label_for
from studio.media.looks import coloured
from studio.media.moves import moved
from studio.media.probe import Facts, probe
from studio.media.timeline import Piece, ShotCut
from studio.media.whole import unfinished

MAX_PUSH_SECONDS = 1.0
SPEEDS = (0.25, 4.0)
# Raised when the same cut shall look different from now on.
_REVISION = 2
# A picture whose sides differ so little from the frame's fills it; what hangs over is cut off.
_MOST_CUT_OFF = 0.1
# A shot that lacks so little is played a trace slower instead: nobody sees it.
_MOST_STRETCH = 0.05
_THREADS = 2
# Moves are made at so many times the clip's own size, or at the frame's if that is less.
_MOVE_AT = 2.0
# Behind a picture that does not fill the frame: how small it is blurred, how far, how dark it gets.
_GROUND_SHRINK, _GROUND_BLUR, _GROUND_LIGHT = 8, 5, 0.62


@dataclass(frozen=True)
class Stretch:
    """A piece as it is used: source frames `first` to `first + count` become `frames` frames of the film.

    `hold` of these, at the end, are the slow push-in on the last frame.
    """

    piece: Piece
    facts: Facts
    first: int
    count: int
    frames: int
    hold: int = 0


@dataclass(frozen=True)
class Finer:
    """What is cut instead of stretches of clips: the same ones made finer before, `by` whom."""

    by: str = ""
    of: Callable[[Stretch], Stretch] = lambda stretch: stretch


AS_IT_IS = Finer()


def shot_frames(shot: ShotCut, fps: int) -> int:
    """How many frames a shot's file holds: what the film may need, wherever the shot comes to lie in it."""
    return math.ceil(shot.seconds * fps - 1e-6) + 1


def stretches(shot: ShotCut, number: int, fps: int) -> tuple[Stretch, ...]:
    """How the shot's pieces fill its time. `number` is the shot's, for people.

    MediaError "shot_short" if they don't: their last frame may be held for 1 s, and only with `push`;
    "shot_file_missing", "shot_file_bad" if a file is not there or cannot be read.
    """
    need = shot_frames(shot, fps)
    found: list[Stretch] = []
    for piece in shot.pieces:
        if sum(part.frames for part in found) < need:
            found.append(_measured(piece, number, fps))
    lack = need - sum(part.frames for part in found)
    if not found:
        raise MediaError("shot_short", shot=number, seconds=round(shot.seconds, 1))
    last = found[-1]
    if lack < 0:
        found[-1] = _shortened(last, last.frames + lack)
    elif lack > 0:
        # With its own sound a clip keeps its own pace.
        stretch = 0 if shot.keep_sound else round(_MOST_STRETCH * last.frames)
        trace = max(round(fps / last.facts.fps), stretch) + 1
        if lack <= trace:
            found[-1] = Stretch(last.piece, last.facts, last.first, last.count, last.frames + lack)
        elif last.piece.push and lack <= round(MAX_PUSH_SECONDS * fps) + trace:
            found[-1] = Stretch(last.piece, last.facts, last.first, last.count, last.frames + lack, lack)
        else:
            raise MediaError("shot_short", shot=number, seconds=math.ceil(10 * lack / fps) / 10)
    return tuple(found)


def shot_name(shot: ShotCut, canvas: Canvas, by: str = "") -> str:
    """The name of a shot's file: it tells everything that decides its pictures.

    `by` is what made its pieces finer before they were cut.
    """
    pieces = [{**asdict(piece), "path": _content(piece.path)} for piece in shot.pieces]
    told = [_REVISION, pieces, shot.seconds, shot.move, shot.keep_sound, asdict(canvas), *filter(None, [by])]
    return "shot-" + hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32] + ".mp4"


def cut_shot(
    shot: ShotCut,
    number: int,
    canvas: Canvas,
    work: Path,
    *,
    finer: Finer = AS_IT_IS,
    should_stop: Callable[[], bool] = lambda: False,
    on_frame: Callable[[int], None] | None = None,
) -> Path:
    """The shot's file in `work`, made unless it is there. MediaError as `stretches` and `run`; Cancelled."""
    for piece in shot.pieces:
        if not piece.path.is_file():
            raise MediaError("shot_file_missing", shot=number)
    path = work / shot_name(shot, canvas, finer.by)
    if not path.is_file():
        parts = tuple(map(finer.of, stretches(shot, number, canvas.fps)))

        def graph(part: Path) -> Any:
            return shot_graph(parts, shot, canvas, part)

        make(graph, path, should_stop=should_stop, on_frame=on_frame)
    return path


def make(
    graph: Callable[[Path], Any],
    path: Path,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_frame: Callable[[int], None] | None = None,
) -> None:
    """Run the graph that writes a given file; it gets the name `path` when it is whole, or leaves nothing."""
    if should_stop():
        raise Cancelled
    with unfinished(path) as part:
        run(graph(part), should_stop=should_stop, on_frame=on_frame)
        os.replace(part, path)


def shot_graph(parts: tuple[Stretch, ...], shot: ShotCut, canvas: Canvas, target: Path) -> Any:
    """The graph that makes a shot's file: exactly the frames of all parts."""
    total = sum(part.frames for part in parts)
    streams, first = [], 0
    for number, part in enumerate(parts):
        video = _timed(part, number, canvas, exact=shot.keep_sound or part.piece.exact)
        streams.append(_placed(video, part, shot, canvas, first=first, total=total))
        first += part.frames
    video = streams[0] if len(streams) == 1 else ffmpeg.concat(*streams, v=1, a=0)
    video = coloured(video, canvas.look)
    return intermediate(video, total, canvas, target)


def intermediate(video: Any, frames: int, canvas: Canvas, target: Path) -> Any:
    """The output of a file that is only a step: quickly written, nearly lossless, exactly `frames` frames."""
    video = video.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuv420p")
    video = video.filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709")
    video = video.filter("trim", end_frame=frames).filter("setpts", f"N/{canvas.fps}/TB")
    return ffmpeg.output(
        video,
        f"file:{target.absolute()}",
        f="mp4",
        map_metadata=-1,
        map_chapters=-1,
        r=canvas.fps,
        vcodec="libx264",
        preset="ultrafast",
        crf=12,
        g=canvas.fps,
        color_range="tv",
        threads=_THREADS,
    )


def _measured(piece: Piece, number: int, fps: int) -> Stretch:
    """Which frames of its file a piece uses, and how many of the film they give."""
    low, high = SPEEDS
    if not low <= piece.speed <= high:
        raise ValueError(f"a piece plays at {low} to {high} times its speed, not {piece.speed}")
    try:
        facts = probe(piece.path)
    except MediaError as error:
        raise MediaError("shot_file_bad", shot=number) from error
    if not facts.frames or not facts.fps:
        raise MediaError("shot_file_bad", shot=number)
    first = min(max(0, round(piece.start * facts.fps)), facts.frames - 1)
    wanted = facts.frames if piece.seconds is None else round(piece.seconds * facts.fps)
    count = min(max(1, wanted), facts.frames - first)
    frames = max(1, math.floor(count * fps / (facts.fps * piece.speed) + 0.5))
    return Stretch(piece, facts, first, count, frames)


def _shortened(part: Stretch, frames: int) -> Stretch:
    count = max(1, math.ceil(part.count * frames / part.frames))
    return Stretch(part.piece, part.facts, part.first, count, frames)


def _timed(part: Stretch, number: int, canvas: Canvas, *, exact: bool) -> Any:
    """The part's source frames at the film's rate; what lies between two of them is made of both."""
    fps = canvas.fps
    moving, step = part.frames - part.hold, step_of(part, fps, exact=exact)
    video = _bare(part, number)
    video = video.filter("settb", "1/90000").filter("setpts", f"N*{step:.9f}/TB")
    if step * fps <= 1 + 1e-6 or part.count == 1:
        # Enough frames of its own: two of them mixed would only blur real footage.
        video = video.filter("fps", fps)
    else:
        mode: dict[str, str | int] = {"mi_mode": "blend"}
        if canvas.fps_mode == "motion":
            mode = {"mi_mode": "mci", "mc_mode": "aobmc", "me_mode": "bidir", "vsbmc": 1}
        video = video.filter("tpad", stop_mode="clone", stop=2).filter("minterpolate", fps=fps, **mode)
    video = video.filter("trim", end_frame=moving)
    video = video.filter("tpad", stop_mode="clone", stop=part.frames)
    return video.filter("trim", end_frame=part.frames).filter("setpts", f"N/{fps}/TB")


def step_of(part: Stretch, fps: int, *, exact: bool) -> float:
    """Seconds of the film from one source frame to the next."""
    if exact or part.count == 1:
        return 1 / (part.facts.fps * part.piece.speed)
    # The last source frame lies on the last frame of the film, and no picture stands still before it.
    return (part.frames - part.hold - 1) / fps / (part.count - 1)


def bare_graph(part: Stretch, target: Path) -> Any:
    """The graph that writes a part's source frames, without their label, nearly lossless and silent."""
    facts = part.facts
    canvas = Canvas(_even(facts.width), _even(facts.height), max(1, round(facts.fps)))
    video = _bare(part).filter("setpts", f"N/{canvas.fps}/TB").filter("setsar", 1)
    return intermediate(video.filter("scale", canvas.width, canvas.height), part.count, canvas, target)


def fitted(facts: Facts, canvas: Canvas) -> tuple[bool, float]:
    """Whether a picture fills the frame, and how many times its size it gets there."""
    across, down = canvas.width / facts.width, canvas.height / facts.height
    fills = min(across, down) / max(across, down) >= 1 - _MOST_CUT_OFF
    return fills, max(across, down) if fills else min(across, down)


def size_at(facts: Facts, factor: float) -> Size:
    """A picture's size in the frame."""
    return Size(_even(facts.width * factor), _even(facts.height * factor))


def _placed(video: Any, part: Stretch, shot: ShotCut, canvas: Canvas, *, first: int, total: int) -> Any:
    """The part in the frame: it fills it if its sides allow, else it stands before its own blur."""
    width, height = part.facts.width, part.facts.height
    fills, factor = fitted(part.facts, canvas)
    hold = part.frames - part.hold if part.hold else None
    ground = None
    if not fills:
        split = video.filter_multi_output("split")
        video, ground = split[0], _ground(split[1], width, height, canvas)
    # A small picture moves before it gets its full size: the same to the eye, at a quarter of the work.
    early = min(1.0, _MOVE_AT / factor) if hold or shot.move != "none" else 1.0
    video = _scaled(video, width, height, factor * early)
    size = (canvas.width, canvas.height) if fills else (_even(width * factor), _even(height * factor))
    if fills:
        video = video.filter("crop", _even(canvas.width * early), _even(canvas.height * early))
    video = moved(video, shot.move, first=first, total=total, hold=hold, fps=canvas.fps)
    if early < 1:
        video = video.filter("scale", *size, flags="bicubic")
    if ground is not None:
        video = ffmpeg.overlay(ground, video, x="(W-w)/2", y="(H-h)/2")
    return video.filter("setsar", 1)


def _ground(video: Any, width: int, height: int, canvas: Canvas) -> Any:
    """The picture itself, filling the frame, far out of focus and darker."""
    small_w, small_h = _even(canvas.width / _GROUND_SHRINK), _even(canvas.height / _GROUND_SHRINK)
    factor = max(small_w / width, small_h / height)
    video = _scaled(video, width, height, factor, flags="bilinear").filter("crop", small_w, small_h)
    video = video.filter("gblur", sigma=_GROUND_BLUR)
    video = video.filter("lutyuv", y=f"16+(val-16)*{_GROUND_LIGHT}")
    return video.filter("scale", canvas.width, canvas.height, flags="bicubic")


def _scaled(video: Any, width: int, height: int, factor: float, *, flags: str = "lanczos") -> Any:
    size = (_even(width * factor), _even(height * factor))
    video = video.filter("scale", *size, flags=flags, out_color_matrix="bt709", out_range="tv")
    return video.filter("format", "yuv420p")


def _even(length: float) -> int:
    """The nearest even number of pixels; up, so that what shall cover a frame does."""
    return max(2, 2 * math.ceil(length / 2 - 1e-6))


def _bare(part: Stretch, number: int = 0) -> Any:
    """The part's source frames without the clip's own label, wherever that stands."""
    piece, facts = part.piece, part.facts
    source = ffmpeg.input(
        f"file:{piece.path.absolute()}",
        f="mp4",
        protocol_whitelist="file",
        threads=_THREADS,
        # A shot may show a clip twice, and ffmpeg-python takes inputs that are told alike for one.
        thread_queue_size=8 + number,
    )
    video = source.video.filter("trim", start_frame=part.first, end_frame=part.first + part.count)
    if piece.label is None:
        return video
    size = Size(facts.width, facts.height)
    return unlabelled(video, piece.label, size, fps=facts.fps, frames=part.count, first=part.first)


def unlabelled(video: Any, style: LabelStyle, size: Size, *, fps: float, frames: int, first: int = 0) -> Any:
    """A clip's `frames` frames from `first` on without the label that is drawn on it, in place of which its
    surroundings are drawn.
    """
    stands = style.frames(fps) - first
    if stands <= 0:
        return video
    box = _label_box(style, size.width, size.height)
    only = {} if stands >= frames else {"enable": f"lt(n,{stands:.0f})"}
    return video.filter("delogo", x=box.left, y=box.top, w=box.width, h=box.height, **only)


def _label_box(style: LabelStyle, width: int, height: int) -> Box:
    """Where a clip's own label lies, and what it touches around itself: colours are stored two by two."""
    label = label_for(style, width, height)
    tall, wide = label.light.shape[:2]
    left, top = (max(1, at // 2 * 2 - 2) for at in (label.left, label.top))
    right, bottom = ((at + 1) // 2 * 2 + 2 for at in (label.left + wide, label.top + tall))
    return Box(left, top, min(width - 1, right) - left, min(height - 1, bottom) - top)


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
