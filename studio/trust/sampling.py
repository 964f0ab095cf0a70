"""A few small pictures out of any video, for fingerprint and likeness. The file is not trusted."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.media.ffmpeg import MediaError

SMALL = (144, 256)
"""Rows and columns of a sample, whatever the video's shape."""

RATE = 2.0
MOST = 64
# Of longer files only some stretches are decoded.
_ALL_SECONDS = 40.0
_MAX_SIDE = 8192
_PATIENCE = 20.0
_PACKETS = 100_000

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Samples:
    """Pictures of one video as planes: uint8 (3, 144, 256) each (luma, blue and red difference), in order."""

    planes: tuple[Bytes, ...]

    def mean_colours(self) -> NDArray[np.float32]:
        """The middle picture's two colour planes: float32 (2, 144, 256), 128 is no colour."""
        return np.asarray(np.mean([planes[1:] for planes in self.planes], axis=0), np.float32)


def sample_frames(frames: Iterable[np.ndarray]) -> Samples:
    """Samples of RGB frames, uint8 (height, width, 3): all that are given."""
    small = []
    for frame in frames:
        picture = Image.fromarray(np.ascontiguousarray(frame)).resize(SMALL[::-1], Image.Resampling.BOX)
        small.append(_planes_of(np.asarray(picture, np.float32)))
    return Samples(tuple(small))


def _planes_of(rgb: NDArray[np.float32]) -> Bytes:
    red, green, blue = np.moveaxis(rgb, 2, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    planes = np.stack([luma, (blue - luma) / 1.8556 + 128, (red - luma) / 1.5748 + 128])
    out: Bytes = np.clip(planes + 0.5, 0, 255).astype(np.uint8)
    return out


def sample_file(path: Path) -> Samples:
    """Two pictures a second of a video (MP4, MOV, MKV, WebM, AVI, GIF), at most 64, from all over its length.

    Takes at most about 20 s and memory for one frame. MediaError "file_empty" or "not_a_video".
    """
    if path.stat().st_size == 0:
        raise MediaError("file_empty")
    try:
        with av.open(
            f"file:{path.absolute()}", format=_demuxer(path), options={"protocol_whitelist": "file"}
        ) as container:
            found = tuple(_sampled(container))
    except (av.FFmpegError, IndexError, ValueError, UnicodeError) as error:
        raise MediaError("not_a_video", stderr=str(error)) from error
    if not found:
        raise MediaError("not_a_video")
    return Samples(found)


def _sampled(container: av.container.InputContainer) -> Iterator[Bytes]:
    stream = container.streams.video[0]
    if max(stream.width, stream.height) > _MAX_SIDE:
        raise MediaError("not_a_video")
    stream.codec_context.options = {"max_pixels": str(_MAX_SIDE * _MAX_SIDE // 2)}
    deadline = time.monotonic() + _PATIENCE
    wanted, count = 0.0, 0
    for frame in container.decode(stream):
        at = float(frame.time or 0.0)
        if at >= wanted - 1e-6 or count == 0:
            small = frame.reformat(SMALL[1], SMALL[0], "yuv444p", interpolation="AREA")
            yield np.array(small.to_ndarray(), dtype=np.uint8)
            count += 1
            wanted = at + 1 / RATE
        if count >= MOST or time.monotonic() > deadline:
            return


def _demuxer(path: Path) -> str:
    """ffmpeg's reader, told from the first bytes and forced: no playlist can name other files."""
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
