"""A speech service is used where one is configured, and never trusted."""

import socket
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from pipelines.request import Cancelled
from studio.settings import Settings
from studio.voice import endpoint as endpoints
from studio.voice.endpoint import Endpoint, EndpointFailed, configured, say
from studio.voice.kokoro import RATE
from studio.words import LANGUAGES
from studio.words import say as worded
from tests.voice.speech_server import Server

KEY = "sk-secret-1234"


def _openai(service: Server) -> Endpoint:
    return Endpoint("openai", f"{service.address}/v1", KEY, "tts-1", "alloy")


def _dashscope(service: Server) -> Endpoint:
    return Endpoint("dashscope", f"{service.address}/api/v1", KEY, "qwen3-tts-flash", "Cherry")


def _seconds(endpoint: Endpoint, folder: Path, *, speed: float = 1.0, text: str = "Hi.") -> float:
    return len(say(text, endpoint, speed=speed, folder=folder, should_stop=lambda: False)) / RATE


def test_an_openai_service_is_asked_as_its_interface_says(service: Server, tmp_path: Path) -> None:
    assert _seconds(_openai(service), tmp_path) == pytest.approx(1.3 + 0.6, abs=0.01)
    ((method, path, authorization, body),) = service.asked
    assert (method, path, authorization) == ("POST", "/v1/audio/speech", f"Bearer {KEY}")
    assert body == {"model": "tts-1", "voice": "alloy", "input": "Hi.", "response_format": "wav"}
    assert list(tmp_path.iterdir()) == []


def test_dashscope_tells_where_the_sound_is_and_the_key_stays_with_it(
    service: Server, tmp_path: Path
) -> None:
    service.how = "dashscope"
    assert _seconds(_dashscope(service), tmp_path) == pytest.approx(1.6, abs=0.01)
    post, get = service.asked
    assert post[1] == "/api/v1/services/aigc/multimodal-generation/generation"
    assert post[3]["input"] == {"text": "Hi.", "voice": "Cherry", "language_type": "Auto"}
    assert post[2] == f"Bearer {KEY}"
    assert get[:3] == ("GET", "/result.wav", "")


@pytest.mark.parametrize("how", ["mp3", "endless header"])
def test_other_forms_of_sound_are_read_too(service: Server, tmp_path: Path, how: str) -> None:
    service.how = how
    assert _seconds(_openai(service), tmp_path) == pytest.approx(2.0 if how == "mp3" else 1.6, abs=0.1)


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_speed_is_made_here(service: Server, tmp_path: Path, speed: float) -> None:
    assert _seconds(_openai(service), tmp_path, speed=speed) == pytest.approx(1.9 / speed, rel=0.05)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("refused", "voice_endpoint_refused"),
        ("redirect", "voice_endpoint_refused"),
        ("text", "voice_endpoint_failed"),
        ("silence", "voice_endpoint_failed"),
        ("too long", "voice_endpoint_failed"),
        ("nothing", "voice_endpoint_failed"),
        ("flood", "voice_endpoint_failed"),
        ("dashscope odd", "voice_endpoint_failed"),
        ("dashscope deep", "voice_endpoint_failed"),
        ("dashscope elsewhere", "voice_endpoint_failed"),
    ],
)
def test_a_bad_answer_is_said_without_the_key(service: Server, tmp_path: Path, how: str, code: str) -> None:
    service.how = how
    endpoint = _dashscope(service) if how.startswith("dashscope") else _openai(service)
    with pytest.raises(EndpointFailed) as caught:
        _seconds(endpoint, tmp_path)
    assert caught.value.notice.code == code
    assert caught.value.__cause__ is None
    for text in (
        str(caught.value),
        repr(endpoint),
        *(worded(caught.value.notice, lang) for lang in LANGUAGES),
    ):
        assert "secret" not in text
    assert "127.0.0.1" in worded(caught.value.notice, "en")
    # A redirect is not followed, and a foreign address is not asked.
    assert len(service.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_does_not_answer_is_left_alone_for_a_while(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = Endpoint("openai", f"http://127.0.0.1:{free.getsockname()[1]}/v1")
        for _ in range(2):
            with pytest.raises(EndpointFailed) as caught:
                _seconds(endpoint, tmp_path)
            assert caught.value.notice.code == "voice_endpoint_unreachable"
        assert endpoint in endpoints._resting
        assert replace(endpoint, api_key="another") not in endpoints._resting


def test_a_service_that_sleeps_is_not_waited_for(
    service: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "_TIMEOUT", httpx.Timeout(0.2))
    service.how = "asleep"
    with pytest.raises(EndpointFailed) as caught:
        _seconds(_openai(service), tmp_path)
    assert caught.value.notice.code == "voice_endpoint_unreachable"


def test_waiting_can_be_cancelled(service: Server, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        say("Hi.", _openai(service), speed=1.0, folder=tmp_path, should_stop=lambda: True)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/x.wav",
        "https://aliyuncs.com.evil.example/x.wav",
        "https://evil.example/.aliyuncs.com",
        "https://user@x.aliyuncs.com/x.wav",
        "https://x.aliyuncs.com:8080/x.wav",
        "file:///etc/passwd",
        "",
        None,
        5,
    ],
)
def test_a_sound_may_lie_only_where_the_service_keeps_sounds(url: object) -> None:
    endpoint = Endpoint("dashscope", "https://dashscope.aliyuncs.com/api/v1")
    with pytest.raises(ValueError, match="address"):
        endpoints._result_address(url, endpoint)


def test_a_sound_is_fetched_over_tls() -> None:
    endpoint = Endpoint("dashscope", "https://dashscope.aliyuncs.com/api/v1")
    found = endpoints._result_address(
        "http://dashscope-result-bj.oss-cn-beijing.aliyuncs.com/a.wav?x=1", endpoint
    )
    assert found == "https://dashscope-result-bj.oss-cn-beijing.aliyuncs.com/a.wav?x=1"


def test_the_settings_name_a_service_or_none() -> None:
    assert configured(Settings.from_env({})) is None
    found = configured(Settings.from_env({"SPEECH_API_KEY": KEY}))
    assert found is not None
    assert (found.kind, found.base_url) == ("openai", "https://api.openai.com/v1")
    assert found.model
    found = configured(
        Settings.from_env(
            {
                "SPEECH_KIND": "dashscope",
                "SPEECH_API_KEY": KEY,
                "SPEECH_BASE_URL": "https://dashscope-intl.aliyuncs.com/api/v1/",
                "SPEECH_MODEL": "qwen-tts",
                "SPEECH_VOICE": "Ethan",
            }
        )
    )
    assert found == Endpoint(
        "dashscope", "https://dashscope-intl.aliyuncs.com/api/v1", KEY, "qwen-tts", "Ethan"
    )
    local = configured(Settings.from_env({"SPEECH_BASE_URL": "http://127.0.0.1:8880/v1"}))
    assert local is not None
    assert local.api_key == ""
