"""Yes, or "please change": what guests decide. Rows are only added, and each is in the ledger, too."""

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy import Engine

from pipelines.request import Notice
from studio.checking import Checker
from studio.db import reading, utc_now, writing
from studio.refusal import Refused
from studio.room.tables import verdict_table
from studio.room.types import Room, Seat, Verdict, What
from studio.settings import Settings
from studio.trust import ledger

MAX_VERDICTS = 2000
_FIELDS = tuple(Verdict.__dataclass_fields__)


class Verdicts:
    """Owns the table `room_verdict`."""

    def __init__(self, engine: Engine, settings: Settings, checker: Checker) -> None:
        self._engine, self._settings, self._checker = engine, settings, checker

    def add(self, seat: Seat, item: str, asset_id: str, what: What, text: str) -> Verdict:
        """Write down what a guest decided, and seal it in the ledger."""
        if seat.link is None:
            raise Refused(Notice("room_forbidden"))
        verdict = Verdict(
            id=secrets.token_urlsafe(9),
            room=seat.room.key,
            link_id=seat.link.id,
            item=item,
            asset_id=asset_id,
            what=what,
            text=text,
            guest=seat.guest,
            name=seat.name,
            at=utc_now(),
        )
        with writing(self._engine) as connection:
            mine = verdict_table.c.room == verdict.room
            count = sa.select(sa.func.count()).select_from(verdict_table).where(mine)
            if connection.execute(count).scalar_one() >= MAX_VERDICTS:
                raise Refused(Notice("room_full", {"high": MAX_VERDICTS}))
            values = {name: getattr(verdict, name) for name in _FIELDS}
            connection.execute(sa.insert(verdict_table).values(**values))
            facts = {"verdict": verdict.id, "link": verdict.link_id, "item": item, "what": what}
            facts["sha256"] = digest(verdict)
            self._checker.note(connection, "reviewed", asset_id, f"guest {seat.guest}", **facts)
        ledger.note_last(self._engine, self._settings.studio_home)
        return verdict

    def of_room(self, room: Room) -> Sequence[Verdict]:
        """All verdicts of a room, oldest first."""
        return self._where(verdict_table.c.room == room.key)

    def of_assets(self, assets: Collection[str]) -> Sequence[Verdict]:
        """All verdicts on these clips in any room, oldest first."""
        return self._where(verdict_table.c.asset_id.in_(assets)) if assets else ()

    def _where(self, chosen: sa.ColumnElement[bool]) -> Sequence[Verdict]:
        columns = [verdict_table.c[name] for name in _FIELDS]
        query = sa.select(*columns).where(chosen).order_by(verdict_table.c.number)
        with reading(self._engine) as connection:
            return [Verdict(**row) for row in connection.execute(query.limit(MAX_VERDICTS)).mappings()]


def newest(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """By item, the verdict that counts: the last one."""
    return {verdict.item: verdict for verdict in verdicts}


def digest(verdict: Verdict) -> str:
    """SHA-256 of all of a verdict in one fixed spelling: the ledger keeps it, and no name or word of it."""
    told = {name: getattr(verdict, name) for name in _FIELDS}
    told["at"] = verdict.at.isoformat(timespec="microseconds")
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
