"""What a file really holds, read by PyAV: facts, its `comment`, a thumbnail. Files are not trusted."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import av
from PIL import Image

from studio.media.ffmpeg import MediaError

THUMBNAIL_SIDE = 320
POSTER_SIDE = 960
"""Of a film's still: it stands in the player before the film is played."""


@dataclass(frozen=True)
class Facts:
    """The facts about a video file. `frames` counts the pictures that are really there."""

    frames: int
    seconds: float
    width: int
    height: int
    fps: float
    codec: str
    pixel_format: str
    comment: str


def probe(path: Path) -> Facts:
    """Read the facts; MediaError "file_empty" or "not_a_video"."""
    with _opened(path) as container:
        try:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 0)
            # The index may promise more than the file holds: count what can be read.
            frames = sum(1 for packet in container.demux(stream) if packet.size)
            return Facts(
                frames=frames,
                seconds=frames / rate if rate else 0.0,
                width=stream.width,
                height=stream.height,
                fps=rate,
                codec=stream.codec_context.name,
                pixel_format=stream.codec_context.pix_fmt or "",
                comment=container.metadata.get("comment", ""),
            )
        except (av.FFmpegError, IndexError) as error:
            raise MediaError("not_a_video") from error


def comment(path: Path) -> str:
    """The file's `comment` tag, empty if there is none; MediaError "file_empty" or "not_a_video"."""
    with _opened(path) as container:
        if not container.streams.video:
            raise MediaError("not_a_video")
        return container.metadata.get("comment", "")


def thumbnail(path: Path, at: float | None = None, side: int = THUMBNAIL_SIDE) -> bytes:
    """A still at `at` seconds, else the middle one, as WebP of at most `side` pixels; errors as `probe`."""
    with _opened(path) as container:
        try:
            stream = container.streams.video[0]
            length = stream.duration or 0
            asked = length // 2 if at is None else min(length, int(at / (stream.time_base or 1)))
            moment = asked + (stream.start_time or 0)
            container.seek(moment, stream=stream, backward=True)
            picture = None
            for frame in container.decode(stream):
                picture = frame
                if frame.pts is not None and frame.pts >= moment:
                    break
            if picture is None:
                raise MediaError("not_a_video")
            image: Image.Image = picture.to_image()  # type: ignore[no-untyped-call]
        except (av.FFmpegError, IndexError) as error:
            raise MediaError("not_a_video") from error
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=82, method=4)
    return buffer.getvalue()


def _opened(path: Path) -> av.container.InputContainer:
    if path.stat().st_size == 0:
        raise MediaError("file_empty")
    try:
        # MP4 only, and a path only: playlists and addresses would make it read other files, or the network.
        return av.open(f"file:{path.absolute()}", format="mp4", metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise MediaError("not_a_video") from error
