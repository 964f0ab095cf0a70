"""A text becomes a file with exact times, once; the offline voices really speak."""

import itertools
import re
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipelines.request import Cancelled
from studio.voice import kokoro
from studio.voice.endpoint import Endpoint
from studio.voice.kokoro import RATE, Wave
from studio.voice.levels import CEILING, LOUDNESS, MARGIN, loudness
from studio.voice.problems import VoiceError
from studio.voice.speak import Speech, speak
from studio.voice.voices import VOICES, sample
from tests.voice.speech_server import Server

TEXT = "One two three. Four five! Six?"


@pytest.fixture(scope="module", autouse=True)
def _memory() -> Iterator[None]:
    yield
    kokoro.release()


def _endpoint(service: Server) -> Endpoint:
    return Endpoint("openai", f"{service.address}/v1")


def _said(service: Server, home: Path, text: str = TEXT, **more: object) -> Speech:
    speech = speak(text, voice="af_heart", home=home, endpoint=_endpoint(service), **more)  # type: ignore[arg-type]
    assert speech is not None
    return speech


def _samples(speech: Speech) -> Wave:
    with wave.open(str(speech.path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        data = file.readframes(file.getnframes())
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768


def _heard(wave_form: Wave) -> list[tuple[float, float]]:
    """Where sound is, in seconds: stretches without a pause of 0.15 s."""
    at = np.flatnonzero(np.abs(wave_form) > 0.003)
    breaks = np.flatnonzero(np.diff(at) > 0.15 * RATE)
    starts, ends = np.append(at[0], at[breaks + 1]), np.append(at[breaks], at[-1])
    return [(start / RATE, end / RATE) for start, end in zip(starts, ends, strict=True)]


def test_sentences_lie_exactly_where_their_times_say(service: Server, tmp_path: Path) -> None:
    speech = _said(service, tmp_path)
    samples = _samples(speech)
    assert len(samples) / RATE == speech.seconds
    assert [part.text for part in speech.sentences] == ["One two three.", "Four five!", "Six?"]
    assert speech.sentences[0].start == 0.0
    assert speech.sentences[-1].end == speech.seconds
    heard = _heard(samples)
    assert len(heard) == 3
    for (start, end), part in zip(heard, speech.sentences, strict=True):
        assert start == pytest.approx(part.start + MARGIN, abs=0.012)
        assert end == pytest.approx(part.end - MARGIN, abs=0.022)
    pauses = [after[0] - before[1] for before, after in itertools.pairwise(heard)]
    assert all(0.24 < pause < 0.47 for pause in pauses)
    assert loudness(samples) == pytest.approx(LOUDNESS, abs=0.5)


def test_what_was_said_once_is_found_again(service: Server, tmp_path: Path) -> None:
    first = _said(service, tmp_path)
    asked = len(service.asked)
    assert _said(service, tmp_path) == first
    assert len(service.asked) == asked == 3
    assert sorted(path.suffix for path in (tmp_path / "voice").iterdir()) == [".json", ".wav"]
    others = [
        _said(service, tmp_path, "One two four."),
        _said(service, tmp_path, speed=1.1),
    ]
    assert len({first.path, *(other.path for other in others)}) == 3


@pytest.mark.parametrize(
    "damage", ["wav cut", "wav changed", "wav gone", "json cut", "json other", "wav text"]
)
def test_a_damaged_file_is_made_again(service: Server, tmp_path: Path, damage: str) -> None:
    first = _said(service, tmp_path)
    kind, how = damage.split()
    path = first.path.with_suffix(f".{kind}")
    data = path.read_bytes()
    match how:
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case "changed":
            path.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
        case "gone":
            path.unlink()
        case "other":
            path.write_text('{"sentences": [1], "sha256": 5}')
        case "text":
            path.write_text("no sound")
    assert _said(service, tmp_path) == first
    assert path.read_bytes() == data


def test_nothing_is_left_of_what_was_stopped(service: Server, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        _said(service, tmp_path, should_stop=lambda: len(service.asked) > 1)
    assert list((tmp_path / "voice").iterdir()) == []


@pytest.mark.parametrize("text", ["", "😀🎉", "……。"])
def test_nothing_to_say_is_no_speech(tmp_path: Path, text: str) -> None:
    assert speak(text, voice="zf_xiaoxiao", home=tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"voice": "nobody"}, "voice_unknown"),
        ({"speed": 3.0}, "voice_speed"),
        ({"speed": float("nan")}, "voice_speed"),
        ({"text": "字" * 5000}, "voice_text_long"),
    ],
)
def test_what_cannot_be_spoken_is_said(tmp_path: Path, wrong: dict[str, object], code: str) -> None:
    given = {"text": "嗯。", "voice": "zf_xiaoxiao", "home": tmp_path} | wrong
    with pytest.raises(VoiceError) as caught:
        speak(**given)  # type: ignore[arg-type]
    assert caught.value.notice.code == code


