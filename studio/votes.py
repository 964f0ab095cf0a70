"""Blind votes on a grid's clips: which pair comes next, what was said of it, and how sure the result is."""

import csv
import hashlib
import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Engine

from pipelines.request import Notice
from studio.access import Visitor
from studio.db import reading, utc_now, writing
from studio.grid_tables import vote_table
from studio.grid_view import Cell, GridView
from studio.refusal import Refused

Choice = Literal["one", "other", "tie", "skip"]
Answer = Literal["left", "right", "tie", "skip"]
Axis = Literal["line", "setting", "style", "seed"]
AXES: tuple[Axis, ...] = ("style", "line", "setting", "seed")
# In what two clips that are voted on may not differ, if a grid has such pairs; else the next line holds.
_SHARED: tuple[tuple[Axis, ...], ...] = (
    ("line", "seed"),
    ("line",),
    ("style", "setting", "seed"),
    ("seed",),
    (),
)
# 95 of 100 times the truth lies between the bounds.
_Z = 1.959964
# Of what a line or setting says: axes of their own, and what does not show.
_NO_SETTING = ("prompt", "style", "style_version", "seed", "project")
# How a spreadsheet would take the beginning of a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Vote:
    """What one visitor said of a pair: `one` and `other` are cells' numbers, `one` the lower."""

    voter: str
    one: int
    other: int
    choice: Choice
    created: datetime


@dataclass(frozen=True)
class Pair:
    """What is shown next, without names; `done` of `total` pairs were answered by this visitor."""

    left: Cell
    right: Cell
    done: int
    total: int


@dataclass(frozen=True)
class Share:
    """How often one value of an axis won against others: `low` and `high` (0 to 1) bound its true share.

    `value` is as `value_of` says it, of a clip its number. `verdict`: "more" or "less" than half for sure,
    "open" if that may be chance.
    """

    value: str
    wins: int
    losses: int
    ties: int
    low: float
    high: float

    @property
    def decided(self) -> int:
        """Votes that said one or the other."""
        return self.wins + self.losses

    @property
    def verdict(self) -> Literal["more", "less", "open"]:
        return "more" if self.low > 0.5 else "less" if self.high < 0.5 else "open"


@dataclass(frozen=True)
class Result:
    """All votes on a grid. `axes` hold only those on which pairs differed in nothing else, best value first.

    `clips` counts by cell, whatever else differed.
    """

    votes: int
    voters: int
    axes: Mapping[Axis, Sequence[Share]]
    clips: Sequence[Share]


