"""Sound files read by PyAV: as samples of one kind, whatever they are. Files are not trusted."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from studio.media.ffmpeg import MediaError

RATE = 48_000
Sound = NDArray[np.float32]
"""Samples of shape (count, 2), 48 kHz, full scale 1.0."""

_CODECS = ("pcm_", "mp3", "aac", "alac", "vorbis", "opus", "flac")
_RATES = (4_000, 384_000)
_MAX_CHANNELS = 8
# A file with a few damaged packets still plays; one that is mostly damage is no sound.
_BAD_SHARE = 0.1


def silence(count: int) -> Sound:
    """So many samples of nothing."""
    return np.zeros((count, 2), np.float32)


def samples(seconds: float) -> int:
    """The sample at this time."""
    return round(seconds * RATE)


def read_sound(path: Path, *, start: float = 0.0, seconds: float | None = None, video: bool = False) -> Sound:
    """The sound of a file from `start` on, at most `seconds` of it.

    The file is mp3, wav, m4a, ogg (Vorbis, Opus), or flac; with `video` an MP4, whose sound keeps its place
    against the pictures, and which may have none. Raises MediaError "sound_bad".
    """
    first = samples(start)
    last = first + samples(seconds) if seconds is not None else None
    parts: list[NDArray[np.float32]] = []
    for at, part in _placed(path, video=video):
        end = at + len(part)
        if last is not None and at >= last:
            break
        if end > first:
            parts.append(part[max(0, first - at) : None if last is None else last - at])
    return np.concatenate(parts) if parts else silence(0)


def length(path: Path, *, most: float) -> float:
    """Seconds of sound that a file really holds; stops counting beyond `most`. MediaError "sound_bad"."""
    seconds = 0.0
    for frame in _frames(path, video=False):
        seconds += frame.samples / frame.sample_rate
        if seconds > most:
            break
    return seconds


def container_of(head: bytes) -> str:
    """The demuxer for a sound file that begins so; empty if it is none of those that are read."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "mp3"
    return {b"fLaC": "flac", b"OggS": "ogg"}.get(head[:4], "")


def _placed(path: Path, *, video: bool) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Stretches of samples with the sample at which each begins, without gaps."""
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=RATE)
    at = 0
    begun = False
    try:
        for frame in _frames(path, video=video):
            if not begun:
                begun = True
                late = samples(frame.time or 0.0) if video else 0
                if late > 0:
                    yield 0, silence(late)
                # A negative time is what players leave out: the part is cut by its place.
                at = late
            for part in resampler.resample(frame):
                yield at, stereo(part)
                at += part.samples
        for part in resampler.resample(None) if begun else ():
            yield at, stereo(part)
            at += part.samples
    except (av.FFmpegError, ValueError) as error:
        raise MediaError("sound_bad") from error


def stereo(frame: av.AudioFrame) -> Sound:
    """A frame's samples."""
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1, 2)


def _frames(path: Path, *, video: bool) -> Iterator[av.AudioFrame]:
    """The decoded sound, in order."""
    with _opened(path, video=video) as container:
        if not container.streams.audio:
            if video:
                return
            raise MediaError("sound_bad")
        stream = container.streams.audio[0]
        context = stream.codec_context
        if not context.name.startswith(_CODECS) or not (
            _RATES[0] <= context.sample_rate <= _RATES[1] and 1 <= context.channels <= _MAX_CHANNELS
        ):
            raise MediaError("sound_bad")
        good = bad = 0
        packets = container.demux(stream)
        while (packet := _next(packets)) is not None:
            try:
                frames = packet.decode()
            except av.FFmpegError:
                bad += 1
                continue
            for frame in frames:
                assert isinstance(frame, av.AudioFrame)
                good += 1
                yield frame
        if not good or bad > good * _BAD_SHARE:
            raise MediaError("sound_bad")


def _next(packets: Iterator[Any]) -> Any:
    """The next packet; a file that breaks off ends there."""
    try:
        return next(packets, None)
    except av.FFmpegError:
        return None


@contextmanager
def _opened(path: Path, *, video: bool) -> Iterator[av.container.InputContainer]:
    try:
        with path.open("rb") as file:
            name = "mp4" if video else container_of(file.read(16))
    except OSError as error:
        raise MediaError("sound_bad") from error
    if not name:
        raise MediaError("sound_bad")
    try:
        # The format is ours to say, and the address is a path: nothing makes it read other files.
        container = av.open(f"file:{path.absolute()}", format=name, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise MediaError("sound_bad") from error
    with container:
        yield container


def framed(sound: Sound, at: int = 0) -> av.AudioFrame:
    """Samples as a frame for a filter; `at` is the sample at which they begin."""
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(sound.reshape(1, -1)), format="flt", layout="stereo"
    )
    frame.sample_rate = RATE
    frame.pts = at
    frame.time_base = Fraction(1, RATE)
    return frame


def filtered(sound: Sound, name: str, arguments: str) -> Iterator[av.AudioFrame]:
    """What a filter of ffmpeg makes of the samples, fed second by second."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="flt", layout="stereo", time_base=Fraction(1, RATE))
    work, sink = graph.add(name, arguments), graph.add("abuffersink")
    source.link_to(work)
    work.link_to(sink)
    graph.configure()
    for at in range(0, len(sound), RATE):
        graph.push(framed(sound[at : at + RATE], at))
        yield from _pulled(graph)
    graph.push(None)
    yield from _pulled(graph)


def _pulled(graph: av.filter.Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, av.AudioFrame)
        yield frame