def test_a_home_that_takes_no_files_is_an_os_error(service: Server, tmp_path: Path) -> None:
    (tmp_path / "voice").write_text("a file")
    with pytest.raises(OSError, match="voice"):
        _said(service, tmp_path)


@pytest.mark.parametrize("broken", ["_PARTS", "_SHA256"])
def test_missing_or_damaged_packages_are_said(
    tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kokoro.release()
    monkeypatch.setattr(kokoro, broken, ("no_such_package",) if broken == "_PARTS" else "0" * 64)
    with pytest.raises(VoiceError) as caught:
        speak("嗯。", voice="zf_xiaoxiao", home=tmp_path)
    assert caught.value.notice.code == "voice_missing"
    assert list((tmp_path).rglob("*.wav")) == []


@pytest.mark.slow
def test_where_the_service_fails_the_offline_voice_speaks_and_says_so(
    service: Server, tmp_path: Path
) -> None:
    service.how = "refused"
    speech = _said(service, tmp_path, "Four stars.")
    assert [notice.code for notice in speech.notices] == ["voice_endpoint_refused"]
    offline = speak("Four stars.", voice="af_heart", home=tmp_path)
    assert offline is not None
    assert (offline.path, offline.notices) == (speech.path, ())
    # Once the service answers again, it is the one that speaks.
    service.how = "wav"
    assert _said(service, tmp_path, "Four stars.").path != speech.path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zf_xiaoxiao", "zm_yunjian", "bf_emma"])
def test_a_voice_speaks(tmp_path: Path, name: str) -> None:
    speech = speak(sample(name), voice=name, home=tmp_path)
    assert speech is not None
    samples = _samples(speech)
    assert re.sub(r"\s", "", "".join(part.text for part in speech.sentences)) == re.sub(
        r"\s", "", sample(name)
    )
    assert 2.5 < speech.seconds < 9.0
    assert float(np.abs(samples).max()) <= CEILING + 0.001
    assert abs(float(samples.mean())) < 0.002
    assert loudness(samples) == pytest.approx(LOUDNESS, abs=0.5)
    heard = _heard(samples)
    assert heard[0][0] < 0.15
    assert speech.seconds - heard[-1][1] < 0.15
    assert all(after[0] - before[1] < 0.8 for before, after in itertools.pairwise(heard))


@pytest.mark.slow
def test_the_model_speaks_alike_each_time_faster_when_asked_and_from_many_threads() -> None:
    said = "hˈAlO ðˈɛɹ, ˈWɚ stˈɑɹz."
    first = kokoro.synthesise(said, "af_heart")
    found: list[Wave] = []
    threads = [
        threading.Thread(target=lambda: found.append(kokoro.synthesise(said, "af_heart"))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(first, again) for again in found)
    assert len(kokoro.synthesise(said, "af_heart", speed=1.4)) < 0.85 * len(first)
    assert kokoro.loaded()
    kokoro.release()
    assert not kokoro.loaded()


def test_every_voice_has_a_style_a_title_and_something_to_say() -> None:
    assert [voice.language for voice in VOICES.values()].count("zh") >= 3
    assert [voice.language for voice in VOICES.values()].count("en") >= 3
    for name, voice in VOICES.items():
        assert kokoro._styles(name).shape == (510, 256)
        assert set(voice.title) == {"zh", "en"}
        assert sample(name)
