"""The page builds in both languages, with the ids that tests and styles rely on, and asks no other host."""

import re
from pathlib import Path
from typing import Any

import pytest

from studio.core import Studio
from studio.ui import page as frame
from studio.ui import theme
from studio.ui.markup import ICONS
from studio.words import FOLDER, LANGUAGES, Language, book

UI = Path(frame.__file__).parent
IDS = {
    "prompt", "examples", "style", "size", "length", "quality", "seed", "dice", "model", "advanced",
    "negative_prompt", "num_inference_steps", "guidance_scale", "guidance_scale_2", "flow_shift",
    "num_frames", "drop_mp4", "notice", "price", "generate", "stage", "takes",
    "tab_create", "tab_story", "tab_queue", "tab_library", "queue_list", "library_grid", "library_panel",
    "tab_verify", "drop_verify", "verify_told", "tab_review", "review_room", "trouble",
    "story_head", "story_line", "story_board", "story_bar", "story_stage", "story_films", "bar", "dialogs",
}  # fmt: skip


@pytest.fixture(scope="module", params=LANGUAGES)
def config(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from studio.settings import Settings

    studio = Studio(Settings(studio_home=tmp_path_factory.mktemp("home"), local_worker=False))
    found: dict[str, Any] = frame.build(studio, request.param).get_config_file()
    return {**found, "language": request.param}


def test_the_ids_are_there_once(config: dict[str, Any]) -> None:
    ids = [part["props"].get("elem_id") for part in config["components"]]
    assert set(ids) >= IDS
    assert [name for name in IDS if ids.count(name) > 1] == []


def test_only_generate_is_a_public_endpoint(config: dict[str, Any]) -> None:
    public = [event["api_name"] for event in config["dependencies"] if event["api_visibility"] == "public"]
    assert public in (["generate"], ["generate", "load"])


def test_no_press_is_dropped_while_an_answer_is_on_its_way(config: dict[str, Any]) -> None:
    """Only Improve waits; of what is chosen in the form the last one counts."""
    asked = [event for event in config["dependencies"] if event["backend_fn"]]
    improve = next(part["id"] for part in config["components"] if part["props"].get("elem_id") == "rewriting")
    for event in asked:
        kinds = {kind for _, kind in event["targets"]}
        if kinds == {"act"}:
            pressed = "once" if event["targets"] == [(improve, "act")] else "multiple"
            assert event["trigger_mode"] == pressed, event["api_name"]
        elif kinds <= {"change", "input"}:
            assert event["trigger_mode"] in ("always_last", "multiple"), event["api_name"]


def test_the_page_speaks_one_language(config: dict[str, Any]) -> None:
    labels = {part["props"].get("elem_id"): part["props"].get("value") for part in config["components"]}
    assert labels["generate"] == {"en": "Generate", "zh": "生成"}[config["language"]]


def test_followers_never_wait_for_each_other(studio: Studio) -> None:
    blocks = frame.build(studio, "en")
    follow = [fn for fn in blocks.fns.values() if getattr(fn.fn, "__name__", "") == "follow"]
    assert [(fn.concurrency_limit, fn.trigger_mode) for fn in follow] == [(None, "multiple")] * 2


def test_what_the_page_loads_lies_in_it() -> None:
    options = theme.mount_options()
    outside = re.findall(r"https?://[\w.]+", options["head"])
    assert set(outside) <= {"http://www.w3.org"}  # the name of SVG, not an address
    assert options["theme"]._stylesheets == []
    assert options["theme"]._font_css == []


def test_both_languages_have_the_same_texts() -> None:
    english, chinese = (book(language)["page"] for language in LANGUAGES)
    assert english.keys() == chinese.keys()
    for key in english:
        names = [sorted(re.findall(r"{(\w+)}", texts[key])) for texts in (english, chinese)]
        assert names[0] == names[1], key


def test_every_text_that_is_asked_for_is_there_and_none_is_left_over() -> None:
    sources = "".join(path.read_text("utf-8") for path in UI.parent.rglob("*.py"))
    asked = set(re.findall(r"\bt\(\s*[\"'](\w+)[\"']", sources))
    texts = set(book("en")["page"])
    assert asked <= texts
    # Texts whose keys are put together or stand in a table.
    listed = set(re.findall(r"[\"'](\w+)[\"']", sources))
    built = ("quality_", "why_", "model_", "tier_price_", "player_", "music_", "sheet_", "verify_")
    built += ("standing_", "row_", "rules_", "ledger_", "review_approve", "review_reject")
    built += tuple(f"review_{part}_" for part in ("section", "kind", "did", "was"))
    built += ("library_did_", "bulk_", "sort_", "facet_", "age_", "kind_", "format_")
    built += ("compare_export_", "compare_state_", "edit_look_", "edit_op_", "synced_", "vote_by_")
    built += ("vote_is_", "vote_sure_", "finish_larger_", "finish_smoother_")
    built += ("models_lora_only_", "models_lora_no_")
    # The titles of what is held back, by state.
    built += tuple(f"{state}_title" for state in ("held", "draft", "blocked", "rejected"))
    story = "corner did export field film fps kind language level like make making move state step subtitles"
    story += " table_takes table_unknown to transition why"
    built += tuple(f"story_{part}_" for part in story.split())
    # KEY_1 is KEY where the count is 1.
    texts = {key for key in texts if key.removesuffix("_1") not in texts - {key}}
    assert [key for key in texts - listed if not key.startswith(built)] == []


def test_every_sign_that_is_asked_for_is_drawn() -> None:
    sources = "".join(path.read_text("utf-8") for path in UI.rglob("*.py"))
    asked = re.findall(r"symbol=\"(\w+)\"|\bicon\(\"(\w+)\"\)", sources)
    assert {name for pair in asked for name in pair if name} <= set(ICONS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_the_page_stands_twice(language: Language) -> None:
    lines = (FOLDER / f"page.{language}.toml").read_text("utf-8").splitlines()
    keys = [line.partition(" =")[0] for line in lines if " = " in line and not line.startswith("#")]
    assert len(keys) == len(set(keys))
