"""{Variables} and the tables that fill them, one film a row."""

import pytest

from studio.story.problems import StoryProblem
from studio.story.types import Story
from studio.story.variables import fill, filled, masked, masks_in, names_in, rows_of, unmasked, unset
from tests.story.kit import story_of


def story() -> Story:
    return story_of(
        "{hero}走进森林。", "他拿着{产品}。", "一只鹿站着。", variables={"产品": "灯"}, title="{hero}的故事"
    )


def test_names_are_words_between_braces() -> None:
    assert names_in(story()) == ("hero", "产品")
    assert unset(story()) == ("hero",)
    assert names_in(story_of("{} {1} { a b } {a{b}} {x:y} {'k': 1}")) == ("a b", "b")


def test_a_variable_goes_through_rules_that_know_only_words() -> None:
    for text in ("{hero}走进森林。", "Then {my hero}abc runs to {产品}.", "no variable"):
        assert unmasked(masked(text)) == text
        assert "{" not in masked(text)
        assert len(masks_in(masked(text))) == text.count("{")


def test_values_take_their_place_and_nothing_else_does() -> None:
    assert fill("{a}{b}{c}", {"a": "{b}", "b": "2"}) == "{b}2{c}", "a value is never filled itself"
    done = filled(story().model_copy(update={"variables": {"hero": "小雨", "产品": "伞"}}))
    assert [shot.text for shot in done.shots] == ["小雨走进森林。", "他拿着伞。", "一只鹿站着。"]
    assert done.title == "小雨的故事"
    assert "{" not in str(done.shots[0].fields)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_with_any_usual_separator(separator: str) -> None:
    table = f'hero{separator}产品\r\n小雨{separator}伞\r\n\r\nAnna{separator}"灯, 红; 亮"\r\n'
    assert rows_of(table, story()) == [
        {"hero": "小雨", "产品": "伞"},
        {"hero": "Anna", "产品": "灯, 红; 亮"},
    ]


def test_a_table_from_a_spreadsheet_is_read_whatever_it_was_saved_in() -> None:
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        assert rows_of("{hero}\n小雨".encode(encoding), story())[0] == {"hero": "小雨", "产品": "灯"}


@pytest.mark.parametrize(
    ("table", "code", "values"),
    [
        ("", "table_empty", {}),
        ("hero\n", "table_empty", {}),
        ("hero,villain\na,b", "table_column_unknown", {"column": 2, "value": "villain"}),
        ("hero,hero\na,b", "table_column_twice", {"column": 2}),
        ("产品\n伞", "table_column_missing", {"value": "hero"}),
        ("hero,产品\na", "table_cell_empty", {"row": 2, "column": "产品"}),
        ("hero\na\n\nb,c", "table_row_wide", {"row": 4, "count": 2, "high": 1}),
        ("hero\n" + "x" * 201, "table_cell_long", {"row": 2, "length": 201}),
        ('hero\n"a\nb"', "table_cell_control", {"row": 2, "column": "hero"}),
        ("hero\na\x00b", "table_cell_control", {"row": 2}),
        ("hero\n" + "a\n" * 201, "table_long", {"count": 201, "high": 200}),
        ("hero\n" + "x" * 1_000_001, "table_big", {"high": 1}),
        (b"\xff\xfe\x00\x81\xff", "table_bad", {}),
    ],
)
def test_a_table_that_cannot_be_used_says_where(
    table: str | bytes, code: str, values: dict[str, object]
) -> None:
    with pytest.raises(StoryProblem) as caught:
        rows_of(table, story())
    assert caught.value.notice.code == code
    assert values.items() <= caught.value.notice.values.items()


def test_a_story_without_variables_takes_no_table() -> None:
    with pytest.raises(StoryProblem, match="table_no_variables"):
        rows_of("hero\na", story_of("一只鹿站着。"))
