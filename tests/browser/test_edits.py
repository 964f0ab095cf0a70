"""A clip changed in words, in Chromium: read as a difference, made, seen beside the old one, taken back."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from studio.claims import Claims
from studio.core import Studio
from studio.library import Asset, new_id
from studio.settings import Settings
from tests.edits.kit import clip, media_maker
from tests.running_app import RunningApp, running_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@dataclass
class House:
    app: RunningApp
    source: Asset


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A studio with one real clip, and a hand in this process that does what is asked of files."""
    home = tmp_path_factory.mktemp("edits")
    studio = Studio(Settings(studio_home=home))
    source = clip(studio)
    done = threading.Event()
    worker = threading.Thread(target=_work, args=(studio, done), daemon=True)
    with running_app(home, LOCAL_WORKER="0") as app:
        worker.start()
        yield House(app, source)
        done.set()
        worker.join(30)
    studio.jobs.tickets.close()
    studio.engine.dispose()


def _work(studio: Studio, done: threading.Event) -> None:
    maker, claims = media_maker(studio), Claims(studio.engine, studio.settings.worker_id)
    while not done.wait(0.2):
        ticket = new_id()
        job_id = claims.claim(ticket, "media")
        attempt = claims.begin(job_id, ticket) if job_id else None
        if attempt is not None:
            maker.make(attempt)


@pytest.fixture
def page(browser: Browser, house: House) -> Iterator[Page]:
    context = browser.new_context(base_url=house.app.address, locale="en-US")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def opened(page: Page, house: House, language: str = "en") -> None:
    page.goto(f"/{language}/?tab=library&clip={house.source.id}")
    expect(page.locator("#library_panel .edits input[name=wish]")).to_be_visible()


def said(page: Page, wish: str) -> None:
    field = page.locator("#library_panel .edits input[name=wish]")
    field.fill(wish)
    field.press("Enter")


def test_a_wish_is_read_made_compared_and_taken_back(page: Page, house: House) -> None:
    opened(page, house)
    told = page.locator("#library_panel .edit-told")
    said(page, "make the boat blue, and slower")
    expect(told.locator("ins")).to_have_text("blue")
    expect(told.locator("del")).to_have_text("red")
    expect(told).to_contain_text("0.5× as fast")
    page.locator("#edit_drop").click()
    expect(told).to_be_empty()
    page.locator("#library_panel .edit-chips .btn", has_text="brighter").click()
    expect(told).to_contain_text("+40 %")
    page.locator("#edit_make").click()
    expect(told.locator("synced-player video")).to_have_count(2)
    expect(told).to_contain_text("before")
    sources = told.locator("synced-player video").evaluate_all(
        "all => all.map((one) => one.currentSrc || one.src)"
    )
    assert house.source.id in sources[0]
    assert house.source.id not in sources[1]
    new = sources[1].split("/media/")[1].removesuffix(".mp4")
    # It is on the wall by itself; the next wish leaves the comparison where it is.
    expect(page.locator(f'#library_wall .tile[data-key="{new}"]')).to_be_visible()
    said(page, "make the boat blue")
    expect(told.locator("ins")).to_have_text("blue")
    expect(told.locator("synced-player video")).to_have_count(2)
    page.locator("#edit_drop").click()
    expect(told.locator("ins")).to_have_count(0)
    panel = page.locator("#library_panel .panel").bounding_box()
    for control in told.locator(".sy-deck > *:visible").all():
        box = control.bounding_box()
        assert panel is not None
        assert box is not None
        assert panel["x"] <= box["x"]
        assert box["x"] + box["width"] <= panel["x"] + panel["width"]
    page.locator("#edit_undo").click()
    expect(told).to_contain_text("Taken away")
    page.goto(f"/en/?tab=library&clip={new}")
    expect(page.locator("#library_panel .asked")).to_be_visible()
    expect(page.locator("#library_panel .edits")).to_have_count(0)  # it lies in the trash


def test_what_is_not_clear_is_asked_and_a_guess_is_a_click(page: Page, house: House) -> None:
    opened(page, house, "zh")
    told = page.locator("#library_panel .edit-told")
    said(page, "随便弄弄")
    expect(told).to_contain_text("没太明白")
    guesses = told.locator("[data-key^=choose]")
    assert 2 <= guesses.count() <= 3
    guesses.first.click()
    expect(told).not_to_contain_text("没太明白")
    said(page, "加点音乐")
    expect(told).to_contain_text("没有声音")


def test_it_fits_a_phone(browser: Browser, house: House) -> None:
    context = browser.new_context(
        base_url=house.app.address, locale="en-US", viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    opened(page, house)
    said(page, "night and slower")
    expect(page.locator("#edit_make")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    small = page.locator("#library_panel .edits button:visible").evaluate_all(
        "all => all.filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.textContent)"
    )
    assert small == []
    context.close()


def test_a_clip_gets_larger_and_smoother_and_what_does_it_is_said_before(page: Page, house: House) -> None:
    opened(page, house)
    part = page.locator("#library_panel details.finish")
    part.locator("summary").click()
    expect(part).to_contain_text("Lanczos makes it larger")
    expect(part).to_contain_text("no interpolation network here")
    expect(page.locator("#finish_make")).to_be_disabled()
    part.locator("label", has_text="1080p").click()
    part.locator("label", has_text="24 fps").click()
    page.locator("#finish_make").click()
    told = page.locator("#library_panel .edit-told")
    expect(told.locator("synced-player video")).to_have_count(2)
    expect(told).to_contain_text("1080p · 24 fps")
    page.locator("#edit_open").click()
    recipe = page.locator("#library_panel details.recipe")
    expect(recipe).to_contain_text("1800×1080")
    expect(recipe).to_contain_text("24 fps by blending (no interpolation network here)")
    # As large as 1080p, as smooth as 24: what is left is offered.
    expect(page.locator("#library_panel details.finish")).not_to_contain_text("1080p")
