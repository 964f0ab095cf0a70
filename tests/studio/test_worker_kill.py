"""Processes die, stall and are replaced at any moment, for real: every job ends exactly once."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.request import Notice
from studio.lock import WorkerLock
from studio.rows import Job
from studio.settings import Settings
from studio.supervisor import MAX_LOG_BYTES, LocalWorker
from tests import warm_start
from tests.queue_kit import REPOSITORY, START, Desk, WorkerProcess, kill, kill_all, long, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass
class Shop(Desk):
    """A queue, and the processes that a test starts for it: all of them end with the test."""

    supervisors: list[LocalWorker] = field(default_factory=list)

    def start(self, worker_id: str = "w1", *arguments: str, sources: Path = REPOSITORY) -> WorkerProcess:
        settings = self.settings.model_copy(update={"worker_id": worker_id})
        return WorkerProcess(settings, *arguments, sources=sources)

    def supervise(self) -> LocalWorker:
        supervisor = LocalWorker(self.settings)
        self.supervisors.append(supervisor)
        supervisor.start()
        return supervisor


@pytest.fixture
def shop(studio_home: Path) -> Iterator[Shop]:
    """A queue whose worker is not started yet."""
    desk = Shop(Settings(studio_home=studio_home, worker_id="w1", device="cpu"))
    yield desk
    for supervisor in desk.supervisors:
        supervisor.leave()
    # Twice: a worker may have been about to take its lock.
    for _ in range(2):
        kill_all(studio_home)
        time.sleep(0.2)
    desk.close()


@pytest.fixture
def older_studio(tmp_path: Path) -> Path:
    """The sources of another version: the same steps, other code."""
    sources = tmp_path / "older"
    for folder in ("studio", "pipelines"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / folder, sources / folder, ignore=ignored)
    (sources / "assets").symlink_to(REPOSITORY / "assets")
    with (sources / "studio" / "workflows.py").open("a") as file:
        file.write("\n# As it was a version ago.\n")
    return sources


def _stop(worker: WorkerProcess, desk: Desk) -> None:
    """SIGSTOP, but not in the middle of a transaction: SQLite knows no way round a stopped writer."""

    def nobody_writes() -> bool:
        worker.send(signal.SIGSTOP)
        try:
            for name in ("studio.db", "dbos.sqlite"):
                file = sqlite3.connect(desk.settings.studio_home / name, timeout=0.5, isolation_level=None)
                with contextlib.closing(file):
                    file.execute("begin immediate")
                    file.execute("rollback")
        except sqlite3.OperationalError:
            worker.send(signal.SIGCONT)
            return False
        return True

    wait_for(nobody_writes, START, desk.log)


def _step(desk: Desk, job_id: str) -> int:
    progress = desk.jobs.progress(job_id)
    return 0 if progress is None else progress.step


def _stage(desk: Desk, job_id: str) -> str:
    progress = desk.jobs.progress(job_id)
    return "" if progress is None else progress.stage


def _pid(desk: Desk) -> int:
    """The process that holds the lock of w1."""
    lock = WorkerLock(desk.settings.studio_home, "w1")
    wait_for(lambda: (holder := lock.holder()) is not None and holder.pid, 60, desk.log)
    holder = lock.holder()
    assert holder is not None
    return holder.pid


def test_a_job_that_kills_its_worker_each_time_fails_and_the_queue_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed as it starts, while it denoises, while it encodes; the supervisor starts a new worker."""
    poison = shop.jobs.submit("ann", {}, long())
    others = [shop.submit("second"), shop.submit("third")]
    log = shop.settings.logs / "worker.log"
    log.write_bytes(b"x" * (MAX_LOG_BYTES + 1))
    # Five workers: how one is started from nothing is told by the one that is adopted and replaced.
    warm = SimpleNamespace(**{**vars(subprocess), "Popen": warm_start.popen})
    monkeypatch.setattr("studio.supervisor.subprocess", warm)
    supervisor = shop.supervise()
    assert log.with_name("worker.1.log").stat().st_size > MAX_LOG_BYTES, "an old log makes room"
    moments = (
        lambda: shop.job(poison).state == "running",
        lambda: _step(shop, poison) > 20,
        lambda: _stage(shop, poison) == "decoding",
    )
    for number, moment in enumerate(moments, start=1):
        wait_for(lambda n=number: shop.job(poison).attempt == n, START, shop.log)
        wait_for(moment, START, shop.log)
        kill(_pid(shop), shop.settings)
    failed = shop.wait(poison, "failed")
    assert (failed.error, failed.attempt) == (Notice("worker_died", {"attempts": 3}), 3)
    for job_id in others:
        # The second may have begun while the poison was finished.
        assert shop.wait(job_id).attempt <= 2
    shop.check_films(others)

    shop.jobs.retry(poison)
    assert shop.wait(poison).attempt == 1, "a person's retry counts anew"
    shop.check_films([*others, poison])
    supervisor.stop()
    assert not supervisor.alive()


