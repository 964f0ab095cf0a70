"""Several workers on one Postgres: the same code as on SQLite, shared by hosts."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from studio.settings import Settings
from tests.postgres import Postgres
from tests.queue_kit import START, Desk, WorkerProcess, kill_all, long, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def shop(studio_home: Path, postgres_server: Postgres, postgres_template: str) -> Iterator[Desk]:
    url = postgres_server.url(postgres_server.create(postgres_template))
    desk = Desk(Settings(studio_home=studio_home, database_url=url, worker_id="w1", device="cpu"))
    yield desk
    kill_all(studio_home)
    desk.close()


def test_two_workers_share_a_queue_and_one_that_dies_in_the_last_moment_loses_nothing(shop: Desk) -> None:
    workers = {}
    for name in ("w1", "w2"):
        settings = shop.settings.model_copy(update={"worker_id": name})
        workers[name] = WorkerProcess(settings, "--stale-after", "3")
    for worker in workers.values():
        worker.wait_until_ready(shop)
    ids = [shop.jobs.submit("ann", {}, long(f"clip {number}", num_inference_steps=30)) for number in range(4)]
    for job_id in ids:
        assert shop.wait(job_id).attempt == 1
    assert {shop.job(job_id).worker for job_id in ids} == {"w1", "w2"}
    shop.check_films(ids)

    # Hold the library's table: the worker moves the files to their place and can't publish them. Kill it.
    with psycopg.connect(shop.settings.database_url) as blocker:
        blocker.execute("lock table asset in access exclusive mode")
        last = shop.submit("the last moment")
        wait_for(lambda: len(_films(shop)) == 5, START, shop.log)
        assert shop.job(last).state == "running"
        name = shop.job(last).worker or ""
        workers[name].end(signal.SIGKILL)
        assert len(_films(shop)) == 5, "moved, not published"
        blocker.rollback()
    done = shop.wait(last)
    assert (done.worker, done.attempt) == ("w2" if name == "w1" else "w1", 2), "the other one took it over"
    assert len(_films(shop)) == 6
    # Its next start removes what it moved and never published.
    again = WorkerProcess(workers[name].settings)
    again.wait_until_ready(shop)
    shop.check_films([*ids, last])


def test_a_queue_without_a_worker_keeps_its_jobs_and_answers_at_once(shop: Desk) -> None:
    started = time.monotonic()
    threads = [threading.Thread(target=shop.submit, args=(f"clip {n}",)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 20
    assert {job.state for job in shop.jobs.list()} == {"queued"}
    assert len(shop.jobs.list()) == len(shop.jobs.tickets.waiting()) == 20


def _films(desk: Desk) -> list[str]:
    return [name for name in desk.files() if name.startswith("media/") and name.endswith(".mp4")]
