"""A finished film in other formats: with its subtitles, chapters and recipe wherever the format has room."""

import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import av
import ffmpeg

from pipelines.request import Notice
from studio.media.about import KEEP_TAGS, about_text, checked_tags, write_into_gif
from studio.media.ffmpeg import MediaError, run
from studio.media.probe import probe
from studio.media.whole import publish, unfinished

Kind = Literal["h264", "h265", "vp9", "gif"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SUFFIXES: dict[Kind, str] = {"h264": ".mp4", "h265": ".mp4", "vp9": ".webm", "gif": ".gif"}
"""How a file of each kind is called."""

GIF_SIDE, GIF_FPS, GIF_SECONDS = 480, 15, 20
_DEMUXERS: dict[Kind, str] = {"h264": "mp4", "h265": "mp4", "vp9": "webm", "gif": "gif"}
_CODECS: dict[Kind, str] = {"h264": "h264", "h265": "hevc", "vp9": "vp9", "gif": "gif"}
_THREADS = 2
# MP4 has places of its own for these; other names live only where the writer is told to keep them.
_KNOWN_TAGS = frozenset(("comment", "title", "artist", "encoder", "creation_time"))
# What an MP4 says of its own making: nothing to hand on.
_OF_THE_FILE = frozenset(("major_brand", "minor_version", "compatible_brands", "encoder", "creation_time"))


@dataclass(frozen=True)
class ExportFacts:
    """A file that was made. `subtitles` and `chapters` count what it carries; `notices` say what is missing.

    `carries_recipe` tells whether the film can be made again from this file.
    """

    kind: Kind
    frames: int
    seconds: float
    width: int
    height: int
    bytes: int
    sha256: str
    carries_recipe: bool
    subtitles: int
    chapters: int
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class _Found:
    """What a file holds, counted."""

    codec: str
    frames: int
    seconds: float
    width: int
    height: int
    subtitles: int
    chapters: int
    tags: dict[str, str]


def export(
    source: Path,
    target: Path,
    kind: Kind,
    *,
    tags: Mapping[str, str] | None = None,
    comment: str | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> ExportFacts:
    """Write the film at `source` (an MP4 of this studio) to `target` in another format.

    "h264" has the film's own streams, and without new words is the file as it is; "h265" plays on Apple's
    devices too; "vp9" is WebM with Opus; "gif" has no sound, at most 480 pixels, 15 frames a second and 20 s.
    The film's tags and comment go along; `tags` are added to them, or replace those of the same name, and
    `comment` the film's. In a GIF they are its comments: "name=value" each, the comment last.

    `on_progress` hears frames done and in all. Raises ValueError for tags that are none, MediaError
    "file_empty", "not_a_video", "disk_full" or "encode_failed" (also when a tag got lost), Cancelled when
    `should_stop()` turns true; `target` is whole or not there.
    """
    checked_tags(tags or {})
    fps = probe(source).fps
    before = _look(source, "mp4")
    rate = fps / math.ceil(fps / GIF_FPS - 1e-6) if kind == "gif" else fps
    seconds = min(before.seconds, GIF_SECONDS) if kind == "gif" else before.seconds
    total = max(1, round(seconds * rate)) if kind == "gif" else before.frames
    told = _told(before.tags, tags or {}, comment)
    with unfinished(target.with_suffix(SUFFIXES[kind])) as part:
        if kind == "h264" and not tags and comment is None:
            shutil.copyfile(source, part)
        else:
            with unfinished(part.with_suffix(".txt")) as about:
                about.write_text(about_text(told), encoding="utf-8")
                graph = graph_of(
                    source, about, part, kind, rate=rate, own_tags=bool(told.keys() - _KNOWN_TAGS)
                )
                run(graph, should_stop=should_stop, on_frame=lambda at: on_progress(min(at, total), total))
            if kind == "gif":
                write_into_gif(part, told)
        found = _look(part, _DEMUXERS[kind], otherwise="encode_failed")
        _check(found, kind, total, told)
        size, digest = publish(part, target)
    on_progress(total, total)
    return ExportFacts(
        kind=kind,
        frames=found.frames,
        seconds=found.seconds,
        width=found.width,
        height=found.height,
        bytes=size,
        sha256=digest,
        carries_recipe=any(name.lower() == "comment" and text for name, text in told.items()),
        subtitles=found.subtitles,
        chapters=found.chapters,
        notices=(Notice("export_gif_cut", {"high": GIF_SECONDS}),) if before.seconds > seconds else (),
    )


def _told(before: Mapping[str, str], tags: Mapping[str, str], comment: str | None) -> dict[str, str]:
    """What the new file says: the film's own tags, `tags` above them, the comment."""
    new = {name.lower() for name in tags} | ({"comment"} if comment is not None else set())
    kept = {name: value for name, value in before.items() if name.lower() not in new | _OF_THE_FILE}
    return {**kept, **tags, **({} if comment is None else {"comment": comment})}


def _check(found: _Found, kind: Kind, total: int, told: Mapping[str, str]) -> None:
    """MediaError "encode_failed" unless all frames and tags are there."""
    if found.codec != _CODECS[kind] or abs(found.frames - total) > (1 if kind == "gif" else 0):
        raise MediaError("encode_failed", stderr=f"{found.codec}, {found.frames} frames instead of {total}")
    carried = {name.lower(): value for name, value in found.tags.items()}
    wanted = told if kind != "gif" else {name: text for name, text in told.items() if name == "comment"}
    if lost := [name for name, value in wanted.items() if value and carried.get(name.lower()) != value]:
        raise MediaError("encode_failed", stderr=f"tags got lost: {', '.join(lost)}")


def graph_of(
    source: Path, about: Path, target: Path, kind: Kind, *, rate: float, own_tags: bool = False
) -> Any:
    """The graph of an export.

    `about` is an ffmetadata file with all its tags; `rate` is a GIF's frames a second; `own_tags` keeps tags
    that MP4 has no place of its own for.
    """
    film = ffmpeg.input(f"file:{source.absolute()}", f="mp4", protocol_whitelist="file")
    path = f"file:{target.absolute()}"
    if kind == "gif":
        return ffmpeg.output(_for_gif(film, rate), path, f="gif", threads=_THREADS)
    # It has no stream to take; named first, its number is 0.
    words = ffmpeg.input(f"file:{about.absolute()}", f="ffmetadata")
    streams = [words["s?"], film["v:0"], film["a?"], film["s?"]]
    options: dict[str, Any] = {"f": "mp4", "c": "copy", "movflags": KEEP_TAGS if own_tags else "+faststart"}
    if kind == "vp9":
        options = {
            "f": "webm", "c:v": "libvpx-vp9", "crf": 33, "b:v": 0, "deadline": "good", "cpu-used": 5,
            "row-mt": 1, "c:a": "libopus", "b:a": "128k", "c:s": "webvtt", "pix_fmt": "yuv420p",
        }  # fmt: skip
    elif kind == "h265":
        options |= {
            "c:v": "libx265", "preset": "veryfast", "crf": 24, "tag:v": "hvc1", "pix_fmt": "yuv420p",
            "x265-params": "log-level=error",
        }  # fmt: skip
    return ffmpeg.output(*streams, path, map_metadata=0, map_chapters=1, threads=_THREADS, **options)


def _for_gif(film: Any, rate: float) -> Any:
    """Fewer and smaller frames, and the 256 colours that suit them."""
    video = film["v:0"].filter("trim", duration=GIF_SECONDS).filter("fps", fps=rate)
    video = video.filter(
        "scale",
        w=f"min({GIF_SIDE},iw)",
        h=f"min({GIF_SIDE},ih)",
        force_original_aspect_ratio="decrease",
        flags="lanczos",
    )
    both = video.filter_multi_output("split")
    palette = both[0].filter("palettegen", stats_mode="full")
    return ffmpeg.filter(
        [both[1], palette], "paletteuse", dither="bayer", bayer_scale=3, diff_mode="rectangle"
    )


def _look(path: Path, demuxer: str, *, otherwise: str = "not_a_video") -> _Found:
    """What a file of this format holds; a MediaError if it is none."""
    try:
        with av.open(f"file:{path.absolute()}", format=demuxer, metadata_errors="replace") as container:
            stream = container.streams.video[0]
            frames = sum(1 for packet in container.demux(stream) if packet.size)
            rate = float(stream.average_rate or 0)
            return _Found(
                codec=stream.codec_context.name,
                frames=frames,
                # A GIF's frames stand for whole hundredths: only all together are they as long as meant.
                seconds=(container.duration or 0) / 1e6
                if demuxer == "gif"
                else frames / rate
                if rate
                else 0.0,
                width=stream.width,
                height=stream.height,
                subtitles=len(container.streams.subtitles),
                chapters=len(container.chapters()),
                tags=dict(container.metadata),
            )
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise MediaError(otherwise) from error
