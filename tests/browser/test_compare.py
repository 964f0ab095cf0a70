"""The tab Compare in Chromium: asked for, filled, picked, voted on, looked at by a guest on a phone."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pipelines.request import Notice
from studio.access import Visitor
from studio.core import Studio
from studio.grid_view import Cell
from studio.library import new_id, places
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.media.probe import thumbnail
from studio.settings import Settings
from tests.browser.conftest import PATIENCE
from tests.queue_kit import Desk, asset_of
from tests.running_app import RunningApp
from tests.seal_kit import finished

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
expect.set_options(timeout=PATIENCE)
ADMIN = Visitor("root", True)
HOSTILE = "a fox <img src=x onerror=alert(1)> =1+1"


class Kitchen:
    """A worker of ours for the studio that has none: it makes small clips that play."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(studio_home=home)
        self.studio, self.desk = Studio(self.settings), Desk(self.settings)

    def cells(self, grid: str) -> tuple[Cell, ...]:
        return self.studio.grids.view(ADMIN, grid).cells

    def begin(self, grid: str):  # type: ignore[no-untyped-def]
        """Take a grid's next cell."""
        self.studio.grids.to_front(ADMIN, grid)
        return self.desk.begin(ticket=new_id())

    def serve(self, grid: str, colour: int) -> str:
        """Make it; the asset's id."""
        attempt = self.begin(grid)
        asset_id = new_id()
        place, still = places(asset_id, ".webp")
        path = self.settings.tmp / f"{asset_id}.mp4"
        picture = np.full((256, 256, 3), colour, dtype=np.uint8)
        write_clip(
            [picture] * 17, path=path, fps=8, comment="", label=LabelStyle(shown=False), expected_frames=17
        )
        (self.settings.tmp / f"{asset_id}.webp").write_bytes(thumbnail(path))
        files = [(path, place), (path.with_suffix(".webp"), still)]
        asset = asset_of(attempt.job, asset_id, place, still)
        claims = self.desk.claims()
        assert claims.publish(attempt, asset, files, self.desk.library, finished(asset_id), tail_seconds=0.1)
        return asset_id


@pytest.fixture(scope="module")
def kitchen(resting: RunningApp) -> Iterator[Kitchen]:
    opened = Kitchen(resting.home)
    yield opened
    opened.desk.close()
    opened.studio.jobs.tickets.close()
    opened.studio.engine.dispose()


def state(page: Page, number: int, wanted: str) -> None:
    expect(page.locator(f'.cmp-cell[data-number="{number}"][data-state={wanted}]')).to_be_visible()


def ask(page: Page) -> str:
    """One prompt more than the example has, in two styles; the grid's id."""
    page.goto("/en/?tab=compare")
    page.click("#compare_try")
    expect(page.locator("#compare_price")).to_contain_text("4 clips")
    page.fill("#compare_prompts", f"a boat at sea\n{HOSTILE}")
    for name in ("watercolour", "neon"):
        page.locator(f"label.cmp-style:has(input[value={name}])").click()
    page.locator("#compare_form_in label:has(> input[value='256x256'])").click()
    expect(page.locator("#compare_price")).to_contain_text("4 clips")
    expect(page.locator(".cmp-style input:checked")).to_have_count(2)
    page.click("#compare_start")
    page.wait_for_url(re.compile(r"[?&]grid="))
    return page.url.partition("grid=")[2]


def test_a_grid_is_asked_for_fills_is_compared_and_voted_on(
    context: BrowserContext, browser: Browser, kitchen: Kitchen
) -> None:
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    grid = ask(page)
    state(page, 3, "queued")
    assert [cell.request.size for cell in kitchen.cells(grid)] == [(256, 256)] * 4
    made = [kitchen.serve(grid, 60), kitchen.serve(grid, 200)]
    kitchen.desk.claims().fail(kitchen.begin(grid), Notice("model_failed"))
    state(page, 0, "done")
    state(page, 1, "done")
    state(page, 2, "failed")
    page.locator(".cmp-cell[data-state=failed] .btn").click()
    state(page, 2, "queued")
    for colour in (120, 160):
        made.append(kitchen.serve(grid, colour))
    state(page, 3, "done")
    expect(page.locator("#compare_room .facts")).to_contain_text("4 of 4 done")

    _compared(page)
    _voted(page, kitchen, grid)
    assert problems == []

    # Who holds the link sees the same, and can't change it; a clip whose file is lost is told so.
    (kitchen.settings.studio_home / kitchen.desk.library.get(made[1]).path).unlink()
    with browser.new_context(base_url=page.url.partition("/en")[0], locale="zh-CN") as guests:
        guests.set_default_timeout(PATIENCE)
        guest = guests.new_page()
        guest.set_viewport_size({"width": 390, "height": 844})
        guest.goto(f"/?grid={grid}")
        state(guest, 0, "done")
        state(guest, 1, "gone")
        assert guest.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        expect(guest.locator("#tab_compare-button")).to_have_attribute("aria-selected", "true")


