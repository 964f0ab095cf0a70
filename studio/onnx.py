"""Small models on onnxruntime beside a renderer: few threads that never spin, memory that is given back."""

import ctypes
import gc
from typing import Any

_THREADS = 2


def session(model: bytes) -> Any:
    """An onnxruntime session for a model's file, on the CPU. ImportError, or one of onnxruntime's errors."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait must not spin: the same cores render.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def frugal() -> Any:
    """Options of a run after which the session keeps little memory (a third), at no cost in time."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def give_back() -> None:
    """What was freed goes back to the system, where the C library can do that (glibc)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
