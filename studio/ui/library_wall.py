"""The wall of the tab Library: its shell (search, order, the bar for many at once), and its cards."""

from html import escape
from typing import Any

from studio.library import Asset
from studio.library.finder import SORTS
from studio.library.matching import MAX_QUESTION
from studio.ui import share
from studio.ui.context import Page
from studio.ui.library_panel import film_length
from studio.ui.markup import attributes, button, icon


def card(page: Page, asset: Asset, marked: bool) -> str:
    """One clip on the wall: its picture, what was asked, how it stands; to be opened, ticked, marked."""
    prompt = asset.asked
    named = attributes(
        type="button",
        class_="card",
        data_act="open_clip",
        data_key=asset.id,
        data_film=f"../media/{asset.id}.mp4",
        draggable="true",
        aria_label=prompt,
    )
    image = attributes(
        src=f"../media/{asset.id}.webp",
        alt="",
        loading="lazy",
        decoding="async",
        width=asset.width,
        height=asset.height,
    )
    words = f"{escape(prompt)}<small>{escape(page.ago(asset.created))}</small>"
    badge = f'<span class="badge">{escape(film_length(page, asset))}</span>' if asset.kind == "film" else ""
    if asset.standing != "public":
        badge += f'<span class="badge standing-of">{escape(page.t(f"standing_{asset.standing}"))}</span>'
    look = "tile veiled" if asset.standing == "blocked" else "tile"
    shape = attributes(class_=look, data_key=asset.id, style=f"--r:{asset.width / asset.height:.3f}")
    tick = _sign(page.t("library_tick"), f"tick {asset.id}", "check", "tick", False)
    heart = _sign(page.t("favourite"), f"favour {asset.id}", "heart", "heart", marked)
    face = f'<button{named}><img{image}>{badge}<span class="caption">{words}</span></button>'
    return f"<div{shape}>{face}{tick}{heart}</div>"


def _sign(text: str, key: str, symbol: str, look: str, pressed: bool) -> str:
    named = attributes(
        type="button",
        class_=f"sign {look}",
        data_act="library",
        data_key=key,
        aria_pressed=str(pressed).lower(),
        aria_label=text,
        title=text,
    )
    return f"<button{named}>{icon(symbol)}</button>"


def shell(page: Page) -> str:
    search = attributes(
        id="library_search",
        type="search",
        placeholder=page.t("library_search_like"),
        aria_label=page.t("library_search"),
        autocomplete="off",
        spellcheck="false",
        maxlength=MAX_QUESTION,
        enterkeyhint="search",
    )
    sorts = "".join(f"<option{attributes(value=s)}>{escape(page.t(f'sort_{s}'))}</option>" for s in SORTS)
    order = attributes(id="library_sort", aria_label=page.t("library_sort"))
    open_side = button(page.t("library_narrow"), "library", key="side", symbol="table", look="raised narrow")
    head = (
        f'<div class="finding"><label class="search">{icon("search")}<input{search}></label>{open_side}</div>'
        f'<div class="above"><p class="muted" id="library_count" role="status"></p>'
        f'<span class="grow"></span><select{order}>{sorts}</select></div>'
        '<p class="sorry" id="library_sorry" role="alert" hidden></p>'
    )
    wall = '<div class="wall" id="library_wall"></div><div id="library_end" aria-hidden="true"></div>'
    first = attributes(id="library_shell", data_first=page.t("library_first_prompt"))
    return f"<div{first}>{head}{wall}{_bulk(page)}</div>"


def _bulk(page: Page) -> str:
    """What can be done with those that are ticked; shown while some are."""

    def does(name: str, symbol: str, **more: Any) -> str:
        return button(page.t(f"bulk_{name}"), "library", key=f"bulk {name}", symbol=symbol, **more)

    ways = does("favour", "heart") + does("tag", "tag") + does("move", "folder")
    ways += does("compare", "split") + share.button(page, "clips", id_="bulk_share")
    ways += does("trash", "trash")
    binned = does("restore", "again") + does("delete", "trash", confirm=page.t("delete_confirm"), loses=True)
    count = attributes(id="bulk_count", data_words=page.t("bulk_count", count="{count}"))
    whole = button(page.t("bulk_whole"), "library", key="bulk whole", look="bare", id_="bulk_whole")
    away = button(page.t("close"), "library", key="bulk none", symbol="close", look="bare", quiet=True)
    ask = attributes(
        id="bulk_ask",
        hidden=True,
        data_tag=page.t("tag_like"),
        data_project=page.t("project_like"),
    )
    field_ = attributes(id="bulk_value", type="text", maxlength=200, autocomplete="off", list="bulk_known")
    go = button(page.t("bulk_do"), "library", key="bulk do", look="primary")
    return (
        f'<div class="bulk" id="library_bulk" role="toolbar" aria-label="{escape(page.t("bulk"))}" hidden>'
        f'<b{count}></b>{whole}<span class="grow"></span>'
        f'<span class="ways">{ways}</span><span class="ways binned">{binned}</span>{away}'
        f'<form{ask}><input{field_}><datalist id="bulk_known"></datalist>{go}</form></div>'
    )
