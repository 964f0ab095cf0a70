"""The tab Library: every clip, newest first; one opens in a panel beside the grid, never on a new page."""

import time
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from studio.access import Visitor, may_change
from studio.core import Refused
from studio.library import Asset
from studio.ui import stage, withheld
from studio.ui.context import Page
from studio.ui.markup import acted, area, attributes, button, facts, icon, recipe

AT_ONCE = 60


@dataclass(frozen=True)
class LibraryTab:
    """What the page wires to other tabs: `used` carries a clip's id whose recipe shall fill the form."""

    grid: gr.HTML
    panel: gr.HTML
    used: gr.Textbox
    limit: gr.State


def build(page: Page, *, quick: dict[str, Any]) -> LibraryTab:
    """The grid, the panel, and their events."""
    with gr.Row(elem_id="library"):
        grid = area("", "library_grid")
        panel = area("", "library_panel")
    used = gr.Textbox("", elem_id="used", elem_classes="offstage", label="used", show_label=False)
    limit = gr.State(AT_ONCE)

    def act(limit: int, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        what, key = acted(event)
        visitor = page.visitor(request)
        if what == "more":
            return {tab.limit: limit + AT_ONCE, grid: render(page, visitor, limit=limit + AT_ONCE)}
        if what == "select":
            return {panel: render_panel(page, visitor, key)}
        if what == "close":
            return {panel: ""}
        if what == "use":
            return {used: f"{key} {time.time():.3f}"}
        if what == "delete":
            sorry = _delete(page, visitor, key)
            return {panel: sorry, grid: render(page, visitor, limit=limit)}
        return {grid: gr.skip()}

    tab = LibraryTab(grid=grid, panel=panel, used=used, limit=limit)
    for pressed in (grid, panel):
        pressed.act(act, limit, [grid, panel, used, limit], **quick)
    return tab


def _delete(page: Page, visitor: Visitor, key: str) -> str:
    try:
        page.studio.delete_asset(visitor, key)
    except Refused as refused:
        return f'<p class="sorry" role="alert">{escape(page.say(*refused.notices))}</p>'
    return ""


def render(page: Page, visitor: Visitor, *, limit: int = AT_ONCE) -> str:
    """The grid as HTML; pictures are loaded as they come into view."""
    assets = page.studio.library(visitor, limit=limit + 1)
    if not assets:
        return f'<div class="veil">{icon("film")}<h2>{escape(page.t("library_empty"))}</h2></div>'
    cards = "".join(_card(page, asset) for asset in assets[:limit])
    more = button(page.t("more"), "more", look="raised", id_="library_more") if len(assets) > limit else ""
    return f'<div class="wall">{cards}</div><div class="after">{more}</div>'


def _card(page: Page, asset: Asset) -> str:
    prompt = asset.asked
    named = attributes(
        type="button",
        class_="card",
        data_act="select",
        data_key=asset.id,
        data_film=f"../media/{asset.id}.mp4",
        draggable="true",
        style=f"--r:{asset.width / asset.height:.3f}",
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
    return f'<button{named}><img{image}>{badge}<span class="caption">{words}</span></button>'


def film_length(page: Page, asset: Asset) -> str:
    """That it is a film, and its length as minutes and seconds."""
    minutes, seconds = divmod(round(asset.seconds), 60)
    return f"{page.t('film')} {minutes}:{seconds:02}"


def render_panel(page: Page, visitor: Visitor, key: str) -> str:
    """One clip: player, recipe, and what can be done with it."""
    try:
        asset = page.studio.asset(visitor, key)
    except Refused as refused:
        return f'<p class="sorry" role="alert">{escape(page.say(*refused.notices))}</p>'
    close = button(page.t("close"), "close", symbol="close", look="bare", quiet=True, id_="panel_close")
    link = attributes(href=f"../media/{asset.id}.mp4?download=1", class_="btn raised", download=True)
    does = f"<a{link}>{icon('download')}<span>{escape(page.t('download'))}</span></a>"
    if asset.kind == "clip":
        does += button(page.t("use_recipe"), "use", key=asset.id, symbol="recipe", id_="use_recipe")
    if asset.plan is not None:
        key = f"{asset.plan.story_id} {asset.job_id}"
        does += button(page.t("open_story"), "to_story", key=key, symbol="film", id_="open_the_story")
    does += button(page.t("verify"), "verify", key=asset.id, symbol="shield", look="bare", quiet=True)
    does += button(page.t("copy_link"), "copy", key=asset.job_id, symbol="link", look="bare", quiet=True)
    if may_change(visitor, asset.owner):
        ask = page.t("delete_confirm")
        does += button(
            page.t("delete"), "delete", key=asset.id, symbol="trash", confirm=ask, loses=True, id_="delete"
        )
    about = [page.ago(asset.created), str(asset.size)]
    about.append(
        film_length(page, asset) if asset.request is None else page.t("seed_is", seed=asset.request.seed)
    )
    shape = attributes(class_="panel", data_asset=asset.id, style=f"--ratio:{asset.width}/{asset.height}")
    asked = f'<blockquote class="asked">{escape(asset.asked)}</blockquote>'
    return (
        f"<aside{shape}><header>{facts(about)}{close}</header>{stage.player(page, asset, id_='panel_player')}"
        f"{withheld.badge(page, asset)}"
        f'{asked}<div class="actions">{does}</div>{recipe(page, stage.recipe_rows(page, asset), opened=True)}'
        "</aside>"
    )
