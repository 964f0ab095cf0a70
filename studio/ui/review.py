"""The tab Review, for admins: what waits for a person, what was decided, and the rules of the house."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import gradio as gr

from studio import access
from studio.access import Visitor
from studio.core import Refused
from studio.library import Asset
from studio.reviewing import Decision, HeldItem, What
from studio.trust.texts import Finding
from studio.ui import rules, stage, withheld
from studio.ui.context import Page
from studio.ui.library import film_length
from studio.ui.markup import EVERY, area, attributes, facts, icon, in_turn, sent

SECTIONS = ("look", "past", "rules")
HISTORY = 60


@dataclass(frozen=True)
class Message:
    """What review.js says: it comes from a browser, so nothing in it is to be trusted."""

    act: str = ""
    section: str = "look"
    current: str = ""
    name: str = ""
    comment: str = ""
    reason: str = ""
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Answer:
    """What the room says to a message: a sentence if it was refused, one if it was done."""

    sorry: str = ""
    told: str = ""
    ledger: str = ""
    secret: str = ""
    key_name: str = ""


def build(page: Page, *, quick: dict[str, Any]) -> gr.HTML:
    """One area: review.js asks for it when it is opened, used, or when something there has changed."""
    room = area("", "review_room")

    def act(event: gr.EventData, request: gr.Request) -> str:
        return in_turn(event, answer(page, page.visitor(request), read(event)))

    room.act(act, None, room, **quick | EVERY)
    return room


def read(event: object) -> Message:
    """The message of an event, made harmless."""
    data = sent(event)

    def text(name: str, most: int) -> str:
        return str(data.get(name, ""))[:most]

    section = text("section", 20)
    values = data.get("values")
    return Message(
        act=text("act", 40),
        section=section if section in SECTIONS else "look",
        current=text("current", 80),
        name=text("name", 200),
        comment=text("comment", 2000),
        reason=text("reason", 1000),
        values=values if isinstance(values, dict) else None,
    )


def answer(page: Page, visitor: Visitor, asked: Message) -> str:
    """Do what a message asks, and the room as it is then; a sentence for who is no admin."""
    does: dict[str, Callable[[Page, Visitor, Message], Answer]] = {
        "approve": _decide,
        "reject": _decide,
        "save_rules": rules_saved,
        "check_ledger": _check_ledger,
        "make_key": _make_key,
        "revoke_key": _revoke_key,
    }
    try:
        found = does[asked.act](page, visitor, asked) if asked.act in does else Answer()
    except Refused as refused:
        found = Answer(sorry=page.say(*refused.notices))
    if asked.act in ("approve", "reject") and not found.sorry:
        asked = replace(asked, current=after(page.studio.reviews.waiting(visitor), asked.current))
    try:
        return render(page, visitor, asked, found)
    except Refused as refused:
        return f'<p class="sorry" role="alert">{escape(page.say(*refused.notices))}</p>'


def _decide(page: Page, visitor: Visitor, asked: Message) -> Answer:
    kind, _, subject = asked.current.partition(" ")
    what: What = "approve" if asked.act == "approve" else "reject"
    page.studio.reviews.decide(
        visitor,
        "text" if kind == "text" else "picture",
        subject,
        what,
        name=asked.name,
        comment=asked.comment,
    )
    return Answer(told=page.t(f"review_did_{what}"))


def rules_saved(page: Page, visitor: Visitor, asked: Message) -> Answer:
    """The rules as they were sent, kept."""
    page.studio.reviews.set_policy(visitor, rules.values_of(asked.values or {}), reason=asked.reason)
    return Answer(told=page.t("rules_saved"))


def _check_ledger(page: Page, visitor: Visitor, asked: Message) -> Answer:
    return Answer(ledger=rules.ledger_checked(page, page.studio.reviews.ledger(visitor)))


def _make_key(page: Page, visitor: Visitor, asked: Message) -> Answer:
    key, secret = page.studio.keys.make(visitor, str((asked.values or {}).get("name", "")))
    return Answer(secret=secret, key_name=key.name)


def _revoke_key(page: Page, visitor: Visitor, asked: Message) -> Answer:
    key = page.studio.keys.revoke(visitor, str((asked.values or {}).get("id", "")))
    return Answer(told=page.t("keys_revoked", name=key.name))


def after(items: Sequence[HeldItem], current: str) -> str:
    """Which item comes after one that was decided about: the oldest that waits."""
    return next((key_of(item) for item in items if not item.blocked and key_of(item) != current), "")


def key_of(item: HeldItem) -> str:
    """What an item is called in messages."""
    return f"{item.kind} {item.id}"


# -- the room ----------------------------------------------------------------------------------------------


def render(page: Page, visitor: Visitor, asked: Message, found: Answer) -> str:
    """The whole room; Refused for who is no admin."""
    items = page.studio.reviews.waiting(visitor)
    body = {
        "look": lambda: _look(page, visitor, items, asked),
        "past": lambda: _past(page, visitor),
        "rules": lambda: rules.render(page, visitor, found.ledger, (found.secret, found.key_name)),
    }[asked.section]()
    shown = _current(items, asked.current)
    named = attributes(
        class_="review",
        data_section=asked.section,
        data_current=key_of(shown) if shown and asked.section == "look" else None,
        data_mark=page.studio.reviews.mark(),
        data_names=json.dumps([page.t("review_need_name"), page.t("review_need_comment")]),
    )
    said = f'<p class="sorry" role="alert">{escape(found.sorry)}</p>' if found.sorry else ""
    said += (
        f'<p class="told done" role="status">{icon("check")}{escape(found.told)}</p>' if found.told else ""
    )
    # Its place is always there: what is typed below stays when something is said.
    return f"<div{named}>{_ways(page, items, asked.section)}<div class='said'>{said}</div>{body}</div>"


def _ways(page: Page, items: Sequence[HeldItem], section: str) -> str:
    waiting = sum(not item.blocked for item in items)
    found = []
    for name in SECTIONS:
        count = f'<span class="count">{waiting}</span>' if name == "look" and waiting else ""
        named = attributes(
            type="button",
            role="tab",
            id=f"review_{name}",
            data_act="review",
            data_key=f"section {name}",
            aria_selected=str(name == section).lower(),
        )
        found.append(f"<button{named}>{escape(page.t(f'review_section_{name}'))}{count}</button>")
    label = escape(page.t("tab_review"))
    return f'<div class="segments" role="tablist" aria-label="{label}">{"".join(found)}</div>'


def _current(items: Sequence[HeldItem], key: str) -> HeldItem | None:
    """The item that is looked at: the one that is asked for, else the oldest that waits."""
    asked = next((item for item in items if key_of(item) == key), None)
    return asked or next((item for item in items if not item.blocked), None)


def _look(page: Page, visitor: Visitor, items: Sequence[HeldItem], asked: Message) -> str:
    current = _current(items, asked.current)
    waiting = [item for item in items if not item.blocked]
    apart = [item for item in items if item.blocked]
    if current is None:
        title, text = escape(page.t("review_empty")), escape(page.t("review_empty_text"))
        desk = f'<div class="veil">{icon("check")}<h2>{title}</h2><p class="muted">{text}</p></div>'
    else:
        desk = _desk(page, visitor, current)
    more = ""
    if len(waiting) > 1 or (waiting and current is not None and current.blocked):
        rows = "".join(_row(page, visitor, item, item is current) for item in waiting)
        title = escape(page.t("review_waiting"))
        more = f'<section class="more"><h3>{title}</h3><ul class="held">{rows}</ul></section>'
    return desk + more + _quarantine(page, visitor, apart, current)


def _quarantine(page: Page, visitor: Visitor, apart: Sequence[HeldItem], current: HeldItem | None) -> str:
    if not apart:
        return ""
    rows = "".join(_row(page, visitor, item, item is current) for item in apart)
    title = escape(page.t("review_quarantine", count=len(apart)))
    hint = escape(page.t("review_quarantine_hint"))
    opened = current is not None and current.blocked
    named = attributes(class_="apart", id="review_quarantine", open=opened)
    inside = f'<p class="muted">{hint}</p><ul class="held">{rows}</ul>'
    return f"<details{named}><summary>{title}</summary>{inside}</details>"


def _row(page: Page, visitor: Visitor, item: HeldItem, current: bool) -> str:
    image = icon("pen") if item.asset is None else ""
    if item.asset is not None:
        image = f"<img{attributes(src=f'../media/{item.asset.id}.webp', alt='', loading='lazy')}>"
    named = attributes(
        type="button",
        class_="item",
        data_act="review",
        data_key=f"open {key_of(item)}",
        aria_current="true" if current else None,
    )
    about = [page.t(f"review_kind_{_kind(item)}"), _who(page, visitor, item.owner), page.ago(item.created)]
    still = attributes(class_="still blurred" if item.blocked else "still")
    words = f"<b>{escape(item.title)}</b><small>{escape(' · '.join(about))}</small>"
    return f"<li><button{named}><span{still}>{image}</span><span>{words}</span></button></li>"


def _kind(item: HeldItem) -> str:
    return item.asset.kind if item.asset is not None else "text"


def _who(page: Page, visitor: Visitor, owner: str) -> str:
    """Visitors have no names here: you, or the beginning of somebody's number."""
    if owner == visitor.owner:
        return page.t("you")
    return page.t("review_by", who=access.short(owner) or "–")


