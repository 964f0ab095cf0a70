"""The queue's rules, on SQLite and on Postgres, without a worker process: the rows are what counts."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.request import Notice, Progress
from studio import fleet
from studio.claims import MAX_ATTEMPTS, Claims
from studio.db import utc_now, writing
from studio.estimates import Estimates, Past, volume_of, waits
from studio.fleet import worker_table
from studio.rows import job_table
from studio.takeover import Takeover
from tests.queue_kit import Desk, small


def _age(desk: Desk, worker: str, seconds: float) -> None:
    """Make a worker's last heartbeat older."""
    with writing(desk.engine) as connection:
        row = connection.execute(sa.select(worker_table).where(worker_table.c.id == worker)).one()
        older = row.heartbeat - timedelta(seconds=seconds)
        connection.execute(sa.update(worker_table).where(worker_table.c.id == worker).values(heartbeat=older))


# -- order ---------------------------------------------------------------------------------------------------


def test_jobs_are_claimed_in_order_and_only_once(desk: Desk) -> None:
    ids = [desk.submit(f"clip {n}") for n in range(3)]
    claims = desk.claims()
    assert [claims.claim(f"t{n}") for n in range(4)] == [*ids, None]
    assert claims.claim("t1") == ids[1], "the same ticket gets the same job again"
    assert {job.state for job in desk.jobs.list()} == {"running"}


def test_a_job_comes_back_as_it_was_submitted(desk: Desk) -> None:
    request = small("夜晚的海上,一只小船", seed=2**31 - 1)
    form = {"prompt": "夜晚的海上,一只小船", "style": "ink", "seed": ""}
    job = desk.job(desk.jobs.submit("ann", form, request))
    assert (job.owner, job.form, job.request, job.state) == (
        "ann",
        form,
        request,
        "queued",
    )
    assert len(job.id) >= 16
    assert job.created.tzinfo is not None
    assert (job.attempt, job.started, job.error, job.worker) == (0, None, None, None)
    assert desk.jobs.get("nothing") is None


def test_to_front_makes_a_job_the_next_one(desk: Desk) -> None:
    first, second, third = (desk.submit(f"clip {n}") for n in range(3))
    assert [desk.jobs.position(job) for job in (first, second, third)] == [0, 1, 2]
    assert desk.jobs.to_front(third)
    assert desk.jobs.to_front(second)
    assert [job.id for job in desk.jobs.list()] == [second, third, first]
    assert desk.jobs.position(second) == 0
    assert desk.claims().claim("t") == second
    assert not desk.jobs.to_front(second), "it runs already"
    assert not desk.jobs.to_front("nothing")
    assert [job.id for job in desk.jobs.list()] == [second, third, first]


def test_two_workers_never_claim_the_same_job(desk: Desk) -> None:
    ids = {desk.submit(f"clip {n}") for n in range(40)}
    taken: list[str] = []

    def work(worker: int) -> None:
        claims = desk.claims(f"w{worker}")
        while (job := claims.claim(f"{worker}-{len(taken)}-{time.perf_counter_ns()}")) is not None:
            taken.append(job)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 40
    assert set(taken) == ids


def test_lists_show_running_then_waiting_then_the_newest_ended(desk: Desk) -> None:
    ids = [desk.submit(f"clip {n}") for n in range(5)]
    for number in range(2):
        assert desk.publish(desk.begin(ticket=f"t{number}"))
    desk.begin(ticket="t3")
    assert [job.id for job in desk.jobs.list()] == [ids[2], ids[3], ids[4], ids[1], ids[0]]
    assert [job.id for job in desk.jobs.list(states=("queued",))] == ids[3:]
    assert len(desk.jobs.list(limit=2)) == 2
    assert desk.jobs.list(owner="bob") == []
    other = desk.jobs.submit("bob", {}, small())
    assert [job.id for job in desk.jobs.list(owner="bob")] == [other]


# -- pause ---------------------------------------------------------------------------------------------------


