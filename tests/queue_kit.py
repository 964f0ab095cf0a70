"""For tests of the queue: a studio's rows on SQLite or Postgres, and real worker processes on a tiny Wan."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipelines.request import GenerationRequest
from studio import db
from studio.claims import Attempt, Claims
from studio.jobs import Job, Jobs
from studio.library import Asset, Library, new_id, places
from studio.lock import WorkerLock
from studio.media.probe import probe
from studio.settings import Settings
from tests.postgres import Postgres
from tests.seal_kit import finished
from tests.warm_start import WarmProcess

REPOSITORY = Path(__file__).resolve().parent.parent
# A worker imports torch and diffusers when it starts; on a busy machine that takes a while.
START = 120.0


@dataclass
class Desk:
    """What the web process has: settings, the queue, the library."""

    settings: Settings
    jobs: Jobs = field(init=False)
    library: Library = field(init=False)

    def __post_init__(self) -> None:
        self.settings.make_folders()
        self.engine = db.engine(self.settings.database_url)
        db.migrate(self.engine)
        self.jobs = Jobs(self.engine, self.settings)
        self.library = Library(self.engine, self.settings.studio_home)

    def close(self) -> None:
        self.jobs.tickets.close()
        self.engine.dispose()

    def submit(self, prompt: str = "a boat", **changes: Any) -> str:
        return self.jobs.submit("ann", {"prompt": prompt}, small(prompt, **changes))

    def claims(self, worker: str = "w1") -> Claims:
        return Claims(self.engine, worker)

    def job(self, job_id: str) -> Job:
        job = self.jobs.get(job_id)
        assert job is not None
        return job

    def begin(self, worker: str = "w1", ticket: str = "t1") -> Attempt:
        """Claim the first job and begin to render it, as a worker does."""
        claims = self.claims(worker)
        job_id = claims.claim(ticket)
        assert job_id is not None
        attempt = claims.begin(job_id, ticket)
        assert attempt is not None
        return attempt

    def beat(self, worker: str = "w1") -> None:
        self.jobs.fleet.beat(worker, device="cpu", pid=1, version="1", job_id=None)

    def publish(self, attempt: Attempt, worker: str = "w1", seconds: float = 2.0) -> bool:
        """Publish a clip of two small files."""
        asset_id = new_id()
        place, still = places(asset_id, ".webp")
        files = [
            (self.settings.tmp / f"{asset_id}.mp4", place),
            (self.settings.tmp / f"{asset_id}.webp", still),
        ]
        for path, _ in files:
            path.write_bytes(b"content")
        asset = asset_of(attempt.job, asset_id, place, still, render_seconds=seconds)
        return self.claims(worker).publish(
            attempt, asset, files, self.library, finished(asset_id), tail_seconds=0.5
        )

    def files(self) -> list[str]:
        """Every file in `media` and `tmp`."""
        home = self.settings.studio_home
        found = (path for part in ("media", "tmp") for path in (home / part).rglob("*") if path.is_file())
        return sorted(path.relative_to(home).as_posix() for path in found)

    def wait(self, job_id: str, state: str = "done", seconds: float = START) -> Job:
        """Wait until a job has a state."""
        found = self.job(job_id)

        def arrived() -> bool:
            nonlocal found
            found = self.job(job_id)
            return found.state == state

        wait_for(arrived, seconds, lambda: f"{found}\n{self.log()}")
        return found

    def log(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in self.settings.logs.glob("*.log"))

    def check_films(self, job_ids: list[str]) -> None:
        """Every job has exactly one film, whole and playable, and no other file is left."""
        assets = self.library.list(limit=1000)
        assert sorted(asset.job_id for asset in assets) == sorted(job_ids)
        kept = sorted(p for asset in assets for p in (asset.path, asset.thumbnail))
        # The marker of what was being published goes a moment after the row says "done".
        wait_for(lambda: sorted(self.files()) == kept, 5, lambda: f"{sorted(self.files())} instead of {kept}")
        for asset in assets:
            found = probe(self.library.file(asset))
            assert (found.frames, found.width, found.height) == (asset.frames, asset.width, asset.height)
            assert self.job(asset.job_id).asset_id == asset.id


def asset_of(job: Job, asset_id: str, place: str, still: str, *, render_seconds: float = 2.0) -> Asset:
    return Asset(
        id=asset_id,
        job_id=job.id,
        owner=job.owner,
        path=place,
        thumbnail=still,
        request=job.request,
        form=job.form,
        model=job.model,
        model_revision="abc",
        width=job.request.width,
        height=job.request.height,
        seconds=1.0,
        fps=job.request.fps,
        frames=job.request.num_frames,
        bytes=7,
        sha256="0" * 64,
        render_seconds=render_seconds,
        created=db.utc_now(),
    )


def small(prompt: str = "a boat", **changes: Any) -> GenerationRequest:
    """The fastest request that a form may ask for, unless changed."""
    form = {"num_inference_steps": 4, "width": 256, "height": 256, "num_frames": 17, "seed": 7, **changes}
    return GenerationRequest(prompt=prompt, **form)


def long(prompt: str = "a long one", **changes: Any) -> GenerationRequest:
    """A request that denoises for seconds on the tiny model."""
    return small(prompt, **{"num_inference_steps": 100, "num_frames": 41, **changes})


def wait_for(condition: Callable[[], Any], seconds: float, explain: Callable[[], str] = lambda: "") -> None:
    """Wait until a condition holds; fail with an explanation if it does not in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            pytest.fail(f"it did not happen in {seconds} s\n{explain()}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Wan on disk; below home/models it goes by the name of the model it stands for."""
    from tests.tiny_wan import write_tiny_wan

    return write_tiny_wan(tmp_path_factory.mktemp("tiny") / "wan")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres) -> str:
    """A migrated database to copy from: DBOS's hundred migrations run once."""
    from studio.tickets import Tickets

    name = postgres_server.create()
    engine = db.engine(postgres_server.url(name))
    db.migrate(engine)
    engine.dispose()
    Tickets(postgres_server.url(name), Path("/nowhere")).close()
    return name


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A studio with an empty queue, on each kind of database."""
    url = ""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.url(server.create(request.getfixturevalue("postgres_template")))
    opened = Desk(Settings(studio_home=tmp_path / "home", database_url=url, worker_id="w1"))
    yield opened
    opened.close()


@pytest.fixture
def studio_home(tmp_path: Path, tiny_model: Path) -> Path:
    """A home in which the model named sketch is the tiny one."""
    return home_of(tmp_path / "home", tiny_model)


def home_of(home: Path, tiny_model: Path) -> Path:
    """Make this folder a home in which the model named sketch is the tiny one."""
    (home / "models").mkdir(parents=True)
    (home / "models" / "sketch").symlink_to(tiny_model)
    return home


class WorkerProcess:
    """`python -m studio.worker` as people start it by hand, in any source tree; torch is imported already."""

    def __init__(self, settings: Settings, *arguments: str, sources: Path = REPOSITORY) -> None:
        settings.make_folders()
        self.settings = settings
        with (settings.logs / f"{settings.worker_id}.log").open("ab") as output:
            self.process = WarmProcess(
                "studio.worker", *arguments, cwd=sources, env=settings.worker_environment(), output=output
            )

    def wait_until_ready(self, desk: Desk) -> None:
        wait_for(lambda: any(w.pid == self.process.pid for w in desk.jobs.workers()), START, desk.log)

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 60) -> int:
        """Send a signal and wait for the end; the exit code."""
        if self.process.poll() is None:
            self.send(number)
        return self.process.wait(seconds)


def kill_all(home: Path) -> None:
    """SIGKILL every worker of a studio, whoever started it and however far it is."""
    for path in (home / "workers").glob("*.lock"):
        holder = WorkerLock(home, path.stem).holder()
        if holder is not None and holder.pid:
            os.kill(holder.pid, signal.SIGKILL)


def kill(pid: int, settings: Settings) -> None:
    """SIGKILL, and wait until the system has freed what the process held."""
    lock = WorkerLock(settings.studio_home, settings.worker_id)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: (holder := lock.holder()) is None or holder.pid != pid, 10)
