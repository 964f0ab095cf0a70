"""A film that came from elsewhere: checked against what was asked, and read on the studio's own clock."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from pipelines.request import GenerationRequest, ModelError

MAX_SIDE = 4096
_CODECS = ("h264", "hevc", "vp9", "av1", "mpeg4")
# Seconds by which a film may be shorter or longer than what was asked for.
_SHORTER, _LONGER = 0.6, 1.5
# How far its shape may be from the one that was asked for; a nearer one is scaled.
_SHAPE = 0.05
_UNTOLD = 2


class Broken(Exception):
    """The file is no whole film: another download may bring one."""


def check(path: Path, request: GenerationRequest) -> None:
    """See that a file is the film that was asked for, by its index and packets; nothing is decoded.

    Raises Broken, or ModelError "cloud_wrong_clip" for a whole film of another size or length.
    """
    try:
        with _opened(path) as container:
            stream = container.streams.video[0]
            width, height, codec = stream.width, stream.height, stream.codec_context.name
            promised, rate = stream.frames, float(stream.average_rate or 0)
            packets = sum(1 for packet in container.demux(stream) if packet.size)
    except (av.FFmpegError, IndexError, ValueError, OSError) as error:
        raise Broken(type(error).__name__) from error
    if not packets or not rate or packets < promised:
        raise Broken(f"{packets} of {promised} frames")
    if codec not in _CODECS or not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
        raise _wrong(request, f"{codec} {width}×{height}")
    asked = (request.num_frames - 1) / request.fps
    if not asked - _SHORTER <= packets / rate <= asked + _LONGER:
        raise _wrong(request, f"{packets / rate:.1f} s")
    if abs(width / height * request.height / request.width - 1) > _SHAPE:
        raise _wrong(request, f"{width}×{height}")


def frames(path: Path, request: GenerationRequest) -> Iterator[np.ndarray]:
    """The film's pictures as the request counts them: `num_frames` of uint8 (height, width, 3).

    Each is the one that is seen at its moment; the last one stays where the film ends a moment too soon.
    """
    try:
        with _opened(path) as container:
            pictures = container.decode(container.streams.video[0])
            yield from _at_clock(pictures, request)
    except (av.FFmpegError, IndexError) as error:
        raise _wrong(request, type(error).__name__) from error


def _at_clock(pictures: Iterator[av.VideoFrame], request: GenerationRequest) -> Iterator[np.ndarray]:
    half, given = 0.5 / request.fps, 0
    before: np.ndarray | None = None
    start: float | None = None
    for number, picture in enumerate(pictures):
        moment = picture.time if picture.time is not None else number / request.fps
        start = moment if start is None else start
        while before is not None and given / request.fps < moment - start - half:
            if given == request.num_frames:
                return
            yield before
            given += 1
        before = _pixels(picture, request)
    if before is None:
        raise _wrong(request, "0")
    while given < request.num_frames:
        yield before
        given += 1


def _pixels(picture: av.VideoFrame, request: GenerationRequest) -> np.ndarray:
    # Films that don't tell their colours: as players take them, by height.
    by_height = "ITU709" if picture.height >= 720 else "ITU601"
    return picture.to_ndarray(
        format="rgb24",
        width=request.width,
        height=request.height,
        src_colorspace=by_height if picture.colorspace == _UNTOLD else None,
        interpolation="LANCZOS",
    )


def _opened(path: Path) -> av.container.InputContainer:
    # MP4 only, and a path only: playlists and addresses would make it read other files, or the network.
    return av.open(f"file:{path.absolute()}", format="mp4", metadata_errors="replace")


def _wrong(request: GenerationRequest, found: str) -> ModelError:
    asked = f"{request.size}, {(request.num_frames - 1) / request.fps:g} s"
    return ModelError("cloud_wrong_clip", model=request.spec.title, asked=asked, found=found)
