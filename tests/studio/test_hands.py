"""A hand makes one job at a time, whatever hands it tickets; the next begins while one is finished."""

import contextlib
import threading
import time

from pipelines.request import ModelError
from studio.claims import Attempt
from studio.hands import Free, Hand, Orders, alone
from tests.queue_kit import Desk, wait_for


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

    hand = Hand("clip", desk.claims(), Orders(), alone(work))
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


def test_the_next_begins_while_one_is_finished_and_the_third_waits(desk: Desk) -> None:
    """The first is held in its finishing: the second is made up to there, and the third not begun."""
    jobs = [desk.submit() for _ in range(3)]
    may_finish, begun = threading.Event(), []

    def work(attempt: Attempt, free: Free) -> bool:
        begun.append(attempt.job.id)
        free()
        if attempt.job.id == jobs[0]:
            assert may_finish.wait(30)
        return desk.publish(attempt)

    hand = Hand("clip", desk.claims(), Orders(), work)

    def serve() -> None:
        while job_id := hand.claim(ticket := f"t{len(begun)}"):
            hand.make(job_id, ticket)

    thread = threading.Thread(target=serve)
    thread.start()
    wait_for(lambda: len(begun) == 2, 20)
    assert (hand.jobs, hand.current, hand.is_idle) == (tuple(jobs[:2]), jobs[1], False)
    time.sleep(0.3)
    assert begun == jobs[:2]
    may_finish.set()
    thread.join()
    hand.wait(20)
    assert [desk.job(job_id).state for job_id in jobs] == ["done"] * 3
    assert (hand.jobs, hand.current, hand.is_idle) == ((), None, True)


def test_a_job_that_fails_while_it_is_finished_tells_so_and_the_queue_goes_on(desk: Desk) -> None:
    first, second = desk.submit(), desk.submit()

    def work(attempt: Attempt, free: Free) -> bool:
        free()
        if attempt.job.id == first:
            raise ModelError("model_unknown", field="model", value="x", allowed="y")
        return desk.publish(attempt)

    hand = Hand("clip", desk.claims(), Orders(), work)
    for ticket in ("t1", "t2"):
        hand.make(hand.claim(ticket) or "", ticket)
    hand.wait(20)
    assert [desk.job(job_id).state for job_id in (first, second)] == ["failed", "done"]


def test_a_job_whose_end_no_row_could_be_told_is_in_nobodys_hand(desk: Desk) -> None:
    job = desk.submit()

    def work(attempt: Attempt, free: Free) -> bool:
        free()
        raise ModelError("model_unknown", field="model", value="x", allowed="y")

    claims = desk.claims()
    hand = Hand("clip", claims, Orders(), work)
    assert hand.claim("t1") == job
    claims.fail = _gone  # type: ignore[method-assign]
    # Its ticket hears of it if it is still there.
    with contextlib.suppress(OSError):
        hand.make(job, "t1")
    wait_for(lambda: not hand.jobs, 20)
    assert desk.job(job).state == "running", "which the next look of a worker puts right"


def _gone(*_: object) -> None:
    raise OSError("the database is gone")
