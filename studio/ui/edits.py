"""A clip changed in words: one line below it, what was read as a difference, then old and new side by side.

edits.js hands what is typed to one hidden area and puts its answers below the line they belong to: they stay
there however often the panel or the stage is drawn anew.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from pipelines.request import Notice
from studio.access import Visitor
from studio.core import Refused
from studio.editing import EDITABLE, Take
from studio.edits.clauses import MAX_TEXT
from studio.edits.intents import INTENTS, intents
from studio.edits.plan import EditPlan, plan_of, plan_of_change
from studio.edits.types import Reading
from studio.library import Asset
from studio.ui import cloud, finish, unable
from studio.ui import form as fields
from studio.ui.context import Page
from studio.ui.edit_words import in_short, rows
from studio.ui.markup import EVERY, area, attributes, button, facts, in_turn, sent
from studio.ui.synced import SyncedClip, synced
from studio.views import JobView

_MOST_TAKES = 6


@dataclass(frozen=True)
class Message:
    """What edits.js says; nothing in it is trusted. `plan` is an `EditPlan`'s document."""

    act: str = ""
    asset: str = ""
    text: str = ""
    intent: str = ""
    job: str = ""
    serial: str = ""
    plan: Any = None


def build(page: Page, *, quick: dict[str, Any]) -> gr.HTML:
    """The hidden area that answers."""
    room = area("", "edits_room")

    def act(event: gr.EventData, request: gr.Request) -> str:
        return in_turn(event, answer(page, page.visitor(request), read(event)))

    room.act(act, None, room, **quick | EVERY)
    return room


def line(page: Page, asset: Asset) -> str:
    """The line below a clip, with examples to click and what was tried before; empty for a film."""
    if asset.kind not in EDITABLE or not asset.form.get("prompt") or asset.trashed is not None:
        return ""
    field = attributes(
        type="text",
        name="wish",
        maxlength=MAX_TEXT,
        autocomplete="off",
        placeholder=page.t("edit_like"),
        aria_label=page.t("edit_title"),
    )
    chips = "".join(
        button(words, "edits", key=f"say {words}", look="raised chip")
        for words in page.t("edit_chips").split("|")
    )
    go = f'<button type="submit" class="btn raised">{escape(page.t("edit_read"))}</button>'
    named = attributes(class_="edits", data_asset=asset.id, data_key=f"edits {asset.id}")
    return (
        f"<section{named}><h3>{escape(page.t('edit_title'))}</h3>"
        f'<form class="edit-line"><input{field}>{go}</form><div class="edit-chips">{chips}</div>'
        f"{finish.render(page, asset)}"
        f'{_tried(page, asset)}<div class="edit-told" data-own aria-live="polite">'
        '<div class="edit-say"></div><div class="edit-seen"></div></div></section>'
    )


def _tried(page: Page, asset: Asset) -> str:
    """The takes of this clip that wishes made, to be seen beside it again."""
    found = [take for take in page.studio.edits.takes(asset.id) if take.wish][:_MOST_TAKES]
    if not found:
        return ""
    chips = "".join(
        button(take.wish[:60], "edits", key=f"look {take.job_id}", look="bare chip") for take in found
    )
    return f'<p class="edit-tried"><span>{escape(page.t("edit_takes"))}</span>{chips}</p>'


# -- what is asked -----------------------------------------------------------------------------------------


def read(event: object) -> Message:
    """The message of an event, made harmless."""
    data = sent(event)

    def text(name: str, most: int) -> str:
        return str(data.get(name) or "")[:most]

    intent = text("intent", 40)
    return Message(
        act=text("act", 20),
        asset=text("asset", 80),
        text=text("text", MAX_TEXT),
        intent=intent if intent in INTENTS else "",
        job=text("job", 80),
        serial=text("serial", 20),
        plan=data.get("plan"),
    )


def answer(page: Page, visitor: Visitor, asked: Message) -> str:
    """Do what a message asks, and what stands below the line then."""
    does: dict[str, Callable[[Page, Visitor, Message], str]] = {
        "read": _read,
        "choose": _chosen,
        "make": _make,
        "look": _look,
        "undo": _undo,
        "retry": _retry,
    }
    if asked.act not in does:
        return ""
    try:
        return does[asked.act](page, visitor, asked)
    except Refused as refused:
        return _told(asked, _sorry(page, *refused.notices))


def _told(
    asked: Message,
    inside: str,
    *,
    job: str = "",
    live: bool = False,
    made: str | None = None,
    gone: bool = False,
) -> str:
    """`made`: the clip that came of a wish, shown beside the old one; `gone`: it was taken away."""
    # An attribute: what stands in it is shown elsewhere, and nothing of it lives twice.
    named = attributes(
        class_="edit-answer",
        data_asset=asked.asset,
        data_serial=asked.serial,
        data_job=job,
        data_live=live,
        data_made=made,
        data_gone=gone,
        data_html=inside,
    )
    return f"<div{named}></div>"