def _compared(page: Page) -> None:
    for number in (3, 0):
        page.locator(f'.cmp-cell[data-number="{number}"] button.cmp-shot').click()
    expect(page.locator("#compare_player[data-playing]")).to_be_visible()
    expect(page.locator("#compare_player .sy-pane")).to_have_count(2)
    # In the order in which they were picked, with only what differs.
    expect(page.locator(".differ tbody tr")).to_have_count(2)
    expect(page.locator(".differ tr[data-field=prompt] ins")).to_contain_text(["boat"])
    expect(page.locator(".differ")).to_contain_text("Same seed")
    assert page.locator(".differ img").count() == 0
    page.keyboard.press(" ")
    expect(page.locator("#compare_player .sy-play[data-now=play]")).to_be_visible()
    page.locator('.cmp-cell[data-number="1"] button.cmp-shot').click()
    expect(page.locator("#compare_player .sy-pane")).to_have_count(3)
    for number in (3, 0):
        page.locator(f'.cmp-cell[data-number="{number}"] button.cmp-shot').click()
    expect(page.locator("#compare_player")).to_have_count(0)


def _overtaken(page: Page) -> None:
    """An answer to what was asked before the vote comes after the vote's: the vote goes on."""
    page.evaluate(
        """() => {
          const stage = document.querySelector('#compare_stage');
          new MutationObserver(() => { window.emptied ||= !stage.querySelector('section'); })
            .observe(stage, { subtree: true, childList: true });
          studio.send('compare_room',
            { act: 'compare', key: '', grid: compare.ui.grid, picks: [], values: {} });
        }"""
    )
    page.wait_for_function("window.emptied")
    expect(page.locator(".voting[data-pair]")).to_be_visible()


def _voted(page: Page, kitchen: Kitchen, grid: str) -> None:
    page.click("#compare_vote")
    expect(page.locator(".voting[data-pair]")).to_be_visible()
    _overtaken(page)
    for key, answer in (("1", None), ("0", "tie")):
        pair = page.locator(".voting[data-pair]")
        expect(pair).to_be_visible()
        before = pair.get_attribute("data-pair")
        assert not re.search("watercolour|neon", pair.inner_text(), re.IGNORECASE)
        page.wait_for_timeout(100)
        page.keyboard.press(key)
        expect(page.locator(f'.voting:not([data-pair="{before}"])')).to_be_visible()
        said = kitchen.studio.votes.of(grid)[-1]
        assert {str(said.one), str(said.other)} == set((before or "").split())
        assert said.choice == answer or answer is None
    page.click("#vote_results")
    expect(page.locator(".votes-of")).to_contain_text("2 votes")
    expect(page.locator(".votes-of .said").first).to_contain_text("Too few to be sure")
    with page.expect_download() as got:
        page.click("#votes_csv")
    table = Path(got.value.path()).read_text("utf-8-sig")
    assert table.count("\n") == 3
    page.locator(".votes-of [data-key=vote_end]").click()
    expect(page.locator("#compare_stage section")).to_have_count(0)


def test_bad_input_is_a_sentence_and_nothing_is_lost(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/en/?tab=compare")
    page.fill("#compare_prompts", "a boat")
    page.fill("#compare_form_in [name=seeds]", "1, x")
    expect(page.locator("#compare_price .sorry")).to_contain_text("“x” is no seed")
    page.click("#compare_start")
    expect(page.locator("#compare_price .sorry")).to_be_visible()
    assert page.input_value("#compare_prompts") == "a boat"
    # A question about the price that travels long does not overtake the table's answer.
    page.evaluate(
        """() => {
          const sent = window.fetch;
          window.fetch = async (address, how) => {
            const slow = String(how?.body).includes('"act":"price"');
            if (slow) await new Promise((go) => setTimeout(go, 1500));
            const answer = await sent(address, how);
            if (slow) setTimeout(() => { window.travelled = true; }, 500);
            return answer;
          };
        }"""
    )
    page.fill("#compare_form_in [name=seeds]", "")
    page.wait_for_timeout(500)
    bad = {"name": "t.csv", "mimeType": "text/csv", "buffer": b"prompt,seed\na fox,1\nb,2,3\n"}
    page.set_input_files("#compare_csv", bad)
    expect(page.locator("#compare_price .sorry")).to_contain_text("Row 3")
    page.set_input_files("#compare_csv", {**bad, "buffer": "画面描述,种子\n狐狸,1\n船,2\n".encode("gb18030")})
    expect(page.locator(".cmp-table .tag")).to_contain_text("2 rows")
    page.wait_for_function("window.travelled")
    expect(page.locator("#compare_price")).to_contain_text("3 clips")
    assert page.input_value("#compare_prompts") == "a boat"
    # What was typed is there again after a reload, and in the other language.
    page.locator("label.cmp-style:has(input[value=neon])").click()
    expect(page.locator("#compare_price")).to_contain_text("3 clips")
    for address in ("/en/?tab=compare", "/zh/?tab=compare"):
        page.goto(address)
        expect(page.locator("#compare_prompts")).to_have_value("a boat")
        expect(page.locator(".cmp-style input:checked")).to_have_count(1)
        expect(page.locator("#compare_form_in [name=lines]")).to_have_count(1)
    page.goto("/en/?grid=gone")
    expect(page.locator("#compare_room .sorry")).to_be_visible()
