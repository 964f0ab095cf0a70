"""Edits of a story: pure, each does what its name says, and what can't be is said."""

from typing import Any

import pytest

from studio.story.edit import EDITS, edit
from studio.story.problems import StoryProblem
from studio.story.prompts import bare_prompt, shot_prompt
from studio.story.types import MAX_SHOTS, Story
from studio.words import say
from tests.story.kit import TEXT, TEXTS, listed, shot_of, story_of


def texts(story: Story) -> list[str]:
    return [shot.text for shot in story.shots]


def approved(story: Story) -> list[bool]:
    return [shot.approved for shot in story.shots]


def test_a_text_becomes_shots_with_fields_and_ids_of_their_own() -> None:
    story = edit(Story(), "write", text=TEXT)
    assert len(story.shots) == 4
    assert len({shot.id for shot in story.shots}) == 4
    assert story.language == "zh"
    assert story.title
    assert texts(story) == list(TEXTS)
    assert all(shot.fields.subject for shot in story.shots)
    assert "森林" in "".join(shot_of(story, 1).fields.environment)
    assert all(shot_prompt(story, shot) for shot in story.shots)


def test_written_again_with_one_word_changed_only_that_shot_changes() -> None:
    before = edit(Story(), "write", text=TEXT)
    before = edit(before, "approve_all")
    before = edit(before, "update_shot", shot_id=shot_of(before, 2).id, title="巨龙", move="push_in")
    after = edit(before, "write", text=TEXT.replace("小船", "大船"))
    assert [a == b for a, b in zip(before.shots, after.shots, strict=True)] == [True, True, False, True]
    assert [shot.id for shot in after.shots] == [shot.id for shot in before.shots]
    assert approved(after) == [True, True, False, True]


def test_written_again_with_a_shot_more_the_others_stay() -> None:
    before = edit(Story(), "write", text=TEXT)
    after = edit(before, "write", text=listed("黄昏，一列火车驶过沙漠。", *TEXTS))
    assert after.shots[1:] == before.shots


def test_a_shot_edited_by_hand_outlives_a_change_elsewhere_in_the_text() -> None:
    story = edit(Story(), "write", text=TEXT)
    second = shot_of(story, 2).id
    story = edit(story, "update_shot", shot_id=second, text="一条金色的巨龙飞过高山。")
    story = edit(story, "update_fields", shot_id=second, field="camera", values=["推近"])
    kept = story.shot(second)
    story = edit(story, "write", text=TEXT.replace("小船", "大船"))
    assert story.shot(second) == kept


def test_another_text_is_another_story_but_keeps_a_title_given_by_hand() -> None:
    first = edit(Story(), "write", text=TEXT)
    other = listed("A red car drives through the city at night.", "Then a train crosses the desert.")
    assert edit(first, "write", text=other).title != first.title
    named = edit(first, "set_title", title=" 我的故事 ")
    again = edit(named, "write", text=other)
    assert (again.title, again.language) == ("我的故事", "en")


def test_new_text_is_read_anew_but_for_fields_edited_by_hand() -> None:
    story = story_of()
    story = edit(story, "update_fields", shot_id="shot1", field="mood", values=[" 神秘 ", "神秘", ""])
    story = edit(story, "update_shot", shot_id="shot1", text="黄昏，一匹黑马在沙漠里奔跑。")
    shot = shot_of(story, 1)
    assert shot.fields.mood == ("神秘",)
    assert "沙漠" in "".join(shot.fields.environment)
    reset = edit(story, "reset_prompt", shot_id="shot1")
    assert "神秘" not in shot_of(reset, 1).fields.mood
    assert shot_of(reset, 1).edited == ()


def test_editing_one_shot_leaves_all_others_as_they_are() -> None:
    story = edit(story_of(), "approve_all")
    changed = edit(story, "update_shot", shot_id="shot3", text="夜晚，一只小船在海上向左航行。")
    assert [a == b for a, b in zip(story.shots, changed.shots, strict=True)] == [True, True, False, True]


def test_a_shot_that_looks_different_is_no_longer_approved_and_its_take_no_longer_chosen() -> None:
    story = edit(edit(story_of(), "approve_all"), "choose_take", shot_id="shot2", asset_id="a1", seed=5)
    assert (
        approved(edit(story, "update_shot", shot_id="shot2", title="龙", translation="A dragon."))
        == [True] * 4
    )
    other_text = edit(story, "update_shot", shot_id="shot2", text="一条黑色的巨龙飞过沙漠。")
    assert (shot_of(other_text, 2).approved, shot_of(other_text, 2).take) == (False, None)
    assert shot_of(other_text, 2).seed == 5
    other_style = edit(story, "update_look", style="ink")
    assert approved(other_style) == [False] * 4
    other_quality = edit(story, "update_look", quality="final")
    assert approved(other_quality) == [True] * 4
    assert shot_of(other_quality, 2).take is None
    assert shot_of(edit(story, "update_look", music="calm", voice_speed=1.2), 2).take == "a1"


