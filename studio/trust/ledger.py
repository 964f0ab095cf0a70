"""The ledger: what was created, checked, decided, exported, deleted. Each entry seals the one before it.

Entries are only ever added. Each holds a MAC over its own words and the MAC before, so that an entry that is
changed, left out or put in shows; where the newest ones are cut off, the note of the last one that was seen
(a file in the home) tells it.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from studio.db import UtcTime, metadata, reading, utc_now

Event = Literal[
    "created",
    "checked",
    "held",
    "approved",
    "rejected",
    "exported",
    "deleted",
    "policy",
    "reviewed",
    "restored",
]

ledger_table = sa.Table(
    "ledger",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    # A job's, an asset's or an export's id, or the name of a rule.
    sa.Column("subject", sa.Text, nullable=False),
    # An owner's id; empty where the studio itself acted.
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("mac", sa.Text, nullable=False),
    sa.Index("ledger_by_subject", "subject"),
)

# Any number of our own: on Postgres two entries are never written at once.
_LOCK = 7_274_203
_FIRST = "0" * 64
_NOTE = "ledger.last"


@dataclass(frozen=True)
class Entry:
    """One line of the ledger. `number` counts from 1 without a gap."""

    number: int
    at: datetime
    event: str
    subject: str
    who: str
    facts: dict[str, Any]
    mac: str


@dataclass(frozen=True)
class Fault:
    """Where the ledger is broken: entry `number` was "changed", is "missing", or the end was "cut" off."""

    number: int
    what: Literal["changed", "missing", "cut"]


def append(
    connection: Connection,
    event: Event,
    subject: str,
    *,
    key: bytes,
    who: str = "",
    facts: Mapping[str, Any] = {},
) -> Entry:
    """Add an entry within the caller's transaction: it stands if, and only if, the change itself does.

    `facts` are few and plain (JSON); never a prompt's words, a name or a secret.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    newest = sa.select(ledger_table.c.number, ledger_table.c.mac).order_by(ledger_table.c.number.desc())
    last = connection.execute(newest.limit(1)).first()
    number, before = (last.number + 1, last.mac) if last else (1, _FIRST)
    # As the database gives it back.
    plain = json.loads(json.dumps(dict(facts)))
    entry = Entry(number, utc_now(), event, subject, who, plain, "")
    mac = _mac(entry, before, key)
    values = {name: getattr(entry, name) for name in Entry.__dataclass_fields__} | {"mac": mac}
    connection.execute(sa.insert(ledger_table).values(**values))
    return Entry(**values)


def note_last(engine: Engine, home: Path) -> None:
    """Note beside the database which entry is the last one by now, so that cutting it off shows."""
    with reading(engine) as connection:
        newest = sa.select(ledger_table.c.number, ledger_table.c.mac).order_by(ledger_table.c.number.desc())
        last = connection.execute(newest.limit(1)).first()
    if last is None:
        return
    path = home / _NOTE
    part = path.with_name(f"{_NOTE}.{secrets.token_hex(4)}.part")
    part.write_text(f"{last.number} {last.mac}\n", encoding="ascii")
    part.replace(path)


def verify(engine: Engine, *, key: bytes, home: Path) -> tuple[int, Fault | None]:
    """How many entries are right, and the first fault, if there is one."""
    expected, before = 1, _FIRST
    seen: dict[int, str] = {}
    note = noted(home)
    with reading(engine) as connection:
        rows = connection.execute(sa.select(ledger_table).order_by(ledger_table.c.number)).mappings()
        while True:
            try:
                row = next(rows, None)
            except (ValueError, TypeError):
                # What stands there is no date, or no JSON: nobody here wrote it.
                return expected - 1, Fault(expected, "changed")
            if row is None:
                break
            entry = Entry(**row)
            if entry.number != expected:
                return expected - 1, Fault(expected, "missing")
            if not hmac.compare_digest(_mac(entry, before, key), entry.mac):
                return expected - 1, Fault(entry.number, "changed")
            if note and entry.number == note[0]:
                seen[entry.number] = entry.mac
            expected, before = expected + 1, entry.mac
    if note is None and expected > 1:
        # It is written after each entry: somebody took it away.
        return expected - 1, Fault(expected - 1, "cut")
    if note and seen.get(note[0]) != note[1]:
        return expected - 1, Fault(note[0], "changed" if note[0] in seen else "cut")
    return expected - 1, None


def of_subject(connection: Connection, subject: str) -> list[Entry]:
    """All that is told of one job, asset or export, oldest first."""
    query = sa.select(ledger_table).where(ledger_table.c.subject == subject)
    rows = connection.execute(query.order_by(ledger_table.c.number)).mappings()
    return [Entry(**row) for row in rows]


def _mac(entry: Entry, before: str, key: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) over the entry before and this one's words, in one fixed spelling."""
    at = entry.at.isoformat(timespec="microseconds")
    words = [before, entry.number, at, entry.event, entry.subject, entry.who, entry.facts]
    text = json.dumps(words, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def noted(home: Path) -> tuple[int, str] | None:
    """Number and MAC of the last entry, as noted beside the database; None if there is no note yet."""
    try:
        number, mac = (home / _NOTE).read_text(encoding="ascii").split()
        return int(number), mac
    except FileNotFoundError:
        return None
    except (ValueError, OSError):
        return 0, ""
