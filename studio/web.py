"""The studio's own routes: films and pictures by right and range, previews, the door, languages, health."""

import asyncio
import re
from pathlib import Path
from urllib.parse import parse_qs, quote

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from pipelines.request import Notice
from studio import access, doors, gate, grid_routes, model_routes, picture_routes, story_routes, style_routes
from studio.api import dashscope, trace
from studio.core import Refused, Studio
from studio.library import Asset
from studio.room import app as room
from studio.serving import file_response
from studio.tries import Tries
from studio.words import LANGUAGES

# The styles' covers and the example film: shipped, the same for everybody.
_EXAMPLES = Path(__file__).resolve().parent.parent / "assets" / "examples"
_NAME = re.compile(r"([A-Za-z0-9_-]{1,64})\.(mp4|webp|jpg)")
_TYPES = {"mp4": "video/mp4", "webp": "image/webp", "jpg": "image/jpeg"}
_MAX_FORM_BYTES = 8192
_WRONG_TRY_SECONDS = 0.4
_STATUS = {
    "job_unknown": 404,
    "asset_unknown": 404,
    "story_unknown": 404,
    "style_gone": 404,
    "grid_unknown": 404,
    "file_missing": 404,
    "page_unknown": 404,
    "export_not_made": 404,
    "no_subtitles": 404,
    "internal": 500,
}
_FORBIDDEN = ("not_yours", "admin_only")


