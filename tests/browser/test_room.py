"""A review link on a phone, in a second browser: played, commented in the picture, decided, and shut."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from studio.core import Studio
from studio.settings import Settings
from tests.room.kit import Told, story
from tests.running_app import RunningApp, running_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PATIENCE = 60_000
SECRET, TOKEN = "only-for-the-team", "only-for-admins"


@dataclass
class Shared:
    """The running studio, the story in it, and the link that was made on its page."""

    app: RunningApp
    told: Told
    maker: Page
    address: str


@pytest.fixture(scope="module")
def shared(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """The story's owner opens its menu and makes a link."""
    home = tmp_path_factory.mktemp("home")
    studio = Studio(Settings(studio_home=home))
    told = story(studio)
    studio.engine.dispose()
    with (
        running_app(home, ACCESS_PASSWORD=SECRET, ADMIN_TOKEN=TOKEN, LOCAL_WORKER="0") as app,
        context(browser, app, width=1440) as own,
    ):
        assert own.request.post("/pass", form={"secret": SECRET, "next": "/"}, max_redirects=0).status == 303
        assert own.request.post("/admin", form={"secret": TOKEN, "next": "/"}, max_redirects=0).status == 303
        page = own.new_page()
        page.goto(f"/en/?story={told.id}")
        page.locator(".story-head .menu summary").click()
        page.click("#story_share")
        page.fill("#share_form [name=note]", "Acme")
        page.click("#share_make")
        expect(page.locator("#share_made")).to_be_visible()
        address = page.input_value("#share_made input")
        assert page.locator("#share_made img").evaluate("picture => picture.naturalWidth") > 100
        page.keyboard.press("Escape")
        yield Shared(app, told, page, address)


def context(browser: Browser, app: RunningApp, *, width: int, **more: Any) -> BrowserContext:
    made = browser.new_context(
        locale="en-US", base_url=app.address, viewport={"width": width, "height": 844}, **more
    )
    made.set_default_timeout(PATIENCE)
    return made


def test_a_guest_on_a_phone_comments_in_the_picture_and_decides_and_the_maker_sees_it(
    browser: Browser, shared: Shared
) -> None:
    expect.set_options(timeout=PATIENCE)
    first, second, _ = shared.told.shots
    with context(browser, shared.app, width=390, has_touch=True, is_mobile=True) as phone:
        guest = phone.new_page()
        asked: list[str] = []
        errors: list[str] = []
        guest.on("request", lambda request: asked.append(request.url))
        guest.on("pageerror", lambda error: errors.append(str(error)))
        guest.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        # No password is asked for, and the studio itself stays shut.
        guest.goto(shared.address)
        expect(guest.locator("#title")).to_have_text("The red dragon")
        assert phone.request.get("/en/", headers={"accept": "text/html"}).status == 401
        _fits_a_phone(guest)
        _play_and_point(guest, second)
        _ask_for_changes(guest, second)

        # Beside the shot, within seconds, on a page that was open all the time.
        card = shared.maker.locator(f".shot[data-shot='{second}'] .reviewed")
        expect(card.locator(".tone")).to_have_text("Changes wanted: A larger dragon", timeout=12_000)
        expect(card).to_contain_text("1 comment")

        # Two takes of the first shot under one clock.
        guest.tap(f"#items [data-item='{first}'] .item")
        guest.tap("#views button:nth-child(2)")
        expect(guest.locator(".sy-pane")).to_have_count(2)
        guest.tap("#approve")
        expect(guest.locator("#coming")).to_be_visible()
        _fits_a_phone(guest)
        guest.tap("#take_back")
        expect(guest.locator("#coming")).to_be_hidden()
        guest.tap("#approve")
        expect(guest.locator("#about .decided b")).to_have_text("Approved")
        assert guest.evaluate("room.state.verdicts.filter(one => one.what === 'approve').length") == 1

        _is_asked_before_a_yes(guest, second)

        # Who shares answers in the same room.
        with shared.maker.context.expect_page() as opened:
            card.locator("a").click()
        desk = opened.value
        expect(desk.locator("#said article p")).to_have_text("<b>Larger</b>, please")
        expect(desk.locator("#approve")).to_be_hidden()
        desk.locator("[data-resolve]").click()
        expect(guest.locator(f"#items [data-item='{second}'] .count")).to_have_count(0)
        desk.close()

        assert [url for url in asked if not url.startswith(f"{shared.app.address}/room/")] == []
        assert errors == []
        _shut(shared)
        expect(guest.locator("body.closed p")).to_contain_text("This link was closed", timeout=12_000)
        assert guest.evaluate("document.documentElement.scrollWidth") <= 390
        film = phone.request.get(f"{shared.address}media/{shared.told.film.id}.mp4")
        assert film.status == 410


