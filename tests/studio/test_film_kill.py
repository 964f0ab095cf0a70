"""Workers and the web process are killed while a film is made: no finished shot is rendered again."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from studio.db import utc_now
from studio.lock import WorkerLock
from studio.media.probe import probe
from studio.settings import Settings
from studio.story.film_plan import FilmPlan, key_of
from tests.film_kit import film, plan, shot, submit, take, takes
from tests.postgres import Postgres
from tests.queue_kit import REPOSITORY, START, Desk, WorkerProcess, kill, kill_all, long, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@dataclass
class Shop(Desk):
    """A queue whose workers a test starts and kills, and what it saw of finished takes meanwhile.

    `since` is when the last worker was started: what was written before says nothing about it.
    """

    seen: dict[str, tuple[object, int]] = field(default_factory=dict)
    workers: list[WorkerProcess] = field(default_factory=list)
    since: datetime = field(default_factory=utc_now)

    def start(self, worker_id: str = "w1", *arguments: str) -> WorkerProcess:
        self.since = utc_now()
        settings = self.settings.model_copy(update={"worker_id": worker_id})
        self.workers.append(WorkerProcess(settings, *arguments))
        return self.workers[-1]

    def close(self) -> None:
        """End every process, also one that has not taken its lock yet."""
        for worker in self.workers:
            worker.process.kill()
        kill_all(self.settings.studio_home)
        super().close()

    def look(self) -> None:
        """Remember the takes that are finished; one that was must never change."""
        for job in self.jobs.list(states=("done",), limit=100, takes=True):
            if job.parent is not None:
                assert self.seen.setdefault(job.id, (job.finished, job.attempt)) == (
                    job.finished,
                    job.attempt,
                )

    def kill_when(self, moment: Callable[[], object], wait: float = 0.0) -> None:
        """SIGKILL the worker w1 soon after a moment has come."""
        wait_for(moment, START, self.log)
        time.sleep(wait)
        self.look()
        holder = WorkerLock(self.settings.studio_home, "w1").holder()
        assert holder is not None
        kill(holder.pid, self.settings)

    def stage(self, film_id: str) -> tuple[str, float]:
        """What a film's worker is doing, and which share of it is done."""
        progress = self.jobs.progress(film_id)
        if progress is None or progress.updated < self.since:
            return "", 0.0
        return progress.stage, progress.step / (progress.total or 1)

    def step(self, film_id: str) -> int:
        """The step of the take that is being rendered for a film."""
        running = [job.id for job in self.jobs.takes_of(film_id) if job.state == "running"]
        progress = self.jobs.progress(running[0]) if running else None
        return 0 if progress is None or progress.updated < self.since else progress.step

    def done(self, film_id: str) -> int:
        """How many of a film's takes are finished."""
        return sum(job.state == "done" for job in self.jobs.takes_of(film_id))

    def check(self, film_id: str, asked: FilmPlan) -> None:
        """One film, whole, from takes of which each was made once; no other file is left."""
        self.look()
        films = [asset for asset in self.library.list(limit=100) if asset.kind == "film"]
        assert [asset.job_id for asset in films] == [film_id]
        found = probe(self.library.file(films[0]))
        assert (found.frames, found.width, found.height) == (films[0].frames, films[0].width, films[0].height)
        clips = self.library.clips_of(films[0].id)
        assert {clip.request_key for clip in clips} >= {key_of(request) for request in asked.requests()}
        assert [len(jobs) for jobs in takes(self.jobs).values()] == [1] * len(clips)
        assert len(self.library.list(limit=100)) == 1 + len(clips)
        kept = [place for asset in [*films, *clips] for place in (asset.path, asset.thumbnail)]
        assert self.files() == sorted(kept)


@pytest.fixture
def shop(studio_home: Path) -> Iterator[Shop]:
    desk = Shop(Settings(studio_home=studio_home, worker_id="w1", device="cpu"))
    yield desk
    desk.close()


def _five() -> FilmPlan:
    """Two long takes, three short ones, and something to say in each shot."""
    requests = [long("one", num_inference_steps=60), long("two", num_inference_steps=60), *map(take, "345")]
    shots = [
        shot(number, request, narration="There was a river." if number % 2 else "He slept.", seconds=2.0)
        for number, request in enumerate(requests, 1)
    ]
    return film(shots, narrate=True, language="en", subtitles=("en",), end_card="The end")


def _in_media(shop: Shop) -> int:
    return sum(name.startswith("media/") and name.endswith(".mp4") for name in shop.files())


