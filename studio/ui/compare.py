"""The tab Compare: what is asked on the left; on the right the grid, above it what is looked at together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, get_args

import gradio as gr

from studio.access import Visitor
from studio.core import Refused
from studio.grid_plan import named
from studio.grid_view import Cell, GridView
from studio.ui import compare_form, compare_grid, compare_votes, unable
from studio.ui.compare_form import Values
from studio.ui.context import Page
from studio.ui.differences import differences, recipe_of
from studio.ui.markup import EVERY, area, sent, turn_in, turn_of
from studio.ui.synced import MOST, synced
from studio.votes import Answer, result_of

# Of a video's title, so that the number behind it has room.
_TITLE = 50


@dataclass(frozen=True)
class Message:
    """What compare.js says: it comes from a browser, so nothing in it is to be trusted."""

    act: str
    key: str
    grid: str
    picks: tuple[int, ...]
    values: Values
    table: str = ""
    turn: int = 0


@dataclass(frozen=True)
class Reply:
    """What is drawn anew; None leaves an area as it is. `grid` is the grid that is open afterwards."""

    form: str | None = None
    price: str | None = None
    stage: str | None = None
    room: str | None = None


def build(page: Page, *, quick: dict[str, Any]) -> gr.HTML:
    """Form, stage and room; compare.js asks for them when the tab is opened or used, or a grid changes."""
    blank = compare_form.read({})
    with gr.Row(elem_id="compare"):
        with gr.Column(elem_id="compare_asking"):
            form = area(compare_form.render(page, None, blank), "compare_form")
            with gr.Column(elem_id="compare_bar"):
                price = area("", "compare_price")
                area(compare_form.start(page), "compare_go")
        with gr.Column(elem_id="compare_seeing"):
            stage = area("", "compare_stage")
            room = area("", "compare_room")
    turn = area("", "compare_turn")

    def act(event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        asked = read(event)
        reply = answer(page, page.visitor(request), asked)
        areas = {form: reply.form, price: reply.price, stage: reply.stage, room: reply.room}
        areas[turn] = turn_of(asked.turn)
        return {one: gr.skip() if html is None else html for one, html in areas.items()}

    # Each of them counts: whoever picks four clips quickly says so four times.
    room.act(act, None, [form, price, stage, room, turn], **quick | EVERY)
    return room


def read(event: object) -> Message:
    """The message of an event, made harmless."""
    data = sent(event)
    picks = data.get("picks")
    numbers = [number for number in picks if isinstance(number, int)] if isinstance(picks, list) else []
    values = data.get("values")
    return Message(
        act=str(data.get("act", ""))[:40],
        key=str(data.get("key", ""))[:80],
        grid=str(data.get("grid", ""))[:40],
        picks=tuple(dict.fromkeys(numbers))[:MOST],
        values=compare_form.read(values if isinstance(values, dict) else {}),
        table=str(data.get("table", ""))[: compare_form.MAX_CSV_BYTES * 2],
        turn=turn_in(data),
    )


def answer(page: Page, visitor: Visitor, asked: Message) -> Reply:
    """Do what a message asks, and what is to be drawn then; a refusal is a sentence where one looks."""
    does = {
        "price": _price,
        "form": _form,
        "example": _form,
        "table": _form,
        "again": _form,
        "start": _start,
        "compare": _compare,
        "vote": _vote,
        "answer": _vote,
        "results": _results,
    }
    try:
        if asked.act in does:
            return does[asked.act](page, visitor, asked)
        return _room(page, visitor, asked)
    except Refused as refused:
        sorry = unable.told(page, *refused.notices)
        if asked.act in ("price", "start", "table", "form"):
            return Reply(price=sorry)
        return Reply(room=sorry + _drawn(page, visitor, replace(asked, grid="")))


# -- the form ----------------------------------------------------------------------------------------------


def _price(page: Page, visitor: Visitor, asked: Message) -> Reply:
    if not asked.values["prompts"].strip() and not asked.values["lines"]:
        return Reply(price=f'<p class="muted">{escape(page.t("compare_price_none"))}</p>')
    estimate = page.studio.grids.estimate(visitor, compare_form.plan_of(page, asked.values))
    if estimate.cannot is not None:
        return Reply(price=unable.told(page, estimate.cannot))
    return Reply(price=f'<p class="muted">{escape(compare_form.price(page, estimate))}</p>')


def _form(page: Page, visitor: Visitor, asked: Message) -> Reply:
    """The form filled in otherwise: with an example, a table's rows, what another grid asked for."""
    values = asked.values
    if asked.act == "example":
        values = compare_form.example(page)
    elif asked.act == "table":
        values = compare_form.with_table(values, asked.key, asked.table)
    elif asked.act == "again":
        values = compare_form.again(page.studio.grids.view(visitor, asked.grid).plan)
    form = compare_form.render(page, visitor, values)
    try:
        return replace(_price(page, visitor, replace(asked, values=values)), form=form)
    except Refused as refused:
        return Reply(form=form, price=unable.told(page, *refused.notices))


