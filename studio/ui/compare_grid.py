"""The right side of the tab Compare: one grid with its cells, or the list of grids."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from html import escape

from studio.access import Visitor
from studio.grid_view import AGAIN, Cell, GridLine, GridView
from studio.rows import Job
from studio.ui import cloud, share
from studio.ui.context import Page
from studio.ui.markup import attributes, button, icon
from studio.ui.synced import SyncedClip
from studio.votes import settings_of, value_of

_LIVE = ("held", "queued", "running")
# So many columns of a table are readable; wider grids flow, each cell with its own words below it.
_MOST_COLUMNS = 12


def clip_of(cell: Cell, title: str) -> SyncedClip | None:
    """A finished cell for the synced player."""
    asset = cell.asset
    if asset is None:
        return None
    return SyncedClip(
        src=f"../media/{asset.id}.mp4",
        title=title,
        fps=asset.fps,
        width=asset.width,
        height=asset.height,
        poster=f"../media/{asset.id}.webp",
    )


def naming(page: Page, view: GridView, cell: Cell, *, prompt: bool = True) -> str:
    """What tells a cell from the others of its grid, in a few words: the prompt last, it may be cut off.

    Without the `prompt` it may be empty.
    """
    parts = []
    if len({value_of(view, one, "style") for one in view.cells}) > 1:
        parts.append(style_name(page, value_of(view, cell, "style")))
    if setting := setting_name(page, view, cell):
        parts.append(setting)
    if len({one.request.seed for one in view.cells}) > 1:
        parts.append(page.t("seed_is", seed=cell.request.seed))
    if prompt and (not parts or len({prompt_of(one) for one in view.cells}) > 1):
        parts.append(prompt_of(cell))
    return " · ".join(parts)


def prompt_of(cell: Cell) -> str:
    """The prompt as it was typed."""
    return str(cell.form.get("prompt") or cell.request.prompt)


def style_name(page: Page, name: str) -> str:
    """What a style is called."""
    style = page.studio.styles.find(name)
    return style.title[page.language] if style is not None else name


def setting_name(page: Page, view: GridView, cell: Cell) -> str:
    """What tells a cell's settings from those of the others: "guidance 4"."""
    plan, own = view.plan, settings_of(view, cell)
    if len(plan.settings) == 1 and all(set(line) == {"prompt"} for line in plan.lines):
        return ""
    asked = [settings_of(view, one) for one in view.cells]
    names = [name for name in own if len({one.get(name) for one in asked}) > 1]
    return ", ".join(f"{page.field(name)} {_value(page, name, own[name])}" for name in names)


def _value(page: Page, name: str, value: object) -> str:
    if name == "quality" and str(value) in ("draft", "standard", "final"):
        return page.t(f"quality_{value}")
    return str(value).replace("x", "×") if name == "size" else str(value)


# -- one grid ----------------------------------------------------------------------------------------------


def render(page: Page, visitor: Visitor, view: GridView) -> str:
    """A whole grid."""
    named = attributes(
        class_="grid-of",
        data_grid=view.id,
        data_mark=view.mark,
        data_live=view.is_live,
        data_mine=view.may_change,
    )
    return f"<section{named}>{_head(page, visitor, view)}{_body(page, visitor, view)}</section>"


def _head(page: Page, visitor: Visitor, view: GridView) -> str:
    t, counts = page.t, view.counts
    done = counts["done"]
    told = [t("compare_done", done=done, count=len(view.cells))]
    if (reused := sum(cell.reused and cell.state == "done" for cell in view.cells)) > 0:
        told.append(t("compare_reused", count=reused))
    if counts["held"]:
        told.append(t("compare_held", count=counts["held"]))
    if bad := sum(counts[state] for state in AGAIN):
        told.append(t("compare_bad", count=bad))
    if view.eta:
        told.append(t("left", time=page.duration(view.eta)))
    share = 100 * done / max(1, len(view.cells))
    bar = f'<span class="bar"{attributes(hidden=not view.is_live)}><i style="width:{share:.0f}%"></i></span>'
    facts = '<p class="facts">' + "".join(f"<span>{escape(part)}</span>" for part in told) + "</p>"
    back = _does(t("compare_back"), "close", symbol="back", look="bare", quiet=True, id_="compare_back")
    return (
        f'<header class="grid-head"><div class="named">{back}<h2>{escape(view.title)}</h2></div>{facts}{bar}'
        f'<div class="actions">{_actions(page, visitor, view, bad)}</div>'
        f"{_exported(page, visitor, view)}</header>"
    )