def test_a_paused_queue_gives_nothing_and_loses_nothing(desk: Desk) -> None:
    job = desk.submit()
    desk.jobs.pause()
    desk.jobs.pause()
    assert desk.jobs.paused()
    later = desk.submit("later")
    assert desk.claims().claim("t1") is None
    before = len(desk.jobs.tickets.waiting())
    desk.jobs.resume()
    assert not desk.jobs.paused()
    assert len(desk.jobs.tickets.waiting()) == before + 2, "one new ticket for each job that waits"
    assert [desk.claims().claim("t2"), desk.claims().claim("t3")] == [job, later]


# -- cancel, retry, delete -----------------------------------------------------------------------------------


def test_a_waiting_job_is_cancelled_at_once(desk: Desk) -> None:
    job = desk.submit()
    assert desk.jobs.cancel(job)
    assert desk.job(job).state == "cancelled"
    assert desk.job(job).finished is not None
    assert desk.claims().claim("t1") is None
    assert not desk.jobs.cancel(job), "it has ended already"
    assert not desk.jobs.cancel("nothing")


def test_a_running_job_hears_of_its_cancellation(desk: Desk) -> None:
    job = desk.submit()
    desk.beat()
    attempt = desk.begin()
    assert desk.claims().wish(attempt) == "go"
    assert desk.jobs.cancel(job)
    assert desk.job(job).state == "running"
    assert desk.claims().wish(attempt) == "cancel"
    desk.claims().cancelled(attempt)
    assert desk.job(job).state == "cancelled"


def test_a_cancellation_at_the_last_moment_is_kept(desk: Desk) -> None:
    job = desk.submit()
    desk.beat()
    attempt = desk.begin()
    desk.jobs.cancel(job)
    assert not desk.publish(attempt)
    assert desk.job(job).state == "cancelled"
    assert desk.files() == []
    failing = desk.submit()
    attempt = desk.begin(ticket="t2")
    desk.jobs.cancel(failing)
    desk.claims().fail(attempt, Notice("internal"))
    assert desk.job(failing).state == "cancelled"


def test_a_job_whose_worker_is_gone_is_cancelled_at_once(desk: Desk) -> None:
    job = desk.submit()
    attempt = desk.begin(worker="gone")
    assert desk.jobs.cancel(job)
    assert desk.job(job).state == "cancelled"
    assert not desk.publish(attempt, worker="gone"), "should it come back, it publishes nothing"


def test_retry_starts_afresh_under_the_same_id(desk: Desk) -> None:
    job = desk.submit()
    other = desk.submit("other")
    attempt = desk.begin()
    desk.claims().fail(attempt, Notice("out_of_memory", {"size": "832×480"}))
    failed = desk.job(job)
    assert (failed.state, failed.error) == ("failed", Notice("out_of_memory", {"size": "832×480"}))
    assert desk.jobs.retry(job) == job
    again = desk.job(job)
    assert (again.state, again.attempt, again.error, again.started) == ("queued", 0, None, None)
    assert [entry.id for entry in desk.jobs.list()] == [other, job], "it waits behind the others"
    assert not desk.publish(attempt), "the old attempt is over"
    desk.jobs.retry(job)
    assert len(desk.jobs.list()) == 2


def test_deleting_a_job_spares_a_running_one(desk: Desk) -> None:
    running, waiting = desk.submit(), desk.submit("waiting")
    attempt = desk.begin()
    assert not desk.jobs.delete(running)
    assert desk.jobs.delete(waiting)
    assert desk.publish(attempt)
    assert desk.jobs.delete(running)
    assert desk.jobs.list() == []
    assert len(desk.library.list()) == 1, "the clip is the library's"


# -- attempts ------------------------------------------------------------------------------------------------


