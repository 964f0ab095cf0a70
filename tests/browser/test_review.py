"""The tab Review in Chromium: an admin decides in one browser, what a guest sees in another follows."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.slow import hold_back
from tests.browser.test_main_job import stage
from tests.running_app import RunningApp, running_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PATIENCE = 120_000
expect.set_options(timeout=PATIENCE)
TOKEN = "only-for-admins"
NAMED = "Jay Chou and a red boat at sea at sunset"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("home"), OPEN_DEMO="1", ADMIN_TOKEN=TOKEN) as app:
        yield app


def visitor(browser: Browser, studio: RunningApp) -> BrowserContext:
    context = browser.new_context(locale="en-US", base_url=studio.address)
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture
def guest(browser: Browser, studio: RunningApp) -> Iterator[Page]:
    with visitor(browser, studio) as context:
        yield context.new_page()


@pytest.fixture(scope="module")
def admin(browser: Browser, studio: RunningApp) -> Iterator[Page]:
    """The room, open, with Jay Chou on the list and everything shown only after a review."""
    with visitor(browser, studio) as context:
        entered = context.request.post("/admin", form={"secret": TOKEN, "next": "/"}, max_redirects=0)
        assert entered.status == 303
        page = context.new_page()
        page.goto("/en/?tab=review")
        page.click("#review_rules")
        page.check("#rules_form input[value=after_review]", force=True)
        page.fill("#rules_list", "Jay Chou\n周杰伦")
        page.click("#rules_save")
        expect(page.locator("#review_room .told.done")).to_be_visible()
        page.click("#review_look")
        yield page


def ask(page: Page, prompt: str) -> str:
    page.goto("/en/")
    page.fill("#prompt textarea", prompt)
    page.locator("#length label", has_text="2 s").click()
    page.locator("#quality label", has_text="Draft").click()
    page.click("#generate")
    page.wait_for_url(re.compile(r"[?&]job="))
    return page.url.partition("job=")[2].partition("&")[0]


def decide(page: Page, what: str, comment: str = "") -> None:
    """As somebody at the keyboard does: the name once, a comment, then one key."""
    if not page.input_value("#review_name"):
        page.fill("#review_name", "Wei Lin")
    page.fill("#review_comment", comment)
    page.locator("#review_comment").blur()
    page.keyboard.press(what)
    expect(page.locator("#review_room .told.done")).to_be_visible()


def test_held_words_go_on_when_approved_and_the_clip_is_seen_only_once_it_is(
    guest: Page, admin: Page
) -> None:
    job = ask(guest, NAMED)
    expect(stage(guest, "held")).to_be_visible()
    expect(guest.locator("#stage mark")).to_have_text("Jay Chou")
    assert guest.locator("#tab_review-button").is_hidden()
    # The open room finds it by itself.
    expect(admin.locator(".texts mark").first).to_have_text("Jay Chou")
    expect(admin.locator("#tab_review-button")).to_have_attribute("data-count", "1")
    decide(admin, "a")
    expect(stage(guest, "queued", "running", "held")).to_be_visible()

    # Made by now, and waiting for a person's look: the guest's page says so, nobody but admins can fetch it.
    expect(admin.locator("#review_player")).to_be_visible()
    asset = str(admin.get_attribute(".review", "data-current")).removeprefix("picture ")
    expect(guest.locator("#stage .veil h2")).to_contain_text("waiting for a person's look")
    expect(guest.locator("#stage video, #stage .recipe, #download")).to_have_count(0)
    addresses = [
        f"/media/{asset}.mp4",
        f"/media/{asset}.mp4?download=1",
        f"/media/{asset}.webp",
        f"/film/{asset}.srt",
        f"/film/{asset}.vtt?language=en",
        f"/export/{asset}.h265",
        f"/export/{asset}.h265?status=1",
        f"/preview/{job}.webp",
    ]
    for address in addresses:
        assert guest.request.get(address).status == 404, address
    assert guest.request.post(f"/export/{asset}.h265").status == 404
    assert guest.request.get("/review/now").status == 403
    assert admin.request.get(f"/media/{asset}.mp4").status == 200

    decide(admin, "a", "fine")
    expect(stage(guest, "done")).to_be_visible()
    guest.wait_for_function("() => document.querySelector('#player')?.currentTime > 0.3")
    assert guest.request.get(f"/media/{asset}.mp4").status == 200
    admin.click("#review_past")
    expect(admin.locator(".decisions li")).to_have_count(2)
    expect(admin.locator(".decisions .by").first).to_have_text("Wei Lin")
    admin.click("#review_look")


def test_a_rejection_needs_a_comment_and_its_owner_reads_it(guest: Page, admin: Page) -> None:
    ask(guest, NAMED)
    expect(admin.locator(".texts mark").first).to_have_text("Jay Chou")
    admin.locator(".review").click(position={"x": 2, "y": 2})
    admin.keyboard.press("r")
    expect(admin.locator("#review_lacks")).to_contain_text("Say why")
    expect(admin.locator("#review_comment")).to_be_focused()
    # Keys are letters while somebody writes.
    admin.keyboard.type("a real singer")
    decide(admin, "r", "a real singer")
    expect(stage(guest, "rejected")).to_be_visible()
    expect(guest.locator("#stage .veil")).to_contain_text("a real singer")
    guest.click("#edit_words")
    expect(guest.locator("#prompt textarea")).to_have_value(NAMED)


def test_a_decision_made_while_the_room_looks_is_made(guest: Page, admin: Page) -> None:
    ask(guest, NAMED)
    expect(admin.locator(".texts mark").first).to_have_text("Jay Chou")
    hold_back(admin, "open", 4)
    admin.evaluate("review.opened()")
    decide(admin, "r", "not this one")
    expect(stage(guest, "rejected")).to_be_visible()
    expect(admin.locator(".texts mark")).to_have_count(0)
    admin.reload()


def test_words_that_may_not_be_used_are_shown_at_the_prompt_and_the_form_stays(guest: Page) -> None:
    prompt = "a quiet garden where two people have sex at noon"
    guest.goto("/en/")
    guest.fill("#prompt textarea", prompt)
    guest.click("#generate")
    expect(guest.locator("#trouble mark")).to_have_text("have sex")
    expect(guest.locator("#prompt textarea")).to_have_value(prompt)
    guest.get_by_role("button", name="Find them").click()
    guest.wait_for_function(
        "() => { const box = document.querySelector('#prompt textarea');"
        " return box.value.slice(box.selectionStart, box.selectionEnd) === 'have sex' }"
    )
    guest.keyboard.type("walk")
    expect(guest.locator("#trouble .trouble")).to_have_count(0)