def _cancel_question(page: Page, view: GridView) -> str:
    """What is asked before the rest is stopped; how many clips may cost all the same."""
    live = [cell.job for cell in view.cells if cell.job is not None and cell.state in _LIVE]
    ordered = sum(map(cloud.ordered, live))
    return page.t("compare_cancel_ask_paid", count=ordered) if ordered else page.t("compare_cancel_ask")


def _actions(page: Page, visitor: Visitor, view: GridView, bad: int) -> str:
    t, counts, found = page.t, view.counts, []
    shown = sum(cell.asset is not None for cell in view.cells)
    if shown > 1:
        found.append(_does(t("compare_vote"), "vote", symbol="check", look="raised", id_="compare_vote"))
    if (
        shown > 1
        and view.may_change
        and (view.export is None or view.export.state not in ("queued", "running"))
    ):
        found.append(_does(t("compare_export"), "export", symbol="film", look="raised", id_="compare_export"))
    if bad and view.may_change and not any(counts[state] for state in ("queued", "running")):
        found.append(_does(t("compare_retry_all", count=bad), "retry", symbol="again", look="raised"))
    live = any(cell.state in _LIVE for cell in view.cells)
    if live and view.may_change:
        found.append(
            _does(
                t("compare_cancel"),
                "cancel",
                symbol="stop",
                confirm=_cancel_question(page, view),
                id_="compare_cancel",
            )
        )
    if counts["queued"] and visitor.admin:
        found.append(_does(t("to_front"), "front", symbol="front", look="bare", quiet=True))
    found.append(_does(t("compare_again"), "again", symbol="recipe", look="bare", quiet=True))
    found.append(_does(t("copy_link"), "link", symbol="link", look="bare", quiet=True))
    if view.may_change:
        found.append(share.button(page, f"grid {view.id}", look="bare", quiet=True, id_="compare_share"))
        ask = t("compare_delete_ask")
        found.append(
            _does(t("delete"), "delete", symbol="trash", look="bare", quiet=True, confirm=ask, loses=True)
        )
    return "".join(found)


def _exported(page: Page, visitor: Visitor, view: GridView) -> str:
    """How the newest video of the whole grid is doing."""
    job, t = view.export, page.t
    if job is None:
        return ""
    if job.state in ("queued", "held"):
        inside = escape(t(f"compare_export_{job.state}"))
    elif job.state == "running":
        progress = view.export_progress
        percent = round(100 * progress.step / progress.total) if progress and progress.total else 0
        bar = f'<span class="bar"><i style="width:{percent}%"></i></span>'
        inside = f"{escape(t('compare_exporting'))} {percent} %{bar}"
    elif job.state == "failed" and job.error is not None:
        inside = f'<span class="sorry">{escape(page.say(job.error))}</span>'
    elif job.state == "done" and job.asset_id:
        standing = page.studio.assets.standings([job.asset_id]).get(job.asset_id)
        if standing is None or (standing != "public" and not visitor.admin):
            inside = escape(t("compare_export_held" if standing == "held" else "deleted"))
        else:
            link = attributes(
                href=f"../media/{job.asset_id}.mp4?download=1", class_="btn raised", download=True
            )
            look = attributes(href=f"../media/{job.asset_id}.mp4", target="_blank", class_="btn bare")
            inside = (
                f"{icon('check')}<span>{escape(t('compare_exported'))}</span>"
                f"<a{link}>{icon('download')}<span>{escape(t('download'))}</span></a>"
                f"<a{look}>{escape(t('compare_export_look'))}</a>"
            )
    else:
        return ""
    return f'<div class="exported" id="compare_exported" data-state="{job.state}">{inside}</div>'


