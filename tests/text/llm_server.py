"""A language model's service on loopback that answers well or badly, and remembers what it was asked."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.loopback import answering

# What an answer is made of: the question's data, as the user's message holds it.
Reply = Callable[[dict[str, Any]], Any]


@dataclass
class Asked:
    """One request as it came in."""

    path: str
    authorization: str
    body: dict[str, Any]

    @property
    def system(self) -> str:
        """The instructions."""
        return str(self.body["messages"][0]["content"])

    @property
    def data(self) -> dict[str, Any]:
        """The material, out of the user's message; of a question beside the chat, all of it."""
        if "messages" not in self.body:
            return self.body
        content = self.body["messages"][1]["content"]
        found: dict[str, Any] = json.loads(content if isinstance(content, str) else content[0]["text"])
        return found

    @property
    def pictures(self) -> list[bytes]:
        """The pictures of the user's message, as files."""
        content = self.body["messages"][1]["content"]
        addresses = [part["image_url"]["url"] for part in content[1:]]
        return [base64.b64decode(address.removeprefix("data:image/jpeg;base64,")) for address in addresses]


@dataclass
class Service:
    """How the service answers now: `how`, and with what content."""

    address: str = ""
    how: str = "good"
    # How it behaves at the next requests, before it does as `how` says.
    first: list[str] = field(default_factory=list)
    reply: Reply = lambda data: {}
    asked: list[Asked] = field(default_factory=list)
    dripped: int = 0


@contextmanager
def serving() -> Iterator[Service]:
    """The service while it runs."""
    state = Service()
    with answering(_Handler, state) as address:
        state.address = f"{address}/v1"
        yield state


class _Handler(BaseHTTPRequestHandler):
    service: Service

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked = Asked(self.path, self.headers.get("authorization", ""), body)
        self.service.asked.append(asked)
        how = self.service.first.pop(0) if self.service.first else self.service.how
        if how == "objects" or (how == "objects to evil" and "evil" in json.dumps(body)):
            code = "data_inspection_failed"
            self._send(400, json.dumps({"error": {"code": code, "message": "inappropriate"}}).encode())
        elif how == "refuses":
            self._send(200, self._said(None, refusal="I can't look at this."))
        elif how.isdigit():
            self._send(int(how), b'{"error": {"message": "sk-secret-1234 is wrong"}}')
        elif how == "redirect":
            self.send_response(307)
            self.send_header("location", "http://127.0.0.1:1/v1/chat/completions")
            self.end_headers()
        elif how == "asleep":
            time.sleep(1.5)
            self._send(200, b"{}")
        elif how == "drips":
            self._drip(json.dumps(self.service.reply(asked.data)))
        elif how == "plain only" and ("response_format" in body or "temperature" in body):
            self._send(400, b'{"error": {"message": "unknown parameter"}}')
        elif how == "flood":
            self._send(200, b'{"choices": [' + b" " * 3_000_000)
        elif how == "deep":
            self._send(200, self._said("[" * 100_000))
        elif how == "half":
            self._send(200, self._said(json.dumps(self.service.reply(asked.data))[:-9]))
        elif how == "cut off":
            said = json.dumps(self.service.reply(asked.data))
            self._send(200, self._said(said, finish_reason="length"))
        elif how == "no choice":
            self._send(200, b'{"choices": []}')
        elif how == "no json":
            self._send(200, b"<html>welcome</html>")
        elif how == "fenced":
            said = json.dumps(self.service.reply(asked.data), ensure_ascii=False)
            self._send(200, self._said(f"<think>Hm {{}}.</think>Sure!\n```json\n{said}\n```\nDone."))
        elif how == "chatty":
            self._send(200, self._said(str(self.service.reply(asked.data))))
        else:
            said = json.dumps(self.service.reply(asked.data), ensure_ascii=False)
            self._send(200, self._said(said))

    def _said(self, content: str | None, finish_reason: str = "stop", **more: str) -> bytes:
        if content is not None and not self.path.endswith("/chat/completions"):
            return content.encode()
        message = {"role": "assistant", "content": content, **more}
        return json.dumps({"choices": [{"message": message, "finish_reason": finish_reason}]}).encode()

    def _drip(self, content: str) -> None:
        body = self._said(content) + b" " * 60
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:-60])
        for _ in range(60):
            self.wfile.write(b" ")
            time.sleep(0.1)
            self.service.dripped += 1

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
