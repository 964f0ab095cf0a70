"""Styles: each is complete, its negative never fights it, the sketch model reads of it only what it knows."""

import pytest

from pipelines.models import MODELS
from pipelines.sketch.reading import read
from studio.media.looks import LOOKS
from studio.styles import NEAREST, STYLES, Style, apply, guidance, room_for_prompt, written_in
from studio.trust.texts import check_texts
from studio.words import LANGUAGES

WAN, SMALL, SKETCH = (MODELS[name] for name in ("wan2.2-t2v-a14b", "wan2.1-t2v-1.3b", "sketch"))
PAINTED = [style for style in STYLES.values() if style.name != "none"]


def test_the_styles_are_there_in_the_pages_order() -> None:
    assert [*STYLES][:3] == ["none", "cinematic", "mythic"]
    assert len(PAINTED) >= 16
    # Recipes that were made before carry these.
    assert {"none", "ink", "mono", "mythic", "neon", "paper-cut", "watercolour"} <= set(STYLES)


@pytest.mark.parametrize("style", PAINTED, ids=lambda style: style.name)
def test_each_style_is_complete(style: Style) -> None:
    for language in LANGUAGES:
        assert style.title[language]
        assert style.about[language]
        assert len(style.template[language]) > 50, "it says more than its name"
    assert style.look in LOOKS
    assert style.nearest in NEAREST
    assert room_for_prompt(style, 2000) > 1500
    texts = {"prompt": style.template["en"], "prompt 1": style.template["zh"]}
    assert check_texts(texts).outcome == "allow"


@pytest.mark.parametrize("style", PAINTED, ids=lambda style: style.name)
def test_no_negative_prompt_fights_its_style(style: Style) -> None:
    refused = style.negative.split("，")
    assert len(refused) > 10
    assert len(set(refused)) == len(refused)
    # Wan's own negative prompt forbids these, and so would forbid the style itself.
    assert not {"风格", "作品", "画作", "画面"} & set(refused)
    said = style.template["zh"] + style.title["zh"]
    assert [word for word in refused if word in said] == []


@pytest.mark.parametrize("style", STYLES.values(), ids=lambda style: style.name)
def test_the_sketch_model_reads_the_prompt_and_its_own_word_for_the_style(style: Style) -> None:
    for prompt in ("a red boat at sea at sunset", "雨夜，一辆黄色汽车驶过城市"):
        bare, styled = read(prompt), read(apply(style, prompt=prompt, spec=SKETCH)["prompt"])
        assert styled.scene.style == (style.nearest or bare.scene.style)
        for name in ("subject", "colour", "backdrop", "time", "weather", "action", "camera"):
            assert getattr(styled.scene, name) == getattr(bare.scene, name)


def test_a_prompt_is_kept_whole_and_in_its_own_language() -> None:
    ink = STYLES["ink"]
    assert "on rice paper. a {prompt} boat. Brush" in apply(ink, prompt=" a {prompt} boat. ")["prompt"]
    assert apply(ink, prompt="海上的小船。")["prompt"].startswith("中国水墨动画风格，海上的小船。宣纸底色")
    assert "come closer! Brush" in apply(ink, prompt="come closer!")["prompt"]
    assert apply(ink, prompt="a boat", language="zh")["prompt"].startswith("中国水墨")
    assert apply(STYLES["none"], prompt="a boat") == {"prompt": "a boat"}


def test_what_the_person_does_not_want_stays_in_front() -> None:
    ink = STYLES["ink"]
    assert apply(ink, prompt="a")["negative_prompt"] == ink.negative
    assert apply(ink, prompt="a", negative_prompt="fog")["negative_prompt"] == f"fog，{ink.negative}"
    assert apply(STYLES["none"], prompt="a", negative_prompt="fog")["negative_prompt"] == "fog"


def test_a_model_trained_without_a_negative_prompt_gets_none() -> None:
    assert "negative_prompt" not in apply(STYLES["ink"], prompt="a", spec=SKETCH)
    assert apply(STYLES["ink"], prompt="a", negative_prompt="fog", spec=SKETCH)["negative_prompt"] == "fog"
    assert apply(STYLES["ink"], prompt="a", spec=WAN)["negative_prompt"] == STYLES["ink"].negative


def test_guidance_follows_each_models_own_and_each_expert() -> None:
    assert guidance(STYLES["ink"], WAN, "final") == {"guidance_scale": 4.6, "guidance_scale_2": 3.75}
    assert [*guidance(STYLES["ink"], SMALL, "final")] == ["guidance_scale"]
    assert guidance(STYLES["ink"], SKETCH, "final") == guidance(STYLES["none"], WAN, "final") == {}


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
