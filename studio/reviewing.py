"""What waits for a person: words and pictures that were held, and who decided about them, when and why."""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection, Engine

from pipelines.request import Notice
from studio.access import Visitor
from studio.checking import texts_of
from studio.db import UtcTime, metadata, reading, utc_now, writing
from studio.endings import end
from studio.jobs import Jobs
from studio.library import USABLE, Asset, Library, Standing
from studio.library.projects import rules_in
from studio.media.label import MIN_SECONDS
from studio.refusal import Refused
from studio.rows import Job, read_job
from studio.settings import Settings
from studio.trust import ledger, policy
from studio.trust.certificate import SealError, certificate_for
from studio.trust.coverage import coverage
from studio.trust.policy import MAX_NAMES, NAME_LENGTH, Policy
from studio.trust.texts import Finding, check_texts

What = Literal["approve", "reject"]
Kind = Literal["text", "picture"]
_MAX_NAME = 60
_MAX_COMMENT = 1000
_SHOWN = 200
_MARKS = (
    "SELECT count(*), max(created) FROM job WHERE state = 'held'",
    "SELECT count(*), max(created) FROM asset WHERE standing IN ('held', 'blocked')",
    "SELECT count(*), max(at) FROM decision",
)

log = logging.getLogger(__name__)

decision_table = sa.Table(
    "decision",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    # "text": a job whose words were held; "picture": a clip or film.
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Index("decision_by_subject", "subject"),
    sa.Index("decision_by_time", "at"),
)


@dataclass(frozen=True)
class HeldItem:
    """Something that waits: `texts` are a held job's words by place, `asset` a held or blocked clip or film.

    `reasons` say why, the worst first; `picture` is the hash of the one that a held job begins with.
    """

    kind: Kind
    id: str
    title: str
    owner: str
    created: datetime
    reasons: tuple[Notice, ...]
    blocked: bool = False
    texts: Mapping[str, str] | None = None
    asset: Asset | None = None
    picture: str = ""


@dataclass(frozen=True)
class Decision:
    """Who decided what about which job or asset: an owner's id, and the name that was given."""

    id: str
    kind: str
    subject: str
    title: str
    what: str
    who: str
    name: str
    comment: str
    at: datetime


@dataclass(frozen=True)
class LedgerView:
    """How many entries the ledger has from the first on without a fault, and the first fault."""

    entries: int
    fault: ledger.Fault | None


