"""A last box over all of a file: credentials leave the file's type and a thousand bytes of their own open.

The box is of the kind `free`, which players skip and content credentials leave out: magic, then the SHA-256
of every byte before the box. That the box must be there is said in the signed part.
"""

import hashlib
from pathlib import Path
from typing import BinaryIO, Protocol

_MAGIC = b"wan-studio tail1"
_SIZE = 8 + len(_MAGIC) + hashlib.sha256().digest_size
_HEAD = _SIZE.to_bytes(4, "big") + b"free" + _MAGIC
_CHUNK = 1 << 20


class _File(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...
    def write(self, data: bytes, /) -> int: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...


def put_tail(file: _File) -> None:
    """Write the box behind all that the file (open for reading and writing) holds."""
    size = file.seek(0, 2)
    digest = _digest(file, size)
    file.seek(size)
    file.write(_HEAD + digest)


def tail_fits(file: BinaryIO | Path) -> bool:
    """Whether the file ends in the box, and no byte before it has changed."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return tail_fits(opened)
    size = file.seek(0, 2) - _SIZE
    if size < 0:
        return False
    file.seek(size)
    return file.read(_SIZE) == _HEAD + _digest(file, size)


def has_tail(path: Path) -> bool:
    """Whether the file ends in such a box, whatever it holds."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _SIZE))
        return file.read().startswith(_HEAD)


def cut_tail(data: bytes) -> bytes:
    """The bytes before the box; all of them if there is none."""
    return data[:-_SIZE] if data[-_SIZE:].startswith(_HEAD) else data


def _digest(file: _File, size: int) -> bytes:
    """The SHA-256 of the first `size` bytes."""
    digest = hashlib.sha256()
    file.seek(0)
    while size > 0 and (chunk := file.read(min(size, _CHUNK))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.digest()
