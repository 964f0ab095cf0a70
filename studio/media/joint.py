"""Transitions: the frames that two shots share, as a small file of their own.

Only the overlap is rendered, from two files: a film of many shots never has more than two open at once.
"""

from pathlib import Path
from typing import Any

import ffmpeg

from studio.media.canvas import Canvas
from studio.media.cut import intermediate
from studio.media.moves import windowed
from studio.media.timeline import Span, TransitionKind

# ffmpeg's names. Its own "zoomin" has coarse pixels, so we zoom ourselves and let the pictures cross.
_XFADE: dict[TransitionKind, str] = {
    "crossfade": "fade",
    "fade_black": "fadeblack",
    "push": "slideleft",
    "slide": "coverleft",
    "zoom": "fade",
}
_ZOOM = 0.2


def joint_graph(
    before: Path, after: Path, span: Span, kind: TransitionKind, canvas: Canvas, target: Path
) -> Any:
    """The graph that makes the `span.overlap` frames in which `before` (of `span`) turns into `after`.

    The first of them still shows mostly `before`, the last mostly `after`; neither stands alone in it.
    """
    frames = span.overlap
    going = _stretch(before, span.frames - frames, span.frames, canvas)
    coming = _stretch(after, 0, frames, canvas)
    if kind == "zoom":
        way = f"clip((on-1)/{frames},0,1)"
        going = windowed(going, f"{_ZOOM}*{way}*{way}")
    # Two frames longer than it is and a frame begun: no frame is a bare copy of a shot's own.
    video = ffmpeg.filter(
        [going.filter("tpad", start=1, start_mode="clone", stop=1, stop_mode="clone"),
         coming.filter("tpad", start=1, start_mode="clone", stop=1, stop_mode="clone")],
        "xfade",
        transition=_XFADE.get(kind, "fade"),
        duration=(frames + 1) / canvas.fps,
        offset=0,
    )  # fmt: skip
    video = video.filter("trim", start_frame=1).filter("setpts", f"N/{canvas.fps}/TB")
    return intermediate(video, frames, canvas, target)


def _stretch(path: Path, first: int, end: int, canvas: Canvas) -> Any:
    source = ffmpeg.input(f"file:{path.absolute()}", f="mp4", protocol_whitelist="file", threads=1)
    video = source.video.filter("trim", start_frame=first, end_frame=end)
    return video.filter("settb", f"1/{canvas.fps}").filter("setpts", "N").filter("fps", canvas.fps)
