"""The rules of the house as a form: what is shown when, how it is labelled, how strictly it is checked."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from studio.access import Visitor
from studio.media.label import MIN_SECONDS, TEXTS
from studio.reviewing import LedgerView
from studio.trust.policy import MAX_NAMES, MIN_REASON, LabelRule, Policy
from studio.trust.texts import CATEGORIES
from studio.ui import api_keys
from studio.ui.context import Page
from studio.ui.markup import attributes, button, icon
from studio.words import say

CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")
OUTCOMES = ("allow", "hold", "block")
# What is never let through, whatever the rules say.
_NEVER = ("minors",)
_LONGEST = 600

Choices = Iterable[tuple[str, str]]


def render(page: Page, visitor: Visitor, ledger: str = "", made: tuple[str, str] = ("", "")) -> str:
    """The form with the rules of now; `ledger`: what a check of it found, `made`: a new key and its name."""
    rules = page.studio.reviews.policy()
    parts = (
        ("rules_publish", _publish(page, rules)),
        ("rules_label", _label(page, rules.label)),
        ("rules_strict", _strict(page, rules)),
        ("rules_names", _names(page, rules)),
    )
    body = "".join(_part(page.t(title), inside) for title, inside in parts)
    save = attributes(type="submit", id="rules_save", class_="btn primary")
    saves = f'<div class="save"><button{save}>{escape(page.t("rules_save"))}</button></div>'
    return (
        f'<div class="rules"><form id="rules_form" novalidate>{body}{saves}</form>'
        f"<aside>{_coverage(page, visitor)}{_ledger(page, ledger)}"
        f"{api_keys.section(page, visitor, *made)}</aside></div>"
    )


def values_of(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of Policy that a form said, which comes from a browser: `Reviews.set_policy` checks them."""

    def said(name: str) -> str:
        return str(sent.get(name, ""))

    seconds: float | None = None
    if said("label_time") == "opening":
        try:
            seconds = float(said("label_seconds").replace(",", "."))
        except ValueError:
            seconds = 0.0
    label = {
        "language": said("label_language") or None,
        "corner": said("label_corner"),
        "seconds": seconds,
        "shown": said("label_shown") != "off",
        "spoken": said("label_spoken") == "on",
    }
    strict = {
        kind: {name: said(f"{kind}_{name}") for name in CATEGORIES if said(f"{kind}_{name}")}
        for kind in ("texts", "pictures")
    }
    names = [name for name in (line.strip() for line in said("names").splitlines()) if name]
    return {
        "publish": said("publish"),
        "when_down": said("when_down"),
        "label": label,
        "names": names,
        **strict,
    }


def ledger_checked(page: Page, found: LedgerView) -> str:
    """What a check of the whole ledger found, as HTML."""
    if found.fault is None:
        text = page.t("ledger_whole", count=found.entries)
        return f'<p class="told done" role="status">{icon("check")}{escape(text)}</p>'
    text = page.t(f"ledger_{found.fault.what}", number=found.fault.number)
    return f'<p class="sorry" role="alert">{escape(text)}</p>'


# -- the parts ---------------------------------------------------------------------------------------------


def _publish(page: Page, rules: Policy) -> str:
    choices = [(name, page.t(f"rules_{name}")) for name in ("at_once", "after_review")]
    return _segments(page, "publish", "rules_publish", choices, rules.publish, titled=False) + _hint(
        page, "rules_publish_hint"
    )


def _label(page: Page, rule: LabelRule) -> str:
    setting = page.studio.settings.label_text
    languages = [("", page.t("rules_label_setting", label=setting)), *((key, TEXTS[key]) for key in TEXTS)]
    corners = [(name, page.t(f"story_corner_{name}")) for name in CORNERS]
    timing = "all" if rule.seconds is None else "opening"
    times = [("all", page.t("rules_time_all")), ("opening", page.t("rules_time_opening"))]
    seconds = attributes(
        type="number",
        name="label_seconds",
        min=MIN_SECONDS,
        max=_LONGEST,
        step="0.5",
        value=f"{rule.seconds or 5:g}",
        aria_label=page.t("rules_seconds"),
    )
    reason = attributes(name="reason", rows=2, maxlength=500, id="rules_reason")
    unit = escape(page.t("rules_seconds"))
    why = escape(page.t("rules_why_off", low=MIN_REASON))
    stays = escape(page.t("rules_stays"))
    off = (
        f'<div class="when-off"><p class="note warn">{stays}</p><label class="box"><span>{why}</span>'
        f"<textarea{reason}></textarea></label></div>"
    )
    return (
        _switch(page, "label_shown", "rules_shown", rule.shown)
        + off
        + '<div class="when-on">'
        + _select(page, "label_language", "rules_language", languages, rule.language or "")
        + _segments(page, "label_corner", "rules_corner", corners, rule.corner)
        + '<div class="line-of">'
        + _segments(page, "label_time", "rules_time", times, timing)
        + f'<label class="few"><input{seconds}><span>{unit}</span></label></div></div>'
        + _switch(page, "label_spoken", "rules_spoken", rule.spoken)
        + f'<p class="hint">“{escape(say("spoken_label", page.language))}”</p>'
    )