def test_shots_are_added_moved_and_deleted() -> None:
    story = story_of()
    first = edit(story, "add_shot", text="一朵花盛开。")
    assert texts(first) == ["一朵花盛开。", *TEXTS]
    last = edit(story, "add_shot", after="shot4", text="")
    assert texts(last) == [*TEXTS, ""]
    moved = edit(story, "move_shot", shot_id="shot4", to=0)
    assert texts(moved) == [TEXTS[3], *TEXTS[:3]]
    assert texts(edit(moved, "move_shot", shot_id="shot4", to=3)) == list(TEXTS)
    assert texts(edit(story, "delete_shot", shot_id="shot2")) == [TEXTS[0], *TEXTS[2:]]


def test_a_split_shot_keeps_its_words_and_its_id_goes_with_the_first_part() -> None:
    story = story_of("一只鹿站在森林里。一条鱼游过河面。")
    story = edit(story, "update_shot", shot_id="shot1", translation="A deer stands. A fish swims.")
    for at in (None, 9):
        split = edit(story, "split_shot", shot_id="shot1", at=at)
        assert texts(split) == ["一只鹿站在森林里。", "一条鱼游过河面。"]
        assert [shot.translation for shot in split.shots] == ["A deer stands.", "A fish swims."]
        assert shot_of(split, 1).id == "shot1"
        assert shot_of(split, 2).id != "shot1"
    merged = edit(split, "merge_shots", shot_id="shot1")
    assert texts(merged) == texts(story)
    assert shot_of(merged, 1).translation == shot_of(story, 1).translation


def test_merging_keeps_what_both_shots_had() -> None:
    story = story_of()
    story = edit(story, "update_shot", shot_id="shot1", seconds=4)
    story = edit(story, "update_shot", shot_id="shot2", seconds=3, transition="cut")
    merged = shot_of(edit(story, "merge_shots", shot_id="shot1"), 1)
    assert (merged.text, merged.seconds, merged.transition) == (TEXTS[0] + TEXTS[1], 7, "cut")


def test_a_hand_written_prompt_is_kept_until_it_is_reset() -> None:
    story = edit(story_of(), "update_shot", shot_id="shot1", prompt="一只金色的鹿")
    assert shot_prompt(story, shot_of(story, 1)).startswith("一只金色的鹿")
    story = edit(story, "update_shot", shot_id="shot1", text="夜里，一只鹿跑过雪地。")
    assert shot_of(story, 1).prompt == "一只金色的鹿"
    for reset in (
        edit(story, "reset_prompt", shot_id="shot1"),
        edit(story, "update_shot", shot_id="shot1", prompt=" "),
    ):
        assert shot_of(reset, 1).prompt is None
        assert "鹿" in shot_prompt(reset, shot_of(reset, 1))


def test_a_rewritten_prompt_and_its_original_are_both_kept_and_it_can_be_undone() -> None:
    for story in (story_of(), edit(story_of(), "update_shot", shot_id="shot1", prompt="我的鹿")):
        shot = shot_of(story, 1)
        before = bare_prompt(story, shot)
        better = edit(story, "accept_rewrite", shot_id="shot1", original=before, rewritten="金色晨光里的白鹿")
        assert (shot_of(better, 1).prompt, shot_of(better, 1).original) == ("金色晨光里的白鹿", before)
        undone = edit(better, "undo_rewrite", shot_id="shot1")
        assert undone == story
        assert edit(undone, "undo_rewrite", shot_id="shot1") == undone
        typed = edit(better, "update_shot", shot_id="shot1", prompt="又一只鹿")
        assert shot_of(typed, 1).original is None


def cast() -> Story:
    story = story_of("小明走进森林。", "他看见一只鹿。", "小明的妈妈站在村庄里。")
    return edit(story, "set_character", name="小明", looks="黑色短发", clothing="红色外套", aliases=["Ming"])


def test_a_character_is_described_alike_in_each_shot_that_names_it() -> None:
    story = cast()
    person = story.characters[0]
    description = person.description("zh")
    assert person.id in shot_of(story, 1).characters
    named = [shot for shot in story.shots if person.id in shot.characters]
    assert len(named) >= 2
    assert all(description in shot_prompt(story, shot) for shot in named)
    handmade = edit(story, "update_shot", shot_id="shot1", prompt="森林的入口")
    assert description in shot_prompt(handmade, shot_of(handmade, 1))