# -- one item ----------------------------------------------------------------------------------------------


def _desk(page: Page, visitor: Visitor, item: HeldItem) -> str:
    seen = _words(page, visitor, item) if item.asset is None else _picture(page, item, item.asset)
    if item.picture:
        named = attributes(class_="begins", src=f"../inputs/{item.picture}.png", alt=page.t("picture_alt"))
        seen = f"<img{named}>{seen}"
    why = "".join(f"<li>{escape(page.say(reason))}</li>" for reason in item.reasons)
    about = [page.t(f"review_kind_{_kind(item)}"), _who(page, visitor, item.owner), page.ago(item.created)]
    if item.asset is not None:
        about += [str(item.asset.size), page.t("seconds", count=f"{item.asset.seconds:.1f}")]
    if item.asset is not None and item.asset.kind == "film":
        about = [film_length(page, item.asset), *about[1:-1]]
    asked = "" if item.asset is None else f'<blockquote class="asked">{escape(item.title)}</blockquote>'
    reasons = f'<ul class="why">{why}</ul>' if why else ""
    return (
        f'<div class="desk"><div class="seen">{seen}</div><div class="judge">{facts(about)}{reasons}{asked}'
        f"{_judging(page, item)}</div></div>"
    )


def _judging(page: Page, item: HeldItem) -> str:
    comment = attributes(
        id="review_comment",
        rows=3,
        maxlength=1000,
        placeholder=page.t("review_comment_like"),
        autocomplete="off",
    )
    name = attributes(id="review_name", type="text", maxlength=60, autocomplete="name")
    yes = _verdict(page, item, "approve", "A", "primary")
    no = _verdict(page, item, "reject", "R", "refuse")
    return (
        f'<label class="box"><span>{escape(page.t("review_comment"))}</span>'
        f"<textarea{comment}></textarea></label>"
        f'<label class="box"><span>{escape(page.t("review_name"))}</span><input{name}></label>'
        f'<p class="sorry" id="review_lacks" role="alert" hidden></p><div class="verdict">{yes}{no}</div>'
    )


