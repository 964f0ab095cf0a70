"""Cards: beside each asset's film lies all that the database knows of it, sealed with the studio's key.

They follow the tables as the search does, by the library's clock: a change is on its card seconds later. If
the database is lost, the library is made again from them (`studio.library.reindex`).
"""

import base64
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from studio.archive import Archive
from studio.db import UtcTime, reading, writing
from studio.edit_tables import edit_table
from studio.library.tables import (
    asset_table,
    carded_table,
    favourite_table,
    film_clip_table,
    project_table,
    revision,
    tag_table,
)
from studio.library.types import card_place
from studio.trust.exports import export_table

PROJECTS = "media/projects.json"
"""The card of all projects."""

# Raised with whatever a card holds besides: all are written anew then.
_VERSION = 1
_MAX_BYTES = 8 * 1024 * 1024
_AT_ONCE = 500
# What a card holds besides the asset's own row: of each table the rows that name it.
_PARTS: tuple[tuple[sa.Table, str, str], ...] = (
    (export_table, "asset_id", "id"),
    (tag_table, "asset_id", "id"),
    (favourite_table, "asset_id", "id"),
    (film_clip_table, "film_asset_id", "id"),
    (edit_table, "job_id", "job_id"),
)
# Of one database alone.
_OWN = {"asset": {"revision"}}

Rows = dict[str, list[dict[str, Any]]]
"""Rows by the name of their table, as the database takes them."""

log = logging.getLogger(__name__)


class CardError(ValueError):
    """No card of this studio: damaged, changed, or sealed with another key."""


def read_card(path: Path, key: bytes) -> Rows:
    """What stands on a card; CardError if it is none of ours, FileNotFoundError if there is none."""
    if path.stat().st_size > _MAX_BYTES:
        raise CardError("too big for a card")
    try:
        sealed = json.loads(path.read_text("utf-8"))
        told, mac = sealed["card"], sealed["mac"]
        if not hmac.compare_digest(_mac(told, key), mac):
            raise CardError("another key, or other words than were sealed")
        return {name: [_row(_TABLES[name], row) for row in rows] for name, rows in told["rows"].items()}
    except CardError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CardError("no card") from error


_TABLES: Mapping[str, sa.Table] = {
    table.name: table for table in (asset_table, project_table, *(part[0] for part in _PARTS))
}


