"""What a grid is made of: axes, seeds, tables of people's."""

from typing import Any

import pytest

from pipelines.request import Notice
from studio.core import Refused
from studio.grid_plan import (
    MAX_CELLS,
    MAX_LINES,
    GridPlan,
    Place,
    checked,
    places,
    read_csv,
    read_lines,
    read_seeds,
)
from studio.words import LANGUAGES, say


def refusal(does: Any, *given: Any) -> Notice:
    with pytest.raises(Refused) as refused:
        does(*given)
    notice = refused.value.notices[0]
    for language in LANGUAGES:
        assert say(notice, language) not in ("", say("generic", language)), notice
    return notice


def test_every_line_is_made_in_every_setting_style_and_seed() -> None:
    plan = GridPlan(
        lines=read_lines("a boat\n\n a fox \na boat"),
        settings=({"quality": "draft"}, {"quality": "final"}),
        styles=("ink", "neon"),
        seeds=(1, 2, 3),
    )
    cells = places(plan)
    assert len(cells) == 2 * 2 * 2 * 3
    assert cells[0] == (
        Place(0, 0, 0, 0),
        {"quality": "draft", "style": "ink", "seed": 1, "prompt": "a boat"},
    )
    assert cells[-1][0] == Place(1, 1, 1, 2)
    assert len({tuple(sorted(form.items())) for _, form in cells}) == len(cells)


def test_what_a_line_says_itself_counts_and_is_not_made_twice() -> None:
    lines = ({"prompt": "a boat", "style": "neon"}, {"prompt": "a fox", "seed": "7", "style": "ink"})
    cells = places(GridPlan(lines=lines, styles=("ink", "mono"), seeds=(1, 2)))
    assert [(form["prompt"], form["style"], form["seed"]) for _, form in cells] == [
        ("a boat", "neon", 1),
        ("a boat", "neon", 2),
        ("a fox", "ink", "7"),
    ]


def test_too_much_and_nothing_are_refused_with_the_numbers() -> None:
    assert refusal(checked, GridPlan(lines=({"prompt": "  "},))).code == "grid_empty"
    much = GridPlan(lines=read_lines("a\nb\nc"), styles=("ink", "neon"), seeds=tuple(range(50)))
    assert refusal(checked, much).values == {"count": 300, "high": MAX_CELLS}
    lines = tuple({"prompt": str(number)} for number in range(MAX_LINES + 1))
    assert refusal(checked, GridPlan(lines=lines)).code == "grid_lines"
    huge = GridPlan(lines=lines[:100], settings=({},) * 1000, seeds=tuple(range(1000)))
    assert refusal(checked, huge).code == "grid_cells"


def test_seeds_are_read_as_people_write_them() -> None:
    assert read_seeds("41, 42，50-52; 41") == (41, 42, 50, 51, 52)
    assert read_seeds("") == ()
    for wrong in ("x", "-3", "1.5", "9-3", "99999999999", "²", "1-"):
        assert refusal(read_seeds, wrong).code == "grid_seeds", wrong
    assert refusal(read_seeds, "1-1000").code == "grid_seed_count"


@pytest.mark.parametrize(
    "table",
    [
        "prompt,style,seed\na boat,ink,3\na fox,,\n",
        "\ufeffprompt;style;seed\r\na boat;ink;3\r\n\r\na fox\r\n",
        "提示词\t风格\t种子\na boat\tink\t3\na fox\n",
        "Prompt,STYLE,seed,,\na boat,ink,3\na fox\n",
    ],
)
def test_a_table_names_fields_of_the_form_in_either_language(table: str) -> None:
    assert read_csv(table.encode()) == (
        {"prompt": "a boat", "style": "ink", "seed": "3"},
        {"prompt": "a fox"},
    )


@pytest.mark.parametrize(
    ("table", "code", "told"),
    [
        ("", "grid_csv_empty", {}),
        ("prompt,style\n", "grid_csv_empty", {}),
        ("prompt,stlye\na,b\n", "grid_csv_column", {"column": 2, "value": "stlye"}),
        ("prompt,seed,seed\na,1,2\n", "table_column_twice", {"column": 3}),
        ("style,seed\nink,1\n", "table_column_missing", {"value": "prompt"}),
        ("prompt,seed\na,1\nb,2,3\n", "table_row_wide", {"row": 3, "count": 3, "high": 2}),
        ("prompt,seed\na,1\n,2\n", "table_cell_empty", {"row": 3, "column": "prompt"}),
        ("prompt\n" + "x" * 2001, "table_cell_long", {"row": 2, "length": 2001, "high": 2000}),
        ("prompt\n" + "a\n" * (MAX_LINES + 1), "table_long", {"count": MAX_LINES + 1, "high": MAX_LINES}),
        ("prompt\n" + "a" * 1_000_001, "table_big", {}),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "table_bad", {}),
        (b"PK\x03\x04" + b"\0" * 200, "table_bad", {}),
        (b"prompt\n\xff\xff\xff", "table_bad", {}),
    ],
)
def test_a_table_that_is_wrong_says_where(table: str | bytes, code: str, told: dict[str, Any]) -> None:
    notice = refusal(read_csv, table if isinstance(table, bytes) else table.encode())
    assert notice.code == code
    assert told.items() <= notice.values.items()


def test_formulas_and_markup_in_a_table_are_only_text() -> None:
    (line,) = read_csv(b'prompt\n"=HYPERLINK(""http://x"") <img src=x onerror=alert(1)>"\n')
    assert line == {"prompt": '=HYPERLINK("http://x") <img src=x onerror=alert(1)>'}