def _strict(page: Page, rules: Policy) -> str:
    blind = page.studio.reviews.unchecked()
    rows = []
    for name in CATEGORIES:
        title = escape(page.category(name))
        texts = _strictness(page, f"texts_{name}", rules.texts.get(name, ""), name)
        pictures = _strictness(page, f"pictures_{name}", rules.pictures.get(name, ""), name)
        unseen = f"<small>{escape(page.t('rules_unseen'))}</small>" if name in blind else ""
        rows.append(f"<tr><th scope='row'>{title}</th><td>{texts}</td><td>{pictures}{unseen}</td></tr>")
    head = "".join(f"<th scope='col'>{escape(page.t(key))}</th>" for key in ("rules_texts", "rules_pictures"))
    down = [(name, page.t(f"rules_down_{name}")) for name in ("hold", "allow")]
    return (
        f"{_hint(page, 'rules_strict_hint')}<table><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
        + _segments(page, "when_down", "rules_when_down", down, rules.when_down)
    )


def _strictness(page: Page, name: str, chosen: str, category: str) -> str:
    outcomes = [one for one in OUTCOMES if one != "allow" or category not in _NEVER]
    choices = [("", page.t("rules_shipped")), *((one, page.t(f"rules_{one}")) for one in outcomes)]
    kind = page.t("rules_texts" if name.startswith("texts") else "rules_pictures")
    label = f"{page.category(category)} · {kind}"
    options = "".join(_option(value, text, value == chosen) for value, text in choices)
    return f"<select{attributes(name=name, aria_label=label)}>{options}</select>"


def _names(page: Page, rules: Policy) -> str:
    box = attributes(
        name="names",
        id="rules_list",
        rows=6,
        spellcheck="false",
        autocomplete="off",
        placeholder=page.t("rules_names_like"),
        aria_label=page.t("rules_names"),
    )
    listed = escape("\n".join(rules.names))
    return f"{_hint(page, 'rules_names_hint', count=MAX_NAMES)}<textarea{box}>{listed}</textarea>"


def _coverage(page: Page, visitor: Visitor) -> str:
    told = "".join(f"<li>{escape(page.say(notice))}</li>" for notice in page.studio.reviews.notices(visitor))
    own = escape(page.t("rules_own_texts"))
    title = escape(page.t("rules_coverage"))
    return f'<section><h3>{title}</h3><ul class="plain"><li>{own}</li>{told}</ul></section>'


def _ledger(page: Page, checked: str) -> str:
    count = escape(page.t("ledger_entries", count=page.studio.reviews.entries()))
    check = button(page.t("ledger_check"), "review", key="check_ledger", look="raised", id_="ledger_check")
    hint = escape(page.t("ledger_hint"))
    return (
        f'<section id="ledger"><h3>{escape(page.t("ledger_title"))}</h3><p class="muted">{hint}</p>'
        f'<p class="entries">{count}</p>{checked}<div class="actions">{check}</div></section>'
    )


# -- its controls ------------------------------------------------------------------------------------------


def _part(title: str, inside: str) -> str:
    return f"<fieldset class='part'><legend>{escape(title)}</legend>{inside}</fieldset>"


def _hint(page: Page, key: str, **values: Any) -> str:
    return f'<p class="hint">{escape(page.t(key, **values))}</p>'


def _segments(
    page: Page, name: str, title: str, choices: Choices, chosen: str, *, titled: bool = True
) -> str:
    found = "".join(
        f"<label><input{attributes(type='radio', name=name, value=value, checked=value == chosen)}>"
        f"<span>{escape(text)}</span></label>"
        for value, text in choices
    )
    label = escape(page.t(title))
    shown = f"<span>{label}</span>" if titled else ""
    group = f'<div class="choices" role="radiogroup" aria-label="{label}">{found}</div>'
    return f'<div class="box">{shown}{group}</div>'


def _select(page: Page, name: str, title: str, choices: Choices, chosen: str) -> str:
    options = "".join(_option(value, text, value == chosen) for value, text in choices)
    return (
        f'<label class="box"><span>{escape(page.t(title))}</span>'
        f"<select{attributes(name=name)}>{options}</select></label>"
    )


def _option(value: str, text: str, chosen: bool) -> str:
    return f"<option{attributes(value=value, selected=chosen)}>{escape(text)}</option>"


def _switch(page: Page, name: str, title: str, on: bool) -> str:
    box = attributes(type="checkbox", role="switch", name=name, value="on", checked=on)
    return f'<label class="switch"><input{box}><span>{escape(page.t(title))}</span></label>'
