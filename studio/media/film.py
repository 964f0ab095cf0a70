"""A film is put together: shots cut, transitions rendered, everything laid on one time and encoded once.

The pictures of all shots go through one pipe, one file after the other: memory does not grow with the film.
"""

import contextlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import ffmpeg
import numpy as np
from noto_cjk_sans_otc import FONT_PATH
from numpy.typing import NDArray

from pipelines.request import Cancelled
from studio.media import sound, subtitles
from studio.media.about import KEEP_TAGS, about_text, checked_tags
from studio.media.canvas import Box, Canvas, canvas_of, draw_card, place_label, place_logo
from studio.media.clip import ClipFacts
from studio.media.cut import AS_IT_IS, Finer, cut_shot, intermediate, make, shot_frames
from studio.media.ffmpeg import MediaError, encode
from studio.media.joint import joint_graph
from studio.media.label import LabelStyle
from studio.media.probe import probe
from studio.media.timeline import FilmCut, Layout, Span, TransitionKind, label_of, layout
from studio.media.whole import is_unfinished, publish, unfinished
from studio.words import Language

Plane = NDArray[np.uint8]

MAX_COMMENT_BYTES = 256 * 1024
# Shots stay in their folder for the next time; of more than this the oldest go.
KEEP_BYTES = 4 * 1024**3
_STALE_SECONDS = 24 * 3600
_THREADS = 2
# Sound and picture may part by so much at the end: one frame of AAC is 21 ms.
_SYNC_SECONDS = 0.04
_TRACKS: dict[Language, tuple[str, str]] = {"zh": ("zho", "中文"), "en": ("eng", "English")}


@dataclass(frozen=True)
class Segment:
    """A stretch of an intermediate file that goes into the film as it is."""

    path: Path
    first: int
    frames: int


@dataclass(frozen=True)
class Sides:
    """The files beside the pictures: what is laid over them, what is heard, what is written and told."""

    sound: Path
    about: Path
    label: tuple[Path, Box] | None = None
    logo: tuple[Path, Box] | None = None
    captions: Path | None = None
    tracks: tuple[tuple[Language, Path], ...] = ()