def test_publishing_ends_the_job_and_keeps_the_clip(desk: Desk) -> None:
    job = desk.submit()
    attempt = desk.begin()
    desk.claims().report(attempt, Progress("denoising", 3, 4), 1.0, (1, b"picture"))
    assert desk.publish(attempt, seconds=3.5)
    done = desk.job(job)
    assert (done.state, done.seconds, done.attempt) == ("done", 3.5, 1)
    asset = desk.library.get(done.asset_id or "")
    assert asset is not None
    assert asset.job_id == job
    assert desk.files() == sorted([asset.path, asset.thumbnail])
    assert desk.jobs.progress(job) is None
    assert desk.jobs.preview(job) is None
    assert not desk.publish(attempt), "once"
    assert len(desk.library.list()) == 1
    assert desk.files() == sorted([asset.path, asset.thumbnail])


def test_a_stalled_worker_that_wakes_up_changes_nothing(desk: Desk) -> None:
    job = desk.submit()
    stalled = desk.begin(worker="stalled")
    # Another worker goes on with the same ticket.
    taker = desk.claims("taker")
    attempt = taker.begin(job, "t1")
    assert attempt is not None
    assert (attempt.number, desk.job(job).worker) == (2, "taker")
    old = desk.claims("stalled")
    assert old.wish(stalled) == "lost"
    assert old.report(stalled, Progress("denoising", 9, 9), None, (9, b"old")) == "lost"
    old.fail(stalled, Notice("internal"))
    old.cancelled(stalled)
    assert old.give_back() == 0
    assert not desk.publish(stalled, worker="stalled")
    assert desk.files() == []
    assert desk.job(job).state == "running"
    assert desk.jobs.progress(job) is None
    assert desk.publish(attempt, worker="taker")
    assert not desk.publish(stalled, worker="stalled")
    assert len(desk.library.list()) == 1


def test_a_job_that_outlives_its_workers_fails_with_the_reason(desk: Desk) -> None:
    job = desk.submit()
    attempt = desk.begin()
    for number in range(2, MAX_ATTEMPTS + 1):
        again = desk.claims().begin(job, "t1")
        assert again is not None
        assert again.number == number
    assert desk.claims().begin(job, "t1") is None
    failed = desk.job(job)
    assert (failed.state, failed.error) == ("failed", Notice("worker_died", {"attempts": MAX_ATTEMPTS}))
    assert not desk.publish(attempt)
    desk.jobs.retry(job)
    assert desk.begin(ticket="t2").number == 1


def test_giving_back_does_not_count_and_keeps_the_place(desk: Desk) -> None:
    first, second = desk.submit(), desk.submit("second")
    attempt = desk.begin()
    assert desk.claims("another").give_back() == 0
    assert desk.claims().give_back() == 1
    assert [job.id for job in desk.jobs.list()] == [first, second]
    assert (desk.job(first).state, desk.job(first).attempt) == ("queued", 0)
    assert not desk.publish(attempt)
    again = desk.begin(ticket="t2")
    assert (again.job.id, again.number) == (first, 1)
    assert not desk.publish(attempt), "the number is the same, the fence is not"
    assert desk.publish(again)


def test_a_ticket_that_lost_its_job_begins_nothing(desk: Desk) -> None:
    job = desk.submit()
    desk.begin()
    desk.claims().give_back()
    assert desk.claims().begin(job, "t1") is None
    assert desk.claims().begin("nothing", "t1") is None


# -- progress ------------------------------------------------------------------------------------------------


def test_progress_is_one_row_that_is_overwritten(desk: Desk) -> None:
    job = desk.submit()
    attempt = desk.begin()
    claims = desk.claims()
    claims.report(attempt, Progress("encoding", 0, 4), None, None)
    progress = desk.jobs.progress(job)
    assert progress is not None
    assert (progress.stage, progress.preview_version, progress.eta) == ("encoding", 0, None)
    claims.report(attempt, Progress("denoising", 1, 4), 6.0, (1, b"first"))
    claims.report(attempt, Progress("denoising", 2, 4), 4.0, None)
    progress = desk.jobs.progress(job)
    assert progress is not None
    assert (progress.step, progress.total, progress.preview_version, progress.attempt) == (2, 4, 1, 1)
    assert desk.jobs.preview(job) == b"first"
    claims.report(attempt, Progress("denoising", 3, 4), 2.0, (2, b"second"))
    assert desk.jobs.preview(job) == b"second"
    desk.claims().begin(job, "t1")
    assert desk.jobs.progress(job) is None, "a new attempt starts from nothing"
    assert desk.jobs.preview(job) is None


