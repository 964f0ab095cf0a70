"""What happens when something on the tab Story is used: handlers that answer in milliseconds."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr

from pipelines.request import Notice
from studio.access import Visitor
from studio.core import Refused
from studio.stories import StoryView
from studio.story.types import Level
from studio.story_pulse import pulse
from studio.ui.context import Page
from studio.ui.story import meanwhile, message, shown
from studio.ui.story.message import Here, Message
from studio.ui.story.undo import UNDOABLE, Before, Undo

# Edits whose meaning hangs on how the story was when they were asked for.
_IN_ORDER = ("add_shot", "delete_shot", "merge_shots", "move_shot", "split_shot", "write")

# More films of a table than these are asked for only after a question.
MANY_FILMS = 5


@dataclass(frozen=True)
class Reply:
    """What a page shows next: a story (None: the first screen), where in it, and a sentence if refused.

    `question`, with what is `agreed` to by it, is to be answered before what was asked for is done.
    `follow`: something is rendered now that was not before. `told` is a sentence that is no refusal;
    `theirs` says what somebody else wrote in the same field meanwhile.
    """

    view: StoryView | None
    here: Here = field(default_factory=Here)
    sorry: str = ""
    wrong: str = ""
    told: str = ""
    theirs: str = ""
    question: str = ""
    agreed: int = 0
    follow: bool = False


class StoryDesk:
    """The handlers of one page's stories."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._undo = Undo()
        self._does: dict[str, Callable[[Visitor, Message], Reply]] = {
            "home": lambda visitor, asked: Reply(None),
            "new": self._new,
            "blank": self._blank,
            "example": self._example,
            "import": self._import,
            "open_story": self._open,
            "refresh": self._look,
            "follow": self._look,
            "section": self._look,
            "open_shot": self._look,
            "pick": self._look,
            "film_open": self._look,
            "change": self._change,
            "undo": self._take_back,
            "film": self._film,
            "shot": self._shot,
            "take": self._take,
            "use_asset": self._use_asset,
            "cancel": self._cancel,
            "retry": self._retry,
            "table": self._table,
            "cancel_waiting": self._cancel_waiting,
            "duplicate": self._duplicate,
            "delete_story": self._delete,
        }

    def act(self, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        """Do what a message asks: every area of the tab anew, and an answer to the message."""
        return self.answer(self.page.visitor(request), message.read(event))

    def answer(self, visitor: Visitor, asked: Message) -> dict[str, Any]:
        """As `act`, for a message that was read."""
        # Before anything is read: what changes from here on is seen the next time that the page asks.
        before = self._mark(asked.story, None) if asked.act == "refresh" else ""
        try:
            reply = self._does.get(asked.act, self._look)(visitor, asked)
        except Refused as refused:
            reply = self._refused(visitor, asked, refused)
        try:
            areas = shown.areas(self.page, visitor, reply.view, reply.here, sorry=reply.sorry)
        except Refused as refused:
            reply = Reply(None, sorry=self.page.say(*refused.notices))
            areas = shown.areas(self.page, visitor, None, reply.here)
        told = {
            "story": reply.view.id if reply.view else "",
            "film": reply.here.film,
            "follow": reply.follow or not reply.view,
        }
        return areas | told | {"ack": self._ack(asked, reply, before)}

    def _mark(self, story: str, view: StoryView | None) -> str:
        """What `/story/ID/now` says as long as nothing changes but what the page shows."""
        found = pulse(self.page.studio.engine, story)
        if found is None:
            return ""
        return (found if view is None else replace(found, revision=view.revision)).mark

    def _refused(self, visitor: Visitor, asked: Message, refused: Refused) -> Reply:
        """The story as it is, and why not."""
        sorry = self.page.say(*refused.notices)
        wrong = str(refused.notices[0].values.get("field", ""))
        try:
            view = self._get(visitor, asked) if asked.story and asked.act != "open_story" else None
        except Refused:
            view = None
        return Reply(view, asked.here, sorry=sorry, wrong=wrong, follow=asked.act == "open_story")

    def _ack(self, asked: Message, reply: Reply, mark: str = "") -> str:
        view, here = reply.view, reply.here
        undo = self._undo.last(view.id, view.revision) if view else ""
        did = undo
        if view and undo == "approve_all" and not any(shot.approved for shot in view.story.shots):
            did = "approve_none"
        return json.dumps(
            {
                "number": asked.number,
                "act": asked.act,
                "story": view.id if view else "",
                "title": view.story.title if view else "",
                "revision": view.revision if view else 0,
                "mine": view.may_change if view else True,
                "stamp": shown.stamp(view, here) if view else "",
                "mark": mark or (self._mark(view.id, view) if view else ""),
                "back": bool(undo) and bool(view and view.may_change),
                "section": here.section,
                "open": here.open,
                "pick": here.pick,
                "film": here.film,
                "sorry": reply.sorry,
                "field": reply.wrong,
                "told": reply.told,
                "theirs": reply.theirs,
                "question": reply.question,
                "agreed": reply.agreed,
                "undo": self.page.t(f"story_did_{did}") if undo and asked.edit == undo else "",
            },
            ensure_ascii=False,
        )

    def _get(self, visitor: Visitor, asked: Message) -> StoryView:
        return self.page.studio.stories.get(visitor, asked.story)

    # -- looking -------------------------------------------------------------------------------------------

    def _look(self, visitor: Visitor, asked: Message) -> Reply:
        if not asked.story:
            return Reply(None)
        view = self._get(visitor, asked)
        # Somebody else may have begun to render something.
        woken = asked.act == "refresh" and asked.key == "live" and shown.busy(view, view.film)
        return Reply(view, asked.here, follow=woken or asked.act in ("film_open", "follow"))

    def _open(self, visitor: Visitor, asked: Message) -> Reply:
        view = self.page.studio.stories.get(visitor, asked.key)
        return Reply(view, replace(asked.here, section="shots", open="", pick=False), follow=True)

    # -- a new story ---------------------------------------------------------------------------------------

    def _new(self, visitor: Visitor, asked: Message) -> Reply:
        text = asked.text("text")
        if not text.strip():
            raise Refused(Notice("story_empty"))
        view = self.page.studio.stories.new(visitor, text=text, language=self.page.language)
        return Reply(view, told=self.page.say(*view.notices) if view.notices else "", follow=True)

    def _blank(self, visitor: Visitor, asked: Message) -> Reply:
        return Reply(self.page.studio.stories.new(visitor, language=self.page.language), follow=True)

    def _example(self, visitor: Visitor, asked: Message) -> Reply:
        return Reply(self.page.studio.stories.new(visitor, example=asked.key), follow=True)

    def _import(self, visitor: Visitor, asked: Message) -> Reply:
        return Reply(self.page.studio.stories.import_json(visitor, asked.text("text")), follow=True)

    def _duplicate(self, visitor: Visitor, asked: Message) -> Reply:
        view = self.page.studio.stories.duplicate(visitor, asked.story)
        return Reply(view, told=self.page.t("story_duplicated"), follow=True)

    def _delete(self, visitor: Visitor, asked: Message) -> Reply:
        self.page.studio.stories.delete(visitor, asked.story)
        return Reply(None)

    # -- edits ---------------------------------------------------------------------------------------------

    def _change(self, visitor: Visitor, asked: Message) -> Reply:
        stories = self.page.studio.stories
        before = self._get(visitor, asked) if asked.edit in UNDOABLE else None
        theirs = self._theirs(asked)
        revision = asked.revision if asked.edit in _IN_ORDER else None
        view = stories.change(visitor, asked.story, asked.edit, revision=revision, **asked.values)
        if before is not None:
            self._undo.note(view.id, Before(before.story, asked.edit, view.revision))
        here = asked.here
        known = {shot.shot.id for shot in before.shots} if before else set()
        if asked.edit in ("add_shot", "split_shot"):
            fresh = next((shot.shot.id for shot in view.shots if shot.shot.id not in known), here.open)
            here = replace(here, section="shots", open=fresh, pick=False)
        told = ""
        if asked.edit == "write":
            here = replace(here, section="shots", open="")
            told = self.page.say(*view.notices) if view.notices else ""
        return Reply(view, here, told=told, theirs=theirs)

    def _theirs(self, asked: Message) -> str:
        kept = self.page.studio.stories.store.get(asked.story) if asked.was is not None else None
        found = meanwhile.theirs(kept.story, asked.edit, asked.values, asked.was) if kept else ""
        return self.page.t("story_theirs", text=found) if found else ""

    def _take_back(self, visitor: Visitor, asked: Message) -> Reply:
        view = self._get(visitor, asked)
        before = self._undo.take(view.id, view.revision)
        if before is None:
            return Reply(view, asked.here, sorry=self.page.t("story_undo_late"))
        stories = self.page.studio.stories
        return Reply(stories.put_back(visitor, view.id, before.story, view.revision), asked.here)

    def _take(self, visitor: Visitor, asked: Message) -> Reply:
        view = self.page.studio.stories.change(
            visitor,
            asked.story,
            "choose_take",
            shot_id=asked.text("shot_id"),
            asset_id=asked.text("asset_id"),
        )
        return Reply(view, asked.here)

    def _use_asset(self, visitor: Visitor, asked: Message) -> Reply:
        stories = self.page.studio.stories
        view = stories.use_asset(visitor, asked.story, asked.text("shot_id"), asked.text("asset_id"))
        return Reply(view, replace(asked.here, pick=False))

    # -- rendering -----------------------------------------------------------------------------------------

    def _film(self, visitor: Visitor, asked: Message) -> Reply:
        self.page.studio.stories.film(visitor, asked.story, _level(asked.key))
        return Reply(self._get(visitor, asked), replace(asked.here, film=""), follow=True)

    def _shot(self, visitor: Visitor, asked: Message) -> Reply:
        self.page.studio.stories.render_shot(
            visitor,
            asked.story,
            asked.text("shot_id"),
            _level(asked.text("level")),
            another=asked.values.get("another") is True,
        )
        return Reply(self._get(visitor, asked), asked.here, follow=True)

    def _cancel(self, visitor: Visitor, asked: Message) -> Reply:
        self.page.studio.cancel(visitor, asked.key)
        return Reply(self._get(visitor, asked), asked.here, follow=True)

    def _retry(self, visitor: Visitor, asked: Message) -> Reply:
        self.page.studio.retry(visitor, asked.key)
        return Reply(self._get(visitor, asked), asked.here, follow=True)

    def _table(self, visitor: Visitor, asked: Message) -> Reply:
        level, text = _level(asked.text("level")), asked.text("text")
        tables = self.page.studio.stories.tables
        count = tables.rows(visitor, asked.story, text)
        if count > MANY_FILMS and asked.values.get("agreed") != count:
            seconds = tables.seconds(visitor, asked.story, text, level)
            time = self.page.t("price_unknown") if seconds is None else self.page.duration(seconds)
            key = "story_table_sure" if seconds is not None else "story_table_sure_unknown"
            question = self.page.t(key, count=count, time=time)
            return Reply(self._get(visitor, asked), asked.here, question=question, agreed=count)
        jobs = tables.films(visitor, asked.story, text, level)
        told = self.page.t("story_table_asked", count=len(jobs))
        return Reply(self._get(visitor, asked), asked.here, told=told, follow=True)

    def _cancel_waiting(self, visitor: Visitor, asked: Message) -> Reply:
        count = self.page.studio.stories.tables.cancel_waiting(visitor, asked.story)
        told = self.page.t("story_waiting_cancelled", count=count)
        return Reply(self._get(visitor, asked), asked.here, told=told, follow=True)


def _level(name: str) -> Level:
    return "film" if name == "film" else "animatic"
