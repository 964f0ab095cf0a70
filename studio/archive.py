"""Where finished files are kept: one small interface, and a local folder behind it.

A file is known by its place: a relative path with slashes, such as "media/2026/11/ID.mp4". What keeps files
elsewhere (an object store) gives `path` a local copy of its own.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol


class Archive(Protocol):
    """Keeps files by their places. Every method takes places that this studio made, never a stranger's."""

    def put(self, source: Path, place: str) -> None:
        """Move a finished file to its place: it is there whole or not at all. OSError if it can't be."""

    def path(self, place: str) -> Path:
        """A local file with what lies at a place; it may be gone, and is only to be read."""

    def exists(self, place: str) -> bool:
        """Whether a file lies there."""

    def remove(self, place: str) -> None:
        """Remove a file; one that is not there is no error."""

    def places(self, *folders: str) -> Iterator[str]:
        """All places in these folders and below, in order."""


class Folder:
    """An archive in a local folder."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def put(self, source: Path, place: str) -> None:
        """Move a file; a rename on the same disk, else copied beside its place first."""
        target = self.path(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.stat(source).st_dev == os.stat(target.parent).st_dev:
            source.replace(target)
            return
        part = target.with_name(f"{target.name}.part")
        try:
            shutil.copyfile(source, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        source.unlink()

    def path(self, place: str) -> Path:
        """Where it lies. ValueError for a place that leads out of the folder."""
        parts = PurePosixPath(place)
        if not place or parts.is_absolute() or ".." in parts.parts:
            raise ValueError(f"no place of ours: {place!r}")
        return self.home / parts

    def exists(self, place: str) -> bool:
        """Whether a file lies there."""
        return self.path(place).is_file()

    def remove(self, place: str) -> None:
        """Remove a file; one that is not there is no error."""
        self.path(place).unlink(missing_ok=True)

    def places(self, *folders: str) -> Iterator[str]:
        """All files below these folders, in the order of their places; links are not followed."""
        for folder in folders:
            for at, inner, names in os.walk(self.path(folder)):
                inner.sort()
                for name in sorted(names):
                    found = Path(at, name)
                    if not found.is_symlink():
                        yield found.relative_to(self.home).as_posix()


def digest(path: Path) -> str:
    """A file's SHA-256 in hexadecimal digits; OSError if it can't be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