def _sorry(page: Page, *notices: Notice) -> str:
    return f'<p class="sorry" role="alert">{escape(page.say(*notices))}</p>'


# -- reading -----------------------------------------------------------------------------------------------


def _read(page: Page, visitor: Visitor, asked: Message) -> str:
    if not asked.text.strip():
        return _told(asked, "")
    return _told(
        asked, _reading(page, visitor, asked, page.studio.edits.read(visitor, asked.asset, asked.text))
    )


def _chosen(page: Page, visitor: Visitor, asked: Message) -> str:
    if not asked.intent:
        return _told(asked, "")
    found = page.studio.edits.chosen(visitor, asked.asset, asked.text, asked.intent)
    return _told(asked, _reading(page, visitor, asked, found))


def _reading(page: Page, visitor: Visitor, asked: Message, found: Reading) -> str:
    """What was understood, as differences, and what can be done about it."""
    if found.asks_back:
        return _ask(page, asked, found)
    notices = f'<p class="note">{escape(page.say(*found.notices))}</p>' if found.notices else ""
    if not found.changes:
        return notices or _sorry(page, Notice("edit_nothing", {"wish": asked.text}))
    by = f" <small>{escape(page.t('edit_by_llm'))}</small>" if found.source == "llm" else ""
    told = rows(page, found.changes)
    return (
        f'<p class="edit-head">{escape(page.t("edit_reading"))}{by}</p><dl class="edit-changes">{told}</dl>'
        f"{notices}{_does(page, visitor, asked, found)}"
    )


def _ask(page: Page, asked: Message, found: Reading) -> str:
    guesses = "".join(
        button(intents()[name].title[page.language], "edits", key=f"choose {name}", look="raised")
        for name in found.guesses
    )
    notices = f"<p class='note'>{escape(page.say(*found.notices))}</p>" if found.notices else ""
    return (
        f'<p class="edit-head">{escape(page.t("edit_ask"))}</p><div class="actions">{guesses}</div>'
        f'<p class="muted">{escape(page.t("edit_ask_again"))}</p>{notices}'
    )


def _does(page: Page, visitor: Visitor, asked: Message, found: Reading) -> str:
    """Take it, leave it, or another way: the time stands before the press."""
    whole = plan_of(found, asked.text)
    try:
        held = page.studio.edits.check(visitor, asked.asset, whole)
        told = f'<p class="note">{escape(page.say(held))}</p>' if held is not None else ""
        told += f'<p class="muted edit-price">{escape(_price(page, visitor, asked, whole))}</p>'
        does = _planned(whole, text=page.t("edit_make"), look="primary", id_="edit_make")
    except Refused as refused:
        told, does = unable.told(page, *refused.notices), ""
    does += button(page.t("edit_drop"), "edits", key="drop", look="bare", id_="edit_drop")
    others = ""
    for change in found.alternatives:
        plan = plan_of_change(change, asked.text)
        words = in_short(page, change)
        label = page.t("edit_instead" if not plan.renders else "edit_instead_render")
        named = {"text": words, "look": "raised"}
        does_it = _planned(plan, **named) + _priced(page, visitor, asked, plan)
        others += f"<p class='edit-instead'><span>{escape(label)}</span>{does_it}</p>"
    return f'{told}<div class="actions">{does}</div>{others}'


def _price(page: Page, visitor: Visitor, asked: Message, plan: EditPlan) -> str:
    """Time and price before the press, as on Create; Refused where it can't be made here."""
    if not plan.renders:
        return " · ".join((page.t("edit_make_soon"), page.t("price_free"), fields.label(page)))
    estimate = page.studio.estimate(**page.studio.edits.form(visitor, asked.asset, plan))
    if estimate.cannot is not None:
        raise Refused(estimate.cannot)
    return fields.price(page, estimate)


def _priced(page: Page, visitor: Visitor, asked: Message, plan: EditPlan) -> str:
    """The same beside another way, or why that one is none; what is done at once says so itself."""
    if not plan.renders:
        return ""
    try:
        told = _price(page, visitor, asked, plan)
    except Refused as refused:
        told = page.say(*refused.notices)
    return f'<small class="muted">{escape(told)}</small>'


def _planned(plan: EditPlan, *, text: str, look: str, id_: str = "") -> str:
    named = attributes(
        type="button",
        class_=f"btn {look}",
        id=id_ or None,
        data_act="edits",
        data_key="make",
        data_plan=json.dumps(plan.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False),
    )
    return f"<button{named}><span>{escape(text)}</span></button>"


# -- making, and what came of it ---------------------------------------------------------------------------


