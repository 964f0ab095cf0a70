"""Stories as files: what goes out comes back the same; what was made up or damaged does no harm."""

import json
from typing import Any

import pytest

from studio.story.edit import edit
from studio.story.exchange import export_json, import_json
from studio.story.plan import make_plan
from studio.story.problems import StoryProblem
from studio.story.shot_edits import with_source
from studio.story.types import Source, Story
from tests.story.kit import story_of


def full() -> Story:
    story = edit(story_of(), "set_character", name="小明", looks="短发")
    story = edit(story, "update_look", style="ink", music="calm", subtitles=("zh", "en"))
    story = edit(story, "update_shot", shot_id="shot1", prompt="一只鹿", seconds=4)
    story = edit(story, "set_variable", name="hero", value="小雨")
    return edit(story, "update_fields", shot_id="shot2", field="mood", values=["紧张"])


def document(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(export_json(full()))
    found["story"] |= changes
    return found


def test_a_story_comes_back_as_it_went_and_makes_the_same_film() -> None:
    story = full()
    back = import_json(export_json(story))
    assert back == story
    assert make_plan(back, "animatic", story_id="s", default_model="sketch") == make_plan(
        story, "animatic", story_id="s", default_model="sketch"
    )


def test_takes_approvals_and_files_stay_at_home() -> None:
    story = edit(edit(full(), "approve_all"), "choose_take", shot_id="shot1", asset_id="mine", seed=3)
    story = with_source(story, "shot2", Source(kind="upload", place="stories/abc/secret.mp4"))
    look = story.look.model_copy(update={"logo": "stories/abc/x.png", "music": "stories/abc/y.mp3"})
    text = export_json(story.model_copy(update={"look": look}))
    assert all(word not in text for word in ("mine", "secret", "stories/"))
    back = import_json(text)
    assert [shot.approved for shot in back.shots] == [False] * 4


def test_places_of_others_in_a_made_up_file_are_dropped() -> None:
    found = document()
    found["story"]["look"] |= {"logo": "../../secret.key", "music": "/etc/passwd"}
    found["story"]["shots"][0] |= {
        "take": "someone-elses",
        "approved": True,
        "source": {"kind": "upload", "place": "../../secret.key"},
    }
    back = import_json(json.dumps(found))
    assert (back.look.logo, back.look.music) == ("", "")
    assert (back.shots[0].source, back.shots[0].take, back.shots[0].approved) == (None, None, False)


def test_ids_that_are_there_twice_are_made_anew() -> None:
    found = document()
    for shot in found["story"]["shots"]:
        shot["id"] = "same"
        shot["characters"] = ["nobody", "nobody"]
    found["story"]["characters"] *= 3
    back = import_json(json.dumps(found))
    assert len({shot.id for shot in back.shots}) == 4
    assert len({person.id for person in back.characters}) == 3
    assert all(shot.characters == () for shot in back.shots)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "story_file_bad"),
        ("{", "story_file_bad"),
        ("[" * 100_000, "story_file_bad"),
        ('{"studio": "wan-studio", "kind": "story", "story": {"look": {"seed": NaN}}}', "story_file_bad"),
        ("9" * 100_000, "story_file_bad"),
        ("null", "story_file_other"),
        ("[]", "story_file_other"),
        ('{"studio": "wan-studio", "kind": "clip"}', "story_file_other"),
        ("x" * 1_000_001, "story_file_big"),
        ("星" * 400_000, "story_file_big"),
        ('{"studio": "wan-studio", "kind": "story"}', "value_wrong"),
        ('{"studio": "wan-studio", "kind": "story", "story": 7}', "value_wrong"),
    ],
)
def test_what_is_no_story_is_said(text: str, code: str) -> None:
    with pytest.raises(StoryProblem) as caught:
        import_json(text)
    assert caught.value.notice.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 99},
        {"title": "x" * 121},
        {"title": "a\x00b"},
        {"title": {"deep": ["er"]}},
        {"text": "x" * 20_001},
        {"shots": [{"id": "x"}] * 25},
        {"shots": [{"id": "<script>"}]},
        {"shots": [{"id": "x", "text": "x" * 1001}]},
        {"shots": [{"id": "x", "evil": 1}]},
        {"shots": [{"id": "x", "fields": {"subject": ["x" * 5000]}}]},
        {"shots": [{"id": "x", "fields": {"subject": ["x"] * 500}}]},
        {"shots": [{"id": "x", "seed": 10**400}]},
        {"shots": [{"id": "x", "seconds": 1e308}]},
        {"characters": [{"id": "a", "name": "x" * 5000}]},
        {"characters": [{"id": "a", "name": "x", "looks": "y" * 100_000}]},
        {"variables": {"x" * 200: "y"}},
        {"variables": {str(n): "y" for n in range(30)}},
        {"look": {"format": "4:3"}},
        {"look": {"height": 100000}},
        {"look": {"subtitles": ["zh"] * 50}},
    ],
)
def test_values_that_no_story_has_are_refused_in_words(changes: dict[str, Any]) -> None:
    with pytest.raises(StoryProblem) as caught:
        import_json(json.dumps(document(**changes)))
    assert caught.value.notice.values["field"]
