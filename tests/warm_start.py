"""Processes whose libraries are imported already: torch and diffusers take longer than what is tested.

One server a test process imports them once, and forks for whatever shall run. None of the studio's modules is
imported before: each process reads its own sources, has its own environment, signals, locks and exit code.
"""

import contextlib
import importlib
import json
import os
import runpy
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

REPOSITORY = Path(__file__).resolve().parent.parent
MESSAGE_BYTES = 1 << 20
# OpenMP reads this when torch is imported, and a worker's would come too late.
SETTINGS = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
# What a worker imports that is not ours; diffusers and transformers import their parts only when asked to.
LIBRARIES = (
    "av",
    "dbos",
    "diffusers.pipelines.wan.pipeline_wan",
    "diffusers.pipelines.wan.pipeline_wan_i2v",
    "peft",
    "rjieba",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.umt5.modeling_umt5",
)

_asking = threading.Lock()


def popen(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], **more: Any) -> "WarmProcess":
    """`subprocess.Popen` for `[sys.executable, "-m", MODULE, ...]` whose output goes to a file."""
    assert argv[:2] == [sys.executable, "-m"]
    assert more["stdin"] == subprocess.DEVNULL
    assert more["stderr"] == subprocess.STDOUT
    apart = more["start_new_session"]
    return WarmProcess(*argv[2:], cwd=cwd, env=env, output=more["stdout"], apart=apart)


class WarmProcess:
    """`python -m MODULE ARGUMENTS`, forked from the server; it answers as a `subprocess.Popen` does.

    `apart`: in a session of its own, which nobody's Ctrl+C reaches.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str],
        output: IO[bytes],
        apart: bool = False,
    ) -> None:
        asked = {"module": module, "arguments": arguments, "cwd": str(cwd), "env": dict(env), "apart": apart}
        self.pid: int = _ask(asked, output.fileno())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = _ask({"pid": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; `subprocess.TimeoutExpired` if that takes longer (seconds)."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and timeout is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing is sent to a process that has ended: its number may be another's."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(9)


@cache
def _server() -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
    """This test process's server; it ends when its socket is closed, however that comes about."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_start", str(its.fileno())],
            cwd=REPOSITORY,
            env=os.environ | SETTINGS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[its.fileno()],
        )
    return ours, process


def _ask(asked: dict[str, Any], *files: int) -> Any:
    # A supervisor asks from a thread of its own.
    with _asking:
        server, _ = _server()
        socket.send_fds(server, [json.dumps(asked).encode()], files)
        answer = server.recv(MESSAGE_BYTES)
    assert answer, "the server of warm processes has ended"
    return json.loads(answer)


def _serve(server: socket.socket) -> None:
    """Fork and answer until the socket is closed. In a forked process: run the module, which ends it."""
    for name in LIBRARIES:
        importlib.import_module(name)
    codes: dict[int, int] = {}
    while True:
        message, files, *_ = socket.recv_fds(server, MESSAGE_BYTES, 1)
        if not message:
            return
        asked = json.loads(message)
        if "pid" in asked:
            answer = _ended(asked["pid"], codes)
        elif (answer := os.fork()) == 0:
            server.close()
            _become(asked, files[0])
        else:
            # The number may have been that of one which has ended.
            codes.pop(answer, None)
        for file in files:
            os.close(file)
        server.send(json.dumps(answer).encode())


def _ended(pid: int, codes: dict[int, int]) -> int | None:
    """The exit code of a process, however often it is asked for; the system tells it once."""
    if pid not in codes:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            codes[pid] = os.waitstatus_to_exitcode(status)
    return codes.get(pid)


def _become(asked: dict[str, Any], output: int) -> NoReturn:
    """Be the process that was asked for, from its first line to its end."""
    if asked["apart"]:
        os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.path[0] = asked["cwd"]
    sys.argv[1:] = asked["arguments"]
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _serve(socket.socket(fileno=int(sys.argv[1])))
