"""What every request passes first: who comes, from where, is the door open. Streams aren't held up.

Also keeps Gradio's page from asking other hosts for anything.
"""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.request import Notice
from studio import access, doors
from studio.settings import Settings

_FOR_ANYBODY = ("/healthz", "/favicon.ico")
# Review rooms: each link is its own key there, and a guest is nobody here (`studio.room.app`).
_FOR_GUESTS = "/room/"
# The same goes for programs: the API key is theirs (`studio.api.dashscope`).
_FOR_KEYS = "/api/v1/"
_PAGES = ("/zh/", "/en/")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Gradio's own scripts are inline and build functions from text; everything else stays on this host.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data: blob:; "
    "media-src 'self' data: blob:; connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'"
)
_SPACE_PARENTS = "https://huggingface.co https://*.huggingface.co https://*.hf.space"


class Gate:
    """Middleware: sets the owner cookie, asks for the password, refuses foreign origins, sets headers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            # Nothing here speaks WebSocket, so it can only be somebody trying to get past the door.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http" or own_path(scope) in _FOR_ANYBODY:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies = read_cookies(headers)
        path = own_path(scope)
        if path.startswith((_FOR_GUESTS, _FOR_KEYS)):
            await (self._misled(scope, headers, cookies) or self.app)(scope, receive, send)
            return
        known = access.visitor_of(cookies, self.settings).owner != ""
        owner = cookies[access.OWNER_COOKIE] if known else access.new_owner(self.settings)
        # Browsers forget a cookie after 400 days, whatever it says: opening the page starts them anew.
        told = not known or path in _PAGES
        if not known:
            # The first request already belongs to somebody: what it starts is theirs.
            cookies = {**cookies, access.OWNER_COOKIE: owner}
            line = "; ".join(filter(None, (headers.get("cookie"), f"{access.OWNER_COOKIE}={owner}")))
            kept = [pair for pair in scope["headers"] if pair[0] != b"cookie"]
            scope = {**scope, "headers": [*kept, (b"cookie", line.encode("latin-1", "replace"))]}

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = MutableHeaders(scope=message)
                for name, value in _protection(headers).items():
                    added.setdefault(name, value)
                if told and message["status"] < 400:
                    added.append("set-cookie", set_cookie(access.OWNER_COOKIE, owner, scope))
            await send(message)

        refused = self._refused(scope, headers, cookies)
        await (refused or self.app)(scope, receive, dressed)

    def _refused(self, scope: Scope, headers: Headers, cookies: Mapping[str, str]) -> ASGIApp | None:
        """The answer for a request that may not pass, None for one that may."""
        path, root = own_path(scope), scope.get("root_path", "")
        if misled := self._misled(scope, headers, cookies):
            return misled
        if path == "/pass" or access.may_enter(cookies, self.settings):
            return None
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            query = scope["query_string"].decode("latin-1")
            go_on = f"{path}?{query}" if query else path
            return doors.password_page(root, language=doors.language_of(headers, cookies), go_on=go_on)
        return doors.refusal([Notice("password_needed")], 401, headers=headers, cookies=cookies, root=root)

    def _misled(self, scope: Scope, headers: Headers, cookies: Mapping[str, str]) -> ASGIApp | None:
        """The answer for a request that another site's page had a browser make, None for any other."""
        root = scope.get("root_path", "")
        if self.settings.private and not _is_loopback(headers.get("host", "")):
            # A page elsewhere can point its own name at 127.0.0.1: only this machine's names may be used.
            return doors.refusal([Notice("wrong_host")], 403, headers=headers, cookies=cookies, root=root)
        if scope["method"] not in _SAFE_METHODS and not _own_origin(headers):
            return doors.refusal([Notice("wrong_origin")], 403, headers=headers, cookies=cookies, root=root)
        return None


class OwnHostOnly:
    """Middleware: takes out of Gradio's HTML what makes browsers ask other hosts, and sets its language."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        language = (
            {"/zh": "zh-CN", "/en": "en"}.get(own_path(scope).rstrip("/"))
            if scope["type"] == "http"
            else None
        )
        if language is None or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        # Compressed text can't be read here, and one page an hour does not need compression.
        plain = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        own_host = Headers(scope=scope).get("host", "")
        start: Message | None = None
        body = bytearray()

        async def rewritten(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                if Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                    start = message
                    return
            elif start is not None:
                body.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                html = own_host_only(body.decode("utf-8", "replace"), own_host, language).encode()
                MutableHeaders(scope=start)["content-length"] = str(len(html))
                await send(start)
                message = {"type": "http.response.body", "body": html}
            await send(message)

        await self.app({**scope, "headers": plain}, receive, rewritten)


_TAGS = re.compile(r"<script\b[^>]*?\bsrc=[^>]*>\s*</script>|<link\b[^>]*>|<meta\b[^>]*>", re.I)
_ADDRESS = re.compile(r"""\b(?:src|href|content)\s*=\s*["']?\s*((?:https?:)?//[^"'\s>]*)""", re.I)
# Gradio names a manifest that it does not serve below a path.
_MANIFEST = re.compile(r"""<link\b[^>]*\brel=["']manifest["'][^>]*>""", re.I)


def own_host_only(html: str, own_host: str, language: str) -> str:
    """The page without scripts, stylesheets, hints and metadata that lie on another host."""

    def keep(tag: re.Match[str]) -> str:
        address = _ADDRESS.search(tag[0])
        return tag[0] if address is None or urlsplit(address[1]).netloc == own_host else ""

    html = _TAGS.sub(keep, _MANIFEST.sub("", html))
    return re.sub(r'(<html\b[^>]*?\blang=)"[^"]*"', rf'\1"{language}"', html, count=1)


def read_cookies(headers: Headers) -> dict[str, str]:
    """The cookies of a request."""
    return cookie_parser(headers.get("cookie", ""))


def set_cookie(name: str, value: str, scope: Scope, *, max_age: int = access.YEARS_5, path: str = "/") -> str:
    """A Set-Cookie header. A hosted Space stands in another site's frame: only SameSite=None gets there."""
    cookie = f"{name}={value}; Max-Age={max_age}; Path={path}; HttpOnly"
    if _in_a_space(Headers(scope=scope)):
        return f"{cookie}; SameSite=None; Secure; Partitioned"
    return f"{cookie}; SameSite=Lax" + ("; Secure" if scope.get("scheme") == "https" else "")


def _protection(headers: Headers) -> dict[str, str]:
    """What browsers are told on every answer."""
    parents = _SPACE_PARENTS if _in_a_space(headers) else "'self'"
    return {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",  # a job's address opens the job: it isn't told to others
        "content-security-policy": f"{_POLICY}; frame-ancestors {parents}",
    }


def _in_a_space(headers: Headers) -> bool:
    return headers.get("host", "").endswith(".hf.space")


def own_path(scope: Scope) -> str:
    """The request's path without the prefix that a proxy serves this site under."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] or "/" if root and path.startswith(root + "/") else path


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _own_origin(headers: Headers) -> bool:
    """Whether a request that changes something was made by our own page, or by a program."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")
