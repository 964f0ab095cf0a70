"""Pieces of HTML that several tabs share. Whatever came from a person is escaped here or by who calls."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import gradio as gr

from studio.ui.context import Page

# 20×20 outlines, drawn in the text's colour.
ICONS = {
    "play": '<path class="when-paused" d="M6 4l10 6-10 6z" fill="currentColor" stroke="none"/>'
    '<path class="when-playing" d="M6 4h3v12H6zM11 4h3v12h-3z" fill="currentColor" stroke="none"/>',
    "back": '<path d="M12 4L6 10l6 6"/>',
    "next": '<path d="M8 4l6 6-6 6"/>',
    "full": '<path d="M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4"/>',
    "download": '<path d="M10 3v9m0 0l-4-4m4 4l4-4M4 16h12"/>',
    "again": '<path d="M15.5 7A6.3 6.3 0 1 0 16.3 11M16 3v4h-4"/>',
    "link": '<path d="M8 12l4-4M7 9l-2 2a2.8 2.8 0 0 0 4 4l2-2M13 11l2-2a2.8 2.8 0 0 0-4-4L9 7"/>',
    "share": '<path d="M7 8.5H5v8h10v-8h-2M10 12V3m0 0L7 6m3-3l3 3"/>',
    "stop": '<rect x="5.5" y="5.5" width="9" height="9" rx="1.5"/>',
    "trash": '<path d="M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6"/>',
    "front": '<path d="M10 16V6m0 0L6 10m4-4l4 4M5 3h10"/>',
    "close": '<path d="M5 5l10 10M15 5L5 15"/>',
    "recipe": '<path d="M5 3h7l3 3v11H5zM8 9h4M8 12h4"/>',
    "film": '<rect x="3" y="4" width="14" height="12" rx="1.5"/>'
    '<path d="M7 4v12M13 4v12M3 8h4M3 12h4M13 8h4M13 12h4"/>',
    "eye": '<path d="M2.5 10S5.5 4.8 10 4.8 17.5 10 17.5 10 14.5 15.2 10 15.2 2.5 10 2.5 10z"/>'
    '<circle cx="10" cy="10" r="2.4"/>',
    "shield": '<path d="M10 2.8l6 2.2v4.6c0 3.6-2.4 6.3-6 7.6-3.6-1.3-6-4-6-7.6V5zM7.5 10h5"/>',
    "plus": '<path d="M10 4v12M4 10h12"/>',
    "up": '<path d="M10 16V5m0 0L5.5 9.5M10 5l4.5 4.5"/>',
    "lower": '<path d="M10 4v11m0 0l-4.5-4.5M10 15l4.5-4.5"/>',
    "down": '<path d="M5 8l5 5 5-5"/>',
    "split": '<path d="M3 6h5M3 10h3M3 14h5M12 6h5M14 10h3M12 14h5M10 3v14" />',
    "merge": '<path d="M4 4l6 5 6-5M10 9v8M6.5 13.5L10 17l3.5-3.5"/>',
    "grip": '<path d="M7.5 5h.01M12.5 5h.01M7.5 10h.01M12.5 10h.01M7.5 15h.01M12.5 15h.01" '
    'stroke-width="2.2"/>',
    "check": '<path d="M4.5 10.5l3.5 3.5 7.5-8"/>',
    "pen": '<path d="M4 16l1-4 8-8 3 3-8 8zM11.5 5.5l3 3"/>',
    "sound": '<path d="M4 8v4h3l4 3V5L7 8z"/>'
    '<path d="M13.5 7.5a3.5 3.5 0 0 1 0 5M15.5 5.5a6.3 6.3 0 0 1 0 9"/>',
    "upload": '<path d="M10 13V4m0 0L6 8m4-4l4 4M4 16h12"/>',
    "copy": '<rect x="7" y="7" width="9" height="9" rx="1.5"/><path d="M13 7V4H4v9h3"/>',
    "print": '<path d="M6 8V3h8v5M6 14H4V8h12v6h-2M6 12h8v5H6z"/>',
    "more": '<path d="M5 10h.01M10 10h.01M15 10h.01" stroke-width="2.2"/>',
    "table": '<rect x="3.5" y="4.5" width="13" height="11" rx="1.5"/><path d="M3.5 8.5h13M8 8.5v7"/>',
    "info": '<path d="M10 9v5M10 6h.01" stroke-width="2"/>',
    "alert": '<path d="M10 5v6M10 14h.01" stroke-width="2"/>',
    "minus": '<path d="M6 10h8"/>',
    "search": '<circle cx="9" cy="9" r="5"/><path d="M13 13l4 4"/>',
    "heart": '<path d="M10 16S3.5 12.2 3.5 7.6A3.4 3.4 0 0 1 10 6.2a3.4 3.4 0 0 1 6.5 1.4C16.5 12.2 10 16 '
    '10 16z"/>',
    "tag": '<path d="M3.5 4h6l7 7-5.5 5.5-7.5-7zM7 7.5h.01"/>',
    "folder": '<path d="M3 5.5h5l1.5 2H17v8H3z"/>',
    "theme": '<circle cx="10" cy="10" r="6"/><path d="M10 4a6 6 0 0 1 0 12z" fill="currentColor"/>',
    "key": '<circle cx="7" cy="10" r="3"/><path d="M10 10h7M14.5 10v3"/>',
    "keys": '<rect x="2.5" y="5" width="15" height="10" rx="1.5"/>'
    '<path d="M6 8h.01M9 8h.01M12 8h.01M15 8h-.01M6.5 12h7"/>',
}
# How a gr.HTML hands the clicks on its buttons to Python: as the event `act`, with what the button carries.
_ACT = (
    "(function able() { window.studio ? studio.able(element, (data) => trigger('act', data)) "
    ": setTimeout(able, 30) })()"
)
# Gradio drops what is pressed while the answer to the same event is on its way; here every press counts.
EVERY: dict[str, Any] = {"trigger_mode": "multiple"}


def area(value: str, elem_id: str) -> gr.HTML:
    """A place on the page for HTML of ours, without Gradio's own text styles."""
    return gr.HTML(value, elem_id=elem_id, js_on_load=_ACT, apply_default_css=False)


