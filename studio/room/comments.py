"""What is said in a room: comments at a moment and a place in the picture, answers, and what is done with."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Engine

from pipelines.request import Notice
from studio.db import reading, utc_now, writing
from studio.refusal import Refused
from studio.room.tables import comment_table
from studio.room.types import Comment, Room, Seat

MAX_COMMENTS = 2000


@dataclass(frozen=True)
class Spot:
    """Of what is spoken: an item, the clip that is looked at, the moment in it, the place in its picture."""

    item: str
    asset_id: str
    seconds: float | None = None
    x: float | None = None
    y: float | None = None


class Comments:
    """Owns the table `room_comment`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, seat: Seat, spot: Spot, text: str, parent: str | None = None) -> Comment:
        """Say something; an answer stands where the comment that it answers stands."""
        room = seat.room.key
        with writing(self._engine) as connection:
            mine = comment_table.c.room == room
            count = sa.select(sa.func.count()).select_from(comment_table).where(mine)
            if connection.execute(count).scalar_one() >= MAX_COMMENTS:
                raise Refused(Notice("room_full", {"high": MAX_COMMENTS}))
            if parent is not None:
                query = sa.select(comment_table).where(mine, comment_table.c.id == parent)
                above = connection.execute(query).mappings().first()
                if above is None:
                    raise Refused(Notice("room_comment_gone"))
                # An answer to an answer answers what both are about.
                parent = above["parent"] or above["id"]
                spot = Spot(above["item"], above["asset_id"])
            comment = Comment(
                id=secrets.token_urlsafe(9),
                room=room,
                link_id=seat.link.id if seat.link else None,
                item=spot.item,
                asset_id=spot.asset_id,
                seconds=spot.seconds,
                x=spot.x,
                y=spot.y,
                parent=parent,
                text=text,
                guest=seat.guest,
                name=seat.name,
                at=utc_now(),
            )
            values = {name: getattr(comment, name) for name in Comment.__dataclass_fields__}
            connection.execute(sa.insert(comment_table).values(**values))
        return comment

    def resolve(self, room: Room, comment_id: str, done: bool) -> None:
        """Say that a comment is done with, or that it is not after all; Refused if it is not of this room."""
        one = (comment_table.c.room == room.key, comment_table.c.id == comment_id)
        with writing(self._engine) as connection:
            changed = sa.update(comment_table).where(*one).values(resolved=utc_now() if done else None)
            if not connection.execute(changed).rowcount:
                raise Refused(Notice("room_comment_gone"))

    def of_room(self, room: Room) -> Sequence[Comment]:
        """All that was said in a room, oldest first."""
        return self._where(comment_table.c.room == room.key)

    def of_assets(self, assets: Collection[str]) -> Sequence[Comment]:
        """All that was said of these clips in any room, oldest first."""
        return self._where(comment_table.c.asset_id.in_(assets)) if assets else ()

    def _where(self, chosen: sa.ColumnElement[bool]) -> Sequence[Comment]:
        query = sa.select(comment_table).where(chosen).order_by(comment_table.c.at, comment_table.c.id)
        with reading(self._engine) as connection:
            return [Comment(**row) for row in connection.execute(query.limit(MAX_COMMENTS)).mappings()]
