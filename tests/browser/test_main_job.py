"""The main job as a person does it, in Chromium, on the real app and the real sketch model."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.running_app import RunningApp, running_app

pytestmark = pytest.mark.slow
# A loaded machine with two cores makes a clip in half a minute.
PATIENCE = 120_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    # An open demo with an admin token: otherwise everyone on this machine is the admin.
    with running_app(tmp_path_factory.mktemp("home"), OPEN_DEMO="1", ADMIN_TOKEN="only-for-admins") as app:
        yield app


@pytest.fixture
def context(browser: Browser, studio: RunningApp) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-US", base_url=studio.address)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def ask(
    page: Page, prompt: str, *, seed: str = "", quality: str = "", steps: str = "", length: str = ""
) -> str:
    """Type a prompt, press Generate, return the job's id from the address."""
    page.goto("/")
    page.fill("#prompt textarea", prompt)
    if seed:
        page.fill("#seed input, #seed textarea", seed)
    if length:
        page.locator("#length label", has_text=length).click()
    if quality:
        page.locator("#quality label", has_text=quality).click()
    if steps:
        page.click("#advanced button")
        page.fill("#num_inference_steps input, #num_inference_steps textarea", steps)
    page.click("#generate")
    page.wait_for_url(re.compile(r"[?&]job="))
    return re.search(r"[?&]job=([\w-]+)", page.url).group(1)  # type: ignore[union-attr]


def stage(page: Page, *states: str):
    return page.locator(", ".join(f'#stage section[data-state="{state}"]' for state in states))


def test_a_sentence_is_watched_becoming_a_film(context: BrowserContext, studio: RunningApp) -> None:
    page = context.new_page()
    ask(page, "a red boat moving right at sea at sunset", seed="41287", quality="Final")
    seen: set[bytes] = set()
    while len(seen) < 3 and not stage(page, "done", "failed").count():
        # Read at once in the page: the picture gives way to the film at any moment.
        source = page.evaluate("() => document.querySelector('#preview')?.getAttribute('src')")
        if source:
            answer = context.request.get(source)
            if answer.ok:
                assert answer.headers["content-type"] == "image/webp"
                seen.add(answer.body())
        page.wait_for_timeout(50)
    assert len(seen) >= 3, f"{len(seen)} previews\n{studio.log()}"
    expect(stage(page, "done")).to_be_visible(timeout=PATIENCE)
    page.wait_for_function(
        "() => { const v = document.querySelector('#player'); return v && v.currentTime > 0.5 }"
    )
    facts = page.evaluate(
        "() => { const v = document.querySelector('#player');"
        " return [v.videoWidth, v.videoHeight, v.duration] }"
    )
    assert facts[:2] == [320, 192]
    assert facts[2] == pytest.approx(41 / 8, abs=0.2)
    with page.expect_download() as downloading:
        page.click("#download")
    film = Path(downloading.value.path())
    assert film.read_bytes()[4:8] == b"ftyp"
    # The film itself restores the form, in a page that knows nothing of the job.
    other = context.new_page()
    other.goto("/en/")
    named = film.with_name("mine.mp4")
    named.write_bytes(film.read_bytes())
    other.set_input_files("#drop_mp4 input[type=file], input#drop_mp4", str(named))
    expect(other.locator("#prompt textarea")).to_have_value("a red boat moving right at sea at sunset")
    expect(other.locator("#seed input, #seed textarea").first).to_have_value("41287")


def test_a_reload_in_mid_run_still_sees_it_finish_and_so_does_whoever_has_the_link(
    context: BrowserContext, browser: Browser, studio: RunningApp
) -> None:
    page = context.new_page()
    job = ask(page, "夜晚的海上，一只小船向左航行", steps="60", length="2 s")
    expect(page.locator("#preview")).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(stage(page, "running", "done")).to_be_visible(timeout=PATIENCE)
    with browser.new_context(locale="zh-CN", base_url=studio.address) as elsewhere:
        elsewhere.set_default_timeout(PATIENCE)
        guest = elsewhere.new_page()
        guest.goto(f"/?job={job}")
        expect(guest).to_have_url(re.compile(r"/zh/"))
        expect(stage(guest, "done")).to_be_visible(timeout=PATIENCE)
        guest.wait_for_function("() => document.querySelector('#player')?.readyState >= 2")
    expect(stage(page, "done")).to_be_visible(timeout=PATIENCE)
    # And after: a link to a finished job shows the film at once.
    page.goto(f"/?job={job}")
    expect(stage(page, "done")).to_be_visible()


def test_only_the_owner_cancels_and_the_queue_goes_on(
    context: BrowserContext, browser: Browser, studio: RunningApp
) -> None:
    page = context.new_page()
    # Long enough that nobody has to hurry.
    first = ask(page, "snow over the mountains", steps="100")
    expect(page.locator("#preview")).to_be_visible(timeout=PATIENCE)
    behind = context.new_page()
    ask(behind, "a bird over the river", quality="Draft", length="2 s")
    with browser.new_context(locale="en-US", base_url=studio.address) as elsewhere:
        elsewhere.set_default_timeout(PATIENCE)
        guest = elsewhere.new_page()
        guest.goto(f"/?job={first}")
        expect(stage(guest, "running")).to_be_visible()
        expect(guest.locator("#cancel")).to_have_count(0)
        # The button is not there; somebody who makes one of their own is refused by the studio itself.
        guest.evaluate(
            """(job) => { const b = document.createElement('button'); b.id = 'forged'; b.type = 'button';
                b.dataset.act = 'cancel'; b.dataset.key = job;
                document.querySelector('#stage .below').appendChild(b); b.click() }""",
            first,
        )
        expect(guest.locator("#notice")).to_contain_text("Only the person who made this")
    expect(stage(page, "running")).to_be_visible()
    page.click("#cancel")
    page.click("#confirm_yes")
    expect(stage(page, "cancelled")).to_be_visible(timeout=PATIENCE)
    expect(stage(behind, "done")).to_be_visible(timeout=PATIENCE)
