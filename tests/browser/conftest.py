"""Chromium for the browser tests: the system's, started once, and a studio without a worker."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.find_chromium import find_chromium
from tests.running_app import RunningApp, running_app

# A loaded machine with two cores takes many seconds to open the page.
PATIENCE = 60_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    # Chromium's own errands would show up among the page's requests.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


# Not for the whole session: Playwright's event loop would run on under tests that need one of their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    assert path, "no Chromium: `make test` gets one, or install it by hand"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def resting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A studio without a worker, for all files whose tests bring stories and jobs of their own."""
    with running_app(tmp_path_factory.mktemp("home"), LOCAL_WORKER="0") as app:
        yield app


@pytest.fixture
def context(browser: Browser, resting: RunningApp) -> Iterator[BrowserContext]:
    """A visitor of that studio who reads English."""
    context = browser.new_context(base_url=resting.address, locale="en-US", color_scheme="dark")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()
