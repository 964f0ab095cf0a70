"""The tab Story in Chromium, on the real app and the real sketch model: from a pasted text to a film."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.running_app import RunningApp, running_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
# A loaded machine with two cores takes many seconds a shot.
PATIENCE = 300_000
SOON = 60_000
expect.set_options(timeout=SOON)
EVIL = "<img src=x onerror=alert(1)>\"'"
TEXT = """1. At night a small boat sails on the sea.
2. Suddenly a red dragon flies over the mountain.
3. In the morning snow falls on the village."""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("home"), OPEN_DEMO="1", ADMIN_TOKEN="only-for-admins") as app:
        yield app


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    yield from _page(context)


def _page(context: BrowserContext) -> Iterator[Page]:
    context.set_default_timeout(SOON)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    yield page
    assert wrong == []


def paste(page: Page, text: str = TEXT, language: str = "en") -> None:
    """Open the tab, paste a text, split it."""
    page.goto(f"/{language}/?tab=story")
    page.fill("#story_text", text)
    page.click("#story_split")
    expect(cards(page).first).to_be_visible()


def cards(page: Page) -> Locator:
    return page.locator("#story .shot")


def texts(page: Page) -> list[str]:
    return [box.input_value() for box in page.locator("#story .shot textarea.text").all()]


def saved(page: Page) -> None:
    expect(page.locator('#story_saved[own-state="saved"]')).to_be_visible()


def opened(page: Page, number: int) -> Locator:
    """The card of that number, open."""
    cards(page).nth(number - 1).locator(".opener").click()
    expect(cards(page).nth(number - 1).locator(".details")).to_be_visible()
    return cards(page).nth(number - 1)


def test_a_pasted_text_becomes_a_film_that_plays_and_is_there_after_a_reload(
    browser: Browser, studio: RunningApp
) -> None:
    context = browser.new_context(base_url=studio.address, locale="en-US")
    for page in _page(context):
        _from_text_to_film(page, browser, studio)
    context.close()


def _from_text_to_film(page: Page, browser: Browser, studio: RunningApp) -> None:
    paste(page, TEXT)
    expect(cards(page)).to_have_count(3)
    # Edited: the words go into the shot as they are typed.
    page.locator(".shot textarea.text").nth(0).fill("At night a red boat sails on the sea.")
    saved(page)
    # Reordered by its handle.
    grip, last = cards(page).nth(0).locator("[data-grip]").bounding_box(), cards(page).nth(2).bounding_box()
    assert grip
    assert last
    page.mouse.move(grip["x"] + 8, grip["y"] + 8)
    page.mouse.down()
    page.mouse.move(grip["x"] + 8, grip["y"] + 60, steps=5)
    page.mouse.move(grip["x"] + 8, last["y"] + last["height"] - 4, steps=10)
    page.mouse.up()
    expect(page.locator(".shot textarea.text").nth(2)).to_have_value("At night a red boat sails on the sea.")
    # The smallest film: one size down, no narration to wait for.
    page.click("#story_to_film")
    page.locator('[data-choice="480"]').click()
    page.locator('.switch:has(input[data-name="narrate"])').click()
    saved(page)
    page.click("#story_to_shots")
    expect(page.locator("#story_film")).to_be_disabled()
    # Animatic: watched while it is made.
    page.click("#story_animatic")
    expect(page.locator("#story_preview")).to_be_visible(timeout=PATIENCE)
    expect(page.locator('.shot[data-state="running"] .live-slot img')).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(page.locator('#story_stage section[data-state="done"]')).to_be_visible(timeout=PATIENCE)
    expect(page.locator('.shot[data-state="draft"]')).to_have_count(3)
    # Approved and rendered; what did not change is not rendered again.
    page.click("#story_approve_all")
    expect(page.locator('.approve[aria-pressed="true"]')).to_have_count(3)
    page.click("#story_film")
    film = page.locator('#story_stage section[data-state="done"]:has-text("3 shots"):has-text("film")')
    expect(page.locator('#story_stage section:not([data-state="done"])')).to_be_visible()
    expect(film).to_be_visible(timeout=PATIENCE)
    expect(page.locator('.shot[data-state="full"]')).to_have_count(3)
    _play(page)
    # The link shows the same to somebody else, who changes nothing.
    with browser.new_context(base_url=studio.address, locale="zh-CN") as elsewhere:
        elsewhere.set_default_timeout(SOON)
        guest = elsewhere.new_page()
        guest.goto(f"/zh/?{page.url.partition('?')[2]}")
        expect(guest.locator("#story_player")).to_be_visible()
        expect(guest.locator("#story textarea, #story_animatic, #story_delete")).to_have_count(0)
    with page.expect_download() as downloading:
        page.click("#story_download")
    assert Path(downloading.value.path()).read_bytes()[4:8] == b"ftyp"


def _play(page: Page) -> None:
    """The film plays with sound, hops by shots, and tells the line where it is."""
    page.reload()
    page.wait_for_function("() => document.querySelector('#story_player')?.readyState >= 1")
    marks = page.get_attribute("#story_player", "data-marks")
    assert marks
    assert len(marks.split(",")) == 3
    page.locator('#story_stage .screen [data-act="play"]').click()
    page.wait_for_function("() => document.querySelector('#story_player').currentTime > 0.3")
    page.locator('[data-act="shot_next"]').click()
    expect(page.locator(".slice").nth(1)).to_have_attribute("own-now", "")
    page.locator(".slice button").nth(2).click()
    page.wait_for_function(
        "(at) => document.querySelector('#story_player').currentTime >= at", arg=float(marks.split(",")[2])
    )
    expect(cards(page).nth(2)).to_be_focused()


def test_typing_keeps_its_place_while_answers_come(page: Page) -> None:
    paste(page)
    box = page.locator(".shot textarea.text").nth(1)
    box.click()
    page.keyboard.press("Control+Home")
    for word in ("Once ", "upon ", "a time "):
        page.keyboard.type(word)
        page.wait_for_timeout(700)
    expect(box).to_be_focused()
    expect(box).to_have_value("Once upon a time Suddenly a red dragon flies over the mountain.")
    assert box.evaluate("box => box.selectionStart") == len("Once upon a time ")
    saved(page)
    page.reload()
    expect(page.locator(".shot textarea.text").nth(1)).to_have_value(re.compile("^Once upon a time Suddenly"))


def test_cards_are_split_merged_moved_deleted_and_brought_back(page: Page) -> None:
    paste(page)
    before = texts(page)
    card = opened(page, 2)
    box = card.locator("textarea.text")
    box.click()
    box.evaluate("box => box.setSelectionRange(21, 21)")
    card.locator('[data-edit="split_shot"]').click()
    expect(cards(page)).to_have_count(4)
    assert texts(page)[1:3] == ["Suddenly a red dragon", "flies over the mountain."]
    opened(page, 2).locator('[data-edit="merge_shots"]').click()
    expect(cards(page)).to_have_count(3)
    assert texts(page) == before
    cards(page).nth(0).focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".shot textarea.text").nth(0)).to_have_value(before[1])
    expect(cards(page).nth(1)).to_be_focused()
    page.keyboard.press("Delete")
    expect(cards(page)).to_have_count(2)
    page.click("#story_undo button")
    expect(cards(page)).to_have_count(3)
    assert texts(page) == [before[1], before[0], before[2]]
    page.locator(".between .btn").first.click(force=True)
    expect(page.locator(".shot textarea.text").nth(1)).to_be_focused()
    page.keyboard.type("Rain falls.")
    saved(page)
    page.keyboard.press("Escape")
    expect(page.locator(".details")).to_have_count(0)
    expect(cards(page).nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(cards(page).nth(2)).to_be_focused()


def test_what_a_shot_shows_is_chips_and_its_prompt_follows(page: Page) -> None:
    paste(page)
    card = opened(page, 1)
    box = card.locator('.chips-box[data-values*="mood"]')
    box.locator(".adds").fill("calm")
    page.keyboard.press("Enter")
    expect(card.locator("#story_prompt")).to_contain_text("calm")
    box.locator('[data-act="unchip"]').click()
    expect(card.locator("#story_prompt")).not_to_contain_text("calm")
    card.locator("#story_own_prompt").click()
    own = card.locator('textarea[data-name="prompt"]')
    own.fill("A paper boat on the moon")
    saved(page)
    card.locator("#story_assembled").click()
    expect(card.locator('textarea[data-name="prompt"]')).to_have_count(0)
    expect(card.locator("#story_prompt")).not_to_contain_text("paper")


def test_a_renamed_character_is_renamed_everywhere(page: Page) -> None:
    paste(page, "1. A girl called Mia sits by the river.\n2. Mia sees a red boat.\n3. Mia waves.")
    page.click("#story_to_cast")
    if not page.locator('[data-edit="rename_character"]').count():
        page.fill('.adds-one input[name="name"]', "Mia")
        page.click("#story_add_person")
    name = page.locator('[data-edit="rename_character"]').first
    name.fill("Lena")
    name.blur()
    saved(page)
    page.click("#story_to_shots")
    expect(page.locator(".shot textarea.text").nth(1)).to_have_value("Lena sees a red boat.")


def test_hostile_text_stays_text(page: Page) -> None:
    paste(page, f"1. A boat {EVIL} sails.\n2. A dragon {EVIL} flies.")
    page.fill("#story_title", EVIL)
    # The cards are drawn anew with what was saved.
    expect(page.locator('#story_saved[own-state="saved"]')).to_be_visible()
    opened(page, 1).locator('textarea[data-name="translation"]').fill(EVIL)
    page.locator(".chips-box .adds").first.fill(EVIL)
    page.keyboard.press("Enter")
    saved(page)
    for section in ("cast", "film", "text", "shots"):
        page.click(f"#story_to_{section}")
        page.wait_for_timeout(200)
    page.reload()
    expect(page.locator("#story_title")).to_have_value(EVIL)
    page.click("#story_home")
    expect(page.locator(".stories b").first).to_have_text(EVIL)
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize(("text", "words"), [("  ", "paste"), ("x" * 50_000, "characters")])
def test_a_text_that_will_not_do_is_a_sentence_and_stays(text: str, words: str, page: Page) -> None:
    page.goto("/en/?tab=story")
    page.fill("#story_text", text)
    page.click("#story_split")
    expect(page.locator("#story_sorry")).to_contain_text(words)
    expect(page.locator("#story_text")).to_have_value(text)


def test_back_and_forward_lead_between_stories_and_tabs(page: Page) -> None:
    paste(page)
    first = page.url
    page.click("#story_home")
    page.locator(".try").nth(4).click()
    expect(cards(page).first).to_be_visible()
    second = page.url
    assert second != first
    page.click("#tab_library-button")
    expect(page).to_have_url(re.compile("tab=library"))
    page.go_back()
    expect(page).to_have_url(second)
    expect(page.locator("#story_head")).to_be_visible()
    page.go_back()
    expect(page.locator("#story_text")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(first)
    expect(page.locator(".shot textarea.text").nth(0)).to_have_value(
        "At night a small boat sails on the sea."
    )
    page.go_forward()
    expect(page.locator("#story_text")).to_be_visible()


def test_it_fits_a_phone_and_every_thumb(page: Page) -> None:
    paste(page)
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, 1)
    for section in ("shots", "cast", "film", "text"):
        page.click(f"#story_to_{section}")
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, section
        small = page.evaluate(
            """() => [...document.querySelectorAll('#story :is(button, a, summary, input, select, textarea)')]
                .filter((e) => e.offsetParent && !e.matches('.visually-hidden, .switch *, .chips-box *'))
                .map((e) => [e.id || e.className || e.tagName, e.getBoundingClientRect()])
                .filter(([, box]) => box.width && (box.height < 43.5 || box.width < 43.5))
                .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
        )
        assert small == [], section


def test_what_was_typed_while_nobody_answered_is_sent_later(page: Page) -> None:
    paste(page)
    saved(page)
    page.context.set_offline(True)
    box = page.locator(".shot textarea.text").nth(0)
    box.fill("Typed on a train.")
    page.wait_for_timeout(1500)
    expect(page.locator('#story_saved[own-state="saved"]')).to_have_count(0)
    page.context.set_offline(False)
    page.reload()
    expect(page.locator(".shot textarea.text").nth(0)).to_have_value("Typed on a train.")
    saved(page)
