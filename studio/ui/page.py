"""The page: frame, tabs, and what one tab does to another.

Element ids that tests and styles may rely on. A gr.Textbox's own field is `#id textarea` or `#id input`.
- form: prompt, examples, style, size, length, quality, seed, dice, model, advanced (an accordion; inside:
  negative_prompt, num_inference_steps, guidance_scale, guidance_scale_2, flow_shift, num_frames),
  drop_mp4 (`#drop_mp4 input[type=file]`), notice, price, generate
- stage: its `section` has data-state (empty, held, queued, running, done, draft, blocked, rejected, failed,
  cancelled, unknown), data-job and data-mine; inside:
  preview (the running picture), player, cancel, retry, download, again,
  copy_link, use, edit_words
- below the stage: takes
- tabs: tab_create-button, tab_queue-button, tab_library-button
- queue: queue_list (`li.row[data-state][data-job]`), pause
- library: library_search, library_sort, library_count, library_grid (`#library_wall .tile[data-key]` with
  `.card`, `.tick` and `.heart`), library_side (`.place`, `.narrower[data-key]`), library_bulk, library_panel,
  panel_player, panel_close, panel_project, panel_tag, use_recipe, to_trash, delete
- story: story_text, story_split, story_import, story_blank (`.try[data-key]` an example, `.stories .open` a
  story) on the first screen; story_title, story_saved[own-state], story_home, story_delete above; the line's
  `.slice[data-shot]`; cards `.shot[data-shot][data-state]` with `textarea.text`; sections story_to_shots,
  story_to_cast, story_to_film, story_to_text; story_animatic, story_film, story_approve_all;
  `#story_stage section[data-state]` with story_player, story_cancel, story_retry, story_download
- compare: compare_prompts, compare_csv, compare_start; `#compare_form_in [name=styles]`; `#compare_room
  .grid-of[data-grid][data-live]`, `.cmp-cell[data-state][data-number]`, compare_vote, compare_export,
  compare_cancel, compare_exported, compare_back, compare_try; `#compare_stage` with compare_player (a
  synced-player); vote_left, vote_tie, vote_right, vote_skip, vote_results, vote_end, votes_csv
- review (admins only): `.review[data-section][data-current]`, review_look, review_past, review_rules;
  review_player, review_comment, review_name, review_approve, review_reject, review_quarantine; rules_form,
  rules_reason, rules_list, rules_save, ledger_check; elsewhere to_review; below the prompt trouble
- styles: styles_search, style_new, style_file, `#styles_gallery .card[data-name]`,
  `#styles_panel .panel[data-name]`, style_use, style_try, style_edit, style_duplicate, style_export,
  style_delete, style_close; `#style_form [name]`, style_save; style_try_prompt, style_try_start; on Create
  final_prompt
- share (a dialog, from a story's menu, a grid, a clip): share_form, share_make, share_made, share_links,
  share_told, share_room; beside shots and clips `.reviewed[data-room][data-item]`
- styles: styles_search, style_new, style_file, `#styles_gallery .card[data-name]`,
  `#styles_panel .panel[data-name]`, style_use, style_try, style_edit, style_duplicate, style_export,
  style_delete, style_close; `#style_form [name]`, style_save; style_try_prompt, style_try_start; on Create
  final_prompt
- edits, below a finished clip on the stage and in the library's panel: `.edits[data-asset]` with
  `input[name=wish]`, `.edit-told`; edit_make, edit_drop, edit_player, edit_open, edit_undo
- models: `.model-card[data-name][data-state]` (shipped, installed, linked, cached, broken, partial,
  missing, busy), `.fetching[data-name]`, `.lora[data-name]`, `#lora_form [name]`; buttons by
  `[data-key="download NAME"]` (verify, stop, delete, link), add_lora; elsewhere `[data-act=to_models]`
- verify: `#drop_verify input[type=file]`, `#verify_told section[data-answer]` (certain, candidates, none,
  failed), `.clue[data-part][data-sign]`, `.kin .one`; elsewhere to_verify
- frame: pill, language, light_dark, confirm (a dialog) with confirm_yes and confirm_no, keys (a dialog)
"""

import time
from html import escape
from typing import Any

import gradio as gr

from pipelines.request import Notice
from studio.access import Visitor
from studio.core import Refused, Studio
from studio.ui import (
    compare,
    create,
    edits,
    library,
    models,
    project_choice,
    queue,
    review,
    share,
    styles,
    verify,
)
from studio.ui.context import Page
from studio.ui.markup import EVERY, acted, area, attributes, icon
from studio.ui.story import tab as story
from studio.words import Language