def _verdict(page: Page, item: HeldItem, what: str, key: str, look: str) -> str:
    named = attributes(
        type="button",
        class_=f"btn big {look}",
        id=f"review_{what}",
        data_act="review",
        data_key=f"{what} {key_of(item)}",
        aria_keyshortcuts=key.lower(),
    )
    return f"<button{named}><span>{escape(page.t(f'review_{what}'))}</span><kbd>{key}</kbd></button>"


def _picture(page: Page, item: HeldItem, asset: Asset) -> str:
    """The clip, or the film with sound; out of quarantine it is blurred until somebody asks for it."""
    player = stage.player(
        page, asset, id_="review_player", sound=asset.kind == "film", autoplay=not item.blocked
    )
    shape = "tall" if asset.height > asset.width else "square" if asset.height == asset.width else "wide"
    named = attributes(class_=f"stage {shape}", style=f"--ratio:{asset.width}/{asset.height}")
    if not item.blocked:
        return f'<section{named}><div class="screen">{player}</div></section>'
    show = attributes(type="button", class_="btn raised unveil", data_act="review", data_key="unveil now")
    cover = f"<button{show}>{icon('eye')}<span>{escape(page.t('review_unveil'))}</span></button>"
    screen = f'<div class="screen blurred" data-item="{escape(item.id)}">{player}{cover}</div>'
    return f"<section{named}>{screen}</section>"


