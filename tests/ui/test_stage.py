"""The stage says what is true of a job in each of its states, and lets nobody's text in as HTML."""

from html.parser import HTMLParser
from typing import Any

import pytest

from pipelines.request import Notice
from studio.core import Studio
from studio.ui import stage
from studio.ui.context import Page
from tests.ui.kit import PROMPT, asset, job, view

STATES = ("queued", "running", "done", "failed", "cancelled")


class Tags(HTMLParser):
    """Collects every tag with its attributes, and the text; and that tags are closed in order."""

    VOID = ("img", "input", "br", "track")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def ids(self) -> set[str]:
        return {attrs["id"] for _, attrs in self.tags if "id" in attrs}


@pytest.mark.parametrize("state", STATES)
def test_a_prompt_is_text_in_every_state(page: Page, state: str) -> None:
    tags = Tags(stage.render(page, view(state)))
    assert PROMPT in tags.text
    assert all(attrs.get("src") != "x" and "onerror" not in attrs for _, attrs in tags.tags)


@pytest.mark.parametrize("state", STATES)
def test_the_section_names_its_state_and_job(page: Page, state: str) -> None:
    name, attrs = Tags(stage.render(page, view(state))).tags[0]
    assert (name, attrs["data-state"], attrs["data-job"]) == ("section", state, "job_1234567890ab")
    assert "data-mine" in attrs


@pytest.mark.parametrize(
    ("state", "ids"),
    [
        ("queued", {"cancel", "copy_link"}),
        ("running", {"cancel", "copy_link", "preview"}),
        ("done", {"player", "download", "again", "copy_link", "to_verify", "use", "go_on", "finish_make"}),
        ("failed", {"retry"}),
        ("cancelled", {"retry"}),
    ],
)
def test_each_state_offers_what_can_be_done(page: Page, state: str, ids: set[str]) -> None:
    assert Tags(stage.render(page, view(state))).ids() == ids


@pytest.mark.parametrize("state", STATES)
def test_somebody_elses_job_may_be_watched_and_not_changed(page: Page, state: str) -> None:
    tags = Tags(stage.render(page, view(state, mine=False)))
    assert not tags.ids() & {"cancel", "retry"}
    assert "data-mine" not in tags.tags[0][1]
    assert page.t("not_mine") in tags.text


def test_waiting_says_how_long(page: Page) -> None:
    text = Tags(stage.render(page, view("queued"))).text
    assert "2 ahead of you" in text
    assert "9 s" in text
    assert "You are next" in Tags(stage.render(page, view("queued", position=0, eta=None))).text


def test_running_shows_the_newest_preview_and_the_step(page: Page) -> None:
    tags = Tags(stage.render(page, view("running")))
    picture = next(attrs for tag, attrs in tags.tags if tag == "img")
    assert picture["src"] == "../preview/job_1234567890ab.webp?v=3"
    assert "step 7/12" in tags.text
    assert "9 s left" in tags.text
    bar = next(attrs for _, attrs in tags.tags if attrs.get("role") == "progressbar")
    assert (bar["aria-valuenow"], bar["aria-valuemax"]) == ("7", "12")


def test_a_beat_changes_one_attribute_only(page: Page) -> None:
    one, two = (stage.render(page, view("running"), beat=n) for n in (1, 2))
    assert one != two
    assert one.replace('data-beat="1"', "") == two.replace('data-beat="2"', "")


def test_a_failure_is_a_sentence_in_the_readers_language(studio: Studio) -> None:
    error = Notice("out_of_memory", {"model": "Sketch", "size": "320×192", "frames": 41})
    failed = view("failed", job=job("failed", error=error))
    for language, words in (("en", "ran out of memory"), ("zh", "显存不够")):
        assert words in stage.render(Page(studio, language), failed)  # type: ignore[arg-type]


def test_a_deleted_film_leaves_a_sentence(page: Page) -> None:
    tags = Tags(stage.render(page, view("done", asset=None)))
    assert "player" not in tags.ids()
    assert page.t("deleted") in tags.text


def test_the_recipe_holds_what_makes_the_clip_again(page: Page) -> None:
    rows = dict(stage.recipe_rows(page, asset()))
    assert rows["Seed"] == 41287
    assert rows["Steps"] == 10
    assert rows["Style"] == "Ink wash"
    assert "0123456789ab" in str(rows["Model"])


def test_a_comparisons_recipe_tells_its_clips(page: Page) -> None:
    clips = [
        asset(id=f"clip_{at}", job_id=f"job_clip_{at}", form={"prompt": prompt, "style": style})
        for at, (prompt, style) in enumerate((("a boat", "ink"), ("a fox", "ink"), ("a boat", "neon")))
    ]
    film = asset(id="grid_1", job_id="job_grid", kind="grid", request=None, form={"title": "Harbour"})
    for clip in clips:
        page.studio.assets.add(clip)
    page.studio.assets.add(film, clips=[clip.id for clip in clips])
    told = dict(stage.recipe_rows(page, film))
    assert told["Clips"] == 3
    assert told["Prompts"] == "a boat\na fox"
    assert told[page.field("style")] == "Ink wash, Cyberpunk neon"
    assert told[page.field("seed")] == "41287"
