"""The review room: what waits, who decides, what an owner then sees; rules and ledger, on both databases."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.request import Notice, Progress
from studio import db
from studio.access import Visitor
from studio.core import Studio
from studio.library import Asset, new_id, places
from studio.refusal import Refused
from studio.reviewing import Reviews
from studio.rows import job_table
from studio.trust.ledger import ledger_table
from tests.queue_kit import Desk, asset_of, small

ADMIN, ANN = Visitor("root", admin=True), Visitor("ann", admin=False)
NAMED = "Jay Chou sings on a roof"


@pytest.fixture
def reviews(desk: Desk) -> Reviews:
    made = Reviews(desk.engine, desk.settings, desk.jobs, desk.library)
    made.set_policy(ADMIN, {"names": ["Jay Chou"]})
    return made


def held_words(desk: Desk) -> str:
    return desk.jobs.submit("ann", {"prompt": NAMED}, small(NAMED))


def made(desk: Desk, standing: Any, *reasons: Notice) -> Asset:
    """A finished job whose clip stands like that."""
    job_id = desk.submit()
    asset_id = new_id()
    asset = asset_of(desk.job(job_id), asset_id, *places(asset_id, ".webp"))
    asset = replace(asset, standing=standing, reasons=reasons)
    desk.library.add(asset)
    with db.writing(desk.engine) as connection:
        done = sa.update(job_table).where(job_table.c.id == job_id)
        connection.execute(done.values(state="done", asset_id=asset_id))
    return asset


def refused(does: Any, *arguments: Any, **named: Any) -> list[str]:
    with pytest.raises(Refused) as caught:
        does(*arguments, **named)
    return [notice.code for notice in caught.value.notices]


def test_only_admins_enter(desk: Desk, reviews: Reviews) -> None:
    job = held_words(desk)
    doors: list[tuple[Any, ...]] = [
        (reviews.waiting,),
        (reviews.history,),
        (reviews.ledger,),
        (reviews.notices,),
        (reviews.set_policy, {"publish": "after_review"}),
    ]
    for does, *more in doors:
        assert refused(does, ANN, *more) == ["admin_only"], does
    assert refused(reviews.decide, ANN, "text", job, "approve", name="Ann") == ["admin_only"]
    item = reviews.waiting(ADMIN)[0]
    assert refused(reviews.found, ANN, item) == ["admin_only"]
    assert desk.job(job).state == "held"


def test_held_words_are_found_where_they_stand_and_go_on_when_approved(desk: Desk, reviews: Reviews) -> None:
    job = held_words(desk)
    assert desk.claims().claim("t1") is None
    (item,) = reviews.waiting(ADMIN)
    assert (item.kind, item.id, item.title, item.blocked) == ("text", job, NAMED, False)
    (found,) = reviews.found(ADMIN, item)
    assert (found.place, found.words) == ("prompt", "Jay Chou")
    reviews.decide(ADMIN, "text", job, "approve", name="Wei", comment="licensed")
    assert desk.job(job).state == "queued"
    assert desk.job(job).error is None
    assert reviews.waiting(ADMIN) == []
    (decision,) = reviews.history(ADMIN)
    assert (decision.what, decision.name, decision.who) == ("approve", "Wei", "root")
    assert (decision.comment, decision.subject) == ("licensed", job)


def test_rejected_words_tell_their_owner_why(desk: Desk, reviews: Reviews) -> None:
    job = held_words(desk)
    assert refused(reviews.decide, ADMIN, "text", job, "reject", name="Wei") == ["review_comment"]
    assert refused(reviews.decide, ADMIN, "text", job, "approve", name="  ") == ["review_name"]
    reviews.decide(ADMIN, "text", job, "reject", name="Wei", comment="no licence")
    ended = desk.job(job)
    assert (ended.state, ended.error) == ("failed", Notice("review_rejected", {"comment": "no licence"}))
    assert refused(reviews.decide, ADMIN, "text", job, "approve", name="Wei") == ["review_over"]


def test_a_held_clip_is_shown_once_it_is_approved(desk: Desk, reviews: Reviews) -> None:
    held = made(desk, "held", Notice("held_review"))
    (item,) = reviews.waiting(ADMIN)
    assert (item.kind, item.asset and item.asset.id, item.reasons) == (
        "picture", held.id, (Notice("held_review"),)
    )  # fmt: skip
    assert desk.library.list() == []
    reviews.decide(ADMIN, "picture", held.id, "approve", name="Wei")
    assert [asset.id for asset in desk.library.list()] == [held.id]
    assert refused(reviews.decide, ADMIN, "picture", held.id, "reject", name="W", comment="late") == [
        "review_over"
    ]


def test_a_rejected_clip_keeps_the_comment_for_its_owner(desk: Desk, reviews: Reviews) -> None:
    held = made(desk, "held", Notice("held_review"))
    reviews.decide(ADMIN, "picture", held.id, "reject", name="Wei", comment="a logo is seen")
    after = desk.library.get(held.id)
    assert after is not None
    assert after.standing == "rejected"
    assert after.reasons == (Notice("review_rejected", {"comment": "a logo is seen"}),)
    assert desk.library.standings([held.id, "unknown"]) == {held.id: "rejected"}


def test_quarantine_comes_last_and_can_be_left(desk: Desk, reviews: Reviews) -> None:
    blocked = made(desk, "blocked", Notice("picture_sexual"))
    job = held_words(desk)
    assert [(item.id, item.blocked) for item in reviews.waiting(ADMIN)] == [(job, False), (blocked.id, True)]
    assert reviews.count() == 1
    reviews.decide(ADMIN, "picture", blocked.id, "approve", name="Wei")
    assert desk.library.usable(blocked.id) is not None


def test_the_mark_is_another_whenever_something_is(desk: Desk, reviews: Reviews) -> None:
    marks = [reviews.mark()]
    job = held_words(desk)
    marks.append(reviews.mark())
    held = made(desk, "held")
    marks.append(reviews.mark())
    reviews.decide(ADMIN, "text", job, "approve", name="Wei")
    marks.append(reviews.mark())
    reviews.decide(ADMIN, "picture", held.id, "approve", name="Wei")
    marks.append(reviews.mark())
    assert len(set(marks)) == len(marks)
    assert reviews.mark() == marks[-1]


def test_rules_are_kept_or_told_what_is_wrong(desk: Desk, reviews: Reviews) -> None:
    off = {"label": {"shown": False}}
    assert refused(reviews.set_policy, ADMIN, off, reason="because") == ["policy_reason"]
    reviews.set_policy(ADMIN, off, reason="shown in the frame around it")
    assert not reviews.policy().label.shown
    assert reviews.policy().names == ("Jay Chou",)
    for wrong, code in (
        ({"publish": "sometimes"}, "policy_wrong"),
        ({"texts": {"gore": "maybe"}}, "policy_wrong"),
        ({"label": {"seconds": 1}}, "label_seconds"),
        ({"names": ["Jay Chou", "J"]}, "policy_name_length"),
        ({"names": [f"Name {n}" for n in range(2001)]}, "policy_names_many"),
    ):
        assert refused(reviews.set_policy, ADMIN, wrong) == [code]
    for kind in ("texts", "pictures"):
        assert refused(reviews.set_policy, ADMIN, {kind: {"minors": "allow"}}) == ["policy_minors"]


def test_the_ledger_tells_whether_it_was_changed(desk: Desk, reviews: Reviews) -> None:
    held_words(desk)
    whole = reviews.ledger(ADMIN)
    assert (whole.entries, whole.fault) == (reviews.entries(), None)
    with db.writing(desk.engine) as connection:
        connection.execute(sa.update(ledger_table).where(ledger_table.c.number == 1).values(who="somebody"))
    fault = reviews.ledger(ADMIN).fault
    assert fault is not None
    assert (fault.number, fault.what) == (1, "changed")


def test_what_is_checked_and_what_signs_is_said(desk: Desk, reviews: Reviews) -> None:
    codes = [notice.code for notice in reviews.notices(ADMIN)]
    assert "certificate_self_made" in codes
    assert set(codes) & {"pictures_unchecked", "pictures_checked"}
    assert "violence" in reviews.unchecked()


def test_where_a_person_approves_first_nobody_else_sees_a_picture_in_the_making(
    desk: Desk, reviews: Reviews
) -> None:
    studio, job = Studio(desk.settings), desk.submit()
    desk.claims().report(desk.begin(), Progress("denoising", 1, 4), 6.0, (1, b"picture"))
    assert studio.preview(ANN, job) == b"picture"
    studio.reviews.set_policy(ADMIN, {"publish": "after_review"})
    assert studio.preview(ANN, job) is None
    views = [studio.job(ANN, job), *studio.queue(ANN)]
    assert [view.progress and view.progress.preview_version for view in views] == [0, 0]
    assert studio.preview(ADMIN, job) == b"picture"
    progress = studio.job(ADMIN, job).progress
    assert progress is not None
    assert progress.preview_version == 1
    studio.jobs.tickets.close()
    studio.engine.dispose()


def test_a_follower_of_what_is_held_hears_of_the_decision(desk: Desk, reviews: Reviews) -> None:
    studio = Studio(desk.settings)
    held = made(desk, "held", Notice("held_review"))

    async def watch() -> list[str]:
        seen = []
        async for view in studio.follow(ANN, held.job_id):
            seen.append(view.state)
            if view.waits_for_a_person:
                decide = partial(reviews.decide, ADMIN, "picture", held.id, "approve", name="Wei")
                await asyncio.to_thread(decide)
        return seen

    assert asyncio.run(asyncio.wait_for(watch(), 60)) == ["held", "done"]
    studio.jobs.tickets.close()
    studio.engine.dispose()
