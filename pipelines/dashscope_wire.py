"""DashScope over HTTP, one request at a time: order, look, cancel, fetch. What it answers is not trusted.

Every call says for certain what came of it, or raises `Unsure`: an order may have been taken, and paid.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

import httpx

from pipelines.cloud_facts import Region
from pipelines.request import ModelError

Credentials = Callable[[], str]
"""The key of now; asked before every request, so that a token may change under way."""

MAX_ANSWER_BYTES = 1_000_000
MAX_FILM_BYTES = 600_000_000
_API = "/api/v1"
_ORDER = f"{_API}/services/aigc/video-generation/video-synthesis"
_TASK = re.compile(r"[A-Za-z0-9._-]{1,128}")
# Where the service itself keeps films. Its certificate has to say so too, so no other address can stand in.
_STORES = ".aliyuncs.com"
_MEDIA = ("video/", "application/octet-stream", "binary/octet-stream")
_MAX_REDIRECTS = 3
# The codes with which the service will not make what was asked, or not hand it out.
_OBJECTION = re.compile(r"DataInspection|IPInfringement|Inappropriate|content_?filter", re.IGNORECASE)
_ACCOUNT = re.compile(r"Arrearage|FreeTierOnly|BillOverdue", re.IGNORECASE)
_LONGEST_RETRY_AFTER = 300.0
# A signed address of a film would stand in the log with each request.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: between looks, between tries, and for what at most."""

    first_look: float = 1.0
    longest_look: float = 10.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    order: float = 600.0
    silence: float = 900.0
    task: float = 3 * 3600.0
    films: int = 5
    answer: float = 30.0


@dataclass(frozen=True)
class Service:
    """A cloud to ask: where it answers (without /api/v1), whose key, and whose prices count."""

    base_url: str
    credentials: Credentials = field(repr=False)
    region: Region | None = None
    patience: Patience = Patience()

    @property
    def host(self) -> str:
        """Its host and port, as a task's name is kept with it."""
        return urlsplit(self.base_url).netloc


class NotNow(Exception):
    """Nothing has happened; the same may be asked again, `after` seconds at the soonest."""

    def __init__(self, reason: str, after: float = 0.0, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.after, self.busy = after, busy


class Unsure(Exception):
    """The order left, and nobody knows whether it arrived."""


@dataclass(frozen=True)
class Look:
    """What the service says of a task: PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED or UNKNOWN."""

    status: str
    url: str = ""
    actual_prompt: str = ""
    code: str = ""
    message: str = ""


class Wire:
    """One service, asked with one connection a request: a line that was closed meanwhile loses no order."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def order(self, body: dict[str, Any]) -> str:
        """Order a clip, return the task's id. NotNow, Unsure, or ModelError if it is refused for good."""
        status, document, after = self._ask("POST", _ORDER, body)
        if status == 200:
            task = _inside(document, "task_id")
            if not _TASK.fullmatch(task):
                raise Unsure("no task in the answer")
            return task
        self._no(status, document, after, ordered=True)

    def look(self, task: str) -> Look:
        """How a task stands. NotNow if nobody can tell at the moment; ModelError if the key is refused."""
        status, document, after = self._ask("GET", f"{_API}/tasks/{task}")
        if status == 200:
            found = _inside(document, "task_status").upper()
            if not found:
                raise NotNow("no status in the answer")
            told = {name: _inside(document, name) for name in ("actual_prompt", "code", "message")}
            return Look(found, url=_inside(document, "video_url"), **told)
        self._no(status, document, after)

    def cancel(self, task: str) -> bool:
        """Whether the service let go of a task: it does while it has not begun, and nothing is paid then."""
        status, document, after = self._ask("POST", f"{_API}/tasks/{task}/cancel")
        if status == 200:
            return True
        if status == 400:
            return False
        self._no(status, document, after)

    def fetch(self, url: str, path: Path) -> None:
        """Bring a film's bytes to `path`. NotNow for what may go better the next time, else ModelError."""
        for _ in range(_MAX_REDIRECTS + 1):
            url = self._safe(url)
            try:
                with self._client() as client, client.stream("GET", url) as answer:
                    if answer.is_redirect:
                        url = urljoin(url, answer.headers.get("location", ""))
                        continue
                    return _kept(answer, path)
            except httpx.HTTPError as error:
                raise NotNow(type(error).__name__) from error
        raise ModelError("cloud_download", reason="redirects")

    def _safe(self, url: str) -> str:
        """The address if a film may be fetched from it: the service's stores over TLS, or its own host."""
        try:
            parts, own = urlsplit(url), urlsplit(self.service.base_url)
            host, port = parts.hostname or "", parts.port
            if host.endswith(_STORES) and parts.scheme in ("http", "https") and port in (None, 80, 443):
                return parts._replace(scheme="https", netloc=host).geturl()
            if (parts.scheme, host, port) == (own.scheme, own.hostname, own.port) and not parts.username:
                return url
        except ValueError:
            pass
        raise ModelError("cloud_download", reason="address")

    def _client(self) -> httpx.Client:
        times = httpx.Timeout(self.service.patience.answer, connect=10.0)
        return httpx.Client(timeout=times, follow_redirects=False)

    def _ask(
        self, method: str, place: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any], float]:
        """Status, JSON document and Retry-After of an answer; a key that changed meanwhile is tried once."""
        used = ""
        for _ in range(2):
            key = self.service.credentials()
            if used and key == used:
                break
            found = self._once(method, place, body, key)
            used = key
            if found[0] != 401:
                return found
        raise ModelError("cloud_key", host=self.service.host)

    def _once(
        self, method: str, place: str, body: dict[str, Any] | None, key: str
    ) -> tuple[int, dict[str, Any], float]:
        headers = {"Authorization": f"Bearer {key}", "Connection": "close"}
        if body is not None:
            headers["X-DashScope-Async"] = "enable"
        url = self.service.base_url + place
        asked: dict[str, Any] = {"json": body, "headers": headers}
        with (
            _worded(ordering=place == _ORDER),
            self._client() as client,
            client.stream(method, url, **asked) as answer,
        ):
            text = bytearray()
            for part in answer.iter_bytes():
                text += part
                if len(text) > MAX_ANSWER_BYTES:
                    raise httpx.DecodingError("too long")
            return answer.status_code, _document(bytes(text)), _after(answer)

    def _no(self, status: int, document: dict[str, Any], after: float, *, ordered: bool = False) -> NoReturn:
        """Raise what an answer other than 200 means."""
        code, message = str(document.get("code", "")), str(document.get("message", ""))
        if status == 429 and not _ACCOUNT.search(code):
            raise NotNow(code or "429", after, busy=True)
        if status >= 500 or not code:
            if ordered and not code:
                # Some gateway's answer, not the service's: what is behind it may have taken the order.
                raise Unsure(str(status))
            raise NotNow(code or str(status), after)
        raise refusal(code, message, host=self.service.host)


