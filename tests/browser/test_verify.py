"""The tab Verify in Chromium, on the real app: a video is dropped and told where it comes from."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from studio.core import Studio
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.settings import Settings
from tests.running_app import RunningApp, running_app
from tests.studio.test_formats import keep_sealed
from tests.trust.clips import attacked, clouds

pytestmark = pytest.mark.slow
expect.set_options(timeout=60_000)
EVIL = "<img src=x onerror=alert(1)>.mp4"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("verify") / "home"
    keep_sealed(Studio(Settings(studio_home=home)), "one")
    return home


@pytest.fixture(scope="module")
def studio(home: Path) -> Iterator[RunningApp]:
    with running_app(home, LOCAL_WORKER="0") as app:
        yield app


@pytest.fixture
def page(browser: Browser, studio: RunningApp) -> Iterator[Page]:
    context = browser.new_context(base_url=studio.address, locale="en-US")
    page = context.new_page()
    wrong: list[str] = []
    foreign: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((studio.address, "data:", "blob:"))
            else foreign.append(request.url)
        ),
    )
    yield page
    context.close()
    assert (wrong, foreign) == ([], [])


@pytest.fixture(scope="module")
def copy(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What leaked: encoded anew, under a nasty name."""
    return attacked(home / "media" / "one.mp4", crf=16).rename(
        tmp_path_factory.mktemp("copies") / EVIL.replace("/", "")
    )


def choose(page: Page, path: Path) -> None:
    page.set_input_files("#drop_verify input[type=file]", str(path))


def told(page: Page, answer: str) -> None:
    expect(page.locator(f'#verify_told section[data-answer="{answer}"]')).to_be_visible()


def signs(page: Page) -> list[str]:
    return [one.get_attribute("data-sign") or "" for one in page.locator(".clue").all()]


def drop(page: Page, path: Path, where: str = "body") -> None:
    """A file dropped by hand, as the browser has it."""
    content = list(path.read_bytes())
    held = page.evaluate_handle(
        """([bytes, name]) => { const held = new DataTransfer();
            held.items.add(new File([new Uint8Array(bytes)], name, { type: 'video/mp4' })); return held }""",
        [content, path.name],
    )
    page.dispatch_event(where, "dragover", {"dataTransfer": held})
    expect(page.locator("#dropping")).to_have_text(re.compile("where it comes from"))
    page.dispatch_event(where, "drop", {"dataTransfer": held})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_copy_is_named_with_four_lines_that_explain_themselves(
    page: Page, copy: Path, language: str
) -> None:
    page.goto(f"/{language}/?tab=verify")
    expect(page.locator("#verify_drop .invites")).to_be_visible()
    choose(page, copy)
    told(page, "certain")
    assert signs(page) == ["good", "good", "none", "good"]
    expect(page.locator(".kin .one")).to_have_count(1)
    expect(page.locator(".kin .one")).to_contain_text("anna")
    explanation = page.locator(".clue p").first
    expect(explanation).to_be_hidden()
    page.locator(".clue summary").first.click()
    expect(explanation).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_a_dropped_file_is_read_on_this_tab_and_others_are_told(page: Page, tmp_path: Path) -> None:
    page.goto("/en/?tab=verify")
    expect(page.locator("#verify_drop .invites")).to_be_visible()
    other = tmp_path / "other.mp4"
    write_clip(
        clouds(70, 8), path=other, fps=8, expected_frames=8, comment="{}", label=LabelStyle(shown=False)
    )
    drop(page, other)
    told(page, "none")
    assert signs(page) == ["none"] * 4
    other.write_bytes(b"not a video")
    choose(page, other)
    told(page, "failed")
    expect(page.locator("#verify_told h2")).to_be_visible()
    expect(page.locator("#verify_drop .invites")).to_be_visible()


def test_while_it_is_read_the_page_says_so(page: Page, copy: Path) -> None:
    page.goto("/en/?tab=verify")
    expect(page.locator("#verify_drop .invites")).to_be_visible()
    page.evaluate(
        """() => { window.seen = false; new MutationObserver(() => {
            window.seen ||= document.querySelector('#verify_drop .reading').offsetParent !== null
        }).observe(document.querySelector('#verify_drop'), { subtree: true, attributes: true }) }"""
    )
    choose(page, copy)
    told(page, "certain")
    assert page.evaluate("window.seen")
    expect(page.locator("#verify_drop .reading")).to_be_hidden()


def test_a_clip_of_the_library_is_verified_by_button_and_by_drag(page: Page) -> None:
    page.goto("/en/?tab=library")
    page.locator(".card").first.click()
    page.locator('#library_panel [data-act="verify"]').click()
    told(page, "certain")
    assert signs(page) == ["good"] * 4
    page.goto("/en/?tab=library")
    page.locator(".card").first.drag_to(page.locator("#tab_verify-button"))
    told(page, "certain")


def test_it_fits_a_phone_and_every_thumb(page: Page, copy: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for language in ("en", "zh"):
        page.goto(f"/{language}/?tab=verify")
        expect(page.locator("#verify_drop .invites")).to_be_visible()
        choose(page, copy)
        told(page, "certain")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        small = page.evaluate(
            """() => [...document.querySelectorAll('#verify :is(button, a, summary)')]
                .filter((e) => e.offsetParent).map((e) => e.getBoundingClientRect())
                .filter((box) => box.height < 43.5 || box.width < 43.5)
                .length"""
        )
        assert small == 0
        assert page.locator("#tabs [role=tablist] button:visible").count() >= 5
