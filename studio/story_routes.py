"""The routes of stories: files in and out, subtitles and other formats of films, voices and music."""

import contextlib
import secrets
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from pipelines.request import Notice
from studio import access, doors, table_routes
from studio.access import Visitor
from studio.core import Refused, Studio
from studio.formats import SIDECAR, Exports, Made
from studio.library import Asset
from studio.media import tracks
from studio.media.export import KINDS, SUFFIXES, Kind
from studio.media.ffmpeg import MediaError
from studio.media.music import MAX_BYTES as MAX_MUSIC_BYTES
from studio.media.music import bed
from studio.media.probe import thumbnail
from studio.stories import What
from studio.story import files
from studio.story_pulse import pulse
from studio.voice.problems import VoiceError
from studio.voice.samples import recorded
from studio.voice.speak import speak
from studio.voice.voices import VOICES, sample
from studio.words import Language, named, say

MAX_BYTES: dict[What, int] = {"music": MAX_MUSIC_BYTES, "logo": 30_000_000, "shot": 500_000_000}
_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif", ".png": "image/png"}
_PRIVATE = {"cache-control": "private, no-cache"}
# The content's hash is the name: it never changes under its address.
_KEPT = {"cache-control": "private, max-age=3600"}


def add_routes(app: FastAPI, studio: Studio) -> None:
    """All routes below /story, /film, /export, /still, /brought, /voice and /music."""
    _add_stories(app, studio)
    table_routes.add_routes(app, studio)
    _add_brought(app, studio)
    _add_films(app, studio)
    _add_sounds(app, studio)


def _who(request: Request, studio: Studio) -> Visitor:
    return access.visitor_of(request.cookies, studio.settings)


def _language(request: Request) -> Language:
    asked = named(request.query_params.get("language"))
    return asked or doors.language_of(request.headers, request.cookies)


# -- a story as a file, and as a sheet -------------------------------------------------------------------


def _add_stories(app: FastAPI, studio: Studio) -> None:
    @app.get("/story/{story_id}.json")
    def as_json(request: Request, story_id: str) -> Response:
        visitor = _who(request, studio)
        title = studio.stories.get(visitor, story_id).story.title
        text = studio.stories.export_json(visitor, story_id)
        headers = _PRIVATE | {"content-disposition": _named(title, ".json")}
        return Response(text, media_type="application/json", headers=headers)

    @app.get("/story/{story_id}/now")
    def now(story_id: str) -> Response:
        # Open pages ask this every few seconds: nothing is read but a few numbers.
        found = pulse(studio.engine, story_id)
        if found is None:
            raise Refused(Notice("story_unknown"))
        return JSONResponse({"mark": found.mark}, headers={"cache-control": "no-store"})

    @app.get("/story/{story_id}/storyboard")
    def storyboard(request: Request, story_id: str) -> Response:
        host, root = request.headers.get("host", ""), request.scope.get("root_path", "")
        base = f"{request.url.scheme}://{host}{root}"
        html = studio.stories.storyboard(_who(request, studio), story_id, base, _language(request))
        return HTMLResponse(html, headers=_PRIVATE)

    @app.post("/story/{story_id}/file")
    async def bring(request: Request, story_id: str, what: str, name: str = "", shot: str = "") -> Response:
        # As it goes to our own page, the answer is in the language of that page.
        try:
            await _bring(request, studio, story_id, what=what, name=name, shot=shot)
        except Refused as refused:
            return doors.refused(refused.notices, _language(request), headers=_PRIVATE)
        return JSONResponse({"ok": True}, headers=_PRIVATE)


