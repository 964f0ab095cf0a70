"""The routes of the tab Models: how far downloads are, whether anything changed; a LoRA that is brought."""

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from studio import access, doors, lora_upload, model_words
from studio.core import Studio
from studio.lora_upload import Offer
from studio.refusal import Refused
from studio.words import named

_FRESH = {"cache-control": "no-store"}


def add_routes(app: FastAPI, studio: Studio) -> None:
    """The routes below /models."""

    @app.get("/models/now")
    def now(language: str = "en") -> Response:
        spoken = named(language) or "en"
        mark, live = studio.model_room.now()
        bars = {
            name: {"share": model_words.share(one), "text": model_words.progress(one, spoken)}
            for name, one in live.items()
        }
        return JSONResponse({"mark": mark, "bars": bars}, headers=_FRESH)

    @app.post("/models/lora")
    async def bring(request: Request, language: str = "en") -> Response:
        settings = studio.settings
        visitor = access.visitor_of(request.cookies, settings)
        try:
            home, tmp = settings.studio_home, settings.tmp
            found = await lora_upload.take_in(_offer(request), visitor, home, tmp, request.stream())
        except Refused as refused:
            return doors.refused(refused.notices, named(language) or "en")
        told = {"name": found.lora.name, "swapped": found.swapped}
        return JSONResponse(told, headers=_FRESH)

    @app.get("/models/lora")
    def may_bring(request: Request, language: str = "en") -> Response:
        """What would be refused anyway is said before gigabytes are sent for it."""
        visitor = access.visitor_of(request.cookies, studio.settings)
        try:
            lora_upload.looked_at(_offer(request), visitor, studio.settings.studio_home)
        except Refused as refused:
            return doors.refused(refused.notices, named(language) or "en")
        return JSONResponse({}, headers=_FRESH)


def _offer(request: Request) -> Offer:
    asked = request.query_params
    sizes = ((kind, asked.get(f"{kind}_bytes", "")) for kind in ("high", "low"))
    files = tuple(
        (asked.get(kind, "")[:200], int(size))
        for kind, size in sizes
        if size.isascii() and size.isdecimal() and len(size) < 16
    )
    return Offer(asked.get("name", "").strip()[:80], files)
