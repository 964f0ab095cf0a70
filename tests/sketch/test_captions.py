"""Captions say what differs from the default, in both languages, and stay short enough."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pipelines.sketch import lexicon as lex
from pipelines.sketch.captions import LONGEST, caption, corpus, pieces, write_words
from pipelines.sketch.world import ATTRIBUTES, DEFAULTS, SUBJECTS, Scene, is_held_out, sample_scene

TABLES = {
    "en": {
        "backdrop": lex.PLACE_EN,
        "time": lex.TIME_EN,
        "weather": lex.WEATHER_EN,
        "style": lex.STYLE_EN,
        "camera": lex.CAMERA_EN,
    },
    "zh": {
        "backdrop": lex.PLACE_ZH,
        "time": lex.TIME_ZH,
        "weather": lex.WEATHER_ZH,
        "style": lex.STYLE_ZH,
        "camera": lex.CAMERA_ZH,
    },
}


def sayings(scene: Scene, name: str, language: str) -> tuple[str, ...]:
    """All ways to say one attribute of the scene."""
    sights = (lex.SIGHTS_EN if language == "en" else lex.SIGHTS_ZH).get((scene.backdrop, scene.time), ())
    value = getattr(scene, name)
    tags = lex.PLACE_TAG[value] if name == "backdrop" else ()
    return (
        *TABLES[language][name][value],
        *tags,
        *(sights if scene.subject == "none" and name in ("backdrop", "time") else ()),
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_differs_from_the_default_is_said(language: str) -> None:
    rng = random.Random(1)
    for _ in range(800):
        scene = sample_scene(rng)
        text = caption(scene, language, rng).lower()
        for name in TABLES[language]:
            if getattr(scene, name) != DEFAULTS[scene.subject][name]:
                said = (word.lower() in text for word in sayings(scene, name, language))
                assert any(said), (name, scene, text)
        if scene.colour != "default":
            colours = lex.COLOUR_EN if language == "en" else lex.COLOUR_ZH
            assert any(word.lower() in text for word in colours[scene.colour]), (scene, text)


def test_captions_are_short_and_never_empty() -> None:
    lengths = [pieces(text) for text in corpus(3000, seed=2)]
    assert max(lengths) <= LONGEST
    assert min(lengths) >= 1


def test_corpus_is_reproducible_and_speaks_both_languages() -> None:
    first = list(corpus(20, seed=3))
    assert first == list(corpus(20, seed=3))
    assert all(any("\u4e00" <= c <= "\u9fff" for c in text) == bool(k % 2) for k, text in enumerate(first))


@pytest.mark.parametrize(
    ("language", "changes", "wanted"),
    [
        (
            "en",
            {"subject": "boat", "backdrop": "sea", "time": "sunset", "action": "right"},
            "a boat moving right at sea at sunset",
        ),
        (
            "zh",
            {"subject": "boat", "backdrop": "sea", "time": "night", "action": "left"},
            "夜晚的海上，一只小船向左航行",
        ),
        ("zh", {"subject": "none", "backdrop": "space", "time": "night"}, "夜空中银河横贯"),
        ("zh", {"subject": "sea monster", "action": "up"}, "海怪破浪而出"),
        ("zh", {"subject": "none", "weather": "storm"}, "电闪雷鸣"),
    ],
)
def test_the_sentences_of_the_brief_are_in_the_grammar(
    language: str, changes: dict[str, str], wanted: str
) -> None:
    scene = Scene(**{**DEFAULTS[changes["subject"]], **changes})
    rng = random.Random(0)
    assert any(wanted in caption(scene, language, rng).lower() for _ in range(20000))


def test_every_value_has_words() -> None:
    for language, tables in TABLES.items():
        for name, table in tables.items():
            assert set(table) == set(ATTRIBUTES[name]), (language, name)
    assert set(lex.SUBJECT_EN) == set(lex.SUBJECT_ZH) == set(SUBJECTS)
    assert len(SUBJECTS) > 26


def test_held_out_is_about_an_eighth_and_can_be_asked_for() -> None:
    rng = random.Random(4)
    share = sum(is_held_out(sample_scene(rng)) for _ in range(2000)) / 2000
    assert 0.08 < share < 0.18
    assert all(is_held_out(sample_scene(rng, held_out=True)) for _ in range(20))
    assert not any(is_held_out(sample_scene(rng, held_out=False)) for _ in range(20))


def test_the_shipped_word_list_is_up_to_date(tmp_path: Path) -> None:
    write_words(tmp_path / "words.json")
    shipped = Path(__file__).parents[2] / "assets" / "models" / "sketch" / "words.json"
    assert shipped.read_text(encoding="utf-8") == (tmp_path / "words.json").read_text(encoding="utf-8")
