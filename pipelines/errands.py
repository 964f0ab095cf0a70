"""Who works on weights, what is asked for, and how far it is: small files beside a thing's folder. No torch.

Each has the folder's name with a leading dot: `.NAME.lock` (held by who works on it), `.NAME.wanted` (what
somebody asked for and is not done) and `.NAME.state` (how far it is, how it ended). So a download outlives
whoever asked for it, and any process can tell how it stands.
"""

import contextlib
import fcntl
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines import fetch
from pipelines.fetch import Hub
from pipelines.intact import OnBytes
from pipelines.repos import Weights, everything, read_json, write_whole
from pipelines.request import Cancelled, ModelError, Notice

Work = Literal["download", "verify"]
_WORKS: tuple[Work, ...] = ("download", "verify")
# What passes by itself: the errand stays, and whoever sees to errands tries again.
PASSING = ("download_unreachable", "download_busy")
_STATE_SECONDS = 0.5
# The speed is that of the last so many seconds.
_SPEED_SECONDS = 15.0
# Whoever looks whether somebody is at it (`is_taken`) has the lock for a moment.
_GLANCE_SECONDS = 0.3


@dataclass(frozen=True)
class Activity:
    """What is being done to weights, or was last: bytes `done` of `total`, how fast, how it ended.

    `live`: somebody is at it now. `wanted`: somebody asked for it and it is not done. `notice` says how it
    ended; `bad` are the files that a check found wrong.
    """

    work: Work
    live: bool
    wanted: bool
    done: int = 0
    total: int = 0
    per_second: float = 0.0
    notice: Notice | None = None
    bad: tuple[str, ...] = ()

    @property
    def seconds_left(self) -> float | None:
        """Seconds until it is done at this speed."""
        return (self.total - self.done) / self.per_second if self.live and self.per_second > 0 else None


def activity_of(weights: Weights, home: Path) -> Activity | None:
    """What is being done to weights, or was last; None if nothing since they were put there."""
    own = weights.place(home)
    asked = wanted_work(weights, home)
    said = read_json(beside(own, "state"))
    said = said if isinstance(said, dict) and said.get("work") in _WORKS else {}
    if asked is None and not said:
        return None
    return Activity(
        work=said.get("work") or asked or "download",
        live=is_taken(weights, home),
        wanted=asked is not None,
        done=int(said.get("done") or 0),
        total=int(said.get("total") or 0),
        per_second=float(said.get("per_second") or 0),
        notice=_notice(said.get("notice")),
        bad=tuple(map(str, said.get("bad") or ())),
    )


def want(weights: Weights, home: Path, work: Work) -> None:
    """Write down that something shall be done; whoever `wanted` tells of it does it."""
    marker = beside(weights.place(home), "wanted")
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(work, encoding="utf-8")


def unwant(weights: Weights, home: Path) -> None:
    """Take an errand back; who is at it stops within a second or so, and what came so far stays."""
    beside(weights.place(home), "wanted").unlink(missing_ok=True)


