"""The test cloud answers as the service does, and goes wrong as it is told to: the real SDK says so."""

import io
from collections.abc import Iterator
from typing import Any

import av
import dashscope
import httpx
import pytest
from dashscope import VideoSynthesis

from tests.dashscope_faults import (
    Cloud,
    accepted_but_hung_up,
    broken,
    cloud,
    cut,
    endless,
    not_json,
    other_type,
    refused,
    sent_on,
    short,
    throttled,
    wrong_key,
)

MODEL, PROMPT, SMALL = "wan2.2-t2v-plus", "a boat", {"size": "320*192", "duration": 1}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(course=["SUCCEEDED"]) as service:
        monkeypatch.setattr(dashscope, "base_http_api_url", f"{service.address}/api/v1")
        yield service


def _submit(service: Cloud) -> Any:
    return VideoSynthesis.async_call(MODEL, PROMPT, api_key=service.key, **SMALL)


def test_a_task_runs_its_course_and_ends_in_a_film_of_the_size_asked_for(service: Cloud) -> None:
    service.course = ["PENDING", "RUNNING", "SUCCEEDED"]
    task = _submit(service)
    told = [VideoSynthesis.fetch(task, api_key=service.key).output.task_status for _ in range(4)]
    assert told == ["PENDING", "RUNNING", "SUCCEEDED", "SUCCEEDED"]
    url = VideoSynthesis.fetch(task, api_key=service.key).output.video_url
    with av.open(io.BytesIO(httpx.get(url).content)) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height, stream.frames) == (320, 192, 17)
    assert VideoSynthesis.list(api_key=service.key).output["total"] == 1
    assert VideoSynthesis.fetch(task, api_key="sk-other").code == "InvalidApiKey"


def test_faults_wait_in_line_one_request_each(service: Cloud) -> None:
    service.fault("submit", throttled(), throttled(0.5), broken(), wrong_key(), refused(400, "Arrearage"))
    answers = [_submit(service) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [429, 429, 500, 401, 400, 200]
    assert answers[1].headers["retry-after"] == "0.5"
    assert answers[0].code == "Throttling.RateQuota"
    assert service.count("submit") == 6
    assert len(service.tasks) == 1


def test_a_task_may_fail_expire_or_be_cancelled_while_it_waits(service: Cloud) -> None:
    service.course = ["FAILED"]
    failed = VideoSynthesis.call(MODEL, PROMPT, api_key=service.key, **SMALL)
    assert (failed.output.task_status, failed.output.code) == ("FAILED", "DataInspectionFailed")
    service.course = ["PENDING", "RUNNING"]
    task = _submit(service)
    assert VideoSynthesis.cancel(task, api_key=service.key).status_code == 200
    assert VideoSynthesis.fetch(task, api_key=service.key).output.task_status == "CANCELED"
    running = _submit(service)
    VideoSynthesis.fetch(running, api_key=service.key)
    assert VideoSynthesis.cancel(running, api_key=service.key).code == "UnsupportedOperation"
    service.forget()
    assert VideoSynthesis.fetch(running, api_key=service.key).output.task_status == "UNKNOWN"


def test_downloads_break_in_each_way(service: Cloud) -> None:
    url = VideoSynthesis.fetch(_submit(service), api_key=service.key).output.video_url
    whole = httpx.get(url).content
    service.fault(
        "download", cut(500), short(500), other_type(), endless(3_000_000), sent_on("http://[::1]:9/")
    )
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url)
    assert httpx.get(url).content == whole[:500]
    assert httpx.get(url).headers["content-type"] == "text/html"
    assert httpx.get(url).content == bytes(3_000_000)
    assert httpx.get(url).headers["location"] == "http://[::1]:9/"
    service.forget()
    assert httpx.get(url).status_code == 403


def test_an_answer_may_be_lost_though_the_task_is_there_and_be_nonsense(service: Cloud) -> None:
    headers = {"authorization": f"Bearer {service.key}", "x-dashscope-async": "enable"}
    body = {"model": MODEL, "input": {"prompt": PROMPT}, "parameters": SMALL}
    where = f"{service.address}/api/v1/services/aigc/video-generation/video-synthesis"
    service.fault("submit", accepted_but_hung_up(), not_json())
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(where, headers=headers, json=body)
    assert len(service.tasks) == 1
    assert "html" in httpx.post(where, headers=headers, json=body).text


def test_a_real_server_behind_it_answers_through_it_with_the_faults_added(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with cloud(course=["SUCCEEDED"]) as behind, cloud(upstream=behind.address, key=behind.key) as front:
        monkeypatch.setattr(dashscope, "base_http_api_url", f"{front.address}/api/v1")
        front.fault("fetch", broken())
        task = _submit(front)
        assert len(behind.tasks) == 1
        assert VideoSynthesis.fetch(task, api_key=front.key).status_code == 500
        found = VideoSynthesis.fetch(task, api_key=front.key)
        assert found.output.video_url.startswith(front.address)
        assert httpx.get(found.output.video_url).headers["content-type"] == "video/mp4"
