"""Who computes on a worker's card: one clip, or frames of a media job in between. No torch."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from pipelines.request import Cancelled

# A media job that a clip kept waiting goes on for so long before the next clip: a full queue has no end.
TURN_SECONDS = 20.0
# A media job that wanted nothing for so long does something else now.
_IDLE_SECONDS = 2.0
_LOOK_SECONDS = 0.1


class Card:
    """A clip has the card to itself; a media job's networks have it between clips, a frame at a time."""

    def __init__(self, *, turn_seconds: float = TURN_SECONDS) -> None:
        self._turn_seconds = turn_seconds
        self._changed = threading.Condition()
        self._clips = self._frames = self._waiting = 0
        self._owed = False
        self._turn_until = self._wanted = float("-inf")

    @contextlib.contextmanager
    def clip(self, should_stop: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """While a clip is made. It waits for the frame in hand, and for the turn of a media job that waited.

        Raises Cancelled soon after `should_stop()` turns true.
        """
        with self._changed:
            self._wait_while(self._is_anothers_turn, should_stop)
            # From here on no further frame begins.
            self._clips += 1
        try:
            with self._changed:
                self._wait_while(lambda: self._frames > 0, should_stop)
            yield
        finally:
            with self._changed:
                self._clips -= 1
                if self._owed:
                    self._owed, self._turn_until = False, time.monotonic() + self._turn_seconds
                self._changed.notify_all()

    @contextlib.contextmanager
    def frame(
        self, should_stop: Callable[[], bool], *, make_room: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """While a network makes a frame. Where a clip has the card, `make_room()` is called first.

        Raises Cancelled soon after `should_stop()` turns true.
        """
        with self._changed:
            self._waiting += 1
            try:
                if self._clips:
                    self._owed = True
                    make_room()
                self._wait_while(lambda: self._clips > 0, should_stop)
                self._frames += 1
            finally:
                self._waiting -= 1
        try:
            yield
        finally:
            with self._changed:
                self._frames -= 1
                self._wanted = time.monotonic()
                self._changed.notify_all()

    def _wait_while(self, busy: Callable[[], bool], should_stop: Callable[[], bool]) -> None:
        while busy():
            if should_stop():
                raise Cancelled
            self._changed.wait(_LOOK_SECONDS)

    def _is_anothers_turn(self) -> bool:
        now = time.monotonic()
        return now < self._turn_until and (self._waiting > 0 or now - self._wanted < _IDLE_SECONDS)
