"""What people bring as a shot: a video or a picture becomes a clip like any other. It is not trusted.

The kind of file is told from its first bytes and forced on every reader, so no file can be a playlist, name
another file or reach for the network.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import av
import ffmpeg
from PIL import Image

from studio.media.canvas import open_picture
from studio.media.ffmpeg import MediaError, run
from studio.media.moves import windowed
from studio.media.probe import probe
from studio.media.whole import publish, unfinished

MAX_MB = 500
MAX_SIDE = 4096
MAX_SECONDS = 60.0
SHORTEST_SIDE = 64
PICTURE_SECONDS = 12.0
# A push so slow is smooth at twelve pictures a second; films make more of them.
PICTURE_FPS = 12
# Films are at most 1080 high: more is only weight.
_LONGEST_SIDE = 1920
_RATES = (8, 30)
_THREADS = 2
# How much a picture's slow push cuts away on each side, in a second.
_PUSH = 0.006
_CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "prores", "mjpeg"})
# Transfers of high-range pictures, by their numbers in H.273.
_BRIGHT = frozenset({16, 18})
_REVISION = 1


@dataclass(frozen=True)
class Intake:
    """A clip made from what was brought: MP4, H.264, one steady rate, no label yet; the film puts it on.

    `seconds` is its length, `sound` whether it has any; `source_seconds` is how long the whole video is
    (a picture: 0).
    """

    path: Path
    kind: Literal["video", "picture"]
    frames: int
    fps: float
    seconds: float
    width: int
    height: int
    sound: bool
    source_seconds: float


@dataclass(frozen=True)
class Found:
    """What a video file says about itself, and its first frame shows: upright, with square pixels.

    `matrix` is ffmpeg's name of its colour matrix, `bright` whether it has a high range.
    """

    demuxer: str
    width: int
    height: int
    fps: float
    seconds: float
    matrix: str = "auto"
    bright: bool = False
    sound: bool = False


def take_in(
    path: Path,
    folder: Path,
    *,
    kind: Literal["video", "picture"],
    start: float = 0.0,
    seconds: float | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Intake:
    """Make a clip of the video (its `seconds` from `start`; None: to its end) or picture in `folder`.

    Videos: MP4, MOV, WebM, MKV up to 500 MB, 4096 pixels a side, 60 s after trimming. Pictures: PNG, JPEG,
    WebP; `seconds` long (0.5 to 60; None: 12), with a slow push-in. The file is named by what it is made
    from, and made once.
    MediaError "source_bad", "source_too_big", "source_small", "source_long", "source_range", "picture_bad",
    "picture_too_big", "picture_small", "file_empty", "disk_full"; Cancelled.
    """
    if path.stat().st_size == 0:
        raise MediaError("file_empty")
    if path.stat().st_size > MAX_MB * 1024 * 1024:
        raise MediaError("source_too_big", high=MAX_SIDE, megabytes=MAX_MB)
    target = folder / _name(path, kind, start, seconds)
    folder.mkdir(parents=True, exist_ok=True)
    found: Found | None = None
    with unfinished(target) as part, unfinished(target.with_suffix(".png")) as still:
        if kind == "picture":
            size = _write_still(path, still)
            stands = min(MAX_SECONDS, max(0.5, seconds or PICTURE_SECONDS))
            graph = picture_graph(still, size, part, seconds=stands)
        else:
            found = _examined(path)
            start, seconds = _range(found, start, seconds)
            graph = video_graph(path, found, part, start=start, seconds=seconds)
        if not target.is_file():
            _made(graph, part, kind, should_stop)
            publish(part, target)
    facts = probe(target)
    return Intake(
        path=target,
        kind=kind,
        frames=facts.frames,
        fps=facts.fps,
        seconds=facts.seconds,
        width=facts.width,
        height=facts.height,
        sound=bool(found and found.sound),
        source_seconds=found.seconds if found else 0.0,
    )


def picture_graph(still: Path, size: tuple[int, int], target: Path, *, seconds: float) -> Any:
    """The graph that makes a clip of a picture with even sides: a slow push-in, as long as it lasts."""
    source = ffmpeg.input(f"file:{still.absolute()}", f="png_pipe")
    frames = round(seconds * PICTURE_FPS)
    # One frame is decoded, brought into the film's colours and then repeated.
    video = _coloured(source.video, *size).filter("loop", loop=-1, size=1).filter("trim", end_frame=frames)
    video = video.filter("settb", f"1/{PICTURE_FPS}").filter("setpts", "N")
    video = windowed(video, f"{_PUSH}*(on-1)/{PICTURE_FPS}")
    return _clip(video, [], target, PICTURE_FPS)


def video_graph(path: Path, found: Found, target: Path, *, start: float, seconds: float) -> Any:
    """The graph that makes a clip of a stretch of a video: upright, at one rate, no larger than films are."""
    source = ffmpeg.input(
        f"file:{path.absolute()}",
        f=found.demuxer,
        protocol_whitelist="file",
        max_pixels=MAX_SIDE * MAX_SIDE,
        threads=_THREADS,
        ss=f"{start:.3f}",
    )
    low, high = _RATES
    fps = min(high, max(low, round(found.fps)))
    video = source["v:0"].filter("fps", fps, start_time=0)
    video = video.filter("trim", end_frame=max(2, round(seconds * fps)))
    if found.bright:
        video = _dimmed(video)
    width, height = _film_size(found.width, found.height)
    video = _coloured(video, width, height, matrix=found.matrix)
    sounds = []
    if found.sound:
        steady = {"async": 1, "first_pts": 0}
        sound = source["a:0"].filter("aresample", 48000, **steady).filter("atrim", end=f"{seconds:.3f}")
        sounds.append(sound.filter("aformat", channel_layouts="stereo"))
    return _clip(video, sounds, target, fps)


def _made(graph: Any, part: Path, kind: Literal["video", "picture"], should_stop: Callable[[], bool]) -> None:
    """Run the graph; what cannot be decoded was a bad file."""
    try:
        run(graph, should_stop=should_stop)
        if probe(part).frames >= 2:
            return
    except MediaError as error:
        if error.code == "disk_full":
            raise
        raise MediaError(
            "source_bad" if kind == "video" else "picture_bad", argv=error.argv, stderr=error.stderr
        ) from error
    raise MediaError("source_bad" if kind == "video" else "picture_bad", stderr="hardly a frame")


def _clip(video: Any, sounds: list[Any], target: Path, fps: int) -> Any:
    return ffmpeg.output(
        video,
        *sounds,
        f"file:{target.absolute()}",
        f="mp4",
        map_metadata=-1,
        map_chapters=-1,
        r=fps,
        vcodec="libx264",
        preset="veryfast",
        crf=16,
        g=2 * fps,
        color_range="tv",
        threads=_THREADS,
        **({"acodec": "aac", "audio_bitrate": "192k"} if sounds else {}),
        movflags="+faststart",
    )


def _coloured(video: Any, width: int, height: int, *, matrix: str = "auto") -> Any:
    """At this size, with square pixels, in the colours of all our files."""
    video = video.filter(
        "scale",
        width,
        height,
        flags="lanczos+accurate_rnd",
        in_color_matrix=matrix,
        out_color_matrix="bt709",
        out_range="tv",
    )
    video = video.filter("setsar", 1).filter("format", "yuv420p")
    return video.filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709")


def _dimmed(video: Any) -> Any:
    """High-range pictures, as telephones make them, in the range of ordinary screens."""
    video = video.filter("zscale", t="linear", npl=100).filter("format", "gbrpf32le")
    video = video.filter("zscale", p="bt709").filter("tonemap", "hable", desat=0)
    return video.filter("zscale", t="bt709", m="bt709", r="tv").filter("format", "yuv420p")


def _examined(path: Path) -> Found:
    """Read what the file is and its first frame; MediaError if it is no video, or too large or small."""
    demuxer = _demuxer(path)
    try:
        # A limit of the decoder's own: the container may understate the size.
        limits = {"max_pixels": str(MAX_SIDE * MAX_SIDE)}
        with av.open(
            f"file:{path.absolute()}", format=demuxer, options={"protocol_whitelist": "file"}
        ) as file:
            stream = file.streams.video[0]
            if stream.codec_context.name not in _CODECS:
                raise MediaError("source_bad", stderr=f"codec {stream.codec_context.name}")
            _check_sides(stream.width, stream.height)
            stream.codec_context.options = limits
            frame = next(file.decode(stream))
            rate = float(stream.average_rate or stream.guessed_rate or 0)
            length = (
                float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
            )
            length = length or (file.duration or 0) / av.time_base
            sound = bool(file.streams.audio)
    except (av.FFmpegError, IndexError, StopIteration, ValueError, UnicodeError) as error:
        raise MediaError("source_bad", stderr=str(error)) from error
    pixel = float(stream.sample_aspect_ratio or 1) or 1.0
    width, height = max(1, round(frame.width * pixel)), frame.height
    if frame.rotation % 180:
        width, height = height, width
    _check_sides(width, height)
    matrix = "bt709" if frame.colorspace == 2 and frame.height >= 720 else "auto"
    if not 0 < rate < 1000:
        rate = float(_RATES[1])
    found = Found(demuxer, width, height, rate, length, matrix, frame.color_trc in _BRIGHT, sound)
    return found if length > 0 else replace(found, seconds=_played_through(path, demuxer))


def _played_through(path: Path, demuxer: str) -> float:
    """The length of a file that does not tell it (recorded in a browser, say): where its last frame ends."""
    last = 0.0
    options = {"protocol_whitelist": "file"}
    with (
        av.open(f"file:{path.absolute()}", format=demuxer, options=options) as file,
        contextlib.suppress(av.FFmpegError),
    ):
        for packet in file.demux(video=0):
            if packet.pts is not None and packet.time_base:
                last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return last


def _demuxer(path: Path) -> str:
    """ffmpeg's reader for the two families of files that are taken, told from the first bytes."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] == b"\x1aE\xdf\xa3":
        return "matroska"
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "mov"
    raise MediaError("source_bad", stderr="neither MP4 nor Matroska")


