"""What the library needs done beside people's work: in a thread of each web process."""

import logging
import time

from studio.library.cards import Cards
from studio.library.finder import Finder
from studio.library.looks import Looks
from studio.library.shelves import Shelves

_REST_SECONDS = 2.0
_SWEEP_SECONDS = 3600.0

log = logging.getLogger(__name__)


class Upkeep:
    """Reads what is new, looks at its pictures, writes its card, empties the trash."""

    def __init__(self, finder: Finder, looks: Looks, cards: Cards, shelves: Shelves) -> None:
        self._finder, self._looks, self._cards, self._shelves = finder, looks, cards, shelves
        self._swept = float("-inf")

    def run(self) -> None:
        """Go on for ever; whatever goes wrong is tried again."""
        while True:
            try:
                busy = self.once()
            except Exception:
                log.warning("the library could not be kept up", exc_info=True)
                busy = False
            time.sleep(0.05 if busy else _REST_SECONDS)

    def once(self) -> bool:
        """Do a little of everything; whether there is more to do."""
        self._finder.warm()
        read = self._finder.read_some() + self._looks.read_some()
        self._cards.follow()
        if time.monotonic() - self._swept > _SWEEP_SECONDS:
            self._swept = time.monotonic()
            self._shelves.sweep()
        return read > 0
