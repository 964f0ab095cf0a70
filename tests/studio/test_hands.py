"""A hand makes one job at a time, whatever hands it tickets."""

import threading
import time

from studio.claims import Attempt
from studio.hands import Hand, Orders
from tests.queue_kit import Desk


def test_two_tickets_at_once_are_made_one_after_the_other(desk: Desk) -> None:
    """The second's job is claimed already: it must not fail for the first one's sake."""
    for _ in range(2):
        desk.submit()
    at_work, most = 0, 0

    def work(attempt: Attempt) -> bool:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        time.sleep(0.05)
        at_work -= 1
        return desk.publish(attempt)

    hand = Hand("clip", desk.claims(), Orders(), work)
    claimed = {ticket: hand.claim(ticket) for ticket in ("t1", "t2")}
    told: list[str] = []
    threads = [
        threading.Thread(target=lambda one=ticket: told.append(hand.make(claimed[one] or "", one)))
        for ticket in claimed
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (told, most) == (["done", "done"], 1)
