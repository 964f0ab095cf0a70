"""The tab Verify: where any video comes from, as an answer, four lines, and what it may be a copy of."""

import contextlib
import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.request import Notice
from studio import access
from studio.access import Visitor
from studio.core import Refused
from studio.recipe import MAX_FILE_BYTES
from studio.tracing import Kin, TraceView
from studio.ui.context import Page
from studio.ui.markup import EVERY, acted, area, attributes, facts, icon

_SIGNS = {"good": "check", "plain": "info", "warn": "alert", "bad": "close", "none": "minus"}
_ANSWERS = {"certain": "good", "candidates": "warn", "none": "none"}
# What the browser offers to choose; what a file is, is told by its content.
_SUFFIXES = [".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".gif"]


def build(page: Page, *, quick: dict[str, Any]) -> None:
    """The place to drop a video on, what is told of it, and their events."""
    with gr.Column(elem_id="verify"):
        area(_invitation(page), "verify_drop")
        with gr.Column(elem_id="drop_verify"):
            upload = gr.UploadButton(
                page.t("verify_choose"), file_count="single", file_types=_SUFFIXES, size="sm"
            )
        told = area("", "verify_told")

    def look(path: str | None, request: gr.Request) -> str:
        if not path:
            return ""
        try:
            return _answered(page, page.visitor(request), lambda visitor: Path(path), Path(path).name)
        finally:
            with contextlib.suppress(OSError):
                Path(path).unlink()

    def act(event: gr.EventData, request: gr.Request) -> str | Any:
        what, key = acted(event)
        if what != "verify_asset":
            return gr.skip()

        def kept(visitor: Visitor) -> Path:
            return page.studio.library_file(page.studio.asset(visitor, key))

        return _answered(page, page.visitor(request), kept, "")

    upload.upload(look, upload, told, **quick)
    told.act(act, None, told, **quick | EVERY)


def _answered(page: Page, visitor: Visitor, path_for: Callable[[Visitor], Path], name: str) -> str:
    try:
        return render(page, page.studio.trace(visitor, path_for(visitor)), name)
    except Refused as refused:
        return failed(page, *refused.notices)


def _invitation(page: Page) -> str:
    """Where a video is dropped; studio's script shows the other two: that one is read, that it won't do."""
    named = attributes(
        class_="invites",
        data_most=MAX_FILE_BYTES,
        data_too_big=page.say(Notice("file_too_big", {"high": MAX_FILE_BYTES // 1_000_000})),
        data_dropping=page.t("verify_dropping"),
    )
    words = f'<h2>{escape(page.t("verify_reading"))}</h2><p class="muted name"></p>'
    reading = f'<div class="reading" role="status" hidden><i class="wheel"></i><div>{words}</div></div>'
    return (
        f"<div{named}>{icon('shield')}<h2>{escape(page.t('verify_title'))}</h2>"
        f'<p class="muted">{escape(page.t("verify_text"))}</p>'
        f'<p class="muted">{escape(page.t("verify_limits"))}</p></div>{reading}'
    )


def failed(page: Page, *notices: Notice) -> str:
    """Why nothing can be told of a file."""
    return (
        f'<section class="traced" data-answer="failed" data-beat="{time.time_ns()}">'
        f"{_head('bad', page.t('verify_failed'), page.say(*notices))}</section>"
    )


def render(page: Page, view: TraceView, name: str = "") -> str:
    """What is told of a video: `name` is that of the file that was dropped."""
    head = _head(_ANSWERS[view.answer], page.say(view.notice), page.say(*view.because), name=name)
    parts = "".join(
        f'<details class="clue" data-part="{line.part}" data-sign="{line.sign}"><summary>'
        f"{_sign(page, line.sign)}<b>{escape(page.t(f'verify_{line.part}'))}</b>"
        f"<span>{escape(page.say(line.notice))}</span></summary>"
        f'<p class="muted">{escape(page.say(line.about))}</p></details>'
        for line in view.lines
    )
    kin = "".join(_kin(page, one) for one in view.kin)
    title = page.t("verify_alike") if view.answer == "candidates" else page.t("verify_this")
    kin = f'<h3>{escape(title)}</h3><div class="kin">{kin}</div>' if kin else ""
    note = f'<p class="muted">{escape(page.t("verify_not_kept"))}</p>' if name else ""
    named = attributes(class_="traced", data_answer=view.answer, data_beat=time.time_ns())
    return f'<section{named}>{head}<div class="clues">{parts}</div>{kin}{note}</section>'


def _head(sign: str, title: str, text: str, *, name: str = "") -> str:
    about = f'<p class="muted name">{escape(name)}</p>' if name else ""
    told = f"<p>{escape(text)}</p>" if text else ""
    return (
        f'<header data-sign="{sign}"><i class="sign">{icon(_SIGNS[sign])}</i>'
        f'<div><h2 role="status">{escape(title)}</h2>{told}{about}</div></header>'
    )


def _sign(page: Page, sign: str) -> str:
    """A sign that is not told by its colour alone."""
    word = escape(page.t(f"verify_sign_{sign}"))
    return f'<i class="sign" role="img" aria-label="{word}" title="{word}">{icon(_SIGNS[sign])}</i>'


def _kin(page: Page, one: Kin) -> str:
    """A clip or film that it is, or may be, as much of it as the visitor may know."""
    about = [] if one.created is None else [page.t(f"verify_kind_{one.kind}"), page.ago(one.created)]
    about += [page.t("verify_by", owner=access.short(one.owner))] if one.owner else []
    about += [] if one.kept else [page.t("verify_gone")]
    number = (
        f'<code title="{escape(page.t("verify_number"))}">{escape(one.number)}</code>' if one.number else ""
    )
    if one.asset is None:
        still = f'<span class="gone">{icon("film")}</span>'
        return f'<div class="one">{still}<div>{facts(about)}{number}</div></div>'
    asset = one.asset
    image = attributes(src=f"../media/{asset.id}.webp", alt="", loading="lazy")
    link = attributes(href=f"./?job={asset.job_id}", class_="one", aria_label=asset.asked)
    words = f'<p class="asked">{escape(asset.asked)}</p>'
    return f"<a{link}><img{image}><div>{words}{facts(about)}{number}</div></a>"
