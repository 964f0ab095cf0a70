"""The tab Review as HTML: for admins only, nobody's text as HTML, the next item at once, the rules."""

from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.request import Notice
from studio import db
from studio.access import Visitor
from studio.core import Studio
from studio.library import Asset
from studio.rows import job_table
from studio.ui import form, review, rules
from studio.ui.context import Page
from studio.ui.review import Message
from tests.ui.kit import asset
from tests.ui.test_stage import Tags

ME, ADMIN = Visitor("me", False), Visitor("root", True)
EVIL = "Jay Chou <img src=x onerror=alert(1)> & \"sings\" 'loud'"


def held(studio: Studio, asset_id: str, standing: Any = "held") -> Asset:
    """A clip that somebody made and that stands like that."""
    job = studio.jobs.submit("me", {"prompt": EVIL}, asset().request)  # type: ignore[arg-type]
    kept = asset(
        id=asset_id, job_id=job, standing=standing, form={"prompt": EVIL}, reasons=(Notice("held_review"),)
    )
    studio.assets.add(kept)
    with db.writing(studio.engine) as connection:
        done = sa.update(job_table).where(job_table.c.id == job)
        connection.execute(done.values(state="done", asset_id=asset_id))
    return kept


@pytest.fixture
def words(page: Page) -> str:
    page.studio.reviews.set_policy(ADMIN, {"names": ["Jay Chou"]})
    return page.studio.generate(ME, prompt=EVIL)


def html_of(page: Page, visitor: Visitor = ADMIN, **message: Any) -> str:
    return review.answer(page, visitor, Message(**message))


def test_whoever_is_no_admin_gets_a_sentence(page: Page, words: str) -> None:
    for act in ("", "approve", "save_rules", "check_ledger"):
        for section in review.SECTIONS:
            found = html_of(page, ME, act=act, section=section, current=f"text {words}", name="Me")
            assert "Jay" not in found
            assert "data-section" not in found
    assert page.studio.job(ME, words).job.state == "held"


def test_nothing_to_decide_is_one_sentence(page: Page) -> None:
    assert page.t("review_empty") in html_of(page)
    assert page.t("review_past_empty") in html_of(page, section="past")


def test_the_words_are_text_and_what_was_found_is_marked(page: Page, words: str) -> None:
    html = html_of(page)
    tags = Tags(html)
    assert "<mark>Jay Chou</mark>" in html
    assert EVIL in tags.text
    assert all(attrs.get("src") != "x" and "onerror" not in attrs for _, attrs in tags.tags)
    assert tags.tags[0][1]["data-current"] == f"text {words}"


def test_the_next_item_comes_at_once_and_the_decision_is_told(page: Page, words: str) -> None:
    kept = held(page.studio, "asset_2")
    html = html_of(page, act="approve", current=f"text {words}", name="<b>Wei</b>", comment=EVIL)
    assert page.t("review_did_approve") in html
    tags = Tags(html)
    assert tags.tags[0][1]["data-current"] == f"picture {kept.id}"
    assert "review_player" in tags.ids()
    told = Tags(html_of(page, section="past"))
    assert "<b>Wei</b>" in told.text
    assert EVIL in told.text
    assert all("onerror" not in attrs for _, attrs in told.tags)


def test_a_rejection_without_a_comment_stays_where_it_is(page: Page, words: str) -> None:
    html = html_of(page, act="reject", current=f"text {words}", name="Wei")
    assert 'class="sorry"' in html
    assert Tags(html).tags[0][1]["data-current"] == f"text {words}"


def test_quarantine_is_blurred_and_plays_nothing_by_itself(page: Page) -> None:
    held(page.studio, "asset_3", "blocked")
    closed = html_of(page)
    assert page.t("review_empty") in closed
    assert "still blurred" in closed
    tags = Tags(html_of(page, current="picture asset_3"))
    video = next(attrs for tag, attrs in tags.tags if tag == "video")
    assert "autoplay" not in video
    assert video["preload"] == "none"
    assert any("screen blurred" in attrs.get("class", "") for _, attrs in tags.tags)


def test_a_message_may_be_anything() -> None:
    for data in (None, "x", {"act": 7, "section": "no", "current": ["x"], "values": "no"}):
        found = review.read(SimpleNamespace(_data=data))
        assert found.section == "look"
        assert found.values is None


def sent(page: Page) -> dict[str, str]:
    """What the form says when nobody touched it: read out of its own HTML."""
    found: dict[str, str] = {}
    select = ""
    for tag, attrs in Tags(rules.render(page, ADMIN)).tags:
        name = attrs.get("name", "")
        if tag == "select":
            select = name
            found[name] = ""
        elif tag == "option" and "selected" in attrs:
            found[select] = attrs["value"]
        elif attrs.get("type") == "radio" and "checked" in attrs:
            found[name] = attrs["value"]
        elif attrs.get("type") == "checkbox":
            found[name] = "on" if "checked" in attrs else "off"
        elif attrs.get("type") == "number":
            found[name] = attrs["value"]
    return found


def test_saving_the_rules_untouched_changes_none_of_them(page: Page) -> None:
    given = {
        "publish": "after_review",
        "label": {"language": "zh", "corner": "top_left", "seconds": 3.5, "spoken": True},
        "texts": {"gore": "block"},
        "pictures": {"sexual": "block"},
        "when_down": "allow",
        "names": ["Jay Chou", "周杰伦"],
    }
    for values in ({}, given):
        page.studio.reviews.set_policy(ADMIN, values)
        before = page.studio.reviews.policy()
        form_says = sent(page) | {"names": "\n".join(before.names)}
        html_of(page, act="save_rules", section="rules", values=form_says)
        assert page.studio.reviews.policy() == before


def test_the_label_comes_off_only_with_a_reason(page: Page) -> None:
    values = sent(page) | {"label_shown": "off"}
    refused = html_of(page, act="save_rules", section="rules", values=values, reason="no")
    assert 'class="sorry"' in refused
    assert page.studio.reviews.policy().label.shown
    html_of(page, act="save_rules", section="rules", values=values, reason="it stands on the frame")
    assert not page.studio.reviews.policy().label.shown
    assert form.label(page) == page.t("price_label_off")


def test_the_line_below_the_button_says_the_label_as_it_will_be(page: Page) -> None:
    assert form.label(page) == "label: AI生成 · AI-generated"
    page.studio.reviews.set_policy(ADMIN, {"label": {"language": "zh"}})
    assert form.label(page) == "label: AI生成"


def test_the_ledger_is_read_when_asked(page: Page, words: str) -> None:
    count = page.studio.reviews.entries()
    assert page.t("ledger_entries", count=count) in html_of(page, section="rules")
    assert page.t("ledger_whole", count=count) in html_of(page, act="check_ledger", section="rules")
