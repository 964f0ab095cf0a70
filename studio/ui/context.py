"""Who reads this page: the studio behind it, the language in front of it, and what is said in words."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from pipelines.request import Notice
from studio import access, words
from studio.access import Visitor
from studio.core import Studio
from studio.words import Language


@dataclass(frozen=True)
class Page:
    """One language's page over the studio; passed to every tab instead of globals."""

    studio: Studio
    language: Language

    def t(self, key: str, **values: Any) -> str:
        """A text of the page in its language, as plain text: escape it where it enters HTML."""
        return words.page(key, self.language, **values)

    def say(self, *notices: Notice) -> str:
        """Statuses or errors from anywhere, in the page's language, as one short paragraph."""
        joint = "" if self.language == "zh" else " "
        return joint.join(words.say(notice, self.language) for notice in notices)

    def field(self, name: str) -> str:
        """What a field of the form is called."""
        found = words.field(name, self.language)
        return found[:1].upper() + found[1:]

    def stage(self, name: str) -> str:
        """What a running job is doing."""
        found = words.stage(name, self.language)
        return found[:1].upper() + found[1:]

    def counted(self, stage: str, step: int, total: int) -> str:
        """How far a running job is within its stage; empty for stages that are not counted."""
        if not total:
            return ""
        if stage == "denoising":
            return self.t("step", step=step, total=total)
        if stage == "takes":
            return self.t("takes_of", step=step, total=total)
        return self.t("share", percent=round(100 * step / total)) if stage in ("cutting", "finishing") else ""

    def state(self, name: str) -> str:
        """The state of a job in one word."""
        found = words.state(name, self.language)
        return found[:1].upper() + found[1:]

    def category(self, name: str) -> str:
        """What a category of the checks is called, at the beginning of a line."""
        found = words.category(name, self.language)
        return found[:1].upper() + found[1:]

    def duration(self, seconds: float) -> str:
        """A length of time as people say it."""
        return words.duration(seconds, self.language)

    def visitor(self, request: gr.Request) -> Visitor:
        """Who is asking, by the signed cookies of their browser."""
        return access.visitor_of(dict(request.cookies), self.studio.settings)

    def ago(self, moment: datetime, now: datetime | None = None) -> str:
        """How long ago something was; its date when that is more than a week."""
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
        if seconds < 45:
            return self.t("just_now")
        if seconds < 7 * 86400:
            whole = self.duration(seconds) if seconds < 86400 else self.t("days", count=int(seconds // 86400))
            return self.t("ago", time=whole)
        return moment.date().isoformat()
