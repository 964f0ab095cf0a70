"""The tab Library: a search with facets, a wall of clips, one of them in a panel; many at once.

The shell is drawn once; library.js asks for a page of cards, the facets beside it, or the panel, and puts the
cards where they belong. What it sends is a `Message`, and nothing in it is trusted.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr

from studio.access import Visitor
from studio.core import Refused
from studio.library.finder import AGES, FACETS, PAGE, SORTS, Query
from studio.library.matching import MAX_QUESTION
from studio.library.shelves import MAX_AT_ONCE, Done
from studio.ui import library_panel, library_side, library_wall
from studio.ui.context import Page
from studio.ui.differences import differences, recipe_of
from studio.ui.library_panel import film_length
from studio.ui.markup import EVERY, area, attributes, button, icon, sent, turn_in, turn_of
from studio.ui.synced import MOST, SyncedClip, synced

__all__ = ["LibraryTab", "build", "film_length"]

_MOST_CHOSEN = 40


@dataclass(frozen=True)
class LibraryTab:
    """What the page wires to other tabs: `used` carries a clip's id whose recipe shall fill the form."""

    used: gr.Textbox


@dataclass(frozen=True)
class Message:
    """What library.js says. `turn` comes back with the answer: the next question waits for it.

    `whole`: `ids` stands for everything that the query finds.
    """

    act: str = "find"
    query: Query = field(default_factory=Query)
    after: str = ""
    limit: int = PAGE
    ids: tuple[str, ...] = ()
    whole: bool = False
    value: str = ""
    open: str = ""
    project: str = ""
    turn: int = 0


@dataclass(frozen=True)
class Answer:
    """What is drawn anew; None: as it is."""

    feed: str | None = None
    side: str | None = None
    panel: str | None = None
    together: str | None = None
    used: str | None = None


