"""Which of the studio's formats a file really has, told by its first bytes; a file's name proves nothing."""

from pathlib import Path
from typing import Literal

from studio.media.ffmpeg import MediaError

Format = Literal["mp4", "webm", "gif"]
MIMES: dict[Format, str] = {"mp4": "video/mp4", "webm": "video/webm", "gif": "image/gif"}
"""What each is called in credentials and on the web."""

MAX_FILE_BYTES = 2_000_000_000
"""Bigger files are neither signed nor read: no film of the studio comes near it, and all of one is hashed."""

_EBML = b"\x1a\x45\xdf\xa3"


def format_of(path: Path) -> Format:
    """The format of a file of at most MAX_FILE_BYTES.

    Raises MediaError "file_empty", "file_too_big" or "not_a_video".
    """
    size = path.stat().st_size
    if size == 0:
        raise MediaError("file_empty")
    if size > MAX_FILE_BYTES:
        raise MediaError("file_too_big", high=MAX_FILE_BYTES // 1_000_000)
    with path.open("rb") as file:
        start = file.read(12)
    if start[4:8] == b"ftyp":
        return "mp4"
    if start.startswith(_EBML):
        return "webm"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    raise MediaError("not_a_video")