def _body(page: Page, visitor: Visitor, view: GridView) -> str:
    columns = sorted({(cell.place.style, cell.place.seed) for cell in view.cells})
    rows = sorted({(cell.place.line, cell.place.setting) for cell in view.cells})
    full = len(columns) * len(rows) == len(view.cells)
    if not full or len(rows) < 2 or not 1 < len(columns) <= _MOST_COLUMNS:
        cells = "".join(_cell(page, visitor, view, cell, named=True) for cell in view.cells)
        return f'<div class="cells flow">{cells}</div>'
    at = {
        ((cell.place.line, cell.place.setting), (cell.place.style, cell.place.seed)): cell
        for cell in view.cells
    }
    heads = "".join(
        f'<div class="cmp-col" role="columnheader">{_column(page, view, column)}</div>' for column in columns
    )
    lines = "".join(
        '<div class="cmp-line" role="row">'
        f'<div class="cmp-head" role="rowheader">{_row_name(page, view, row)}</div>'
        + "".join(_cell(page, visitor, view, at[row, column]) for column in columns)
        + "</div>"
        for row in rows
    )
    table = attributes(class_="cells table", role="table", tabindex=0, style=f"--columns:{len(columns)}")
    first = f'<div class="cmp-line heads" role="row"><div class="cmp-corner"></div>{heads}</div>'
    return f"<div{table}>{first}{lines}</div>"


def _column(page: Page, view: GridView, column: tuple[int, int]) -> str:
    style, seed = column
    styles, seeds = view.plan.styles, view.plan.seeds
    parts = [style_name(page, styles[style])] if len(styles) > 1 else []
    if len(seeds) > 1:
        parts.append(page.t("seed_is", seed=seeds[seed]))
    return escape(" · ".join(parts))


def _row_name(page: Page, view: GridView, row: tuple[int, int]) -> str:
    line, _ = row
    parts = [str(view.plan.lines[line].get("prompt"))] if len(view.plan.lines) > 1 else []
    if len(view.plan.settings) > 1:
        asked = next(cell for cell in view.cells if (cell.place.line, cell.place.setting) == row)
        parts.append(setting_name(page, view, asked))
    return f"<span title='{escape(' · '.join(parts))}'>{escape(' · '.join(parts))}</span>"


# -- one cell ----------------------------------------------------------------------------------------------


def _cell(page: Page, visitor: Visitor, view: GridView, cell: Cell, *, named: bool = False) -> str:
    name = naming(page, view, cell)
    clip = clip_of(cell, name)
    line = attributes(
        class_="cmp-cell",
        role="cell" if not named else None,
        data_state=cell.state,
        data_number=cell.number,
        data_clip=json.dumps(asdict(clip), ensure_ascii=False) if clip else None,
        style=f"--ratio:{cell.request.width}/{cell.request.height}",
    )
    caption = f'<p class="cmp-words" title="{escape(name)}">{escape(name)}</p>' if named else ""
    return f"<article{line}>{_picture(page, visitor, view, cell, name)}{caption}</article>"


def _picture(page: Page, visitor: Visitor, view: GridView, cell: Cell, name: str) -> str:
    if cell.asset is not None:
        look = attributes(src=f"../media/{cell.asset.id}.webp", alt="", loading="lazy")
        press = attributes(
            type="button",
            class_="cmp-shot",
            data_act="compare",
            data_key=f"pick {cell.number}",
            data_film=f"../media/{cell.asset.id}.mp4",
            aria_pressed="false",
            aria_label=page.t("compare_pick", name=name),
        )
        reused = f'<span class="badge">{escape(page.t("compare_reused_one"))}</span>' if cell.reused else ""
        more = attributes(
            href=f"./?job={cell.asset.job_id}", class_="btn bare alone", title=page.t("compare_open")
        )
        link = f"<a{more}>{icon('full')}</a>"
        return f'<button{press}><img{look}><b class="order"></b>{reused}</button>{link}'
    return f'<div class="cmp-shot">{_waiting(page, visitor, view, cell)}</div>'


