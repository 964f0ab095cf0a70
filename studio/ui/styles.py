"""The tab Styles: a gallery of moving covers, and beside it the one style that is looked at."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import gradio as gr

from pipelines.models import QUALITIES
from pipelines.request import MAX_PROMPT
from studio.access import Visitor
from studio.core import Refused
from studio.grids import GridPlan
from studio.style_store import MAX_BYTES, StyleView
from studio.styles import STYLES, Style
from studio.ui import compare_form, styles_edit, styles_panel
from studio.ui import form as fields
from studio.ui.context import Page
from studio.ui.create import Create
from studio.ui.markup import EVERY, area, attributes, icon, sent
from studio.words import LANGUAGES

_QUALITY = QUALITIES[1]
# What a style of one's own begins with.
_EMPTY = STYLES["none"].model_copy(update={name: dict.fromkeys(LANGUAGES, "") for name in ("title", "about")})


@dataclass(frozen=True)
class Message:
    """What styles.js says: it comes from a browser, so nothing in it is to be trusted."""

    act: str = ""
    name: str = ""
    version: int = 0
    new: bool = False
    prompt: str = ""
    text: str = ""
    model: str = ""
    values: Mapping[str, Any] | None = None
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What comes of a message: the panel, and whether the styles are others now."""

    panel: str
    others: bool = False


@dataclass(frozen=True)
class StylesTab:
    """What the page wires: `refresh` shows what styles there are now, here and on Create."""

    refresh: Callable[[gr.Request], tuple[Any, ...]]
    outputs: list[Any]


