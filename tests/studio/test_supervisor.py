"""The worker's lock and environment, without a pipeline."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from studio.lock import LockHeld, WorkerLock, code_version
from studio.settings import Settings
from studio.supervisor import LocalWorker
from studio.worker import EXIT_LOCKED, EXIT_SETTINGS
from tests.queue_kit import REPOSITORY, START, WorkerProcess


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(studio_home=tmp_path / "home", worker_id="w1", device="cpu")
    made.make_folders()
    return made


def test_a_second_worker_with_the_same_id_is_refused(settings: Settings) -> None:
    lock = WorkerLock(settings.studio_home, "w1")
    lock.take("cpu")
    other = WorkerLock(settings.studio_home, "w1")
    with pytest.raises(LockHeld, match=f"process {os.getpid()}"):
        other.take("cpu")
    assert WorkerProcess(settings).process.wait(START) == EXIT_LOCKED
    log = (settings.logs / "w1.log").read_text()
    assert f"a worker named 'w1' runs already (process {os.getpid()}); give this one another WORKER_ID" in log
    assert "Traceback" not in log
    lock.release()
    other.take("cpu")
    other.release()


def test_a_lock_tells_who_holds_it_and_only_while_it_is_held(settings: Settings) -> None:
    lock, other = WorkerLock(settings.studio_home, "../a/b c"), WorkerLock(settings.studio_home, "w2")
    assert lock.path.parent == settings.studio_home / "workers"
    assert lock.holder() is None
    lock.take("cuda:1")
    holder = WorkerLock(settings.studio_home, "../a/b c").holder()
    assert holder is not None
    assert (holder.pid, holder.version, holder.device) == (os.getpid(), code_version(), "cuda:1")
    other.take("cpu")
    lock.path.write_text("not json")
    nameless = lock.holder()
    assert nameless is not None
    assert nameless.pid == 0
    lock.release()
    other.release()
    assert lock.holder() is None


def test_the_worker_gets_these_settings_and_quiet_threads(settings: Settings) -> None:
    environment = settings.worker_environment()
    assert Settings.from_env(environment) == settings
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    # One that is started by hand sets it for itself.
    code = "import os; from studio.settings import prepare_torch; prepare_torch(); print(os.environ)"
    bare = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, env=bare, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "'OMP_WAIT_POLICY': 'PASSIVE'" in done.stdout


def test_a_worker_with_settings_it_cannot_use_says_so_and_ends(settings: Settings) -> None:
    environment = settings.worker_environment() | {"DEVICE": "toaster"}
    argv = [sys.executable, "-m", "studio.worker"]
    done = subprocess.run(argv, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_SETTINGS
    assert "DEVICE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_supervisor_without_a_worker_says_so(settings: Settings) -> None:
    supervisor = LocalWorker(settings)
    assert not supervisor.alive()
    assert supervisor.pid is None
    supervisor.stop()