def make_film(
    cut: FilmCut,
    path: Path,
    *,
    work: Path,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
    mark: Callable[[Plane, Plane, Plane], None] | None = None,
    finer: Finer = AS_IT_IS,
) -> ClipFacts:
    """Make the film at `path`; `work` is a folder for its shots, on the same disk, kept between films.

    `finer` has other files for what its shots show: larger, smoother.

    `mark(u, v, y)` changes the chroma planes u and v of each frame in place (uint8, half as high and wide as
    the film: the invisible fingerprint) and only looks at the luma y; subtitles, label and logo are laid over
    it later.

    A shot whose file is in `work` is not made again. `on_progress(done, total)` counts frames of work. Raises
    MediaError with a sentence for people, Cancelled soon after `should_stop()` turns true; nothing is at
    `path` then. ValueError for a cut that `layout` or the tables refuse.
    """
    if len(cut.comment.encode()) > MAX_COMMENT_BYTES:
        raise ValueError("the recipe is too long for a file's comment")
    checked_tags(cut.tags)
    lay, canvas = layout(cut), canvas_of(cut)
    work.mkdir(parents=True, exist_ok=True)
    aside = work / f"film-{secrets.token_hex(6)}"
    with unfinished(path) as part:
        aside.mkdir()
        try:
            sides = _sides(cut, lay, canvas, aside, should_stop)
            tell = _Teller(on_progress, _work_of(cut, lay))
            segments = _segments(cut, lay, canvas, work, aside, tell, should_stop, finer)
            graph = film_graph(cut, lay, canvas, sides, part)
            encode(graph, _pictures(segments, canvas, tell, should_stop, mark))
            _check(part, lay, canvas)
            size, digest = publish(part, path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    _prune(work)
    return ClipFacts(
        frames=lay.frames,
        seconds=lay.seconds(lay.frames),
        width=canvas.width,
        height=canvas.height,
        bytes=size,
        sha256=digest,
    )


def film_graph(cut: FilmCut, lay: Layout, canvas: Canvas, sides: Sides, target: Path) -> Any:
    """The graph of the film: pictures from `pipe:0`, subtitles, label and logo over them, all tracks."""
    raw = ffmpeg.input(
        "pipe:0", f="rawvideo", pix_fmt="yuv420p", s=f"{canvas.width}x{canvas.height}", framerate=cut.fps
    )
    video = raw.filter(
        "setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv"
    )
    if sides.captions is not None:
        video = video.filter("subtitles", filename=str(sides.captions), fontsdir=str(Path(FONT_PATH).parent))
    if sides.label is not None:
        video = _with_label(video, sides.label, cut.label, lay)
    if sides.logo is not None:
        video = _with_logo(video, sides.logo, lay)
    video = video.filter("format", "yuv420p")
    video = video.filter(
        "setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709", range="tv"
    )
    # It has no stream to take; named first, its number is 0.
    about = ffmpeg.input(f"file:{sides.about.absolute()}", f="ffmetadata")
    heard = ffmpeg.input(f"file:{sides.sound.absolute()}", f="wav")
    texts = [ffmpeg.input(f"file:{text.absolute()}", f="srt") for _, text in sides.tracks]
    told: dict[str, str | int] = {}
    for at, (language, _) in enumerate(sides.tracks):
        code, name = _TRACKS[language]
        told[f"metadata:s:s:{at}"] = f"language={code}"
        told[f"metadata:s:{2 + at}"] = f"handler_name={name}"
        told[f"disposition:s:{at}"] = "default" if at == 0 and sides.captions is None else 0
    return ffmpeg.output(
        about["s?"],
        video,
        heard.audio,
        *texts,
        f"file:{target.absolute()}",
        f="mp4",
        map_metadata=0,
        map_chapters=0,
        vcodec="libx264",
        preset="veryfast",
        crf=18,
        **{"profile:v": "high", "tag:v": "avc1"},
        g=2 * cut.fps,
        color_range="tv",
        threads=_THREADS,
        acodec="aac",
        audio_bitrate="192k",
        **({"scodec": "mov_text"} if texts else {}),
        **told,
        movflags=KEEP_TAGS if cut.tags else "+faststart",
    )


class _Teller:
    """Adds up the frames that are made, for whoever follows."""

    def __init__(self, on_progress: Callable[[int, int], None], total: int) -> None:
        self._on_progress, self._total, self._done = on_progress, total, 0

    def now(self, frames: int) -> None:
        """So many frames of the step in hand are made."""
        self._on_progress(min(self._total, self._done + frames), self._total)

    def made(self, frames: int) -> None:
        """A step is done."""
        self._done += frames
        self.now(0)


def _work_of(cut: FilmCut, lay: Layout) -> int:
    shots = sum(shot_frames(shot, cut.fps) for shot in cut.shots)
    return shots + sum(span.overlap for span in lay.shots) + lay.frames


def _segments(
    cut: FilmCut,
    lay: Layout,
    canvas: Canvas,
    work: Path,
    aside: Path,
    tell: _Teller,
    should_stop: Callable[[], bool],
    finer: Finer,
) -> list[Segment]:
    """Every shot as a file, every transition as a file, in the film's order: together all of its frames."""
    files: list[tuple[Path, Span, TransitionKind]] = []
    for number, (shot, span) in enumerate(zip(cut.shots, lay.shots, strict=True), start=1):
        made = cut_shot(shot, number, canvas, work, finer=finer, should_stop=should_stop, on_frame=tell.now)
        tell.made(shot_frames(shot, cut.fps))
        files.append((made, span, shot.transition))
    if cut.end_card and lay.card:
        card = aside / "card.png"
        still = aside / "card.mp4"
        source = ffmpeg.input(f"file:{card.absolute()}", f="image2", loop=1, framerate=cut.fps)
        make(partial(intermediate, source, lay.card.frames, canvas), still)
        files.append((still, lay.card, "cut"))
    segments: list[Segment] = []
    used = 0
    for at, (file, span, kind) in enumerate(files):
        segments.append(Segment(file, used, span.frames - used - span.overlap))
        used = span.overlap
        if used:
            joint = aside / f"joint-{at}.mp4"
            graph = partial(joint_graph, file, files[at + 1][0], span, kind, canvas)
            make(graph, joint, should_stop=should_stop)
            tell.made(used)
            segments.append(Segment(joint, 0, used))
    return [segment for segment in segments if segment.frames]


def _pictures(
    segments: list[Segment],
    canvas: Canvas,
    tell: _Teller,
    should_stop: Callable[[], bool],
    mark: Callable[[Plane, Plane, Plane], None] | None,
) -> Iterator[memoryview]:
    """The film's frames as raw yuv420p, one by one, marked."""
    done = 0
    for segment in segments:
        for frame in _frames(segment, canvas):
            if should_stop():
                raise Cancelled
            if mark is not None:
                mark(*_planes(frame, canvas))
            yield frame.data
            done += 1
            if done % canvas.fps == 0:
                tell.now(done)
    tell.made(done)


def _planes(frame: Plane, canvas: Canvas) -> tuple[Plane, Plane, Plane]:
    """The planes u, v and y of a yuv420p frame, as views on it."""
    whole, size = frame.reshape(-1), canvas.height * canvas.width
    u, v = whole[size:].reshape(2, canvas.height // 2, canvas.width // 2)
    return u, v, whole[:size].reshape(canvas.height, canvas.width)


def _frames(segment: Segment, canvas: Canvas) -> Iterator[Plane]:
    """The segment's frames, plane after plane; MediaError "encode_failed" if its file holds too few."""
    end = segment.first + segment.frames
    with av.open(f"file:{segment.path.absolute()}", format="mp4") as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "AUTO", _THREADS
        for number, frame in enumerate(container.decode(stream)):
            if number >= segment.first:
                if (frame.width, frame.height) != (canvas.width, canvas.height):
                    raise MediaError("encode_failed", stderr=f"{segment.path} has another size")
                yield np.ascontiguousarray(frame.to_ndarray(format="yuv420p"))
            if number + 1 == end:
                return
    raise MediaError("encode_failed", stderr=f"{segment.path} ends before frame {end}")


def _sides(cut: FilmCut, lay: Layout, canvas: Canvas, folder: Path, should_stop: Callable[[], bool]) -> Sides:
    """Write the files beside the pictures. What people brought is opened first: it may be wrong."""
    logo = place_logo(cut.logo, canvas) if cut.logo else None
    if logo:
        logo.picture.save(folder / "logo.png")
    label = place_label(label_of(cut), canvas) if cut.label.shown else None
    if label:
        label.picture.save(folder / "label.png")
    if cut.end_card:
        draw_card(cut.end_card, canvas).save(folder / "card.png")
    told = {"title": cut.title, "comment": cut.comment, **cut.tags}
    (folder / "about.txt").write_text(about_text(told, lay.chapters, lay.fps), encoding="utf-8")
    tracks: list[tuple[Language, Path]] = []
    for language in cut.subtitles:
        text = subtitles.srt(cut, lay, language)
        if text.strip():
            tracks.append((language, folder / f"{language}.srt"))
            tracks[-1][1].write_text(text, encoding="utf-8")
    captions = None
    if cut.burn and tracks:
        captions = folder / "captions.ass"
        captions.write_text(subtitles.ass_document(cut, lay), encoding="utf-8")
    return Sides(
        label=(folder / "label.png", label.box) if label else None,
        logo=(folder / "logo.png", logo.box) if logo else None,
        sound=sound.mix(cut, lay, folder / "sound.wav", should_stop=should_stop),
        about=folder / "about.txt",
        captions=captions,
        tracks=tuple(tracks),
    )


def _still(path: Path) -> Any:
    """A small picture to lay over the film, in the film's colours."""
    picture = ffmpeg.input(f"file:{path.absolute()}", f="png_pipe")
    return picture.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuva420p")


def _over(video: Any, picture: Any, box: Box, **options: str | int) -> Any:
    return ffmpeg.overlay(video, picture, x=box.left, y=box.top, **options)


def _with_label(video: Any, label: tuple[Path, Box], style: LabelStyle, lay: Layout) -> Any:
    """The label over the film, or over its opening seconds."""
    picture, stands = _still(label[0]), style.frames(lay.fps)
    if stands >= lay.frames:
        return _over(video, picture, label[1])
    picture = _lasting(picture, lay.fps)
    first, count = round(style.full_frames(lay.fps)), style.fade_frames(lay.fps)
    picture = picture.filter("fade", type="out", start_frame=first, nb_frames=count, alpha=1)
    picture = picture.filter("trim", end_frame=round(stands))
    return _over(video, picture, label[1], eof_action="pass")


def _lasting(picture: Any, fps: int) -> Any:
    """A still as a stream of the film's rate that has no end."""
    return picture.filter("loop", loop=-1, size=1).filter("settb", f"1/{fps}").filter("setpts", "N")


def _with_logo(video: Any, logo: tuple[Path, Box], lay: Layout) -> Any:
    """The logo over all shots; it leaves as the end card comes, which has its own."""
    picture = _still(logo[0])
    if lay.card is None:
        return _over(video, picture, logo[1])
    leaves = lay.shots[-1].overlap
    picture = _lasting(picture, lay.fps).filter(
        "fade", type="out", start_frame=lay.card.start, nb_frames=max(1, leaves), alpha=1
    )
    return _over(video, picture, logo[1], shortest=1)


def _check(part: Path, lay: Layout, canvas: Canvas) -> None:
    """MediaError "encode_failed" unless all frames are there and the sound is as long."""
    found = probe(part)
    if (found.frames, found.width, found.height) != (lay.frames, canvas.width, canvas.height):
        raise MediaError("encode_failed", stderr=f"{found.frames} frames instead of {lay.frames}")
    with av.open(f"file:{part.absolute()}", format="mp4") as container:
        heard = container.streams.audio[0]
        seconds = float((heard.duration or 0) * (heard.time_base or 0))
    if abs(seconds - lay.seconds(lay.frames)) > _SYNC_SECONDS:
        raise MediaError("encode_failed", stderr=f"{seconds} s of sound for {lay.frames} frames")


def _prune(work: Path) -> None:
    """Remove what killed runs left a day ago, and the oldest shots while there are too many."""
    old = time.time() - _STALE_SECONDS
    for left in [*filter(is_unfinished, work.iterdir()), *work.glob("film-*")]:
        with contextlib.suppress(FileNotFoundError):
            if left.stat().st_mtime < old:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
    made = [*work.glob("shot-*.mp4"), *work.glob("take-*.mp4")]
    shots = [(shot.stat(), shot) for shot in made if not is_unfinished(shot)]
    kept = 0
    for facts, shot in sorted(shots, key=lambda one: one[0].st_mtime, reverse=True):
        kept += facts.st_size
        if kept > KEEP_BYTES:
            shot.unlink(missing_ok=True)