def _range(found: Found, start: float, seconds: float | None) -> tuple[float, float]:
    """Start and length of what shall be shown, in seconds, within the video."""
    rest = found.seconds - start
    wanted = rest if seconds is None else min(seconds, rest)
    # Written so that "not a number" fails, too.
    if not (start >= 0 and wanted > 2 / max(_RATES)):
        raise MediaError("source_range", seconds=round(found.seconds, 1))
    # A frame more is nobody's fault: containers count differently.
    if wanted > MAX_SECONDS + 0.1:
        raise MediaError("source_long", seconds=round(wanted), high=round(MAX_SECONDS))
    return start, min(wanted, MAX_SECONDS)


def _write_still(path: Path, still: Path) -> tuple[int, int]:
    """Write the picture on white, upright, with even sides, as a PNG; return its size."""
    picture = open_picture(path, "picture")
    if min(picture.size) < SHORTEST_SIDE:
        raise MediaError("picture_small", low=SHORTEST_SIDE)
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    size = _film_size(picture.width, picture.height)
    ground.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(still, compress_level=1)
    return size


def _film_size(width: int, height: int) -> tuple[int, int]:
    """The size scaled to what films need, both sides even."""
    factor = min(1.0, _LONGEST_SIDE / max(width, height))
    return max(2, 2 * round(width * factor / 2)), max(2, 2 * round(height * factor / 2))


def _check_sides(width: int, height: int) -> None:
    if max(width, height) > MAX_SIDE:
        raise MediaError("source_too_big", high=MAX_SIDE, megabytes=MAX_MB)
    if min(width, height) < SHORTEST_SIDE:
        raise MediaError("source_small", low=SHORTEST_SIDE)


def _name(path: Path, kind: str, start: float, seconds: float | None) -> str:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    told = json.dumps([_REVISION, content, kind, start, seconds])
    return f"source-{hashlib.sha256(told.encode()).hexdigest()[:32]}.mp4"
