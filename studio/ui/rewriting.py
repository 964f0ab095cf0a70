"""The prompt made more visible, below its box: shown as what is added and what goes, then used or not."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from pipelines.request import Notice
from studio.core import Refused
from studio.text.llm import LlmClient, configured
from studio.text.rewrite import DiffPart, Rewrite, comes_from, rewrite
from studio.ui.context import Page
from studio.ui.markup import acted, attributes, button

SECONDS = 25.0
"""That somebody waits for a language model."""
_SLACK = 10.0
_WAITING = 6
_SAID = {"added": "improve_added", "removed": "improve_removed", "lost": "improve_lost"}

Change = dict[str, Any]


@dataclass(frozen=True)
class Offer:
    """What was offered last: `before` is the prompt it was made for. It comes back from a browser."""

    before: str = ""
    after: str = ""

    @classmethod
    def read(cls, text: Any) -> "Offer":
        """An offer out of the box that keeps it; an empty one if that holds anything else."""
        try:
            found = json.loads(text)
            before, after = found["before"], found["after"]
        except (KeyError, TypeError, ValueError, RecursionError):
            return cls()
        return cls(before, after) if isinstance(before, str) and isinstance(after, str) else cls()

    def text(self) -> str:
        """The offer as the box keeps it."""
        return json.dumps({"before": self.before, "after": self.after}, ensure_ascii=False)


class Rewriting:
    """The handlers of one page's "Improve prompt".

    A Change is of the boxes prompt, prompt_original and offer, and of the HTML below the prompt, "rewriting".
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        found = configured(page.studio.settings)
        self.client = None if found is None else replace(found, seconds=SECONDS)
        self._hands = ThreadPoolExecutor(max_workers=_WAITING, thread_name_prefix="rewriting")

    async def act(self, event: gr.EventData, prompt: Any, original: Any, offer: Any) -> Change:
        """Do what a button below the prompt says: the fields to change."""
        typed, kept = str(prompt or ""), str(original or "")
        what = acted(event)[0]
        if what == "improve":
            return await self.improve(typed)
        answers: dict[str, Callable[[str, str, Offer], Change]] = {
            "use_rewrite": self._use,
            "keep_mine": self._keep,
            "undo_rewrite": self._undo,
        }
        return answers[what](typed, kept, Offer.read(offer)) if what in answers else {}

    async def improve(self, prompt: str) -> Change:
        """An offer for this prompt; what the model takes too long for is done by the rules."""
        if not prompt.strip():
            field = {"field": "prompt"}
            return {"rewriting": resting(self.page, Notice("prompt_empty", field)), "offer": ""}
        try:
            await asyncio.to_thread(self.page.studio.jobs.checker.passed, {"prompt": prompt})
        except Refused as refused:
            return {"rewriting": resting(self.page, *refused.notices), "offer": ""}
        try:
            found = await asyncio.wait_for(self._in_a_thread(prompt, self.client), SECONDS + _SLACK)
        except TimeoutError:
            found = await asyncio.to_thread(rewrite, prompt)
            host = self.client.host if self.client else ""
            reason = Notice("llm_unreachable", {"host": host})
            found = replace(
                found, notices=(Notice("llm_failed_rules_used", {"reason": reason}), *found.notices)
            )
        if not found.changed:
            return {"rewriting": resting(self.page, *found.notices), "offer": ""}
        offer = Offer(found.original, found.rewritten)
        return {"rewriting": offered(self.page, found, self.client), "offer": offer.text()}

    def _in_a_thread(self, prompt: str, client: LlmClient | None) -> "asyncio.Future[Rewrite]":
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._hands, partial(rewrite, prompt, client=client))

    def _use(self, prompt: str, original: str, offer: Offer) -> Change:
        if not offer.after or prompt.strip() != offer.before:
            return {"rewriting": resting(self.page, Notice("rewrite_stale")), "offer": ""}
        # Improved twice, the prompt still comes from what was typed at first.
        first = original if original and comes_from(offer.before, original) else offer.before
        return {"prompt": offer.after, "prompt_original": first, "rewriting": used(self.page)}

    def _keep(self, prompt: str, original: str, offer: Offer) -> Change:
        return {"rewriting": resting(self.page), "offer": ""}

    def _undo(self, prompt: str, original: str, offer: Offer) -> Change:
        if not offer.before or prompt.strip() != offer.after:
            return {"rewriting": resting(self.page), "offer": ""}
        kept = "" if original == offer.before else original
        return {
            "prompt": offer.before,
            "prompt_original": kept,
            "rewriting": resting(self.page),
            "offer": "",
        }


# -- how it looks ------------------------------------------------------------------------------------------


def resting(page: Page, *notices: Notice) -> str:
    """The quiet button, and what there is to say."""
    named = attributes(
        type="button",
        id="improve",
        class_="btn bare",
        data_act="improve",
        data_busy=page.t("improving"),
        data_first=True,
    )
    asking = f"<button{named}><span>{escape(page.t('improve'))}</span></button>"
    return f'<div class="rewriting">{asking}{_told(page, *notices)}</div>'


def offered(page: Page, found: Rewrite, client: LlmClient | None) -> str:
    """An offer: what would be added and what would go, who wrote it, and the two answers."""
    if found.source == "llm" and client is not None:
        by = page.t("improved_by_model", model=client.model, host=client.host)
    else:
        by = page.t("improved_by_rules")
    parts = "".join(_part(page, part) for part in found.diff)
    title = escape(page.t("improved_title"))
    use = button(page.t("improve_use"), "use_rewrite", look="raised", id_="use_rewrite")
    keep = button(page.t("improve_keep"), "keep_mine", id_="keep_mine")
    return (
        f'<section class="rewriting offer" aria-label="{title}">'
        f'<p class="muted">{title} · {escape(by)}</p>{_told(page, *found.notices)}'
        f'<p class="diff" id="rewrite_diff" tabindex="-1" data-first>{parts}</p>'
        f'<div class="actions">{use}{keep}</div></section>'
    )


def used(page: Page) -> str:
    """The offer is in the box; the words typed at first are kept, and one press brings them back."""
    undo = button(page.t("improve_undo"), "undo_rewrite", look="bare", id_="undo_rewrite")
    undo = undo.replace("<button ", "<button data-first ", 1)
    return f'<div class="rewriting"><p class="told">{escape(page.t("improved_used"))}</p>{undo}</div>'


def watch(page: Page) -> str:
    """JavaScript for a changed prompt: an offer, or its undo, stays only while it is about this prompt.

    (prompt, original, offer, html) -> [original, offer, html].
    """
    empty = json.dumps(resting(page))
    return (
        "(prompt, original, offer, html) => studio.still(prompt, offer) "
        f"? [original, offer, html] : [String(prompt || '').trim() ? original : '', '', {empty}]"
    )


def _told(page: Page, *notices: Notice) -> str:
    return f'<p class="told" role="status">{escape(page.say(*notices))}</p>' if notices else ""


def _part(page: Page, part: DiffPart) -> str:
    text = escape(part.text)
    if part.kind == "same" or not part.text.strip():
        return text
    tag = "ins" if part.kind == "added" else "del"
    look = ' class="lost"' if part.kind == "lost" else ""
    # Few screen readers tell <ins> and <del>, so it is said in words.
    word = escape(page.t(_SAID[part.kind]))
    return f'<{tag}{look}><span class="visually-hidden">[{word}] </span>{text}</{tag}>'
