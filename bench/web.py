"""The web process: time to the first page beyond `import gradio`, memory, and whether torch crept in."""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

PAIRS = 5
ROOT = Path(__file__).resolve().parent.parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _import_gradio() -> float:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import gradio"], check=True, cwd=ROOT)
    return time.monotonic() - begun


@contextlib.contextmanager
def running_app(home: str, **extra: str) -> Iterator[tuple[str, int]]:
    """The real app without a worker, on a free port: yields its address and process id."""
    port = _free_port()
    env = (
        os.environ
        | {"STUDIO_HOME": home, "PORT": str(port), "HOST": "127.0.0.1", "LOCAL_WORKER": "0"}
        | extra
    )
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _until_first_page(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/en/", timeout=30) as answer:
                answer.read()
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError("the app did not answer within 30 s")


def _memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def main() -> None:
    """Print the medians of interleaved starts."""
    beyond, ratios, memory, torch_seen = [], [], [], False
    with tempfile.TemporaryDirectory() as home:
        for _ in range(PAIRS):
            bare = _import_gradio()
            begun = time.monotonic()
            with running_app(home) as (address, pid):
                _until_first_page(address)
                taken = time.monotonic() - begun
                memory.append(_memory_mb(pid))
                torch_seen |= "libtorch" in Path(f"/proc/{pid}/maps").read_text()
            beyond.append(taken - bare)
            ratios.append(taken / bare)
    print(f"first page beyond `import gradio`: median {statistics.median(beyond):.2f} s (target 2)")
    print(f"first page over `import gradio`: median ratio {statistics.median(ratios):.2f}")
    print(f"memory: max {max(memory):.0f} MB (target 400); torch loaded: {torch_seen}")


if __name__ == "__main__":
    main()
