"""Texts before the queue: every text of a job is looked at, and what is held or refused goes nowhere."""

import pytest

from pipelines.request import GenerationRequest
from studio import db
from studio.checking import texts_of
from studio.refusal import Refused
from studio.story.film_plan import FilmPlan, PlannedShot
from studio.trust import ledger, policy
from studio.trust.policy import Policy
from tests.queue_kit import Desk, small

BLOCKED = "two naked people having sex on a bed"
NAMES = ("Acme Cola",)


def names_held(desk: Desk) -> None:
    with db.writing(desk.engine) as connection:
        rules = Policy(names=NAMES)
        policy.change(connection, rules, who="ann", reason="", key=desk.jobs.checker.key)


def entries(desk: Desk, subject: str) -> list[ledger.Entry]:
    with db.reading(desk.engine) as connection:
        return ledger.of_subject(connection, subject)


def test_every_text_of_a_film_is_looked_at() -> None:
    request = GenerationRequest(prompt="a fox in snow", negative_prompt="rain", seed=1)
    shot = PlannedShot(
        shot_id="a", number=1, title="One", requests=(request,), narration="A fox.", seconds=2,
        captions={"en": "A fox.", "zh": "一只狐狸。"},
    )  # fmt: skip
    plan = FilmPlan(
        story_id="s", title="The fox", language="en", level="film", shots=(shot,), format="16:9",
        height=480, fps=24, end_card="The end",
    )  # fmt: skip
    found = texts_of({}, None, plan)
    assert set(found.values()) == {
        "The fox", "The end", "One", "A fox.", "一只狐狸。", "a fox in snow", "rain"
    }  # fmt: skip
    assert {place.split()[0] for place in found} == {"title", "end_card", "shot", "negative_prompt"}


def test_words_are_judged_as_a_prompt_also_where_a_negative_prompt_has_them() -> None:
    request = GenerationRequest(prompt="storm", negative_prompt="storm", seed=1)
    assert texts_of({}, request, None) == {"prompt": "storm", "negative_prompt": "storm"}


def test_a_prompt_that_may_not_be_used_is_refused_with_its_words(desk: Desk) -> None:
    with pytest.raises(Refused) as refused:
        desk.submit(BLOCKED)
    assert refused.value.notices[0].code.startswith("trust_")
    assert refused.value.notices[0].values["words"] in BLOCKED
    assert desk.jobs.list() == []


def test_a_held_job_waits_until_a_person_lets_it_go(desk: Desk) -> None:
    names_held(desk)
    held = desk.submit("a can of Acme Cola on a beach")
    assert desk.job(held).state == "held"
    assert (error := desk.job(held).error) is not None
    assert error.code == "held_text"
    assert desk.claims().claim("t1") is None, "no worker sees it"
    assert [entry.event for entry in entries(desk, held)] == ["held"]
    with db.writing(desk.engine) as connection:
        assert desk.jobs.release(connection, held) == "clip"
    assert desk.claims().claim("t2") == held
    with db.writing(desk.engine) as connection:
        assert desk.jobs.release(connection, held) is None, "once"


def test_a_held_job_can_be_cancelled(desk: Desk) -> None:
    names_held(desk)
    held = desk.submit("a can of Acme Cola on a beach")
    assert desk.jobs.cancel(held)
    assert desk.job(held).state == "cancelled"


def test_asked_for_again_it_is_looked_at_again(desk: Desk) -> None:
    harmless = desk.submit("a can of Acme Cola on a beach")
    assert desk.job(harmless).state == "queued"
    desk.jobs.cancel(harmless)
    names_held(desk)
    desk.jobs.retry(harmless)
    assert desk.job(harmless).state == "held"
    with db.writing(desk.engine) as connection:
        desk.jobs.release(connection, harmless)
        desk.jobs.checker.note(connection, "approved", harmless, "ann")
    desk.jobs.cancel(harmless)
    desk.jobs.retry(harmless)
    assert desk.job(harmless).state == "queued", "a person has approved these words"


def test_the_ledger_holds_no_words(desk: Desk) -> None:
    job_id = desk.jobs.submit("ann", {"prompt": "a boat"}, small("a secret campaign"))
    assert "campaign" not in str([entry.facts for entry in entries(desk, job_id)])