class Reviews:
    """The room where people decide; only admins enter."""

    def __init__(self, engine: Engine, settings: Settings, jobs: Jobs, assets: Library) -> None:
        self._engine, self._settings = engine, settings
        self._jobs, self._assets = jobs, assets

    def waiting(self, visitor: Visitor) -> list[HeldItem]:
        """All that waits, oldest first, then what lies in quarantine."""
        _admins(visitor)
        texts = [_of_job(job) for job in reversed(self._jobs.list(states=("held",), limit=_SHOWN))]
        pictures = [_of_asset(asset) for asset in self._assets.held(_SHOWN)]
        return sorted([*texts, *pictures], key=lambda item: (item.blocked, item.created))

    def count(self) -> int:
        """How many things wait for a person."""
        with reading(self._engine) as connection:
            return sum(
                int(connection.execute(sa.text(query)).scalar_one())
                for query in (
                    "SELECT count(*) FROM job WHERE state = 'held'",
                    "SELECT count(*) FROM asset WHERE standing = 'held'",
                )
            )

    def mark(self) -> str:
        """What waits and what was decided, as one short text: another one as soon as either is another."""
        with reading(self._engine) as connection:
            found = [connection.execute(sa.text(query)).one() for query in _MARKS]
        return ".".join("-".join(map(str, row)) for row in found)

    def found(self, visitor: Visitor, item: HeldItem) -> tuple[Finding, ...]:
        """Where in its words the lists and names of now find something; what a service found has no place."""
        _admins(visitor)
        rules = self.policy()
        return check_texts(item.texts or {}, names=rules.names, outcomes=rules.texts).findings

    def decide(
        self, visitor: Visitor, kind: Kind, subject: str, what: What, *, name: str, comment: str = ""
    ) -> None:
        """Approve or reject what is held; a blocked clip can be approved too, and leaves quarantine.

        Refused without a name, without a comment on a rejection, or if somebody else decided meanwhile.
        """
        _admins(visitor)
        name, comment = " ".join(name.split())[:_MAX_NAME], comment.strip()[:_MAX_COMMENT]
        if not name:
            raise Refused(Notice("review_name"))
        if what == "reject" and not comment:
            raise Refused(Notice("review_comment"))
        with writing(self._engine) as connection:
            decide = self._decide_text if kind == "text" else self._decide_picture
            title, follow = decide(connection, subject, what, comment)
            row = Decision(
                secrets.token_urlsafe(9), kind, subject, title, what, visitor.owner, name, comment, utc_now()
            )
            values = {field: getattr(row, field) for field in Decision.__dataclass_fields__}
            connection.execute(sa.insert(decision_table).values(**values))
            event: ledger.Event = "approved" if what == "approve" else "rejected"
            self._jobs.checker.note(connection, event, subject, visitor.owner, kind=kind, decision=row.id)
        if follow is not None:
            self._jobs.call_a_worker(follow)
        self._noted()

    def history(self, visitor: Visitor, *, subject: str | None = None, limit: int = 100) -> list[Decision]:
        """Decisions, the newest first; only those on one job or asset if given."""
        _admins(visitor)
        query = sa.select(decision_table).order_by(decision_table.c.at.desc()).limit(limit)
        if subject is not None:
            query = query.where(decision_table.c.subject == subject)
        with reading(self._engine) as connection:
            return [Decision(**row) for row in connection.execute(query).mappings()]

    def ledger(self, visitor: Visitor) -> LedgerView:
        """Read the whole ledger and tell whether it is what was written; seconds for a million entries."""
        _admins(visitor)
        home = self._settings.studio_home
        entries, fault = ledger.verify(self._engine, key=self._jobs.checker.key, home=home)
        return LedgerView(entries, fault)

    def entries(self) -> int:
        """How many entries the ledger has."""
        with reading(self._engine) as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM ledger")).scalar_one())

    def notices(self, visitor: Visitor) -> tuple[Notice, ...]:
        """What people should know of this studio's checks and of the certificate that signs its files."""
        _admins(visitor)
        try:
            warning = certificate_for(self._settings).notice()
        except SealError as error:
            warning = error.notice
        return (*coverage(self._settings).notices, *(() if warning is None else (warning,)))

    def unchecked(self) -> tuple[str, ...]:
        """The categories that nobody here looks for in pictures."""
        return coverage(self._settings).unchecked

    def policy(self, project: object = None) -> Policy:
        """The rules that hold now, for what is made in a project if one is given."""
        with reading(self._engine) as connection:
            return rules_in(connection, policy.current(connection), project)

    def set_policy(self, visitor: Visitor, values: Mapping[str, Any], *, reason: str = "") -> Policy:
        """Change some of the rules (Policy's fields by name) and leave the others; an admin's right."""
        _admins(visitor)
        if "allow" in (dict(values.get(kind) or {}).get("minors") for kind in ("texts", "pictures")):
            raise Refused(Notice("policy_minors"))
        try:
            rules = Policy.model_validate(self.policy().model_dump() | dict(values))
            with writing(self._engine) as connection:
                key = self._jobs.checker.key
                policy.change(connection, rules, who=visitor.owner, reason=reason, key=key)
        except PydanticCustomError as error:
            raise Refused(Notice(error.type, dict(error.context or {}))) from error
        except ValidationError as error:
            raise Refused(_wrong_rule(error)) from error
        self._noted()
        return rules

    def _decide_text(self, connection: Connection, job_id: str, what: What, comment: str) -> tuple[str, Any]:
        job = read_job(connection, job_id)
        if job is None or job.state != "held":
            raise Refused(Notice("review_over"))
        if what == "approve":
            return job.asked, self._jobs.release(connection, job_id)
        end(connection, job_id, "failed", Notice("review_rejected", {"comment": comment}))
        return job.asked, None

    def _decide_picture(
        self, connection: Connection, asset_id: str, what: What, comment: str
    ) -> tuple[str, Any]:
        standing = self._assets.standing(connection, asset_id)
        if standing is None or standing in USABLE or (standing == "rejected" and what == "reject"):
            raise Refused(Notice("review_over"))
        asset = self._assets.read(connection, asset_id)
        after: Standing = "public" if what == "approve" else "rejected"
        because = None if what == "approve" else [Notice("review_rejected", {"comment": comment})]
        self._assets.stand(connection, asset_id, after, because)
        return asset.asked if asset else "", None

    def _noted(self) -> None:
        ledger.note_last(self._engine, self._settings.studio_home)


def _of_job(job: Job) -> HeldItem:
    return HeldItem(
        kind="text",
        id=job.id,
        title=job.asked,
        owner=job.owner,
        created=job.created,
        reasons=() if job.error is None else (_why(job.error),),
        texts=texts_of(job.form, job.request, job.plan),
        picture=job.request.first_frame if job.request is not None else "",
    )


def _why(held: Notice) -> Notice:
    """What was found in words, out of the notice that their job keeps."""
    reason = held.values.get("reason")
    return reason if isinstance(reason, Notice) and reason.code else held


def _of_asset(asset: Asset) -> HeldItem:
    return HeldItem(
        kind="picture",
        id=asset.id,
        title=asset.asked,
        owner=asset.owner,
        created=asset.created,
        reasons=asset.reasons,
        blocked=asset.standing == "blocked",
        asset=asset,
    )


def _admins(visitor: Visitor) -> None:
    if not visitor.admin:
        raise Refused(Notice("admin_only"))


def _wrong_rule(error: ValidationError) -> Notice:
    """The first thing that is wrong with rules, in words."""
    found = error.errors(include_url=False)[0]
    place, context = found["loc"], found.get("ctx", {})
    if place[0] == "names":
        if len(place) > 1:
            told = {"line": int(place[1]) + 1, "low": NAME_LENGTH[0], "high": NAME_LENGTH[1]}
            return Notice("policy_name_length", told)
        return Notice("policy_names_many", {"count": context.get("actual_length", 0), "high": MAX_NAMES})
    if place == ("label", "seconds"):
        return Notice("label_seconds", {"low": MIN_SECONDS})
    field = ".".join(map(str, place))
    return Notice("policy_wrong", {"field": field, "value": str(found["input"])[:40]})
