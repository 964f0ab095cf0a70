"""The real app as people start it: `python app.py` in its own process, a free port, a home of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class RunningApp:
    """A running studio: where it listens, where it keeps its things, its web process."""

    address: str
    home: Path
    process: "subprocess.Popen[bytes]"

    def log(self) -> str:
        """What the web process and its worker said; for a failing test's message."""
        files = [self.home / "web.log", *sorted((self.home / "logs").glob("*.log"))]
        return "\n".join(
            f"-- {f.name}\n{f.read_text('utf-8', 'replace')[-4000:]}" for f in files if f.exists()
        )

    def worker_pid(self) -> int | None:
        """The process id of the local worker, read from its lock."""
        from studio.lock import WorkerLock
        from studio.settings import Settings

        settings = Settings(studio_home=self.home)
        holder = WorkerLock(settings.studio_home, settings.worker_id).holder()
        return holder.pid if holder is not None else None


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_app(home: Path, *, port: int | None = None, **env: str) -> Iterator[RunningApp]:
    """Start the studio, wait until it answers, stop it and its worker at the end."""
    port = port or free_port()
    home.mkdir(parents=True, exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GRADIO_")}
    own = {"STUDIO_HOME": str(home), "HOST": "127.0.0.1", "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    with (home / "web.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=clean | own | env, stdout=log, stderr=subprocess.STDOUT
        )
    app = RunningApp(address=f"http://127.0.0.1:{port}", home=home, process=process)
    try:
        _wait_until_it_answers(app)
        yield app
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
        process.kill()
        process.wait()
        if pid := app.worker_pid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _wait_until_it_answers(app: RunningApp) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        if app.process.poll() is not None:
            raise RuntimeError(f"the studio ended with code {app.process.returncode}\n{app.log()}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{app.address}/healthz", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the studio did not answer\n{app.log()}")
