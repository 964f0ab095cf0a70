"""Styles: each is complete, says words its models know, and leaves the prompt whole."""

import pytest

from pipelines.models import MODELS
from pipelines.sketch import lexicon
from studio.styles import STYLES, Style, apply, written_in
from studio.words import LANGUAGES


def test_the_styles_are_there_in_the_pages_order() -> None:
    assert list(STYLES) == ["none", "paper-cut", "ink", "neon", "mono", "mythic", "watercolour"]


@pytest.mark.parametrize("style", STYLES.values(), ids=lambda style: style.name)
def test_each_style_is_complete(style: Style) -> None:
    assert set(style.title) == set(style.template) == set(LANGUAGES)
    assert all(len(colour) == 7 and int(colour[1:], 16) >= 0 for colour in style.swatch)
    assert bool(style.negative) == (style.name != "none")
    # Wan's own negative prompt forbids these, and so would forbid the style itself.
    assert not {"风格", "作品", "画作", "画面"} & set(style.negative.split("，"))


@pytest.mark.parametrize(
    "style", [s for s in STYLES.values() if s.name != "none"], ids=lambda style: style.name
)
def test_the_sketch_model_knows_the_words(style: Style) -> None:
    en, zh = lexicon.STYLE_EN[style.name], lexicon.STYLE_ZH[style.name]
    assert any(phrase in style.template["en"].lower() for phrase in en)
    assert any(phrase in style.template["zh"] for phrase in zh)


def test_a_prompt_is_kept_whole_and_in_its_own_language() -> None:
    ink = STYLES["ink"]
    assert apply(ink, prompt=" a {prompt} boat ")["prompt"] == "a {prompt} boat, Chinese ink painting"
    assert apply(ink, prompt="海上的小船")["prompt"] == "海上的小船，水墨画"
    assert apply(ink, prompt="a boat", language="zh")["prompt"] == "a boat，水墨画"
    assert apply(STYLES["none"], prompt="a boat") == {"prompt": "a boat"}


def test_what_the_person_does_not_want_stays_in_front() -> None:
    ink = STYLES["ink"]
    assert apply(ink, prompt="a")["negative_prompt"] == ink.negative
    assert apply(ink, prompt="a", negative_prompt="fog")["negative_prompt"] == f"fog，{ink.negative}"
    assert apply(STYLES["none"], prompt="a", negative_prompt="fog")["negative_prompt"] == "fog"


def test_a_model_trained_without_a_negative_prompt_gets_none() -> None:
    sketch, wan = MODELS["sketch"], MODELS["wan2.2-t2v-a14b"]
    assert "negative_prompt" not in apply(STYLES["ink"], prompt="a", spec=sketch)
    assert apply(STYLES["ink"], prompt="a", negative_prompt="fog", spec=sketch)["negative_prompt"] == "fog"
    assert apply(STYLES["ink"], prompt="a", spec=wan)["negative_prompt"] == STYLES["ink"].negative


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("a boat", "en"),
        ("小船", "zh"),
        ("a boat named 海", "en"),
        ("一只 cat 在屋顶", "zh"),
        ("", "en"),
        ("8 秒", "zh"),
    ],
)
def test_the_language_a_prompt_is_written_in(text: str, language: str) -> None:
    assert written_in(text) == language
