"""Sound files for the media tests: clicks, tones and something like speech, and films that use them."""

import wave
from pathlib import Path
from typing import Any

import ffmpeg as graphs
import numpy as np

from studio.media.audio import RATE
from studio.media.ffmpeg import run
from studio.media.label import LabelStyle
from studio.media.timeline import FilmCut, Piece, ShotCut


def write_wav(path: Path, sound: np.ndarray, rate: int = RATE) -> Path:
    """Samples from -1 to 1, of one channel or of shape (count, channels), as 16 bit."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sound.shape[1] if sound.ndim > 1 else 1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def tone(seconds: float, hertz: float = 440.0, level: float = 0.3, rate: int = RATE) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def click(seconds: float, at: float, rate: int = RATE) -> np.ndarray:
    sound = np.zeros(round(seconds * rate))
    sound[round(at * rate)] = 0.9
    return sound


def hiss(seconds: float, low: float, high: float, level: float = 0.1, seed: int = 0) -> np.ndarray:
    """Noise between two frequencies."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    sound = np.fft.irfft(np.where((hertz > low) & (hertz < high), spectrum, 0), count)
    return level * sound / np.sqrt((sound**2).mean())


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise in syllables, between 1 and 6 kHz."""
    beat = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * np.arange(round(seconds * RATE)) / RATE)
    return hiss(seconds, 1000, 6000, seed=seed) * beat


def encoded(source: Path, path: Path, **options: Any) -> Path:
    """The sound in another format, made by ffmpeg."""
    run(graphs.output(graphs.input(str(source)), f"file:{path}", **options))
    return path


def film(*shots: ShotCut, **changed: Any) -> FilmCut:
    options = {"format": "16:9", "height": 192, "fps": 24, "label": LabelStyle(), "comment": "{}"}
    return FilmCut(shots, **(options | changed))


def shot(seconds: float = 2.0, **changed: Any) -> ShotCut:
    return ShotCut((Piece(Path("unused.mp4")),), seconds, **changed)
