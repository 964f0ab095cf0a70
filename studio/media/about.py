"""What a file says of itself beside its pictures: tags, comment, chapters, as each format takes them."""

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from studio.media.timeline import Chapter
from studio.media.whole import unfinished

MAX_TAG_BYTES = 8 * 1024
KEEP_TAGS = "+faststart+use_metadata_tags"
"""The `movflags` without which an MP4 loses tags that it has no place of its own for, at every remux anew."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
# A GIF's comment is cut into blocks of so many bytes.
_GIF_BLOCK = 255


def checked_tags(tags: Mapping[str, str]) -> None:
    """ValueError unless names are plain words and values are single lines of at most 8 KiB."""
    for name, value in tags.items():
        if not _NAME.fullmatch(name) or name.lower() in ("comment", "title"):
            raise ValueError(f"no tag can be called {name!r}")
        if not value.isprintable() or not 0 < len(value.encode()) <= MAX_TAG_BYTES:
            raise ValueError(f"the value of {name} is no line of at most {MAX_TAG_BYTES} bytes")


def told_options(told: Mapping[str, str]) -> dict[str, str]:
    """The options of an output that carries these tags; each shorter than an argument may be (128 KiB)."""
    return {f"metadata:g:{at}": f"{name}={value}" for at, (name, value) in enumerate(told.items())}


def about_text(told: Mapping[str, str], chapters: Iterable[Chapter] = (), fps: int = 1) -> str:
    """Tags, of any length, and chapters in ffmpeg's own format for them (`ffmetadata`)."""
    lines = [";FFMETADATA1", *(f"{name}={_escaped(value)}" for name, value in told.items())]
    for chapter in chapters:
        lines += ["[CHAPTER]", f"TIMEBASE=1/{fps}", f"START={chapter.start}", f"END={chapter.end}"]
        lines.append(f"title={_escaped(chapter.title)}")
    return "\n".join(lines) + "\n"


def write_into_gif(path: Path, told: Mapping[str, str]) -> None:
    """Put tags into a GIF as comments: each "name=value", and last the comment by itself.

    Readers that know one comment only take the last. ValueError if the file does not begin as a GIF does,
    MediaError "disk_full".
    """
    texts = [f"{name}={value}" for name, value in told.items() if name != "comment"]
    texts += [told["comment"]] if told.get("comment") else []
    with unfinished(path) as part:
        with path.open("rb") as source, part.open("wb") as target:
            target.write(_gif_head(source.read(2048)))
            source.seek(target.tell())
            for text in texts:
                target.write(_gif_comment(text.encode()))
            shutil.copyfileobj(source, target)
        part.replace(path)


def _gif_head(start: bytes) -> bytes:
    """A GIF up to its first picture, with what says how often it plays: that has to come first."""
    if start[:6] != b"GIF89a" or len(start) < 13:
        raise ValueError("this is no GIF of 1989")
    at = 13 + (3 << (start[10] & 7) + 1 if start[10] & 0x80 else 0)
    if start[at : at + 3] == b"\x21\xff\x0b":
        at += 14
        while start[at]:
            at += 1 + start[at]
        at += 1
    return start[:at]


def _gif_comment(text: bytes) -> bytes:
    blocks = (text[at : at + _GIF_BLOCK] for at in range(0, len(text), _GIF_BLOCK))
    return b"\x21\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _escaped(value: str) -> str:
    """A value in ffmpeg's metadata format."""
    return "".join(f"\\{char}" if char in "=;#\\\n" else char for char in value.replace("\0", ""))
