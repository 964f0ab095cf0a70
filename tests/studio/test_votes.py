"""Blind votes: which pair is shown, what is kept, how sure a result is, and a table that is no formula."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.request import GenerationRequest
from studio import db
from studio.access import Visitor
from studio.core import Refused
from studio.grid_plan import GridPlan, places
from studio.grid_tables import grid_table
from studio.grid_view import Cell, GridView
from studio.settings import Settings
from studio.votes import Vote, Votes, pairs_of, plain, result_of, to_csv, wilson
from tests.ui.kit import NOW, asset, request

ANN, BOB = Visitor("ann", False), Visitor("bob", False)


def grid(
    lines: tuple[str, ...] = ("a boat", "=1+1"), styles: tuple[str, ...] = ("ink", "neon", "mono")
) -> GridView:
    """A grid whose cells are all done."""
    plan = GridPlan(lines=tuple({"prompt": line} for line in lines), styles=styles, seeds=(7,))
    cells = tuple(
        Cell(number, place, form, request(form["prompt"]), f"k{number}", "done", asset=asset(id=f"a{number}"))
        for number, (place, form) in enumerate(places(plan))
    )
    return GridView("g1", "ann", plan, NOW, cells)


@pytest.fixture
def votes(tmp_path: Path) -> Iterator[Votes]:
    engine = db.engine(Settings(studio_home=tmp_path).database_url)
    db.migrate(engine)
    with db.writing(engine) as connection:
        row = {"id": "g1", "owner": "ann", "title": "t", "plan": {}, "created": NOW}
        connection.execute(grid_table.insert().values(**row))
    yield Votes(engine)
    engine.dispose()


@pytest.mark.parametrize(
    ("wins", "total", "low", "high"),
    # By hand and by R's prop.test(correct = FALSE).
    [(12, 17, 0.469, 0.867), (5, 5, 0.566, 1.0), (0, 10, 0.0, 0.278), (50, 100, 0.404, 0.596), (0, 0, 0, 1)],
)
def test_wilsons_bounds_are_those_of_the_book(wins: int, total: int, low: float, high: float) -> None:
    assert wilson(wins, total) == pytest.approx((low, high), abs=0.0006)


def test_a_result_says_more_less_or_open() -> None:
    view = grid()
    boats = [cell.number for cell in view.cells if cell.place.line == 0]
    told = [Vote(f"v{at}", boats[0], boats[1], "one", NOW) for at in range(6)]
    told += [Vote(f"v{at}", boats[1], boats[2], "tie", NOW) for at in range(2)]
    told += [Vote("w", boats[0], boats[2], "skip", NOW), Vote("w", 0, 99, "one", NOW)]
    result = result_of(view, told)
    assert (result.votes, result.voters) == (8, 6)
    ink, mono, neon = result.axes["style"]
    assert (ink.value, ink.wins, ink.losses, ink.verdict) == ("ink", 6, 0, "more")
    assert (mono.value, mono.decided, mono.ties, mono.verdict) == ("mono", 0, 2, "open")
    assert (neon.value, neon.wins, neon.losses, neon.ties, neon.verdict) == ("neon", 0, 6, 2, "less")


def test_what_differs_in_two_things_says_nothing_of_either() -> None:
    view = grid()
    crossing = next(
        (a, b)
        for a in view.cells
        for b in view.cells
        if a.place.line < b.place.line and a.place.style != b.place.style
    )
    result = result_of(view, [Vote("v", crossing[0].number, crossing[1].number, "one", NOW)])
    assert result.axes == {}
    assert result.clips[0].wins == 1


def test_each_visitor_sees_every_pair_once_in_sides_of_their_own(votes: Votes) -> None:
    view = grid()
    sides = set()
    for visitor in (ANN, BOB):
        seen = []
        while pair := votes.next(visitor, view):
            assert pair.total == 6
            assert pair.done == len(seen)
            assert votes.next(visitor, view) == pair  # asked again, it is the same, the same way round
            seen.append(frozenset((pair.left.number, pair.right.number)))
            sides.add(pair.left.number < pair.right.number)
            votes.say(visitor, view, pair.left.number, pair.right.number, "left")
        assert len(set(seen)) == len(seen) == 6
        assert all(len({view.cells[number].place.line for number in pair}) == 1 for pair in seen)
    assert sides == {True, False}
    assert len(votes.of("g1")) == 12


def _asked(view: GridView, *, unseen: tuple[int, ...] = ()) -> set[frozenset[tuple[str, str, int]]]:
    """What the pairs of a grid are, as prompt, style and seed."""
    cells = tuple(replace(cell, asset=None) if cell.number in unseen else cell for cell in view.cells)
    pairs = pairs_of(replace(view, cells=cells))
    return {
        frozenset((cell.form["prompt"], cell.form.get("style", ""), cell.request.seed) for cell in pair)
        for pair in pairs
    }


def _planned(plan: GridPlan) -> GridView:
    def with_seed(form: dict[str, Any]) -> GenerationRequest:
        return request(form["prompt"]).model_copy(update={"seed": int(form["seed"])})

    cells = tuple(
        Cell(at, place, form, with_seed(form), f"k{at}", "done", asset=asset())
        for at, (place, form) in enumerate(places(plan))
    )
    return GridView("g1", "ann", plan, NOW, cells)


def test_a_pair_shares_its_prompt_and_where_it_can_its_seed() -> None:
    lines = ({"prompt": "a boat"}, {"prompt": "a fox"})
    boats = {("a boat", "ink"), ("a boat", "neon")}
    for pair in _asked(_planned(GridPlan(lines=lines, styles=("ink", "neon"), seeds=(7, 8)))):
        (one, other) = pair
        assert one[0] == other[0]
        assert one[1] != other[1]
        assert one[2] == other[2]
    only_seeds = _asked(_planned(GridPlan(lines=lines, styles=("ink",), seeds=(7, 8))))
    assert only_seeds == {frozenset({(p, "ink", 7), (p, "ink", 8)}) for p in ("a boat", "a fox")}
    only_prompts = _asked(_planned(GridPlan(lines=lines, seeds=(7,))))
    assert only_prompts == {frozenset({("a boat", "", 7), ("a fox", "", 7)})}
    # A table says style and seed line by line.
    rows = tuple({"prompt": prompt, "style": style, "seed": "7"} for prompt, style in boats)
    table = _planned(GridPlan(lines=(*rows, {"prompt": "a fox", "style": "ink", "seed": "7"})))
    assert _asked(table) == {frozenset((*boat, 7) for boat in boats)}
    first, second = pairs_of(table)[0]
    shares = result_of(table, [Vote("v", first.number, second.number, "one", NOW)]).axes["style"]
    assert shares[0].value == first.form["style"]
    # What is not done yet does not let others in.
    assert _asked(table, unseen=(0,)) == set()


def test_the_last_word_counts_and_only_pairs_that_are_shown(votes: Votes) -> None:
    view = grid()
    votes.say(ANN, view, 2, 0, "left")
    votes.say(ANN, view, 0, 2, "tie")
    assert [(vote.one, vote.other, vote.choice) for vote in votes.of("g1")] == [(0, 2, "tie")]
    gone = replace(view, cells=(replace(view.cells[0], asset=None), *view.cells[1:]))
    for left, right in ((0, 1), (1, 1), (-1, 2), (1, 99), (1, 4)):
        with pytest.raises(Refused):
            votes.say(ANN, gone, left, right, "left")
    with pytest.raises(Refused):
        votes.say(Visitor("", False), view, 0, 1, "left")


def test_no_cell_of_the_table_is_a_formula_and_no_voter_is_named() -> None:
    view = grid()
    boat, formula = view.cells[0], view.cells[3]
    text = to_csv(view, [Vote("ann", boat.number, formula.number, "other", NOW)])
    header, row = csv.reader(io.StringIO(text))
    told = dict(zip(header, row, strict=True))
    assert told["choice"] == "b"
    assert told["a_prompt"] == "a boat"
    assert told["b_prompt"] == "'=1+1"
    assert "ann" not in text
    for danger in ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"):
        assert plain(danger).startswith("'")
    assert plain("2.5") == "2.5"
