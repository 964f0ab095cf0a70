"""The few pages that are not Gradio's: password, admin, and a worded page for what went wrong."""

from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response

from pipelines.request import Notice
from studio.access import LANGUAGE_COOKIE
from studio.words import LANGUAGES, Language, door, say

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "pages"
_NEVER_KEEP = {"cache-control": "no-store"}


def language_of(headers: Headers, cookies: Mapping[str, str]) -> Language:
    """The reader's language: what they chose, else the browser's first of ours, else English."""
    chosen = cookies.get(LANGUAGE_COOKIE)
    for language in LANGUAGES:
        if chosen == language:
            return language
    best: tuple[float, Language] = (0.0, "en")
    for entry in headers.get("accept-language", "").split(","):
        tag, _, quality = entry.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        for language in LANGUAGES:
            if tag.lower().split("-")[0] == language and weight > best[0]:
                best = (weight, language)
    return best[1]


def local_path(wanted: str) -> str:
    """The path (and query) to go on to, if it lies on this site; the start if it doesn't."""
    parts = urlsplit(wanted)
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if inside and not parts.scheme and not parts.netloc else "/"


def password_page(
    root: str, *, language: Language, go_on: str, wrong: Notice | None = None, status: int = 401
) -> Response:
    """Ask for the password; `go_on` is where the visitor was going, `root` the path this site begins at."""
    form = _form(f"{root}/pass", "password", language=language, go_on=go_on, hint="hint", wrong=wrong)
    return _page(door("title", language), form, language, status, root)


def admin_page(
    root: str, *, language: Language, go_on: str, wrong: Notice | None = None, status: int = 200
) -> Response:
    """Ask for the admin token."""
    form = _form(f"{root}/admin", "token", language=language, go_on=go_on, hint="admin_hint", wrong=wrong)
    return _page(door("admin_title", language), form, language, status, root)


def refused(
    notices: Iterable[Notice],
    language: Language,
    *,
    status: int = 400,
    headers: Mapping[str, str] = _NEVER_KEEP,
) -> Response:
    """What went wrong, in words, for a program."""
    found = [{"code": notice.code, "text": say(notice, language)} for notice in notices]
    return JSONResponse({"errors": found}, status, headers=headers)


def refusal(
    notices: list[Notice], status: int, *, headers: Headers, cookies: Mapping[str, str], root: str
) -> Response:
    """What went wrong, in words: a page for a person's browser, JSON for a program."""
    language = language_of(headers, cookies)
    if "text/html" not in headers.get("accept", ""):
        return refused(notices, language, status=status)
    back = f'<a href="{escape(root)}/">{escape(door("back", language))}</a>'
    body = "".join(f"<p>{escape(text)}</p>" for text in (say(notice, language) for notice in notices)) + back
    return _page(door("title", language), body, language, status, root)


def _form(action: str, field: str, *, language: Language, go_on: str, hint: str, wrong: Notice | None) -> str:
    said = f'<p class="bad" role="alert">{escape(say(wrong, language))}</p>' if wrong else ""
    return f"""<form method="post" action="{escape(action)}">
{said or f"<p>{escape(door(hint, language))}</p>"}
<input type="hidden" name="next" value="{escape(local_path(go_on))}">
<input type="text" name="username" value="wan-studio" autocomplete="username" hidden>
<label for="secret">{escape(door(field, language))}</label>
<input id="secret" name="secret" type="password" autocomplete="current-password" required autofocus>
<button>{escape(door("enter", language))}</button>
</form>"""


def _page(title: str, body: str, language: Language, status: int, root: str) -> Response:
    lang = "zh-CN" if language == "zh" else "en"
    html = _template().substitute(lang=lang, title=escape(title), body=body, root=escape(root))
    return HTMLResponse(html, status, headers=_NEVER_KEEP)


@cache
def _template() -> Template:
    return Template((FOLDER / "door.html").read_text(encoding="utf-8"))
