"""Narration: a text spoken by a voice, as a file with the exact times of its sentences; said once, kept."""

import contextlib
import hashlib
import json
import secrets
import threading
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.request import Cancelled, Notice
from studio.media.ffmpeg import no_room
from studio.text.language import has_han
from studio.voice import kokoro
from studio.voice.endpoint import Endpoint, EndpointFailed, say
from studio.voice.kokoro import RATE, Wave
from studio.voice.levels import MARGIN, levelled, trimmed
from studio.voice.problems import VoiceError
from studio.voice.reading import Breath, breaths
from studio.voice.voices import Voice, voice_for
from studio.voice.voices import voice as voice_named

SPEEDS = (0.5, 2.0)
# Raised when the same text would sound otherwise: reading, pauses, levels.
_REVISION = 1
# Two narrations at once would only need twice the memory.
_lock = threading.Lock()


@dataclass(frozen=True)
class Spoken:
    """A sentence (or a part of a long one), and where it is heard: seconds from the narration's start."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Speech:
    """A narration. `path` is a WAV, 24 kHz, mono, 16 bit, and `seconds` long.

    `notices` say what people should know: that the offline voice spoke instead of the speech service.
    """

    path: Path
    seconds: float
    sentences: tuple[Spoken, ...]
    notices: tuple[Notice, ...] = ()


def speak(
    text: str,
    *,
    voice: str,
    speed: float = 1.0,
    home: Path,
    endpoint: Endpoint | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Speech | None:
    """Say the text, or find what was said before; None if there is nothing to say (emoji, punctuation).

    `voice` is a name of `VOICES`, "" the first one of the text's language; `speed` 0.5 to 2, 1 is the voice's
    own pace. With an `endpoint` its voice speaks; where it fails, the offline one does, and `notices` say so.
    Files are kept in home/"voice", named by their content. The sentences' texts joined are the whole text.

    Raises VoiceError ("voice_unknown", "voice_speed", "voice_text_long", "voice_missing", "voice_failed",
    "disk_full"), and Cancelled between two sentences once `should_stop()`.
    """
    narrator = voice_named(voice) if voice else voice_for("zh" if has_han(text) else "en")
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise VoiceError("voice_speed", value=speed, low=SPEEDS[0], high=SPEEDS[1])
    notices: tuple[Notice, ...] = ()
    try:
        with _lock:
            if endpoint is not None:
                try:
                    return _speech(text, narrator, speed, home, endpoint, should_stop)
                except EndpointFailed as failed:
                    notices = (failed.notice,)
            return _speech(text, narrator, speed, home, None, should_stop, notices)
    except OSError as error:
        if no_room(error):
            raise VoiceError("disk_full") from error
        raise


def _speech(
    text: str,
    voice: Voice,
    speed: float,
    home: Path,
    endpoint: Endpoint | None,
    should_stop: Callable[[], bool],
    notices: tuple[Notice, ...] = (),
) -> Speech | None:
    speaker = [voice.name, kokoro.REVISION] if endpoint is None else list(endpoint.identity)
    content = json.dumps([_REVISION, text, round(speed, 3), speaker], ensure_ascii=False)
    path = home / "voice" / f"{hashlib.sha256(content.encode('utf-8', 'replace')).hexdigest()[:32]}.wav"
    if (kept := _kept(path, notices)) is not None:
        return kept
    said = breaths(text, voice)
    if not said:
        return None
    waves = []
    for breath in said:
        if should_stop():
            raise Cancelled
        waves.append(trimmed(_wave(breath, speed, endpoint, home, should_stop)))
    sound, sentences = _together(said, waves)
    return _keep(path, levelled(sound), sentences, notices)


def _wave(
    breath: Breath,
    speed: float,
    endpoint: Endpoint | None,
    home: Path,
    should_stop: Callable[[], bool],
) -> Wave:
    if endpoint is None:
        return kokoro.synthesise(breath.phonemes, breath.voice, speed=speed)
    return say(breath.text, endpoint, speed=speed, folder=home / "voice", should_stop=should_stop)


def _together(said: Sequence[Breath], waves: Sequence[Wave]) -> tuple[Wave, tuple[Spoken, ...]]:
    """The sentences one after the other with their pauses, and where each of them lies."""
    parts: list[Wave] = []
    found = []
    at = 0
    for number, (breath, part) in enumerate(zip(said, waves, strict=True)):
        found.append(Spoken(breath.text, at / RATE, (at + len(part)) / RATE))
        # The margins around the sentences are part of what is heard as a pause.
        gap = 0 if number == len(said) - 1 else max(0, round((breath.pause - 2 * MARGIN) * RATE))
        parts += [part, np.zeros(gap, np.float32)]
        at += len(part) + gap
    return np.concatenate(parts), tuple(found)


def _keep(path: Path, sound: Wave, sentences: tuple[Spoken, ...], notices: tuple[Notice, ...]) -> Speech:
    """Write the file and beside it what it holds; each appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.round(np.clip(sound, -1.0, 1.0) * 32767).astype("<i2").tobytes()
    facts = {
        "sha256": hashlib.sha256(samples).hexdigest(),
        "sentences": [[part.text, part.start, part.end] for part in sentences],
    }
    with _written(path) as fresh, wave.open(str(fresh), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples)
    with _written(path.with_suffix(".json")) as fresh:
        fresh.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8", errors="surrogatepass")
    return Speech(path, len(sound) / RATE, sentences, notices)


def _kept(path: Path, notices: tuple[Notice, ...]) -> Speech | None:
    """What was said before; None if it is not there, or damaged."""
    try:
        facts: Any = json.loads(path.with_suffix(".json").read_text(encoding="utf-8", errors="surrogatepass"))
        with wave.open(str(path), "rb") as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            samples = file.readframes(file.getnframes())
        if form != (1, 2, RATE) or hashlib.sha256(samples).hexdigest() != facts["sha256"]:
            return None
        parts = tuple(Spoken(str(text), float(start), float(end)) for text, start, end in facts["sentences"])
    except (OSError, EOFError, ValueError, TypeError, KeyError, wave.Error):
        return None
    return Speech(path, len(samples) / 2 / RATE, parts, notices) if parts else None


@contextlib.contextmanager
def _written(path: Path) -> Any:
    """A new file beside the path, put in its place once it is whole, removed if it never is."""
    fresh = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        yield fresh
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
