"""One card: a clip has it alone, a media job's frames go between clips, and neither waits for ever."""

import contextlib
import threading
import time
from collections.abc import Callable

import pytest

from pipelines.request import Cancelled
from studio.card import Card


def never() -> bool:
    return False


def started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_no_frame_is_made_beside_a_clip() -> None:
    card, order = Card(turn_seconds=0), list[str]()

    def frame() -> None:
        with card.frame(never, make_room=lambda: order.append("room")):
            order.append("frame")

    with card.clip():
        thread = started(frame)
        while "room" not in order:
            time.sleep(0.001)
        time.sleep(0.05)
        order.append("clip")
    thread.join(20)
    assert order == ["room", "clip", "frame"]


def test_a_clip_waits_for_the_frame_in_hand_only() -> None:
    card, order = Card(), list[str]()
    inside, go = threading.Event(), threading.Event()

    def frame() -> None:
        with card.frame(never):
            inside.set()
            assert go.wait(20)
            order.append("frame")

    def clip() -> None:
        with card.clip():
            order.append("clip")

    first = started(frame)
    assert inside.wait(20)
    second = started(clip)
    time.sleep(0.05)
    go.set()
    for thread in (first, second):
        thread.join(20)
    assert order == ["frame", "clip"]
    with card.clip():
        order.append("and the next at once")


def test_a_media_job_that_was_kept_waiting_has_its_turn_before_the_next_clip() -> None:
    card, order = Card(turn_seconds=20), list[str]()
    waits = threading.Event()

    def job() -> None:
        for number in range(3):
            with card.frame(never, make_room=waits.set):
                order.append(f"frame {number}")

    with card.clip():
        thread = started(job)
        assert waits.wait(20)
        order.append("clip 1")
    with card.clip():
        order.append("clip 2")
    thread.join(20)
    assert order == ["clip 1", "frame 0", "frame 1", "frame 2", "clip 2"]


def test_a_turn_ends_however_long_the_media_job_is() -> None:
    card, made, ends = Card(turn_seconds=0.3), list[int](), threading.Event()
    waits = threading.Event()

    def job() -> None:
        with contextlib.suppress(Cancelled):
            while not ends.is_set():
                with card.frame(ends.is_set, make_room=waits.set):
                    made.append(1)
                    time.sleep(0.01)

    with card.clip():
        thread = started(job)
        assert waits.wait(20)
    with card.clip():
        count = len(made)
        assert count > 0
        ends_soon = time.monotonic() + 0.1
        while time.monotonic() < ends_soon:
            assert len(made) == count
        ends.set()
    thread.join(20)


def test_who_waits_hears_that_nobody_wants_it_any_more() -> None:
    card = Card()
    with card.clip(), pytest.raises(Cancelled), card.frame(lambda: True):
        raise AssertionError("made beside a clip")
    with card.clip():
        pass
