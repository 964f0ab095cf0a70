"""The route that an open tab Models asks: how far downloads are, and whether anything else changed."""

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from studio import model_words
from studio.core import Studio
from studio.words import LANGUAGES, Language


def add_routes(app: FastAPI, studio: Studio) -> None:
    """The route /models/now."""

    @app.get("/models/now")
    def now(language: str = "en") -> Response:
        spoken: Language = next((one for one in LANGUAGES if one == language), "en")
        mark, live = studio.model_room.now()
        bars = {
            name: {"share": model_words.share(one), "text": model_words.progress(one, spoken)}
            for name, one in live.items()
        }
        return JSONResponse({"mark": mark, "bars": bars}, headers={"cache-control": "no-store"})
