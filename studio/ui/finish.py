"""Below the line of a clip: larger, smoother, and what does it on this machine, said before it is pressed."""

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from pipelines.networks import Purpose, find
from studio.library import Asset
from studio.media.retouch import LINES, RATES, Operation, Shape, shape_after
from studio.ui.context import Page
from studio.ui.markup import attributes

_NAMES = {1080: "1080p", 2160: "4K"}


def render(page: Page, asset: Asset) -> str:
    """A part that opens in place; empty for a clip that is as large and as smooth as can be."""
    shape = Shape(asset.width, asset.height, asset.frames, asset.fps)
    rows = _larger(page, shape) + _smoother(page, shape)
    if not rows:
        return ""
    does = attributes(
        type="button",
        class_="btn primary",
        data_act="edits",
        data_key="make",
        data_plan="{}",
        disabled=True,
        id="finish_make",
    )
    return (
        f'<details class="finish" data-key="finish {asset.id}"><summary>{escape(page.t("finish_title"))}'
        f'</summary><form class="finish-form">{rows}<div class="actions"><button{does}>'
        f"<span>{escape(page.t('finish_make'))}</span></button></div></form></details>"
    )


def size_name(lines: float) -> str:
    """What people call so many lines."""
    return _NAMES.get(int(lines), f"{lines:g}p")


def _larger(page: Page, shape: Shape) -> str:
    how = _how(page, "larger", "lanczos")
    found = []
    for lines in LINES:
        operation = Operation(name="enlarge", amount=lines, how=how)
        after = shape_after(shape, (operation,))
        if after != shape:
            title = f"{size_name(lines)} <small>{after.width}×{after.height}</small>"
            found.append((operation, size_name(lines), title))
    now = page.t("finish_now", name=page.t("finish_size"), what=f"{shape.width}×{shape.height}")
    return _row(page, "finish_size", now, found, _said(page, "larger", how))


def _smoother(page: Page, shape: Shape) -> str:
    how = _how(page, "smoother", "blend")
    found = []
    for rate in RATES:
        if rate > shape.fps:
            words = page.t("finish_fps", count=rate)
            found.append((Operation(name="smooth", amount=rate, how=how), words, escape(words)))
    now = page.t("finish_fps", count=shape.fps)
    now = page.t("finish_now", name=page.t("finish_motion"), what=now)
    return _row(page, "finish_motion", now, found, _said(page, "smoother", how))


def _how(page: Page, purpose: Purpose, without: str) -> str:
    return "network" if find(page.studio.settings.studio_home, purpose) is not None else without


def _said(page: Page, purpose: Purpose, how: str) -> str:
    """By what: the network's name, or that there is none and which file would be one."""
    network = find(page.studio.settings.studio_home, purpose)
    if how == "network" and network is not None:
        return page.t(f"finish_{purpose}_network", name=network.name)
    return page.t(f"finish_{purpose}_plain")


def _row(page: Page, name: str, now: str, choices: Sequence[tuple[Operation, str, str]], said: str) -> str:
    """One choice; the first is to leave it. Nothing where there is no choice."""
    if not choices:
        return ""
    radios = _radio(name, "", escape(page.t("finish_as_is")), chosen=True)
    for operation, words, title in choices:
        told: dict[str, Any] = {"words": words, "operation": operation.model_dump(exclude_defaults=True)}
        radios += _radio(name, json.dumps(told, ensure_ascii=False), title)
    group = attributes(class_="finish-choices", role="radiogroup", aria_label=page.t(name))
    return (
        f'<div class="finish-row"><span>{escape(now)}</span><div{group}>{radios}</div>'
        f'<p class="muted">{escape(said)}</p></div>'
    )


def _radio(name: str, value: str, title: str, *, chosen: bool = False) -> str:
    field = attributes(type="radio", name=name, value=value, checked=chosen)
    return f"<label><input{field}><span>{title}</span></label>"