def sent(event: object) -> Mapping[str, Any]:
    """What came with an event of an area; it comes from a browser, so all of it may be anything."""
    data = getattr(event, "_data", None)
    return data if isinstance(data, dict) else {}


def turn_in(data: Mapping[str, Any]) -> int:
    """Whose turn a message is, as turns.js counts them; 0: it waits for no answer."""
    turn = data.get("turn")
    return turn if isinstance(turn, int) else 0


def turn_of(turn: int) -> str | None:
    """What tells turns.js that a message is answered."""
    return f'<i data-turn="{turn}"></i>' if turn else None


def in_turn(event: gr.EventData, answer: str) -> str:
    """The answer of an area whose messages wait for each other, with whose turn it was."""
    return answer + (turn_of(turn_in(sent(event))) or "")


def icon(name: str) -> str:
    """A small outline that says nothing to a screen reader: the words beside it do."""
    return (
        '<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" '
        f'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">{ICONS[name]}</svg>'
    )


def attributes(**values: object) -> str:
    """Attributes of a tag, escaped; None and False are left out, True stands alone, `_` becomes `-`."""
    parts = []
    for name, value in values.items():
        name = name.rstrip("_").replace("_", "-")
        if value is True:
            parts.append(f" {name}")
        elif value is not None and value is not False:
            parts.append(f' {name}="{escape(str(value))}"')
    return "".join(parts)


def button(
    text: str,
    act: str,
    *,
    key: str = "",
    symbol: str = "",
    look: str = "",
    confirm: str = "",
    loses: bool = False,
    id_: str | None = None,
    quiet: bool = False,
) -> str:
    """A button that studio.js hands to Python as the event `act` with `key`; with `confirm` it asks once.

    `loses`: something is gone for good afterwards, so the answer yes is red.
    `quiet` shows the symbol only and keeps the words for screen readers and the tooltip.
    """
    inside = (icon(symbol) if symbol else "") + ("" if quiet else f"<span>{escape(text)}</span>")
    named = attributes(
        id=id_,
        class_=f"btn {look}".strip(),
        data_act=act,
        data_key=key or None,
        data_confirm=confirm or None,
        data_loses=loses,
        aria_label=text if quiet else None,
        title=text if quiet else None,
    )
    return f'<button type="button"{named}>{inside}</button>'


def facts(parts: Iterable[str]) -> str:
    """A line of short facts with quiet dots between them."""
    return '<p class="facts">' + "".join(f"<span>{escape(part)}</span>" for part in parts if part) + "</p>"


def recipe(page: Page, rows: Iterable[tuple[str, object]], *, does: str = "", opened: bool = False) -> str:
    """All that is needed to make a clip again, as a list that opens in place; `does`: buttons below."""
    body = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in rows
        if value not in (None, "")
    )
    named = attributes(class_="recipe", open=opened)
    return (
        f"<details{named}><summary>{escape(page.t('recipe_title'))}</summary><dl>{body}</dl>{does}</details>"
    )


def acted(event: object) -> tuple[str, str]:
    """What a button of a gr.HTML asks for and on what; it comes from a browser, so both may be anything."""
    data = sent(event)
    return str(data.get("act", ""))[:40], str(data.get("key", ""))[:80]
