"""Below the line of a clip: larger, smoother, and what does it on this machine, said before it is pressed."""

import itertools
import json
from collections.abc import Sequence
from html import escape
from typing import Any, get_args

from pipelines.networks import Purpose, find
from studio.core import Estimate
from studio.library import Asset
from studio.media.retouch import LINES, RATES, Operation, Shape, shape_after
from studio.ui import form as fields
from studio.ui.context import Page
from studio.ui.markup import attributes

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
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
        f'</summary><form class="finish-form"{_costs(page, shape)}>{rows}'
        f'<p class="muted" role="status" hidden></p><div class="actions"><button{does}>'
        f"<span>{escape(page.t('finish_make'))}</span></button></div></form></details>"
    )


def _costs(page: Page, shape: Shape) -> str:
    """What each choice takes, for finish.js to show before it is pressed."""
    larger = [one for one in _sizes(page) if shape_after(shape, (one,)) != shape]
    smoother = [one for one in _rates(page) if one.amount > shape.fps]
    chosen = [*((one,) for one in (*larger, *smoother)), *itertools.product(larger, smoother)]
    seconds = page.studio.edits.finish_seconds(shape, chosen)
    costs = {
        "|".join(f"{one.name} {one.amount:g}" for one in operations): fields.price(
            page, Estimate(took, 0, 0.0)
        )
        for operations, took in zip(chosen, seconds, strict=True)
    }
    return attributes(data_costs=json.dumps(costs, ensure_ascii=False))


def _sizes(page: Page) -> list[Operation]:
    how = _how(page, "larger", "lanczos")
    return [Operation(name="enlarge", amount=lines, how=how) for lines in LINES]


def _rates(page: Page) -> list[Operation]:
    how = _how(page, "smoother", "blend")
    return [Operation(name="smooth", amount=rate, how=how) for rate in RATES]


def size_name(lines: float) -> str:
    """What people call so many lines."""
    return _NAMES.get(int(lines), f"{lines:g}p")


def _larger(page: Page, shape: Shape) -> str:
    how = _how(page, "larger", "lanczos")
    found = []
    for operation in _sizes(page):
        after = shape_after(shape, (operation,))
        if after != shape:
            name = size_name(operation.amount)
            found.append((operation, name, f"{name} <small>{after.width}×{after.height}</small>"))
    now = page.t("finish_now", name=page.t("finish_size"), what=f"{shape.width}×{shape.height}")
    return _row(page, "finish_size", now, found, _said(page, "larger", how))


def _smoother(page: Page, shape: Shape) -> str:
    how = _how(page, "smoother", "blend")
    found = []
    for operation in _rates(page):
        if operation.amount > shape.fps:
            words = page.t("finish_fps", count=int(operation.amount))
            found.append((operation, words, escape(words)))
    now = page.t("finish_fps", count=shape.fps)
    now = page.t("finish_now", name=page.t("finish_motion"), what=now)
    return _row(page, "finish_motion", now, found, _said(page, "smoother", how))


def network_name(page: Page, purpose: Purpose) -> str:
    """What the network for a purpose is called; empty if there is none."""
    network = find(page.studio.settings.studio_home, purpose)
    return "" if network is None else network.name


def _how(page: Page, purpose: Purpose, without: str) -> str:
    return "network" if network_name(page, purpose) else without


def _said(page: Page, purpose: Purpose, how: str) -> str:
    """By what: the network's name, or that there is none and which file would be one."""
    if how == "network":
        return page.t(f"finish_{purpose}_network", name=network_name(page, purpose))
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
