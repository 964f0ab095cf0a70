"""The review room as a web app of its own: its page, its calls, its media, and nothing else of the studio.

Mounted twice: below /room for guests, where the link's token in the address is the only key, and below
/discuss for who shares, behind the studio's own door. Neither knows gradio; the guests' one reads no cookie
of the studio.
"""

import hmac
import json
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import segno
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from pipelines.request import Notice
from studio import access, doors, gate, words
from studio.core import Refused, Studio
from studio.room import guests, pages, sheet
from studio.room.comments import Spot
from studio.room.links import DAYS, MAX_DAYS
from studio.room.telling import told, told_comments, told_link, told_verdicts
from studio.room.types import Seat, room_of, tidy_name
from studio.serving import file_response
from studio.tries import Tries
from studio.words import LANGUAGES, Language

_TOKEN_HEADER = "x-room"
_MAX_BODY = 16_384
# As long as a link may last.
_NAME_KEPT = MAX_DAYS * 24 * 3600
_NEVER_KEEP = {"cache-control": "no-store"}
# Who writes by hand never meets these; by link and address, and by link alone.
_PACE, _PACE_ALL = (40, 60.0), (400, 60.0)
_STATUS = {
    "room_unknown": 404,
    "room_gone": 404,
    "story_unknown": 404,
    "project_unknown": 404,
    "grid_unknown": 404,
    "asset_unknown": 404,
    "file_missing": 404,
    "page_unknown": 404,
    "room_comment_gone": 404,
    "room_expired": 410,
    "room_revoked": 410,
    "room_forbidden": 403,
    "not_yours": 403,
    "room_too_many": 429,
}

SeatOf = Callable[[Request], Seat]


def guest_app(studio: Studio) -> FastAPI:
    """The app for who has a link."""
    app = _app()

    @app.api_route("/-/{name}", methods=["GET", "HEAD"])
    def static(request: Request, name: str) -> Response:
        return pages.static(request, name)

    def seat_of(request: Request) -> Seat:
        seat = studio.rooms.enter(request.path_params["token"])
        return guests.named(studio.settings, seat, request.cookies)

    _add_room(app, studio, "/{token}", seat_of)
    return app


def maker_app(studio: Studio) -> FastAPI:
    """The app for who shares: the same room, with the right to answer and to say what is done with."""
    app = _app()

    def seat_of(request: Request) -> Seat:
        visitor = access.visitor_of(request.cookies, studio.settings)
        room = room_of(request.path_params["kind"], request.path_params["subject"])
        return guests.named(studio.settings, studio.rooms.sit(visitor, room), request.cookies)

    prefix = "/{kind}/{subject}"
    _add_notes(app, studio)
    _add_room(app, studio, prefix, seat_of)
    _add_sharing(app, studio, prefix, seat_of)
    _add_sheets(app, studio, prefix, seat_of)
    return app


def _app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(pages.Private)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        return _refusal(request, error.notices)

    @app.exception_handler(404)
    @app.exception_handler(405)
    async def not_here(request: Request, error: Exception) -> Response:
        return _refusal(request, [Notice("room_unknown")])

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return _refusal(request, [Notice("generic")], 500)

    return app


def _refusal(request: Request, notices: list[Notice], status: int = 0) -> Response:
    status = status or max(_STATUS.get(notice.code, 400) for notice in notices)
    language = _language(request)
    sentences = [words.say(notice, language) for notice in notices]
    if "text/html" in request.headers.get("accept", ""):
        return pages.closed(request, sentences, language, status)
    found = [{"code": notice.code, "text": text} for notice, text in zip(notices, sentences, strict=True)]
    return JSONResponse({"errors": found}, status, headers=_NEVER_KEEP)


# -- the room: one page, what it asks, what it may say -----------------------------------------------------


