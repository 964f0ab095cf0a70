"""Keeps the local worker running for `app.py`: starts it, adopts one that runs, restarts a crashed one.

The worker outlives the web process and finishes its jobs; the next web process finds it by its lock.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from studio.lock import WorkerLock, code_version
from studio.settings import Settings

WATCH_SECONDS = 0.5
# A worker that crashes again and again is started ever more slowly; one that lived a minute is forgiven.
FIRST_PAUSE, LONGEST_PAUSE, FORGIVEN_SECONDS = 0.5, 30.0, 60.0
STOP_SECONDS = 12.0
MAX_LOG_BYTES, KEPT_LOGS = 5_000_000, 3
_SOURCES = Path(__file__).resolve().parent.parent

log = logging.getLogger(__name__)


class LocalWorker:
    """The one worker process of this machine with these settings, whoever started it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = WorkerLock(settings.studio_home, settings.worker_id)
        self._wanted = settings.studio_home / "workers" / "wanted"
        self._process: subprocess.Popen[bytes] | None = None
        self._started = float("-inf")
        self._pause = FIRST_PAUSE
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start the worker, or adopt the one that runs, and keep it running from here on."""
        self._say_wanted()
        holder = self._lock.holder()
        if holder is None:
            self._spawn()
        else:
            log.info("adopting the worker that runs already (process %d)", holder.pid)
            if holder.pid and holder.version != code_version():
                log.info("it runs other code: it ends after its job and is replaced")
                self._signal(signal.SIGUSR1)
        self._thread.start()

    def alive(self) -> bool:
        """Whether a worker runs: it has its lock, or it was started and is about to take it."""
        return self._lock.holder() is not None or (self._process is not None and self._process.poll() is None)

    @property
    def pid(self) -> int | None:
        """The worker's process id, if it runs."""
        holder = self._lock.holder()
        return holder.pid if holder is not None and holder.pid else None

    def stop(self) -> None:
        """End the worker, which gives its job back to the queue; kill it if it does not hear."""
        self.leave()
        self._signal(signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        while self.alive() and time.monotonic() < until:
            time.sleep(0.05)
        if self.alive():
            log.warning("the worker did not end by itself: killing it")
            self._signal(signal.SIGKILL)
            while self.alive():
                time.sleep(0.05)
        if self._process is not None:
            self._process.wait()

    def leave(self) -> None:
        """Look after the worker no longer; it goes on."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(WATCH_SECONDS):
            try:
                self._say_wanted()
                self._look()
            except OSError:
                # A full disk or a process table without room: the next round may do better.
                log.warning("could not look after the worker", exc_info=True)

    def _look(self) -> None:
        """Start a worker if none runs."""
        if self._process is not None and self._process.poll() is not None:
            log.warning("the worker ended with code %s", self._process.returncode)
            self._process = None
        if self._process is None and self._lock.holder() is None and self._is_time():
            self._spawn()

    def _is_time(self) -> bool:
        """Whether the pause after a crash is over; the next one is twice as long."""
        lived = time.monotonic() - self._started
        if lived > FORGIVEN_SECONDS:
            self._pause = FIRST_PAUSE
        elif lived < self._pause:
            return False
        self._pause = min(LONGEST_PAUSE, self._pause * 2)
        return True

    def _spawn(self) -> None:
        self._started = time.monotonic()
        path = self.settings.logs / "worker.log"
        _rotate(path)
        with path.open("ab") as output:
            # A session of its own: neither Ctrl+C in the terminal nor the end of the web process reaches it.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "studio.worker", "--supervised"],
                cwd=_SOURCES,
                env=self.settings.worker_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        log.info("worker started (process %d)", self._process.pid)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid or (self._process.pid if self._process is not None else None)
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                log.debug("process %d was gone already", pid)

    def _say_wanted(self) -> None:
        """Let the worker know that a studio is here; it ends some minutes after the last time."""
        self._wanted.parent.mkdir(parents=True, exist_ok=True)
        self._wanted.touch()


def _rotate(path: Path) -> None:
    """Start a new log file when the last one has grown long, keep the last few."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.stat().st_size < MAX_LOG_BYTES:
        return
    for number in range(KEPT_LOGS, 1, -1):
        older = path.with_suffix(f".{number - 1}.log")
        if older.exists():
            older.replace(path.with_suffix(f".{number}.log"))
    path.replace(path.with_suffix(".1.log"))
