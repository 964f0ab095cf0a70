"""Texts are checked before anything is queued: which texts a job has, and what the rules say of them."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine

from pipelines.request import GenerationRequest, Notice
from studio.db import reading
from studio.refusal import Objected
from studio.settings import Settings
from studio.story.film_plan import FilmPlan
from studio.trust import ledger, policy
from studio.trust.moderation import moderate
from studio.trust.texts import Verdict, check_texts, verdict_of

# So many reasons are told at once; whoever mends those hears of the rest.
_TOLD = 4


def texts_of(
    form: Mapping[str, Any], request: GenerationRequest | None, plan: FilmPlan | None
) -> dict[str, str]:
    """Every text of a job by its place ("prompt", "negative_prompt", "title", "shot 3" …), each text once."""
    found: dict[str, str] = {}
    # What shall not be seen is judged otherwise, so the same words count once in each of the two.
    seen: set[tuple[bool, str]] = set()

    def add(place: str, text: object) -> None:
        if not isinstance(text, str) or not text.strip() or (place == "negative_prompt", text) in seen:
            return
        seen.add((place == "negative_prompt", text))
        found[f"{place} {len(found)}" if place in found else place] = text

    if request is None and plan is None:
        for name in ("title", "prompt", "negative_prompt"):
            add(name, form.get(name))
    if request is not None:
        add("prompt", form.get("prompt"))
        add("prompt", request.prompt)
        add("negative_prompt", request.negative_prompt)
    if plan is not None:
        add("title", plan.title)
        add("end_card", plan.end_card)
        for shot in plan.shots:
            for text in (shot.title, shot.narration, *shot.captions.values()):
                add(f"shot {shot.number}", text)
            for wanted in shot.requests:
                add(f"shot {shot.number}", wanted.prompt)
                add("negative_prompt", wanted.negative_prompt)
    return found


class Checker:
    """Says what the rules say, and writes down that it did."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings

    @cached_property
    def key(self) -> bytes:
        """What the ledger is sealed with."""
        return self._settings.sealing_key()

    def verdict(self, texts: Mapping[str, str]) -> Verdict:
        """What is to be done with these texts, by the rules of now and by the service that is configured."""
        with reading(self._engine) as connection:
            rules = policy.current(connection)
        own = check_texts(texts, names=rules.names, outcomes=rules.texts)
        if own.outcome == "block":
            return own
        more = moderate(texts, self._settings, when_down=rules.when_down, outcomes=rules.texts)
        return verdict_of((*own.findings, *more))

    def passed(self, texts: Mapping[str, str]) -> Verdict:
        """As `verdict`; Objected with the words that are why if they may not be used at all."""
        found = self.verdict(texts)
        if found.outcome == "block":
            reasons = [one.notice for one in found.findings if one.outcome == "block"]
            raise Objected(*[one for at, one in enumerate(reasons) if one not in reasons[:at]][:_TOLD])
        return found

    def note(self, connection: Connection, event: ledger.Event, subject: str, who: str, **facts: Any) -> None:
        """Write into the ledger, within the caller's transaction."""
        ledger.append(connection, event, subject, key=self.key, who=who, facts=facts)


def held_because(found: Verdict) -> dict[str, Any]:
    """The reason that a held job's row keeps: a notice that names the first finding and lists the others."""
    worst = found.worst
    reason = asdict(worst.notice) if worst else {"code": "", "values": {}}
    return asdict(Notice("held_text", {"reason": reason}))


def because_of(picture: Notice) -> dict[str, Any]:
    """As `held_because`, where the picture that a clip shall begin with is why."""
    return asdict(Notice("held_picture", {"reason": asdict(picture)}))


def categories(found: Verdict) -> list[str]:
    """What the findings are about; the ledger keeps this and not the words."""
    return sorted({one.category for one in found.findings})
