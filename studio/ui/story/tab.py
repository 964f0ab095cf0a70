"""The tab Story: where its areas stand, and which event fills which of them."""

import time
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
from gradio.events import Dependency

from studio.ui.context import Page
from studio.ui.markup import EVERY, attributes, icon
from studio.ui.story.desk import StoryDesk
from studio.ui.story.following import StoryFollower

AREAS = ("head", "line", "board", "bar", "stage", "films")

# How an area hands its HTML to story.js, which puts it in place without disturbing who types in it.
_MOUNT = (
    "(function mount() { window.story ? story.mount(element, props, watch, (data) => trigger('act', data)) "
    ": setTimeout(mount, 30) })()"
)


@dataclass(frozen=True)
class StoryTab:
    """What other tabs need of this one: `asked` carries a story's id that shall be opened."""

    asked: gr.Textbox
    followed: Dependency


def build(page: Page, *, quick: dict[str, Any]) -> StoryTab:
    """Lay out the tab and wire its events."""
    areas: dict[str, gr.HTML] = {}
    with gr.Column(elem_id="story"):
        areas["head"] = _area("story_head")
        areas["line"] = _area("story_line")
        with gr.Column(elem_id="story_work"):
            with gr.Column(elem_id="story_left"):
                areas["board"] = _area("story_board")
                areas["bar"] = _area("story_bar")
            with gr.Column(elem_id="story_right"):
                areas["stage"] = _area("story_stage")
                areas["films"] = _area("story_films")
    live, ack = _area("story_live", "offstage"), _area("story_ack", "offstage")
    box = gr.Textbox("", elem_id="story_box", elem_classes="offstage", label="story", show_label=False)
    asked = gr.Textbox("", elem_id="story_asked", elem_classes="offstage", label="story", show_label=False)
    desk, follower = StoryDesk(page), StoryFollower(page)

    def act(event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        found = desk.act(event, request)
        told = {areas[name]: found[name] for name in AREAS} | {ack: found["ack"]}
        return told | ({box: _follow(found)} if found["follow"] else {})

    outputs = [*areas.values(), ack, box]
    # Two edits may be under way at once: story.js puts them in order.
    many = quick | EVERY
    for pressed in (*areas.values(), ack):
        pressed.act(act, None, outputs, **many)
    followed = box.change(
        follower.follow,
        box,
        [areas["stage"], live],
        concurrency_limit=None,
        trigger_mode="multiple",
        show_progress="hidden",
        api_visibility="private",
    )
    asked.change(None, asked, None, js="(wanted) => story.wanted(wanted)")
    return StoryTab(asked=asked, followed=followed)


def notes(page: Page) -> str:
    """What the tab says at the foot of the page: refusals, and what can be taken back."""
    silent = attributes(id="story_told", role="alert", hidden=True, data_silent=page.t("story_silent"))
    back = f'<button type="button" class="btn raised">{escape(page.t("story_undo"))}</button>'
    named = attributes(id="story_meanwhile", role="alert", hidden=True, data_yours=page.t("story_yours"))
    shut = attributes(type="button", class_="btn bare", title=page.t("close"), aria_label=page.t("close"))
    other = f"<div{named}><div></div><button{shut}>{icon('close')}</button></div>"
    return f'<div{silent}></div>{other}<div id="story_undo" role="status" hidden><span></span>{back}</div>'


def _follow(found: dict[str, Any]) -> str:
    return f"{found['story']} {found['film'] or '~'} {time.time():.3f}" if found["story"] else ""


def _area(elem_id: str, classes: str | None = None) -> gr.HTML:
    """An area whose HTML story.js puts in place: Gradio itself renders nothing there."""
    return gr.HTML(
        "",
        elem_id=elem_id,
        elem_classes=classes,
        html_template="",
        js_on_load=_MOUNT,
        apply_default_css=False,
    )
