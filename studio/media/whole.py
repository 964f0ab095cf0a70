"""Files that are whole or not there: written under a temporary name, then given their own."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.media.ffmpeg import MediaError, no_room

PART = ".part"
"""What stands before the ending of a file that is being written: film.1f2e3d.part.mp4."""


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """The temporary name of a file that is to become `path`; it is removed at the end if it is still there.

    A full disk is MediaError "disk_full".
    """
    part = path.with_name(f"{path.stem}.{secrets.token_hex(6)}{PART}{path.suffix}")
    try:
        yield part
    except OSError as error:
        if no_room(error):
            raise MediaError("disk_full") from error
        raise
    finally:
        part.unlink(missing_ok=True)


def is_unfinished(path: Path) -> bool:
    """Whether a file has the name of one that is not finished."""
    return path.stem.endswith(PART)


def publish(part: Path, path: Path) -> tuple[int, str]:
    """Give a finished file its name, safe against a power cut; return its size and the SHA-256 of it all."""
    with part.open("r+b") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256")
        size = file.tell()
    os.replace(part, path)
    _sync(path.parent)
    return size, digest.hexdigest()


def _sync(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
