"""The shots as a strip of cards, in order: what is seen, what is said, how far it is."""

from collections.abc import Mapping, Sequence
from html import escape

from studio.library import Asset
from studio.stories import ShotView, StoryView
from studio.story.types import MAX_SHOT_TEXT, MAX_SHOTS
from studio.ui import share
from studio.ui.context import Page
from studio.ui.markup import attributes, icon
from studio.ui.story import opened
from studio.ui.story.head import film_of, still_of
from studio.ui.story.message import Here
from studio.ui.story.parts import To, do, lines

LIVE = ("waiting", "running")


def render(page: Page, view: StoryView, here: Here, clips: Sequence[Asset] = ()) -> str:
    """All cards, and between them where a shot can be added; `clips`: what an open one may show instead."""
    if not view.shots:
        return _nothing(page, view)
    full = len(view.shots) >= MAX_SHOTS
    cells = []
    for shot in view.shots:
        cells.append(card(page, view, shot, here, clips))
        if view.may_change and not full:
            cells.append(_between(page, shot))
    end = f'<p class="note">{escape(page.t("story_full", count=MAX_SHOTS))}</p>' if full else ""
    named = attributes(class_="shots", id="story_shots", aria_label=page.t("story_to_shots"))
    return f"<ol{named}>{''.join(cells)}</ol>{end}"


def card(page: Page, view: StoryView, shot: ShotView, here: Here, clips: Sequence[Asset] = ()) -> str:
    """One shot; opened in place if it is the one that is looked at."""
    is_open = shot.shot.id == here.open
    named = attributes(
        class_="shot opened" if is_open else "shot",
        data_key=f"s:{shot.shot.id}",
        data_shot=shot.shot.id,
        data_number=shot.number,
        data_state=shot.state,
        data_job=shot.job_id,
        tabindex="0",
        aria_label=page.t("story_shot", number=shot.number),
    )
    details = ""
    if is_open:
        details = _tools(page, view, shot) if view.may_change else ""
        details += opened.render(page, view, shot, here, clips)
    return (
        f"<li{named}>{_grip(page, view, shot)}{thumb(page, view, shot)}"
        f'<div class="said">{_text(page, view, shot)}{_facts(page, view, shot)}</div>'
        f"{_opener(page, shot, is_open)}{details}</li>"
    )


def thumb(page: Page, view: StoryView, shot: ShotView) -> str:
    """What there is to see of a shot; it plays while one points at it."""
    source, playing = still_of(shot), film_of(shot)
    image = ""
    if source:
        image = f"<img{attributes(src=source, alt='', loading='lazy')}>"
    title = page.t("story_look", number=shot.number)
    named = attributes(
        type="button",
        class_="thumb",
        data_act="watch" if playing else "open_shot",
        data_key=shot.shot.id,
        data_film=playing or None,
        data_state=shot.state,
        data_format=view.story.look.format,
        title=title,
        aria_label=title,
    )
    empty = "" if image else icon("film")
    live = '<span class="bar"><i></i></span>' if shot.state in LIVE else ""
    return f'<button{named}>{image}{empty}<span class="live-slot"></span>{live}</button>'


def _grip(page: Page, view: StoryView, shot: ShotView) -> str:
    if not view.may_change:
        return f'<span class="grip">{shot.number}</span>'
    title = page.t("story_drag")
    named = attributes(class_="grip", data_grip=shot.shot.id, title=title)
    return f"<span{named}>{icon('grip')}<b>{shot.number}</b></span>"


def _text(page: Page, view: StoryView, shot: ShotView) -> str:
    told = shot.shot
    title = f'<p class="heading">{escape(told.title)}</p>' if told.title else ""
    if not view.may_change:
        other = f'<p class="told" lang>{escape(told.translation)}</p>' if told.translation else ""
        return f'{title}<p class="text">{escape(told.text)}</p>{other}'
    box = lines(
        page.t("story_text", number=shot.number),
        To("update_shot", {"shot_id": told.id}),
        "text",
        told.text,
        rows=1,
        placeholder=page.t("story_text_placeholder"),
        most=MAX_SHOT_TEXT,
        bare=True,
        class_="text",
    )
    other = f'<p class="told">{escape(told.translation)}</p>' if told.translation else ""
    return f"{title}{box}{other}"