PILL_SECONDS = 4.0


def build(studio: Studio, language: Language) -> gr.Blocks:
    """The whole page in one language; how it looks is given where it is mounted (`theme.mount_options`)."""
    page = Page(studio=studio, language=language)
    quick = create.QUICK
    blocks = gr.Blocks(title=page.t("title"), analytics_enabled=False, fill_width=True)
    with blocks:
        bar = area(_bar(page), "bar")
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab(page.t("tab_create"), id="create", elem_id="tab_create") as tab_create:
                made, followed = create.build(page)
            with gr.Tab(page.t("tab_story"), id="story", elem_id="tab_story") as tab_story:
                told = story.build(page, quick=quick)
            with gr.Tab(page.t("tab_compare"), id="compare", elem_id="tab_compare") as tab_compare:
                compare.build(page, quick=quick)
            with gr.Tab(page.t("tab_styles"), id="styles", elem_id="tab_styles") as tab_styles:
                looks = styles.build(page, made, quick=quick)
            with gr.Tab(page.t("tab_library"), id="library", elem_id="tab_library") as tab_library:
                kept = library.build(page, quick=quick)
            with gr.Tab(page.t("tab_queue"), id="queue", elem_id="tab_queue") as tab_queue:
                rows, ticking = queue.build(page, quick=quick)
            with gr.Tab(page.t("tab_review"), id="review", elem_id="tab_review") as tab_review:
                review.build(page, quick=quick)
            with gr.Tab(page.t("tab_models"), id="models", elem_id="tab_models") as tab_models:
                models.build(page, quick=quick)
            with gr.Tab(page.t("tab_verify"), id="verify", elem_id="tab_verify") as tab_verify:
                verify.build(page, quick=quick)
        edits.build(page, quick=quick)
        area(_dialogs(page) + share.dialog(page), "dialogs")
        often = gr.Timer(PILL_SECONDS)

        def show_bar(request: gr.Request) -> str:
            return _bar(page, page.visitor(request))

        def show_queue(request: gr.Request) -> tuple[str, Any]:
            return queue.render(page, page.visitor(request)), gr.Timer(active=True)

        def show_projects(request: gr.Request) -> str:
            return project_choice.render(page, page.visitor(request))

        def show_models(model: Any) -> dict[Any, Any]:
            return made.by_component(made.desk.models_now(model))

        def rest() -> Any:
            return gr.Timer(active=False)

        gr.on([blocks.load, often.tick, made.job.change], show_bar, None, bar, **quick)
        followed.then(show_bar, None, bar, **quick)
        tab_queue.select(show_queue, None, [rows, ticking], **quick)
        gr.on(
            [
                tab_create.select,
                tab_story.select,
                tab_compare.select,
                tab_library.select,
                tab_models.select,
                tab_verify.select,
                tab_review.select,
            ],
            rest,
            None,
            ticking,
            **quick,
        )
        tab_styles.select(rest, None, ticking, **quick)
        gr.on([blocks.load, tab_styles.select], looks.refresh, None, looks.outputs, **quick)
        tab_review.select(None, None, None, js="() => review.opened()")
        tab_models.select(None, None, None, js="() => models.opened()")
        tab_compare.select(None, None, None, js="() => compare.opened()")
        tab_library.select(None, None, None, js="() => library.opened()")
        told.followed.then(show_bar, None, bar, **quick)
        _cross_tabs(page, tabs, made, told, rows, kept)
        shown = [made.form["model"], made.model_note]
        gr.on([blocks.load, tab_create.select], show_models, made.form["model"], shown, **create.RAW)
        tab_create.select(made.desk.price, None, made.price, inputs_kwargs={**made.form}, **create.RAW)
        gr.on([blocks.load, tab_create.select], show_projects, None, made.filing, **quick)
        blocks.load(made.desk.price, None, made.price, inputs_kwargs={**made.form}, **create.RAW)
        blocks.load(None, None, made.job, js="() => studio.asked()")
    return blocks