def test_killed_at_any_moment_a_film_is_made_once_and_each_of_its_takes_once(shop: Shop) -> None:
    """Seven kills of the worker and one of the web process that asked for the film and started the worker."""
    dice = random.Random(7)
    asked = _five()
    (shop.settings.studio_home / "plan.json").write_text(asked.model_dump_json(), "utf-8")
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from studio.core import Studio\n"
        "from studio.settings import Settings\n"
        "from studio.story.film_plan import FilmPlan\n"
        "from studio.supervisor import LocalWorker\n"
        "studio = Studio(Settings.from_env())\n"
        "LocalWorker(studio.settings).start()\n"
        "plan = FilmPlan.model_validate_json(Path(sys.argv[1]).read_text('utf-8'))\n"
        "studio.jobs.submit_film('ann', {}, plan)\n"
        "time.sleep(600)\n"
    )
    web = subprocess.Popen(
        [sys.executable, "-c", script, str(shop.settings.studio_home / "plan.json")],
        cwd=REPOSITORY,
        env=shop.settings.worker_environment(),
    )
    try:
        wait_for(lambda: shop.jobs.list(), START, shop.log)
    finally:
        web.kill()
        web.wait()
    (job,) = shop.jobs.list()
    film_id = job.id

    def begun() -> bool:
        started = shop.job(film_id).started
        return started is not None and started > shop.since

    moments: list[tuple[str, Callable[[], object]]] = [
        ("the first take", lambda: shop.step(film_id) > 5),
        ("the voice", lambda: shop.stage(film_id)[0] == "voice"),
        ("between takes", lambda: shop.done(film_id) >= 1 and begun()),
        ("a later take", lambda: shop.done(film_id) >= 1 and shop.step(film_id) > 0),
        ("cutting", lambda: shop.stage(film_id)[0] == "cutting"),
        ("cutting, later", lambda: shop.stage(film_id)[0] == "cutting" and shop.stage(film_id)[1] > 0.3),
    ]
    for name, moment in moments:
        print(name, flush=True)
        shop.kill_when(moment, dice.uniform(0, 0.3))
        assert shop.job(film_id).state == "running", name
        shop.start()

    # The last moment: the film lies in its place, and nobody has been told of it.
    wait_for(lambda: shop.stage(film_id)[1] >= 0.9 and shop.stage(film_id)[0] == "cutting", START, shop.log)
    with sqlite3.connect(shop.settings.studio_home / "studio.db", isolation_level=None) as blocker:
        blocker.execute("begin immediate")
        shop.kill_when(lambda: _in_media(shop) == 6)
        blocker.execute("rollback")
    assert _in_media(shop) == 6, "moved, not published"
    worker = shop.start()
    assert shop.wait(film_id).error is None
    worker.wait_until_ready(shop)
    shop.check(film_id, asked)
    assert worker.end() == 0


def test_a_worker_that_is_to_end_gives_its_film_back_and_the_next_one_goes_on(shop: Shop) -> None:
    worker = shop.start()
    asked = film([shot(1, take("quick")), shot(2, long("slow", num_inference_steps=60))])
    film_id = submit(shop.jobs, asked)

    def states() -> list[str]:
        return [job.state for job in shop.jobs.takes_of(film_id)]

    wait_for(lambda: states() == ["done", "running"], START, shop.log)
    shop.look()
    assert worker.end(signal.SIGTERM) == 0
    assert (shop.job(film_id).state, shop.job(film_id).attempt) == ("queued", 0)
    assert states() == ["done", "queued"]
    # One that is drained finishes its clip, but not a film that would have to wait for more.
    worker = shop.start()
    wait_for(lambda: states() == ["done", "running"], START, shop.log)
    assert worker.end(signal.SIGUSR1) == 0
    assert states() == ["done", "done"]
    assert (shop.job(film_id).state, shop.job(film_id).attempt) == ("queued", 0)
    shop.look()
    worker = shop.start()
    assert shop.wait(film_id).attempt == 1
    shop.check(film_id, asked)
    assert worker.end() == 0


def test_a_clip_that_kills_its_workers_fails_its_film_with_the_shot(shop: Shop) -> None:
    asked = film([shot(1, take("fine")), shot(2, long("poison"))])
    film_id = submit(shop.jobs, asked)

    def poison() -> int:
        running = [job for job in shop.jobs.takes_of(film_id) if job.asked == "poison"]
        return running[0].attempt if running and running[0].state == "running" else 0

    for number in (1, 2, 3):
        shop.start()
        shop.kill_when(lambda n=number: poison() == n)
    worker = shop.start()
    job = shop.wait(film_id, "failed")
    assert job.error is not None
    assert (job.error.code, job.error.values["number"]) == ("shot_failed", 2)
    assert job.error.values["reason"].code == "worker_died"
    clip = shop.submit("the next person's")
    shop.wait(clip)
    assert worker.end() == 0


@pytest.fixture
def shared(studio_home: Path, postgres_server: Postgres, postgres_template: str) -> Iterator[Shop]:
    url = postgres_server.url(postgres_server.create(postgres_template))
    desk = Shop(Settings(studio_home=studio_home, database_url=url, worker_id="w1", device="cpu"))
    yield desk
    desk.close()


def test_on_postgres_another_worker_takes_a_film_over_and_renders_nothing_again(shared: Shop) -> None:
    workers = {name: shared.start(name, "--stale-after", "3") for name in ("w1", "w2")}
    for worker in workers.values():
        worker.wait_until_ready(shared)
    asked = plan("a", "b", "c", "d")
    film_id = submit(shared.jobs, asked)
    wait_for(lambda: shared.stage(film_id)[0] == "cutting", START, shared.log)
    shared.look()
    name = shared.job(film_id).worker or ""
    workers.pop(name).end(signal.SIGKILL)
    assert shared.wait(film_id).worker == next(iter(workers))
    again = shared.start(name)
    again.wait_until_ready(shared)
    shared.check(film_id, asked)