class Votes:
    """Owns the table `vote`. Whoever may look at a grid may vote, once on each pair."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def next(self, visitor: Visitor, view: GridView) -> Pair | None:
        """The pair that this visitor sees next; None when all are answered, or there are none.

        First those that differ in one thing only, and of these what fewest people have seen.
        """
        votes = self.of(view.id)
        mine = {(vote.one, vote.other) for vote in votes if vote.voter == visitor.owner}
        seen = Counter((vote.one, vote.other) for vote in votes)
        pairs = pairs_of(view)
        left = [pair for pair in pairs if _numbers(pair) not in mine]
        if not left:
            return None

        def order(pair: tuple[Cell, Cell]) -> tuple[int, int, bytes]:
            numbers = _numbers(pair)
            return len(differing(view, *pair)), seen[numbers], _shuffled(visitor, view, numbers)

        one, other = min(left, key=order)
        sides = (other, one) if _swapped(visitor, view, (one.number, other.number)) else (one, other)
        return Pair(*sides, done=len(pairs) - len(left), total=len(pairs))

    def say(self, visitor: Visitor, view: GridView, left: int, right: int, answer: Answer) -> None:
        """Keep what a visitor says of the cells that were shown left and right; the last word counts."""
        numbers = (min(left, right), max(left, right))
        if not visitor.owner or numbers not in {_numbers(pair) for pair in pairs_of(view)}:
            raise Refused(Notice("vote_unknown"))
        winner = {"left": left, "right": right}.get(answer)
        choice: Choice = "skip" if answer == "skip" else "tie"
        if winner is not None:
            choice = "one" if winner == numbers[0] else "other"
        columns = vote_table.c
        mine = (columns.grid_id == view.id, columns.voter == visitor.owner)
        same = (columns.one == numbers[0], columns.other == numbers[1])
        row = {"grid_id": view.id, "voter": visitor.owner, "one": numbers[0], "other": numbers[1]}
        with writing(self.engine) as connection:
            connection.execute(sa.delete(vote_table).where(*mine, *same))
            connection.execute(sa.insert(vote_table).values(**row, choice=choice, created=utc_now()))

    def of(self, grid_id: str) -> list[Vote]:
        """All votes on a grid, oldest first."""
        columns = vote_table.c
        query = sa.select(columns.voter, columns.one, columns.other, columns.choice, columns.created)
        query = query.where(columns.grid_id == grid_id).order_by(columns.created, columns.voter, columns.one)
        with reading(self.engine) as connection:
            return [Vote(*row) for row in connection.execute(query)]


# -- what came of it ---------------------------------------------------------------------------------------


def wilson(wins: int, total: int) -> tuple[float, float]:
    """Between which shares the truth lies in 95 of 100 cases (Wilson's interval); 0 to 1 without votes."""
    if total == 0:
        return 0.0, 1.0
    share, z2 = wins / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    # The ends are exact, whatever is lost in rounding.
    low = 0.0 if wins == 0 else middle - half
    return low, 1.0 if wins == total else middle + half


def result_of(view: GridView, votes: Sequence[Vote]) -> Result:
    """What the votes say, by axis and by clip."""
    cells = {cell.number: cell for cell in view.cells}
    known = [vote for vote in votes if vote.one in cells and vote.other in cells and vote.choice != "skip"]
    axes = {}
    for axis in AXES:
        told = [
            (value_of(view, cells[vote.one], axis), value_of(view, cells[vote.other], axis), vote.choice)
            for vote in known
            if differing(view, cells[vote.one], cells[vote.other]) == (axis,)
        ]
        if told:
            axes[axis] = _shares(told)
    clips = _shares([(str(vote.one), str(vote.other), vote.choice) for vote in known])
    return Result(len(known), len({vote.voter for vote in known}), axes, clips)


def value_of(view: GridView, cell: Cell, axis: Axis) -> str:
    """Where a cell lies on an axis: its prompt, its style's name, its seed, what else it was asked with."""
    if axis == "line":
        return str(cell.form.get("prompt") or cell.request.prompt)
    if axis == "style":
        return str(cell.form.get("style") or "none")
    if axis == "seed":
        return str(cell.request.seed)
    return json.dumps(settings_of(view, cell), sort_keys=True, ensure_ascii=False)


def settings_of(view: GridView, cell: Cell) -> dict[str, str]:
    """What a cell was asked with beside prompt, style and seed: by its line before its setting."""
    asked = {**view.plan.settings[cell.place.setting], **view.plan.lines[cell.place.line]}
    return {name: str(value) for name, value in asked.items() if name not in _NO_SETTING}


def differing(view: GridView, one: Cell, other: Cell) -> tuple[Axis, ...]:
    """On which axes two cells differ."""
    return tuple(axis for axis in AXES if value_of(view, one, axis) != value_of(view, other, axis))


def _shares(told: Iterable[tuple[str, str, Choice]]) -> list[Share]:
    wins: Counter[str] = Counter()
    losses: Counter[str] = Counter()
    ties: Counter[str] = Counter()
    for one, other, choice in told:
        if choice == "tie":
            ties.update((one, other))
        else:
            winner, loser = (one, other) if choice == "one" else (other, one)
            wins[winner] += 1
            losses[loser] += 1
    found = [
        Share(
            value, wins[value], losses[value], ties[value], *wilson(wins[value], wins[value] + losses[value])
        )
        for value in {*wins, *losses, *ties}
    ]
    return sorted(found, key=lambda share: (-share.low, -share.high, share.value))


def to_csv(view: GridView, votes: Sequence[Vote]) -> str:
    """The votes as a table for spreadsheets, one a row; no cell is a formula, no voter is named."""
    text = io.StringIO()
    table = csv.writer(text)
    sides = [
        f"{side}_{name}" for side in ("a", "b") for name in ("cell", "prompt", "style", "seed", "settings")
    ]
    table.writerow(["grid", "voter", "time", "choice", *sides])
    cells = {cell.number: cell for cell in view.cells}
    said = {"one": "a", "other": "b", "tie": "tie", "skip": "skip"}
    for vote in votes:
        if vote.one in cells and vote.other in cells:
            voter = hashlib.sha256(f"{view.id} {vote.voter}".encode()).hexdigest()[:8]
            row: list[object] = [view.id, voter, vote.created.isoformat(timespec="seconds")]
            row += [said[vote.choice], *_told(view, cells[vote.one]), *_told(view, cells[vote.other])]
            table.writerow([plain(value) for value in row])
    return text.getvalue()


def plain(value: object) -> str:
    """A value as a cell that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _told(view: GridView, cell: Cell) -> list[object]:
    settings = view.plan.settings[cell.place.setting]
    told = "; ".join(f"{name}={value}" for name, value in settings.items())
    style = cell.form.get("style") or "none"
    return [cell.number + 1, cell.form.get("prompt", ""), style, cell.request.seed, told]


# -- pairs -------------------------------------------------------------------------------------------------


def pairs_of(view: GridView) -> list[tuple[Cell, Cell]]:
    """Every two cells that are voted on: they share the prompt and, where there are such, the seed.

    A grid whose clips differ in nothing but their prompts pairs those. Both clips can be seen and are not the
    same; the first has the lower number.
    """
    cells = view.cells
    values = {cell.number: {axis: value_of(view, cell, axis) for axis in AXES} for cell in cells}
    pairs = [
        (one, other) for at, one in enumerate(cells) for other in cells[at + 1 :] if one.key != other.key
    ]
    for shared in _SHARED:
        alike = [
            (one, other)
            for one, other in pairs
            if all(values[one.number][axis] == values[other.number][axis] for axis in shared)
        ]
        if alike:
            return [pair for pair in alike if all(cell.asset is not None for cell in pair)]
    return []


def _numbers(pair: tuple[Cell, Cell]) -> tuple[int, int]:
    return pair[0].number, pair[1].number


def _shuffled(visitor: Visitor, view: GridView, numbers: tuple[int, int]) -> bytes:
    return hashlib.sha256(f"{view.id} {visitor.owner} {numbers}".encode()).digest()


def _swapped(visitor: Visitor, view: GridView, numbers: tuple[int, int]) -> bool:
    """Which side a clip stands on is drawn once for each visitor and pair."""
    return bool(_shuffled(visitor, view, numbers)[0] & 1)
