"""The tab Queue: every job on one line, one's own first, live while the tab is open."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import gradio as gr

from pipelines.models import MODELS
from studio import retouching
from studio.access import Visitor, may_change, may_see
from studio.api_keys import name_of
from studio.core import JobView, Refused
from studio.grid_view import GridLine
from studio.jobs import Job
from studio.rows import OPEN
from studio.styles import STYLES
from studio.ui import cloud, withheld
from studio.ui.context import Page
from studio.ui.markup import EVERY, acted, area, attributes, button, icon

REFRESH_SECONDS = 1.0
SHOWN = 60


def build(page: Page, *, quick: dict[str, Any]) -> tuple[gr.HTML, gr.Timer]:
    """The list and the timer that keeps it fresh; the page switches the timer on while the tab is open."""
    shown = area("", "queue_list")
    timer = gr.Timer(REFRESH_SECONDS, active=False)

    def refresh(request: gr.Request) -> str:
        return render(page, page.visitor(request))

    def act(event: gr.EventData, request: gr.Request) -> str:
        visitor = page.visitor(request)
        return render(page, visitor, sorry=_do(page, visitor, *acted(event)))

    timer.tick(refresh, None, shown, **quick)
    shown.act(act, None, shown, **quick | EVERY)
    return shown, timer


def _do(page: Page, visitor: Visitor, what: str, key: str) -> str:
    """Carry out what a button asks for; a sentence if the studio refuses."""
    studio = page.studio
    orders: dict[str, Callable[[Visitor, str], None]]
    orders = {"cancel": studio.cancel, "retry": studio.retry, "front": studio.to_front}
    orders |= {"cancel_grid": studio.grids.cancel, "front_grid": studio.grids.to_front}
    try:
        if what in orders:
            orders[what](visitor, key)
        elif what == "pause":
            studio.pause(visitor)
        elif what == "resume":
            studio.resume(visitor)
    except Refused as refused:
        return page.say(*refused.notices)
    return ""


def render(page: Page, visitor: Visitor, *, sorry: str = "") -> str:
    """The whole list as HTML."""
    studio = page.studio
    views = studio.queue(visitor, limit=SHOWN)
    live = [view for view in views if not view.is_final]
    past = [view for view in views if view.is_final]
    for group in (live, past):
        group.sort(key=lambda view: view.job.owner != visitor.owner)
    paused = page.studio.jobs.paused()
    head = f"<h2>{escape(page.t('queue_title'))}</h2>"
    if visitor.admin:
        what = "resume" if paused else "pause"
        head += button(page.t(what), what, look="raised", id_="pause")
    if paused:
        head += f'<p class="note warn">{escape(page.t("queue_paused"))}</p>'
    if sorry:
        head += f'<p class="sorry" role="alert">{escape(sorry)}</p>'
    grids = [_grid_row(page, visitor, line) for line in studio.grids.list(visitor, live=True)]
    now = [*grids, *(_row(page, visitor, view) for view in live)]
    past_rows = [_row(page, visitor, view) for view in past]
    body = _group(page.t("queue_now"), now) + _group(page.t("queue_past"), past_rows)
    if not body:
        body = f'<div class="veil">{icon("film")}<p>{escape(page.t("queue_empty"))}</p></div>'
    return f'<header class="head">{head}</header>{body}'


def _group(title: str, rows: Sequence[str]) -> str:
    if not rows:
        return ""
    count = f'<span class="count">{len(rows)}</span>'
    return f'<section><h3>{escape(title)} {count}</h3><ul class="rows">{"".join(rows)}</ul></section>'


def _grid_row(page: Page, visitor: Visitor, line: GridLine) -> str:
    """A comparison stands in one line for all its clips."""
    mine = line.owner == visitor.owner
    named = attributes(class_="row mine" if mine else "row", data_state="running", data_grid=line.id)
    opens = attributes(type="button", class_="open", data_act="to_grid", data_key=line.id, title=line.title)
    still = f"<img{attributes(src=f'../media/{line.stills[0]}.webp', alt='')}>" if line.stills else ""
    done = page.t("compare_done", done=line.done, count=line.cells)
    bar = f'<span class="bar"><i style="width:{100 * line.done / max(1, line.cells):.0f}%"></i></span>'
    does = ""
    if visitor.admin:
        words = page.t("to_front")
        does += button(words, "front_grid", key=line.id, symbol="front", look="bare", quiet=True)
    if may_change(visitor, line.owner):
        words, ask = page.t("compare_cancel"), page.t("compare_cancel_ask")
        does += button(
            words, "cancel_grid", key=line.id, symbol="close", look="bare", quiet=True, confirm=ask
        )
    return (
        f'<li{named}><span class="dot" aria-hidden="true"></span><span class="still">{still}</span>'
        f"<button{opens}>{escape(line.title)}</button>"
        f'<span class="what">{escape(page.t("queue_grid", count=line.cells))}</span>'
        f'<span class="owner">{escape(page.t("you") if mine else page.t("someone"))}</span>'
        f'<span class="state">{escape(done)}{bar}</span><span class="does">{does}</span></li>'
    )


def _who(page: Page, visitor: Visitor, owner: str) -> str:
    """You, somebody, or the key that a program came in with; its name is an admin's to know."""
    if owner == visitor.owner:
        return page.t("you")
    name = name_of(owner) if visitor.admin else ""
    return page.t("by_key", name=name) if name else page.t("someone")


