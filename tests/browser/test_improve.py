""" "Improve prompt" in Chromium: the difference is seen, used, undone, and goes when the prompt changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipelines.request import GenerationRequest
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.recipe import Recipe
from tests.media.pictures import frames
from tests.running_app import RunningApp, running_app
from tests.text.llm_server import Service, serving

pytestmark = pytest.mark.slow
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
TYPED = "红色的小木船在夜晚的海上慢慢航行"
BETTER = "红色的小木船，船身斑驳，在夜晚的海上缓缓航行，月光洒在浪尖"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving() as found:
        found.reply = lambda data: {"prompt": BETTER}
        yield found


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[RunningApp]:
    env = {"LOCAL_WORKER": "0", "LLM_BASE_URL": service.address, "LLM_MODEL": "qwen-plus"}
    with running_app(tmp_path_factory.mktemp("home"), **env) as app:
        yield app


@pytest.fixture
def page(browser: Browser, studio: RunningApp) -> Iterator[Page]:
    context = browser.new_context(base_url=studio.address, locale="zh-CN")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/zh/")
    # The price is the last thing that the page asks for when it opens.
    expect(page.locator("#price")).not_to_be_empty(timeout=PATIENCE)
    yield page
    context.close()


def _original(page: Page) -> str:
    return page.locator("#prompt_original textarea, #prompt_original input").input_value()


def test_the_difference_is_seen_used_and_undone(page: Page) -> None:
    box = page.locator("#prompt textarea")
    box.fill(TYPED)
    page.click("#improve")
    expect(page.locator("#rewrite_diff")).to_be_focused()
    expect(page.locator("#rewrite_diff del.lost")).to_contain_text("慢慢")
    expect(page.locator("#rewrite_diff ins").first).to_contain_text("船身斑驳")
    expect(page.locator("#rewriting")).to_contain_text("qwen-plus")
    expect(box).to_have_value(TYPED)
    page.click("#use_rewrite")
    expect(box).to_have_value(BETTER)
    expect(page.locator("#undo_rewrite")).to_be_focused()
    assert _original(page) == TYPED
    page.click("#undo_rewrite")
    expect(box).to_have_value(TYPED)
    expect(page.locator("#improve")).to_be_focused()
    assert _original(page) == ""


def test_an_undo_stays_until_the_prompt_is_edited(page: Page) -> None:
    box = page.locator("#prompt textarea")
    box.fill(TYPED)
    page.click("#improve")
    page.click("#use_rewrite")
    expect(page.locator("#undo_rewrite")).to_be_focused()
    box.press("End")
    box.press_sequentially("，远景")
    expect(page.locator("#improve")).to_be_visible()
    assert _original(page) == TYPED
    box.fill("")
    expect(page.locator("#prompt_original textarea, #prompt_original input")).to_have_value("")


def test_a_film_brings_back_both_prompts(page: Page, tmp_path: Path) -> None:
    form = {"prompt": BETTER, "prompt_original": TYPED, "model": "sketch", "seed": 7}
    recipe = Recipe(request=GenerationRequest(prompt=BETTER, num_frames=17, seed=7), form=form)
    path = tmp_path / "film.mp4"
    write_clip(frames(17), path=path, fps=8, comment=recipe.text(), label=LabelStyle(), expected_frames=17)
    page.locator("#drop_mp4 input[type=file]").set_input_files(path)
    expect(page.locator("#prompt textarea")).to_have_value(BETTER)
    expect(page.locator("#prompt_original textarea, #prompt_original input")).to_have_value(TYPED)