def test_killed_three_times_every_job_is_done_exactly_once(shop: Shop, older_studio: Path) -> None:
    """The first worker is of an older version: an upgrade loses no job, nor one in the middle."""
    dice = random.Random(20)
    ids = [shop.jobs.submit("ann", {}, long(f"clip {n}", num_inference_steps=50)) for n in range(3)]
    worker = shop.start(sources=older_studio)
    for done in range(3):
        wait_for(
            lambda done=done: (
                len(shop.jobs.list(states=("done",))) >= done and shop.jobs.list(states=("running",))
            ),
            START,
            shop.log,
        )
        time.sleep(dice.uniform(0, 1.2))
        kill(worker.process.pid, shop.settings)
        worker.end()
        worker = shop.start()
    for job_id in ids:
        assert shop.wait(job_id).attempt in (1, 2)
    assert any(shop.job(job_id).attempt == 2 for job_id in ids), "none was hit"
    shop.check_films(ids)
    worker.wait_until_ready(shop)
    assert worker.end() == 0


def test_killed_while_one_clip_is_finished_and_the_next_rendered_both_are_made_once(shop: Shop) -> None:
    ids = [shop.jobs.submit("ann", {}, long(f"clip {n}", num_inference_steps=20)) for n in range(6)]
    worker = shop.start()
    caught: list[Job] = []
    while len(caught) < 2:
        wait_for(lambda: len(_rendered(shop)) == 2, START, shop.log)
        kill(worker.process.pid, shop.settings)
        worker.end()
        # Whoever was finished in that very moment is done.
        caught = shop.jobs.list(states=("running",))
        worker = shop.start()
    jobs = [shop.wait(job_id) for job_id in ids]
    assert all(shop.job(job.id).attempt == job.attempt + 1 for job in caught)
    assert sum(job.attempt for job in jobs) >= len(ids) + 2
    shop.check_films(ids)
    assert worker.end() == 0


def _rendered(desk: Desk) -> list[str]:
    """The jobs whose rendering goes on, or is over and they are finished now."""
    running = [job.id for job in desk.jobs.list(states=("running",))]
    return [job_id for job_id in running if _step(desk, job_id) > 0]


def test_a_stalled_worker_is_replaced_and_publishes_nothing_when_it_wakes(shop: Shop) -> None:
    stalled, taker = shop.start("w1"), shop.start("w2", "--stale-after", "2")
    stalled.wait_until_ready(shop)
    taker.wait_until_ready(shop)
    job_id = shop.jobs.submit("ann", {}, long())
    wait_for(lambda: _step(shop, job_id) > 5, START, shop.log)
    first, second = (stalled, taker) if shop.job(job_id).worker == "w1" else (taker, stalled)
    # Whichever took the job is stopped; w1 waits ten seconds before it takes over, w2 two.
    _stop(first, shop)
    wait_for(lambda: shop.job(job_id).worker == second.settings.worker_id, START, shop.log)
    first.send(signal.SIGCONT)
    job = shop.wait(job_id)
    assert (job.worker, job.attempt) == (second.settings.worker_id, 2)
    # Both are well: the one that woke up takes jobs again.
    ids = [shop.submit(f"later {number}") for number in range(4)]
    for later in ids:
        shop.wait(later)
    shop.check_films([job_id, *ids])
    assert (first.end(), second.end()) == (0, 0)


def test_the_worker_outlives_the_studio_and_is_adopted_then_replaced(shop: Shop, older_studio: Path) -> None:
    script = (
        "import sys, time\n"
        "from studio.settings import Settings\n"
        "from studio.supervisor import MAX_LOG_BYTES, LocalWorker\n"
        "LocalWorker(Settings.from_env()).start()\n"
        "time.sleep(600)\n"
    )
    studio = subprocess.Popen(
        [sys.executable, "-c", script], cwd=older_studio, env=shop.settings.worker_environment()
    )
    job_id = shop.jobs.submit("ann", {}, long())
    later = shop.submit("later")
    wait_for(lambda: _step(shop, job_id) > 1, START, shop.log)
    pid = _pid(shop)
    (old,) = shop.jobs.workers()
    assert old.pid == pid
    studio.kill()
    studio.wait()

    supervisor = shop.supervise()
    assert supervisor.alive()
    assert supervisor.pid == pid, "adopted, not doubled"
    # It runs other code: it is to finish what it has, and end.
    assert shop.wait(job_id).attempt == 1
    wait_for(lambda: supervisor.pid not in (None, pid), START, shop.log)
    assert shop.wait(later).attempt == 1
    (worker,) = shop.jobs.workers()
    assert worker.pid == supervisor.pid
    assert worker.version != old.version

    last = shop.jobs.submit("ann", {}, long())
    behind = shop.submit("behind")
    wait_for(lambda: _step(shop, last) > 1, START, shop.log)
    asked = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - asked < 5
    assert [(job.id, job.state, job.attempt) for job in shop.jobs.list(states=("queued", "running"))] == [
        (last, "queued", 0),
        (behind, "queued", 0),
    ]
    shop.check_films([job_id, later])


def test_a_worker_whose_studio_never_comes_back_finishes_its_jobs_and_ends(shop: Shop) -> None:
    long_ago = time.time() - 3600
    wanted = shop.settings.studio_home / "workers" / "wanted"
    wanted.parent.mkdir()
    wanted.touch()
    os.utime(wanted, (long_ago, long_ago))
    ids = [shop.submit("first"), shop.submit("second")]
    worker = shop.start("w1", "--supervised")
    assert worker.process.wait(START) == 0
    shop.check_films(ids)
    assert shop.jobs.workers() == []