def _add_room(app: FastAPI, studio: Studio, prefix: str, seat_of: SeatOf) -> None:
    rooms = studio.rooms

    @app.get(prefix)
    def slash(request: Request) -> Response:
        # Its own addresses are below it.
        return RedirectResponse(f"{_place(request, prefix)}/", 307)

    @app.get(prefix + "/")
    def page(request: Request) -> Response:
        seat = seat_of(request)
        title = rooms.view(seat).contents.title
        return pages.room(request, title, _language(request))

    @app.get(prefix + "/state")
    def state(request: Request) -> Response:
        seat = seat_of(request)
        mark = rooms.mark(seat.room)
        found = told(seat, rooms.view(seat)) | {
            "mark": mark,
            "token": guests.post_token(studio.settings, seat),
        }
        return JSONResponse(found, headers=_NEVER_KEEP)

    @app.get(prefix + "/now")
    def now(request: Request) -> Response:
        return JSONResponse({"mark": rooms.mark(seat_of(request).room)}, headers=_NEVER_KEEP)

    @app.api_route(prefix + "/media/{name}", methods=["GET", "HEAD"])
    def media(request: Request, name: str) -> Response:
        asset_id, _, kind = name.rpartition(".")
        if kind not in ("mp4", "webp"):
            raise Refused(Notice("page_unknown"))
        asset = rooms.asset(seat_of(request), asset_id)
        path = rooms.file(asset) if kind == "mp4" else rooms.still(asset)
        # Each time anew: a link that was revoked shows nothing from then on.
        headers = {"cache-control": "private, no-cache"}
        return file_response(request, path, "video/mp4" if kind == "mp4" else "image/webp", headers)

    _add_saying(app, studio, prefix, seat_of)


def _add_saying(app: FastAPI, studio: Studio, prefix: str, seat_of: SeatOf) -> None:
    rooms, by_address, by_link = studio.rooms, Tries(*_PACE), Tries(*_PACE_ALL)

    async def read(request: Request) -> tuple[Seat, dict[str, Any]]:
        """Who says something, and what: from our own page only, and not too much at once."""
        seat = await run_in_threadpool(seat_of, request)
        link = seat.link.id if seat.link else seat.room.key
        address = f"{link} {request.client.host if request.client else ''}"
        if by_address.too_many(address) or by_link.too_many(link):
            raise Refused(Notice("room_too_many"))
        by_address.note(address)
        by_link.note(link)
        _from_our_page(request, studio, seat)
        return seat, await _body(request)

    @app.post(prefix + "/name")
    async def name(request: Request) -> Response:
        seat, given = await read(request)
        called = tidy_name(given.get("name"))
        response = JSONResponse({"name": called}, headers=_NEVER_KEEP)
        value = guests.cookie_of(studio.settings, seat, called)
        path = _place(request, prefix)
        cookie = gate.set_cookie(guests.COOKIE, value, request.scope, max_age=_NAME_KEPT, path=path)
        response.headers.append("set-cookie", cookie)
        return response

    @app.post(prefix + "/comment")
    async def comment(request: Request) -> Response:
        seat, given = await read(request)
        place = (_number(given.get(name)) for name in ("seconds", "x", "y"))
        spot = Spot(_id(given.get("item")), _id(given.get("asset")), *place)
        parent = _id(given.get("parent")) or None
        made = await run_in_threadpool(rooms.comment, seat, spot, given.get("text"), parent)
        return JSONResponse({"id": made.id}, headers=_NEVER_KEEP)

    @app.post(prefix + "/verdict")
    async def verdict(request: Request) -> Response:
        seat, given = await read(request)
        what = given.get("what")
        if what not in ("approve", "changes"):
            raise Refused(Notice("room_forbidden"))
        item, asset = _id(given.get("item")), _id(given.get("asset"))
        made = await run_in_threadpool(rooms.decide, seat, item, asset, what, given.get("text", ""))
        return JSONResponse({"id": made.id}, headers=_NEVER_KEEP)

    @app.post(prefix + "/resolve")
    async def resolve(request: Request) -> Response:
        seat, given = await read(request)
        await run_in_threadpool(rooms.resolve, seat, _id(given.get("comment")), bool(given.get("done", True)))
        return JSONResponse({"ok": True}, headers=_NEVER_KEEP)


# -- for who shares: links, what guests said of one clip, sheets -------------------------------------------


def _add_sharing(app: FastAPI, studio: Studio, prefix: str, seat_of: SeatOf) -> None:
    rooms = studio.rooms

    @app.get(prefix + "/links")
    def links(request: Request) -> Response:
        seat = seat_of(request)
        found = [told_link(link) for link in rooms.links(_visitor(request, studio), seat.room)]
        token = guests.post_token(studio.settings, seat)
        return JSONResponse({"links": found, "token": token}, headers=_NEVER_KEEP)

    @app.post(prefix + "/links")
    async def make(request: Request) -> Response:
        seat = await run_in_threadpool(seat_of, request)
        _from_our_page(request, studio, seat)
        given = await _body(request)
        days, note = _number(given.get("days", DAYS)), given.get("note")
        link, token = await run_in_threadpool(
            rooms.share,
            _visitor(request, studio),
            seat.room,
            str(given.get("rights", "")),
            days=int(days) if days is not None else DAYS,
            note=note if isinstance(note, str) else "",
        )
        address = f"{_base(given.get('base'))}/room/{token}/"
        code = segno.make(address, micro=False, error="m").svg_data_uri(scale=4, border=2, light="#fff")
        found = {"link": told_link(link), "address": address, "code": code}
        return JSONResponse(found, headers=_NEVER_KEEP)

    @app.post(prefix + "/revoke")
    async def revoke(request: Request) -> Response:
        seat = await run_in_threadpool(seat_of, request)
        _from_our_page(request, studio, seat)
        link = _id((await _body(request)).get("link"))
        await run_in_threadpool(rooms.revoke, _visitor(request, studio), link)
        return JSONResponse({"ok": True}, headers=_NEVER_KEEP)


