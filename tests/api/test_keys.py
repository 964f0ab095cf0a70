"""API keys: told once, kept as a hash, shut for good; by hand too."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.request import Notice
from studio import access, db
from studio.api.__main__ import main
from studio.api_keys import MAX_NAME, Keys, key_table
from studio.api_tasks import KEPT, Tasks, task_table
from studio.refusal import Refused
from tests.api.conftest import ADMIN
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    if request.param == "sqlite":
        engine = db.engine(f"sqlite:///{tmp_path / 'studio.db'}")
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        engine = db.engine(server.url(server.create()))
    db.migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def keys(engine: sa.Engine) -> Keys:
    return Keys(engine)


def _codes(caught: "pytest.ExceptionInfo[Refused]") -> list[str]:
    return [notice.code for notice in caught.value.notices]


def test_a_key_opens_by_its_secret_and_the_database_does_not_hold_it(keys: Keys, tmp_path: Path) -> None:
    key, secret = keys.make(ADMIN, "  Nightly   report ")
    assert (key.name, key.owner, key.visitor.admin) == ("Nightly report", "api:Nightly report", False)
    assert secret.startswith(key.prefix)
    assert len(key.prefix) < 10 < 40 < len(secret)
    found = keys.open(secret)
    assert found is not None
    assert found.id == key.id
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("studio.db*"))
    assert secret.encode() not in kept
    assert secret[12:].encode() not in kept


@pytest.mark.parametrize("secret", ["", "sk-", "sk-x", "x", "sk-" + "x" * 5000, "sk-\udcff\0", "Bearer sk-1"])
def test_what_is_no_secret_opens_nothing(keys: Keys, secret: str) -> None:
    keys.make(ADMIN, "one")
    assert keys.open(secret) is None


def test_a_revoked_key_opens_nothing_and_a_new_one_of_its_name_takes_its_place(keys: Keys) -> None:
    old, secret = keys.make(ADMIN, "robot")
    with pytest.raises(Refused) as caught:
        keys.make(ADMIN, "robot")
    assert _codes(caught) == ["key_name_taken"]
    assert keys.revoke(ADMIN, "robot").revoked is not None
    assert keys.open(secret) is None
    with pytest.raises(Refused) as caught:
        keys.revoke(ADMIN, old.id)
    assert _codes(caught) == ["key_unknown"]
    new, _ = keys.make(ADMIN, "robot")
    assert new.owner == old.owner
    assert [key.id for key in keys.list(ADMIN)] == [new.id, old.id]


@pytest.mark.parametrize("name", ["", "  ", "x" * (MAX_NAME + 1), "a\0b", "a\udcffb"])
def test_a_name_that_nobody_can_read_is_refused(keys: Keys, name: str) -> None:
    with pytest.raises(Refused) as caught:
        keys.make(ADMIN, name)
    assert _codes(caught) == ["key_name"]


def test_the_last_use_is_noted_once_a_minute(keys: Keys) -> None:
    _, secret = keys.make(ADMIN, "one")
    keys.open(secret)
    first = keys.list(ADMIN)[0].used
    keys.open(secret)
    assert first is not None
    assert keys.list(ADMIN)[0].used == first
    earlier = first - timedelta(minutes=2)
    with db.writing(keys._engine) as connection:
        connection.execute(sa.update(key_table).values(used=earlier))
    keys.open(secret)
    used = keys.list(ADMIN)[0].used
    assert used is not None
    assert used >= first


def test_a_keys_owner_is_shown_by_its_whole_name() -> None:
    # As long as the number in a cookie is, of which only the beginning is shown.
    assert access.short("api:" + "x" * 18) == "api:" + "x" * 18
    assert access.short("y" * 22) == "y" * 6


def test_refusals_are_known_for_a_day_to_their_own_key(engine: sa.Engine, keys: Keys) -> None:
    tasks, (key, _), (other, _) = Tasks(engine), keys.make(ADMIN, "one"), keys.make(ADMIN, "two")
    why = Notice("service_sexual", {"words": "\u732b"})
    first = tasks.refuse(key, "sketch", "r1", [why])
    found = tasks.refusal(key.owner, first)
    assert found is not None
    assert found.notices == (why,)
    assert tasks.refusal(other.owner, first) is None
    now = db.utc_now()
    assert [one.id for one in tasks.between(key.owner, now - KEPT, now)] == [first]
    assert tasks.count_open(key.owner) == 0
    with db.writing(engine) as connection:
        connection.execute(sa.update(task_table).values(created=now - KEPT - timedelta(minutes=1)))
    tasks.refuse(other, "sketch", "r2", [why])
    assert tasks.refusal(key.owner, first) is None


def test_keys_are_made_listed_and_revoked_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    assert main(["keys", "add", "night"]) == 0
    # The secret alone: KEY=$(python -m studio.api keys add night)
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("sk-")
    assert main(["keys", "add", "night"]) == 1
    again = capsys.readouterr()
    assert again.out == ""
    assert "keys revoke" in again.err
    assert main(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert "night" in listed
    assert secret not in listed
    assert main(["keys", "revoke", "night"]) == 0
    assert main(["keys", "revoke", "night"]) == 1
    assert capsys.readouterr().err != ""


def test_keys_are_an_admins(keys: Keys) -> None:
    key, _ = keys.make(ADMIN, "one")
    guest = access.Visitor(owner="bert", admin=False)
    for ask in (
        lambda: keys.make(guest, "two"),
        lambda: keys.list(guest),
        lambda: keys.revoke(guest, key.id),
    ):
        with pytest.raises(Refused) as caught:
            ask()
        assert _codes(caught) == ["admin_only"]
    assert [one.revoked for one in keys.list(ADMIN)] == [None]
