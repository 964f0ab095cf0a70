"""The page in Chromium, on the real app without a worker: what people type, press and drop."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.running_app import RunningApp, free_port, running_app

pytestmark = pytest.mark.slow
# A loaded machine with two cores takes many seconds to open the page.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
EVIL = "a boat <img src=x onerror=alert(1)> \"><script>alert(2)</script>'"


def opened(context: BrowserContext, path: str = "/en/") -> Page:
    """The page, ready to be used."""
    page = context.new_page()
    page.goto(path)
    # The price is the last thing that the page asks for when it opens.
    expect(page.locator("#price")).not_to_be_empty(timeout=PATIENCE)
    return page


def section(page: Page, state: str):
    return page.locator(f'#stage section[data-state="{state}"]')


@pytest.mark.parametrize(("language", "generate"), [("en", "Generate"), ("zh", "生成")])
def test_the_page_asks_no_other_host_and_has_no_errors(
    context: BrowserContext, resting: RunningApp, language: str, generate: str
) -> None:
    hosts: set[str] = set()
    wrong: list[str] = []
    context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    page = opened(context, f"/{language}/")
    expect(page.locator("#generate")).to_have_text(generate)
    assert page.evaluate("document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
    for tab in ("story", "queue", "library", "create"):
        page.click(f"#tab_{tab}-button")
    page.wait_for_timeout(500)
    assert {host for host in hosts if host} == {urlsplit(resting.address).netloc}
    assert wrong == []


def test_it_fits_every_width_and_every_thumb(context: BrowserContext) -> None:
    page = opened(context)
    page.click("#advanced .label-wrap")
    page.click("#model input")
    page.get_by_role("option", name="Wan2.2 T2V-A14B").click()
    expect(page.locator("#size label")).to_have_count(6)
    for width in (1440, 800, 390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        for tab in ("story", "compare", "styles", "library", "queue", "review", "verify", "create"):
            page.click(f"#tab_{tab}-button")
            page.wait_for_timeout(150)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (width, tab)
        right = page.evaluate("document.querySelector('#asking').getBoundingClientRect().right")
        assert page.evaluate("document.querySelector('#size .wrap').getBoundingClientRect().right") <= right
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, a, fieldset label, summary')]
            .filter((e) => e.offsetParent && !e.closest('.visually-hidden, .overflow-menu'))
            .map((e) => [e.textContent.trim() || e.id, e.getBoundingClientRect()])
            .filter(([, box]) => box.width && (box.height < 43.5 || box.width < 43.5))
            .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
    )
    assert small == []


def test_hands_stay_on_the_keyboard(context: BrowserContext) -> None:
    page = opened(context)
    page.keyboard.press("Escape")
    page.locator("#generate").focus()
    page.keyboard.press("/")
    expect(page.locator("#prompt textarea")).to_be_focused()
    page.keyboard.type("a boat at sea / and a bird?")
    page.locator('#style input[value="none"]').focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator('#style input[value="cinematic"]')).to_be_checked()
    page.keyboard.press("Control+Enter")
    expect(section(page, "queued")).to_be_visible()
    expect(page.locator("#stage .asked")).to_have_text("a boat at sea / and a bird?")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#keys")).not_to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#confirm")).to_be_visible()
    page.keyboard.press("Escape")
    expect(section(page, "queued")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(section(page, "cancelled")).to_be_visible()


def test_a_prompt_is_never_run_as_html(context: BrowserContext) -> None:
    page = opened(context)
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.fill("#prompt textarea", EVIL)
    page.click("#generate")
    expect(section(page, "queued")).to_be_visible()
    expect(page.locator("#stage .asked")).to_have_text(EVIL)
    page.click("#cancel")
    expect(page.locator("#confirm")).to_contain_text(EVIL)
    page.click("#confirm_yes")
    expect(section(page, "cancelled")).to_be_visible()
    page.click("#tab_queue-button")
    expect(page.locator("li.row .open", has_text=EVIL).first).to_be_visible()
    page.goto(f"/en/?job={EVIL}")
    expect(section(page, "unknown")).to_be_visible()
    assert alerts == []
    assert page.locator("img[src=x]").count() == 0


def test_a_refusal_is_one_sentence_and_nothing_is_lost(context: BrowserContext) -> None:
    page = opened(context)
    page.fill("#prompt textarea", "x" * 2001)
    page.fill("#seed input, #seed textarea", "-5")
    page.click("#generate")
    expect(page.locator("#notice [role=alert]")).to_contain_text("2001 characters")
    expect(page.locator("#seed input, #seed textarea").first).to_have_value("-5")
    assert "job=" not in page.url
    page.fill("#prompt textarea", "a boat")
    page.click("#generate")
    expect(page.locator("#notice [role=alert]")).to_contain_text("Seed takes a whole number from 0")
    page.reload()
    expect(page.locator("#prompt textarea")).to_have_value("a boat")


def test_a_file_that_is_not_ours_gets_its_sentence(context: BrowserContext, tmp_path: Path) -> None:
    page = opened(context, "/zh/")
    page.fill("#prompt textarea", "留在这里")
    for name, content, words in (
        ("lying.mp4", b"not a film at all" * 100, "不是视频"),
        ("empty.mp4", b"", "这个文件是空的"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "不是视频"),
    ):
        (tmp_path / name).write_bytes(content)
        page.set_input_files("#drop_mp4 input[type=file]", str(tmp_path / name))
        expect(page.locator("#notice [role=alert]")).to_contain_text(words)
    expect(page.locator("#prompt textarea")).to_have_value("留在这里")


def test_a_film_may_be_dropped_anywhere(context: BrowserContext) -> None:
    page = opened(context)
    page.evaluate(
        """() => { const data = new DataTransfer(); data.items.add(new File(['nothing'], 'a.mp4'));
            for (const kind of ['dragover', 'drop'])
              document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, dataTransfer: data })) }"""
    )
    expect(page.locator("#notice [role=alert]")).to_contain_text("This file isn't a video")
    expect(page.locator("#dropping")).to_be_hidden()


def test_the_language_changes_while_job_draft_and_light_stay(context: BrowserContext) -> None:
    page = opened(context)
    page.fill("#prompt textarea", "a boat")
    page.click("#generate")
    page.wait_for_url(re.compile("job="))
    page.click("#light_dark")
    page.click("#language")
    expect(page).to_have_url(re.compile(r"/zh/\?job="))
    expect(section(page, "queued")).to_be_visible()
    expect(page.locator("#prompt textarea")).to_have_value("a boat")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert context.request.get("/", max_redirects=0).headers["location"] == "/zh/"


def test_a_studio_that_comes_back_is_followed_again(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    with browser.new_context(base_url=f"http://127.0.0.1:{port}") as context:
        context.set_default_timeout(PATIENCE)
        with running_app(tmp_path, port=port, LOCAL_WORKER="0"):
            page = opened(context)
            page.fill("#prompt textarea", "a boat")
            page.click("#generate")
            expect(section(page, "queued")).to_be_visible()
            resting = opened(context)
        for left in (page, resting):
            expect(left.locator("#line")).to_be_visible(timeout=PATIENCE)
        # The last picture stays.
        expect(page.locator("#stage section")).to_have_attribute("data-state", "queued")
        with running_app(tmp_path, port=port, LOCAL_WORKER="0"):
            for found in (page, resting):
                expect(found.locator("#line")).to_be_hidden(timeout=PATIENCE)
            expect(section(page, "queued")).to_be_visible(timeout=PATIENCE)
            page.click("#cancel")
            page.click("#confirm_yes")
            expect(section(page, "cancelled")).to_be_visible()


def test_the_page_opens_light_or_dark_as_the_browser_is_until_somebody_chooses(
    browser: Browser, resting: RunningApp
) -> None:
    context = browser.new_context(base_url=resting.address, locale="zh-CN", color_scheme="light")
    context.set_default_timeout(PATIENCE)
    page = opened(context, "/zh/")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-theme", "dark")
    page.click("#light_dark")
    expect(root).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="light")
    page.emulate_media(color_scheme="dark")
    page.reload()
    # What was chosen stays.
    expect(root).to_have_attribute("data-theme", "light")
    more = page.locator("#tabs .overflow-menu > button")
    expect(more.first).to_have_attribute("aria-label", "更多标签页")
    context.close()
