"""Words: both languages say the same things, about everything that can happen."""

import ast
from pathlib import Path
from string import Formatter
from typing import get_args, get_type_hints

import pytest
from pydantic import ValidationError

from pipelines.placement import Plan
from pipelines.request import GenerationRequest, Notice, Progress, notices
from studio import words
from studio.words import LANGUAGES, Language, say

ROOT = Path(__file__).resolve().parents[2]
# Calls whose first argument is the code of something that people are told.
RAISERS = (
    "Notice",
    "ModelError",
    "MediaError",
    "SettingsError",
    "StoryProblem",
    "VoiceError",
    "EndpointFailed",
    "_wrong",
    "_refuse",
    "note",
)


def _texts(language: Language) -> dict[str, str]:
    return {
        f"{section}.{key}": text
        for section, texts in words.book(language).items()
        for key, text in texts.items()
    }


def _codes() -> set[str]:
    codes = set()
    for path in [*(ROOT / "studio").rglob("*.py"), *(ROOT / "pipelines").glob("*.py"), ROOT / "app.py"]:
        if not path.exists():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = node.args[0]
            either = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
            for leaf in either if name in RAISERS else ():
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                    codes.add(leaf.value)
    return codes | {f"plan_{kind}" for kind in get_args(get_type_hints(Plan)["kind"])}


def test_both_languages_hold_the_same_texts_with_the_same_values() -> None:
    zh, en = _texts("zh"), _texts("en")
    assert set(zh) == set(en)

    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    # "{field}" may go without saying where a sentence is built around it.
    assert [key for key in zh if names(zh[key]) != names(en[key])] == []


def test_every_text_is_in_its_own_script() -> None:
    def han(text: str) -> bool:
        return any("\u3400" <= c <= "\u9fff" for c in text)

    own_name = ("door.title", "page.title", "page.language", "page.other_language")
    own_name += ("notice.label_text", "notice.setting_label")  # the words that a label must have
    assert [key for key, text in _texts("en").items() if han(text) and key not in own_name] == []
    assert [
        key for key, text in _texts("zh").items() if not han(text) and key.startswith(("notice.", "state."))
    ] == []


def test_every_code_in_the_sources_has_words() -> None:
    codes = _codes()
    assert {"prompt_empty", "disk_full", "not_yours", "sharing_needs_password"} <= codes
    for language in LANGUAGES:
        assert sorted(codes - set(words.book(language)["notice"])) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": ""},
        {"prompt": " \n "},
        {"prompt": "x" * 20_000},
        {"prompt": "a\x00b"},
        {"prompt": 5},
        {"prompt": "a", "width": 100, "height": 100},
        {"prompt": "a", "num_frames": 82},
        {"prompt": "a", "num_frames": 30},
        {"prompt": "a", "num_frames": 5},
        {"prompt": "a", "seed": -5},
        {"prompt": "a", "seed": 2**31},
        {"prompt": "a", "guidance_scale": "nan"},
        {"prompt": "a", "num_inference_steps": 2.5},
        {"prompt": "a", "quality": "best"},
        {"prompt": "a", "model": "wan9"},
        {"prompt": "a", "cfg": 3},
        {"prompt": "a", "model": "wan2.2-ti2v-5b", "guidance_scale_2": 3},
    ],
)
def test_each_bad_input_gets_one_clear_sentence_that_names_the_field(
    wrong: dict[str, object], language: Language
) -> None:
    with pytest.raises(ValidationError) as caught:
        GenerationRequest(**wrong)
    (notice,) = notices(caught.value)
    sentence = say(notice, language)
    assert "{" not in sentence
    assert len(sentence) < 160
    assert sentence not in (words.book(language)["notice"]["generic"], "Something went wrong.")
    named = [words.field(name, language).lower() for name in str(notice.values["field"]).split(", ")]
    assert all(name in sentence.lower() for name in named)


def test_the_sentences_people_meet_most() -> None:
    with pytest.raises(ValidationError) as caught:
        GenerationRequest(prompt="x", num_frames=82, model="wan2.2-t2v-a14b")
    (notice,) = notices(caught.value)
    assert (
        say(notice, "en")
        == "Length in frames: 82 can't be made. 81 is the most that Wan2.2 T2V-A14B does well."
    )
    assert say(notice, "zh") == "时长（帧）：做不了 82 帧。Wan2.2 T2V-A14B 最多能做好 81 帧。"
    with pytest.raises(ValidationError) as caught:
        GenerationRequest(prompt="x", width=832, height=480)
    (notice,) = notices(caught.value)
    assert say(notice, "zh").endswith("可以是 320×192、192×320 或 256×256。")


def test_what_is_not_known_still_says_something() -> None:
    assert say("no_such_code", "zh") == words.book("zh")["notice"]["generic"]
    assert say(Notice("int_parsing", {"field": "seed"}), "en") == "Seed holds a value that can't be used."
    # A value is missing: no half sentence.
    assert "{" not in say("model_missing", "en", model="Wan")
    assert words.page("no_such_key", "zh") == "no_such_key"
    assert words.stage("no_such_stage", "en") == "no_such_stage"


def test_values_are_never_read_as_templates() -> None:
    sentence = say("style_unknown", "en", value="{field.__class__} {0}", field="style", allowed="ink, neon")
    assert "{field.__class__} {0}" in sentence
    assert sentence.endswith("style can be ink or neon.")


def test_a_notice_inside_a_notice_is_worded_too() -> None:
    inner = Notice("file_empty")
    assert say("share_failed", "en", reason=inner).startswith(
        "The public link could not be made (This file is empty.)"
    )


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (0.2, "1 s", "1 秒"),
        (7.6, "8 s", "8 秒"),
        (43, "45 s", "45 秒"),
        (170, "3 min", "3 分钟"),
        (5000, "83 min", "83 分钟"),
        (7300, "2 h 2 min", "2 小时 2 分钟"),
    ],
)
def test_durations_are_rounded_to_what_people_can_use(seconds: float, en: str, zh: str) -> None:
    assert (words.duration(seconds, "en"), words.duration(seconds, "zh")) == (en, zh)


def test_stages_states_and_fields_have_words() -> None:
    for language in LANGUAGES:
        for stage in get_args(get_type_hints(Progress)["stage"]):
            assert words.stage(stage, language) != stage
        for name in GenerationRequest.model_fields:
            assert name in words.book(language)["field"]