def _row(page: Page, visitor: Visitor, view: JobView) -> str:
    job = view.job
    prompt = job.asked
    owner = _who(page, visitor, job.owner)
    mine = "row mine" if job.owner == visitor.owner else "row"
    line = attributes(class_=mine, data_state=withheld.state(view), data_job=job.id)
    named = attributes(
        type="button",
        class_="open",
        data_act="to_grid" if job.grid_id else "open",
        data_key=job.grid_id or job.id,
        title=prompt,
    )
    return (
        f"<li{line}>"
        f'<span class="dot" aria-hidden="true"></span>{_still(visitor, view)}'
        f"<button{named}>{escape(prompt)}</button>"
        f'<span class="what">{escape(_what(page, job))}</span>'
        f'<span class="owner">{escape(owner)}</span><span class="state">{_state(page, view)}</span>'
        f'<span class="does">{_buttons(page, visitor, view)}</span></li>'
    )


def _what(page: Page, job: Job) -> str:
    """The model of a clip, or that it is a film; and how large."""
    if job.task is not None:
        return page.t("queue_retouch" if job.task.get("name") == retouching.NAME else "queue_media")
    if job.plan is not None:
        return f"{page.t('film_of', count=len(job.plan.shots))} · {job.size}"
    return f"{MODELS[job.model].title if job.model in MODELS else job.model} · {job.size}"


def _still(visitor: Visitor, view: JobView) -> str:
    """What there is to see of a job: its film's still, its running picture, or an empty frame."""
    source = ""
    if view.job.asset_id and may_see(visitor, view.standing or "public", view.job.owner):
        source = f"../media/{view.job.asset_id}.webp"
    elif view.progress is not None and view.progress.preview_version:
        source = f"../preview/{view.job.id}.webp?v={view.progress.preview_version}"
    image = f"<img{attributes(src=source, alt='', loading='lazy')}>" if source else ""
    style = str(view.job.form.get("style") or "none")
    covered = style in STYLES and style != "none" and not source
    cover = f"--cover:url(../examples/covers/{style}.webp)" if covered else None
    return f"<span{attributes(class_='still', style=cover)}>{image}</span>"


def _state(page: Page, view: JobView) -> str:
    job, progress = view.job, view.progress
    if job.state == "running":
        step, total = (progress.step, progress.total) if progress else (0, 0)
        told = progress is not None or job.kind == "cloud"
        words = cloud.doing(page, job, progress) if told else page.state("running")
        if progress and (count := page.counted(progress.stage, step, total)):
            words = f"{words} {count}" if progress.stage in ("cutting", "finishing") else count
        if view.eta:
            words += " · " + page.t("left", time=page.duration(view.eta))
        share = 100 * step / total if total else 0
        return f'{escape(words)}<span class="bar"><i style="width:{share:.0f}%"></i></span>'
    if job.state == "queued" and cloud.ordered(job):
        return escape(page.t("cloud_ordered"))
    if job.state == "queued":
        words = page.t("row_next") if not view.position else page.t("row_ahead", count=view.position)
        if view.eta:
            words += " · " + page.t("price_about", time=page.duration(view.eta))
        return escape(words)
    state = withheld.state(view)
    if state == "held":
        what = "row_held_words" if job.state == "held" else "row_held"
        return escape(page.t(what))
    words = page.t(f"row_{state}") if state in ("blocked", "rejected") else page.state(job.state)
    if job.state == "failed" and job.error is not None:
        why = escape(page.say(job.error))
        return f'<span title="{why}">{escape(words)}: {why}</span>'
    if job.state == "cancelled" and job.notices:
        why = escape(page.say(*job.notices))
        return f'<span title="{why}">{escape(words)}: {why}</span>'
    if job.finished:
        words += " · " + page.ago(job.finished)
    return escape(words)


def _buttons(page: Page, visitor: Visitor, view: JobView) -> str:
    job, found = view.job, []
    if job.state == "queued" and visitor.admin and view.position:
        found.append(button(page.t("to_front"), "front", key=job.id, symbol="front", look="bare", quiet=True))
    if job.state in OPEN and view.may_change:
        ask = cloud.cancel_question(page, view)
        found.append(
            button(
                page.t("cancel"), "cancel", key=job.id, symbol="close", look="bare", quiet=True, confirm=ask
            )
        )
    if job.state in ("failed", "cancelled") and view.may_change:
        found.append(button(page.t("retry"), "retry", key=job.id, symbol="again", look="bare", quiet=True))
    return "".join(found)


def pill(page: Page) -> str:
    """The queue in a few words for the top bar."""
    ahead, wait = page.studio.jobs.ahead()
    later = ""
    if page.studio.jobs.paused():
        words, look = page.t("pill_paused"), "warn"
    elif not ahead:
        words, look = page.t("pill_free"), "free"
    else:
        words, look = page.t("pill_ahead", count=ahead), "busy"
        if wait:
            later = " · " + page.t("price_about", time=page.duration(wait))
    words = f'{escape(words)}<span class="wide-only">{escape(later)}</span>'
    return f'<span class="pill {look}" role="status"><span class="dot"></span>{words}</span>'
