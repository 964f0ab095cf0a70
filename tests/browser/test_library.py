"""The tab Library in Chromium: search as one types, narrow, open, file, tick many, compare, throw away."""

import re
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from studio.access import Visitor
from studio.core import Studio
from studio.settings import Settings
from tests.browser.slow import hold_back
from tests.library.kit import clip
from tests.library.recipes import made_up, written
from tests.running_app import ROOT, RunningApp, running_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
ADMIN = Visitor("ann", True)
CLIPS = 130


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A studio with real recipes; two clips have a film, most a picture, one nothing at all."""
    home = tmp_path_factory.mktemp("library")
    studio = Studio(Settings(studio_home=home))
    spring = studio.projects.create(ADMIN, "Spring").id
    for number, recipe in enumerate([*written(), *islice(made_up(), CLIPS - len(written()))]):
        asset = clip(recipe.prompt, recipe.style, age=number * 60, project_id=spring if number < 3 else None)
        studio.assets.add(asset)
        if number == 5:
            continue
        _picture(home / asset.thumbnail, number)
        if recipe.name in ("r001", "r004"):
            shutil.copy(ROOT / "assets" / "examples" / "first.mp4", home / asset.path)
    studio.engine.dispose()
    with running_app(home, LOCAL_WORKER="0") as running:
        yield running


def _picture(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 20), (40 + number % 200, 90, 120)).save(path)


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    context = browser.new_context(base_url=app.address, locale="en-US")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def opened(page: Page, query: str = "", language: str = "en") -> None:
    page.goto(f"/{language}/?tab=library{query}")
    expect(page.locator("#library_wall .tile").first).to_be_visible()


def count(page: Page, number: int) -> None:
    expect(page.locator("#library_count")).to_have_text(f"{number} found")


def test_typing_finds_and_the_address_keeps_it(page: Page) -> None:
    opened(page)
    count(page, CLIPS)
    page.locator("body").press("/")
    page.keyboard.type("red boat at night", delay=15)
    expect(page.locator("#library_wall .card").first).to_have_attribute("aria-label", re.compile("red boat"))
    expect(page.locator("#library_search")).to_be_focused()
    page.locator("#library_wall .card").first.click()
    expect(page.locator("#library_panel .asked")).to_contain_text("red boat")
    expect(page).to_have_url(re.compile(r"[?&]q=red\+boat.*clip="))
    page.reload()
    expect(page.locator("#library_search")).to_have_value("red boat at night")
    expect(page.locator("#library_panel .asked")).to_contain_text("red boat")


def test_a_facet_narrows_and_lets_go(page: Page) -> None:
    opened(page)
    chip = page.locator('[data-facet=style] .narrower[data-key="facet style ink"]')
    many = int(chip.locator(".count").inner_text())
    chip.click()
    count(page, many)
    expect(page.locator('[data-key="facet style ink"]')).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile("f=style%3Aink"))
    page.locator('[data-key="facet style ink"]').click()
    count(page, CLIPS)


def test_more_come_as_one_scrolls_and_none_twice(page: Page) -> None:
    opened(page)
    tiles = page.locator("#library_wall .tile")
    expect(tiles).to_have_count(60)
    while tiles.count() < CLIPS:
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(100)
    keys = tiles.evaluate_all("tiles => tiles.map((tile) => tile.dataset.key)")
    assert len(set(keys)) == CLIPS


def test_a_clip_is_filed_marked_and_thrown_away_and_comes_back(page: Page) -> None:
    opened(page, "&q=gondola")
    page.locator("#library_wall .card").first.click()
    page.fill("#panel_tag", "Italy")
    page.press("#panel_tag", "Enter")
    expect(page.locator("#library_panel button.tag")).to_have_text("Italy")
    page.select_option("#panel_project", label="Spring")
    expect(page.locator("#library_count")).to_be_visible()
    page.click("#panel_favour")
    expect(page.locator("#library_wall .heart").first).to_have_attribute("aria-pressed", "true")
    page.fill("#library_search", "italy")
    count(page, 1)
    page.locator("#library_wall .card").first.click()
    page.click("#to_trash")
    expect(page.locator("#library_wall .veil")).to_be_visible()
    page.click("#library_trash")
    count(page, 1)
    page.locator("#library_wall .card").first.click()
    page.locator("#library_panel [data-key^=restore]").click()
    expect(page.locator("#library_wall .veil")).to_be_visible()
    page.fill("#library_search", "")
    page.locator('[data-key="place all"]').click()
    count(page, CLIPS)


def test_what_is_asked_waits_for_what_was_asked_before(page: Page) -> None:
    opened(page, "&q=gondola")
    page.locator("#library_wall .card").first.click()
    expect(page.locator("#to_trash")).to_be_visible()
    # What throws it away travels long: the trash that is looked into at once holds it all the same.
    hold_back(page, "trash", 1.5)
    page.click("#to_trash")
    page.click("#library_trash")
    page.wait_for_function("window.travelled")
    expect(page.locator("#library_trash")).to_have_attribute("aria-current", "true")
    count(page, 1)
    page.locator("#library_wall .card").first.click()
    page.locator("#library_panel [data-key^=restore]").click()
    expect(page.locator("#library_wall .veil")).to_be_visible()


def test_what_others_make_comes_by_itself_and_hands_stay_where_they_are(page: Page, app: RunningApp) -> None:
    opened(page)
    card = page.locator("#library_wall .card").first
    card.focus()
    key = card.get_attribute("data-key")
    asset = clip("a paper lantern over a canal", owner=ADMIN.owner)
    studio = Studio(Settings(studio_home=app.home))
    _picture(app.home / asset.thumbnail, 1)
    studio.assets.add(asset)
    expect(page.locator("#library_wall .card").first).to_have_attribute("data-key", asset.id)
    expect(page.locator(":focus")).to_have_attribute("data-key", str(key))
    count(page, CLIPS + 1)
    studio.delete_asset(ADMIN, asset.id)
    count(page, CLIPS)
    expect(page.locator(":focus")).to_have_attribute("data-key", str(key))
    studio.engine.dispose()


def test_many_are_ticked_tagged_and_compared(page: Page) -> None:
    opened(page, "&q=red+boat+night")
    for number in range(2):
        page.locator("#library_wall .tile").nth(number).hover()
        page.locator("#library_wall .tile .tick").nth(number).click()
    expect(page.locator("#bulk_count")).to_have_text("2 selected")
    page.locator('[data-key="bulk tag"]').click()
    page.fill("#bulk_value", "pair")
    page.press("#bulk_value", "Enter")
    expect(page.locator('[data-key="facet tag pair"] .count')).to_have_text("2")
    page.locator('[data-key="bulk compare"]').click()
    expect(page.locator("#library_together video")).to_have_count(2)
    page.click("#together_close")
    expect(page.locator("#library_together .together")).to_have_count(0)


def test_a_lost_picture_and_a_lost_film_break_nothing(page: Page) -> None:
    opened(page)
    page.locator("#library_wall .card.missing").first.click()
    expect(page.locator("#library_panel .panel")).to_be_visible()
    expect(page.locator("#library_panel .veil, #library_panel .player.missing").first).to_be_visible()


def test_nothing_scrolls_sideways_on_a_phone_and_targets_are_large(browser: Browser, app: RunningApp) -> None:
    context = browser.new_context(
        base_url=app.address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    opened(page, language="zh")
    page.locator(".btn.narrow").click()
    expect(page.locator("#library_side .facets")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for selector in (".btn.narrow", "#library_search", ".place", ".narrower", ".sign.tick", "#library_sort"):
        assert (page.locator(f"#library {selector}").first.bounding_box() or {})["height"] >= 44, selector
    context.close()