@dataclass(frozen=True)
class Said:
    """What is told beneath the cards' wall: a sentence if it was done, one if it was refused."""

    told: str = ""
    sorry: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def build(page: Page, *, quick: dict[str, Any]) -> LibraryTab:
    """The shell, and the places that answers go to."""
    together = area("", "library_together")
    with gr.Row(elem_id="library"):
        side = area("", "library_side")
        wall = area(library_wall.shell(page), "library_grid")
        panel = area("", "library_panel")
    feed = area("", "library_feed")
    turn = area("", "library_turn")
    used = gr.Textbox("", elem_id="used", elem_classes="offstage", label="used", show_label=False)

    def act(event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        asked = read(event)
        found = answer(page, page.visitor(request), asked)
        drawn = (found.feed, found.side, found.panel, found.together, found.used, turn_of(asked.turn))
        return tuple(gr.skip() if html is None else html for html in drawn)

    # Whoever types on while an answer is on its way has asked once more.
    wall.act(act, None, [feed, side, panel, together, used, turn], **quick | EVERY)
    return LibraryTab(used=used)


# -- what is asked -------------------------------------------------------------------------------------------


def read(event: object) -> Message:
    """The message of an event, made harmless."""
    data = sent(event)

    def text(name: str, most: int) -> str:
        return str(data.get(name) or "")[:most]

    ids = data.get("ids")
    ids = ids if isinstance(ids, list) else []
    return Message(
        act=text("act", 40),
        query=_query(data),
        after=text("after", 80),
        limit=min(10 * PAGE, max(PAGE, _whole_number(data.get("limit")))),
        ids=tuple(str(one)[:80] for one in ids[:MAX_AT_ONCE]),
        whole=data.get("whole") is True,
        value=text("value", 200),
        open=text("open", 80),
        project=text("project", 80),
        turn=turn_in(data),
    )


def _query(data: Mapping[str, Any]) -> Query:
    chosen = data.get("chosen")
    facets: dict[str, tuple[str, ...]] = {}
    for facet, values in chosen.items() if isinstance(chosen, dict) else ():
        if facet in FACETS and isinstance(values, list) and values:
            facets[facet] = tuple(str(value)[:120] for value in values[:_MOST_CHOSEN])
    sort, age = data.get("sort"), data.get("age")
    return Query(
        text=str(data.get("q") or "")[:MAX_QUESTION],
        chosen=facets,
        age=age if isinstance(age, str) and age in AGES else "",
        favourites=data.get("marked") is True,
        trash=data.get("trash") is True,
        sort=next((one for one in SORTS if one == sort), None),
    )


def _whole_number(value: object) -> int:
    return value if isinstance(value, int) else 0


# -- what is answered ----------------------------------------------------------------------------------------


def answer(page: Page, visitor: Visitor, asked: Message) -> Answer:
    """Do what a message asks; what is to be drawn then."""
    try:
        if asked.act == "find":
            return _found(page, visitor, asked, Said())
        if asked.act == "more":
            return Answer(feed=_cards(page, visitor, asked))
        if asked.act == "open":
            return Answer(panel=library_panel.render(page, visitor, asked.open))
        if asked.act == "together":
            return Answer(together=_together(page, visitor, asked.ids))
        if asked.act == "use":
            return Answer(used=f"{asked.open} {time.time():.3f}")
        return _changed(page, visitor, asked)
    except Refused as refused:
        return _found(page, visitor, asked, Said(sorry=page.say(*refused.notices)))


def _changed(page: Page, visitor: Visitor, asked: Message) -> Answer:
    """A change of one asset, of many, or of a project; the library as it is afterwards."""
    does: dict[str, Callable[[Page, Visitor, Message], Said]] = {
        "tag": _many(lambda shelves, who, ids, tag: shelves.tag(who, ids, tag)),
        "untag": _many(lambda shelves, who, ids, tag: shelves.untag(who, ids, tag)),
        "move": _many(lambda shelves, who, ids, project: shelves.move(who, ids, project or None)),
        "favour": _many(lambda shelves, who, ids, on: shelves.favourite(who, ids, on != "off")),
        "trash": _many(lambda shelves, who, ids, _: shelves.trash(who, ids)),
        "restore": _many(lambda shelves, who, ids, _: shelves.restore(who, ids)),
        "delete": _delete,
        "project_new": _project_new,
        "project_rename": _project_rename,
        "project_delete": _project_delete,
        "project_publish": _project_publish,
    }
    said = does[asked.act](page, visitor, asked) if asked.act in does else Said()
    found = _found(page, visitor, asked, said)
    shown = bool(asked.open) and (asked.whole or asked.open in asked.ids)
    panel = library_panel.render(page, visitor, asked.open) if shown else None
    return Answer(found.feed, found.side, panel)


def _many(change: Callable[..., Done]) -> Callable[[Page, Visitor, Message], Said]:
    def do(page: Page, visitor: Visitor, asked: Message) -> Said:
        ids: Sequence[str] = asked.ids
        if asked.whole:
            ids = page.studio.finder.ids(visitor, asked.query, MAX_AT_ONCE)
        done = change(page.studio.shelves, visitor, ids, asked.value)
        told = page.t(f"library_did_{asked.act}", count=done.changed, value=asked.value)
        if asked.act == "favour" and asked.value == "off":
            told = ""
        if done.others:
            told += (" " if page.language == "en" else "") + page.t("library_others", count=done.others)
        return Said(told=told)

    return do


def _delete(page: Page, visitor: Visitor, asked: Message) -> Said:
    for asset_id in asked.ids[:PAGE]:
        page.studio.delete_asset(visitor, asset_id)
    return Said(told=page.t("library_did_delete", count=len(asked.ids[:PAGE])))


def _project_new(page: Page, visitor: Visitor, asked: Message) -> Said:
    made = page.studio.projects.create(visitor, asked.value)
    if not asked.ids and not asked.whole:
        return Said(told=page.t("project_made", name=made.name))
    move = _many(lambda shelves, who, ids, _: shelves.move(who, ids, made.id))
    move(page, visitor, asked)
    return Said(told=page.t("project_filled", name=made.name))


def _project_rename(page: Page, visitor: Visitor, asked: Message) -> Said:
    page.studio.projects.rename(visitor, asked.project, asked.value)
    return Said()


def _project_delete(page: Page, visitor: Visitor, asked: Message) -> Said:
    page.studio.projects.delete(visitor, asked.project)
    return Said(told=page.t("project_gone"))


def _project_publish(page: Page, visitor: Visitor, asked: Message) -> Said:
    rule = next((rule for rule in ("at_once", "after_review") if rule == asked.value), None)
    page.studio.projects.set_publish(visitor, asked.project, rule)
    return Said(told=page.t("rules_saved"))


def _together(page: Page, visitor: Visitor, ids: Sequence[str]) -> str:
    """Two to four clips under one clock, and what differs between their recipes."""
    assets = [page.studio.asset(visitor, asset_id) for asset_id in ids[:MOST]]
    if len(assets) < 2:
        return ""
    clips = [
        SyncedClip(
            src=f"../media/{asset.id}.mp4",
            title=asset.asked[:120],
            fps=asset.fps,
            width=asset.width,
            height=asset.height,
            poster=f"../media/{asset.id}.webp",
            sound=asset.kind == "film",
        )
        for asset in assets
    ]
    recipes = [
        recipe_of(page, asset.form, asset.request.model_dump())
        for asset in assets
        if asset.request is not None
    ]
    away = button(
        page.t("close"), "library", key="apart", symbol="close", look="bare", quiet=True, id_="together_close"
    )
    title = escape(page.t("together_title", count=len(clips)))
    player = synced(clips, page.language, id_="library_player")
    return (
        f'<section class="together"><header><h2>{title}</h2>{away}</header>{player}'
        f"{differences(page, recipes)}</section>"
    )


# -- the wall ------------------------------------------------------------------------------------------------


def _found(page: Page, visitor: Visitor, asked: Message, said: Said) -> Answer:
    """The first cards (as many as were there), and what stands beside them."""
    found = page.studio.finder.find(visitor, asked.query, limit=asked.limit)
    marked = page.studio.shelves.favourites(visitor)
    cards = "".join(library_wall.card(page, asset, asset.id in marked) for asset in found.assets)
    if not found.assets:
        cards = _nothing(page, asked.query)
    count = page.t("library_found", count=found.total) if found.total else ""
    feed = _feed(asked, cards, found.after, total=found.total, count=count, mark=found.mark, said=said)
    return Answer(feed=feed, side=library_side.render(page, visitor, asked.query, found))


def _cards(page: Page, visitor: Visitor, asked: Message) -> str:
    """The cards behind those that are there."""
    found = page.studio.finder.find(visitor, asked.query, after=asked.after, counted=False)
    marked = page.studio.shelves.favourites(visitor)
    return _feed(
        asked, "".join(library_wall.card(page, one, one.id in marked) for one in found.assets), found.after
    )


def _feed(
    asked: Message,
    cards: str,
    after: str,
    *,
    total: int = 0,
    count: str = "",
    mark: str = "",
    said: Said | None = None,
) -> str:
    named = attributes(
        data_turn=asked.turn,
        data_way="more" if asked.act == "more" else "first",
        data_after=after,
        data_total=total,
        data_count=count,
        data_mark=mark,
        data_told=said.told if said else "",
        data_sorry=said.sorry if said else "",
    )
    return f'<div class="feed"{named}>{cards}</div>'


def _nothing(page: Page, query: Query) -> str:
    """Nothing was found, or nothing is there: what one can do about it."""
    if query.trash:
        title, text, does = page.t("trash_empty"), page.t("trash_empty_text"), ""
    elif query.text or query.chosen or query.age or query.favourites:
        title, text = page.t("library_none"), page.t("library_none_text")
        does = button(page.t("library_clear"), "library", key="clear", look="raised")
    else:
        title, text = page.t("library_empty"), page.t("library_empty_text")
        does = button(page.t("library_first"), "library", key="first", look="primary")
    sign = icon("trash" if query.trash else "film")
    text = f'<p class="muted">{escape(text)}</p>'
    return f'<div class="veil">{sign}<h2>{escape(title)}</h2>{text}{does}</div>'
