"""The queue's rules, on SQLite and on Postgres, without a worker process: the rows are what counts."""

import threading
import time

from pipelines.request import Notice, Progress
from studio.claims import MAX_ATTEMPTS
from tests.queue_kit import Desk, small

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
    desk.claims().stopped(attempt)
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
    old.stopped(stalled)
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