def _is_asked_before_a_yes(guest: Page, shot: str) -> None:
    """Over what somebody wanted to be different, a yes is asked about."""
    guest.tap(f"#items [data-item='{shot}'] .item")
    guest.tap("#approve")
    expect(guest.locator("#over_of")).to_contain_text("A larger dragon")
    guest.tap("#ask_over [data-close]")
    guest.wait_for_timeout(200)
    expect(guest.locator(f"#items [data-item='{shot}'] .tone")).to_have_text("Changes wanted")


def _fits_a_phone(guest: Page) -> None:
    """Nothing goes over the edge, and everything is large enough for a finger."""
    assert guest.evaluate("document.documentElement.scrollWidth") <= 390
    small = guest.evaluate(
        "[...document.querySelectorAll('button, a, summary')].filter(one => one.offsetParent"
        " && Math.min(one.getBoundingClientRect().height, one.getBoundingClientRect().width) < 43.5"
        " && !one.closest('#time')).map(one => one.outerHTML.slice(0, 90))"
    )
    assert small == []


def _play_and_point(guest: Page, shot: str) -> None:
    """The film plays, goes to a shot, and a tap in its picture is where a comment stands."""
    guest.tap(".sy-play")
    guest.wait_for_function("() => document.querySelector('video').currentTime > 0.4")
    guest.tap(f"#items [data-item='{shot}'] .item")
    guest.wait_for_function("() => Math.abs(document.querySelector('video').currentTime - 2) < 1.5")
    guest.tap("#say")
    box = guest.locator(".sy-screen").first.bounding_box()
    assert box is not None
    guest.touchscreen.tap(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    expect(guest.locator(".pin")).to_be_visible()
    guest.fill("#words", "<b>Larger</b>, please")
    guest.tap("#send")
    # The name is asked once.
    guest.fill("#name", "Wei Lin")
    guest.tap("#name_go")
    expect(guest.locator("#said article p").first).to_have_text("<b>Larger</b>, please")
    said = guest.evaluate("room.state.comments.map(one => [one.item, one.x, one.y, one.name])")
    item, x, y, name = said[0]
    assert (item, name) == (shot, "Wei Lin")
    assert abs(x - 0.25) < 0.02
    assert abs(y - 0.5) < 0.02


def _ask_for_changes(guest: Page, shot: str) -> None:
    """Not without saying which."""
    guest.tap("#changes")
    guest.tap("#changes_go")
    expect(guest.locator("#ask_changes .sorry")).to_be_visible()
    guest.fill("#wanted", "A larger dragon")
    guest.tap("#changes_go")
    expect(guest.locator(f"#items [data-item='{shot}'] .tone")).to_have_text("Changes wanted")


def _shut(shared: Shared) -> None:
    page = shared.maker
    page.locator(".story-head .menu summary").click()
    if not page.locator("#story_share").is_visible():
        page.locator(".story-head .menu summary").click()
    page.click("#story_share")
    page.locator("#share_links button").first.click()
    page.click("#confirm_yes")
    expect(page.locator("#share_links li").first).to_have_attribute("data-state", "revoked")


def test_keys_decide_comment_and_go_on(browser: Browser, shared: Shared) -> None:
    expect.set_options(timeout=PATIENCE)
    page = shared.maker
    if not page.locator("#share_form").is_visible():
        page.click("#story_share")
    page.click("#share_make")
    expect(page.locator("#share_made")).to_be_visible()
    address = page.input_value("#share_made input")
    with context(browser, shared.app, width=1280) as desk:
        guest = desk.new_page()
        guest.goto(address)
        expect(guest.locator("#items li")).to_have_count(4)
        guest.keyboard.press("ArrowDown")
        guest.keyboard.press("ArrowDown")
        expect(guest.locator("#items [data-current]")).to_have_attribute("data-item", shared.told.shots[1])
        guest.keyboard.press("c")
        guest.keyboard.type("a right word, and a comma")
        guest.keyboard.press("Control+Enter")
        guest.keyboard.type("Lin")
        guest.keyboard.press("Enter")
        said = guest.locator("#said article", has_text="a right word, and a comma")
        expect(said).to_have_count(1)
        guest.locator("#title").click()
        guest.keyboard.press("ArrowDown")
        guest.keyboard.press("a")
        expect(guest.locator("#items [data-current] .tone")).to_have_text("Approved")
        guest.goto(f"{address}?language=zh")
        expect(guest.locator("#approve")).to_contain_text("通过")
