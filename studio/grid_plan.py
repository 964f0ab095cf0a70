"""What a grid is made of: lines of prompts x settings x styles x seeds, from a form or a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pipelines.request import MAX_SEED, Notice
from studio.refusal import Refused
from studio.story.problems import StoryProblem
from studio.story.variables import read_table
from studio.words import LANGUAGES, field

MAX_CELLS = 200
MAX_LINES = 100
MAX_SEEDS = 20
MAX_TITLE = 80
MAX_CELL_TEXT = 2000
# The columns that a table may have: what decides a clip, by the names of the form's fields.
COLUMNS = (
    "prompt",
    "negative_prompt",
    "style",
    "model",
    "quality",
    "size",
    "seconds",
    "num_frames",
    "seed",
    "num_inference_steps",
    "guidance_scale",
    "guidance_scale_2",
    "flow_shift",
    "tier",
    "loras",
)


# How people call a column besides.
_ALSO = {"提示词": "prompt", "负面提示词": "negative_prompt"}

Where = tuple[Literal["row", "line"], int]


class GridPlan(BaseModel):
    """What a grid is made of: every line in every setting and style, with every seed.

    A line or setting holds the fields of a form (`studio.forms.FORM_FIELDS`), a line at least a "prompt".
    What a line says itself counts before the setting, style and seed of its place. No `styles` is the
    form's own style, no `seeds` as many as `seed_count`, drawn once for all cells alike. `where` tells of
    each line the row of a table or the line of a field that it stood in, so that what is wrong with it can
    be found.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str = ""
    lines: tuple[dict[str, Any], ...]
    settings: tuple[dict[str, Any], ...] = ({},)
    styles: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    seed_count: int = 1
    where: tuple[Where, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a cell lies on the grid's axes: indices into the plan's lines, settings, styles and seeds."""

    line: int
    setting: int = 0
    style: int = 0
    seed: int = 0


def places(plan: GridPlan) -> list[tuple[Place, dict[str, Any]]]:
    """Every cell: its place, and the form that asks for its clip; what several places share stands once."""
    found: list[tuple[Place, dict[str, Any]]] = []
    styles: Sequence[str | None] = plan.styles or (None,)
    seeds: Sequence[int | None] = plan.seeds or (None,)
    for line, own in enumerate(plan.lines):
        seen: list[dict[str, Any]] = []
        for setting, values in enumerate(plan.settings):
            for style, named in enumerate(styles):
                for seed, number in enumerate(seeds):
                    axes = {"style": named, "seed": number}
                    form = values | {name: value for name, value in axes.items() if value is not None} | own
                    if form not in seen:
                        seen.append(form)
                        found.append((Place(line, setting, style, seed), form))
    return found


def checked(plan: GridPlan) -> GridPlan:
    """The plan with its lines stripped; Refused if there is nothing to make, or too much."""
    kept = [at for at, line in enumerate(plan.lines) if str(line.get("prompt") or "").strip()]
    lines = tuple(plan.lines[at] for at in kept)
    where = tuple(plan.where[at] for at in kept) if len(plan.where) == len(plan.lines) else ()
    if not lines:
        raise Refused(Notice("grid_empty"))
    if len(lines) > MAX_LINES:
        raise Refused(Notice("grid_lines", {"count": len(lines), "high": MAX_LINES}))
    settings = plan.settings or ({},)
    count = len(lines) * len(settings) * max(1, len(plan.styles)) * max(1, len(plan.seeds))
    if count > 10 * MAX_CELLS:
        raise Refused(Notice("grid_cells", {"count": count, "high": MAX_CELLS}))
    plan = plan.model_copy(update={"lines": lines, "settings": settings, "title": _title(plan, lines)})
    plan = plan.model_copy(update={"where": where})
    if (count := len(places(plan))) > MAX_CELLS:
        raise Refused(Notice("grid_cells", {"count": count, "high": MAX_CELLS}))
    return plan


def named(plan: GridPlan) -> str:
    """The title that somebody gave it; empty if it is called by its first prompt."""
    unnamed = plan.model_copy(update={"title": ""})
    return "" if plan.title == _title(unnamed, plan.lines) else plan.title


def _title(plan: GridPlan, lines: Sequence[Mapping[str, Any]]) -> str:
    words = plan.title.strip() or str(lines[0]["prompt"]).strip()
    line = " ".join(words.split())
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1].rstrip() + "…"


def read_lines(text: str) -> tuple[dict[str, Any], ...]:
    """Prompts, one a line; empty lines are left out, and so is what stands there twice."""
    return tuple(line for _, line in numbered_lines(text))


def numbered_lines(text: str) -> tuple[tuple[int, dict[str, Any]], ...]:
    """As `read_lines`, each with the number of its line, from 1."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            found.setdefault(line.strip(), number)
    return tuple((number, {"prompt": line}) for line, number in found.items())


def read_seeds(text: str) -> tuple[int, ...]:
    """Seeds as people write them: "41, 42, 50-53"; Refused for anything else, and for too many."""
    found: list[int] = []
    for part in text.replace("，", ",").replace("、", ",").replace(";", ",").replace("；", ",").split(","):
        first, dash, last = part.strip().replace("–", "-").partition("-")
        if not first and not dash:
            continue
        numbers = [first.strip(), last.strip() if dash else first.strip()]
        if not all(number.isascii() and number.isdecimal() and len(number) <= 10 for number in numbers):
            raise Refused(Notice("grid_seeds", {"value": part.strip()[:40]}))
        low, high = map(int, numbers)
        if not low <= high <= MAX_SEED:
            raise Refused(Notice("grid_seeds", {"value": part.strip()[:40]}))
        if high - low >= MAX_SEEDS or len(found) + high - low + 1 > MAX_SEEDS:
            raise Refused(Notice("grid_seed_count", {"high": MAX_SEEDS}))
        found += range(low, high + 1)
    return tuple(dict.fromkeys(found))


def read_csv(table: str | bytes) -> tuple[dict[str, Any], ...]:
    """The rows of a table whose header names fields of the form, as lines of a plan.

    Commas, semicolons or tabs separate; UTF-8, UTF-16 or GB 18030. An empty field is left out. Refused with
    the row (the header is row 1) and the column that are wrong.
    """
    return tuple(line for _, line in read_rows(table))


def read_rows(table: str | bytes) -> tuple[tuple[int, dict[str, Any]], ...]:
    """As `read_csv`, each line with the number of its row."""
    try:
        rows = [(number, row) for number, row in enumerate(read_table(table), 1) if any(map(str.strip, row))]
    except StoryProblem as problem:
        raise Refused(problem.notice) from problem
    if len(rows) < 2:
        raise Refused(Notice("grid_csv_empty"))
    if len(rows) - 1 > MAX_LINES:
        raise Refused(Notice("table_long", {"count": len(rows) - 1, "high": MAX_LINES}))
    header = _header(rows[0][1])
    return tuple((number, _line(header, row, number)) for number, row in rows[1:])


def _header(cells: Sequence[str]) -> list[str]:
    names = {name: (name, *(field(name, one) for one in LANGUAGES)) for name in COLUMNS}
    known = {word.casefold(): name for name, words in names.items() for word in words} | _ALSO
    found: list[str] = []
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    for number, cell in enumerate(cells, 1):
        name = known.get(cell.strip().casefold())
        if name is None:
            told = {"column": number, "value": cell.strip()[:40], "allowed": ", ".join(COLUMNS)}
            raise Refused(Notice("grid_csv_column", told))
        if name in found:
            raise Refused(Notice("table_column_twice", {"column": number, "value": cell.strip()[:40]}))
        found.append(name)
    if "prompt" not in found:
        raise Refused(Notice("table_column_missing", {"value": "prompt"}))
    return found


def _line(header: Sequence[str], row: Sequence[str], number: int) -> dict[str, Any]:
    cells = [cell.strip() for cell in row]
    if any(cells[len(header) :]):
        raise Refused(Notice("table_row_wide", {"row": number, "count": len(cells), "high": len(header)}))
    line: dict[str, Any] = {name: cell for name, cell in zip(header, cells, strict=False) if cell}
    if "prompt" not in line:
        raise Refused(Notice("table_cell_empty", {"row": number, "column": "prompt"}))
    for name, cell in line.items():
        if len(cell) > MAX_CELL_TEXT:
            told = {"row": number, "column": name, "length": len(cell), "high": MAX_CELL_TEXT}
            raise Refused(Notice("table_cell_long", told))
    return line
