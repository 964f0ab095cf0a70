"""What programs send: what it means, what is refused and how; and that nothing whatever breaks the server."""

import base64
import io
import json
import random
from typing import Any

import pytest
from PIL import Image

from pipelines.models import MODELS, Size
from studio.api import wire
from studio.api.wire import Wrong
from studio.words import say
from tests.api.conftest import PROMPT, Counter


def _read(model: str = "wan2.2-t2v-plus", default: str = "wan2.2-t2v-a14b", **parameters: Any) -> wire.Asked:
    body = {"model": model, "input": {"prompt": PROMPT}, "parameters": parameters}
    return wire.read(json.dumps(body).encode(), default=default)


def test_the_services_names_mean_the_studios_model_and_its_own_mean_themselves() -> None:
    assert _read("wan2.2-t2v-plus").spec.name == "wan2.2-t2v-a14b"
    assert _read("wan2.2-t2v-plus", default="sketch").spec.name == "sketch"
    assert _read("wan2.1-t2v-1.3b").spec.name == "wan2.1-t2v-1.3b"
    # A model that does what the name says, where the studio's own can't.
    assert _read("wan2.2-i2v-plus").spec.name == "wan2.2-i2v-a14b"
    assert _read("wan2.2-i2v-plus", default="wan2.2-ti2v-5b").spec.name == "wan2.2-ti2v-5b"
    assert _read("wan2.2-t2v-plus", default="wan2.2-i2v-a14b").spec.name == "wan2.2-t2v-a14b"
    with pytest.raises(Wrong) as caught:
        _read("gpt-4")
    assert (caught.value.status, caught.value.code) == (404, "ModelNotFound")
    assert {"sketch", "wan2.2-t2v-plus", "wan2.6-i2v"} <= set(caught.value.notices[0].values["allowed"])


def test_sizes_are_the_models_own_or_found_by_resolution_and_ratio() -> None:
    assert _read().size is None
    assert _read(size="1280*720").size == Size(1280, 720)
    assert _read(resolution="480P").size == Size(832, 480)
    assert _read(resolution="720p", ratio="9:16").size == Size(720, 1280)
    assert _read(ratio="1:1").size == Size(624, 624)
    assert _read(resolution="720P", default="wan2.2-ti2v-5b").size == Size(1280, 704)
    assert [wire.resolution(size) for size in MODELS["wan2.2-t2v-a14b"].sizes] == [
        480,
        480,
        480,
        720,
        720,
        720,
    ]
    for wrong in ({"size": "1280x720"}, {"size": "1*1"}, {"size": "720P"}, {"resolution": "1080P"}):
        with pytest.raises(Wrong) as caught:
            _read(**wrong)
        assert "1280*720" in caught.value.notices[0].values["allowed"]


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("1280x720", "The nearest is 1280*720."), ("1920*1080", "The nearest is 1280*720."),
        ("720*1300", "The nearest is 720*1280."), ("500*500", "The nearest is 624*624."),
        ("0*5", "that makes it."), ("large", "that makes it."),
    ],
)  # fmt: skip
def test_a_wrong_size_is_told_the_nearest_one(typed: str, near: str) -> None:
    with pytest.raises(Wrong) as caught:
        _read(size=typed)
    assert say(caught.value.notices[0], "en").endswith(near)


