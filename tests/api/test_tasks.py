"""Tasks in DashScope's form: how each state of a job is told, who sees which, pages, films, limits."""

import re
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from studio.api import dashscope, films
from studio.api.pace import Pace
from studio.db import utc_now
from tests.api.conftest import ADMIN, PROMPT, Counter

PICTURE = {"code": "picture_sexual", "values": {}}


def test_no_key_and_a_wrong_one_are_401_and_the_password_is_not_asked_for(counter: Counter) -> None:
    for headers in ({}, {"authorization": "Bearer sk-wrong"}, {"authorization": f"Basic {counter.secret}"}):
        for path in ("tasks", "tasks/x", "uploads"):
            answer = counter.client.get(f"/api/v1/{path}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "InvalidApiKey")
    assert "set-cookie" not in answer.headers
    # The key opens nothing but the API.
    assert counter.client.get("/api/trace", headers=counter.headers).status_code == 401
    counter.studio.keys.revoke(ADMIN, "tests")
    assert counter.get("tasks").status_code == 401


def test_a_task_waits_runs_and_succeeds_with_the_services_fields(counter: Counter) -> None:
    answer = counter.ask(seed=7, duration=2, size="320*192")
    assert set(answer.json()) == {"request_id", "output"}
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert answer.json()["output"]["task_status"] == "PENDING"
    task = answer.json()["output"]["task_id"]
    job = counter.studio.jobs.get(task)
    assert job is not None
    assert job.request is not None
    assert (job.owner, job.request.seed, job.request.num_frames) == ("api:tests", 7, 17)
    assert set(counter.output(task)) == {"task_id", "task_status", "submit_time"}
    counter.becomes(task, state="running", started=utc_now())
    assert counter.output(task)["task_status"] == "RUNNING"
    counter.done(task)
    document = counter.get(f"tasks/{task}").json()
    output = document["output"]
    assert output["task_status"] == "SUCCEEDED"
    assert (output["orig_prompt"], output["actual_prompt"]) == (PROMPT, PROMPT)
    for name in ("submit_time", "scheduled_time", "end_time"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", output[name])
    usage = {"duration": 2, "video_duration": 2, "video_count": 1, "SR": 192, "video_ratio": "320*192"}
    assert document["usage"] == usage


@pytest.mark.parametrize(
    ("state", "asset", "status", "code"),
    [
        ("held", None, "PENDING", ""),
        ("queued", None, "PENDING", ""),
        ("running", None, "RUNNING", ""),
        ("cancelled", None, "CANCELED", ""),
        ("failed", None, "FAILED", "InternalError"),
        ("done", None, "UNKNOWN", ""),
        ("done", {"standing": "public"}, "SUCCEEDED", ""),
        ("done", {"standing": "held"}, "PENDING", ""),
        ("done", {"standing": "blocked"}, "FAILED", "DataInspectionFailed"),
        ("done", {"standing": "rejected"}, "FAILED", "DataInspectionFailed"),
        ("done", {"trashed": utc_now()}, "UNKNOWN", ""),
    ],
)
def test_every_state_has_its_word_in_the_task_and_in_the_list(
    counter: Counter, state: str, asset: dict[str, Any] | None, status: str, code: str
) -> None:
    task = counter.queued()
    if asset is not None:
        counter.done(task, **asset)
    counter.becomes(task, state=state)
    output = counter.output(task)
    assert (output["task_status"], output.get("code", "")) == (status, code)
    assert ("video_url" in output) == (status == "SUCCEEDED")
    if status == "FAILED":
        assert output["message"]
    rows = counter.get("tasks", status=status).json()["data"]
    assert [row["task_id"] for row in rows] == [task]


def test_what_waits_for_a_person_says_so_in_the_readers_language(counter: Counter) -> None:
    reason = {"code": "held_text", "values": {"reason": {"code": "service_objected", "values": {}}}}
    task = counter.queued()
    counter.becomes(task, state="held", error=reason)
    assert "A person looks at these words" in counter.output(task)["message"]
    headers = {**counter.headers, "accept-language": "zh-CN"}
    told = counter.client.get(f"/api/v1/tasks/{task}", headers=headers).json()
    assert re.search(r"[\u4e00-\u9fff]", told["output"]["message"])
    made = counter.queued()
    counter.done(made, standing="held", reasons=[{"code": "held_review", "values": {}}])
    assert "A person approves" in counter.output(made)["message"]


def test_forbidden_words_are_a_task_that_has_failed_and_nothing_is_queued(counter: Counter) -> None:
    answer = counter.ask("two naked children having sex")
    assert answer.status_code == 200
    task = answer.json()["output"]["task_id"]
    output = counter.output(task)
    assert (output["task_status"], output["code"]) == ("FAILED", "DataInspectionFailed")
    assert "naked" in output["message"]
    assert counter.studio.jobs.get(task) is None
    row = counter.get("tasks").json()["data"][0]
    assert (row["task_id"], row["status"], row["model_name"]) == (task, "FAILED", "wan2.2-t2v-plus")
    improved = counter.ask("two naked children having sex", prompt_extend=True)
    assert counter.output(improved.json()["output"]["task_id"])["code"] == "DataInspectionFailed"


def test_a_key_knows_its_own_tasks_only(counter: Counter) -> None:
    mine = counter.queued()
    refused = counter.ask("two naked children having sex").json()["output"]["task_id"]
    _, other = counter.studio.keys.make(ADMIN, "other")
    theirs = Counter(counter.studio, counter.client, other)
    for task in (mine, refused):
        assert theirs.output(task) == {"task_id": task, "task_status": "UNKNOWN"}
        cancelled = theirs.client.post(f"/api/v1/tasks/{task}/cancel", headers=theirs.headers)
        assert (cancelled.status_code, cancelled.json()["code"]) == (404, "NotFound")
    assert theirs.get("tasks").json()["total"] == 0
    job = counter.studio.jobs.get(mine)
    assert job is not None
    assert job.state == "queued"


@pytest.mark.parametrize("task", ["x", "a" * 64, "a" * 65, "%00", "a b", "\u732b", "%ff", "-"])
def test_a_task_that_never_was_is_unknown(counter: Counter, task: str) -> None:
    assert counter.output(task)["task_status"] == "UNKNOWN"
    answer = counter.client.post(f"/api/v1/tasks/{task}/cancel", headers=counter.headers)
    assert answer.status_code == 404


def test_what_waits_is_cancelled_and_what_is_over_is_not(counter: Counter) -> None:
    task = counter.queued()
    where = f"/api/v1/tasks/{task}/cancel"
    answer = counter.client.post(where, headers=counter.headers)
    assert (answer.status_code, set(answer.json())) == (200, {"request_id"})
    assert counter.output(task)["task_status"] == "CANCELED"
    answer = counter.client.post(where, headers=counter.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "UnsupportedOperation")


def test_lists_have_pages_and_filters_and_a_day_at_most(counter: Counter) -> None:
    made = [
        counter.queued(model=name) for name in ("wan2.2-t2v-plus", "sketch", "sketch", "sketch", "sketch")
    ]
    first = counter.get("tasks/", page_size=2).json()
    pages = (first["total"], first["total_page"], first["page_no"], first["page_size"])
    assert pages == (5, 3, 1, 2)
    rows = [
        row
        for number in (1, 2, 3, 4)
        for row in counter.get("tasks", page_size=2, page_no=number).json()["data"]
    ]
    assert [row["task_id"] for row in rows] == made[::-1]
    named = counter.get("tasks", model_name="wan2.2-t2v-plus").json()["data"]
    assert [row["task_id"] for row in named] == made[:1]
    assert counter.get("tasks", task_id=made[2]).json()["total"] == 1
    assert counter.get("tasks", status="RUNNING").json()["data"] == []
    now = datetime.now()
    then = (now - timedelta(days=3)).strftime("%Y%m%d%H%M%S")
    assert counter.get("tasks", start_time=then).json()["total"] == 0
    counter.becomes(made[0], created=utc_now() - timedelta(days=3) + timedelta(hours=1))
    assert counter.get("tasks", start_time=then).json()["total"] == 1
    assert counter.get("tasks", start_time=then, end_time=now.strftime("%Y%m%d%H%M%S")).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"page_no": "0"}, {"page_no": "x"}, {"page_no": "-1"}, {"page_size": "101"}, {"page_size": "9" * 400},
        {"page_size": "²"}, {"status": "DONE"}, {"start_time": "yesterday"}, {"start_time": "20231301000000"},
        {"end_time": "00000000000000"}, {"start_time": "99991231235959"}, {"end_time": "00010101000000"},
        {"start_time": "20260102000000", "end_time": "20260101000000"},
    ],
)  # fmt: skip
def test_a_list_that_makes_no_sense_is_refused(counter: Counter, query: dict[str, str]) -> None:
    answer = counter.get("tasks", **query)
    if query.get("start_time") != "99991231235959" and query.get("end_time") != "00010101000000":
        assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
    assert answer.status_code < 500