def refusal(code: str, message: str, *, host: str) -> ModelError:
    """What a person is told when the service will not make a clip, by its code."""
    if _OBJECTION.search(code):
        return ModelError("cloud_rejected")
    if _ACCOUNT.search(code):
        return ModelError("cloud_account", host=host)
    if "AccessDenied" in code or "ModelNotFound" in code or "Model.NotFound" in code:
        return ModelError("cloud_denied", host=host, reason=_brief(code, message))
    return ModelError("cloud_refused", host=host, reason=_brief(code, message))


def _brief(code: str, message: str) -> str:
    text = " ".join(f"{code}: {message}".split())
    return "".join(sign for sign in text if sign.isprintable())[:160].strip(": ")


@contextmanager
def _worded(*, ordering: bool) -> Iterator[None]:
    """What a broken line means: before the order left nothing has happened; afterwards nobody knows."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        raise NotNow(type(error).__name__) from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        if ordering:
            raise Unsure(type(error).__name__) from error
        raise NotNow(type(error).__name__) from error


def _document(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _inside(document: dict[str, Any], name: str) -> str:
    output = document.get("output")
    value = output.get(name) if isinstance(output, dict) else None
    return value if isinstance(value, str) else ""


def _after(answer: httpx.Response) -> float:
    """Seconds of a Retry-After, which is a number or a date; 0 if there is none."""
    told = answer.headers.get("retry-after", "")
    try:
        seconds = float(told)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    # Also turns away "nan".
    return min(seconds, _LONGEST_RETRY_AFTER) if seconds > 0 else 0.0


def _kept(answer: httpx.Response, path: Path) -> None:
    if answer.status_code in (403, 404, 410):
        raise ModelError("cloud_expired")
    if answer.status_code != 200:
        raise NotNow(str(answer.status_code), _after(answer))
    media = answer.headers.get("content-type", "video/mp4").lower()
    if not media.startswith(_MEDIA):
        raise NotNow("no video")
    told = answer.headers.get("content-length", "0")
    if told.isdecimal() and int(told) > MAX_FILM_BYTES:
        raise ModelError("cloud_download", reason="size")
    size = 0
    with path.open("wb") as file:
        for part in answer.iter_bytes():
            size += len(part)
            if size > MAX_FILM_BYTES:
                raise ModelError("cloud_download", reason="size")
            file.write(part)