def make_app(studio: Studio) -> FastAPI:
    """The web application without the pages; app.py mounts those at /zh and /en."""
    app = FastAPI(title="Wan Studio", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(gate.OwnHostOnly)
    app.add_middleware(gate.Gate, settings=studio.settings)
    _word_errors(app)
    _add_media(app, studio)
    _add_doors(app, studio)
    _add_marks(app, studio)
    story_routes.add_routes(app, studio)
    style_routes.add_routes(app, studio)
    grid_routes.add_routes(app, studio)
    model_routes.add_routes(app, studio)
    picture_routes.add_routes(app, studio)
    trace.add_routes(app, studio)
    # Programs come by a key alone, by the service's own names.
    app.mount(dashscope.PLACE, dashscope.app(studio))
    # Guests come by a link alone; who shares comes through the door.
    app.mount("/room", room.guest_app(studio))
    app.mount("/discuss", room.maker_app(studio))

    @app.get("/healthz")
    def healthz() -> dict[str, bool]:
        return {"ok": True}

    app.mount("/examples", StaticFiles(directory=_EXAMPLES))

    @app.get("/favicon.ico")
    def icon() -> Response:
        headers = {"cache-control": "public, max-age=86400"}
        return FileResponse(doors.FOLDER / "icon.svg", media_type="image/svg+xml", headers=headers)

    @app.api_route("/", methods=["GET", "HEAD"])
    def start(request: Request) -> Response:
        language = doors.language_of(request.headers, request.cookies)
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {"vary": "accept-language, cookie", "cache-control": "no-store"}
        return RedirectResponse(f"{_root(request)}/{language}/{query}", 307, headers=headers)

    @app.get("/lang/{language}")
    def choose_language(request: Request, language: str, next: str = "/") -> Response:
        if language not in LANGUAGES:
            raise HTTPException(404)
        go_on = re.sub(r"^/(zh|en)(?=/|$|\?)", f"/{language}", doors.local_path(next))
        response = RedirectResponse(_root(request) + go_on, 303)
        cookie = gate.set_cookie(access.LANGUAGE_COOKIE, language, request.scope)
        response.headers.append("set-cookie", cookie)
        return response

    return app


def _add_media(app: FastAPI, studio: Studio) -> None:
    """Films, stills and previews. Plain functions: they ask the database and the disk, so in threads."""

    @app.api_route("/media/{name}", methods=["GET", "HEAD"])
    def media(request: Request, name: str, download: bool = False) -> Response:
        match = _NAME.fullmatch(name)
        if not match:
            raise Refused(Notice("page_unknown"))
        asset = studio.asset(access.visitor_of(request.cookies, studio.settings), match[1])
        kind = match[2]
        path = studio.library_file(asset) if kind == "mp4" else studio.thumbnail_file(asset)
        if kind != path.suffix.removeprefix("."):
            raise Refused(Notice("page_unknown"))
        headers = {"cache-control": "private, no-cache" if kind == "mp4" else "private, max-age=3600"}
        if download:
            headers["content-disposition"] = attachment(asset)
        return file_response(request, path, _TYPES[kind], headers)

    @app.api_route("/preview/{name}", methods=["GET", "HEAD"])
    def preview(request: Request, name: str) -> Response:
        match = _NAME.fullmatch(name)
        if not match or match[2] != "webp":
            raise Refused(Notice("page_unknown"))
        picture = studio.preview(access.visitor_of(request.cookies, studio.settings), match[1])
        if picture is None:
            raise Refused(Notice("page_unknown"))
        # The address carries the version, so a picture asked for twice is the same one.
        return Response(picture, media_type="image/webp", headers={"cache-control": "private, max-age=60"})


def _add_marks(app: FastAPI, studio: Studio) -> None:
    """What an open tab asks every few seconds: whether anything there is another by now."""

    @app.get("/library/now")
    def library() -> Response:
        return JSONResponse({"mark": studio.finder.mark()}, headers={"cache-control": "no-store"})

    @app.get("/review/now")
    def review(request: Request) -> Response:
        if not access.visitor_of(request.cookies, studio.settings).admin:
            raise Refused(Notice("admin_only"))
        told = {"mark": studio.reviews.mark(), "count": studio.reviews.count()}
        return JSONResponse(told, headers={"cache-control": "no-store"})


def _add_doors(app: FastAPI, studio: Studio) -> None:
    """Where the password and the admin token are entered."""
    settings, tries = studio.settings, Tries()

    @app.get("/pass")
    def back_to_the_start(request: Request) -> Response:
        # Somebody opens the address of the page that said "wrong": the start asks again.
        return RedirectResponse(f"{_root(request)}/", 303)

    @app.post("/pass")
    async def enter(request: Request) -> Response:
        secret, go_on = await _entered(request)
        name, cookie = access.PASS_COOKIE, access.pass_cookie(secret, settings)
        if not settings.access_password or (cookie and not tries.too_many(_address(request))):
            return _go_on(request, go_on, name, cookie)
        wrong, status = await _wrong(request, "password_wrong")
        language = doors.language_of(request.headers, request.cookies)
        return doors.password_page(_root(request), language=language, go_on=go_on, wrong=wrong, status=status)

    @app.get("/admin")
    def ask_for_the_token(request: Request, next: str = "/") -> Response:
        language = doors.language_of(request.headers, request.cookies)
        return doors.admin_page(_root(request), language=language, go_on=next)

    @app.post("/admin")
    async def become_admin(request: Request) -> Response:
        secret, go_on = await _entered(request)
        name, cookie = access.ADMIN_COOKIE, access.admin_cookie(secret, settings)
        if cookie and not tries.too_many(_address(request)):
            return _go_on(request, go_on, name, cookie)
        wrong, status = await _wrong(request, "token_wrong" if settings.admin_token else "token_unset")
        language = doors.language_of(request.headers, request.cookies)
        return doors.admin_page(_root(request), language=language, go_on=go_on, wrong=wrong, status=status)

    async def _wrong(request: Request, code: str) -> tuple[Notice, int]:
        address = _address(request)
        if tries.too_many(address):
            return Notice("too_many_tries"), 429
        tries.note(address)
        await asyncio.sleep(_WRONG_TRY_SECONDS)
        return Notice(code), 403

    def _go_on(request: Request, go_on: str, name: str, cookie: str | None) -> Response:
        response = RedirectResponse(_root(request) + go_on, 303)
        if cookie:
            response.headers.append("set-cookie", gate.set_cookie(name, cookie, request.scope))
        return response


def _word_errors(app: FastAPI) -> None:
    """Every error leaves as a sentence, never as a stack trace."""

    def answer(request: Request, notices: list[Notice], status: int) -> Response:
        return doors.refusal(
            notices, status, headers=request.headers, cookies=request.cookies, root=_root(request)
        )

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        codes = [notice.code for notice in error.notices]
        status = (
            403
            if any(code in _FORBIDDEN for code in codes)
            else max(_STATUS.get(code, 400) for code in codes)
        )
        return answer(request, error.notices, status)

    @app.exception_handler(HTTPException)
    async def not_here(request: Request, error: HTTPException) -> Response:
        return answer(
            request, [Notice("page_unknown" if error.status_code == 404 else "generic")], error.status_code
        )

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return answer(request, [Notice("generic")], 500)


def attachment(asset: Asset) -> str:
    """A Content-Disposition with a file name from the prompt, safe on every system (RFC 6266)."""
    words = re.sub(r"[\W_]+", "-", asset.asked).strip("-")[:60].strip("-") or "wan-studio"
    ascii_words = re.sub(r"[^A-Za-z0-9-]+", "", words).strip("-") or f"wan-studio-{asset.id[:8]}"
    return f"attachment; filename=\"{ascii_words}.mp4\"; filename*=UTF-8''{quote(words)}.mp4"


async def _entered(request: Request) -> tuple[str, str]:
    """What a door's form holds: the secret, and where to go on to."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM_BYTES:
            raise HTTPException(413)
    form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    return form.get("secret", [""])[0].strip(), doors.local_path(form.get("next", ["/"])[0])


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", ""))
