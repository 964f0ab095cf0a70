"""Work done ahead: the same items, a bounded number of them, and no thread that outlives its user."""

import threading
import time
from collections.abc import Iterator

import pytest

from pipelines.ahead import ahead


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ahead"]


def test_the_items_come_in_their_order_from_another_thread() -> None:
    made_by: set[str] = set()

    def items() -> Iterator[int]:
        for number in range(20):
            made_by.add(threading.current_thread().name)
            yield number

    assert list(ahead(items(), room=3)) == list(range(20))
    assert made_by == {"ahead"}
    assert threads() == []


def test_only_so_many_wait() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    running = ahead(items(), room=2)
    assert next(running) == 0
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        # One is used, two wait, one is in the maker's hand.
        assert len(made) <= 4
        time.sleep(0.01)
    running.close()
    assert threads() == []


def test_the_next_is_made_while_one_is_used() -> None:
    second = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    running = ahead(items(), room=1)
    assert next(running) == 1
    assert second.wait(20), "made, though nobody asked for it yet"
    assert list(running) == [2]


def test_an_error_is_raised_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    running = ahead(items())
    assert next(running) == 1
    with pytest.raises(ValueError, match="broken"):
        next(running)
    assert threads() == []


def test_a_user_that_leaves_half_way_closes_the_source() -> None:
    closed: list[str] = []

    def items() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.append(threading.current_thread().name)

    running = ahead(items())
    next(running)
    running.close()
    assert closed == ["ahead"]
    assert threads() == []


def test_one_must_have_room() -> None:
    with pytest.raises(ValueError, match="room"):
        next(ahead([1], room=0))
