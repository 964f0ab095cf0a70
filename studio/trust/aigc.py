"""The metadata label of GB 45438-2025: one JSON under the key AIGC, and again inside the recipe's comment.

The key is the standard's place; the comment survives tools that drop unknown keys. Read back, both are
untrusted: anybody can write them. `ReservedCode1` tells ours from a copy of it.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import av

from studio.media.ffmpeg import MediaError
from studio.trust.formats import Format, format_of

KEY = "AIGC"
"""The name of the metadata item, and of the member in the comment's JSON."""

MAX_VALUE = 200
"""Characters a value may have; ours have at most 64."""

_MAX_JSON = 4096
_MAX_COMMENT = 512 * 1024
# Visible ASCII without quotes and backslash, as the practice guides ask; nothing needs escaping anywhere.
_PLAIN = re.compile(r"[!#-&(-\[\]-~]*")
_DEMUXERS: dict[Format, str] = {"mp4": "mp4", "webm": "webm", "gif": "gif"}

Broken = Literal["broken"]


@dataclass(frozen=True, kw_only=True)
class Aigc:
    """The seven fields, named as in the standard. ValueError if a value is not plain visible ASCII.

    `Label` "1" is made by AI, "2" may be, "3" is suspected to be.
    """

    Label: str = "1"
    ContentProducer: str
    ProduceID: str
    ReservedCode1: str
    ContentPropagator: str
    PropagateID: str
    ReservedCode2: str = ""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isinstance(value, str) or len(value) > MAX_VALUE or not _PLAIN.fullmatch(value):
                raise ValueError(f"{name} holds what the metadata label does not take")
        if self.Label not in ("1", "2", "3"):
            raise ValueError("Label is 1, 2 or 3")

    def text(self) -> str:
        """The JSON as the key AIGC holds it."""
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True)
class Carried:
    """What a file carries: under the key of its own, and inside the comment. None: nothing is there."""

    key: Aigc | Broken | None
    comment: Aigc | Broken | None


def aigc_of(export_id: str, *, producer: str, key: bytes) -> Aigc:
    """The label of a new export: made by AI, produced and first propagated by `producer` (AIGC_PRODUCER).

    `key` is a secret of the studio, the same on every host of it. ValueError if a text does not fit.
    """
    label = Aigc(
        ContentProducer=producer,
        ProduceID=export_id,
        ReservedCode1=_code("1", producer, export_id, key),
        ContentPropagator=producer,
        PropagateID=export_id,
    )
    if not export_id or not producer:
        raise ValueError("an export has a producer and a number")
    return label


def is_ours(aigc: Aigc, key: bytes) -> bool:
    """Whether the studio with this key wrote the label; whether it stands in its own file, it can't tell."""
    expected = _code(aigc.Label, aigc.ContentProducer, aigc.ProduceID, key)
    return hmac.compare_digest(aigc.ReservedCode1, expected)


def tags_of(aigc: Aigc) -> dict[str, str]:
    """The tags that an encoder writes into a file beside its comment (MP4: with use_metadata_tags)."""
    return {KEY: aigc.text()}


def into_comment(comment: str, aigc: Aigc) -> str:
    """The comment (JSON of an object, such as a recipe; may be empty) with the label as its member AIGC.

    ValueError if the comment is no JSON object.
    """
    found = json.loads(comment) if comment else {}
    if not isinstance(found, dict):
        raise ValueError("the comment is no JSON object")
    return json.dumps({**found, KEY: asdict(aigc)}, ensure_ascii=False, separators=(",", ":"))


def parse_aigc(found: Any) -> Aigc | Broken:
    """A label from text or from a member of parsed JSON; "broken" if it is none that the standard knows."""
    if isinstance(found, str):
        try:
            found = json.loads(found) if len(found) <= _MAX_JSON else None
        except (ValueError, RecursionError):
            return "broken"
    names = {field.name for field in fields(Aigc)}
    if not isinstance(found, dict) or set(found) != names:
        return "broken"
    try:
        return Aigc(**found)
    except ValueError:
        return "broken"


def carried(path: Path) -> Carried:
    """What an MP4, WebM or GIF carries.

    Raises MediaError "file_empty", "file_too_big" or "not_a_video".
    """
    tags = _tags(path)
    key = tags.get(KEY.lower())
    return Carried(key=None if key is None else parse_aigc(key), comment=_inside(tags.get("comment", "")))


def read_aigc(path: Path) -> Aigc | Broken | None:
    """The label of a file, of whichever place still holds it; "broken" if it can't be read or they differ.

    Raises MediaError as `carried`.
    """
    found = carried(path)
    there = [label for label in (found.key, found.comment) if label is not None]
    if "broken" in there or len(set(there)) > 1:
        return "broken"
    return there[0] if there else None


def _code(label: str, producer: str, export_id: str, key: bytes) -> str:
    told = "\0".join(("wan-studio aigc 1", label, producer, export_id))
    digest = hmac.new(key, told.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _tags(path: Path) -> Mapping[str, str]:
    """The tags of the whole file, their names in small letters (WebM writes them in capitals)."""
    kind = format_of(path)
    try:
        with av.open(
            f"file:{path.absolute()}", format=_DEMUXERS[kind], metadata_errors="replace"
        ) as container:
            return {name.lower(): value for name, value in container.metadata.items()}
    except (av.FFmpegError, ValueError) as error:
        raise MediaError("not_a_video") from error


def _inside(comment: str) -> Aigc | Broken | None:
    if f'"{KEY}"' not in comment or len(comment) > _MAX_COMMENT:
        return None
    try:
        found = json.loads(comment)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or KEY not in found:
        return None
    return parse_aigc(found[KEY])
