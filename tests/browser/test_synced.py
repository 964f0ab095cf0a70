"""The synced player in Chromium, on a page of its own: clips stay within one frame of each other."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.ui import synced as module
from studio.ui.synced import SyncedClip, synced

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SOURCES = Path(module.__file__).parent
SECONDS = 30
# When the page was drawn, which picture of each clip is on the screen then, and where each player's clock is.
MEASURE = """async (seconds) => {
  const { videos } = document.querySelector('synced-player');
  const shown = videos.map(() => null);
  videos.forEach((video, at) => {
    const next = (_, frame) => { shown[at] = frame.mediaTime; video.requestVideoFrameCallback(next); };
    video.requestVideoFrameCallback(next);
  });
  const found = [];
  const until = performance.now() + 1000 * seconds;
  await new Promise((done) => {
    const look = () => {
      const clocks = videos.map((video) => video.currentTime);
      if (!shown.includes(null)) found.push([[...shown], clocks, performance.now()]);
      if (performance.now() < until) requestAnimationFrame(look); else done();
    };
    look();
  });
  return found;
}"""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips of moving bars: two alike, one shorter with other pictures a second, and a broken one."""
    folder = tmp_path_factory.mktemp("clips")
    for name, frames, fps in (("a", 81, 16), ("b", 81, 16), ("c", 48, 24)):
        pictures = (_bar(number) for number in range(frames))
        write_clip(
            pictures,
            path=folder / f"{name}.mp4",
            fps=fps,
            comment="",
            label=LabelStyle(shown=False),
            expected_frames=frames,
        )
    (folder / "broken.mp4").write_bytes(b"\0" * 2000)
    return folder


def _bar(number: int) -> np.ndarray:
    picture = np.full((96, 160, 3), 40, dtype=np.uint8)
    picture[:, number % 150 : number % 150 + 10] = (224, 163, 74)
    return picture


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1200, "height": 700})
    yield page
    page.close()


def show(page: Page, clips: Path, *names: str, view: str = "side") -> None:
    """Open a page that holds nothing but the player."""
    rates = {"c": 24}
    told = [SyncedClip(f"{name}.mp4", f"<b>{name}</b>", rates.get(name, 16), 160, 96) for name in names]
    style = ":root{--text:#eee;--muted:#999;--accent:#e0a34a;--raised:#222;--line:#333;--screen:#000}"
    css, script = ((SOURCES / f"synced.{kind}").read_text("utf-8") for kind in ("css", "js"))
    html = f"<!doctype html><meta charset=utf-8><style>{style}{css}</style><script>{script}</script>"
    (clips / "index.html").write_text(
        html + synced(told, "en", view="wipe" if view == "wipe" else "side"), "utf-8"
    )
    page.goto((clips / "index.html").as_uri())


def test_clips_stay_within_one_frame_of_each_other_for_half_a_minute(page: Page, clips: Path) -> None:
    show(page, clips, "a", "b", "c")
    expect(page.locator("synced-player[data-playing]")).to_be_visible()
    page.wait_for_timeout(500)
    found = page.evaluate(MEASURE, SECONDS)
    assert len(found) > 10 * SECONDS
    calm = _calm(np.array([row[2] for row in found]) / 1000)
    assert calm.mean() > 0.3, "the machine is too busy to tell"
    shown = np.array([row[0] for row in found])[calm]
    clocks = np.array([row[1] for row in found])[calm]
    frame, length = 1 / 16, 81 / 16
    # The clip of two seconds holds its last picture until the others begin again.
    for one, other, end in ((0, 1, length), (0, 2, 2.0), (1, 2, 2.0)):
        clock = _apart(clocks[:, one], clocks[:, other], end, length)
        picture = _apart(shown[:, one], shown[:, other], end - frame, length)
        # A busy machine stops a player for a moment, or leaves out a picture, now and then: what counts is
        # that nothing stays apart.
        assert (clock > frame).mean() < 0.01, f"clocks of {one} and {other} were apart"
        assert clock.max() <= 2 * frame, (
            f"clocks of {one} and {other} were {clock.max() / frame:.2f} frames apart"
        )
        late = picture > frame * 1.01
        assert late.mean() < 0.02, f"{late.mean():.1%} of the pictures of {one} and {other} are apart"
        assert not (late[:-3] & late[1:-2] & late[2:-1] & late[3:]).any()


