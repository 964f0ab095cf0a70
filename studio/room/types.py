"""What a review room is made of: what is shared, by which link, what is said and decided of it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pipelines.request import Notice
from studio.db import utc_now
from studio.library import Asset
from studio.refusal import Refused

Kind = Literal["story", "project", "grid", "clips"]
KINDS: tuple[Kind, ...] = ("story", "project", "grid", "clips")
# Each holds the ones before it. "make" is no link's: it is who made what is shared.
Rights = Literal["view", "comment", "decide", "make"]
LINK_RIGHTS: tuple[Rights, ...] = ("view", "comment", "decide")
What = Literal["approve", "changes"]
FILM = "film"
MAX_CLIPS = 60
MAX_NAME = 40
MAX_TEXT = 2000
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Letters that turn the direction of what stands behind them: a name may not rewrite the line it stands in.
_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])


@dataclass(frozen=True)
class Room:
    """What is shared: a story, a project or a grid by its id, or single clips by theirs, with commas."""

    kind: Kind
    subject: str

    @property
    def key(self) -> str:
        """As it stands in rows."""
        return f"{self.kind} {self.subject}"

    @property
    def clips(self) -> tuple[str, ...]:
        """The ids of single clips that are shared."""
        return tuple(self.subject.split(",")) if self.kind == "clips" else ()


def room_of(kind: str, subject: str) -> Room:
    """The room of a kind and an id, or of several clips' ids; Refused if it can be none."""
    known = next((one for one in KINDS if one == kind), None)
    ids = subject.split(",") if known == "clips" else [subject]
    if known is None or not all(map(_ID.fullmatch, ids)):
        raise Refused(Notice("room_unknown"))
    if len(ids) > MAX_CLIPS:
        raise Refused(Notice("room_clips_many", {"count": len(ids), "high": MAX_CLIPS}))
    return Room(known, ",".join(dict.fromkeys(ids)))


def read_room(key: str) -> Room:
    """The room of a row."""
    kind, _, subject = key.partition(" ")
    return room_of(kind, subject)


@dataclass(frozen=True)
class Link:
    """One link. `note` says for whom it was made; its secret is known to who was given it alone."""

    id: str
    room: Room
    owner: str
    note: str
    rights: Rights
    created: datetime
    expires: datetime
    revoked: datetime | None = None

    @property
    def state(self) -> Literal["open", "expired", "revoked"]:
        """Whether it opens anything now."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires <= utc_now() else "open"


@dataclass(frozen=True)
class Seat:
    """Who is in a room, and with which rights. `guest` is an id that stays theirs; empty before a name."""

    room: Room
    rights: Rights
    link: Link | None = None
    guest: str = ""
    name: str = ""

    @property
    def may_comment(self) -> bool:
        """Whether comments are welcome from here."""
        return self.rights != "view"

    @property
    def may_decide(self) -> bool:
        """Whether a yes or no from here counts."""
        return self.rights == "decide"

    @property
    def makes(self) -> bool:
        """Whether this is who shares it."""
        return self.rights == "make"


@dataclass(frozen=True)
class Item:
    """One thing to say yes or no to: a story's film or one of its shots, or a clip.

    `takes` are what there is to see of it, the chosen one first; `start` is where a shot begins in the film.
    """

    id: str
    number: int
    title: str
    takes: tuple[Asset, ...]
    text: str = ""
    start: float | None = None

    @property
    def asset(self) -> Asset | None:
        """What stands for it now."""
        return self.takes[0] if self.takes else None


@dataclass(frozen=True)
class Contents:
    """What is in a room now; a story's `film` is among its items, too."""

    room: Room
    title: str
    items: Sequence[Item]
    film: Asset | None = None
    assets: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        found = frozenset(asset.id for item in self.items for asset in item.takes)
        object.__setattr__(self, "assets", found)

    def item(self, item_id: str) -> Item | None:
        """The item of that id."""
        return next((item for item in self.items if item.id == item_id), None)


@dataclass(frozen=True)
class Comment:
    """What somebody said of an item, at `seconds` into a clip and at a place in its picture (shares of 1)."""

    id: str
    room: str
    link_id: str | None
    item: str
    asset_id: str
    seconds: float | None
    x: float | None
    y: float | None
    parent: str | None
    text: str
    guest: str
    name: str
    at: datetime
    resolved: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """What a guest decided of an item, looking at `asset_id`."""

    id: str
    room: str
    link_id: str
    item: str
    asset_id: str
    what: What
    text: str
    guest: str
    name: str
    at: datetime


def tidy_name(given: object) -> str:
    """A guest's name in one line; Refused for none."""
    name = " ".join(_plain(given).split())[:MAX_NAME].strip()
    if not any(char.isalnum() for char in name):
        raise Refused(Notice("room_name"))
    return name


def tidy_text(given: object) -> str:
    """What somebody wrote, without what can't be seen; Refused if it is too long."""
    text = re.sub(r"\n{3,}", "\n\n", _plain(given)).strip()
    if len(text) > MAX_TEXT:
        raise Refused(Notice("room_text_long", {"length": len(text), "high": MAX_TEXT}))
    return text


def _plain(given: object) -> str:
    if not isinstance(given, str):
        return ""
    text = unicodedata.normalize("NFC", given[: 4 * MAX_TEXT].replace("\r\n", "\n")).translate(_TURNS)
    return "".join(c for c in text if c == "\n" or (c.isprintable() or unicodedata.category(c) == "Cf"))