def _words(page: Page, visitor: Visitor, item: HeldItem) -> str:
    """The words by their places, those that were found marked; the places with findings come first."""
    findings: dict[str, list[Finding]] = {}
    for one in page.studio.reviews.found(visitor, item):
        findings.setdefault(one.place, []).append(one)
    texts = item.texts or {}
    drawn = {place: _place(page, place, text, findings.get(place, [])) for place, text in texts.items()}
    found = "".join(html for place, html in drawn.items() if place in findings)
    rest = "".join(html for place, html in drawn.items() if place not in findings)
    if found and rest:
        count = len(texts) - len(findings)
        title = escape(page.t("review_other_words", count=count))
        rest = f'<details class="apart"><summary>{title}</summary>{rest}</details>'
    return f'<section class="texts">{found}{rest}</section>'


def _place(page: Page, place: str, text: str, findings: Sequence[Finding]) -> str:
    inside = withheld.spans(text, [(one.start, one.end) for one in findings])
    look = "text found" if findings else "text"
    return f'<div class="{look}"><h3>{escape(_place_name(page, place))}</h3><p>{inside}</p></div>'


def _place_name(page: Page, place: str) -> str:
    """What a place of `texts_of` is called: "shot 3", "prompt"; its second text has a number more."""
    name, *numbers = place.split(" ")
    if name == "shot":
        return page.t("story_shot", number=numbers[0])
    if name == "prompt":
        return page.t("recipe_read") if numbers else page.field("prompt")
    known = {"title": "story_title", "end_card": "story_end_card"}
    return page.t(known[name]) if name in known else page.field(name)


# -- what was decided --------------------------------------------------------------------------------------


def _past(page: Page, visitor: Visitor) -> str:
    decisions = page.studio.reviews.history(visitor, limit=HISTORY)
    if not decisions:
        return f'<div class="veil">{icon("eye")}<h2>{escape(page.t("review_past_empty"))}</h2></div>'
    rows = "".join(_decision(page, one) for one in decisions)
    return f'<ul class="decisions">{rows}</ul>'


def _decision(page: Page, one: Decision) -> str:
    comment = f"<p>{escape(one.comment)}</p>" if one.comment else ""
    when = attributes(datetime=one.at.isoformat(timespec="seconds"), title=f"{one.at:%Y-%m-%d %H:%M} UTC")
    kind = page.t("review_kind_text") if one.kind == "text" else page.t("review_kind_picture")
    what = escape(page.t(f"review_was_{one.what}"))
    return (
        f'<li data-what="{escape(one.what)}"><span class="dot"></span><b class="what">{what}</b>'
        f'<span class="title">{escape(one.title)}</span><span class="muted">{escape(kind)}</span>'
        f'<span class="by">{escape(one.name)}</span><time{when}>{escape(page.ago(one.at))}</time>'
        f"{comment}</li>"
    )
