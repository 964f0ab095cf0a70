"""The routes of first pictures: one is taken in, and shown to whoever knows its hash."""

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, JSONResponse, Response

from pipelines.request import Notice
from studio import access, doors
from studio.core import Studio
from studio.media.still import MAX_BYTES, MAX_PIXELS
from studio.refusal import Refused
from studio.words import named


def add_routes(app: FastAPI, studio: Studio) -> None:
    """All routes below /inputs."""

    @app.post("/inputs")
    async def bring(request: Request, language: str = "en") -> Response:
        visitor = access.visitor_of(request.cookies, studio.settings)
        try:
            data = await _body(request)
            # Decoding and checking take their time: the page's other readers do not wait for it.
            kept = await run_in_threadpool(studio.keep_picture, visitor, data)
        except Refused as refused:
            return doors.refused(refused.notices, named(language) or "en")
        found = {"id": kept.id, "width": kept.width, "height": kept.height, "held": kept.held}
        return JSONResponse(found, headers={"cache-control": "no-store"})

    @app.api_route("/inputs/{name}", methods=["GET", "HEAD"])
    def shown(name: str) -> Response:
        found = studio.pictures.find(name.removesuffix(".png"))
        if found is None:
            raise Refused(Notice("file_missing"))
        # Its address is its content; nothing that is brought may ever be read as a page.
        headers = {"cache-control": "private, max-age=86400, immutable", "x-content-type-options": "nosniff"}
        return FileResponse(studio.pictures.file(found), media_type="image/png", headers=headers)


async def _body(request: Request) -> bytes:
    """What was sent, never more than a picture may have."""
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BYTES:
            values = {"megabytes": MAX_BYTES // 1_000_000, "pixels": MAX_PIXELS // 1_000_000}
            raise Refused(Notice("still_too_big", values))
        parts.append(chunk)
    return b"".join(parts)
