"""The place in the queue and the time left, on SQLite and on Postgres."""

import pytest
import sqlalchemy as sa

from pipelines.request import Progress
from studio.estimates import Estimates, Past, volume_of, waits
from tests.queue_kit import Desk, small


def test_times_come_from_past_jobs_of_the_same_model(desk: Desk) -> None:
    request = small(num_inference_steps=10)
    assert desk.jobs.estimate(request) is None
    desk.submit(num_inference_steps=10)
    assert desk.publish(desk.begin(), seconds=10.5)
    # 10 s for ten steps and half a second after the last one.
    assert desk.jobs.estimate(request) == pytest.approx(10.5)
    assert desk.jobs.estimate(small(num_inference_steps=20)) == pytest.approx(20.5)
    twice = small(num_inference_steps=10, num_frames=33)
    assert desk.jobs.estimate(twice) == pytest.approx(10.5 * 33 / 17)
    assert desk.jobs.estimate(request.model_copy(update={"model": "wan2.1-t2v-1.3b"})) is None

    first, second = desk.submit(num_inference_steps=10), desk.submit(num_inference_steps=20)
    assert [desk.jobs.eta(first), desk.jobs.eta(second)] == [10.0, 31.0]
    assert desk.jobs.ahead() == (2, 31.0)
    attempt = desk.begin(ticket="t2")
    desk.claims().report(attempt, Progress("denoising", 5, 10), 5.0, None)
    desk.jobs.to_front(second)
    assert desk.jobs.outlook() == {first: (None, 5.0), second: (0, pytest.approx(25.0, abs=1))}
    desk.jobs.pause()
    assert desk.jobs.eta(second) is None
    assert desk.jobs.position(second) == 0
    assert desk.jobs.ahead() == (2, None)


def test_waiting_times_on_several_lanes() -> None:
    assert waits([], [5, 5, 5], 1) == [(0, 5), (5, 10), (10, 15)]
    assert waits([3], [5, 5], 2) == [(0, 5), (3, 8)]
    assert waits([3], [5, None, 5], 1) == [(3, 8), (8, None), (None, None)]
    assert waits([None], [5, 5], 1) == [(None, None), (None, None)]
    assert waits([], [], 0) == []
    assert waits([1, 8], [5], 1) == [(8, 13)], "the shorter one is only finished, and keeps nobody waiting"


def test_the_same_size_beats_scaling() -> None:
    request = small(num_inference_steps=10)
    volume = volume_of(request)
    other = Past("sketch", volume * 4, 10, seconds=400.0, tail=0.0)
    assert Estimates([other]).seconds(request) == pytest.approx(100.0)
    same = Past("sketch", volume, 10, seconds=20.0, tail=0.0)
    assert Estimates([other, same, other]).seconds(request) == pytest.approx(20.0)


def test_a_long_queue_is_looked_over_with_a_handful_of_queries(desk: Desk) -> None:
    for number in range(30):
        desk.submit(f"clip {number}")
    asked: list[str] = []
    sa.event.listen(desk.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    outlook = desk.jobs.outlook()
    assert [outlook[job.id][0] for job in desk.jobs.list()] == list(range(30))
    assert len(asked) < 12
