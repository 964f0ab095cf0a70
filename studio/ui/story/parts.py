"""The controls of the tab Story. Each says which edit its value goes to; story.js sends it as it is typed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from studio.ui.markup import attributes, icon

As = Literal["text", "whole", "number", "switch", "list", "choice"]
Choices = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class To:
    """The edit that a control's value goes to, and the values that go with it."""

    edit: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def named(self, name: str, as_: As = "text", *, late: bool = False) -> str:
        """The attributes of a control whose value is `name` of that edit; `late`: sent when it is left."""
        return attributes(
            data_edit=self.edit,
            data_values=packed(self.values) if self.values else None,
            data_name=name,
            data_as=as_ if as_ != "text" else None,
            data_late=late,
        )


def do(
    text: str,
    act: str,
    *,
    key: str = "",
    edit: str = "",
    values: Mapping[str, Any] | None = None,
    symbol: str = "",
    look: str = "",
    id_: str | None = None,
    quiet: bool = False,
    confirm: str = "",
    loses: bool = False,
    pressed: bool | None = None,
    expanded: bool | None = None,
    off: bool = False,
) -> str:
    """A button that sends `act`, with an edit and its values; `quiet` shows its symbol only.

    With `confirm` it asks once; `loses`: something is gone for good afterwards.
    """
    inside = (icon(symbol) if symbol else "") + ("" if quiet else f"<span>{escape(text)}</span>")
    named = attributes(
        type="button",
        id=id_,
        class_=f"btn {look}".strip(),
        data_act=act,
        data_key=key or None,
        data_edit=edit or None,
        data_values=packed(values) if values else None,
        data_confirm=confirm or None,
        data_loses=loses,
        aria_label=text if quiet else None,
        title=text if quiet else None,
        aria_pressed=None if pressed is None else str(pressed).lower(),
        aria_expanded=None if expanded is None else str(expanded).lower(),
        disabled=off,
    )
    return f"<button{named}>{inside}</button>"


def part(title: str, *inside: str) -> str:
    """A titled part of a panel or of an open card."""
    return f'<section class="part"><h3>{escape(title)}</h3>{"".join(inside)}</section>'


def actions(*buttons: str) -> str:
    """Buttons side by side."""
    return f'<div class="actions">{"".join(buttons)}</div>'


def control(label: str, inside: str, *, hint: str = "", look: str = "") -> str:
    """A label above its control, and a line that explains it."""
    told = f'<small class="muted">{escape(hint)}</small>' if hint else ""
    named = attributes(class_=f"control {look}".strip())
    return f"<label{named}><span>{escape(label)}</span>{inside}{told}</label>"


def line(
    label: str,
    to: To,
    name: str,
    value: object,
    *,
    as_: As = "text",
    hint: str = "",
    placeholder: str = "",
    most: int | None = None,
    late: bool = False,
    look: str = "",
    **more: object,
) -> str:
    """One line to type in."""
    named = to.named(name, as_, late=late) + attributes(
        type="text",
        value=value,
        placeholder=placeholder or None,
        maxlength=most,
        inputmode={"whole": "numeric", "number": "decimal"}.get(as_),
        autocomplete="off",
        **more,
    )
    return control(label, f"<input{named}>", hint=hint, look=look)


def lines(
    label: str,
    to: To,
    name: str,
    value: str,
    *,
    rows: int = 2,
    placeholder: str = "",
    most: int | None = None,
    look: str = "",
    bare: bool = False,
    **more: object,
) -> str:
    """A text that grows as it is typed; `bare`: its label is for screen readers only."""
    named = to.named(name) + attributes(
        rows=rows, placeholder=placeholder or None, maxlength=most, aria_label=label if bare else None, **more
    )
    # The parser drops one line break at the start of a textarea.
    box = f"<textarea{named}>\n{escape(value)}</textarea>"
    return box if bare else control(label, box, look=look)


def select(label: str, to: To, name: str, choices: Choices, value: str, *, as_: As = "text") -> str:
    """One of several, in a list that opens."""
    options = "".join(
        f"<option{attributes(value=key, selected=key == value)}>{escape(text)}</option>"
        for key, text in choices
    )
    return control(label, f"<select{to.named(name, as_)}>{options}</select>")


def segments(
    label: str, to: To, name: str, choices: Iterable[tuple[Any, str]], value: Any, *, look: str = ""
) -> str:
    """One of a few, all of them in view."""
    found = "".join(_segment(to, name, key, text, key == value) for key, text in choices)
    group = attributes(class_=f"segments {look}".strip(), role="radiogroup", aria_label=label)
    return f'<div class="control"><span>{escape(label)}</span><div{group}>{found}</div></div>'


def _segment(to: To, name: str, key: Any, text: str, chosen: bool) -> str:
    shown = list(key) if isinstance(key, tuple) else key
    named = attributes(
        type="button",
        role="radio",
        aria_checked=str(chosen).lower(),
        data_act="change",
        data_edit=to.edit,
        data_values=packed({**to.values, name: shown}),
        data_choice="+".join(map(str, shown)) if isinstance(shown, list) else shown,
    )
    return f"<button{named}>{escape(text)}</button>"


def switch(label: str, to: To, name: str, value: bool, *, id_: str | None = None) -> str:
    """On or off."""
    named = attributes(type="checkbox", role="switch", id=id_, checked=value) + to.named(name, "switch")
    return f'<label class="switch"><input{named}><span>{escape(label)}</span></label>'


def slider(
    label: str,
    to: To,
    name: str,
    value: float,
    *,
    low: float,
    high: float,
    step: float,
    unit: str = "",
) -> str:
    """A number between two others."""
    named = to.named(name, "number") + attributes(
        type="range", min=f"{low:g}", max=f"{high:g}", step=f"{step:g}", value=f"{value:g}", data_unit=unit
    )
    shown = f"<output>{value:g}{escape(unit)}</output>"
    return f'<label class="control slide"><span>{escape(label)}{shown}</span><input{named}></label>'


def upload(text: str, what: str, accept: str, *, shot: str = "") -> str:
    """A button that brings a file to the story."""
    named = attributes(
        type="file",
        accept=accept,
        data_upload=what,
        data_shot=shot or None,
        class_="visually-hidden",
        aria_label=text,
    )
    return (
        f'<label class="btn raised upload">{icon("upload")}<span>{escape(text)}</span><input{named}></label>'
    )


def packed(values: Mapping[str, Any]) -> str:
    """Values as an attribute holds them."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
