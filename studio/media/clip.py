"""Frames become a finished MP4: labelled, encoded as they come, checked, and only then given their name."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np

from studio.media.about import KEEP_TAGS, checked_tags, told_options
from studio.media.ffmpeg import MediaError, encode
from studio.media.label import Frame, LabelStyle, label_for
from studio.media.probe import probe
from studio.media.whole import publish, unfinished

# The system's limit for one argument is 128 KiB, and a recipe is a few: this is a guard, not a budget.
MAX_COMMENT_BYTES = 64 * 1024


@dataclass(frozen=True)
class ClipFacts:
    """A finished file. `seconds` is its length, `bytes` its size, `sha256` the hash of the whole file."""

    frames: int
    seconds: float
    width: int
    height: int
    bytes: int
    sha256: str


def write_clip(
    frames: Iterable[np.ndarray],
    *,
    path: Path,
    fps: int,
    comment: str,
    label: LabelStyle,
    expected_frames: int,
    tags: Mapping[str, str] | None = None,
    mark: Callable[[Frame], None] | None = None,
) -> ClipFacts:
    """Write frames (uint8, height x width x 3, even sides) to `path` as H.264 with the label and the comment.

    Of each frame a copy is marked first (`mark` changes it in place: the invisible fingerprint), then
    labelled. `tags` are kept beside the comment under names of their own. Frames are taken one by one, never
    kept. The file has a temporary name (`*.part.mp4` beside `path`) until it holds `expected_frames`.

    Raises MediaError "disk_full" or "encode_failed"; what the frames' iterator or `mark` raises passes
    through. No temporary file is left, unless the process is killed.
    """
    if len(comment.encode()) > MAX_COMMENT_BYTES:
        raise ValueError("the recipe is too long for a file's comment")
    checked_tags(tags or {})

    def graph(part: Path, width: int, height: int) -> Any:
        return _graph(part, width=width, height=height, fps=fps, told={"comment": comment, **(tags or {})})

    def marked(pictures: Iterable[np.ndarray], width: int, height: int) -> Iterator[memoryview]:
        return _marked(pictures, label, mark, width=width, height=height, fps=fps)

    with unfinished(path) as part:
        width, height = _encode(frames, part, graph, marked)
        found = probe(part)
        if (found.frames, found.width, found.height) != (expected_frames, width, height):
            raise MediaError("encode_failed", stderr=f"{found.frames} frames instead of {expected_frames}")
        size, digest = publish(part, path)
    return ClipFacts(
        frames=found.frames, seconds=found.seconds, width=width, height=height, bytes=size, sha256=digest
    )


def _encode(
    frames: Iterable[np.ndarray],
    part: Path,
    graph: Callable[[Path, int, int], Any],
    marked: Callable[[Iterable[np.ndarray], int, int], Iterator[memoryview]],
) -> tuple[int, int]:
    """Feed the encoder, return width and height."""
    waiting = iter(frames)
    first = next(waiting, None)
    if first is None:
        raise MediaError("encode_failed", stderr="there were no frames")
    if (
        first.dtype != np.uint8
        or first.ndim != 3
        or first.shape[2] != 3
        or first.shape[0] % 2
        or first.shape[1] % 2
    ):
        raise ValueError(
            f"frames are uint8 (height, width, 3) with even sides, not {first.dtype} {first.shape}"
        )
    height, width = first.shape[:2]
    encode(graph(part, width, height), marked(chain([first], waiting), width, height))
    return width, height


def _marked(
    frames: Iterable[np.ndarray],
    style: LabelStyle,
    mark: Callable[[Frame], None] | None,
    *,
    width: int,
    height: int,
    fps: int,
) -> Iterator[memoryview]:
    """The frames with all marks on them, as bytes. The caller's own arrays stay as they are."""
    label = label_for(style, width, height)
    for number, frame in enumerate(frames):
        if frame.shape != (height, width, 3):
            raise ValueError(f"a frame of {frame.shape} among frames of {(height, width, 3)}")
        marked: Frame = np.array(frame, dtype=np.uint8, order="C")
        if mark is not None:
            mark(marked)
        label.stamp_frame(marked, number, fps)
        yield marked.data


def _graph(part: Path, *, width: int, height: int, fps: int, told: Mapping[str, str]) -> Any:
    """Raw RGB from a pipe to H.264 that browsers play: bt709 all through, index first, tags as told."""
    raw = ffmpeg.input("pipe:0", f="rawvideo", pix_fmt="rgb24", s=f"{width}x{height}", framerate=fps)
    # Without these ffmpeg converts by bt601 and players, told nothing, shift the colours.
    video = raw.filter(
        "scale", out_color_matrix="bt709", out_range="tv", flags="accurate_rnd+full_chroma_int"
    )
    video = video.filter("format", "yuv420p")
    video = video.filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709")
    return ffmpeg.output(
        video,
        f"file:{part.absolute()}",
        f="mp4",
        vcodec="libx264",
        preset="veryfast",
        crf=18,
        **{"profile:v": "high", "tag:v": "avc1"},
        g=2 * fps,  # a keyframe every two seconds: stepping and scrubbing answer at once
        color_range="tv",
        movflags=KEEP_TAGS if told.keys() - {"comment"} else "+faststart",
        **told_options(told),
    )
