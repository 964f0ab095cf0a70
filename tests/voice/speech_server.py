"""A speech service on loopback that answers well or badly, and remembers what it was asked."""

import io
import json
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import av
import numpy as np

from tests.loopback import answering

RATE = 24_000


def tone(seconds: float, *, rate: int = RATE, height: float = 0.2) -> bytes:
    """A WAV of a tone at 440 Hz, with 0.3 s of silence before and behind it."""
    at = np.arange(round(seconds * rate)) / rate
    quiet = np.zeros(round(0.3 * rate))
    wave_form = np.concatenate([quiet, height * np.sin(2 * np.pi * 440 * at), quiet])
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((wave_form * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def endless_header(data: bytes) -> bytes:
    """A WAV whose header gives no length, as services send that begin before they are done."""
    return data[:4] + b"\xff\xff\xff\xff" + data[8:40] + b"\xff\xff\xff\xff" + data[44:]


def mp3(seconds: float) -> bytes:
    """A tone as MP3."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as out:
        stream = out.add_stream("mp3", rate=44_100)
        at = np.arange(round(seconds * 44_100)) / 44_100
        samples = (0.2 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 44_100
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return buffer.getvalue()


@dataclass
class Server:
    """What the service says, and what it was asked: (method, path, authorization, body)."""

    address: str
    how: str = "wav"
    asked: list[tuple[str, str, str, Any]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Server]:
    """The service while it runs. `how` decides what it answers."""
    state = Server("")
    with answering(_Handler, state) as address:
        state.address = address
        yield state


class _Handler(BaseHTTPRequestHandler):
    service: Server

    def log_message(self, *_: Any) -> None:
        pass

    def _send(self, data: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self.service.asked.append(("GET", self.path, self.headers.get("Authorization", ""), None))
        self._send(tone(1.0))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.service.asked.append(("POST", self.path, self.headers.get("Authorization", ""), body))
        audio = {"data": "", "url": f"{self.service.address}/result.wav"}
        match self.service.how:
            case "wav":
                # A second, and a tenth for each character.
                self._send(tone(1.0 + len(body["input"]) / 10))
            case "mp3":
                self._send(mp3(2.0))
            case "endless header":
                self._send(endless_header(tone(1.0)))
            case "refused":
                self._send(b'{"error": "bad key sk-secret"}', 401)
            case "redirect":
                self._send(b"", 302, Location=f"{self.service.address}/elsewhere")
            case "text":
                self._send(b"<html>not a sound</html>")
            case "silence":
                self._send(tone(1.0, height=0.0))
            case "too long":
                self._send(tone(70.0, rate=8000))
            case "nothing":
                self._send(b"")
            case "flood":
                self._flood()
            case "asleep":
                time.sleep(3)
            case "dashscope":
                self._send(json.dumps({"output": {"audio": audio}}).encode())
            case "dashscope elsewhere":
                audio["url"] = "http://169.254.169.254/latest/meta-data"
                self._send(json.dumps({"output": {"audio": audio}}).encode())
            case "dashscope odd":
                self._send(json.dumps({"output": [1, 2]}).encode())
            case "dashscope deep":
                self._send(b"[" * 100_000)

    def _flood(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(200):
            self.wfile.write(bytes(1_000_000))
