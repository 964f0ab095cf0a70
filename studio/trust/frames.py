"""A few pictures of a finished clip or film, for those who judge them. The file is not trusted."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from pipelines.request import Cancelled
from studio.media.ffmpeg import MediaError

FEWEST, MOST = 3, 24
"""Frames of one video: one a second within these bounds, its first and its last among them."""
SIDE = 512
"""The longer side of a picture is at most so many pixels: checkers look at less."""
MAX_SIDE = 4096

_NEVER = float("-inf")
# Packets are only counted: thousands a second.
_OFTEN = 256


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture: uint8 RGB (height, width, 3), at most SIDE pixels a side; `second` is when it is seen."""

    second: float
    rgb: NDArray[np.uint8]

    def jpeg(self) -> bytes:
        """The picture as a JPEG file."""
        buffer = BytesIO()
        Image.fromarray(self.rgb).save(buffer, "JPEG", quality=85)
        return buffer.getvalue()


def samples(path: Path, should_stop: Callable[[], bool] = lambda: False) -> tuple[Sample, ...]:
    """Frames from all over an MP4, in order; memory holds one whole frame at a time.

    MediaError "file_empty", "not_a_video" (also where a part can't be decoded: what nobody can look at is
    not passed), "picture_too_large"; Cancelled once `should_stop()`.
    """
    if path.stat().st_size == 0:
        raise MediaError("file_empty")
    try:
        # MP4 only, and a path only: playlists and addresses would make it read other files, or the network.
        options = {"protocol_whitelist": "file"}
        with av.open(
            f"file:{path.absolute()}", format="mp4", options=options, metadata_errors="replace"
        ) as file:
            found = tuple(_sampled(file, file.streams.video[0], should_stop))
    except (av.FFmpegError, IndexError, ValueError, UnicodeError, OverflowError) as error:
        raise MediaError("not_a_video", stderr=str(error)) from error
    if not found:
        raise MediaError("not_a_video")
    return found


def sample_of(picture: bytes) -> Sample:
    """A still picture (PNG, made here) as the one sample of a video that shows nothing else."""
    with Image.open(BytesIO(picture), formats=("PNG",)) as opened:
        small = opened.convert("RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return Sample(0.0, np.asarray(small, np.uint8))


def _sampled(file: InputContainer, stream: VideoStream, should_stop: Callable[[], bool]) -> Iterator[Sample]:
    if max(stream.width, stream.height) > MAX_SIDE:
        raise MediaError("picture_too_large", high=MAX_SIDE)
    # A limit of the decoder's own: the container may understate the size.
    stream.codec_context.options = {"max_pixels": str(MAX_SIDE * MAX_SIDE)}
    stream.codec_context.thread_count = 1
    moments, keys = _moments(file, stream, should_stop)
    base = float(stream.time_base or 0)
    for frame in _decoded(file, stream, _wanted(moments, base), keys, should_stop):
        second = (frame.pts - moments[0]) * base if frame.pts is not None else 0.0
        yield Sample(round(max(0.0, second), 2), _small(frame))


def _moments(
    file: InputContainer, stream: VideoStream, should_stop: Callable[[], bool]
) -> tuple[list[int], list[int]]:
    """When each frame is shown, in order, and when those that can be decoded alone are."""
    moments: list[int] = []
    keys: list[int] = []
    for packet in file.demux(stream):
        if len(moments) % _OFTEN == 0 and should_stop():
            raise Cancelled
        if packet.size and packet.pts is not None:
            moments.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
    return sorted(moments), sorted(keys)


def _wanted(moments: Sequence[int], base: float) -> list[int]:
    """Which of the moments are looked at: spread over time, not over frames, since rates may change."""
    if not moments:
        return []
    first, last = moments[0], moments[-1]
    count = min(len(moments), MOST, max(FEWEST, int((last - first) * base) + 1))
    if count == 1:
        return [first]
    exact = (first + (last - first) * at / (count - 1) for at in range(count))
    return sorted({moments[min(bisect_left(moments, moment), len(moments) - 1)] for moment in exact})


def _decoded(
    file: InputContainer,
    stream: VideoStream,
    wanted: Sequence[int],
    keys: Sequence[int],
    should_stop: Callable[[], bool],
) -> Iterator[VideoFrame]:
    """The frames at these moments; from one to the next by decoding on, or from a nearer key frame."""
    at: float = _NEVER
    frame: VideoFrame | None = None
    source: Iterator[VideoFrame] = iter(())
    for moment in wanted:
        before = bisect_right(keys, moment) - 1
        if frame is None or (before >= 0 and keys[before] > at):
            file.seek(keys[before] if before >= 0 else moment, stream=stream, backward=True)
            source = file.decode(stream)
        while at < moment:
            if should_stop():
                raise Cancelled
            following = next(source, None)
            if following is None:
                break
            frame = following
            at = frame.pts if frame.pts is not None else at
        if frame is None:
            raise MediaError("not_a_video")
        yield frame


def _small(frame: VideoFrame) -> NDArray[np.uint8]:
    factor = min(1.0, SIDE / max(frame.width, frame.height))
    width, height = (max(2, round(side * factor)) for side in (frame.width, frame.height))
    small = frame.reformat(width, height, "rgb24", interpolation="AREA")
    return np.asarray(small.to_ndarray(), np.uint8)
