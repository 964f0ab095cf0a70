"""What a finished film carries besides pictures and sound: where its shots begin, its subtitles as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import av

from studio.media.ffmpeg import MediaError
from studio.words import Language

TextKind = Literal["srt", "vtt"]
# What MP4 calls the languages.
_CODES: dict[Language, tuple[str, ...]] = {"zh": ("chi", "zho"), "en": ("eng",)}


@dataclass(frozen=True)
class Chapter:
    """A shot of a film: `start` in seconds of the film."""

    start: float
    title: str


@dataclass(frozen=True)
class Cue:
    """What is read from `start` to `end`, in seconds of the film."""

    start: float
    end: float
    text: str


def chapters(path: Path) -> tuple[Chapter, ...]:
    """The chapters of a film of ours, in order; none if the file is gone or carries none."""
    try:
        return _chapters(path, path.stat().st_mtime_ns)
    except (OSError, MediaError):
        return ()


def subtitles(path: Path, language: Language) -> tuple[Cue, ...]:
    """The film's subtitles in a language; MediaError "no_subtitles" if it carries none, or "not_a_video"."""
    found: list[Cue] = []
    with _opened(path) as container:
        codes = _CODES[language]
        stream = next((one for one in container.streams.subtitles if one.language in codes), None)
        if stream is None:
            raise MediaError("no_subtitles")
        try:
            for packet in container.demux(stream):
                text = _text(bytes(packet))
                if text and packet.pts is not None and packet.duration:
                    tick = float(stream.time_base or 0)
                    start, length = packet.pts * tick, packet.duration * tick
                    found.append(Cue(start, start + length, text))
        except av.FFmpegError as error:
            raise MediaError("not_a_video") from error
    return tuple(found)


def both(above: Sequence[Cue], below: Sequence[Cue]) -> tuple[Cue, ...]:
    """Two languages in one: what is read at the same time stands together."""
    times = sorted({time for cue in (*above, *below) for time in (cue.start, cue.end)})
    found: list[Cue] = []
    for start, end in pairwise(times):
        middle = (start + end) / 2
        lines = [cue.text for cues in (above, below) for cue in cues if cue.start <= middle < cue.end]
        text = "\n".join(lines)
        if text and found and found[-1].text == text and found[-1].end == start:
            found[-1] = Cue(found[-1].start, end, text)
        elif text:
            found.append(Cue(start, end, text))
    return tuple(found)


def written(cues: Sequence[Cue], kind: TextKind) -> str:
    """Subtitles as the text of an SRT or a WebVTT file."""
    if kind == "srt":
        blocks = [
            f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n"
            for number, cue in enumerate(cues, 1)
        ]
        return "\n".join(blocks)
    blocks = [f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escaped(cue.text)}\n" for cue in cues]
    return "\n".join(("WEBVTT\n", *blocks))


@lru_cache(maxsize=256)
def _chapters(path: Path, _changed: int) -> tuple[Chapter, ...]:
    with _opened(path) as container:
        found = [
            (float(one["start"] * one["time_base"]), str(one["metadata"].get("title", "")))
            for one in container.chapters()
            if one["time_base"]
        ]
    return tuple(Chapter(start, title) for start, title in sorted(found))


def _opened(path: Path) -> av.container.InputContainer:
    try:
        # MP4 only, and a path only: nothing else is read, whatever the file says.
        return av.open(f"file:{path.absolute()}", format="mp4", metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise MediaError("not_a_video") from error


def _text(packet: bytes) -> str:
    """The text of a mov_text sample: its length in two bytes, then UTF-8, then what is of no use here."""
    length = int.from_bytes(packet[:2], "big")
    # The joiner only keeps ffmpeg from reading "<once>" as a tag (studio/media/subtitles.py).
    text = packet[2 : 2 + length].decode("utf-8", "replace").replace("\u2060", "")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def _clock(seconds: float, point: str) -> str:
    whole = max(0, round(seconds * 1000))
    minutes, milliseconds = divmod(whole, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
