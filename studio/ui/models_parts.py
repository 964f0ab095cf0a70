"""Pieces of the tab Models that its cards and its lists share."""

from html import escape
from typing import Any

from pipelines.errands import Activity
from studio import model_words
from studio.access import Visitor
from studio.model_room import Card
from studio.ui.context import Page
from studio.ui.markup import attributes, button, icon

_LOOKS = {
    "shipped": "good",
    "installed": "good",
    "linked": "good",
    "cached": "good",
    "broken": "bad",
    "partial": "warn",
    "missing": "",
}


def badge(page: Page, card: Card) -> str:
    """How something stands, in a word or two, with what it weighs."""
    shelf = card.shelf
    doing = shelf.activity
    if doing is not None and (doing.live or doing.wanted):
        return f'<span class="model-at">{escape(page.t(f"model_does_{doing.work}"))}</span>'
    bytes_ = shelf.size if shelf.usable else card.weights.size_gb * 1e9
    many = model_words.size(bytes_, page.language) if bytes_ else ""
    if shelf.state == "partial" and many:
        many = page.t("model_of", done=model_words.size(shelf.size, page.language), total=many)
    text = page.t(f"model_state_{shelf.state}")
    look = attributes(class_="model-at", data_look=_LOOKS[shelf.state] or None)
    return f"<span{look}>{escape(text)}{f' · {escape(many)}' if many else ''}</span>"


def activity(page: Page, name: str, doing: Activity | None) -> str:
    """A bar while something is done, or how it ended."""
    if doing is None:
        return ""
    wrong = doing.notice is not None and doing.notice.code not in (
        "weights_verified",
        "weights_verified_form",
    )
    told = ""
    if doing.notice is not None:
        good = doing.notice.code == "weights_verified"
        look = "told done" if good else "sorry" if wrong else "muted"
        named = attributes(class_=look, role="alert" if wrong else "status")
        told = f"<p{named}>{icon('check') if good else ''}{escape(page.say(doing.notice))}</p>"
    if not (doing.live or doing.wanted):
        return told
    text = model_words.progress(doing, page.language)
    bar = attributes(class_="fetching", data_name=name)
    width = model_words.share(doing)
    return (
        f'{told}<div{bar}><div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{width}"><i style="width:{width}%"></i></div>'
        f'<p class="note">{escape(text)}</p></div>'
    )


def room(page: Page, card: Card) -> str:
    """That the disk has no room for it, before somebody presses the button; nothing if it has."""
    full = page.studio.model_room.no_room(card.shelf)
    return (
        ""
        if full is None
        else f'<p class="fit" data-fits="false">{icon("alert")}<span>{escape(page.say(full))}</span></p>'
    )


def actions(page: Page, visitor: Visitor, card: Card) -> str:
    """What an admin may do now; the others see none of it."""
    if not visitor.admin:
        return ""
    shelf, name, doing = card.shelf, card.weights.name, card.shelf.activity
    if doing is not None and (doing.live or doing.wanted):
        return _does(page, "stop", name, "stop", "raised")
    found = []
    if shelf.state in ("missing", "partial", "broken"):
        key = {"missing": "models_download", "partial": "models_go_on", "broken": "models_mend"}[shelf.state]
        if not (
            shelf.state == "broken" and shelf.weights.place(page.studio.settings.studio_home).is_symlink()
        ):
            found.append(_does(page, key, name, "download", "raised", act="download"))
    elif doing is not None and doing.bad:
        found.append(_does(page, "models_mend", name, "download", "raised", act="download"))
    if shelf.folder is not None and shelf.state != "shipped":
        found.append(_does(page, "models_verify", name, "shield", "", act="verify"))
    if shelf.state in ("installed", "linked", "broken", "partial"):
        linked = shelf.weights.place(page.studio.settings.studio_home).is_symlink()
        key = "models_unlink" if linked else "models_delete"
        question = page.t("models_unlink_sure" if linked else "models_delete_sure", title=shelf.weights.title)
        found.append(_does(page, key, name, "trash", "", act="delete", confirm=question, loses=not linked))
    return f'<div class="actions">{"".join(found)}</div>' if found else ""


def _does(page: Page, key: str, name: str, symbol: str, look: str, *, act: str = "", **more: Any) -> str:
    text = page.t("models_stop") if key == "stop" else page.t(key)
    drawn = button(text, "models", key=f"{act or key} {name}", symbol=symbol, look=look, **more)
    return f'<div class="actions">{drawn}</div>' if key == "stop" else drawn


def row(name: str, about: str, badge: str, does: str, below: str = "") -> str:
    """A line of a list: what it is, how it stands, what can be done."""
    named = attributes(class_="lora", data_name=name)
    head = f"<div><b>{escape(name)}</b><small>{escape(about)}</small>{below}</div>"
    return f"<li{named}>{head}{badge}{does}</li>"


def standing(text: str, look: str = "") -> str:
    """A word or two with a dot in front of them: good, warn, bad, or neither."""
    return f"<span{attributes(class_='model-at', data_look=look or None)}>{escape(text)}</span>"