def build(page: Page, made: Create, *, quick: dict[str, Any]) -> StylesTab:
    """Gallery and panel; what is changed there shows on Create's strip, too."""
    shipped = [StyleView(style) for style in STYLES.values()]
    with gr.Row(elem_id="styles"):
        shown, panel = area(gallery(page, shipped), "styles_gallery"), area("", "styles_panel")

    def act(event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        visitor = page.visitor(request)
        found = answer(page, visitor, read(event))
        if not found.others:
            return found.panel, gr.skip(), gr.skip(), gr.skip()
        return found.panel, *shown_now(visitor)

    def refresh(request: gr.Request) -> tuple[Any, ...]:
        visitor = page.visitor(request)
        if all(view.shipped for view in page.studio.styles.list(visitor)):
            # As the page was built: nothing is drawn anew under somebody's fingers.
            return gr.skip(), gr.skip(), gr.skip()
        return shown_now(visitor)

    def shown_now(visitor: Visitor) -> tuple[Any, ...]:
        listed = page.studio.styles.list(visitor)
        return gallery(page, listed), tiles(listed), _choices(page, listed)

    outputs = [shown, made.tiles, made.form["style"]]
    # What is pressed while an answer is on its way counts, too.
    many = quick | EVERY
    for pressed in (shown, panel):
        pressed.act(act, None, [panel, *outputs], **many)
    return StylesTab(refresh, outputs)


def _choices(page: Page, listed: list[StyleView]) -> Any:
    own = [view for view in listed if not view.shipped]
    return gr.update(choices=fields.styles(page, own))


def tiles(listed: list[StyleView]) -> str:
    """The rules that give own styles' tiles on Create their pictures."""
    own = [view.style for view in listed if not view.shipped]
    rules = "".join(
        f'#style label:has(input[value="{style.name}"]){{--cover:url({styles_panel.picture(style)})}}'
        for style in own
    )
    return f"<style>{rules}</style>" if rules else ""


def read(event: object) -> Message:
    """The message of an event, made harmless."""
    data = sent(event)
    values, version, chosen = data.get("values"), data.get("version"), data.get("chosen")
    return Message(
        act=str(data.get("act", ""))[:20],
        name=str(data.get("name", ""))[:40],
        version=version if isinstance(version, int) else 0,
        new=data.get("new") is True,
        prompt=str(data.get("prompt", ""))[:MAX_PROMPT],
        text=str(data.get("text", ""))[: MAX_BYTES + 1],
        model=str(data.get("model", ""))[:40],
        values=values if isinstance(values, dict) else None,
        chosen=tuple(str(one)[:40] for one in chosen[:300]) if isinstance(chosen, list) else (),
    )


def answer(page: Page, visitor: Visitor, asked: Message) -> Answer:
    """Do what a message asks; a sentence in the panel if it can't be."""
    does: dict[str, Callable[[Page, Visitor, Message], Answer]] = {
        "open": _open,
        "new": _new,
        "edit": _edit,
        "duplicate": _duplicate,
        "save": _save,
        "delete": _delete,
        "bring": _bring,
        "try": _try,
        "start": _start,
    }
    if asked.act not in does:
        return Answer("")
    try:
        return does[asked.act](page, visitor, asked)
    except Refused as refused:
        return Answer(f'<p class="sorry" role="alert">{escape(page.say(*refused.notices))}</p>')


# -- what can be done ---------------------------------------------------------------------------------------


def _open(page: Page, visitor: Visitor, asked: Message) -> Answer:
    return Answer(styles_panel.render(page, page.studio.styles.get(visitor, asked.name), asked.prompt))


def _new(page: Page, visitor: Visitor, asked: Message) -> Answer:
    return Answer(styles_edit.render(page, _EMPTY, new=True))


def _edit(page: Page, visitor: Visitor, asked: Message) -> Answer:
    return Answer(styles_edit.render(page, page.studio.styles.get(visitor, asked.name).style, new=False))


def _duplicate(page: Page, visitor: Visitor, asked: Message) -> Answer:
    style = page.studio.styles.get(visitor, asked.name).style
    title = {one: page.t("style_copy_of", title=style.title[one])[:40] for one in LANGUAGES}
    return Answer(styles_edit.render(page, style.model_copy(update={"title": title}), new=True))


def _save(page: Page, visitor: Visitor, asked: Message) -> Answer:
    """What was typed is kept, or stays in the form with a sentence on what is wrong."""
    styles = page.studio.styles
    before = styles.find(asked.name) or _EMPTY
    words = styles_edit.words_of(page, before, asked.values or {})
    try:
        if asked.new:
            kept = styles.add(visitor, words)
        else:
            kept = styles.save(visitor, asked.name, asked.version, words)
    except Refused as refused:
        typed = styles_edit.as_typed(before, words)
        return Answer(styles_edit.render(page, typed, new=asked.new, sorry=page.say(*refused.notices)))
    told = page.t("style_saved", version=kept.style.version)
    return Answer(styles_panel.render(page, kept, asked.prompt, told=told), others=True)


def _delete(page: Page, visitor: Visitor, asked: Message) -> Answer:
    page.studio.styles.delete(visitor, asked.name)
    return Answer(f'<p class="told done" role="status">{escape(page.t("style_deleted"))}</p>', others=True)


def _bring(page: Page, visitor: Visitor, asked: Message) -> Answer:
    kept = page.studio.styles.bring(visitor, asked.text.encode("utf-8", "replace"))
    return Answer(styles_panel.render(page, kept, asked.prompt, told=page.t("style_brought")), others=True)


def _plan(asked: Message, names: tuple[str, ...]) -> GridPlan:
    return GridPlan(lines=({"prompt": asked.prompt, "quality": _QUALITY},), styles=names)


def _try(page: Page, visitor: Visitor, asked: Message, *, sorry: str = "") -> Answer:
    """Which styles, which prompt, and what it will take."""
    listed = [view.style for view in page.studio.styles.list(visitor)]
    names = tuple(style.name for style in listed if not asked.chosen or style.name in asked.chosen)
    prompt = asked.prompt.strip() or STYLES["paper-cut"].example[page.language]
    try:
        cost = page.studio.grids.estimate(visitor, _plan(replace(asked, prompt=prompt), names))
        told = page.say(cost.cannot) if cost.cannot is not None else compare_form.price(page, cost)
    except Refused as refused:
        told = page.say(*refused.notices)
    return Answer(_trying(page, listed, names, prompt, told, sorry=sorry))


def _start(page: Page, visitor: Visitor, asked: Message) -> Answer:
    """One clip a style, side by side in Compare; what was typed stays if it can't be made."""
    names = tuple(dict.fromkeys(asked.chosen)) or tuple(STYLES)
    try:
        grid = page.studio.grids.submit(visitor, _plan(asked, names))
    except Refused as refused:
        return _try(page, visitor, asked, sorry=page.say(*refused.notices))
    named = attributes(class_="told done", data_grid=grid, role="status")
    return Answer(f"<p{named}>{escape(page.t('style_trying'))}</p>")


# -- how it looks --------------------------------------------------------------------------------------------


def gallery(page: Page, listed: list[StyleView]) -> str:
    """The head with the search box, and every style as a card."""
    search = attributes(
        type="search",
        id="styles_search",
        placeholder=page.t("style_search"),
        aria_label=page.t("style_search"),
        autocomplete="off",
    )
    new = styles_panel.do(page, "style_new", "new", symbol="plus", look="raised")
    file = attributes(type="file", accept=".toml,.json", id="style_file", data_most=MAX_BYTES)
    words = escape(page.t("style_bring"))
    bring = f'<label class="btn">{icon("upload")}<span>{words}</span><input{file}></label>'
    cards = "".join(_card(page, view) for view in listed if view.style.name != "none")
    nothing = f'<p class="nothing muted" hidden>{escape(page.t("style_found_none"))}</p>'
    count = page.t("style_count", count=len(listed) - 1)
    return (
        f'<div class="head"><label class="search">{icon("search")}<input{search}></label>'
        f'<span class="muted">{escape(count)}</span><span class="grow"></span>{bring}{new}</div>'
        f'<p class="muted intro">{escape(page.t("style_intro"))}</p>'
        f'<div class="covers">{cards}</div>{nothing}'
    )


def _card(page: Page, view: StyleView) -> str:
    style = view.style
    words = " ".join([*style.title.values(), *style.about.values(), style.name]).lower()
    named = attributes(
        type="button",
        class_="card",
        data_act="styles",
        data_key=f"open {style.name}",
        data_name=style.name,
        data_words=words,
        data_version=style.version,
    )
    still = attributes(src=styles_panel.picture(style), alt="", loading="lazy", decoding="async")
    image = f"<img{still}>"
    if moves := styles_panel.moving(style):
        source = attributes(srcset=moves, media="(prefers-reduced-motion: no-preference)")
        image = f"<picture><source{source}>{image}</picture>"
    colours = "".join(f'<i style="--c:{colour}"></i>' for colour in style.palette)
    own = "" if view.shipped else f'<span class="badge">{escape(page.t("style_own"))}</span>'
    title, about = escape(style.title[page.language]), escape(style.about[page.language])
    name = f'<span class="called"><b>{title}</b><span class="dots">{colours}</span></span>'
    return f"<button{named}>{image}{own}{name}<small>{about}</small></button>"


def _trying(
    page: Page, listed: Sequence[Style], names: Collection[str], prompt: str, told: str, *, sorry: str = ""
) -> str:
    boxes = ""
    for style in listed:
        box = attributes(type="checkbox", name="chosen", value=style.name, checked=style.name in names)
        boxes += f"<label><input{box}><span>{escape(style.title[page.language])}</span></label>"
    text = attributes(name="prompt", id="style_try_prompt", rows=3, maxlength=MAX_PROMPT)
    which = escape(page.t("style_try_which"))
    start = styles_panel.do(page, "style_try_start", "start", look="primary")
    said = f'<p class="sorry" role="alert">{escape(sorry)}</p>' if sorry else ""
    return (
        '<aside class="panel style trying">'
        f"<header><h2>{escape(page.t('style_try'))}</h2>{styles_panel.close(page)}</header>{said}"
        f'<form id="style_try_form"><label class="box"><span>{escape(page.field("prompt"))}</span>'
        f"<textarea{text}>{escape(prompt)}</textarea></label>"
        f'<fieldset class="which"><legend>{which}</legend><div>{boxes}</div></fieldset></form>'
        f'<p class="muted cost" role="status">{escape(told)}</p>'
        f'<div class="actions save">{start}</div></aside>'
    )
