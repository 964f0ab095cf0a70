"""One process for one worker id: an exclusive lock on a file that also says who holds it."""

import fcntl
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from studio import __version__

_SOURCES = Path(__file__).resolve().parent.parent


class LockHeld(RuntimeError):
    """Another process has the lock; `holder` says which, if it has written that yet."""

    def __init__(self, path: Path, holder: "Holder | None") -> None:
        who = "another process" if holder is None else f"process {holder.pid}"
        super().__init__(f"a worker named {path.stem!r} runs already ({who})")
        self.holder = holder


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: its process, the code it runs, the device it was told to use."""

    pid: int
    version: str
    device: str


class WorkerLock:
    """The lock of one worker id. The system frees it when its process ends, however it ends."""

    def __init__(self, home: Path, worker_id: str) -> None:
        self.path = home / "workers" / f"{file_name(worker_id)}.lock"
        self._handle: int | None = None

    def take(self, device: str) -> None:
        """Take the lock for this process's life; `LockHeld` if another one has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise LockHeld(self.path, self._read()) from None
        text = json.dumps(asdict(Holder(os.getpid(), code_version(), device)))
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Let go of it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def holder(self) -> Holder | None:
        """Who holds the lock now, or None if nobody does."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            # Between taking the lock and writing the name there is a moment without a name.
            return self._read() or Holder(0, "", "")
        finally:
            os.close(handle)
        return None

    def _read(self) -> Holder | None:
        try:
            return Holder(**json.loads(self.path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def file_name(worker_id: str) -> str:
    """A worker's id as part of a file's name; the id may come from a person and hold anything."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in worker_id)


@cache
def code_version() -> str:
    """The studio's version and 12 hex digits over its sources: another code, another version."""
    digest = hashlib.sha256()
    for folder in ("studio", "pipelines"):
        for path in sorted((_SOURCES / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"