def _calm(times: np.ndarray) -> np.ndarray:
    """Where the page was drawn again and again: not where a busy machine stopped it, nor a moment after."""
    stopped = times[1:][np.diff(times) > 0.15]
    return np.array([not ((stopped - 0.15 <= time) & (time < stopped + 0.3)).any() for time in times])


def _apart(one: np.ndarray, other: np.ndarray, end: float, length: float) -> np.ndarray:
    """Seconds between two clips in one loop: the end of a round and its beginning are neighbours."""
    gap = np.abs(np.minimum(one, end) - np.minimum(other, end))
    if end < length - 0.1:
        # Who holds its last picture begins again with the others, wherever those are in their last frames.
        around = (one > length - 0.2) | (other > length - 0.2) | (one < 0.2) | (other < 0.2)
        return np.where(around, 0.0, gap)
    return np.minimum(gap, np.abs(length - gap))


def test_one_clip_that_falls_behind_is_brought_back(page: Page, clips: Path) -> None:
    show(page, clips, "a", "b")
    expect(page.locator("synced-player[data-playing]")).to_be_visible()
    page.evaluate("document.querySelector('synced-player').videos[1].currentTime += 1.5")
    page.wait_for_function(
        """() => { const [a, b] = document.querySelector('synced-player').videos;
        const apart = Math.abs(a.currentTime - b.currentTime);
        return !a.seeking && !b.seeking && a.currentTime > 0.2 && apart < 0.06; }"""
    )


def test_keys_step_all_by_one_picture_and_space_plays_and_stops(page: Page, clips: Path) -> None:
    show(page, clips, "a", "c")
    player = page.locator("synced-player")
    expect(page.locator("synced-player[data-playing]")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.locator(".sy-play[data-now=play]")).to_be_visible()
    page.evaluate("document.querySelector('synced-player').seek(1)")
    page.wait_for_function(
        "document.querySelector('synced-player').videos.every((one) => Math.abs(one.currentTime - 1) < .01)"
    )
    page.keyboard.press("ArrowRight")
    # The finest clip's pictures count: 24 a second.
    page.wait_for_function(
        "Math.abs(document.querySelector('synced-player').videos[0].currentTime - 25.5 / 24) < 0.001"
    )
    times = player.evaluate("(player) => player.videos.map((video) => video.currentTime)")
    assert times[0] == pytest.approx(times[1], abs=0.001)
    page.evaluate("document.querySelector('synced-player').seek(4)")
    page.wait_for_function(
        "Math.abs(document.querySelector('synced-player').videos[0].currentTime - 4) < 0.01"
    )
    # The shorter one shows its last picture.
    assert player.evaluate("(player) => player.videos[1].currentTime") == pytest.approx(
        2 - 0.5 / 24, abs=0.01
    )
    expect(page.locator(".sy-counter")).to_have_text("4.0 s · 65/81")


def test_a_lost_file_says_so_and_the_others_go_on(page: Page, clips: Path) -> None:
    show(page, clips, "a", "gone", "broken", "b")
    expect(page.locator("synced-player[data-playing]")).to_be_visible()
    assert [pane.is_visible() for pane in page.locator(".sy-lost").all()] == [False, True, True, False]
    assert page.locator(".sy-title span").first.inner_text() == "<b>a</b>"
    show(page, clips, "gone", "broken")
    expect(page.locator(".sy-lost >> nth=1")).to_be_visible()
    expect(page.locator(".sy-play")).to_be_disabled()


def test_the_wipe_lays_one_clip_over_the_other(page: Page, clips: Path) -> None:
    show(page, clips, "a", "b", view="wipe")
    boxes = [box.bounding_box() for box in page.locator(".sy-screen").all()]
    assert boxes[0] == boxes[1]
    page.locator(".sy-split").focus()
    page.keyboard.press("Home")
    assert page.locator(".sy-stage").evaluate("(stage) => stage.style.getPropertyValue('--at')") == "0%"
    page.locator(".sy-wipe").click()
    boxes = [box.bounding_box() for box in page.locator(".sy-screen").all()]
    assert boxes[0] != boxes[1]
    # Who draws the page anew may empty it: it builds itself again.
    page.evaluate("document.querySelector('synced-player').replaceChildren()")
    expect(page.locator("synced-player video")).to_have_count(2)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
