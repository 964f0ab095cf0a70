"""The tab Models in Chromium, on the real app: a download is seen by everybody and outlives the studio."""

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipelines.loras import MAX_BYTES
from tests.browser.slow import hold_back
from tests.hub.kit import LARGE, SPEC, Repo, serving
from tests.running_app import RunningApp, running_app
from tests.tiny_lora import write_lora
from tests.tiny_wan import write_tiny_wan

pytestmark = pytest.mark.slow
expect.set_options(timeout=60_000)
CARD = f'.model-card[data-name="{SPEC.name}"]'
# The card promises gigabytes, and the studio looks for room for them.
NEEDED_GB = 40


@contextlib.contextmanager
def visiting(browser: Browser, app: RunningApp) -> Iterator[Page]:
    context = browser.new_context(base_url=app.address, locale="en-US")
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto("/en/?tab=models")
    expect(page.locator(CARD)).to_be_visible()
    yield page
    context.close()


def test_a_download_goes_on_after_the_studio_was_killed(browser: Browser, tmp_path: Path) -> None:
    if os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize < NEEDED_GB * 1e9:
        pytest.skip("the disk has no room for the model that the small one stands for")
    repo = Repo(write_tiny_wan(tmp_path / "repo", two_experts=False))
    repo.pause[LARGE] = len(repo.files()[LARGE]) // 2
    home = tmp_path / "home"
    with serving(repo) as hub:
        env = {"LOCAL_WORKER": "0", "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf")}
        with running_app(home, **env) as app:
            with visiting(browser, app) as page, visiting(browser, app) as other:
                expect(page.locator(CARD)).to_have_attribute("data-state", "missing")
                page.locator(CARD).get_by_role("button", name="Download").click()
                for seen in (page, other):
                    expect(seen.locator(CARD)).to_have_attribute("data-state", "busy")
                    expect(seen.locator(f"{CARD} .fetching p")).to_have_text(re.compile(r"\d+ % · .+ of .+"))
            os.kill(app.process.pid, signal.SIGKILL)
            app.process.wait()
        repo.go.set()
        with running_app(home, **env) as app, visiting(browser, app) as page:
            expect(page.locator(CARD)).to_have_attribute("data-state", "installed")
            page.locator(CARD).get_by_role("button", name="Check every byte").click()
            expect(page.locator(f"{CARD} .told")).to_contain_text("byte for byte")
            page.locator(CARD).get_by_role("button", name="Delete").click()
            page.locator("#confirm_yes").click()
            expect(page.locator(CARD)).to_have_attribute("data-state", "missing")


def test_a_wrong_folder_is_said_where_it_was_typed_and_stays_there(
    browser: Browser, resting: RunningApp
) -> None:
    with visiting(browser, resting) as page:
        page.locator(f"{CARD} summary").click()
        field = page.locator(f"{CARD} input[name=folder]")
        field.fill("/nowhere/at/all")
        field.press("Enter")
        expect(page.locator(f"{CARD} .sorry")).to_have_text(
            "There is no folder /nowhere/at/all on this machine."
        )
        expect(field).to_have_value("/nowhere/at/all")


def test_a_lora_is_uploaded_refused_and_deleted(browser: Browser, tmp_path: Path) -> None:
    files = [tmp_path / "film_high.safetensors", tmp_path / "film_low.safetensors"]
    for number, file in enumerate(files):
        write_lora(file, width=5120, layers=1, seed=number)
    with running_app(tmp_path / "home", LOCAL_WORKER="0") as app, visiting(browser, app) as page:
        form = page.locator("#lora_upload")
        form.locator("summary").click()
        form.locator("[name=high]").set_input_files(files[1])
        expect(form).to_contain_text("film_low.safetensors")
        expect(form.locator("[name=name]")).to_have_value("film")
        form.locator("[name=name]").fill("")
        page.click("#lora_send")
        expect(form.locator(".sorry")).to_contain_text("Give it a name")
        form.locator("[name=name]").fill("film")
        form.locator("[name=low]").set_input_files(files[0])
        page.click("#lora_send")
        expect(form.locator(".told")).to_contain_text("“film” is here now. By their names")
        row = page.locator(".lora", has_text="from a file")
        expect(row).to_contain_text("film")
        expect(row).to_contain_text("a pair: high and low noise")
        row.get_by_role("button", name="Delete").click()
        page.locator("#confirm_yes").click()
        expect(row).to_have_count(0)


def test_what_is_pressed_while_the_room_looks_is_done_and_the_question_stays(
    browser: Browser, tmp_path: Path
) -> None:
    loras = tmp_path / "home" / "loras"
    for name in ("film", "grain", "ink"):
        (loras / name).mkdir(parents=True)
        write_lora(loras / name / "high.safetensors", width=5120, layers=1)
    with running_app(tmp_path / "home", LOCAL_WORKER="0") as app, visiting(browser, app) as page:
        rows = page.locator(".lora", has_text="from a file")
        expect(rows).to_have_count(3)
        page.locator("#lora_form summary").click()
        page.fill("#lora_form [name=repo]", "some")
        hold_back(page, "look", 4)
        page.evaluate("models.opened()")
        page.wait_for_timeout(1600)
        rows.filter(has_text="grain").get_by_role("button", name="Delete").click()
        page.click("#confirm_yes")
        page.focus("#lora_form [name=repo]")
        page.keyboard.press("End")
        page.keyboard.type("body/els", delay=700)
        expect(rows).to_have_count(2)
        expect(page.locator("#lora_form [name=repo]")).to_have_value("somebody/els")
        expect(page.locator("#lora_form [name=repo]")).to_be_focused()
        # Another one is gone meanwhile, and the list moves up below the question.
        rows.filter(has_text="ink").get_by_role("button", name="Delete").click()
        shutil.rmtree(loras / "film")
        page.evaluate("models.opened()")
        expect(rows).to_have_count(1)
        page.click("#confirm_yes")
        expect(rows).to_have_count(0)


def test_of_a_lora_over_the_limit_no_byte_is_sent(
    browser: Browser, resting: RunningApp, tmp_path: Path
) -> None:
    large = tmp_path / "large.safetensors"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with visiting(browser, resting) as page:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if "models/lora" in request.url else None)
        form = page.locator("#lora_upload")
        form.locator("summary").click()
        form.locator("[name=high]").set_input_files(large)
        sentence = (
            "“large.safetensors” is no LoRA that can be read: a whole .safetensors file up to 4 GB is needed."
        )
        expect(form.locator(".sorry")).to_have_text(sentence)
        page.click("#lora_send")
        expect(form.locator(".sorry")).to_have_text(sentence)
        assert sent == []
