"""What is said of a job that waits for a person or may not be shown: shared by the stage and the stories."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from pipelines.request import Notice
from studio.core import JobView
from studio.library import Asset
from studio.ui.context import Page
from studio.ui.markup import attributes, button, icon

# So much of a long text is quoted around the words that matter.
_AROUND = 90
_REJECTED = "review_rejected"


def state(view: JobView) -> str:
    """The state that the page shows: the job's, or how what was made of it stands."""
    error = view.job.error
    return "rejected" if error is not None and error.code == _REJECTED else view.state


def veil(page: Page, view: JobView, *, actions: str = "") -> str:
    """What stands in the picture's place; empty if this visitor sees the picture, or nothing is withheld."""
    shown = state(view)
    if view.asset is not None or shown not in ("held", "draft", "blocked", "rejected"):
        return ""
    name = "held_words" if view.job.state == "held" else shown
    sentences = [page.say(notice) for notice in reasons_of(view)]
    if name == "draft":
        sentences.append(page.t("draft_text"))
    paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in dict.fromkeys(sentences))
    waits = name in ("held_words", "held")
    later = f'<p class="muted">{escape(page.t("held_close"))}</p>' if waits else ""
    look, role = ("veil", "status") if waits or name == "draft" else ("veil bad", "alert")
    title = escape(page.t(f"{name}_title"))
    sign = icon("eye" if waits or name == "draft" else "shield")
    return f'<div class="{look}">{sign}<h2 role="{role}">{title}</h2>{paragraphs}{later}{actions}</div>'


def badge(page: Page, asset: Asset | None, *, film: bool = False) -> str:
    """Above a picture that only some may see: how it stands, and for admins the way to Review."""
    if asset is None or asset.standing == "public":
        return ""
    words = escape(page.t(f"standing_{asset.standing}"))
    if asset.standing == "draft":
        return f'<p class="note standing"><span class="tag">{words}</span></p>'
    why = escape(page.say(*asset.reasons)) if asset.reasons else ""
    id_ = "story_to_review" if film else "to_review"
    way = button(page.t("review_open"), "to_review", key=f"picture {asset.id}", symbol="eye", id_=id_)
    return f'<div class="note standing"><span class="tag warn">{words}</span><span>{why}</span>{way}</div>'


def reasons_of(view: JobView) -> tuple[Notice, ...]:
    """Why a job's words or its picture are held back, in plain notices."""
    if view.job.error is not None and view.job.state in ("held", "failed"):
        reason = view.job.error.values.get("reason")
        return (reason if isinstance(reason, Notice) and reason.code else view.job.error,)
    return view.reasons


def words_of(notices: Iterable[Notice]) -> list[str]:
    """The words that notices are about, as they were typed."""
    found = (str(notice.values["words"]) for notice in notices if notice.values.get("words"))
    return [words for words in dict.fromkeys(found) if words.strip()]


def marked(text: str, words: Sequence[str], *, short: bool = False) -> str:
    """The text as HTML with the words marked; `short`: only what stands around the first of them."""
    places = [(match.start(), match.end()) for one in words for match in re.finditer(re.escape(one), text)]
    return spans(text, places, short=short)


def spans(text: str, places: Iterable[tuple[int, int]], *, short: bool = False) -> str:
    """The text as HTML with text[start:end] of each place marked."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif end > start:
            merged.append((start, end))
    first, last = (max(0, merged[0][0] - _AROUND), merged[0][1] + _AROUND) if merged else (0, 2 * _AROUND)
    if not short or len(text) <= 3 * _AROUND:
        first, last = 0, len(text)
    parts, at = ["…" if first else ""], first
    for start, end in merged:
        if start < last:
            parts += [escape(text[at:start]), f"<mark>{escape(text[start:end])}</mark>"]
            at = end
    parts += [escape(text[at : max(at, last)]), "…" if max(at, last) < len(text) else ""]
    return "".join(parts)


def trouble(page: Page, notices: Sequence[Notice], fields: dict[str, str]) -> str:
    """Below the prompt: words that may not be used, marked where they stand, and why.

    `fields` are the texts that were sent, by the names of the form; the first that holds the words is named.
    """
    words = words_of(notices)
    place = next((name for name, text in fields.items() if any(one in text for one in words)), "")
    quoted = ""
    if place:
        inside = marked(fields[place], words, short=True)
        find = button(
            page.t("find_words"), "find_words", key=f"{place} {words[0]}", symbol="pen", look="raised"
        )
        quoted = f'<p class="quoted">{inside}</p>'
    sentences = "".join(f"<p>{escape(page.say(notice))}</p>" for notice in notices)
    does = f'<div class="actions">{find}</div>' if place else ""
    title = f"<b>{escape(page.t('trouble_title'))}</b>"
    named = attributes(class_="sorry trouble", role="alert", data_field=place)
    return f"<div{named}>{title}{quoted}{sentences}{does}</div>"