def _facts(page: Page, view: StoryView, shot: ShotView) -> str:
    """State, length, who is in it, whether it is approved; and what a person should know."""
    state = f'<span class="state"><i class="dot"></i>{escape(page.t(f"story_state_{shot.state}"))}</span>'
    seconds = f'<span class="length">{escape(page.t("seconds", count=f"{shot.seconds:.1f}"))}</span>'
    people = "".join(
        f'<span class="who">{escape(person.name)}</span>'
        for person in view.story.characters
        if person.id in shot.shot.characters
    )
    approved = _approve(page, view, shot)
    worry = "".join(f'<p class="worry">{escape(page.say(notice))}</p>' for notice in shot.notices)
    retry = _retry(page, view, shot)
    facts = f"{state}{seconds}{people}{approved}"
    said = share.said(f"story {view.id}", shot.shot.id) if view.may_change else ""
    return f'<div class="facts-line">{facts}</div>{said}{worry}{retry}'


def _approve(page: Page, view: StoryView, shot: ShotView) -> str:
    if shot.shot.source is not None:
        return ""
    yes = shot.shot.approved
    text = page.t("story_approved" if yes else "story_approve")
    if not view.may_change:
        return f'<span class="who good">{escape(text)}</span>' if yes else ""
    values = {"shot_id": shot.shot.id, "yes": not yes}
    return do(
        text,
        "change",
        edit="approve",
        values=values,
        symbol="check",
        look="approve",
        pressed=yes,
        off=not shot.shot.text.strip() and shot.shot.prompt is None,
    )


def _retry(page: Page, view: StoryView, shot: ShotView) -> str:
    """The button that belongs to a failed shot, right where it says so."""
    if shot.state != "failed" or not view.may_change:
        return ""
    lost = next((take for take in reversed(shot.takes) if take.state == "failed" and take.current), None)
    if lost is None:
        return ""
    return do(page.t("retry"), "retry", key=lost.job_id, symbol="again", look="raised")


def _opener(page: Page, shot: ShotView, is_open: bool) -> str:
    more = do(
        page.t("story_open", number=shot.number),
        "open_shot",
        key=shot.shot.id,
        symbol="down",
        look="bare opener",
        quiet=True,
        expanded=is_open,
    )
    return f'<div class="does">{more}</div>'


def _tools(page: Page, view: StoryView, shot: ShotView) -> str:
    """What can be done with a card as a whole: move, split, merge, delete."""
    one = {"shot_id": shot.shot.id}
    first, last = shot.number == 1, shot.number == len(view.shots)
    up, down = ({**one, "to": shot.number - 2}, {**one, "to": shot.number})
    tools = (
        _tool(page.t("story_move_up"), "move_shot", up, "up", off=first),
        _tool(page.t("story_move_down"), "move_shot", down, "lower", off=last),
        _tool(page.t("story_split"), "split_shot", one, "split", off=len(shot.shot.text) < 2),
        _tool(page.t("story_merge"), "merge_shots", one, "merge", off=last),
        _tool(page.t("story_delete_shot"), "delete_shot", one, "trash"),
    )
    return f'<div class="tools">{"".join(tools)}</div>'


def _tool(text: str, edit: str, values: Mapping[str, object], symbol: str, *, off: bool = False) -> str:
    return do(text, "change", edit=edit, values=values, symbol=symbol, look="bare", quiet=True, off=off)


def _between(page: Page, shot: ShotView) -> str:
    key = attributes(class_="between", data_key=f"+:{shot.shot.id}")
    more = do(
        page.t("story_add_after", number=shot.number),
        "change",
        edit="add_shot",
        values={"after": shot.shot.id},
        symbol="plus",
        look="bare",
        quiet=True,
    )
    return f"<li{key}>{more}</li>"


def _nothing(page: Page, view: StoryView) -> str:
    more = ""
    if view.may_change:
        more = do(
            page.t("story_add"),
            "change",
            edit="add_shot",
            values={"after": None},
            symbol="plus",
            look="raised",
        )
        more += do(page.t("story_to_text"), "section", key="text", look="bare")
    words = escape(page.t("story_no_shots"))
    return f'<div class="veil">{icon("film")}<p>{words}</p><div class="actions">{more}</div></div>'
