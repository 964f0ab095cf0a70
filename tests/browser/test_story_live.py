"""The tab Story in Chromium, as two see it at once, and what a first-time user stumbles over."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from studio.core import Studio
from studio.settings import Settings
from tests.browser.test_story import cards, opened, paste, saved
from tests.running_app import RunningApp
from tests.story.kit import set_state
from tests.ui.kit import asset

FILM = Path(__file__).resolve().parents[2] / "assets" / "examples" / "first.mp4"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SOON = 60_000


def test_two_who_have_the_same_story_open(context: BrowserContext) -> None:
    one, other = context.new_page(), context.new_page()
    wrong: list[str] = []
    for page in (one, other):
        page.on("pageerror", lambda error: wrong.append(str(error)))
    paste(one)
    other.goto(one.url)
    expect(cards(other)).to_have_count(3)
    # An edit is seen on the other page, without a reload.
    first, theirs = (page.locator(".shot textarea.text").first for page in (one, other))
    first.fill("A boat of one.")
    saved(one)
    expect(theirs).to_have_value("A boat of one.")
    # Both write the same shot: nobody's text is lost in silence.
    other.context.set_offline(True)
    theirs.fill("A boat of the other.")
    first.fill("A boat of one, again.")
    other.wait_for_timeout(800)
    other.context.set_offline(False)
    for page in (one, other):
        expect(page.locator("#story_meanwhile p").first).to_contain_text("A boat of")
    expect(theirs).to_have_value(first.input_value())
    one.click("#story_meanwhile button")
    expect(one.locator("#story_meanwhile")).to_be_hidden()
    # What is typed stays while somebody else changes another shot.
    box = other.locator(".shot textarea.text").nth(1)
    box.click()
    one.locator(".shot textarea.text").nth(2).fill("Rain falls.")
    expect(other.locator(".shot textarea.text").nth(2)).to_have_value("Rain falls.")
    expect(box).to_be_focused()
    # A film that is asked for here is followed there; a story that is deleted is gone there.
    one.click("#story_animatic")
    expect(other.locator('#story_stage section[data-state="queued"]')).to_be_visible()
    one.locator(".story-head summary").click()
    one.click("#story_delete")
    one.click("#confirm_yes")
    expect(other.locator("#story_text")).to_be_visible()
    assert wrong == []


def test_a_table_is_checked_as_it_is_loaded(context: BrowserContext) -> None:
    page = context.new_page()
    paste(page, "1. {child} lives by the sea.\n2. At night {child} sees a red dragon.")
    page.click("#story_to_cast")
    told, box, file = (page.locator(name) for name in ("#story_table_told", "#story_table", "[data-table]"))
    file.set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n\0\0"})
    expect(told).to_contain_text("Save it as CSV")
    expect(box).to_have_value("")
    rows = "child\n" + "\n".join(f"Mia {n}" for n in range(7))
    file.set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    expect(told).to_contain_text("7 rows, ready")
    box.fill("who\nMia")
    expect(told).to_contain_text("who")
    box.fill(rows)
    expect(told).to_contain_text("7 rows, ready")
    # More than a few are asked for only after a question.
    page.click("#story_table_draft")
    expect(page.locator("#confirm_title")).to_contain_text("7 films")
    expect(page.locator("#confirm_yes")).to_have_class("btn primary")
    page.click("#confirm_no")
    expect(page.locator(".stories .open")).to_have_count(0)
    page.click("#story_table_draft")
    page.click("#confirm_yes")
    expect(page.locator("#story_films .stories b").first).to_contain_text("Mia 6")
    expect(box).to_have_value("")
    page.click("#story_cancel_waiting")
    expect(page.locator("#confirm_title")).to_contain_text("7 waiting films")
    page.click("#confirm_yes")
    expect(page.locator("#story_cancel_waiting")).to_have_count(0)
    # Red is a question after which something is gone.
    page.click(".story-head .menu summary")
    page.click("#story_delete")
    expect(page.locator("#confirm_yes")).to_have_class("btn danger")
    expect(page.locator("#confirm_no")).to_be_focused()
    page.keyboard.press("Escape")


def _finished(home: Path) -> None:
    """Finish the film that was asked for last, as a worker would do it."""
    studio = Studio(Settings(studio_home=home, local_worker=False))
    waiting = studio.jobs.list(states=["queued"])
    job = max((job for job in waiting if job.kind == "film"), key=lambda job: job.created)
    made = {"job_id": job.id, "owner": job.owner, "kind": "film", "request": None, "plan": job.plan}
    film = asset(id=f"of_{job.id}", **made)
    (home / film.path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(FILM, home / film.path)
    studio.assets.add(film)
    set_state(studio, job.id, "done", asset_id=f"of_{job.id}")


def test_a_question_ends_with_its_film_and_a_film_outlives_the_next_try(
    context: BrowserContext, resting: RunningApp
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    paste(page)
    page.click("#story_animatic")
    page.click("#story_cancel")
    expect(page.locator("#confirm")).to_be_visible()
    _finished(resting.home)
    expect(page.locator("#story_player")).to_be_visible()
    expect(page.locator("#confirm")).to_be_hidden()
    # Its menu opens where there is room.
    page.locator("#story_export_menu summary").click()
    sheet = page.locator("#story_export_menu .sheet").bounding_box()
    assert sheet
    assert sheet["y"] > 60
    assert sheet["y"] + sheet["height"] <= 900
    page.keyboard.press("Escape")
    # A try that is cancelled leaves it on the stage.
    page.click("#story_to_film")
    page.locator('[data-choice="1:1"]').click()
    saved(page)
    page.click("#story_animatic")
    page.click("#story_cancel")
    page.click("#confirm_yes")
    expect(page.locator("#story_lost")).to_be_visible()
    expect(page.locator("#story_player")).to_be_visible()


def test_small_things_that_one_stumbles_over(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/en/?tab=story")
    expect(page.locator("[data-import]")).to_have_accessible_name("Open a story file")
    paste(page)
    # A number that can't be makes room for the one that holds.
    opened(page, 1)
    box = page.locator('input[data-name="seconds"]')
    for refused in ("999", "abc"):
        box.fill(refused)
        box.press("Enter")
        expect(page.locator("#story_told")).to_be_visible()
        expect(box).to_have_value("")
    # Undo by key, also when the offer to undo has gone.
    page.keyboard.press("Escape")
    cards(page).nth(1).focus()
    page.keyboard.press("Delete")
    expect(cards(page)).to_have_count(2)
    page.evaluate("document.querySelector('#story_undo').hidden = true")
    page.keyboard.press("Control+z")
    expect(cards(page)).to_have_count(3)
