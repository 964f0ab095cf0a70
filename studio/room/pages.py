"""The room's page, the page of a link that opens nothing, what both load, and what browsers are told."""

import json
import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.request import Notice
from studio import words
from studio.refusal import Refused
from studio.serving import file_response
from studio.ui import synced
from studio.words import Language

_HERE = Path(__file__).resolve().parent
_LOOK = _HERE.parent / "ui"
_FILES = {
    "room.js": _HERE / "room.js",
    "talk.js": _HERE / "talk.js",
    "first.js": _HERE / "first.js",
    "room.css": _HERE / "room.css",
    "synced.js": _LOOK / "synced.js",
    "synced.css": _LOOK / "synced.css",
}
_KINDS = {".js": "text/javascript", ".css": "text/css"}
# What the colours of the studio are is written in its own look, once.
_TOKENS = re.compile(r"^:root(?:\[data-theme=light\])? \{.*?^\}", re.MULTILINE | re.DOTALL)
_NEVER_KEEP = {"cache-control": "no-store"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_TOLD = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow, noarchive",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Private:
    """Middleware: tells browsers to keep a room's address and content to themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _TOLD.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, dressed)


def static(request: Request, name: str) -> Response:
    """One of the files that the page loads."""
    if name == "tokens.css":
        return Response(_tokens(), media_type="text/css", headers={"cache-control": "no-cache"})
    path = _FILES.get(name)
    if path is None:
        raise Refused(Notice("page_unknown"))
    return file_response(request, path, _KINDS[path.suffix], {"cache-control": "no-cache"})


def room(request: Request, title: str, language: Language) -> Response:
    """The page of a room; what is in it is asked for by room.js."""
    told = {"words": words.room(language), "player": json.loads(synced.said(language)), "language": language}
    # Within a script nothing may look like its end.
    data = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    said = {f"t_{key}": escape(text) for key, text in words.room(language).items()}
    other, called = ("en", "English") if language == "zh" else ("zh", "中文")
    named = {"title": escape(title or words.room(language)["untitled"]), "other": other, "other_name": called}
    return _page(request, "room.html", language, 200, data=data, **named, **said)


def closed(request: Request, sentences: list[str], language: Language, status: int) -> Response:
    """The page of a link that opens nothing (any more): a sentence, and nothing else of the studio."""
    body = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    title = escape(words.room(language)["closed"])
    return _page(request, "closed.html", language, status, title=title, body=body)


def _page(request: Request, name: str, language: Language, status: int, **values: str) -> Response:
    lang = "zh-CN" if language == "zh" else "en"
    # Below both mounts the files lie in the guests' one.
    root = str(request.scope.get("root_path", "")).rpartition("/")[0]
    html = _template(name).substitute(lang=lang, files=escape(f"{root}/room/-"), **values)
    return HTMLResponse(html, status, headers=_NEVER_KEEP)


@cache
def _template(name: str) -> Template:
    return Template((_HERE / name).read_text(encoding="utf-8"))


@cache
def _tokens() -> str:
    look = (_LOOK / "studio.css").read_text(encoding="utf-8")
    return "\n".join(found[0] for found in _TOKENS.finditer(look))
