"""A room as plain data for its page: what may be seen from a seat, and nothing more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from studio.library import Asset
from studio.room.rooms import RoomView, is_stale
from studio.room.types import Comment, Contents, Item, Link, Seat, Verdict

MAX_TITLE = 400


def told(seat: Seat, view: RoomView) -> dict[str, Any]:
    """The whole room. Who may only look is not told what others said of it."""
    contents, sees = view.contents, seat.rights != "view"
    return {
        "kind": contents.room.kind,
        "title": contents.title[:MAX_TITLE],
        "rights": seat.rights,
        "ends": _at(seat.link.expires) if seat.link else None,
        "me": seat.name,
        "film": contents.film.id if contents.film else None,
        "items": [_item(item) for item in contents.items],
        "comments": told_comments(seat, view.comments) if sees else [],
        "verdicts": told_verdicts(seat, contents, view.verdicts) if sees else [],
    }


def told_comments(seat: Seat, comments: Sequence[Comment]) -> list[dict[str, Any]]:
    """Comments; `studio`: said by who shares it, `mine`: from this seat."""
    return [
        {
            "id": one.id,
            "item": one.item,
            "asset": one.asset_id,
            "seconds": one.seconds,
            "x": one.x,
            "y": one.y,
            "parent": one.parent,
            "text": one.text,
            "name": one.name,
            "studio": one.link_id is None,
            "mine": one.guest == seat.guest,
            "at": _at(one.at),
            "resolved": one.resolved is not None,
        }
        for one in comments
    ]


def told_verdicts(seat: Seat, contents: Contents | None, verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Verdicts; `stale`: the item is shown otherwise since. `take`: which of several takes, from 1 on."""
    return [
        {
            "item": one.item,
            "asset": one.asset_id,
            "what": one.what,
            "text": one.text,
            "name": one.name,
            "mine": one.guest == seat.guest,
            "at": _at(one.at),
            "take": _which(contents, one),
            "stale": contents is not None and is_stale(contents, one),
        }
        for one in verdicts
    ]


def _which(contents: Contents | None, verdict: Verdict) -> int | None:
    item = contents.item(verdict.item) if contents is not None else None
    takes = [take.id for take in item.takes] if item is not None else []
    return takes.index(verdict.asset_id) + 1 if len(takes) > 1 and verdict.asset_id in takes else None


def told_link(link: Link) -> dict[str, Any]:
    """A link for who made it; never its token."""
    return {
        "id": link.id,
        "note": link.note,
        "rights": link.rights,
        "state": link.state,
        "created": _at(link.created),
        "expires": _at(link.expires),
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "number": item.number,
        "title": item.title[:MAX_TITLE],
        "text": item.text,
        "start": item.start,
        "takes": [_take(asset) for asset in item.takes],
    }


def _take(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.id,
        "width": asset.width,
        "height": asset.height,
        "fps": asset.fps,
        "seconds": asset.seconds,
        "sound": asset.kind == "film",
    }


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
