"""The sound of a film: voice, the clips' own sound and music, mixed to the exact length of its frames."""

import os
import wave
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.request import Cancelled
from studio.media.audio import RATE, Sound, filtered, read_sound, samples, silence, stereo
from studio.media.ffmpeg import MediaError
from studio.media.loudness import LOUDNESS, levelled, mastered, ramped
from studio.media.probe import probe
from studio.media.timeline import FilmCut, Layout, Music, Piece, ShotCut, Span
from studio.media.whole import unfinished

DUCK = 10.0
"""How much lower music is while somebody speaks, in dB."""

# Loudness is followed in steps of 10 ms; music is down 80 ms before the first sound, and back after 400 ms.
_STEP = RATE // 100
_DOWN, _UP = 8, 40
# A pause between two sentences is no reason to swell.
_BRIDGE = 60
_SPOKEN_DB = -40.0
_OWN_LOUDNESS = LOUDNESS - 3
_EDGE = 0.01
_MUSIC_IN, _MUSIC_OUT = 0.8, 3.0
_SEAM = 2.0


def mix(cut: FilmCut, layout: Layout, path: Path, *, should_stop: Callable[[], bool] = lambda: False) -> Path:
    """Write the film's sound to `path` and return that: WAV, 16 bit, 48 kHz, stereo, exactly as long.

    -16 LUFS, true peaks at most -1.5 dBTP; silence if there is nothing to hear. A voice begins at its shot's
    first frame plus `voice_start`. Raises MediaError "voice_bad" (shot), "music_bad" or "disk_full", and
    Cancelled when `should_stop()` turns true; nothing is left at `path` then.
    """
    total = place(layout, layout.frames)
    voices = _voices(cut, layout, total, should_stop)
    own = _own(cut, layout, total, should_stop)
    done = voices
    if own is not None:
        done = done + _under(own, _gains(voices))
    if cut.music is not None:
        done = done + _under(_bed(cut.music, total), _gains(done))
    _go_on(should_stop)
    done = mastered(done)
    _go_on(should_stop)
    _write(done, path)
    return path


def place(layout: Layout, frame: int) -> int:
    """The sample at which a frame of the film begins."""
    return round(Fraction(frame * RATE, layout.fps))


def _go_on(should_stop: Callable[[], bool]) -> None:
    if should_stop():
        raise Cancelled


def _voices(cut: FilmCut, layout: Layout, total: int, should_stop: Callable[[], bool]) -> Sound:
    """All narration, each where its shot says, equally loud."""
    track = silence(total)
    for number, (shot, span) in enumerate(zip(cut.shots, layout.shots, strict=True), 1):
        if shot.voice is None:
            continue
        _go_on(should_stop)
        first = place(layout, span.start) + samples(shot.voice_start)
        try:
            # A little more than there is room for tells that it is cut off, and must be faded.
            voice = read_sound(shot.voice, seconds=max(0, total - first) / RATE + _EDGE)
        except MediaError as error:
            raise MediaError("voice_bad", shot=number) from error
        _add(track, levelled(voice, LOUDNESS), first)
    return track


def _own(cut: FilmCut, layout: Layout, total: int, should_stop: Callable[[], bool]) -> Sound | None:
    """The clips' own sound of the shots that keep it, faded over the transitions; None if no shot does."""
    if not any(shot.keep_sound for shot in cut.shots):
        return None
    track = silence(total)
    before = 0
    for shot, span in zip(cut.shots, layout.shots, strict=True):
        if shot.keep_sound:
            _go_on(should_stop)
            first, end = place(layout, span.start), place(layout, span.end)
            sound = levelled(_pieces(shot, span, layout)[: end - first], _OWN_LOUDNESS, most=6.0)
            into, out = (max(samples(_EDGE), place(layout, frames)) for frames in (before, span.overlap))
            _add(track, _faded(sound, into, out), first)
        before = span.overlap
    return track


def _pieces(shot: ShotCut, span: Span, layout: Layout) -> Sound:
    """The sound of a shot's pieces one after the other, each as long as its pictures."""
    left = span.frames / layout.fps
    parts: list[Sound] = []
    for piece in shot.pieces:
        if left <= 0:
            break
        stretch = piece.seconds if piece.seconds is not None else probe(piece.path).seconds - piece.start
        stretch = max(0.0, min(stretch, left * piece.speed))
        parts.append(_fitted(_slowed(piece, stretch), samples(stretch / piece.speed)))
        left -= stretch / piece.speed
    return np.concatenate(parts) if parts else silence(0)


def _slowed(piece: Piece, stretch: float) -> Sound:
    """A piece's sound at its speed, at its own pitch."""
    sound = read_sound(piece.path, start=piece.start, seconds=stretch, video=True)
    if piece.speed == 1 or not len(sound):
        return sound
    tempo = float(np.clip(piece.speed, 0.5, 2.0))
    return np.concatenate([silence(0), *map(stereo, filtered(sound, "atempo", f"{tempo}"))])


def _fitted(sound: Sound, count: int) -> Sound:
    """Cut, or filled with silence, to `count` samples."""
    return np.pad(sound[:count], ((0, max(0, count - len(sound))), (0, 0)))


