"""Following a story: as long as something of it is rendered, until the page turns away."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from studio.core import Studio
from studio.ui.context import Page
from studio.ui.story import following
from studio.ui.story.following import StoryFollower
from tests.story.kit import set_state
from tests.ui.story_kit import ME, told

REQUEST: Any = SimpleNamespace(session_hash="s", cookies={})


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(following, "BEAT_SECONDS", 0.05)


def all_of(page: Page, asked: str) -> list[tuple[str, str]]:
    async def collect() -> list[tuple[str, str]]:
        return [told async for told in StoryFollower(page).follow(asked, REQUEST)]

    return asyncio.run(asyncio.wait_for(collect(), 20))


def test_a_story_at_rest_is_told_once(page: Page, studio: Studio) -> None:
    view = told(studio)
    ((stage, live),) = all_of(page, f"{view.id} ~ 1")
    assert 'data-state="empty"' in stage
    assert json.loads(live)["story"] == view.id


@pytest.mark.parametrize("asked", ["", "nothing", "nothing ~ 1", " ", "~"])
def test_what_is_no_story_is_not_followed(asked: str, page: Page) -> None:
    assert all_of(page, asked) == []


def test_a_film_is_followed_to_its_end_and_a_quiet_line_beats(page: Page, studio: Studio) -> None:
    view = told(studio)
    job = studio.stories.film(ME, view.id, "animatic")

    async def watch() -> list[str]:
        stages = []
        async for stage, live in StoryFollower(page).follow(f"{view.id} ~ 1", REQUEST):
            stages.append(stage)
            if json.loads(live)["beat"] == 2:
                set_state(studio, job, "cancelled")
        return stages

    stages = asyncio.run(asyncio.wait_for(watch(), 20))
    assert 'data-state="queued"' in stages[0]
    assert 'data-state="cancelled"' in stages[-1]
    assert len(stages) >= 4


def test_a_page_that_turns_away_is_left(page: Page, studio: Studio) -> None:
    one, two = told(studio), told(studio)
    for view in (one, two):
        studio.stories.film(ME, view.id, "animatic")

    async def watch() -> tuple[list[str], str]:
        follower, seen = StoryFollower(page), []

        async def follow_first() -> None:
            async for _, live in follower.follow(f"{one.id} ~ 1", REQUEST):
                seen.append(json.loads(live)["story"])

        task = asyncio.create_task(follow_first())
        while not seen:
            await asyncio.sleep(0.01)
        second = follower.follow(f"{two.id} ~ 2", REQUEST)
        _, live = await anext(second)
        await asyncio.wait_for(task, 5)
        await second.aclose()  # type: ignore[attr-defined]
        return seen, json.loads(live)["story"]

    seen, second = asyncio.run(watch())
    assert set(seen) == {one.id}
    assert second == two.id
