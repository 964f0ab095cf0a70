"""The cloud service on loopback, in DashScope's wire format, with faults that a test scripts.

Alone it answers tasks itself: each goes through `course` (one status a look) and ends in a real MP4 of the
size and length that were asked for. With `upstream` it hands every request on to a real server of the same
shape and only adds the faults. Faults wait in line, one request each, by what is asked:

    with cloud() as service:
        service.fault("submit", throttled(), throttled(retry_after=0.1), broken())
        service.fault("download", cut(1000))
        service.course = ["PENDING", "RUNNING", "SUCCEEDED"]
        ... use service.address + "/api/v1" with the key service.key
        assert len(service.tasks) == 1
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.dashscope_wire import Handler, Where
from tests.dashscope_wire import film as film
from tests.loopback import answering


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request. `kind` is one of the functions below, which make them."""

    kind: str
    status: int = 200
    code: str = ""
    message: str = ""
    retry_after: float | None = None
    seconds: float = 0.0
    length: int = 0
    value: str = ""


def throttled(retry_after: float | None = None) -> Fault:
    """429, with Retry-After in seconds if given."""
    words = "Requests rate limit exceeded, please try again later."
    return Fault("refuse", 429, "Throttling.RateQuota", words, retry_after=retry_after)


def broken(status: int = 500) -> Fault:
    """500 (or another 5xx) as the service words it."""
    return Fault("refuse", status, "InternalError", "An internal error has occured, please try again later.")


def wrong_key() -> Fault:
    """401: the key is refused, whatever it is."""
    return Fault("refuse", 401, "InvalidApiKey", "Invalid API-key provided.")


def refused(status: int, code: str, message: str = "") -> Fault:
    """Any other refusal: 400 DataInspectionFailed, 400 Arrearage, 403 AccessDenied, 404 of a download …"""
    return Fault("refuse", status, code, message or code)


def slow(seconds: float) -> Fault:
    """The right answer, late."""
    return Fault("slow", seconds=seconds)


def hung_up() -> Fault:
    """The line is closed without an answer; nothing has happened."""
    return Fault("hang_up")


def accepted_but_hung_up() -> Fault:
    """The request takes effect, and the line is closed before the answer: a task nobody knows the id of."""
    return Fault("late_hang_up")


def not_json() -> Fault:
    """200 with a page of somebody else's in it."""
    return Fault("not_json")


def cut(length: int) -> Fault:
    """A download that breaks off after `length` bytes of those it promised."""
    return Fault("cut", length=length)


def short(length: int) -> Fault:
    """A download that ends in order, but holds only the first `length` bytes of the film."""
    return Fault("short", length=length)


def other_type(value: str = "text/html") -> Fault:
    """A download of another content type, with a page in it."""
    return Fault("type", value=value)


def endless(length: int) -> Fault:
    """A download that says it has `length` bytes, and goes on sending zeros until it has."""
    return Fault("endless", length=length)


def sent_on(value: str) -> Fault:
    """302 to another address."""
    return Fault("redirect", value=value)


@dataclass
class Task:
    """One accepted task; `looks` counts how often its state was asked for."""

    id: str
    body: dict[str, Any]
    course: list[str]
    submitted: datetime
    code: str = ""
    message: str = ""
    looks: int = 0
    forgotten: bool = False

    @property
    def status(self) -> str:
        """Where it stands after the looks so far."""
        return "UNKNOWN" if self.forgotten else self.course[min(self.looks, len(self.course) - 1)]


@dataclass
class Cloud:
    """The service. Change its fields at any time; `calls` are (where, status) of every request, in order.

    `course` is what new tasks go through, one status a look; one that ends in FAILED fails with `code` and
    `message`. `video` replaces the film that is made to measure; `actual_prompt` is what it says it made.
    """

    key: str = "sk-test"
    upstream: str = ""
    course: list[str] = field(default_factory=lambda: ["PENDING", "RUNNING", "SUCCEEDED"])
    code: str = "DataInspectionFailed"
    message: str = "Output data may contain inappropriate content."
    actual_prompt: str = ""
    video: bytes | None = None
    fps: int = 16
    address: str = ""
    tasks: dict[str, Task] = field(default_factory=dict)
    calls: list[tuple[Where, int]] = field(default_factory=list)
    seen: list[dict[str, str]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _faults: dict[str, list[Fault]] = field(default_factory=dict)

    def fault(self, where: Where, *faults: Fault) -> None:
        """The next requests of this kind go wrong so, one after the other."""
        with self.lock:
            self._faults.setdefault(where, []).extend(faults)

    def forget(self, task_id: str | None = None) -> None:
        """The task (all of them) has expired: its state is UNKNOWN from now on."""
        with self.lock:
            for task in self.tasks.values() if task_id is None else [self.tasks[task_id]]:
                task.forgotten = True

    def count(self, where: Where) -> int:
        """How many requests of this kind came, faults among them."""
        with self.lock:
            return sum(1 for kind, _ in self.calls if kind == where)

    def take_in(self, body: dict[str, Any]) -> Task:
        """A new task for what was asked."""
        with self.lock:
            task = Task(str(uuid.uuid4()), body, list(self.course), datetime.now(), self.code, self.message)
            self.tasks[task.id] = task
        return task

    def next_fault(self, where: Where) -> Fault | None:
        """The fault whose turn it is, if any; it is used up."""
        with self.lock:
            waiting = self._faults.get(where)
            return waiting.pop(0) if waiting else None


@contextmanager
def cloud(**fields: Any) -> Iterator[Cloud]:
    """A running service; `fields` as `Cloud` has them. Its address is without /api/v1."""
    service = Cloud(**fields)
    with answering(Handler, service) as address:
        service.address = address
        yield service
