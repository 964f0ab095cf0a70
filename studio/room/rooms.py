"""Rooms: the door to what is shared by a link. For who shares it, and for guests without an account.

A `Seat` says who is in which room with which rights; whoever has one gets nothing but what is in that room.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

from pipelines.request import Notice
from studio import access
from studio.access import Visitor
from studio.checking import Checker
from studio.db import reading
from studio.grids import Grids
from studio.library import Asset, Library
from studio.library.projects import Projects
from studio.refusal import Refused
from studio.room.comments import Comments, Spot
from studio.room.contents import Shelf
from studio.room.links import DAYS, Links
from studio.room.tables import comment_table, link_table, verdict_table
from studio.room.types import (
    Comment,
    Contents,
    Item,
    Link,
    Room,
    Seat,
    Verdict,
    What,
    tidy_name,
    tidy_text,
)
from studio.room.verdicts import Verdicts
from studio.settings import Settings
from studio.stories import Stories
from studio.story.film_plan import key_of


@dataclass(frozen=True)
class RoomView:
    """A room as it is now; comments and verdicts oldest first, those on what is no longer there included."""

    contents: Contents
    comments: Sequence[Comment]
    verdicts: Sequence[Verdict]


class Rooms:
    """Owns the links, comments and verdicts."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        checker: Checker,
        *,
        assets: Library,
        stories: Stories,
        projects: Projects,
        grids: Grids,
    ) -> None:
        self._engine, self._assets = engine, assets
        self._stories, self._projects, self._grids = stories, projects, grids
        self._links = Links(engine, settings)
        self._comments = Comments(engine)
        self._verdicts = Verdicts(engine, settings, checker)
        self._shelf = Shelf(assets, stories, grids)

    # -- for who shares ------------------------------------------------------------------------------------

    def share(
        self, visitor: Visitor, room: Room, rights: str, *, days: int = DAYS, note: str = ""
    ) -> tuple[Link, str]:
        """A new link to what is the visitor's own, and its token: it is told this once, and never again."""
        self._own(visitor, room)
        return self._links.make(visitor.owner, room, rights, days=days, note=note)

    def links(self, visitor: Visitor, room: Room) -> Sequence[Link]:
        """All links that were made to it, the newest first; those that have ended included."""
        self._own(visitor, room)
        return self._links.of_room(room)

    def revoke(self, visitor: Visitor, link_id: str) -> Link:
        """Shut a link at once and for good, return it."""
        link = self._links.get(link_id)
        if link is None:
            raise Refused(Notice("room_unknown"))
        self._own(visitor, link.room)
        self._links.revoke(link_id)
        return link

    def sit(self, visitor: Visitor, room: Room, name: str = "") -> Seat:
        """The seat of who shares it: sees all, answers, says what is done with, and decides nothing."""
        self._own(visitor, room)
        return Seat(room, "make", guest=f"owner {visitor.owner}", name=name)

    def resolve(self, seat: Seat, comment_id: str, done: bool) -> None:
        """Say that a comment is done with, or is not; the right of who shares."""
        if not seat.makes:
            raise Refused(Notice("room_forbidden"))
        self._comments.resolve(seat.room, comment_id, done)

    def told_of(self, visitor: Visitor, asset_id: str) -> tuple[Sequence[Comment], Sequence[Verdict]]:
        """What guests said and decided of a clip of the visitor's, in any room."""
        asset = self._assets.get(asset_id)
        if asset is None or not access.may_change(visitor, asset.owner):
            raise Refused(Notice("asset_unknown"))
        return self._comments.of_assets([asset_id]), self._verdicts.of_assets([asset_id])

    def _own(self, visitor: Visitor, room: Room) -> None:
        """Refused unless everything that a room shares is the visitor's to share."""
        if room.kind == "story":
            mine = self._stories.get(visitor, room.subject).may_change
        elif room.kind == "project":
            mine = access.may_change(visitor, self._projects.get(visitor, room.subject).owner)
        elif room.kind == "grid":
            mine = self._grids.view(visitor, room.subject).may_change
        else:
            found = [self._assets.get(one) for one in room.clips]
            if any(one is None or not access.may_see(visitor, one.standing, one.owner) for one in found):
                raise Refused(Notice("asset_unknown"))
            mine = all(one is not None and access.may_change(visitor, one.owner) for one in found)
        if not mine:
            raise Refused(Notice("not_yours"))

    # -- for who comes by a link ---------------------------------------------------------------------------

    def enter(self, token: str, guest: str = "", name: str = "") -> Seat:
        """The seat that a link's token gives; Refused as unknown, or (a true one) as ended."""
        link = self._links.open(token)
        return Seat(link.room, link.rights, link, guest, name)

    def view(self, seat: Seat) -> RoomView:
        """The room as it is now."""
        room = seat.room
        return RoomView(self._shelf.of(room), self._comments.of_room(room), self._verdicts.of_room(room))

    def asset(self, seat: Seat, asset_id: str) -> Asset:
        """A clip of the room; Refused for every other one, and for what may not be seen (any more)."""
        return self._shelf.asset(seat.room, asset_id)

    def file(self, asset: Asset) -> Path:
        """Where a clip's MP4 lies; it may have been removed by hand."""
        return self._assets.file(asset)

    def still(self, asset: Asset) -> Path:
        """Where a clip's still picture lies; it may have been removed by hand."""
        return self._assets.thumbnail_file(asset)

    def comment(self, seat: Seat, spot: Spot, text: object, parent: str | None = None) -> Comment:
        """Say something of an item at a moment and a place, or answer `parent`."""
        if not seat.may_comment:
            raise Refused(Notice("room_forbidden"))
        seat = _named(seat)
        said = tidy_text(text)
        if not said:
            raise Refused(Notice("room_text_empty"))
        return self._comments.add(seat, spot if parent else self._spot(seat, spot), said, parent)

    def decide(self, seat: Seat, item_id: str, asset_id: str, what: What, text: object = "") -> Verdict:
        """Approve an item as it is shown by a clip, or ask for changes and say which."""
        if not seat.may_decide:
            raise Refused(Notice("room_forbidden"))
        seat = _named(seat)
        said = tidy_text(text)
        if what == "changes" and not said:
            raise Refused(Notice("room_say_what"))
        item, asset = self._seen(seat, item_id, asset_id)
        judged = _take_in(asset, item) or asset
        return self._verdicts.add(seat, item.id, judged.id, what, said)

    def _spot(self, seat: Seat, spot: Spot) -> Spot:
        item, asset = self._seen(seat, spot.item, spot.asset_id)
        seconds = None if spot.seconds is None else round(min(max(spot.seconds, 0.0), asset.seconds), 3)
        if spot.x is None or spot.y is None:
            return Spot(item.id, asset.id, seconds)
        x, y = (round(min(max(share, 0.0), 1.0), 4) for share in (spot.x, spot.y))
        return Spot(item.id, asset.id, seconds, x, y)

    def _seen(self, seat: Seat, item_id: str, asset_id: str) -> tuple[Item, Asset]:
        """An item of the room and a clip that shows it: one of its takes, or for a shot the film."""
        asset = self.asset(seat, asset_id)
        contents = self._shelf.of(seat.room)
        item = contents.item(item_id)
        in_film = contents.film is not None and asset_id == contents.film.id
        if item is None or not (in_film or asset_id in (take.id for take in item.takes)):
            raise Refused(Notice("asset_unknown"))
        return item, asset

    # -- what has changed ----------------------------------------------------------------------------------

    def mark(self, room: Room) -> str:
        """What is in a room, said and decided, as one short text: another one as soon as any of it is."""
        told = [
            (item.id, item.title, [take.id for take in item.takes]) for item in self._shelf.of(room).items
        ]
        shown = hashlib.sha256(repr(told).encode("utf-8", "replace")).hexdigest()[:12]
        return f"{shown}.{self.said_mark(room)}"

    def said_mark(self, room: Room | None = None) -> str:
        """As `mark`, of what is said and decided alone (in all rooms if none is given)."""
        tables = ((comment_table, "at"), (comment_table, "resolved"), (verdict_table, "at"))
        queries = []
        for table, column in (*tables, (link_table, "created"), (link_table, "revoked")):
            query = sa.select(sa.func.count(table.c[column]), sa.func.max(table.c[column]))
            queries.append(query if room is None else query.where(table.c.room == room.key))
        with reading(self._engine) as connection:
            found = [connection.execute(query).one() for query in queries]
        told = "-".join(f"{count}.{_stamp(newest)}" for count, newest in found)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def _stamp(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def _named(seat: Seat) -> Seat:
    """A seat whose guest has said a name; Refused for who has not."""
    if not seat.guest:
        raise Refused(Notice("room_name"))
    tidy_name(seat.name)
    return seat


def _take_in(film: Asset, item: Item) -> Asset | None:
    """The take of a shot that a film shows: who decides in the film decides about that one.

    So a film that is cut anew with other shots changed leaves this shot's verdict as it is.
    """
    shots = film.plan.shots if film.plan is not None else ()
    keys = {key_of(request) for shot in shots if shot.shot_id == item.id for request in shot.requests}
    return next((take for take in item.takes if take.request_key in keys), None)


def is_stale(contents: Contents, verdict: Verdict) -> bool:
    """Whether what this was decided of is no longer among what shows the item."""
    item = contents.item(verdict.item)
    film = {contents.film.id} if contents.film is not None else set()
    there = film | ({take.id for take in item.takes} if item is not None else set())
    return bool(there) and verdict.asset_id not in there
