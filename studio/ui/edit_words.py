"""What an edit changes, in words: a difference of the prompt, settings from and to, what a file becomes."""

from collections.abc import Sequence
from html import escape
from typing import Any

from studio.edits.intents import intents
from studio.edits.types import Change, MediaChange, PromptChange, SettingsChange
from studio.media.looks import LOOKS
from studio.media.retouch import Operation
from studio.text.rewrite import DiffPart, diff
from studio.ui.context import Page
from studio.ui.finish import size_name

_MEASURES = ("brightness", "contrast", "saturation", "warmth", "sharpness")


def rows(page: Page, changes: Sequence[Change]) -> str:
    """Each change by name; those of the prompt as one difference."""
    prompts = [change for change in changes if isinstance(change, PromptChange)]
    rows = ""
    if prompts:
        titles = dict.fromkeys(intents()[change.wish.intent].title[page.language] for change in prompts)
        joint = "、" if page.language == "zh" else ", "
        parts = diff(prompts[0].before, prompts[-1].after)
        rows += f"<dt>{escape(joint.join(titles))}</dt><dd class='diff'>{_difference(parts)}</dd>"
    for change in changes:
        if isinstance(change, SettingsChange):
            title = escape(intents()[change.wish.intent].title[page.language])
            rows += f"<dt>{title}</dt><dd>{escape(settings_words(page, change))}</dd>"
        elif isinstance(change, MediaChange):
            title = escape(_operation_title(page, change))
            rows += f"<dt>{title}</dt><dd>{escape(operation_words(page, change.operation))}</dd>"
    return rows


def in_short(page: Page, change: Change) -> str:
    """One change on a button: what it is about, and what it does."""
    if isinstance(change, MediaChange):
        words = operation_words(page, change.operation)
        if change.operation.name in (*_MEASURES, "speed", "look"):
            return f"{_operation_title(page, change)} {words}"
        return words
    if isinstance(change, SettingsChange):
        return f"{intents()[change.wish.intent].title[page.language]}: {settings_words(page, change)}"
    return change.after


def _difference(parts: Sequence[DiffPart]) -> str:
    tags = {"added": "ins", "removed": "del", "lost": "del"}
    return "".join(
        f"<{tags[part.kind]}>{escape(part.text)}</{tags[part.kind]}>"
        if part.kind in tags
        else escape(part.text)
        for part in parts
    )


def _operation_title(page: Page, change: MediaChange) -> str:
    named = {"crop": "edit_op_name_crop", "speed": "edit_op_name_speed"}
    name = change.operation.name
    if name in named and change.wish.intent != name:
        return page.t(named[name])
    return intents()[name if name in intents() else change.wish.intent].title[page.language]


def settings_words(page: Page, change: SettingsChange) -> str:
    told = []
    for name, after in change.after.items():
        before = change.before.get(name)
        if name == "seed":
            told.append(page.t("edit_other_seed"))
        elif after is not None:
            words = {"before": _value(page, name, before) or "–", "after": _value(page, name, after)}
            told.append(page.t("edit_from_to", **words))
    return " · ".join(told)


def _value(page: Page, name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "style":
        style = page.studio.styles.find(str(value))
        return style.title[page.language] if style is not None else str(value)
    if name == "seconds":
        return page.t("edit_seconds", count=f"{float(value):g}")
    if name == "quality":
        return page.t(f"quality_{value}")
    if name == "size":
        return str(value).replace("x", "×")
    return f"{value:g}" if isinstance(value, float) else str(value)


def operation_words(page: Page, operation: Operation) -> str:
    """What an operation does, in words."""
    name, amount, how = operation.name, operation.amount, operation.how
    if name in _MEASURES:
        return page.t("edit_op_measure", percent=f"{amount * 100:+.0f}".replace("-", "−"))
    if name == "look":
        title = LOOKS[how].title[page.language] if how in LOOKS else page.t(f"edit_look_{how}")
        return page.t("edit_op_look", name=title)
    if name == "crop":
        return page.t(f"edit_op_crop_{how}", percent=round(amount * 100))
    key = f"edit_op_{name}_{how}" if how else f"edit_op_{name}"
    values = {
        "factor": f"{amount:g}",
        "count": f"{amount:g}",
        "seconds": f"{amount:g}",
        "degrees": f"{amount:g}",
        "size": size_name(amount),
    }
    return page.t(key, **values)