# -- looking ahead -------------------------------------------------------------------------------------------


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


# -- tickets and takeover ------------------------------------------------------------------------------------


def test_every_job_gets_a_ticket(desk: Desk) -> None:
    desk.submit()
    desk.submit()
    assert len(desk.jobs.tickets.waiting()) == 2
    ticket = desk.jobs.tickets.status(next(iter(desk.jobs.tickets.waiting())))
    assert ticket is not None
    assert (ticket.status, ticket.queue_name) == ("ENQUEUED", "gpu")
    assert desk.jobs.tickets.status("nothing") is None
    assert desk.jobs.tickets.prune() == 0


def test_a_job_without_a_ticket_gets_one(desk: Desk) -> None:
    with writing(desk.engine) as connection:
        connection.execute(
            sa.insert(job_table).values(
                id="lonely",
                owner="ann",
                form={},
                request=small().model_dump(mode="json"),
                model="sketch",
                state="queued",
                place=1.0,
                created=utc_now(),
            )
        )
    takeover = Takeover(desk.engine, desk.jobs.tickets, "w1", stale_seconds=10)
    desk.jobs.pause()
    takeover.look(None)
    assert desk.jobs.tickets.waiting() == set(), "not while the queue is paused"
    desk.jobs.resume()
    takeover.look(None)
    takeover.look(None)
    assert len(desk.jobs.tickets.waiting()) == 1


def test_a_running_job_whose_ticket_is_lost_goes_back_to_the_queue(desk: Desk) -> None:
    job = desk.submit()
    attempt = desk.begin(worker="gone", ticket="a ticket that the queue knows nothing of")
    takeover = Takeover(desk.engine, desk.jobs.tickets, "w1", stale_seconds=10)
    desk.beat("gone")
    takeover.look(None)
    assert desk.job(job).state == "running", "its worker is alive"
    _age(desk, "gone", 60)
    takeover.look(None)
    assert desk.job(job).state == "queued"
    assert not desk.publish(attempt, worker="gone")
    assert len(desk.jobs.tickets.waiting()) == 2


def test_workers_are_seen_with_the_age_of_their_heartbeat(desk: Desk) -> None:
    assert desk.jobs.workers() == []
    desk.beat("w1")
    desk.beat("w1")
    desk.beat("w2")
    _age(desk, "w2", 60)
    first, second = desk.jobs.workers()
    assert (first.id, first.device, first.job_id) == ("w1", "cpu", None)
    assert first.heartbeat_age < 5
    assert 60 <= second.heartbeat_age < 65
    with desk.engine.connect() as connection:
        assert fleet.alive(connection) == {"w1"}
    desk.jobs.fleet.leave("w2")
    assert [worker.id for worker in desk.jobs.workers()] == ["w1"]
    desk.beat("w3")
    _age(desk, "w3", 25 * 3600)
    desk.jobs.fleet.forget_the_dead()
    assert [worker.id for worker in desk.jobs.workers()] == ["w1"]


def test_submitting_works_while_tickets_do_not(desk: Desk, tmp_path: Path) -> None:
    desk.jobs.tickets.close()
    tickets = desk.jobs.tickets
    broken = tickets.__class__(f"sqlite:///{tmp_path}/x.db", tmp_path)
    (tmp_path / "dbos.sqlite").write_bytes(b"this is no database" * 100)
    (tmp_path / "dbos.sqlite-wal").unlink(missing_ok=True)
    desk.jobs.tickets = broken
    job = desk.submit()
    assert desk.job(job).state == "queued"
    assert Claims(desk.engine, "w1").claim("t1") == job
    desk.jobs.tickets = tickets