# -- films -------------------------------------------------------------------------------------------------


def test_a_films_address_opens_it_in_pieces_without_a_key_and_nothing_else(counter: Counter) -> None:
    task, other = counter.queued(), counter.queued()
    counter.done(task)
    second = counter.done(other)
    url = counter.output(task)["video_url"]
    assert url.startswith("http://127.0.0.1:7860/api/v1/films/")
    whole = counter.client.get(url)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    piece = counter.client.get(url, headers={"range": "bytes=10-19"})
    assert (piece.status_code, piece.content) == (206, whole.content[10:20])
    assert counter.client.head(url).headers["content-length"] == str(len(whole.content))
    for wrong in (
        url.replace(f"film-{task}", second),
        url.split("?")[0],
        re.sub(r"Expires=\d+", f"Expires={int(time.time()) + 10**6}", url),
        re.sub(r"Signature=.*", "Signature=%ff\u732b", url),
        re.sub(r"Signature=.*", "Signature=", url),
    ):
        answer = counter.client.get(wrong)
        assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")
    asset = counter.studio.assets.get(second)
    assert asset is not None
    counter.studio.shelves.delete(second, "api:tests")
    assert counter.client.get(films.address(counter.studio.settings, "/api/v1", asset)).status_code == 404


def test_a_films_address_lasts_a_day(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    task = counter.queued()
    counter.done(task)
    url = counter.output(task)["video_url"]
    now = time.time()
    monkeypatch.setattr(films.time, "time", lambda: now + films.KEPT_SECONDS - 60)
    assert counter.client.get(url).status_code == 200
    monkeypatch.setattr(films.time, "time", lambda: now + films.KEPT_SECONDS + 60)
    assert counter.client.get(url).status_code == 404


# -- limits ------------------------------------------------------------------------------------------------


def test_a_key_has_so_many_open_tasks_and_not_one_more(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashscope, "MAX_OPEN", 2)
    first = counter.queued()
    counter.queued()
    answer = counter.ask()
    assert (answer.status_code, answer.json()["code"]) == (429, "Throttling.AllocationQuota")
    counter.becomes(first, state="cancelled")
    assert counter.ask().status_code == 200


def test_who_asks_too_fast_is_told_to_wait(counter: Counter) -> None:
    answers = [counter.get("tasks/x") for _ in range(int(dashscope.BURST) * 3)]
    late = [answer for answer in answers if answer.status_code == 429]
    assert late
    assert late[0].json()["code"] == "Throttling.RateQuota"
    assert late[0].headers["retry-after"] == "1"


def test_a_bucket_of_tokens_fills_steadily_and_never_over() -> None:
    now = [0.0]
    pace = Pace(rate=2, burst=3, clock=lambda: now[0])
    assert [pace.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert pace.wait("b") == 0
    now[0] = 0.5
    assert [pace.wait("a"), pace.wait("a")] == [0, 0.5]
    now[0] = 1000
    assert [pace.wait("a") > 0 for _ in range(4)] == [False, False, False, True]
