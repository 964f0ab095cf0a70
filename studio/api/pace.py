"""How fast one key may ask: a bucket of tokens that fills steadily, in this process's memory."""

import threading
import time
from collections.abc import Callable

_FORGOTTEN_AT = 10_000


class Pace:
    """`rate` requests a second by each name, `burst` at once after a rest."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait(self, name: str) -> float:
        """Seconds until this name may ask; 0 if it may now, and then it has asked."""
        with self._lock:
            now = self._clock()
            left, since = self._left.pop(name, (self.burst, now))
            left = min(self.burst, left + (now - since) * self.rate)
            free = left >= 1
            self._left[name] = (left - 1 if free else left, now)
            while len(self._left) > _FORGOTTEN_AT:
                del self._left[next(iter(self._left))]
            return 0.0 if free else (1 - left) / self.rate
