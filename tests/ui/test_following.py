"""Following: a quiet line beats, a page that turns to another job leaves the one before."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from studio.core import JobView
from studio.ui import following
from studio.ui.context import Page
from studio.ui.following import Follower, _with_beats
from tests.ui.kit import view

REQUEST: Any = SimpleNamespace(session_hash="s", cookies={})


async def slowly(*views: JobView, pause: float) -> AsyncIterator[JobView]:
    for shown in views:
        yield shown
        await asyncio.sleep(pause)


def test_a_quiet_line_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BEAT_SECONDS", 0.02)

    async def watch() -> list[tuple[int, str]]:
        views = slowly(view("queued"), view("done"), pause=0.1)
        return [(beat, shown.job.state) async for beat, shown in _with_beats(views)]

    seen = asyncio.run(watch())
    assert seen[0] == (0, "queued")
    assert [beat for beat, _ in seen] == sorted(beat for beat, _ in seen)
    assert len({beat for beat, _ in seen}) >= 3
    assert seen[-1][1] == "done"


def test_an_unknown_job_is_a_sentence_and_no_job_the_empty_stage(page: Page) -> None:
    async def all_of(job: str) -> list[str]:
        return [html async for html in Follower(page, lambda: "empty").follow(job, REQUEST)]

    (unknown,) = asyncio.run(all_of("nothing"))
    assert 'data-state="unknown"' in unknown
    assert asyncio.run(all_of("")) == ["empty"]


def test_a_page_that_turns_away_is_left(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BEAT_SECONDS", 0.02)
    one, two = (page.studio.generate(page.visitor(REQUEST), prompt=prompt) for prompt in ("one", "two"))

    async def watch() -> tuple[list[str], str]:
        follower = Follower(page, lambda: "")
        first: list[str] = []

        async def follow_first() -> None:
            async for html in follower.follow(one, REQUEST):
                first.append(html)

        task = asyncio.create_task(follow_first())
        while not first:
            await asyncio.sleep(0.01)
        second = follower.follow(two, REQUEST)
        shown = await anext(second)
        await asyncio.wait_for(task, 5)
        await second.aclose()  # type: ignore[attr-defined]
        return first, shown

    first, shown = asyncio.run(watch())
    assert all(f'data-job="{one}"' in html for html in first)
    assert f'data-job="{two}"' in shown


def test_a_finished_job_is_shown_once(page: Page) -> None:
    job = page.studio.generate(page.visitor(REQUEST), prompt="one")
    page.studio.jobs.cancel(job)

    async def watch() -> list[str]:
        return [html async for html in Follower(page, lambda: "").follow(f"{job} again", REQUEST)]

    (html,) = asyncio.run(watch())
    assert 'data-state="cancelled"' in html
