"""The page: frame, tabs, and what one tab does to another.

Element ids that tests and styles may rely on (a gr.Textbox's own field is `#id textarea` or `#id input`):
prompt, examples, style, size, length, quality, seed, dice, model, advanced (an accordion; inside: negative_prompt,
num_inference_steps, guidance_scale, guidance_scale_2, flow_shift, num_frames), drop_mp4 (its `input[type=file]`),
notice, price, generate, stage (its `section[data-state]` is empty, queued, running, done, failed, cancelled or
unknown, with `data-job` and `data-mine`), preview (the running picture), player, cancel, retry, download, again,
copy_link, takes, tab_create-button, tab_queue-button, tab_library-button, queue_list (`li.row[data-state]`), pause,
pill, library_grid (`button.card`), library_more, library_panel, panel_player, use_recipe, delete, language,
light_dark, confirm (a dialog) with confirm_yes and confirm_no, keys (a dialog).
"""

from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component

from studio.core import Refused, Studio
from studio.ui import create, library, queue
from studio.ui.context import Page
from studio.ui.markup import acted, attributes, icon
from studio.words import Language

PILL_SECONDS = 4.0


def build(studio: Studio, language: Language) -> gr.Blocks:
    """The whole page in one language; how it looks is given where it is mounted (`theme.mount_options`)."""
    page = Page(studio=studio, language=language)
    quick = create.QUICK
    with gr.Blocks(title=page.t("title"), analytics_enabled=False, fill_width=True) as blocks:
        bar = gr.HTML(_bar(page, admin=False), elem_id="bar")
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab(page.t("tab_create"), id="create", elem_id="tab_create") as tab_create:
                made = create.build(page)
            with gr.Tab(page.t("tab_queue"), id="queue", elem_id="tab_queue") as tab_queue:
                rows, ticking = queue.build(page, quick=quick)
            with gr.Tab(page.t("tab_library"), id="library", elem_id="tab_library") as tab_library:
                kept = library.build(page, quick=quick)
        pill = gr.HTML("", elem_id="pill")
        gr.HTML(_dialogs(page), elem_id="dialogs")
        often = gr.Timer(PILL_SECONDS)

        def show_pill(request: gr.Request) -> str:
            return queue.pill(page, page.visitor(request))

        def show_bar(request: gr.Request) -> str:
            return _bar(page, admin=page.visitor(request).admin)

        def show_queue(request: gr.Request) -> tuple[str, Any]:
            return queue.render(page, page.visitor(request)), gr.Timer(active=True)

        def show_library(limit: int, request: gr.Request) -> tuple[str, Any]:
            return library.render(page, page.visitor(request), limit=limit), gr.Timer(active=False)

        def rest() -> Any:
            return gr.Timer(active=False)

        often.tick(show_pill, None, pill, **quick)
        tab_queue.select(show_queue, None, [rows, ticking], **quick)
        tab_library.select(show_library, kept.limit, [kept.grid, ticking], **quick)
        tab_create.select(rest, None, ticking, **quick)
        _cross_tabs(page, tabs, made, rows, kept)
        blocks.load(show_bar, None, bar, **quick)
        blocks.load(show_pill, None, pill, **quick)
        blocks.load(made.desk.price, None, made.price, inputs_kwargs=made.form, **quick)
        blocks.load(None, None, made.job, js="() => studio.asked()")
    return blocks


def _cross_tabs(
    page: Page, tabs: gr.Tabs, made: create.Create, rows: Component, kept: library.LibraryTab
) -> None:
    """A row of the queue opens on the stage; a recipe of the library fills the form."""

    def use(asset_id: str, request: gr.Request) -> dict[Any, Any]:
        try:
            asset = page.studio.asset(page.visitor(request), asset_id.partition(" ")[0])
        except Refused:
            return {made.notice: gr.skip()}
        return made.by_component(made.desk.fill(asset.form)) | {tabs: gr.Tabs(selected="create")}

    def open_row(event: gr.EventData) -> dict[Any, Any]:
        what, key = acted(event)
        return {made.job: key, tabs: gr.Tabs(selected="create")} if what == "open" else {made.job: gr.skip()}

    rows.act(open_row, None, [made.job, tabs], **create.QUICK)  # type: ignore[attr-defined]
    kept.used.change(use, kept.used, [*made.outputs(), made.notice, tabs], **create.QUICK)


def _bar(page: Page, *, admin: bool) -> str:
    other = "en" if page.language == "zh" else "zh"
    language = attributes(
        href=f"/lang/{other}",
        id="language",
        class_="btn bare",
        lang="en" if other == "en" else "zh-CN",
        hreflang=other,
        data_next=f"/{other}/",
    )
    name = "English" if other == "en" else "中文"
    theme = attributes(
        type="button",
        id="light_dark",
        class_="btn bare",
        data_local="theme",
        title=page.t("light_dark"),
        aria_label=page.t("light_dark"),
    )
    keys = attributes(
        type="button",
        class_="btn bare wide-only",
        data_local="keys",
        title=page.t("keys"),
        aria_label=page.t("keys"),
    )
    door = (
        ""
        if admin
        else f'<a class="btn bare" href="/admin" title="{escape(page.t("admin"))}">{icon("key")}</a>'
    )
    return (
        f'<header class="topbar"><a class="name" href="/">{escape(page.t("title"))}</a><span class="grow"></span>'
        f"{door}<button{keys}>{icon('keys')}</button><a{language}>{escape(name)}</a>"
        f"<button{theme}>{icon('theme')}</button></header>"
    )


def _dialogs(page: Page) -> str:
    rows = "".join(
        f"<dt>{escape(keys)}</dt><dd>{escape(page.t(name))}</dd>"
        for keys, name in (
            ("⌘ / Ctrl + ⏎", "key_generate"),
            ("Esc", "key_cancel"),
            ("Space", "key_play"),
            ("← →", "key_frame"),
            ("/", "key_prompt"),
            ("?", "key_keys"),
        )
    )
    yes, no, close = (escape(page.t(key)) for key in ("yes", "no", "close"))
    return (
        f'<dialog id="confirm" data-lang="{page.language}"><p></p><p class="muted"></p><form method="dialog" class="actions">'
        f'<button class="btn" value="no" id="confirm_no">{no}</button>'
        f'<button class="btn danger" value="yes" id="confirm_yes">{yes}</button></form></dialog>'
        f'<dialog id="keys"><h2>{escape(page.t("keys"))}</h2><dl>{rows}</dl>'
        f'<form method="dialog" class="actions"><button class="btn">{close}</button></form></dialog>'
        f'<div id="line" role="status" hidden>{escape(page.t("reconnecting"))}</div>'
        f'<div id="dropping" aria-hidden="true" hidden>{escape(page.t("dropping"))}</div>'
        f'<div id="copied" role="status" hidden>{escape(page.t("copied"))}</div>'
    )
