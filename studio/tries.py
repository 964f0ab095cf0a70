"""How often somebody may try: wrong passwords, comments by a link."""

import time
from collections import deque


class Tries:
    """Counts tries by who makes them: after `most` within `window` seconds an address has to wait."""

    def __init__(self, most: int = 10, window: float = 60.0) -> None:
        self.most, self.window = most, window
        self._made: dict[str, deque[float]] = {}

    def too_many(self, address: str) -> bool:
        """Whether this address has to wait."""
        made = self._made.get(address, deque())
        while made and made[0] < time.monotonic() - self.window:
            made.popleft()
        return len(made) >= self.most

    def note(self, address: str) -> None:
        """Remember a try; the addresses that tried longest ago are forgotten first."""
        made = self._made.pop(address, deque(maxlen=self.most))
        self._made[address] = made
        made.append(time.monotonic())
        while len(self._made) > 10_000:
            del self._made[next(iter(self._made))]
