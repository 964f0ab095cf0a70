"""API keys among the rules of the house: which there are, a new one (shown once), and shutting one."""

from html import escape

from studio.access import Visitor
from studio.api_keys import MAX_NAME, Key
from studio.ui.context import Page
from studio.ui.markup import attributes, button, icon


def section(page: Page, visitor: Visitor, secret: str = "", name: str = "") -> str:
    """The keys of this studio; with `secret`, the one that was just made for `name`."""
    keys = [key for key in page.studio.keys.list(visitor) if key.revoked is None]
    rows = "".join(_row(page, key) for key in keys)
    listed = f'<ul class="keys">{rows}</ul>' if rows else ""
    box = attributes(
        id="key_name", maxlength=MAX_NAME, autocomplete="off", placeholder=page.t("keys_name_like")
    )
    make = button(page.t("keys_make"), "review", key="make_key", look="raised", id_="key_make")
    title, hint = escape(page.t("keys_title")), escape(page.t("keys_hint"))
    # The page knows by which address it is open; the studio behind it does not.
    return (
        f'<section id="api_keys"><h3>{title}</h3><p class="muted">{hint}</p><code id="keys_base"></code>'
        f"{_fresh(page, secret, name)}{listed}"
        f'<label class="box"><span>{escape(page.t("keys_name"))}</span><input{box}></label>'
        f'<div class="actions">{make}</div></section>'
    )


def _fresh(page: Page, secret: str, name: str) -> str:
    if not secret:
        return ""
    said = escape(page.t("keys_made", name=name))
    copy = button(page.t("keys_copy"), "review", key="copy_key", symbol="copy", look="raised", id_="key_copy")
    copy = copy.replace("<button ", f'<button data-done="{escape(page.t("keys_copied"))}" ', 1)
    shown = attributes(id="key_secret", readonly=True, value=secret, aria_label=page.t("keys_title"))
    return f'<div class="fresh" role="status"><p>{said}</p><div class="line"><input{shown}>{copy}</div></div>'


def _row(page: Page, key: Key) -> str:
    used = page.t("keys_used", ago=page.ago(key.used)) if key.used else page.t("keys_unused")
    shut = button(
        page.t("keys_revoke"),
        "review",
        key=f"revoke_key {key.id}",
        look="bare",
        confirm=page.t("keys_revoke_sure", name=key.name),
        loses=True,
    )
    about = f"<code>{escape(key.prefix)}…</code> · {escape(used)}"
    return f"<li>{icon('key')}<span><b>{escape(key.name)}</b><small>{about}</small></span>{shut}</li>"