@dataclass
class Cards:
    """Writes the cards of one studio."""

    engine: Engine
    archive: Archive
    tmp: Path
    key: bytes
    _revision: int = -1
    _projects: str = ""

    def follow(self) -> int:
        """Write the cards of all that changed since they were last written, by whichever process; how many.

        The first call writes besides what cards are missing.
        """
        with reading(self.engine) as connection:
            now = revision(connection)
            projects = _rows(connection, sa.select(project_table))
            first = self._revision < 0
            since = self._noted(connection) if first else self._revision
            changed = [] if now == since else _changed_since(connection, since)
            missing = self._without_card(connection, since) if first else []
        written = sum(
            self._write_some(missing[at : at + _AT_ONCE]) for at in range(0, len(missing), _AT_ONCE)
        )
        for at in range(0, len(changed), _AT_ONCE):
            some = changed[at : at + _AT_ONCE]
            written += self._write_some([asset_id for asset_id, _ in some])
            # Several may share the last one's revision, and the rest of them is still to come.
            self._note(some[-1][1] - 1)
        if (told := json.dumps(projects)) != self._projects:
            self._put(PROJECTS, {"project": projects})
            self._projects = told
        if now > since:
            self._note(now)
        self._revision = now
        return written

    @property
    def _edition(self) -> str:
        """Cards of another form, or sealed with another key, are written anew."""
        return f"{_VERSION}-{hmac.new(self.key, b'wan-studio cards', hashlib.sha256).hexdigest()[:16]}"

    def _noted(self, connection: Connection) -> int:
        """Up to which revision cards are written; -1 if none is."""
        mine = carded_table.c.edition == self._edition
        found = connection.execute(sa.select(carded_table.c.revision).where(mine)).scalar()
        return -1 if found is None else int(found)

    def _note(self, upto: int) -> None:
        """Cards are written up to this revision; whoever was further stays so."""
        columns = carded_table.c
        mine = columns.edition == self._edition
        further = sa.case((columns.revision > upto, columns.revision), else_=upto)
        with writing(self.engine) as connection:
            if not connection.execute(sa.update(carded_table).where(mine).values(revision=further)).rowcount:
                connection.execute(sa.insert(carded_table).values(edition=self._edition, revision=upto))

    def _without_card(self, connection: Connection, upto: int) -> list[str]:
        """Of what was written before, the assets whose card was lost since."""
        columns = asset_table.c
        query = sa.select(columns.id, columns.path).where(columns.revision <= upto)
        there = self.archive.exists
        return [
            row.id for row in connection.execute(query) if not there(card_place(row.path)) and there(row.path)
        ]

    def _write_some(self, ids: Iterable[str]) -> int:
        with reading(self.engine) as connection:
            found = cards_of(connection, list(ids))
        written = 0
        for path, rows in found:
            # An asset that was deleted meanwhile has no film, and shall have no card.
            if self.archive.exists(path):
                written += self._put(card_place(path), rows)
        return written

    def _put(self, place: str, rows: Rows) -> bool:
        told = {"version": _VERSION, "rows": rows}
        text = json.dumps({"card": told, "mac": _mac(told, self.key)}, ensure_ascii=False, indent=1)
        lies = self.archive.path(place)
        if lies.is_file() and lies.read_text("utf-8", errors="replace") == text:
            return False
        part = self.tmp / f"card-{secrets.token_hex(8)}.part"
        part.write_text(text, "utf-8")
        self.archive.put(part, place)
        return True


def _changed_since(connection: Connection, before: int) -> list[tuple[str, int]]:
    """What changed after a revision, and at which, in their order."""
    columns = asset_table.c
    query = sa.select(columns.id, columns.revision).where(columns.revision > before)
    return [(row.id, row.revision) for row in connection.execute(query.order_by(columns.revision))]


def cards_of(connection: Connection, ids: list[str]) -> list[tuple[str, Rows]]:
    """The places of assets' films, and what their cards tell."""
    assets = _rows(connection, sa.select(asset_table).where(asset_table.c.id.in_(ids)))
    cards: list[tuple[str, Rows]] = [(asset["path"], {"asset": [asset]}) for asset in assets]
    for table, column, of in _PARTS:
        named = {asset[of]: rows for asset, (_, rows) in zip(assets, cards, strict=True)}
        query = sa.select(table).where(table.c[column].in_(list(named)))
        for row in _rows(connection, query.order_by(*table.primary_key.columns)):
            named[row[column]].setdefault(table.name, []).append(row)
    return cards


def _rows(connection: Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    """Rows as JSON takes them: times as ISO texts, bytes in base 64."""
    table = query.get_final_froms()[0]
    left = _OWN.get(getattr(table, "name", ""), set())
    return [
        {name: _plain(value) for name, value in row.items() if name not in left}
        for row in connection.execute(query).mappings()
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _row(table: sa.Table, told: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the database takes it; what a later studio knew besides is left out."""
    found = {}
    for column in table.columns:
        if column.name in told:
            value = told[column.name]
            if isinstance(column.type, UtcTime) and value is not None:
                value = datetime.fromisoformat(value)
            elif isinstance(column.type, sa.LargeBinary) and value is not None:
                value = base64.b64decode(value, validate=True)
            found[column.name] = value
    return found


def _mac(told: Any, key: bytes) -> str:
    """HMAC-SHA256 over the card in one fixed spelling."""
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, b"wan-studio card 1\0" + text.encode(), hashlib.sha256).hexdigest()
