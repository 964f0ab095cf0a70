"""POST /api/trace: a video in, as the body itself or as a form's file; what is known of it out, as JSON."""

import contextlib
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import JSONResponse, Response

from pipelines.request import Notice
from studio import access, doors, words
from studio.core import Refused, Studio
from studio.recipe import MAX_FILE_BYTES
from studio.tracing import Kin, TraceView
from studio.words import LANGUAGES, Language

_CHUNK = 1 << 20
_HEADERS = {"cache-control": "no-store"}
# What a form has around its file.
_ROUND_IT = 64 * 1024


def add_routes(app: FastAPI, studio: Studio) -> None:
    """The route /api/trace. `?language=zh|en` words the answer; errors are `{"errors": [{code, text}]}`."""

    @app.post("/api/trace")
    async def trace(request: Request, language: str = "") -> Response:
        visitor = access.visitor_of(request.cookies, studio.settings)
        spoken = next((one for one in LANGUAGES if one == language), None)
        spoken = spoken or doors.language_of(request.headers, request.cookies)
        path = studio.settings.tmp / f"traced-{secrets.token_hex(8)}"
        try:
            await _take_in(request, path)
            view = await run_in_threadpool(studio.trace, visitor, path)
        except Refused as refused:
            errors = [{"code": notice.code, "text": words.say(notice, spoken)} for notice in refused.notices]
            busy = any(notice.code == "trace_busy" for notice in refused.notices)
            return JSONResponse({"errors": errors}, 503 if busy else 400, headers=_HEADERS)
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
        return JSONResponse(told(view, spoken), headers=_HEADERS)

    @app.get("/api/trace")
    def not_so(request: Request) -> Response:
        """Who opens the address in a browser is told how it is used."""
        notice = Notice("trace_post")
        text = words.say(notice, doors.language_of(request.headers, request.cookies))
        headers = {**_HEADERS, "allow": "POST"}
        return JSONResponse({"errors": [{"code": notice.code, "text": text}]}, 405, headers=headers)


def told(view: TraceView, language: Language) -> dict[str, Any]:
    """An answer as JSON has it: codes to rely on, and the same in words."""

    def say(notice: Notice) -> str:
        return words.say(notice, language)

    parts: dict[str, Any] = {
        line.part: {
            "sign": line.sign,
            "code": line.notice.code,
            **line.notice.values,
            "text": say(line.notice),
        }
        for line in view.lines
    }
    return {
        "answer": view.answer,
        "text": say(view.notice),
        "because": [{"code": notice.code, "text": say(notice)} for notice in view.because],
        **parts,
        "exports": [_kin(one) for one in view.kin],
    }


def _kin(one: Kin) -> dict[str, Any]:
    found: dict[str, Any] = {"kept": one.kept, "distance": one.distance}
    if one.asset is not None:
        found |= {"asset": one.asset.id, "still": f"media/{one.asset.id}.webp"}
    if one.number:
        found |= {"number": one.number, "kind": one.kind, "owner": one.owner, "job": one.job_id}
        found |= {"created": one.created.isoformat(timespec="seconds") if one.created else None}
    return found


async def _take_in(request: Request, path: Path) -> None:
    """The video of the request as a file, of no more bytes than it may have."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        with path.open("wb") as file:
            async for chunk in _limited(request, MAX_FILE_BYTES):
                await run_in_threadpool(file.write, chunk)
        return
    stream = _limited(request, MAX_FILE_BYTES + _ROUND_IT)
    try:
        form = await MultiPartParser(request.headers, stream, max_files=1, max_fields=8).parse()
    except MultiPartException as error:
        raise Refused(Notice("trace_no_video")) from error
    try:
        given = next((value for value in form.values() if isinstance(value, UploadFile)), None)
        if given is None:
            raise Refused(Notice("file_empty"))
        with path.open("wb") as file:
            while chunk := await given.read(_CHUNK):
                await run_in_threadpool(file.write, chunk)
    finally:
        await form.close()


async def _limited(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    refused = Refused(Notice("file_too_big", {"high": MAX_FILE_BYTES // 1_000_000}))
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise refused
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise refused
        yield chunk
