"""The ledger: entries stand with the change they tell of, and no change of them goes unseen."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from studio import db
from studio.trust import ledger
from studio.trust.ledger import Fault, append, note_last, verify
from tests.postgres import Postgres, postgres_server

__all__ = ["postgres_server"]

KEY = b"a secret of the studio"


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'studio.db'}"
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.url(server.create())
    opened = db.engine(url)
    db.migrate(opened)
    yield opened
    opened.dispose()


def filled(engine: Engine, count: int = 6) -> None:
    with db.writing(engine) as connection:
        for number in range(count):
            append(
                connection,
                "created",
                f"job{number}",
                key=KEY,
                who="ann",
                facts={"kind": "clip", "名": "七夕"},
            )


def change(engine: Engine, text: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(text))


def test_an_untouched_ledger_is_whole(engine: Engine, tmp_path: Path) -> None:
    assert verify(engine, key=KEY, home=tmp_path) == (0, None)
    filled(engine)
    note_last(engine, tmp_path)
    filled(engine, 2)
    assert verify(engine, key=KEY, home=tmp_path) == (8, None)


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("UPDATE ledger SET subject = 'job9' WHERE number = 3", Fault(3, "changed")),
        ("UPDATE ledger SET who = '' WHERE number = 1", Fault(1, "changed")),
        ("UPDATE ledger SET event = 'approved' WHERE number = 6", Fault(6, "changed")),
        ('UPDATE ledger SET facts = \'{"kind": "film"}\' WHERE number = 2', Fault(2, "changed")),
        ("DELETE FROM ledger WHERE number = 4", Fault(4, "missing")),
        ("DELETE FROM ledger WHERE number = 1", Fault(1, "missing")),
        ("DELETE FROM ledger WHERE number >= 5", Fault(6, "cut")),
        ("DELETE FROM ledger", Fault(6, "cut")),
    ],
)
def test_whatever_is_changed_afterwards_shows(
    engine: Engine, tmp_path: Path, tampering: str, fault: Fault
) -> None:
    filled(engine)
    note_last(engine, tmp_path)
    change(engine, tampering)
    assert verify(engine, key=KEY, home=tmp_path)[1] == fault


def test_what_is_no_entry_at_all_shows(tmp_path: Path) -> None:
    engine = db.engine(f"sqlite:///{tmp_path / 'studio.db'}")
    db.migrate(engine)
    filled(engine)
    note_last(engine, tmp_path)
    change(engine, "UPDATE ledger SET at = 'yesterday' WHERE number = 4")
    assert verify(engine, key=KEY, home=tmp_path)[1] == Fault(4, "changed")
    change(engine, "UPDATE ledger SET at = '2026-11-21 10:00:00.000000', facts = '{' WHERE number = 4")
    assert verify(engine, key=KEY, home=tmp_path)[1] == Fault(4, "changed")
    engine.dispose()


def test_a_note_that_was_taken_away_shows(engine: Engine, tmp_path: Path) -> None:
    filled(engine)
    assert verify(engine, key=KEY, home=tmp_path)[1] == Fault(6, "cut")


def test_who_lacks_the_key_can_write_no_ledger(engine: Engine, tmp_path: Path) -> None:
    with db.writing(engine) as connection:
        append(connection, "created", "job1", key=b"another secret")
    assert verify(engine, key=KEY, home=tmp_path)[1] == Fault(1, "changed")


def test_an_entry_goes_with_the_change_that_failed(engine: Engine, tmp_path: Path) -> None:
    def half() -> None:
        with db.writing(engine) as connection:
            append(connection, "created", "job1", key=KEY)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert verify(engine, key=KEY, home=tmp_path) == (0, None)


def test_many_who_write_at_once_make_one_chain(engine: Engine, tmp_path: Path) -> None:
    threads = [Thread(target=filled, args=(engine, 5)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    note_last(engine, tmp_path)
    assert verify(engine, key=KEY, home=tmp_path) == (30, None)
    with db.reading(engine) as connection:
        assert len(ledger.of_subject(connection, "job0")) == 6
