"""The routes of styles: one as a file to keep or hand on, and a cover in any look."""

import io
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import numpy as np
from fastapi import FastAPI, Request
from PIL import Image
from starlette.responses import Response

from pipelines.request import Notice
from studio import access
from studio.core import Refused, Studio
from studio.media.looks import LOOKS, graded
from studio.style_store import FileKind
from studio.styles import STYLES

_PLAIN = Path(__file__).resolve().parent.parent / "assets" / "examples" / "covers" / "plain"
_KINDS: dict[str, tuple[FileKind, str]] = {
    "toml": ("toml", "application/toml"),
    "json": ("json", "application/json"),
}


def add_routes(app: FastAPI, studio: Studio) -> None:
    """All routes below /style and /looks."""

    @app.get("/style/{name}.{kind}")
    def as_file(request: Request, name: str, kind: str) -> Response:
        if kind not in _KINDS:
            raise Refused(Notice("page_unknown"))
        visitor = access.visitor_of(request.cookies, studio.settings)
        view = studio.styles.get(visitor, name)
        wanted, media = _KINDS[kind]
        text = studio.styles.export(visitor, name, wanted)
        title = re.sub(r"[\W_]+", "-", view.style.title["en"]).strip("-") or "style"
        named = f"attachment; filename=\"style.{kind}\"; filename*=UTF-8''{quote(title)}.{kind}"
        headers = {"content-disposition": named, "cache-control": "private, no-cache"}
        return Response(text, media_type=f"{media}; charset=utf-8", headers=headers)

    @app.get("/looks/{look}/{cover}.webp")
    def in_look(look: str, cover: str) -> Response:
        # Both are names out of our own tables: nothing else becomes part of a path, or a filter.
        if look not in LOOKS or cover not in STYLES or not (_PLAIN / f"{cover}.webp").is_file():
            raise Refused(Notice("page_unknown"))
        return Response(
            _picture(look, cover), media_type="image/webp", headers={"cache-control": "private, max-age=3600"}
        )


@lru_cache(maxsize=256)
def _picture(look: str, cover: str) -> bytes:
    with Image.open(_PLAIN / f"{cover}.webp") as plain:
        pixels = np.asarray(plain.convert("RGB"))
    (coloured,) = graded([pixels], look)
    written = io.BytesIO()
    Image.fromarray(coloured).save(written, "WEBP", quality=80)
    return written.getvalue()