def _cross_tabs(
    page: Page,
    tabs: gr.Tabs,
    made: create.Create,
    told: story.StoryTab,
    rows: gr.HTML,
    kept: library.LibraryTab,
) -> None:
    """A row of the queue opens on the stage, a film in its story; a recipe of the library fills the form."""

    def use(asset_id: str, request: gr.Request) -> dict[Any, Any]:
        try:
            asset = page.studio.asset(page.visitor(request), asset_id.partition(" ")[0])
        except Refused:
            return {made.notice: gr.skip()}
        return made.by_component(made.desk.fill(asset.form)) | {tabs: gr.Tabs(selected="create")}

    def open_row(event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        what, key = acted(event)
        if what != "open":
            return {made.job: gr.skip()}
        if found := _story_of(page, page.visitor(request), key):
            return {told.asked: f"{found} {key} {time.time():.3f}", tabs: gr.Tabs(selected="story")}
        return {made.job: key, tabs: gr.Tabs(selected="create")}

    kept.used.change(use, kept.used, [*made.outputs(), made.notice, tabs], **create.QUICK)
    rows.act(open_row, None, [made.job, told.asked, tabs], **create.QUICK | EVERY)


def _story_of(page: Page, visitor: Visitor, job_id: str) -> str:
    """The story that a film's job is of, while it is there; empty for everything else."""
    try:
        plan = page.studio.job(visitor, job_id).job.plan
        return page.studio.stories.get(visitor, plan.story_id).id if plan is not None else ""
    except Refused:
        return ""


def _bar(page: Page, visitor: Visitor | None = None) -> str:
    """The top bar; before anybody is known it has no queue and no door for admins."""
    pill, door, waiting = "", "", None
    if visitor is not None:
        waiting = page.studio.reviews.count() if visitor.admin else None
        pill = queue.pill(page)
        named = attributes(
            href=f"../admin?next=/{page.language}/",
            class_="btn bare",
            title=page.t("admin"),
            aria_label=page.t("admin"),
        )
        door = "" if visitor.admin else f"<a{named}>{icon('key')}</a>"
    other = "en" if page.language == "zh" else "zh"
    spoken = "zh-CN" if page.language == "zh" else "en"
    lang = "en" if other == "en" else "zh-CN"
    language = attributes(
        href=f"../lang/{other}",
        id="language",
        class_="btn bare",
        lang=lang,
        hreflang=lang,
        data_next=f"/{other}/",
    )
    looks = _local(page.t("keys"), "show_keys", "keys", "wide-only")
    looks += _local(page.t("light_dark"), "light_dark", "theme")
    # Gradio's own button for tabs that have no room, which it names in English.
    more = page.t("more_tabs")
    name = f'<a class="name" href="./"><span>{escape(page.t("title"))}</span></a>'
    return (
        f'<header class="topbar"{attributes(data_lang=spoken, data_waiting=waiting, data_more=more)}>{name}'
        f'<span class="grow"></span>'
        f'<span id="pill">{pill}</span>'
        f"<a{language}>{'English' if other == 'en' else '中文'}</a>{looks}{door}</header>"
    )


def _local(text: str, id_: str, act: str, look: str = "") -> str:
    """A button of the bar that studio.js answers by itself."""
    named = attributes(
        type="button", id=id_, class_=f"btn bare {look}".strip(), data_local=act, title=text, aria_label=text
    )
    return f"<button{named}>{icon(act)}</button>"


def _dialogs(page: Page) -> str:
    rows = "".join(
        f"<dt><kbd>{escape(keys)}</kbd></dt><dd>{escape(page.t(name))}</dd>"
        for keys, name in (
            ("⌘ / Ctrl + ⏎", "key_generate"),
            ("↑ ↓", "key_cards"),
            ("Alt + ↑ ↓", "key_move"),
            ("Esc", "key_cancel"),
            ("Space", "key_play"),
            ("← →", "key_frame"),
            ("1 – 4", "key_take"),
            ("A", "key_approve"),
            ("R", "key_reject"),
            ("/", "key_prompt"),
            ("?", "key_keys"),
        )
    )
    broken = escape(page.say(Notice("generic")))
    texts = {
        key: escape(page.t(key))
        for key in ("yes", "no", "close", "keys", "reconnecting", "dropping", "copied", "unsent")
    }
    return (
        """<dialog id="confirm" aria-labelledby="confirm_title"><p id="confirm_title"></p>
<p class="muted"></p><form method="dialog" class="actions">
<button class="btn" value="no" id="confirm_no">{no}</button>
<button class="btn primary" value="yes" id="confirm_yes">{yes}</button></form></dialog>
<dialog id="keys" aria-label="{keys}"><p>{keys}</p><dl>{rows}</dl>
<form method="dialog" class="actions"><button class="btn raised">{close}</button></form></dialog>
<div id="line" role="status" hidden>{reconnecting}</div><div id="copied" role="status" hidden>{copied}</div>
<div id="unsent" role="alert" hidden>{unsent}</div><div id="broken" role="alert" hidden>{broken}</div>
<div id="dropping" aria-hidden="true" hidden>{dropping}</div>""".format(rows=rows, broken=broken, **texts)
        + story.notes(page)
    )
