"""API keys: what programs come in with. Only a hash is kept; a key acts as an owner of its own."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Engine

from pipelines.request import Notice
from studio.access import Visitor
from studio.db import UtcTime, metadata, reading, utc_now, writing
from studio.refusal import Refused

MAX_NAME = 40
# So many may be open at once; more are a mistake in somebody's script.
MAX_OPEN = 200
_PREFIX, _SHOWN = "sk-", 9
_OWNER = "api:"
# Noted once a minute: a script that polls would otherwise write at every look.
_USED_EVERY = timedelta(minutes=1)

key_table = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    # Whose the jobs are that are asked for with it.
    sa.Column("owner", sa.Text, nullable=False),
    # The key's first characters, to tell one from another; they open nothing.
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("used", UtcTime),
    sa.Column("revoked", UtcTime),
)


@dataclass(frozen=True)
class Key:
    """One key. `prefix` is how its secret begins; `used` its last use, to the minute."""

    id: str
    name: str
    owner: str
    prefix: str
    created: datetime
    used: datetime | None
    revoked: datetime | None

    @property
    def visitor(self) -> Visitor:
        """Who asks when this key does: never an admin."""
        return Visitor(owner=self.owner, admin=False)


class Keys:
    """Owns the table `api_key`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def make(self, visitor: Visitor, name: str) -> tuple[Key, str]:
        """A new key and its secret, which is told this once; an admin's right, as all but `open`.

        Refused without a name, or for one that an open key has. A key by the name of a revoked one takes its
        place: what the old one asked for is its own.
        """
        _admin_only(visitor)
        name = " ".join(name.split())
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise Refused(Notice("key_name", {"high": MAX_NAME}))
        secret = _PREFIX + secrets.token_urlsafe(32)
        found = Key(secrets.token_urlsafe(9), name, _OWNER + name, secret[:_SHOWN], utc_now(), None, None)
        values = {field: getattr(found, field) for field in Key.__dataclass_fields__}
        columns = key_table.c
        with writing(self._engine) as connection:
            query = sa.select(columns.name).where(columns.revoked.is_(None))
            taken = connection.execute(query.with_for_update()).scalars().all()
            if name in taken:
                raise Refused(Notice("key_name_taken", {"name": name}))
            if len(taken) >= MAX_OPEN:
                raise Refused(Notice("keys_many", {"high": MAX_OPEN}))
            connection.execute(sa.insert(key_table).values(**values, hash=_hash(secret)))
        return found, secret

    def open(self, secret: str) -> Key | None:
        """The key of a secret, if there is one that is not revoked; its use is noted."""
        if not secret.startswith(_PREFIX) or len(secret) > 200:
            return None
        columns = key_table.c
        # Looked up by its hash, so how long it takes tells nothing of the secret.
        query = sa.select(key_table).where(columns.hash == _hash(secret), columns.revoked.is_(None))
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        found, now = _key(row), utc_now()
        if found.used is None or now - found.used >= _USED_EVERY:
            with writing(self._engine) as connection:
                connection.execute(sa.update(key_table).where(columns.id == found.id).values(used=now))
        return found

    def list(self, visitor: Visitor) -> Sequence[Key]:
        """All keys, the open ones first, each the newest first."""
        _admin_only(visitor)
        columns = key_table.c
        order = (columns.revoked.is_not(None), columns.created.desc(), columns.id)
        with reading(self._engine) as connection:
            return [_key(row) for row in connection.execute(sa.select(key_table).order_by(*order)).mappings()]

    def revoke(self, visitor: Visitor, named: str) -> Key:
        """Shut an open key, by its id or name, at once and for good; Refused if there is none.

        What was asked for with it goes on; its own owner may not look at it any more.
        """
        _admin_only(visitor)
        columns = key_table.c
        mine = (columns.revoked.is_(None), sa.or_(columns.id == named, columns.name == named))
        with writing(self._engine) as connection:
            row = connection.execute(sa.select(key_table).where(*mine).with_for_update()).mappings().first()
            if row is None:
                raise Refused(Notice("key_unknown", {"name": named[:MAX_NAME]}))
            shut = sa.update(key_table).where(columns.id == row["id"]).values(revoked=utc_now())
            connection.execute(shut)
            again = sa.select(key_table).where(columns.id == row["id"])
            return _key(connection.execute(again).mappings().one())


def name_of(owner: str) -> str:
    """The name of the key that this owner is; empty for a person."""
    return owner.removeprefix(_OWNER) if owner.startswith(_OWNER) else ""


def _admin_only(visitor: Visitor) -> None:
    if not visitor.admin:
        raise Refused(Notice("admin_only"))


def _hash(secret: str) -> str:
    # The secret is 256 random bits: nothing slower than one hash is needed.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _key(row: sa.RowMapping) -> Key:
    return Key(**{name: row[name] for name in Key.__dataclass_fields__})
