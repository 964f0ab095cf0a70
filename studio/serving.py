"""How a file is served: in pieces, and not again to who still has it."""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from pipelines.request import Notice
from studio.refusal import Refused


def file_response(request: Request, path: Path, media_type: str, headers: dict[str, str]) -> Response:
    """A file with ranges, or 304 if the browser still has it; Refused if it is gone from the disk."""
    try:
        stat = path.stat()
    except FileNotFoundError as error:
        raise Refused(Notice("file_missing")) from error
    headers["etag"] = f'"{hashlib.sha256(f"{stat.st_mtime_ns}-{stat.st_size}".encode()).hexdigest()[:24]}"'
    if request.headers.get("if-none-match") == headers["etag"] and "range" not in request.headers:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type=media_type, headers=headers, stat_result=stat)
