"""What the tab Compare draws and reads: nobody's words are markup, and nothing from a browser is trusted."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.access import Visitor
from studio.core import Refused
from studio.grid_plan import GridPlan, places
from studio.grid_view import Cell, GridView
from studio.ui import compare, compare_form, compare_grid, compare_votes
from studio.ui.context import Page
from studio.ui.differences import differences
from studio.votes import Pair, Vote, result_of
from tests.ui.kit import NOW, PROMPT, asset, job, request

ANN = Visitor("me", False)


@pytest.fixture(scope="module")
def page() -> Page:
    """A page whose studio knows the shipped styles and nothing else."""
    from studio.styles import STYLES

    known = SimpleNamespace(
        find=STYLES.get, list=lambda _: [SimpleNamespace(style=style) for style in STYLES.values()]
    )
    studio: Any = SimpleNamespace(styles=known, shows_previews=lambda *_: True)
    from pipelines.models import MODELS

    projects = [SimpleNamespace(id="p1", name=PROMPT)]
    studio.projects = SimpleNamespace(list=lambda _: projects)
    studio.models = lambda: list(MODELS.values())
    studio.model_room = SimpleNamespace(is_here=lambda spec: spec.embedded)
    studio.settings = SimpleNamespace(studio_home=Path("/nowhere"), hf_token="")
    return Page(studio=studio, language="en")


def grid(*states: str) -> GridView:
    plan = GridPlan(
        title=PROMPT, lines=({"prompt": PROMPT}, {"prompt": "a fox"}), styles=("ink", "neon"), seeds=(7,)
    )
    cells = []
    for number, (place, form) in enumerate(places(plan)):
        state: Any = states[number] if number < len(states) else "queued"
        made = asset(id=f"a{number}") if state == "done" else None
        made_by = job("failed" if state == "failed" else "queued")
        cells.append(Cell(number, place, form, request(form["prompt"]), f"k{number}", state, made_by, made))
    return GridView("g1", "me", plan, NOW, tuple(cells), may_change=True)


def test_a_grid_shows_every_state_and_nobodys_words_are_markup(page: Page) -> None:
    html = compare_grid.render(page, ANN, grid("done", "failed", "held", "gone"))
    assert "<img src=x" not in html
    for number, state in enumerate(("done", "failed", "held", "gone")):
        assert f'data-state="{state}" data-number="{number}"' in html
    assert html.count('data-key="retry ') == 2
    guest = compare_grid.render(page, Visitor("x", False), _of_another())
    assert 'data-key="retry ' not in guest
    assert 'data-key="delete"' not in guest


def _of_another() -> GridView:
    return replace(grid("done", "failed"), may_change=False)


def test_the_difference_names_only_what_differs_word_by_word(page: Page) -> None:
    one = {"prompt": "a red boat at sea", "style": "Ink", "seed": 7, "num_frames": 17}
    other = {**one, "prompt": "a blue boat at sea <b>"}
    html = differences(page, [one, other])
    assert html.count("<tr data-field") == 1
    assert "<ins>blue</ins>" in html
    assert "<del>red</del>" in html
    assert "&lt;b&gt;" in html
    assert "Same seed: 7" in html
    assert "<table" not in differences(page, [one, dict(one)])
    assert differences(page, [one]) == ""


def test_a_result_is_told_in_words(page: Page) -> None:
    votes = [Vote(f"v{n}", 0, 1, "one" if n < 12 else "other", NOW) for n in range(17)]
    view = grid("done", "done")
    html = compare_votes.render_result(page, view, result_of(view, votes))
    assert "12 of 17 prefer Ink wash: between 47 and 87 of 100 would. Too few to be sure." in html
    assert 'data-verdict="open"' in html
    assert "Nobody has voted yet." in compare_votes.render_result(page, view, result_of(view, []))


def test_what_tells_clips_apart_stands_before_the_prompt_and_is_never_cut(page: Page) -> None:
    view = grid("done", "done", "done", "done")
    assert compare_grid.naming(page, view, view.cells[3]) == "Cyberpunk neon · a fox"
    html = compare_votes.render_result(page, view, result_of(view, [Vote("v", 0, 3, "one", NOW)]))
    assert ">Cyberpunk neon<small>a fox</small>" in html
    pair = compare_votes.render_pair(page, view, Pair(view.cells[2], view.cells[3], 0, 2))
    assert "<blockquote" in pair
    assert "neon" not in pair
    only = replace(view, cells=view.cells[:2])
    html = compare_votes.render_result(page, only, result_of(only, [Vote("v", 0, 1, "one", NOW)]))
    assert ">Ink wash</span>" in html


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"picks": "x", "values": [], "table": 3, "grid": None},
        {
            "picks": [1, "2", None, 1, 2, 3, 4, 5],
            "values": {"lines": "[[[", "styles": {"a": 1}, "model": "../x"},
        },
        {"values": {"lines": json.dumps([{"prompt": 3, "evil": 1}, 7, None]), "seeds": {"a": 1}}},
    ],
)
def test_messages_are_made_harmless(page: Page, data: Any) -> None:
    asked = compare.read(SimpleNamespace(_data=data))
    assert len(asked.picks) <= 4
    assert all(isinstance(number, int) for number in asked.picks)
    assert asked.values["model"] == ""
    for line in asked.values["lines"]:
        assert set(line) <= {"prompt", "row"}
    try:
        plan = compare_form.plan_of(page, asked.values)
    except Refused:
        return
    assert all(isinstance(line["prompt"], str) for line in plan.lines)


def test_the_form_keeps_what_was_asked_and_can_be_filled_with_it_again(page: Page) -> None:
    given = {
        "prompts": "a boat\na fox",
        "styles": ["ink", "neon"],
        "seeds": "1, 2",
        "tried": "guidance_scale",
        "tried_values": "3，4.5, 3",
        "quality": "draft",
        "negative_prompt": PROMPT,
    }
    plan = compare_form.plan_of(page, compare_form.read(given))
    assert [setting["guidance_scale"] for setting in plan.settings] == ["3", "4.5"]
    assert len(places(plan)) == 2 * 2 * 2 * 2
    again = compare_form.again(plan)
    assert compare_form.plan_of(page, again) == plan
    html = compare_form.render(page, ANN, {**again, "project": "p1"})
    assert 'value="p1" selected' in html
    assert "<img src=x" not in html
    assert html.count("checked") == 2 + 3


def test_each_line_knows_where_it_stood(page: Page) -> None:
    table = base64.b64encode(b"prompt,seed\n\na boat,1\n\n\na fox,x\n").decode()
    values = compare_form.with_table(
        compare_form.read({"prompts": "\na cat\n\na dog\na cat"}), "t.csv", table
    )
    again = compare_form.read({**values, "lines": json.dumps(values["lines"])})
    plan = compare_form.plan_of(page, again)
    assert plan.where == (("row", 3), ("row", 6), ("line", 2), ("line", 4))
    assert all(set(line) <= {"prompt", "seed"} for line in plan.lines)
    bad = compare_form.read(
        {"lines": json.dumps([{"prompt": "a", "row": "99999999999999"}, {"prompt": "b"}])}
    )
    assert compare_form.plan_of(page, bad).where == (("line", 1), ("line", 2))


def test_a_setting_for_another_model_takes_a_size_that_it_makes(page: Page) -> None:
    given = {"prompts": "a", "size": "192x320", "tried": "model", "tried_values": "sketch, wan2.2-t2v-a14b"}
    plan = compare_form.plan_of(page, compare_form.read({**given, "model": "sketch"}))
    assert [setting["size"] for setting in plan.settings] == ["192x320", "480x832"]
