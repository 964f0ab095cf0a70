"""What waits for a person or may not be shown: nothing of it is seen, its words are marked, a way on is."""

from typing import Any

import pytest

from pipelines.request import Notice
from studio.access import Visitor
from studio.core import JobView
from studio.ui import queue, stage, withheld
from studio.ui.context import Page
from studio.ui.desk import Desk
from studio.views import seen_by
from tests.ui.kit import PROMPT, asset, job, view
from tests.ui.test_stage import Tags

ME, GUEST, ADMIN = Visitor("me", False), Visitor("guest", False), Visitor("root", True)
HELD = Notice("held_text", {"reason": Notice("trust_names", {"words": "storm"})})


def made(standing: Any, *reasons: Notice) -> JobView:
    """A finished job as the door reads it."""
    kept = asset(standing=standing, reasons=reasons)
    return view("done", asset=kept, standing=standing, reasons=reasons)


def test_held_words_are_marked_and_can_be_edited_or_taken_back(page: Page) -> None:
    html = stage.render(page, seen_by(ME, view("held", job=job("held", error=HELD))))
    tags = Tags(html)
    assert 'data-state="held"' in html
    assert "<mark>storm</mark>" in html
    assert PROMPT in tags.text
    assert {"edit_words", "cancel"} <= tags.ids()
    guest = Tags(stage.render(page, seen_by(GUEST, view("held", job=job("held", error=HELD)))))
    assert not {"edit_words", "cancel"} & guest.ids()


@pytest.mark.parametrize("standing", ["held", "blocked", "rejected", "draft"])
def test_nothing_of_a_withheld_clip_is_seen(page: Page, standing: str) -> None:
    comment = "a logo <b>is</b> seen"
    reason = (
        Notice("review_rejected", {"comment": comment}) if standing == "rejected" else Notice("held_review")
    )
    tags = Tags(stage.render(page, seen_by(GUEST, made(standing, reason))))
    assert tags.tags[0][1]["data-state"] == standing
    assert not {"player", "download", "use"} & tags.ids()
    assert "asset_1" not in str(tags.tags)
    assert (comment in tags.text) == (standing == "rejected")


def test_whoever_made_what_is_refused_may_mend_its_words(page: Page) -> None:
    for standing in ("blocked", "rejected"):
        assert "edit_words" in Tags(stage.render(page, seen_by(ME, made(standing)))).ids()
    assert "edit_words" not in Tags(stage.render(page, seen_by(ME, made("held")))).ids()


def test_an_admin_sees_the_clip_and_the_way_to_review(page: Page) -> None:
    tags = Tags(stage.render(page, seen_by(ADMIN, made("held", Notice("held_review")))))
    assert {"player", "to_review"} <= tags.ids()
    assert "held" in tags.text
    open_to_all = Tags(stage.render(page, seen_by(ADMIN, made("public"))))
    assert "to_review" not in open_to_all.ids()


def test_a_text_that_a_person_turned_down_says_why(page: Page) -> None:
    error = Notice("review_rejected", {"comment": "no licence"})
    html = stage.render(page, seen_by(ME, view("failed", job=job("failed", error=error))))
    assert 'data-state="rejected"' in html
    assert "no licence" in html
    assert "edit_words" in html


def test_what_is_held_is_followed_until_it_is_decided() -> None:
    assert not made("held").is_final
    assert made("held").waits_for_a_person
    assert made("public").is_final
    assert made("rejected").is_final
    assert view("held", job=job("held", error=HELD)).waits_for_a_person


def test_the_queue_tells_what_waits_for_a_person(page: Page) -> None:
    page.studio.reviews.set_policy(ADMIN, {"names": ["Jay Chou"]})
    held = page.studio.generate(ME, prompt="Jay Chou sings")
    html = queue.render(page, ME)
    assert f'data-state="held" data-job="{held}"' in html
    assert page.t("row_held_words") in html
    acts = [attrs["data-act"] for _, attrs in Tags(html).tags if "data-act" in attrs]
    assert acts == ["open", "cancel"]


def test_refused_words_are_shown_in_their_field_as_text(page: Page) -> None:
    notices = (Notice("trust_sexual", {"words": "<i>naked</i>"}), Notice("trust_sexual", {"words": "nude"}))
    texts = {"prompt": "a boat", "negative_prompt": "a <i>naked</i> and nude & sad man"}
    html = withheld.trouble(page, notices, texts)
    tags = Tags(html)
    assert tags.tags[0][1]["data-field"] == "negative_prompt"
    assert "<mark>&lt;i&gt;naked&lt;/i&gt;</mark>" in html
    assert "<mark>nude</mark>" in html
    assert texts["negative_prompt"] in tags.text


def test_words_that_overlap_are_marked_once_and_long_texts_are_cut() -> None:
    assert withheld.spans("abcdef", [(1, 3), (2, 4), (5, 6)]) == "a<mark>bcd</mark>e<mark>f</mark>"
    short = withheld.marked("x" * 400 + "storm" + "y" * 400, ["storm"], short=True)
    assert short == f"…{'x' * 90}<mark>storm</mark>{'y' * 90}…"
    assert withheld.marked("plain <b>", []) == "plain &lt;b&gt;"


def test_a_refused_prompt_keeps_the_form_and_marks_the_words(page: Page) -> None:
    request: Any = type("Request", (), {"cookies": {}})()
    job_id, sorry, trouble = Desk(page).ask(request, prompt="two people have sex on a bed", style="none")
    assert not isinstance(job_id, str)
    assert sorry == ""
    assert "<mark>have sex</mark>" in trouble