def _make(page: Page, visitor: Visitor, asked: Message) -> str:
    document = asked.plan if isinstance(asked.plan, dict) else {}
    job_id = page.studio.edits.make(visitor, asked.asset, document)
    return _state(page, visitor, asked, page.studio.job(visitor, job_id))


def _look(page: Page, visitor: Visitor, asked: Message) -> str:
    return _state(page, visitor, asked, page.studio.job(visitor, asked.job))


def _undo(page: Page, visitor: Visitor, asked: Message) -> str:
    """Take the new one away: stop its job, or put what came of it into the trash."""
    view = page.studio.job(visitor, asked.job)
    if page.studio.edits.take_of(asked.job) is None:
        raise Refused(Notice("job_unknown"))
    if not view.is_final:
        page.studio.cancel(visitor, asked.job)
    elif view.asset is not None:
        page.studio.shelves.trash(visitor, [view.asset.id])
    words = f'<p class="note">{escape(page.t("edit_undone"))}</p>'
    return _told(asked, words, job=asked.job, gone=True)


def _retry(page: Page, visitor: Visitor, asked: Message) -> str:
    page.studio.retry(visitor, asked.job)
    return _look(page, visitor, asked)


def _state(page: Page, visitor: Visitor, asked: Message, view: JobView) -> str:
    take = page.studio.edits.take_of(view.job.id)
    if take is None:
        raise Refused(Notice("job_unknown"))
    if view.job.state == "done":
        return _done(page, visitor, asked, view, take)
    if view.job.state in ("failed", "cancelled"):
        reason = view.job.error or Notice("take_cancelled")
        again = ""
        if view.may_change and view.job.state == "failed":
            again = button(
                page.t("retry"), "edits", key=f"retry {view.job.id}", symbol="again", look="raised"
            )
        return _told(asked, f'{_sorry(page, reason)}<div class="actions">{again}</div>', job=view.job.id)
    if view.job.state == "held":
        reason = view.job.error or Notice("generic")
        return _told(asked, f'<p class="note">{escape(page.say(reason))}</p>', job=view.job.id)
    return _told(asked, _running(page, view, take), job=view.job.id, live=True)


def _running(page: Page, view: JobView, take: Take) -> str:
    progress = view.progress
    words = [page.t("edit_waiting")]
    share = 0.0
    if progress is not None:
        words = [
            cloud.doing(page, view.job, progress),
            page.counted(progress.stage, progress.step, progress.total),
        ]
        share = 100 * progress.step / progress.total if progress.total else 0
    if view.eta:
        words.append(page.t("left", time=page.duration(view.eta)))
    bar = attributes(
        class_="bar", role="progressbar", aria_valuemin=0, aria_valuemax=100, aria_valuenow=round(share)
    )
    stop = ""
    if view.may_change:
        # What is rendered here ends with it; only what is paid all the same is asked about.
        asks = cloud.cancel_question(page, view) if cloud.ordered(view.job) else ""
        stop = button(
            page.t("edit_stop"),
            "edits",
            key=f"undo {view.job.id}",
            symbol="stop",
            look="bare",
            confirm=asks,
        )
    title = escape(page.t("edit_new", wish=take.wish))
    return (
        f'<p class="edit-head">{title}</p><div{bar}><i style="width:{share:.1f}%"></i></div>'
        f'{facts(words)}<div class="actions">{stop}</div>'
    )


def _done(page: Page, visitor: Visitor, asked: Message, view: JobView, take: Take) -> str:
    """The new take beside the old one, in one player."""
    new = view.asset
    if new is None:
        if view.standing is None:
            return _told(asked, _sorry(page, Notice("asset_unknown")), job=view.job.id)
        words = f'<p class="note">{escape(page.t("edit_done_alone"))}</p>'
        return _told(asked, words, job=view.job.id, live=view.standing == "held")
    try:
        old: Asset | None = page.studio.asset(visitor, take.source_id)
    except Refused:
        old = None
    clips = [_shown(old, page.t("edit_old"))] if old is not None else []
    clips.append(_shown(new, page.t("edit_new", wish=take.wish)))
    key = f"open {new.id} {view.job.id}"
    does = button(page.t("edit_open"), "edits", key=key, look="raised", id_="edit_open")
    if view.may_change:
        does += button(
            page.t("edit_undo_take"), "edits", key=f"undo {view.job.id}", look="bare", id_="edit_undo"
        )
    inside = (
        f'<p class="edit-head">{escape(page.t("edit_done"))}</p>'
        f'{synced(clips, page.language, id_="edit_player")}<div class="actions">{does}</div>'
    )
    return _told(asked, inside, job=view.job.id, made=new.id)


def _shown(asset: Asset, title: str) -> SyncedClip:
    source = f"../media/{asset.id}"
    return SyncedClip(f"{source}.mp4", title, asset.fps, asset.width, asset.height, poster=f"{source}.webp")
