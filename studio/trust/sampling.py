"""A few small pictures out of any video, for fingerprint and likeness. The file is not trusted."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.media.ffmpeg import MediaError
from studio.trust.carriers import GRID, Floats, calmed

SMALL = (144, 256)
"""Rows and columns of a sample, whatever the video's shape: twice the grid of the marks."""

MOST = 64
_RATE, _SEEN_RATE = 2.0, 12.0
_MAX_SIDE = 8192
_PATIENCE = 20.0
_THREADS = 2
# Of a video longer than samples reach, a few frames at each of so many places.
_AT_A_PLACE = 3

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Samples:
    """Pictures of one video as planes: uint8 (3, 144, 256) each (luma, blue and red difference), in order.

    `colours` is the mean of the calmed colour planes over these and more pictures: float32 (2, 72, 128).
    """

    planes: tuple[Bytes, ...]
    colours: Floats


def sample_frames(frames: Iterable[np.ndarray]) -> Samples:
    """Samples of RGB frames, uint8 (height, width, 3): of all given. ValueError if there are none."""
    heap = _Heap()
    for frame in frames:
        picture = Image.fromarray(np.ascontiguousarray(frame)).resize(SMALL[::-1], Image.Resampling.BOX)
        heap.add(_planes_of(np.asarray(picture, np.float32)), keep=True)
    return heap.samples()


def sample_file(path: Path) -> Samples:
    """Two pictures a second of a video (MP4, MOV, MKV, WebM, AVI, GIF); 64 from all over a longer one.

    Takes little more than 20 s at most, what is read by then counts, and memory for a few frames.
    MediaError "file_empty" or "not_a_video".
    """
    with opened(path) as container:
        return _sampled(container)


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """A video that nobody trusts, open as what its first bytes say it is; it can point at no other file.

    What goes wrong with it within is MediaError "file_empty" or "not_a_video".
    """
    if path.stat().st_size == 0:
        raise MediaError("file_empty")
    try:
        with av.open(
            f"file:{path.absolute()}",
            format=demuxer_of(path),
            metadata_errors="replace",
            options={"protocol_whitelist": "file"},
        ) as container:
            yield container
    except (av.FFmpegError, IndexError, ValueError, UnicodeError) as error:
        raise MediaError("not_a_video", stderr=str(error)) from error


class _Heap:
    """Pictures as they come: some are kept, all count in the mean of colours."""

    def __init__(self) -> None:
        self._kept: list[Bytes] = []
        self._total: Floats = np.zeros((2, *GRID), np.float32)
        self._seen = 0

    def add(self, planes: Bytes, *, keep: bool) -> None:
        """One picture, uint8 (3, 144, 256)."""
        halved = planes[1:].reshape(2, GRID[0], 2, GRID[1], 2).mean(axis=(2, 4), dtype=np.float32)
        self._total += calmed(halved - 128)
        self._seen += 1
        if keep:
            self._kept.append(planes)

    def samples(self) -> Samples:
        """All that came; ValueError if nothing did."""
        if not self._kept:
            raise ValueError("there are no pictures")
        return Samples(tuple(self._kept), self._total / np.float32(self._seen))


def _sampled(container: av.container.InputContainer) -> Samples:
    stream = container.streams.video[0]
    if max(stream.width, stream.height) > _MAX_SIDE:
        raise ValueError("the picture is too large")
    # The container may understate the size: the decoder has a limit of its own.
    stream.codec_context.options = {"max_pixels": str(_MAX_SIDE * _MAX_SIDE // 2)}
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    seconds = seconds or (container.duration or 0) / av.time_base
    stream.thread_type, stream.thread_count = "AUTO", _THREADS
    heap = _Heap()
    pictures = _all_of(container, stream) if seconds <= MOST / _RATE else _spread(container, stream, seconds)
    try:
        for frame, keep in pictures:
            small = frame.reformat(SMALL[1], SMALL[0], "yuv444p", interpolation="AREA")
            heap.add(np.array(small.to_ndarray(), dtype=np.uint8), keep=keep)
    except av.FFmpegError:
        # What could be read before a broken place is enough, if it is anything.
        pass
    return heap.samples()


def _all_of(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[tuple[av.VideoFrame, bool]]:
    """The frames one after the other, no more a second than are of use; which to keep."""
    kept, next_kept, next_seen = 0, 0.0, 0.0
    deadline = time.monotonic() + _PATIENCE
    for number, frame in enumerate(container.decode(stream)):
        if time.monotonic() > deadline:
            return
        # A frame that does not know its time stands for a twelfth of a second.
        at = number / _SEEN_RATE if frame.time is None else frame.time
        if kept and at < next_seen - 1e-3:
            continue
        next_seen = at + 1 / _SEEN_RATE
        keep = not kept or at >= next_kept - 1e-3
        if keep:
            kept, next_kept = kept + 1, at + 1 / _RATE
        yield frame, keep
        if kept >= MOST:
            return


def _spread(
    container: av.container.InputContainer, stream: av.VideoStream, seconds: float
) -> Iterator[tuple[av.VideoFrame, bool]]:
    """A few frames at places all over the video, from the frames where a reader can enter."""
    last = -1.0
    deadline = time.monotonic() + _PATIENCE
    for place in range(MOST):
        moment = int(seconds * place / MOST / (stream.time_base or 1)) + (stream.start_time or 0)
        container.seek(moment, stream=stream, backward=True)
        for number, frame in enumerate(container.decode(stream)):
            at = frame.time or 0.0
            if (number == 0 and at <= last) or time.monotonic() > deadline:
                break
            last = max(last, at)
            yield frame, number == 0
            if number + 1 == _AT_A_PLACE:
                break


def _planes_of(rgb: Floats) -> Bytes:
    """RGB to luma and colour difference as bt709 has them, 128 is no colour."""
    red, green, blue = np.moveaxis(rgb, 2, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    planes = np.stack([luma, (blue - luma) / 1.8556 + 128, (red - luma) / 1.5748 + 128])
    out: Bytes = np.clip(planes + 0.5, 0, 255).astype(np.uint8)
    return out


def demuxer_of(path: Path) -> str:
    """ffmpeg's reader, told from the first bytes and forced: no playlist can name other files.

    MediaError "not_a_video" for any other file.
    """
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] == b"\x1aE\xdf\xa3":
        return "matroska"
    if head[:4] == b"GIF8":
        return "gif"
    if head[:4] == b"RIFF" and head[8:] == b"AVI ":
        return "avi"
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    raise MediaError("not_a_video")