def test_seconds_become_the_nearest_count_of_frames_that_the_model_makes() -> None:
    assert _read().frames is None
    assert [_read(duration=seconds).frames for seconds in (1, 3, 5)] == [17, 49, 81]
    assert [_read(duration=seconds, default="sketch").frames for seconds in (2, 3, 5)] == [17, 25, 41]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"duration": "5"}, "api_number"), ({"duration": 99}, "api_number"),
        ({"duration": True}, "api_number"),
        ({"duration": 10**400}, "api_number"), ({"seed": -1}, "api_whole"), ({"seed": 1.5}, "api_whole"),
        ({"seed": 2**31}, "api_whole"), ({"seed": "1"}, "api_whole"),
        ({"prompt_extend": "yes"}, "api_switch"),
        ({"size": 720}, "api_text"), ({"resolution": ["480P"]}, "api_text"), ({"ratio": "2:1"}, "api_choice"),
        ({"ratio": {}}, "api_choice"), ({"shot_type": "multi"}, "api_choice"),
        ({"audio_setting": "origin"}, "api_not_here"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(Wrong) as caught:
        _read(**parameters)
    assert [notice.code for notice in caught.value.notices] == [code]
    assert caught.value.code == "InvalidParameter"


def test_the_first_frame_is_found_under_each_of_its_names() -> None:
    address = "https://example.org/a.png"
    for given in (
        {"img_url": address},
        {"first_frame_url": address},
        {"media": [{"type": "first_frame", "url": address}]},
    ):
        body = {"model": "wan2.2-i2v-plus", "input": {"prompt": PROMPT, **given}}
        assert wire.read(json.dumps(body).encode(), default="wan2.2-ti2v-5b").picture == address
        with pytest.raises(Wrong):
            wire.read(json.dumps(body | {"model": "sketch"}).encode(), default="sketch")


def test_a_pictures_shape_decides_where_no_size_is_given(counter: Counter) -> None:
    for shape, parameters, size in (
        ((400, 200), {}, "1280x704"),
        ((200, 400), {}, "704x1280"),
        ((200, 400), {"resolution": "480P"}, "480x832"),
        ((200, 400), {"size": "1280*704"}, "1280x704"),
    ):
        data = io.BytesIO()
        Image.new("RGB", shape, (90, 120, 150)).save(data, "PNG")
        address = f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
        given = {"prompt": PROMPT, "img_url": address}
        answer = counter.post({"model": "wan2.2-ti2v-5b", "input": given, "parameters": parameters})
        assert answer.status_code == 200, answer.text
        job = counter.studio.jobs.get(answer.json()["output"]["task_id"])
        assert job is not None
        assert job.request is not None
        assert job.form["size"] == size
        picture = counter.studio.pictures.find(job.request.first_frame)
        assert picture is not None
        assert (picture.width, picture.height) == shape


def test_a_size_that_is_not_made_is_refused_with_those_that_are(counter: Counter) -> None:
    answer = counter.ask(size="1280*720")
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
    assert "320*192, 192*320 or 256*256" in answer.json()["message"]
    theirs = counter.ask(model="wan2.2-t2v-plus", size="832*480")
    assert (theirs.status_code, theirs.json()["code"]) == (400, "InvalidParameter")
    assert "320*192, 192*320 or 256*256, or set MODEL to a Wan model" in theirs.json()["message"]


def test_what_only_the_service_has_is_refused_by_name(counter: Counter) -> None:
    for name in ("audio_url", "template", "last_frame_url", "reference_urls"):
        body = {"model": "sketch", "input": {"prompt": PROMPT, name: "https://example.org/x"}}
        answer = counter.post(body)
        assert answer.status_code == 400
        assert name in answer.json()["message"]


def test_synchronous_calls_are_refused_as_by_the_service(counter: Counter) -> None:
    body = {"model": "sketch", "input": {"prompt": PROMPT}}
    answer = counter.post(body, **{"x-dashscope-async": "disable"})
    assert (answer.status_code, answer.json()["code"]) == (403, "AccessDenied")


def test_the_prompt_is_only_improved_when_asked_and_both_are_told(counter: Counter) -> None:
    plain, improved = counter.queued(prompt="a cat"), counter.queued(prompt="a cat", prompt_extend=True)
    for task in (plain, improved):
        counter.done(task)
    first, second = counter.output(plain), counter.output(improved)
    assert (first["orig_prompt"], first["actual_prompt"]) == ("a cat", "a cat")
    assert second["orig_prompt"] == "a cat"
    assert second["actual_prompt"].startswith("a cat")
    assert len(second["actual_prompt"]) > len("a cat")


# -- nothing breaks it -------------------------------------------------------------------------------------

_BODIES = [
    b"", b"{", b"null", b"[]", b"1", b'"x"', b"\xff\xfe\x00", b"{\"model\": NaN}", b"\x00" * 1000,
    b"[" * 100_000, b'{"a":' * 50_000, b'{"model": "sketch", "input": {"prompt": "\\ud800"}}',
    b'{"model": "\\ud800", "input": {"prompt": "x"}}', b'{"model": "sketch", "input": {"prompt": "\\u0000"}}',
    b'{"model": "sketch", "input": "x"}', b'{"model": "sketch", "input": {"prompt": {}}}',
    b'{"model": "sketch", "input": {"prompt": "x"}, "parameters": []}', b'{"model": "sketch"}',
    b'{"model": "sketch", "input": {"prompt": "x"}, "parameters": {"seed": ' + b"9" * 10_000 + b"}}",
    b'{"model": "sketch", "input": {"prompt": "x"}, "parameters": {"duration": 1e999}}',
    b'{"model": "sketch", "input": {"prompt": "   "}}', b'{"input": {"prompt": "x"}}',
    json.dumps({"model": "sketch", "input": {"prompt": "x" * 2001}}).encode(),
    json.dumps({"model": "x" * 5000, "input": {"prompt": "x"}}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("body", _BODIES, ids=range(len(_BODIES)))
def test_a_body_that_asks_for_nothing_is_refused_in_words(counter: Counter, body: bytes) -> None:
    answer = counter.post(body)
    assert answer.status_code in (400, 404)
    assert set(answer.json()) == {"request_id", "code", "message"}
    assert answer.json()["message"]


def test_what_is_larger_than_any_picture_is_too_much(counter: Counter) -> None:
    answer = counter.post(b'{"model": "' + b"x" * 16_000_000 + b'"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "BadRequest.TooLarge")


def test_wrong_ways_in_are_told_in_the_same_form(counter: Counter) -> None:
    drawing = "services/aigc/text2image/image-synthesis"
    synthesis = "services/aigc/video-generation/video-synthesis"
    ways = (("GET", synthesis), ("GET", "nowhere"), ("DELETE", "tasks/x"), ("POST", drawing))
    for method, path in ways:
        answer = counter.client.request(method, f"/api/v1/{path}", headers=counter.headers)
        assert answer.status_code in (404, 405)
        assert set(answer.json()) == {"request_id", "code", "message"}
    deleted = counter.client.request("DELETE", "/api/v1/tasks/x", headers=counter.headers)
    assert (deleted.status_code, deleted.json()["code"]) == (405, "MethodNotAllowed")
    assert deleted.headers["allow"] == "GET"
    listed = counter.post({"model": ["sketch"], "input": {"prompt": PROMPT}})
    assert (listed.status_code, listed.json()["message"]) == (400, "“model” takes text.")


def test_whatever_is_sent_nothing_breaks(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.api import dashscope

    monkeypatch.setattr(dashscope, "MAX_OPEN", 10_000)
    monkeypatch.setattr(dashscope.Pace, "wait", lambda *_: 0.0)
    chance = random.Random(8)
    odd: list[Any] = [
        None, True, 0, -1, 1.5, 10**30, "", "x", "320*192", "480P", "\u732b\U0001f408", "\ud83d",
        "\u202e", [], [1],
        {}, {"url": "x"}, "data:,", "../../etc/passwd", "sketch", "a" * 3000, [[[[]]]], {"a": {"b": None}},
    ]  # fmt: skip
    fields = ["prompt", "negative_prompt", "img_url", "media", "template", "audio_url", "function"]
    more = ["size", "duration", "seed", "prompt_extend", "watermark", "resolution", "ratio", "shot_type", "n"]
    for _ in range(300):
        body: dict[Any, Any] = {"model": "sketch", "input": {"prompt": PROMPT}, "parameters": {}}
        for _ in range(chance.randint(1, 4)):
            place = chance.choice([body, body["input"], body["parameters"]])
            names = {id(body): ["model", "extra"], id(body["input"]): fields}.get(id(place), more)
            place[chance.choice(names)] = chance.choice(odd)
        if chance.random() < 0.1:
            body[chance.choice(["input", "parameters"])] = chance.choice(odd)
        answer = counter.post(json.dumps(body).encode())
        assert answer.status_code in (200, 400, 404), (body, answer.text)
        assert ("output" in answer.json()) == (answer.status_code == 200)
