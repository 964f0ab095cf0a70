"""The tab Styles in Chromium: found, used, copied, changed, tried; the final prompt is shown first."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
# The first text that is checked loads lists and a model.
expect.set_options(timeout=60_000)
SENTENCE = "A red boat at sea at sunset"


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/en/?tab=styles")
    expect(page.locator("#styles_gallery .card").first).to_be_visible()
    return page


def tile(page: Page, name: str) -> str:
    """The tile of a style on Create, by what it is called."""
    return f'#style label:has-text("{name}")'


def test_a_style_is_found_looked_at_and_used(page: Page) -> None:
    drawn = "[...document.querySelectorAll('#styles_gallery img')].some((one) => one.naturalWidth > 300)"
    page.wait_for_function(drawn)
    page.fill("#styles_search", "rice paper")
    expect(page.locator("#styles_gallery .card:visible")).to_have_count(1)
    page.fill("#styles_search", "水墨")
    page.click("#styles_gallery .card:visible")
    panel = page.locator("#styles_panel .panel[data-name=ink]")
    expect(panel).to_contain_text("Ink wash")
    expect(panel).to_contain_text("which was taught this style")
    expect(panel.locator(".before-after img")).to_have_count(2)
    page.click("#style_use")
    expect(page.locator("#style input[value=ink]")).to_be_checked()
    page.fill("#prompt textarea", SENTENCE)
    expect(page.locator("#final_prompt")).to_contain_text(f"{SENTENCE}, ink style")
    page.click("#final_prompt summary")
    expect(page.locator("#final_prompt")).to_contain_text("Ink wash · version 2")


def test_a_style_of_ones_own_from_copy_to_clip(page: Page) -> None:
    page.click("#styles_gallery .card[data-name=vintage]")
    page.click("#style_duplicate")
    page.fill("#style_form [name=title]", "Harbour dusk")
    page.fill("#style_form [name=template_en]", "no place for it")
    page.click("#style_save")
    expect(page.locator("#styles_panel .sorry")).to_contain_text("{prompt}")
    expect(page.locator("#style_form [name=title]")).to_have_value("Harbour dusk")
    page.fill("#style_form [name=template_en]", "Harbour film. {prompt}. Dusk.")
    page.locator("#style_form input[name=look][value=cool]").check(force=True)
    page.click("#style_save")
    expect(page.locator("#styles_panel")).to_contain_text("Saved as version 1")
    page.click("#style_use")
    expect(page.locator(f"{tile(page, 'Harbour dusk')} input")).to_be_checked()

    page.fill("#prompt textarea", SENTENCE)
    page.click("#generate")
    page.wait_for_url(re.compile("job="))
    page.click("#tab_styles-button")
    page.click("#styles_gallery .card:has-text('Harbour dusk')")
    page.click("#style_edit")
    page.fill("#style_form [name=negative]", "fog")
    page.click("#style_save")
    expect(page.locator("#styles_panel")).to_contain_text("Saved as version 2")
    with page.expect_download() as given:
        page.click("#style_export")
    assert "Harbour film. {prompt}. Dusk." in Path(given.value.path()).read_text(encoding="utf-8")
    page.click("#style_delete")
    page.click("#confirm_yes")
    expect(page.locator("#styles_gallery .card:has-text('Harbour dusk')")).to_have_count(0)


def test_what_was_not_saved_is_kept_until_it_is_thrown_away(page: Page) -> None:
    def edited() -> None:
        page.click("#styles_gallery .card[data-name=vintage]")
        page.click("#style_duplicate")

    edited()
    title = page.input_value("#style_form [name=title]")
    page.fill("#style_form [name=title]", "Harbour")
    page.locator("#style_form input[name=look][value=cool]").check(force=True)
    page.click("#styles_gallery .card[data-name=ink]")
    expect(page.locator("#style_form")).to_have_count(0)
    page.click("#style_duplicate")
    expect(page.locator("#style_form [name=title]")).to_have_value(re.compile("Ink"))
    expect(page.locator("#style_draft")).to_be_hidden()
    page.reload()
    expect(page.locator("#styles_gallery .card").first).to_be_visible()
    edited()
    expect(page.locator("#style_draft")).to_be_visible()
    expect(page.locator("#style_form [name=title]")).to_have_value("Harbour")
    expect(page.locator("#style_form input[name=look][value=cool]")).to_be_checked()
    page.click("#style_draft_drop")
    expect(page.locator("#style_form [name=title]")).to_have_value(title)
    page.fill("#style_form [name=title]", "Quay")
    page.click("#style_cancel")
    page.click("#confirm_yes")
    expect(page.locator("#style_form")).to_have_count(0)
    edited()
    expect(page.locator("#style_draft")).to_be_hidden()


def test_a_file_is_brought_in_and_a_bad_one_is_refused(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "style.json"
    file.write_text('{"template": "no place", "title": "x", "about": "", "palette": []}', encoding="utf-8")
    page.set_input_files("#style_file", file)
    expect(page.locator("#styles_panel .sorry")).to_be_visible()
    words = {"title": "<b>Fog</b>", "about": "", "template": "{prompt}, in fog", "palette": ["#000000"] * 3}
    file.write_text(json.dumps(words), encoding="utf-8")
    page.set_input_files("#style_file", file)
    expect(page.locator("#styles_panel h2")).to_have_text("<b>Fog</b>")


def test_one_prompt_is_tried_in_all_styles(page: Page) -> None:
    page.click("#styles_gallery .card[data-name=ink]")
    page.click("#style_try")
    page.fill("#style_try_prompt", SENTENCE)
    page.locator("#style_try_form label", has_text="Anime").click()
    expect(page.locator("#styles_panel .cost")).to_contain_text(re.compile(r"\d+ clips"))
    page.click("#style_try_start")
    expect(page.locator("#tab_compare-button")).to_have_attribute("aria-selected", "true")


def test_on_a_phone_the_strip_goes_by_arrow_keys_and_nothing_scrolls_sideways(
    context: BrowserContext,
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/zh/")
    expect(page.locator("#price")).not_to_be_empty()
    page.locator("#style input[name=style][value=none]").focus()
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#style input[value=oil]")).to_be_checked()
    expect(page.locator("#style label:has(input[value=oil])")).to_be_in_viewport()
    page.goto("/zh/?tab=styles")
    page.click("#styles_gallery .card[data-name=anime]")
    expect(page.locator("#style_use")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    heights = "[...document.querySelectorAll('#tab_styles .btn')].map((one) => one.offsetHeight)"
    assert min(page.evaluate(heights)) >= 44
