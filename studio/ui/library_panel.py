"""One clip of the library, beside the wall: player, recipe, tags, project, and where it can go from here."""

from html import escape

from studio.access import Visitor, may_change
from studio.core import Refused
from studio.library import Asset
from studio.library.shelves import TRASH_DAYS
from studio.ui import edits, library_kin, share, stage, withheld
from studio.ui.context import Page
from studio.ui.markup import attributes, button, facts, icon, recipe


def film_length(page: Page, asset: Asset) -> str:
    """That it is a film, and its length as minutes and seconds."""
    minutes, seconds = divmod(round(asset.seconds), 60)
    return f"{page.t('film')} {minutes}:{seconds:02}"


def render(page: Page, visitor: Visitor, key: str) -> str:
    """The panel; empty for no clip, a sentence for one that is not here (any more)."""
    if not key:
        return ""
    try:
        asset = page.studio.asset(visitor, key)
    except Refused as refused:
        away = _away(page)
        sorry = f'<p class="sorry" role="alert">{escape(page.say(*refused.notices))}</p>'
        return f'<aside class="panel"><header><span></span>{away}</header>{sorry}</aside>'
    mine = may_change(visitor, asset.owner)
    about = [page.ago(asset.created), str(asset.size)]
    about.append(
        film_length(page, asset) if asset.request is None else page.t("seed_is", seed=asset.request.seed)
    )
    shape = attributes(class_="panel", data_asset=asset.id, style=f"--ratio:{asset.width}/{asset.height}")
    asked = f'<blockquote class="asked">{escape(asset.asked)}</blockquote>'
    binned = ""
    if asset.trashed is not None:
        binned = f'<p class="note">{escape(page.t("in_trash", count=TRASH_DAYS))}</p>'
    return (
        f"<aside{shape}><header>{facts(about)}{_away(page)}</header>"
        f"{stage.player(page, asset, id_='panel_player')}{withheld.badge(page, asset)}{binned}{asked}"
        f'<div class="actions">{_does(page, visitor, asset, mine=mine)}</div>{edits.line(page, asset)}'
        f"{share.said(f'asset {asset.id}') if mine else ''}{_place(page, visitor, asset, mine=mine)}"
        f"{recipe(page, stage.recipe_rows(page, asset), opened=True)}"
        f"{library_kin.render(page, visitor, asset)}</aside>"
    )


def _away(page: Page) -> str:
    return button(
        page.t("close"), "library", key="close", symbol="close", look="bare", quiet=True, id_="panel_close"
    )


def _does(page: Page, visitor: Visitor, asset: Asset, *, mine: bool) -> str:
    """Where the clip can go from here."""
    if asset.trashed is not None:
        back = button(page.t("restore"), "library", key=f"restore {asset.id}", symbol="again", look="raised")
        return back + button(
            page.t("delete"),
            "library",
            key=f"delete {asset.id}",
            symbol="trash",
            confirm=page.t("delete_confirm"),
            loses=True,
            id_="delete",
        )
    link = attributes(href=f"../media/{asset.id}.mp4?download=1", class_="btn raised", download=True)
    does = f"<a{link}>{icon('download')}<span>{escape(page.t('download'))}</span></a>"
    if asset.kind == "clip":
        does += button(
            page.t("use_recipe"), "library", key=f"use {asset.id}", symbol="recipe", id_="use_recipe"
        )
    if asset.plan is not None:
        key = f"{asset.plan.story_id} {asset.job_id}"
        does += button(page.t("open_story"), "to_story", key=key, symbol="film", id_="open_the_story")
    marked = asset.id in page.studio.shelves.favourites(visitor)
    does += button(
        page.t("favourite_off" if marked else "favourite"),
        "library",
        key=f"favour {asset.id}",
        symbol="heart",
        look="bare marked" if marked else "bare",
        quiet=True,
        id_="panel_favour",
    )
    does += button(page.t("verify"), "verify", key=asset.id, symbol="shield", look="bare", quiet=True)
    does += button(page.t("copy_link"), "copy", key=asset.job_id, symbol="link", look="bare", quiet=True)
    if mine:
        does += share.button(page, f"clips {asset.id}", look="bare", quiet=True, id_="panel_share")
        does += button(
            page.t("to_trash"),
            "library",
            key=f"trash {asset.id}",
            symbol="trash",
            look="bare",
            quiet=True,
            id_="to_trash",
        )
    return does


def _place(page: Page, visitor: Visitor, asset: Asset, *, mine: bool) -> str:
    """Its project and its tags; whoever it belongs to changes them here."""
    tags = page.studio.shelves.tags_of(asset.id)
    projects = page.studio.projects.list(visitor)
    if not mine:
        named = next((one.name for one in projects if one.id == asset.project_id), "")
        words = [*([named] if named else []), *(f"#{tag}" for tag in tags)]
        return facts(words) if words else ""
    options = "".join(
        f"<option{attributes(value=key, selected=key == (asset.project_id or ''))}>{escape(name)}</option>"
        for key, name in (("", page.t("project_none")), *((one.id, one.name) for one in projects))
    )
    chosen = attributes(id="panel_project", aria_label=page.t("project"))
    chips = "".join(_tag(page, tag) for tag in tags)
    like = attributes(
        id="panel_tag",
        type="text",
        maxlength=200,
        autocomplete="off",
        placeholder=page.t("tag_like"),
        aria_label=page.t("tag_add"),
    )
    return (
        f'<div class="filed"><label>{icon("folder")}<select{chosen}>{options}</select></label>'
        f'<form id="panel_tags" class="tags">{chips}<input{like}></form></div>'
    )


def _tag(page: Page, tag: str) -> str:
    words = page.t("tag_drop", tag=tag)
    named = attributes(
        type="button",
        class_="tag",
        data_act="library",
        data_key=f"untag {tag}",
        aria_label=words,
        title=words,
    )
    return f"<button{named}>{escape(tag)}{icon('close')}</button>"
