"""Sharing for review: the button, the dialog it opens, and the places where guests' words stand.

share.js fills them from the routes below /discuss (`studio.room.app`): what is here is alike for everybody.
"""

import json
from html import escape

from studio import words
from studio.room.links import DAYS
from studio.room.types import LINK_RIGHTS
from studio.ui.context import Page
from studio.ui.markup import attributes, icon

_DAYS = (1, 3, 7, 14, 30, 90)


def button(page: Page, room: str, *, look: str = "", quiet: bool = False, id_: str | None = None) -> str:
    """A button that opens the dialog for a room ("story ID", "project ID", "grid ID", "clips ID,ID")."""
    text = words.share(page.language)["share"]
    named = attributes(
        type="button",
        id=id_,
        class_=f"btn {look}".strip(),
        data_act="share",
        data_key=room,
        title=text if quiet else None,
        aria_label=text if quiet else None,
    )
    inside = icon("share") + ("" if quiet else f"<span>{escape(text)}</span>")
    return f"<button{named}>{inside}</button>"


def said(room: str, item: str = "") -> str:
    """Where it is told what guests said and decided of an item of a room ("asset ID": in any room)."""
    # What share.js puts there stays when the page is drawn anew.
    named = attributes(class_="reviewed", data_own=True, data_room=room, data_item=item or None)
    return f"<div{named}></div>"


def dialog(page: Page) -> str:
    """The dialog, once a page."""
    told = words.share(page.language)
    t = {key: escape(text) for key, text in told.items()}
    rights = "".join(
        f'<label><input type="radio" name="rights" value="{one}"{" checked" if one == "decide" else ""}>'
        f"<span>{t[one]}</span></label>"
        for one in LINK_RIGHTS
    )
    days = "".join(
        f"<option{attributes(value=count, selected=count == DAYS)}>{t[f'days_{count}']}</option>"
        for count in _DAYS
    )
    data_words = json.dumps(told, ensure_ascii=False)
    data = attributes(id="share", data_words=data_words, data_language=page.language)
    close = attributes(
        type="button", class_="btn bare", data_share="close", title=told["close"], aria_label=told["close"]
    )
    return f"""<dialog{data} aria-labelledby="share_title">
<header><p id="share_title">{t["title"]}</p><button{close}>{icon("close")}</button></header>
<p class="note">{t["hint"]}</p><p class="asked"></p>
<form id="share_form"><fieldset><legend>{t["rights"]}</legend><div class="segments">{rights}</div></fieldset>
<div class="pair"><label>{t["days"]}<select name="days">{days}</select></label>
<label class="grow">{t["note"]}<input name="note" type="text" maxlength="40" autocomplete="off"></label></div>
<p class="sorry" role="alert" hidden></p>
<button class="btn primary" id="share_make">{t["make"]}</button></form>
<div id="share_made" hidden><img alt="{t["code"]}"><div><label>{t["once"]}<input type="text" readonly></label>
<button type="button" class="btn primary" data-share="copy">{icon("copy")}<span>{t["copy"]}</span></button>
<p class="note local" hidden>{t["local"]}</p></div></div>
<section><h3>{t["links"]}</h3><ul id="share_links"></ul></section>
<section id="share_told"></section></dialog>"""