def _waiting(page: Page, visitor: Visitor, view: GridView, cell: Cell) -> str:
    """What stands where there is no clip (yet)."""
    t, job = page.t, cell.job
    if cell.state == "running" and job is not None:
        return _running(page, visitor, cell, job)
    if cell.state == "queued" and job is not None and cloud.ordered(job):
        return f'<span class="cmp-state">{escape(t("cloud_ordered"))}</span>'
    if cell.state == "queued":
        words = t("row_next") if not cell.position else t("row_ahead", count=cell.position)
        return f'<span class="cmp-state">{escape(words)}</span>'
    words = page.say(cell.error) if cell.error is not None else t(f"compare_state_{cell.state}")
    again = ""
    if cell.state in AGAIN and view.may_change:
        again = _does(t("retry"), f"retry {cell.number}", symbol="again", look="raised")
    return f'<span class="cmp-state" title="{escape(words)}">{escape(words)}</span>{again}'


def _running(page: Page, visitor: Visitor, cell: Cell, job: Job) -> str:
    progress, live, words, share = cell.progress, "", page.state("running"), 0.0
    if progress is not None:
        counted = page.counted(progress.stage, progress.step, progress.total)
        words = counted or cloud.doing(page, job, progress)
        share = 100 * progress.step / progress.total if progress.total else 0.0
        if progress.preview_version and page.studio.shows_previews(visitor, cell.form.get("project")):
            source = f"../preview/{job.id}.webp?v={progress.preview_version}"
            live = f"<img{attributes(class_='live', src=source, alt='')}>"
    bar = f'<span class="bar"><i style="width:{share:.0f}%"></i></span>'
    return f'{live}<span class="cmp-state">{escape(words)}</span>{bar}'


# -- the list, and nothing yet -----------------------------------------------------------------------------


def render_list(page: Page, visitor: Visitor, lines: Sequence[GridLine]) -> str:
    """All grids, newest first; what this room is for where there are none."""
    if not lines:
        return f'<section class="grid-of none" data-grid="">{empty(page)}</section>'
    cards = "".join(_card(page, visitor, line) for line in lines)
    title = escape(page.t("compare_earlier"))
    named = attributes(class_="grid-of list", data_grid="", data_live=any(line.live for line in lines))
    return f"<section{named}><h3>{title}</h3><ul class='grids'>{cards}</ul></section>"


def empty(page: Page) -> str:
    """What the room is for, with one example to click."""
    t = page.t
    do = _does(t("compare_try"), "example", symbol="film", look="primary", id_="compare_try")
    return (
        f'<div class="veil">{icon("film")}<h2>{escape(t("compare_empty"))}</h2>'
        f'<p class="muted">{escape(t("compare_empty_text"))}</p>{do}</div>'
    )


def _card(page: Page, visitor: Visitor, line: GridLine) -> str:
    stills = "".join(
        f"<img{attributes(src=f'../media/{one}.webp', alt='', loading='lazy')}>" for one in line.stills
    )
    told = page.t("compare_done", done=line.done, count=line.cells)
    who = "" if line.owner == visitor.owner else f" · {page.t('someone')}"
    press = attributes(type="button", class_="grid-card", data_act="compare", data_key=f"open {line.id}")
    live = attributes(class_="dot busy") if line.live else ""
    return (
        f"<li><button{press}><span{attributes(class_='stills', data_count=len(line.stills))}>"
        f"{stills or icon('film')}</span>"
        f"<b>{escape(line.title)}</b><small>{f'<i{live}></i>' if line.live else ''}"
        f"{escape(f'{told} · {page.ago(line.created)}{who}')}</small></button></li>"
    )


def _does(
    text: str,
    verb: str,
    *,
    symbol: str = "",
    look: str = "",
    quiet: bool = False,
    confirm: str = "",
    loses: bool = False,
    id_: str | None = None,
) -> str:
    """A button that compare.js answers; with `confirm` it asks once."""
    return button(
        text,
        "compare",
        key=verb,
        symbol=symbol,
        look=look,
        quiet=quiet,
        confirm=confirm,
        loses=loses,
        id_=id_,
    )