def wanted_work(weights: Weights, home: Path) -> Work | None:
    """What shall be done to weights and is not done yet."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        said = beside(weights.place(home), "wanted").read_text(encoding="utf-8")
        return next((work for work in _WORKS if work == said), None)
    return None


def wanted(home: Path) -> list[Weights]:
    """What is asked for and nobody is at, the oldest errand first."""
    found = [one for one in everything(home) if wanted_work(one, home) and not is_taken(one, home)]

    def since(one: Weights) -> float:
        with contextlib.suppress(OSError):
            return beside(one.place(home), "wanted").stat().st_mtime
        return 0.0

    return sorted(found, key=since)


def is_taken(weights: Weights, home: Path) -> bool:
    """Whether somebody works on these weights now."""
    try:
        handle = os.open(beside(weights.place(home), "lock"), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(handle)


@contextlib.contextmanager
def working(
    weights: Weights, home: Path, work: Work, on_bytes: OnBytes, should_stop: Callable[[], bool]
) -> Iterator[tuple[OnBytes, Callable[[], bool]]]:
    """Holds the lock, writes down how far it is and how it ends, hears when the errand is taken back.

    The errand is gone afterwards, but for what passes by itself and for a process that was told to stop.
    """
    with held(weights, home):
        want(weights, home, work)
        say(weights, home, work)
        try:
            yield _teller(weights, home, work, on_bytes), _hearer(weights, home, should_stop)
        except Cancelled:
            raise
        except ModelError as error:
            if error.notice.code not in PASSING:
                unwant(weights, home)
            say(weights, home, work, notice=error.notice)
            raise
        except OSError as error:
            unwant(weights, home)
            worded = fetch.failure(error, weights, Hub())
            say(weights, home, work, notice=worded.notice)
            raise worded from error
        except Exception as error:
            unwant(weights, home)
            reason = type(error).__name__
            say(
                weights, home, work, notice=Notice("model_broken", {"model": weights.title, "reason": reason})
            )
            raise
        unwant(weights, home)
        if work == "download":
            beside(weights.place(home), "state").unlink(missing_ok=True)


def _teller(weights: Weights, home: Path, work: Work, on_bytes: OnBytes) -> OnBytes:
    said = float("-inf")
    window: deque[tuple[float, int]] = deque()

    def told(done: int, total: int) -> None:
        nonlocal said
        on_bytes(done, total)
        now = time.monotonic()
        if window and done < window[-1][1]:
            window.clear()
        window.append((now, done))
        while now - window[0][0] > _SPEED_SECONDS:
            window.popleft()
        if now - said >= _STATE_SECONDS or done == total:
            said = now
            since, before = window[0]
            speed = (done - before) / (now - since) if now > since else 0.0
            say(weights, home, work, done=done, total=total, per_second=speed)

    return told


def _hearer(weights: Weights, home: Path, should_stop: Callable[[], bool]) -> Callable[[], bool]:
    looked, taken_back = time.monotonic(), False
    marker = beside(weights.place(home), "wanted")

    def stop() -> bool:
        nonlocal looked, taken_back
        now = time.monotonic()
        if now - looked >= _STATE_SECONDS:
            looked, taken_back = now, not marker.exists()
        return taken_back or should_stop()

    return stop


@contextlib.contextmanager
def held(weights: Weights, home: Path) -> Iterator[None]:
    """The lock of weights; ModelError("download_running") if somebody else is at them."""
    path = beside(weights.place(home), "lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + _GLANCE_SECONDS
        while not _locked(handle):
            if time.monotonic() > until:
                raise ModelError("download_running", model=weights.title)
            time.sleep(0.01)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def say(weights: Weights, home: Path, work: Work, notice: Notice | None = None, **values: Any) -> None:
    """Write down how it stands, or how it ended."""
    told = None if notice is None else _document(notice)
    with contextlib.suppress(OSError):
        write_whole(beside(weights.place(home), "state"), {"work": work, "notice": told, **values})


def _document(notice: Notice) -> dict[str, Any]:
    values = {
        name: _document(value) if isinstance(value, Notice) else value
        for name, value in notice.values.items()
    }
    return {"code": notice.code, "values": values}


def _notice(found: object) -> Notice | None:
    """A notice that was written down; among its values may be another one."""
    if not isinstance(found, dict) or not isinstance(found.get("values"), dict):
        return None
    values = {name: _notice(value) or value for name, value in found["values"].items()}
    return Notice(str(found.get("code")), values)


def forget(weights: Weights, home: Path) -> None:
    """Leave nothing of what was asked for or done."""
    for kind in ("wanted", "state"):
        beside(weights.place(home), kind).unlink(missing_ok=True)


def beside(own: Path, kind: str) -> Path:
    """One of the files (or `partial`, the folder) that belong to a thing's folder."""
    return own.with_name(f".{own.name}.{kind}")
