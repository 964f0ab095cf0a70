"""How the test cloud of `tests.dashscope_faults` answers: DashScope's wire format, whole or broken."""

import io
import json
import time
import uuid
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlsplit

import av
import httpx
import numpy as np

if TYPE_CHECKING:
    from tests.dashscope_faults import Cloud, Fault

Where = Literal["submit", "fetch", "cancel", "list", "download", "other"]
SUBMIT = "/api/v1/services/aigc/video-generation/video-synthesis"
_TASKS = "/api/v1/tasks"
_ENDS = ("SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN")


@cache
def film(width: int, height: int, seconds: float, fps: int = 16) -> bytes:
    """A real MP4 (H.264) of a moving gradient."""
    file = io.BytesIO()
    frames = round(seconds * fps) + 1
    with av.open(file, "w", format="mp4") as box:
        stream = box.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        across, down = np.arange(width) * 255 // width, np.arange(height) * 255 // height
        for number in range(frames):
            picture = np.empty((height, width, 3), np.uint8)
            picture[..., 0] = (across + 4 * number).astype(np.uint8)
            picture[..., 1] = down.astype(np.uint8)[:, None]
            picture[..., 2] = 96
            box.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        box.mux(stream.encode(None))
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    """The service as http.server wants it; `service` is a `Cloud` of tests.dashscope_faults."""

    protocol_version = "HTTP/1.1"
    service: "Cloud"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _where(self) -> Where:
        path = urlsplit(self.path).path.rstrip("/")
        if path == SUBMIT:
            return "submit"
        if path.startswith(_TASKS):
            return "list" if path == _TASKS else "cancel" if path.endswith("/cancel") else "fetch"
        return "download" if path.endswith(".mp4") else "other"

    def _parts(self) -> list[str]:
        # The SDK's asynchronous client ends addresses of tasks with a slash.
        return urlsplit(self.path).path.rstrip("/").split("/")

    def _handle(self) -> None:
        where, cloud = self._where(), self.service
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with cloud.lock:
            cloud.seen.append({name.lower(): value for name, value in self.headers.items()})
        fault = cloud.next_fault(where)
        kind = "" if fault is None else fault.kind
        if fault is not None and kind == "refuse":
            headers = {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}
            return self._refuse(fault.status, fault.code, fault.message, headers)
        if fault is not None and kind == "slow":
            time.sleep(fault.seconds)
        elif kind == "hang_up":
            return self._hang_up(where)
        elif kind == "not_json":
            return self._send(200, b"<html>Sign in to this network</html>", "text/html")
        elif fault is not None and kind == "redirect":
            return self._send(302, b"", "text/plain", {"location": fault.value})
        status, answer, media, headers = self._forwarded(body) if cloud.upstream else self._own(where, body)
        if kind == "late_hang_up":
            return self._hang_up(where)
        if where == "download" and status in (200, 206) and fault is not None:
            return self._broken_download(answer, fault)
        return self._send(status, answer, media, headers)

    # -- the service itself --------------------------------------------------------------------------------

    def _own(self, where: Where, body: bytes) -> tuple[int, bytes, str, dict[str, str]]:
        if where == "download":
            return self._film()
        if self.headers.get("authorization") != f"Bearer {self.service.key}":
            return _refusal(401, "InvalidApiKey", "Invalid API-key provided.")
        with self.service.lock:
            answers = {"submit": self._submit, "fetch": self._fetch, "cancel": self._cancel}
            if where == "list":
                return self._list()
            return answers[where](body) if where in answers else _refusal(404, "NotFound", "Not found.")

    def _submit(self, body: bytes) -> tuple[int, bytes, str, dict[str, str]]:
        if self.headers.get("x-dashscope-async") != "enable":
            words = "current user api does not support synchronous calls."
            return _refusal(403, "AccessDenied", words)
        asked = _asked(body)
        if asked is None:
            words = "Required parameter(s) missing or invalid, please check the request parameters."
            return _refusal(400, "InvalidParameter", words)
        name = self.service.take_in(asked).id
        return _json(200, {"output": {"task_status": "PENDING", "task_id": name}})

    def _fetch(self, _: bytes) -> tuple[int, bytes, str, dict[str, str]]:
        name = self._parts()[-1]
        task = self.service.tasks.get(name)
        if task is None or task.forgotten:
            return _json(200, {"output": {"task_id": name, "task_status": "UNKNOWN"}})
        status = task.status
        task.looks += status not in _ENDS
        output: dict[str, Any] = {
            "task_id": name,
            "task_status": status,
            "submit_time": _time(task.submitted),
        }
        answer: dict[str, Any] = {"output": output}
        if status != "PENDING":
            output["scheduled_time"] = _time(task.submitted)
        if status in _ENDS:
            output["end_time"] = _time(datetime.now())
        if status == "SUCCEEDED":
            prompt = task.body["input"]["prompt"]
            expires = int(time.time()) + 24 * 3600
            output["video_url"] = f"{self.service.address}/films/{name}.mp4?Expires={expires}&Signature=x"
            output |= {"orig_prompt": prompt, "actual_prompt": self.service.actual_prompt or prompt}
            width, height, seconds = _measures(task.body)
            answer["usage"] = {"duration": seconds, "video_count": 1, "SR": min(width, height)}
        elif status == "FAILED":
            output |= {"code": task.code, "message": task.message}
        return _json(200, answer)

    def _cancel(self, _: bytes) -> tuple[int, bytes, str, dict[str, str]]:
        task = self.service.tasks.get(self._parts()[-2])
        if task is None or task.status != "PENDING":
            words = "Failed to cancel the task, please confirm if the task is in PENDING status."
            return _refusal(400, "UnsupportedOperation", words)
        task.course, task.looks = ["CANCELED"], 0
        return _json(200, {})

    def _list(self) -> tuple[int, bytes, str, dict[str, str]]:
        asked = {name: value[0] for name, value in parse_qs(urlsplit(self.path).query).items()}
        number, size = int(asked.get("page_no", 1)), int(asked.get("page_size", 10))
        found = [
            {"task_id": task.id, "status": task.status, "model_name": task.body["model"]}
            for task in reversed(self.service.tasks.values())
            if asked.get("status", task.status) == task.status
        ]
        pages = {
            "total": len(found),
            "total_page": -(-len(found) // size),
            "page_no": number,
            "page_size": size,
        }
        return _json(200, {**pages, "data": found[(number - 1) * size : number * size]})

    def _film(self) -> tuple[int, bytes, str, dict[str, str]]:
        path = urlsplit(self.path).path
        task = self.service.tasks.get(path.rsplit("/", 1)[-1].removesuffix(".mp4"))
        if task is None or task.forgotten:
            return 403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml", {}
        content = self.service.video
        if content is None:
            content = film(*_measures(task.body), fps=self.service.fps)
        return 200, content, "video/mp4", {}

    # -- a real server behind it ---------------------------------------------------------------------------

    def _forwarded(self, body: bytes) -> tuple[int, bytes, str, dict[str, str]]:
        dropped = ("host", "content-length", "connection", "accept-encoding")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        url = self.service.upstream + self.path
        told = httpx.request(self.command, url, headers=headers, content=body, timeout=60)
        answer = told.content
        media = told.headers.get("content-type", "")
        if media.startswith("application/json"):
            # The film's address too leads through here.
            answer = answer.replace(self.service.upstream.encode(), self.service.address.encode())
        kept = ("retry-after", "content-range", "accept-ranges", "etag", "location")
        return told.status_code, answer, media, {n: told.headers[n] for n in kept if n in told.headers}

    # -- sending -------------------------------------------------------------------------------------------

    def _refuse(self, status: int, code: str, message: str, headers: dict[str, str]) -> None:
        _, answer, media, _ = _refusal(status, code, message)
        self._send(status, answer, media, headers)

    def _note(self, status: int) -> None:
        with self.service.lock:
            self.service.calls.append((self._where(), status))

    def _send(self, status: int, body: bytes, media: str, headers: dict[str, str] | None = None) -> None:
        self._note(status)
        self.send_response(status)
        for name, value in {"content-type": media, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _broken_download(self, content: bytes, fault: "Fault") -> None:
        if fault.kind == "short":
            return self._send(200, content[: fault.length], "video/mp4")
        if fault.kind == "type":
            return self._send(200, b"<html>Gone</html>", fault.value)
        if fault.kind not in ("cut", "endless"):
            return self._send(200, content, "video/mp4")
        self._note(200)
        self.send_response(200)
        self.send_header("content-type", "video/mp4")
        self.send_header("content-length", str(len(content) if fault.kind == "cut" else fault.length))
        self.end_headers()
        if fault.kind == "cut":
            self.wfile.write(content[: fault.length])
        sent = fault.length if fault.kind == "cut" else 0
        while sent < fault.length:
            self.wfile.write(b"\0" * min(1 << 20, fault.length - sent))
            sent += 1 << 20
        self.close_connection = True
        return None

    def _hang_up(self, where: Where) -> None:
        self._note(0)
        self.close_connection = True


def _asked(body: bytes) -> dict[str, Any] | None:
    """What is asked for; None where the service would refuse the form of it."""
    try:
        asked: dict[str, Any] = json.loads(body)
        width, height = str(asked.get("parameters", {}).get("size", "1280*720")).split("*")
        good = int(width) and int(height) and asked["model"] and asked["input"]["prompt"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return asked if good else None


def _measures(body: dict[str, Any]) -> tuple[int, int, int]:
    """Width, height and seconds that a task asked for; the service's own where it did not."""
    given = body.get("parameters") or {}
    width, height = map(int, str(given.get("size", "1280*720")).split("*"))
    return width, height, int(given.get("duration", 5))


def _time(moment: datetime) -> str:
    return moment.isoformat(" ", "milliseconds")


def _json(status: int, document: dict[str, Any]) -> tuple[int, bytes, str, dict[str, str]]:
    told = {"request_id": str(uuid.uuid4()), **document}
    return status, json.dumps(told, ensure_ascii=False).encode(), "application/json", {}


def _refusal(status: int, code: str, message: str) -> tuple[int, bytes, str, dict[str, str]]:
    return _json(status, {"code": code, "message": message})