def test_a_renamed_character_keeps_its_looks_word_for_word() -> None:
    story = edit(cast(), "update_shot", shot_id="shot1", translation="Ming walks into Ming's forest.")
    person = story.characters[0]
    renamed = edit(story, "rename_character", id=person.id, name="小雨")
    assert texts(renamed) == ["小雨走进森林。", "他看见一只鹿。", "小雨的妈妈站在村庄里。"]
    assert shot_of(renamed, 1).translation == "小雨 walks into 小雨's forest."
    found = renamed.characters[0]
    assert (found.name, found.looks, found.clothing) == ("小雨", person.looks, person.clothing)
    assert [shot.characters for shot in renamed.shots] == [shot.characters for shot in story.shots]
    assert all("小明" not in shot_prompt(renamed, shot) for shot in renamed.shots)
    assert edit(renamed, "rename_character", id=person.id, name="小雨") == renamed


def test_a_name_that_is_also_a_word_stays_that_word_elsewhere() -> None:
    story = story_of("Rose walks into the garden.", "A red rose blooms.", language="en")
    story = edit(story, "set_character", name="Rose", looks="long hair")
    renamed = edit(story, "rename_character", id=story.characters[0].id, name="Ivy")
    assert texts(renamed) == ["Ivy walks into the garden.", "A red rose blooms."]


def test_a_removed_character_leaves_the_shots_and_chosen_ones_stay_chosen() -> None:
    story = cast()
    person = story.characters[0].id
    chosen = edit(story, "update_shot", shot_id="shot3", characters=[])
    again = edit(chosen, "set_character", id=person, aliases=["明明"])
    assert shot_of(again, 3).characters == ()
    gone = edit(story, "remove_character", id=person)
    assert gone.characters == ()
    assert all(shot.characters == () for shot in gone.shots)


def test_variables_come_and_go() -> None:
    story = edit(Story(), "set_variable", name="hero", value=" 小雨 ")
    assert story.variables == {"hero": "小雨"}
    assert edit(story, "set_variable", name="hero", value="").variables == {}


