"""The rules: the newest hold, each change is kept, and the label does not come off by accident."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from sqlalchemy import Engine

from studio import db
from studio.trust import ledger
from studio.trust.policy import LabelRule, Policy, change, current, policy_table

KEY = b"a secret of the studio"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = db.engine(f"sqlite:///{tmp_path / 'studio.db'}")
    db.migrate(opened)
    yield opened
    opened.dispose()


def set_to(engine: Engine, policy: Policy, reason: str = "") -> None:
    with db.writing(engine) as connection:
        change(connection, policy, who="ann", reason=reason, key=KEY)


def read(engine: Engine) -> Policy:
    with db.reading(engine) as connection:
        return current(connection)


def test_without_a_change_everything_is_labelled_and_shown_at_once(engine: Engine) -> None:
    rules = read(engine)
    assert (rules.publish, rules.label.shown, rules.when_down) == ("at_once", True, "hold")
    style = rules.label.style("AI生成 · 展览")
    assert (style.text, style.shown, style.seconds) == ("AI生成 · 展览", True, None)


def test_the_newest_rules_hold_and_the_ledger_tells_of_each_change(engine: Engine) -> None:
    set_to(engine, Policy(publish="after_review"))
    set_to(engine, Policy(publish="after_review", names=("Acme", " 某  明星 ")), "a campaign")
    assert read(engine).names == ("Acme", "某 明星")
    with db.reading(engine) as connection:
        told = [ledger.of_subject(connection, f"policy {number}")[0].facts for number in (1, 2)]
    assert [facts["changed"] for facts in told] == [["publish"], ["names"]]
    assert "Acme" not in str(told), "the ledger names nobody"


def test_the_same_rules_again_are_no_change(engine: Engine) -> None:
    set_to(engine, Policy())
    with db.reading(engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(policy_table)).scalar() == 0


def test_the_label_comes_off_for_a_reason_only(engine: Engine) -> None:
    off = Policy(label=LabelRule(shown=False))
    for reason in ("", "   no    ", "." * 20):
        with pytest.raises(PydanticCustomError, match="policy_reason"):
            set_to(engine, off, reason)
    assert read(engine).label.shown
    set_to(engine, off, "The broadcaster draws its own label")
    assert not read(engine).label.shown
    set_to(engine, off.model_copy(update={"publish": "after_review"}))
    assert not read(engine).label.shown, "another rule needs no reason for the label again"


@pytest.mark.parametrize(
    "values",
    [
        {"publish": "never"},
        {"label": {"seconds": 1.9}},
        {"label": {"corner": "middle"}},
        {"texts": {"gore": "maybe"}},
        {"names": ["A"]},
        {"names": ["a\u200bb c"]},
        {"unknown": 1},
    ],
)
def test_rules_that_are_none_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate(values)


def test_rules_that_this_studio_cannot_read_hold_everything_back(engine: Engine) -> None:
    row = {"number": 1, "at": db.utc_now(), "who": "", "reason": "", "document": {"publish": "by_vote"}}
    with db.writing(engine) as connection:
        connection.execute(sa.insert(policy_table).values(**row))
    assert read(engine) == Policy(publish="after_review")