def _add_notes(app: FastAPI, studio: Studio) -> None:
    rooms = studio.rooms

    @app.get("/-/said/{asset_id}")
    def said(request: Request, asset_id: str) -> Response:
        visitor = _visitor(request, studio)
        comments, verdicts = rooms.told_of(visitor, asset_id)
        nobody = Seat(room_of("clips", asset_id), "make")
        found = {
            "comments": told_comments(nobody, comments),
            "verdicts": told_verdicts(nobody, None, verdicts),
        }
        return JSONResponse(found, headers=_NEVER_KEEP)

    @app.get("/-/now")
    def now(request: Request) -> Response:
        # Open pages ask this every few seconds: one number for whatever is said anywhere.
        return JSONResponse({"mark": rooms.said_mark()}, headers=_NEVER_KEEP)


def _add_sheets(app: FastAPI, studio: Studio, prefix: str, seat_of: SeatOf) -> None:
    rooms = studio.rooms

    @app.get(prefix + "/decisions.csv")
    def table(request: Request) -> Response:
        seat = seat_of(request)
        text = sheet.table(rooms.view(seat), _language(request))
        headers = _NEVER_KEEP | {"content-disposition": _named(seat, ".csv")}
        # Spreadsheets read UTF-8 only where it says so at its beginning.
        return Response("\ufeff" + text, media_type="text/csv; charset=utf-8", headers=headers)

    @app.get(prefix + "/decisions.pdf")
    def paper(request: Request) -> Response:
        seat = seat_of(request)
        view = rooms.view(seat)
        stills = {asset: path for asset in view.contents.assets if (path := _still(studio, seat, asset))}
        content = sheet.paper(view, _language(request), stills)
        headers = _NEVER_KEEP | {"content-disposition": _named(seat, ".pdf")}
        return Response(content, media_type="application/pdf", headers=headers)


def _still(studio: Studio, seat: Seat, asset_id: str) -> bytes:
    try:
        return studio.rooms.still(studio.rooms.asset(seat, asset_id)).read_bytes()
    except (Refused, OSError):
        return b""


def _named(seat: Seat, suffix: str) -> str:
    return f'attachment; filename="review-{seat.room.kind}-{seat.room.subject[:12]}{suffix}"'


# -- within ------------------------------------------------------------------------------------------------


def _place(request: Request, prefix: str) -> str:
    """The path that a room's own addresses lie below."""
    return str(request.scope.get("root_path", "")) + prefix.format(**request.path_params)


def _visitor(request: Request, studio: Studio) -> access.Visitor:
    return access.visitor_of(request.cookies, studio.settings)


def _from_our_page(request: Request, studio: Studio, seat: Seat) -> None:
    wanted = guests.post_token(studio.settings, seat)
    if not hmac.compare_digest(request.headers.get(_TOKEN_HEADER, "").encode(), wanted.encode()):
        raise Refused(Notice("room_reload"))


async def _body(request: Request) -> dict[str, Any]:
    """A post's JSON object; Refused for anything else."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise Refused(Notice("room_reload"))
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(Notice("room_reload")) from error
    if not isinstance(found, dict):
        raise Refused(Notice("room_reload"))
    return found


def _id(given: object) -> str:
    return given[:64] if isinstance(given, str) else ""


def _number(given: object) -> float | None:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    try:
        return float(given) if math.isfinite(given) else None
    except OverflowError:
        return None


def _base(given: object) -> str:
    """Where this site lies for who makes a link, as their browser says; it only stands in what they get."""
    parts = urlsplit(given) if isinstance(given, str) and len(given) < 300 and given.isprintable() else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _language(request: Request) -> Language:
    asked = request.query_params.get("language")
    found = next((one for one in LANGUAGES if one == asked), None)
    return found or doors.language_of(request.headers, request.cookies)
