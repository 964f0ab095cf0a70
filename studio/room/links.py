"""The links that open a room: signed, with an end, revoked at any time; nobody here knows their secret."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from itsdangerous import BadSignature, Signer
from sqlalchemy import Engine

from pipelines.request import Notice
from studio.db import reading, utc_now, writing
from studio.refusal import Refused
from studio.room.tables import link_table
from studio.room.types import LINK_RIGHTS, MAX_NAME, Link, Rights, Room, read_room
from studio.settings import Settings

MIN_DAYS, MAX_DAYS, DAYS = 1, 90, 14
# So many may be open for one room; the oldest are told to be revoked then.
MAX_OPEN = 50
_MAX_TOKEN = 200
# Nine bytes in base64.
_ID = 12


class Links:
    """Owns the table `room_link`."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings

    def make(
        self, owner: str, room: Room, rights: str, *, days: int = DAYS, note: str = ""
    ) -> tuple[Link, str]:
        """A new link and its token, which is told this once; Refused for rights or days that no link has."""
        known = next((one for one in LINK_RIGHTS if one == rights), None)
        if known is None:
            raise Refused(Notice("room_rights", {"allowed": ", ".join(LINK_RIGHTS)}))
        if not MIN_DAYS <= days <= MAX_DAYS:
            raise Refused(Notice("room_days", {"low": MIN_DAYS, "high": MAX_DAYS}))
        now = utc_now()
        note = " ".join(note.split())[:MAX_NAME]
        link = Link(secrets.token_urlsafe(9), room, owner, note, known, now, now + timedelta(days=days))
        token = self._signer().sign(link.id + secrets.token_urlsafe(18)).decode()
        values = {name: getattr(link, name) for name in Link.__dataclass_fields__}
        with writing(self._engine) as connection:
            count = sa.select(sa.func.count()).select_from(link_table).where(*_open_in(room))
            if connection.execute(count).scalar_one() >= MAX_OPEN:
                raise Refused(Notice("room_links_many", {"high": MAX_OPEN}))
            row = values | {"room": room.key, "hash": _hash(token)}
            connection.execute(sa.insert(link_table).values(**row))
        return link, token

    def open(self, token: str) -> Link:
        """The link of a token. Refused as unknown; only who has a true one is told that it has ended."""
        try:
            told = self._signer().unsign(token).decode() if len(token) < _MAX_TOKEN else ""
        except (BadSignature, UnicodeError):
            told = ""
        found = self._row(told[:_ID]) if told else None
        if found is None or not hmac.compare_digest(found["hash"], _hash(token)):
            raise Refused(Notice("room_unknown"))
        link = _link(found)
        if link.state != "open":
            raise Refused(Notice(f"room_{link.state}", {"date": f"{link.expires:%Y-%m-%d}"}))
        return link

    def get(self, link_id: str) -> Link | None:
        """A link by its id, which opens nothing."""
        found = self._row(link_id)
        return None if found is None else _link(found)

    def of_room(self, room: Room) -> Sequence[Link]:
        """All links of a room, the newest first."""
        query = sa.select(link_table).where(link_table.c.room == room.key)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(link_table.c.created.desc()).limit(4 * MAX_OPEN))
            return [_link(row) for row in rows.mappings()]

    def revoke(self, link_id: str) -> None:
        """Shut a link at once, for good."""
        open_one = (link_table.c.id == link_id, link_table.c.revoked.is_(None))
        with writing(self._engine) as connection:
            connection.execute(sa.update(link_table).where(*open_one).values(revoked=utc_now()))

    def _row(self, link_id: str) -> Any:
        query = sa.select(link_table).where(link_table.c.id == link_id)
        with reading(self._engine) as connection:
            return connection.execute(query).mappings().first()

    def _signer(self) -> Signer:
        key = self._settings.signing_key()
        return Signer(key, salt="wan-studio.room", digest_method=hashlib.sha256)


def _open_in(room: Room) -> tuple[sa.ColumnElement[bool], ...]:
    columns = link_table.c
    return columns.room == room.key, columns.revoked.is_(None), columns.expires > utc_now()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _link(row: Any) -> Link:
    values = {name: row[name] for name in Link.__dataclass_fields__}
    rights: Rights = row["rights"]
    return Link(**values | {"room": read_room(row["room"]), "rights": rights})
