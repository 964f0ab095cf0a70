"""A hub on loopback in the hub's wire format, for the real client: one repository, faults as scripted."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pipelines.fetch import Hub
from pipelines.models import MODELS
from pipelines.repos import Weights, of_model
from tests.loopback import answering

SPEC = MODELS["wan2.1-t2v-1.3b"]
WEIGHTS = of_model(SPEC)
COMMIT = WEIGHTS.revision or ""
LARGE = "transformer/diffusion_pytorch_model.safetensors"


@dataclass
class Asked:
    """One request: what the client said."""

    method: str
    path: str
    range: str
    token: str
    host: str


@dataclass
class Repo:
    """What the hub serves, and how badly.

    `faults` by a file's name, one is used up per GET: a status (500), "short" (the line breaks in the
    middle), "other" (other bytes), "whole" (no ranges). `pause`: after so many bytes of a file it waits for
    `go`. `extra`: names that are listed besides.
    """

    folder: Path
    commit: str = COMMIT
    repo: str = WEIGHTS.repo
    faults: dict[str, list[Any]] = field(default_factory=dict)
    listing: list[int] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    token: str = ""
    gated: bool = False
    bare: bool = False
    redirect: str = ""
    pause: dict[str, int] = field(default_factory=dict)
    go: threading.Event = field(default_factory=threading.Event)
    asked: list[Asked] = field(default_factory=list)
    served: int = 0

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def gets(self, name: str) -> list[Asked]:
        """The GETs of one file."""
        return [one for one in self.asked if one.method == "GET" and one.path.endswith("/" + name)]


class _Door(BaseHTTPRequestHandler):
    service: Repo
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        repo, path = self.service, unquote(urlsplit(self.path).path)
        said = self.headers.get("Authorization", "").removeprefix("Bearer ")
        host = self.headers.get("Host", "")
        repo.asked.append(Asked(self.command, path, self.headers.get("Range", ""), said, host))
        if path.startswith("/cdn/"):
            return self._file(path.removeprefix("/cdn/"))
        if repo.token and said != repo.token:
            code = "GatedRepo" if repo.gated else "RepoNotFound"
            return self._plain(403 if repo.gated else 401, {"X-Error-Code": code})
        if path in (f"/api/models/{repo.repo}", f"/api/models/{repo.repo}/revision/{repo.commit}"):
            if repo.listing:
                return self._plain(repo.listing.pop(0))
            return self._json(self._facts())
        if path.startswith(f"/api/models/{repo.repo}/"):
            return self._plain(404, {"X-Error-Code": "RevisionNotFound"})
        start = f"/{repo.repo}/resolve/{repo.commit}/"
        if not path.startswith(start):
            return self._plain(404, {"X-Error-Code": "RepoNotFound"})
        self._file(path.removeprefix(start))

    def _facts(self) -> dict[str, Any]:
        siblings: list[dict[str, Any]] = [{"rfilename": name} for name in self.service.extra]
        for name, content in self.service.files().items():
            entry: dict[str, Any] = {"rfilename": name}
            if not self.service.bare:
                entry |= {"size": len(content), "blobId": _blob(content)}
                if name.endswith(".safetensors"):
                    sha = hashlib.sha256(content).hexdigest()
                    entry["lfs"] = {"size": len(content), "sha256": sha, "pointerSize": 130}
            siblings.append(entry)
        return {"id": self.service.repo, "sha": self.service.commit, "siblings": siblings, "private": False}

    def _file(self, name: str) -> None:
        repo = self.service
        content = repo.files().get(name)
        if content is None:
            return self._plain(404, {"X-Error-Code": "EntryNotFound"})
        large = name.endswith(".safetensors")
        etag = hashlib.sha256(content).hexdigest() if large else _blob(content)
        facts = {"X-Repo-Commit": repo.commit, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        if large and repo.redirect and not self.path.startswith("/cdn/"):
            facts |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(content))}
            return self._plain(302, facts | {"Location": f"{repo.redirect}/cdn/{name}"})
        if self.command == "HEAD":
            return self._plain(200, facts, length=len(content))
        fault = repo.faults.get(name, [])
        wrong = fault.pop(0) if fault else None
        if isinstance(wrong, int):
            return self._plain(wrong, {"Retry-After": "0"} if wrong == 429 else {})
        asked = self.headers.get("Range", "")
        begin = 0 if wrong == "whole" or not asked else int(asked.removeprefix("bytes=").partition("-")[0])
        body = content[begin:]
        if wrong == "other":
            body = bytes(byte ^ 1 for byte in body)
        if begin:
            facts["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self._send(
            name, 206 if begin else 200, facts, body, len(body) // 2 if wrong == "short" else len(body)
        )

    def _send(self, name: str, status: int, facts: dict[str, str], body: bytes, most: int) -> None:
        self.send_response(status)
        for key, value in (facts | {"Content-Length": str(len(body))}).items():
            self.send_header(key, value)
        self.end_headers()
        for at in range(0, most, 4096):
            stop = self.service.pause.get(name)
            if stop is not None and at >= stop:
                self.wfile.flush()
                self.service.go.wait(30)
            chunk = body[at : min(at + 4096, most)]
            self.wfile.write(chunk)
            self.service.served += len(chunk)
        if most < len(body):
            self.close_connection = True

    def _json(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _plain(self, status: int, facts: dict[str, str] | None = None, length: int = 0) -> None:
        self.send_response(status)
        for key, value in ((facts or {}) | {"Content-Length": str(length)}).items():
            self.send_header(key, value)
        self.end_headers()


def _blob(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@contextmanager
def serving(repo: Repo) -> Iterator[Hub]:
    """The hub, ready to be asked."""
    with answering(_Door, repo) as address:
        yield Hub(endpoint=address, token=repo.token, first_pause=0.01)
        repo.go.set()


def other(weights: Weights = WEIGHTS, **changes: Any) -> Weights:
    """The same weights with other facts."""
    from dataclasses import replace

    return replace(weights, **changes)
