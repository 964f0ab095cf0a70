"""Blind votes: which pair is shown, what is kept, how sure a result is, and a table that is no formula."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio import db
from studio.access import Visitor
from studio.core import Refused
from studio.grid_plan import GridPlan, places
from studio.grid_tables import grid_table
from studio.grid_view import Cell, GridView
from studio.settings import Settings
from studio.votes import Vote, Votes, plain, result_of, to_csv, wilson
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
    assert (ink.value, ink.wins, ink.losses, ink.verdict) == (0, 6, 0, "more")
    assert (mono.value, mono.decided, mono.ties, mono.verdict) == (2, 0, 2, "open")
    assert (neon.value, neon.wins, neon.losses, neon.ties, neon.verdict) == (1, 0, 6, 2, "less")


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
            assert pair.total == 15
            assert pair.done == len(seen)
            assert votes.next(visitor, view) == pair  # asked again, it is the same, the same way round
            seen.append(frozenset((pair.left.number, pair.right.number)))
            sides.add(pair.left.number < pair.right.number)
            votes.say(visitor, view, pair.left.number, pair.right.number, "left")
        assert len(set(seen)) == len(seen) == 15
        # Those that differ in one thing only come first.
        assert all(_axes(view, pair) == 1 for pair in seen[:9])
        assert all(_axes(view, pair) == 2 for pair in seen[9:])
    assert sides == {True, False}
    assert len(votes.of("g1")) == 30


def _axes(view: GridView, pair: frozenset[int]) -> int:
    one, other = (view.cells[number].place for number in pair)
    return (one.line != other.line) + (one.style != other.style)


def test_the_last_word_counts_and_only_pairs_that_are_shown(votes: Votes) -> None:
    view = grid()
    votes.say(ANN, view, 2, 0, "left")
    votes.say(ANN, view, 0, 2, "tie")
    assert [(vote.one, vote.other, vote.choice) for vote in votes.of("g1")] == [(0, 2, "tie")]
    gone = replace(view, cells=(replace(view.cells[0], asset=None), *view.cells[1:]))
    for left, right in ((0, 1), (1, 1), (-1, 2), (1, 99)):
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
