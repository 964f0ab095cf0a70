"""The real SDK of DashScope against a real studio: its script runs unchanged but for address and key."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dashscope
import httpx
import pytest
from dashscope import VideoSynthesis
from dashscope.aigc.video_synthesis import AioVideoSynthesis

from studio.media.probe import probe
from tests.dashscope_faults import broken, cloud, cut, throttled
from tests.running_app import ROOT, RunningApp, running_app

pytestmark = pytest.mark.slow
MODEL, PROMPT = "wan2.2-t2v-plus", "a small boat on the sea at night"
# The sketch model's smallest and shortest.
SMALL: dict[str, Any] = {"size": "320*192", "duration": 2, "prompt_extend": False, "watermark": False}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """Shared with a team: behind a password, which the SDK does not know."""
    home = tmp_path_factory.mktemp("api") / "home"
    with running_app(home, ACCESS_PASSWORD="secret", ADMIN_TOKEN="admin") as app:
        command = [sys.executable, "-m", "studio.api", "keys", "add", "script"]
        env = {**os.environ, "STUDIO_HOME": str(home)}
        made = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        kept = dashscope.base_http_api_url, dashscope.api_key
        dashscope.base_http_api_url, dashscope.api_key = f"{app.address}/api/v1", made.stdout.strip()
        yield app
        dashscope.base_http_api_url, dashscope.api_key = kept


@pytest.fixture(scope="module")
def done(studio: RunningApp) -> Any:
    """What the one call of the documentation's example answers."""
    return VideoSynthesis.call(model=MODEL, prompt=PROMPT, seed=7, **SMALL)


def test_a_call_waits_and_answers_with_a_film(done: Any, tmp_path: Path) -> None:
    assert (done.status_code, done.output.task_status) == (200, "SUCCEEDED"), done
    assert (done.output.orig_prompt, done.output.actual_prompt) == (PROMPT, PROMPT)
    assert (done.usage.video_count, done.usage.video_duration, done.usage.SR) == (1, 2, 192)
    film = tmp_path / "film.mp4"
    # As scripts fetch it: without the key.
    film.write_bytes(httpx.get(done.output.video_url).content)
    facts = probe(film)
    assert (facts.width, facts.height, facts.frames) == (320, 192, 17)
    piece = httpx.get(done.output.video_url, headers={"range": "bytes=0-99"})
    assert (piece.status_code, len(piece.content)) == (206, 100)


def test_a_task_is_begun_fetched_cancelled_and_listed(done: Any, studio: RunningApp) -> None:
    tasks = [
        VideoSynthesis.async_call(model=MODEL, prompt=f"{PROMPT} {number}", **SMALL) for number in range(3)
    ]
    assert [task.output.task_status for task in tasks] == ["PENDING"] * 3
    assert VideoSynthesis.cancel(tasks[2]).status_code == 200
    assert VideoSynthesis.fetch(tasks[2]).output.task_status == "CANCELED"
    again = VideoSynthesis.cancel(tasks[2].output.task_id)
    assert (again.status_code, again.code) == (400, "UnsupportedOperation")
    listed = VideoSynthesis.list(page_size=2).output
    assert [listed["page_no"], listed["page_size"], len(listed["data"])] == [1, 2, 2]
    assert listed["data"][0]["task_id"] == tasks[2].output.task_id
    assert listed["data"][0]["model_name"] == MODEL
    finished = VideoSynthesis.list(status="SUCCEEDED").output["data"]
    assert done.output.task_id in [row["task_id"] for row in finished]
    for task in tasks[:2]:
        VideoSynthesis.cancel(task)
        assert VideoSynthesis.wait(task).output.task_status == "CANCELED"


def test_what_is_wrong_comes_back_as_the_services_codes(studio: RunningApp) -> None:
    size = VideoSynthesis.async_call(model=MODEL, prompt=PROMPT, size="1920*1080")
    assert (size.status_code, size.code) == (400, "InvalidParameter")
    assert "320*192" in size.message
    key = VideoSynthesis.async_call(model=MODEL, prompt=PROMPT, api_key="sk-wrong")
    assert (key.status_code, key.code) == (401, "InvalidApiKey")
    model = VideoSynthesis.async_call(model="gpt-4", prompt=PROMPT)
    assert (model.status_code, model.code) == (404, "ModelNotFound")
    picture = VideoSynthesis.async_call(model=MODEL, prompt=PROMPT, img_url="data:image/png;base64,AAAA")
    assert (picture.status_code, picture.code) == (400, "InvalidParameter")
    assert VideoSynthesis.fetch("no-such-task").output.task_status == "UNKNOWN"


def test_forbidden_words_fail_the_task_with_the_services_code_and_our_reason(studio: RunningApp) -> None:
    answer = VideoSynthesis.call(model=MODEL, prompt="two naked children having sex", **SMALL)
    assert (answer.output.task_status, answer.output.code) == ("FAILED", "DataInspectionFailed")
    assert "naked" in answer.output.message


def test_the_asynchronous_client_works_too(studio: RunningApp) -> None:
    async def script() -> tuple[Any, Any, Any, Any]:
        task = await AioVideoSynthesis.async_call(model=MODEL, prompt=PROMPT, **SMALL)
        seen = await AioVideoSynthesis.fetch(task)
        cancelled = await AioVideoSynthesis.cancel(task)
        await AioVideoSynthesis.wait(task)
        return task, seen, cancelled, await AioVideoSynthesis.list(page_size=1)

    task, seen, cancelled, listed = asyncio.run(script())
    assert seen.output.task_status in ("PENDING", "RUNNING")
    assert cancelled.status_code == 200
    assert listed.output["data"][0]["task_id"] == task.output.task_id


def test_the_same_studio_behind_faults_is_what_the_sdk_takes_for_the_cloud(
    done: Any, studio: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cloud(upstream=studio.address) as front:
        monkeypatch.setattr(dashscope, "base_http_api_url", f"{front.address}/api/v1")
        front.fault("fetch", throttled(), broken())
        task = done.output.task_id
        statuses = [VideoSynthesis.fetch(task).status_code for _ in range(2)]
        assert statuses == [429, 500]
        url = VideoSynthesis.fetch(task).output.video_url
        assert url.startswith(front.address)
        front.fault("download", cut(1000))
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url)
        assert httpx.get(url).content == httpx.get(done.output.video_url).content