def _add(track: Sound, sound: Sound, first: int) -> None:
    """Lay sound onto the track from `first` on; what goes beyond its end is faded and left out."""
    sound, first = sound[max(0, -first) :], max(0, first)
    room = len(track) - first
    if room <= 0:
        return
    if len(sound) > room:
        sound = _faded(sound[:room], 0, samples(_EDGE))
    track[first : first + len(sound)] += sound


def _faded(sound: Sound, into: int, out: int) -> Sound:
    """Faded in and out over so many samples; two such fades over one another keep the loudness."""
    done = sound.copy()
    into, out = (max(1, min(count, len(done) // 2)) for count in (into, out))
    if len(done) > 1:
        done[:into] *= _rise(into)
        done[len(done) - out :] *= _rise(out)[::-1]
    return done


def _rise(count: int) -> NDArray[np.float32]:
    return np.sin(np.linspace(0, np.pi / 2, count + 1, dtype=np.float32)[1:])[:, None]


def _under(sound: Sound, gains: NDArray[np.float64]) -> Sound:
    """The sound turned down by `gains` (dB, one every 10 ms)."""
    return ramped(sound, 10 ** (gains / 20), _STEP)


def _gains(over: Sound) -> NDArray[np.float64]:
    """How far something goes down under what is heard over it: dB from 0 to -DUCK, a point every 10 ms."""
    steps = -(-len(over) // _STEP)
    blocks = np.pad(over, ((0, steps * _STEP - len(over)), (0, 0))).reshape(steps, -1)
    spoken = np.sqrt((blocks**2).mean(1)) > 10 ** (_SPOKEN_DB / 20)
    wanted = np.where(_bridged(spoken), -DUCK, 0.0)
    gains = np.zeros(steps + 1)
    # Back to front: down in time for the first sound. Then front to back: slowly up after the last.
    low = 0.0
    for step in range(steps - 1, -1, -1):
        low = min(wanted[step], low + DUCK / _DOWN)
        gains[step] = low
    low = gains[0]
    for step in range(1, steps + 1):
        low = min(gains[step], low + DUCK / _UP)
        gains[step] = low
    return gains


def _bridged(spoken: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The same with short pauses filled."""
    done = spoken.copy()
    found = np.flatnonzero(spoken)
    for left, right in pairwise(found):
        if right - left <= _BRIDGE:
            done[left:right] = True
    return done


def _bed(music: Music, total: int) -> Sound:
    """The music as long as the film, at its loudness, faded in and out."""
    try:
        sound = read_sound(music.path, seconds=total / RATE + _SEAM)
    except MediaError as error:
        raise MediaError("music_bad") from error
    if len(sound) < min(total, RATE // 2):
        raise MediaError("music_bad")
    sound = levelled(sound, LOUDNESS + music.volume + DUCK, most=60)
    return _faded(_looped(sound, total), samples(_MUSIC_IN), samples(_MUSIC_OUT))


def _looped(sound: Sound, total: int) -> Sound:
    """`total` samples of the music: again and again, each round faded into the next one on the beat."""
    if len(sound) >= total:
        return sound[:total]
    sound = _without_end(sound)
    seam = min(samples(_SEAM), len(sound) // 4)
    period = _period(sound, seam)
    body = _faded(sound[: period + seam], seam, seam)
    track = silence(total)
    # The first round begins without a fade.
    track[:seam] += (sound[:seam] * (1 - _rise(seam)))[:total]
    for first in range(0, total, period):
        part = body[: total - first]
        track[first : first + len(part)] += part
    return track


def _without_end(sound: Sound) -> Sound:
    """The music without the silence before it, and without its fading end."""
    loud = _levels(sound)
    usual = float(np.median(loud))
    # Half a second together: a rest between two notes is no end.
    wide = np.convolve(loud, np.ones(50) / 50, mode="same")
    here = np.flatnonzero(wide > usual / 2)
    if usual <= 0 or len(here) < 200:
        return sound
    start = int(np.flatnonzero(loud > usual / 30)[0])
    return sound[start * _STEP : (int(here[-1]) + 1) * _STEP]


def _period(sound: Sound, seam: int) -> int:
    """After how many samples the next round begins: where the beat of the end is that of the beginning."""
    rises = np.maximum(np.diff(np.log(_levels(sound) + 1e-4), prepend=0.0), 0.0)
    longest = (len(sound) - seam) // _STEP
    shortest = max(1, longest - min(400, longest // 4))
    best, found = -1.0, longest
    for step in range(longest, shortest - 1, -1):
        end = rises[step : step + 400]
        head = rises[: len(end)]
        alike = float(end @ head) / (float(np.linalg.norm(end) * np.linalg.norm(head)) + 1e-9)
        if alike > best + 1e-6:
            best, found = alike, step
    return max(1, found * _STEP)


def _levels(sound: Sound) -> NDArray[np.float64]:
    """The root mean square of every whole 10 ms."""
    steps = len(sound) // _STEP
    blocks = sound[: steps * _STEP].reshape(steps, -1)
    return np.sqrt((blocks.astype(np.float64) ** 2).mean(1)) if steps else np.zeros(0)


def _write(sound: Sound, path: Path) -> None:
    with unfinished(path) as part:
        with wave.open(str(part), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(RATE)
            for at in range(0, len(sound), RATE):
                block = np.clip(sound[at : at + RATE], -1, 1) * 32767
                file.writeframes(np.rint(block).astype("<i2").tobytes())
        os.replace(part, path)