def test_a_source_is_trimmed_and_removed_but_never_set_by_a_person() -> None:
    from studio.story.shot_edits import with_source
    from studio.story.types import Source

    assert not any("source" in name and name.startswith("with") for name in EDITS)
    with pytest.raises(StoryProblem, match="field_unknown"):
        edit(story_of(), "update_shot", shot_id="shot1", source={"kind": "upload", "place": "../secret.key"})
    story = with_source(story_of(), "shot1", Source(kind="asset", place="abc"))
    trimmed = edit(story, "trim_source", shot_id="shot1", start=1.5, seconds=3)
    assert shot_of(trimmed, 1).source == Source(kind="asset", place="abc", start=1.5, seconds=3)
    assert shot_of(edit(trimmed, "remove_source", shot_id="shot1"), 1).source is None


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("fly", {}, "edit_unknown"),
        ("__class__", {}, "edit_unknown"),
        ("delete_shot", {}, "edit_wrong"),
        ("delete_shot", {"shot_id": "shot1", "why": "x"}, "edit_wrong"),
        ("delete_shot", {"shot_id": "nobody"}, "shot_unknown"),
        ("add_shot", {"after": "nobody"}, "shot_unknown"),
        ("add_shot", {"text": "长" * 1001}, "text_too_long"),
        ("add_shot", {"text": 7}, "value_wrong"),
        ("add_shot", {"text": "a\x00b"}, "text_control"),
        ("add_shot", {"text": "\ud800"}, "text_control"),
        ("split_shot", {"shot_id": "shot1"}, "shot_split_where"),
        ("split_shot", {"shot_id": "shot1", "at": 0}, "shot_split_where"),
        ("split_shot", {"shot_id": "shot1", "at": 999}, "shot_split_where"),
        ("split_shot", {"shot_id": "shot1", "at": "mid"}, "shot_split_where"),
        ("merge_shots", {"shot_id": "shot4"}, "shot_is_last"),
        ("move_shot", {"shot_id": "shot1", "to": 4}, "shot_move_where"),
        ("move_shot", {"shot_id": "shot1", "to": -1}, "shot_move_where"),
        ("update_shot", {"shot_id": "shot1", "id": "x"}, "field_unknown"),
        ("update_shot", {"shot_id": "shot1", "approved": True}, "field_unknown"),
        ("update_shot", {"shot_id": "shot1", "seconds": 31}, "number_most"),
        ("update_shot", {"shot_id": "shot1", "seconds": 0}, "number_least"),
        ("update_shot", {"shot_id": "shot1", "seconds": "long"}, "value_wrong"),
        ("update_shot", {"shot_id": "shot1", "seconds": float("nan")}, "number_most"),
        ("update_shot", {"shot_id": "shot1", "move": "spin"}, "choice_unknown"),
        ("update_shot", {"shot_id": "shot1", "seed": -1}, "number_least"),
        ("update_shot", {"shot_id": "shot1", "characters": ["nobody"]}, "character_unknown"),
        ("update_shot", {"shot_id": "shot1", "prompt": "x" * 2001}, "text_too_long"),
        ("update_fields", {"shot_id": "shot1", "field": "smell", "values": []}, "field_unknown"),
        ("update_fields", {"shot_id": "shot1", "field": "mood", "values": "sad"}, "text_needed"),
        ("update_fields", {"shot_id": "shot1", "field": "mood", "values": [7]}, "text_needed"),
        ("update_fields", {"shot_id": "shot1", "field": "mood", "values": ["x" * 999]}, "text_too_long"),
        (
            "update_fields",
            {"shot_id": "shot1", "field": "mood", "values": list("abcdefghi")},
            "list_too_long",
        ),
        ("update_fields", {"shot_id": "shot1", "field": "mood", "values": ["a\nb"]}, "text_control"),
        ("accept_rewrite", {"shot_id": "shot1", "original": "x", "rewritten": " "}, "prompt_empty"),
        ("accept_rewrite", {"shot_id": "shot1", "original": 7, "rewritten": "x"}, "value_wrong"),
        ("trim_source", {"shot_id": "shot1", "start": 1}, "shot_no_source"),
        ("update_look", {"style": "rococo"}, "choice_unknown"),
        ("update_look", {"model": "sora"}, "choice_unknown"),
        ("update_look", {"voice": "siren"}, "choice_unknown"),
        ("update_look", {"music": "polka"}, "choice_unknown"),
        ("update_look", {"format": "4:3"}, "choice_unknown"),
        ("update_look", {"height": 4320}, "choice_unknown"),
        ("update_look", {"subtitles": ["fr"]}, "choice_unknown"),
        ("update_look", {"logo_opacity": 2}, "number_most"),
        ("update_look", {"shader": "x"}, "field_unknown"),
        ("set_character", {"name": " "}, "character_nameless"),
        ("set_character", {"id": "nobody", "name": "x"}, "character_unknown"),
        ("set_character", {"name": "x", "powers": "all"}, "field_unknown"),
        ("rename_character", {"id": "nobody", "name": "x"}, "character_unknown"),
        ("remove_character", {"id": "nobody"}, "character_unknown"),
        ("set_title", {"title": "x" * 121}, "text_too_long"),
        ("set_title", {"title": None}, "value_wrong"),
        ("set_variable", {"name": "x", "value": "y" * 201}, "text_too_long"),
        ("write", {"text": ""}, "story_empty"),
        ("write", {"text": " \n\t　"}, "story_empty"),
        ("write", {"text": "很" * 50_000}, "story_too_long"),
        ("choose_take", {"shot_id": "nobody", "asset_id": "a"}, "shot_unknown"),
    ],
)
def test_what_cannot_be_is_said(name: str, values: dict[str, Any], code: str) -> None:
    with pytest.raises(StoryProblem) as caught:
        edit(story_of(), name, **values)
    assert caught.value.notice.code == code


def test_a_story_is_full_with_24_shots() -> None:
    story = story_of(*[f"第{n}只鹿站在森林里。它跑了。" for n in range(MAX_SHOTS)])
    for name, values in (("add_shot", {"text": "x"}), ("split_shot", {"shot_id": "shot1"})):
        with pytest.raises(StoryProblem, match="story_full"):
            edit(story, name, **values)


@pytest.mark.parametrize(
    "text",
    [
        "鹿",
        "this is abstract",
        "😀😀😀",
        "Anna 和 a cat 走进 the forest。🌧️",
        "{hero} 走进森林。",
        "a" * 3000,
        "Will will.",
    ],
)
def test_odd_texts_become_stories(text: str) -> None:
    story = edit(Story(), "write", text=text)
    assert 1 <= len(story.shots) <= MAX_SHOTS
    assert Story.model_validate_json(story.model_dump_json()) == story


def test_edits_leave_the_given_story_alone() -> None:
    story = cast()
    before = story.model_dump_json()
    edit(story, "delete_shot", shot_id="shot1")
    edit(story, "rename_character", id=story.characters[0].id, name="x")
    edit(story, "set_variable", name="a", value="b")
    assert story.model_dump_json() == before


@pytest.mark.parametrize(
    ("seconds", "told"), [(999, "999"), (999.0, "999"), (10**40, "1e40"), (1e40, "1e40"), (30.5, "30.5")]
)
def test_a_refused_number_is_told_as_people_write_it(seconds: float, told: str) -> None:
    with pytest.raises(StoryProblem) as problem:
        edit(story_of(), "update_shot", shot_id="shot1", seconds=seconds)
    assert say(problem.value.notice, "en").endswith(f"at most 30, not {told}.")