def _start(page: Page, visitor: Visitor, asked: Message) -> Reply:
    plan = compare_form.plan_of(page, asked.values)
    grid = page.studio.grids.submit(visitor, plan)
    return Reply(price="", stage="", room=_drawn(page, visitor, replace(asked, grid=grid)))


# -- the grid ----------------------------------------------------------------------------------------------


def _room(page: Page, visitor: Visitor, asked: Message) -> Reply:
    """What changes a grid, and the room after it."""
    grids = page.studio.grids
    if asked.act == "cancel":
        grids.cancel(visitor, asked.grid)
    elif asked.act == "front":
        grids.to_front(visitor, asked.grid)
    elif asked.act == "retry":
        grids.retry(visitor, asked.grid, int(asked.key) if asked.key.isdecimal() else None)
    elif asked.act == "export":
        view = grids.view(visitor, asked.grid)
        captions = {cell.number: compare_grid.naming(page, view, cell) for cell in view.cells}
        grids.export(visitor, asked.grid, captions, title=_video_title(page, visitor, view))
    elif asked.act == "delete":
        grids.delete(visitor, asked.grid)
        return Reply(stage="", room=_drawn(page, visitor, replace(asked, grid="")))
    return Reply(room=_drawn(page, visitor, asked))


def _video_title(page: Page, visitor: Visitor, view: GridView) -> str:
    """What the video of all is called: by the grid's name, its project or its only prompt, and how many."""
    clips = [cell.asset for cell in view.cells if cell.asset is not None]
    projects = {clip.project_id for clip in clips}
    mine = {project.id: project.name for project in page.studio.projects.list(visitor)}
    only = projects.pop() if len(projects) == 1 else None
    prompts = {compare_grid.prompt_of(cell) for cell in view.cells}
    title = named(view.plan) or mine.get(only or "", "") or (prompts.pop() if len(prompts) == 1 else "")
    if not title:
        return page.t("compare_video_untitled", count=len(clips))
    short = title if len(title) <= _TITLE else title[: _TITLE - 1].rstrip() + "…"
    return page.t("compare_video_title", title=short, count=len(clips))


def _drawn(page: Page, visitor: Visitor, asked: Message) -> str:
    if not asked.grid:
        return compare_grid.render_list(page, visitor, page.studio.grids.list(visitor))
    return compare_grid.render(page, visitor, page.studio.grids.view(visitor, asked.grid))


# -- looked at together ------------------------------------------------------------------------------------


def _compare(page: Page, visitor: Visitor, asked: Message) -> Reply:
    """The picked clips under one clock, and what differs between them."""
    if not asked.grid:
        return Reply(stage="")
    view = page.studio.grids.view(visitor, asked.grid)
    cells = {cell.number: cell for cell in view.cells}
    picked = [cells[number] for number in asked.picks if number in cells]
    return Reply(stage=together(page, view, picked))


def together(page: Page, view: GridView, picked: Sequence[Cell]) -> str:
    """Two to four cells side by side; empty for fewer."""
    clips = [compare_grid.clip_of(cell, compare_grid.naming(page, view, cell)) for cell in picked]
    shown = [clip for clip in clips if clip is not None]
    if len(shown) < 2:
        return ""
    recipes = [_recipe(page, cell) for cell in picked if cell.asset is not None]
    picks = " ".join(str(cell.number) for cell in picked)
    return (
        f'<section class="together" data-picks="{picks}">{synced(shown, page.language, id_="compare_player")}'
        f"{differences(page, recipes)}</section>"
    )


def _recipe(page: Page, cell: Cell) -> Mapping[str, Any]:
    return recipe_of(page, cell.form, cell.request.model_dump())


def _vote(page: Page, visitor: Visitor, asked: Message) -> Reply:
    """What was answered is kept, and the next pair is shown."""
    view = page.studio.grids.view(visitor, asked.grid)
    given: Answer | None = next((one for one in get_args(Answer) if one == asked.key), None)
    if asked.act == "answer" and given is not None and len(asked.picks) == 2:
        page.studio.votes.say(visitor, view, *asked.picks, given)
    return Reply(stage=compare_votes.render_pair(page, view, page.studio.votes.next(visitor, view)))


def _results(page: Page, visitor: Visitor, asked: Message) -> Reply:
    view = page.studio.grids.view(visitor, asked.grid)
    result = result_of(view, page.studio.votes.of(view.id))
    return Reply(stage=compare_votes.render_result(page, view, result))
