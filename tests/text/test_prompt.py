"""The prompt that a shot's fields make."""

import pytest

from studio.text.fields import ShotFields
from studio.text.prompt import assemble


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("deer", "a deer drinks"),
        ("otter", "an otter drinks"),
        ("unicorn", "a unicorn drinks"),
        ("a deer", "a deer drinks"),
        ("an otter", "an otter drinks"),
        ("The deer", "The deer drinks"),
        ("two deer", "two deer drinks"),
        ("her dog", "her dog drinks"),
        ("fishermen", "fishermen drinks"),
        ("specimen", "specimen drinks"),
    ],
)
def test_an_article_typed_by_hand_stays_and_gets_no_second_one(typed: str, read: str) -> None:
    fields = ShotFields(subject=(typed,), action=("drinks",))
    assert assemble(fields, characters=(), language="en", hints=()) == read


@pytest.mark.parametrize(
    "time", ["seven", "7:30", "half past six", "ten past six", "ten o'clock", "7 at night", "noon"]
)
def test_an_hour_is_told_as_people_say_it(time: str) -> None:
    fields = ShotFields(subject=("deer",), action=("drinks",), time=(time,))
    assert assemble(fields, characters=(), language="en") == f"a deer drinks, at {time}"