async def _bring(request: Request, studio: Studio, story_id: str, *, what: str, name: str, shot: str) -> None:
    """Take a file in piece by piece, never more than it may have, and hand it to the story."""
    visitor = _who(request, studio)
    kind = next((one for one in MAX_BYTES if one == what), None)
    if kind is None:
        raise Refused(Notice("page_unknown"))
    view = await run_in_threadpool(studio.stories.get, visitor, story_id)
    if not view.may_change:
        raise Refused(Notice("not_yours"))
    most = MAX_BYTES[kind]
    part = studio.settings.tmp / f"brought-{secrets.token_hex(8)}"
    size = 0
    try:
        with part.open("wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise Refused(Notice("file_too_big", {"high": most // 1_000_000}))
                await run_in_threadpool(file.write, chunk)
        if not size:
            raise Refused(Notice("file_empty"))
        await run_in_threadpool(
            studio.stories.attach, visitor, story_id, kind, part, name[:200], shot_id=shot or None
        )
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _add_brought(app: FastAPI, studio: Studio) -> None:
    """What was brought to a story: to see, to hear, to watch."""

    def found(request: Request, story_id: str, name: str) -> Path:
        studio.stories.get(_who(request, studio), story_id)
        home = studio.settings.studio_home
        if not files.is_kept(home, story_id, f"{files.FOLDER}/{story_id}/{name}"):
            raise Refused(Notice("file_missing"))
        return files.folder_of(home, story_id) / name

    @app.api_route("/brought/{story_id}/{name}", methods=["GET", "HEAD"])
    def brought(request: Request, story_id: str, name: str) -> Response:
        path = found(request, story_id, name)
        # Nothing that is brought may ever be read as a page.
        kind = _TYPES.get(path.suffix, "audio/mpeg")
        return FileResponse(path, media_type=kind, headers=_KEPT)

    @app.api_route("/still/{story_id}/{name}", methods=["GET", "HEAD"])
    def still(request: Request, story_id: str, name: str, at: float = 0.0) -> Response:
        try:
            picture = thumbnail(found(request, story_id, name), at=min(600.0, max(0.0, at)) + 0.04)
        except MediaError as error:
            raise Refused(error.notice) from error
        return Response(picture, media_type="image/webp", headers=_KEPT)


# -- films: subtitles, other formats ---------------------------------------------------------------------


def _add_films(app: FastAPI, studio: Studio) -> None:
    exports = Exports(studio.engine, studio.settings, studio.assets)

    @app.get("/film/{name}")
    def subtitles(request: Request, name: str, language: str = "zh", download: bool = False) -> Response:
        asset_id, _, kind = name.rpartition(".")
        if kind not in ("srt", "vtt"):
            raise Refused(Notice("page_unknown"))
        asset = studio.asset(_who(request, studio), asset_id)
        text = _subtitles(studio.library_file(asset), language, "srt" if kind == "srt" else "vtt")
        headers = dict(_PRIVATE)
        if download:
            headers["content-disposition"] = _named(f"{asset.asked} {language}", f".{kind}")
        kinds = {"srt": "application/x-subrip; charset=utf-8", "vtt": "text/vtt; charset=utf-8"}
        return Response(text, media_type=kinds[kind], headers=headers)

    @app.api_route("/export/{name}", methods=["GET", "POST"])
    def another_format(request: Request, name: str, status: bool = False) -> Response:
        beside = name.endswith(SIDECAR)
        asset_id, _, asked = name.removesuffix(SIDECAR).rpartition(".")
        kind = next((one for one in KINDS if one == asked), None)
        if kind is None:
            raise Refused(Notice("page_unknown"))
        asset = studio.asset(_who(request, studio), asset_id)
        if beside:
            return _credentials(exports.sidecar(asset, kind), asset, kind)
        if request.method == "POST":
            exports.begin(asset, kind)
        told = exports.state(asset, kind)
        if status:
            return JSONResponse(_told(told, _language(request)), headers=_PRIVATE)
        if told.path is None:
            raise Refused(told.error or Notice("export_not_made"))
        headers = _PRIVATE | {"content-disposition": _named(asset.asked, SUFFIXES[kind])}
        return FileResponse(told.path, media_type=_TYPES[SUFFIXES[kind]], headers=headers)


def _credentials(path: Path | None, asset: Asset, kind: Kind) -> Response:
    """What lies beside an export whose format has no place for its credentials."""
    if path is None:
        raise Refused(Notice("export_not_made"))
    headers = _PRIVATE | {"content-disposition": _named(asset.asked, SUFFIXES[kind] + SIDECAR)}
    return FileResponse(path, media_type="application/c2pa", headers=headers)


def _subtitles(path: Path, language: str, kind: tracks.TextKind) -> str:
    try:
        if language == "both":
            return tracks.written(
                tracks.both(tracks.subtitles(path, "zh"), tracks.subtitles(path, "en")), kind
            )
        known = named(language)
        if known is None:
            raise Refused(Notice("page_unknown"))
        return tracks.written(tracks.subtitles(path, known), kind)
    except MediaError as error:
        raise Refused(error.notice) from error
    except OSError as error:
        raise Refused(Notice("file_missing")) from error


def _told(made: Made, language: Language) -> dict[str, object]:
    if made.error is not None:
        return {"errors": [{"code": made.error.code, "text": say(made.error, language)}]}
    text = " ".join(say(notice, language) for notice in made.notices)
    return {"ready": made.path is not None, "share": made.share, "text": text}


# -- to hear ---------------------------------------------------------------------------------------------


def _add_sounds(app: FastAPI, studio: Studio) -> None:
    @app.api_route("/voice/{name}", methods=["GET", "HEAD"])
    def voice(name: str) -> Response:
        if name not in VOICES:
            raise Refused(Notice("page_unknown"))
        if path := recorded(name):
            return FileResponse(path, media_type="audio/ogg", headers=_KEPT)
        try:
            speech = speak(sample(name), voice=name, home=studio.settings.studio_home)
        except (MediaError, VoiceError) as error:
            raise Refused(error.notice) from error
        if speech is None:
            raise Refused(Notice("file_missing"))
        return FileResponse(speech.path, media_type="audio/wav", headers=_KEPT)

    @app.api_route("/music/{name}", methods=["GET", "HEAD"])
    def music(name: str) -> Response:
        try:
            path = bed(name).path
        except MediaError as error:
            raise Refused(Notice("page_unknown")) from error
        return FileResponse(path, media_type="audio/ogg", headers=_KEPT)


def _named(title: str, suffix: str) -> str:
    """A Content-Disposition with a file name from a title, safe on every system (RFC 6266)."""
    words = (
        "-".join("".join(c if c.isalnum() else " " for c in title).split())[:60].strip("-") or "wan-studio"
    )
    plain = "".join(c for c in words if c.isascii()).strip("-") or "wan-studio"
    return f"attachment; filename=\"{plain}{suffix}\"; filename*=UTF-8''{quote(words)}{suffix}"
