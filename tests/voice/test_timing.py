"""A narration's length is known well enough before it is spoken."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.voice import kokoro
from studio.voice.speak import speak
from studio.voice.timing import seconds_for

# Not among the sentences that the estimate was fitted to.
TOLD = {
    "zf_xiaoxiao": "山谷里的雾慢慢散了，露出一座木桥。两只白鹭飞过河面，落在对岸。",
    "af_heart": "The fog in the valley lifted slowly and showed a bridge. Two herons crossed the river.",
}


@pytest.fixture(scope="module", autouse=True)
def _memory() -> Iterator[None]:
    yield
    kokoro.release()


@pytest.mark.slow
@pytest.mark.parametrize("name", TOLD)
def test_the_estimate_comes_near_the_spoken_length(tmp_path: Path, name: str) -> None:
    speech = speak(TOLD[name], voice=name, home=tmp_path)
    assert speech is not None
    assert seconds_for(TOLD[name], voice=name) == pytest.approx(speech.seconds, rel=0.15)


@pytest.mark.parametrize("text", ["", " \n", "😀", "……。"])
def test_nothing_takes_no_time(text: str) -> None:
    assert seconds_for(text) == 0.0
    assert seconds_for(text, voice="af_heart") == 0.0


def test_more_text_takes_longer_and_faster_speech_less() -> None:
    for text in TOLD.values():
        plain = seconds_for(text)
        assert seconds_for(text + text) > 1.8 * plain
        assert 0.75 * plain < seconds_for(text, speed=1.25) < 0.9 * plain
        assert 1.1 * plain < seconds_for(text, speed=0.8) < 1.25 * plain


def test_figures_count_as_they_are_said() -> None:
    assert seconds_for("它值¥1299。") == pytest.approx(seconds_for("它值一千二百九十九元。"))
    assert seconds_for("It costs $49.99.") > seconds_for("It costs us.") + 1.5


def test_an_unknown_voice_is_the_languages_first() -> None:
    text = TOLD["zf_xiaoxiao"]
    assert seconds_for(text, voice="nobody") == seconds_for(text) == seconds_for(text, language="zh")


def test_both_languages_in_one_text_add_up() -> None:
    zh, en = TOLD.values()
    both = seconds_for(f"{zh}\n{en}")
    assert both == pytest.approx(seconds_for(zh) + seconds_for(en), rel=0.1)


def test_a_page_of_text_is_estimated_without_end_or_error() -> None:
    assert seconds_for("很长的话，" * 700, voice="zf_xiaoxiao") > 300
    assert seconds_for("9" * 4000) > 300
