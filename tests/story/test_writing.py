"""A text becomes a story, read by a model or by the rules: what was read comes into it, hand edits stay."""

from collections import Counter

import pytest

from pipelines.request import Notice
from studio.story.edit import edit, write_as_read
from studio.story.types import Story
from studio.text.characters import Character
from studio.text.fields import ShotFields
from studio.text.llm_story import ShotReading, StoryReading
from studio.text.shots import ShotDraft, StoryDraft
from tests.text.corpus import STORIES, Annotated, annotated, matches

# A little less than the rules reach on stories nobody tuned them to; README.md says how much. 0.85 is wanted.
# A second reader who follows the same guide agrees with the first to .92 (subject), .89 (environment), .93
# (weather), and to .88 or more in the others.
REACHED = {
    "unseen": {
        "subject": 0.81, "action": 0.85, "environment": 0.669, "time": 0.90, "weather": 0.68, "mood": 0.88,
        "camera": 0.85, "style": 0.98,
    },
    "fresh": {
        "subject": 0.77, "action": 0.81, "environment": 0.65, "time": 0.92, "weather": 0.65, "mood": 0.80,
        "camera": 0.67, "style": 0.94,
    },
}  # fmt: skip
TEXTS = ("小明走进森林。", "一只鹿站在雪地里。")


def reading(*texts: str, source: str = "llm") -> StoryReading:
    ends = [sum(map(len, texts[: n + 1])) for n in range(len(texts))]
    drafts = tuple(ShotDraft(end - len(text), end, text) for text, end in zip(texts, ends, strict=True))
    draft = StoryDraft(title="森林", language="zh", shots=drafts, notices=(Notice("x"),))
    shots = tuple(
        ShotReading(ShotFields(subject=(f"主体{n}",)), ("ming",) if n == 1 else (), f"Shot {n}.")
        for n, _ in enumerate(texts, 1)
    )
    return StoryReading(draft, shots, (Character(id="ming", name="小明", looks="短发"),), source)  # type: ignore[arg-type]


def test_what_the_model_read_is_the_story() -> None:
    story = write_as_read(Story(), "".join(TEXTS), reading(*TEXTS))
    assert [shot.text for shot in story.shots] == list(TEXTS)
    assert [shot.fields.subject for shot in story.shots] == [("主体1",), ("主体2",)]
    assert [shot.translation for shot in story.shots] == ["Shot 1.", "Shot 2."]
    assert (story.title, story.characters[0].looks) == ("森林", "短发")
    assert [shot.characters for shot in story.shots] == [("ming",), ()]


def test_hand_edits_outlive_what_the_model_reads_again() -> None:
    story = write_as_read(Story(), "".join(TEXTS), reading(*TEXTS))
    first = story.shots[0].id
    story = edit(story, "update_fields", shot_id=first, field="subject", values=["我的主体"])
    story = edit(story, "update_shot", shot_id=first, translation="Mine.")
    story = edit(story, "set_character", id="ming", looks="长发")
    changed = ("小明走进大森林。", TEXTS[1])
    again = write_as_read(story, "".join(changed), reading(*changed))
    assert again.shots[0].text == changed[0]
    assert (again.shots[0].fields.subject, again.shots[0].translation) == (("我的主体",), "Mine.")
    assert again.shots[1] == story.shots[1]
    assert [person.looks for person in again.characters] == ["长发"]


def test_a_model_that_means_somebody_known_means_the_one_that_is_known() -> None:
    story = edit(Story(), "add_shot", text=TEXTS[1])
    story = edit(story, "set_character", name="小明", looks="长发")
    again = write_as_read(story, "".join(TEXTS), reading(*TEXTS))
    assert len(again.characters) == 1
    assert again.shots[0].characters == (again.characters[0].id,) == (story.characters[0].id,)


def test_a_shot_that_is_too_long_is_cut_between_sentences() -> None:
    long = "一只鹿慢慢走过雪地。" * 150
    story = write_as_read(Story(), long, reading(long))
    assert len(story.shots) == 2
    assert "".join(shot.text for shot in story.shots) == long
    assert all(shot.text.endswith("。") for shot in story.shots)


def test_what_stands_over_a_shot_in_the_text_is_read_with_it() -> None:
    told = ("Mara opens the fridge.", "Suddenly a cat leaps off the shelf.", "A dog runs along the water.")
    scenes = f"INT. KITCHEN - NIGHT\n\n{told[0]}\n\n{told[1]}\n\nEXT. BEACH - DAWN\n\nClose-up: {told[2]}"
    story = edit(Story(), "write", text=f"Style: watercolour\n\n{scenes}")
    assert [shot.text for shot in story.shots] == list(told)
    first, second, third = (shot.fields for shot in story.shots)
    assert first.environment[0] == second.environment[0] == "KITCHEN"
    assert (first.time, third.environment[:1], third.time) == (("NIGHT",), ("BEACH",), ("DAWN",))
    assert (third.camera, first.style) == (("Close-up",), ("watercolour",))
    again = edit(story, "update_shot", shot_id=story.shots[2].id, text="A fox runs along the water.")
    assert again.shots[2].fields.camera == ("Close-up",)


def test_another_scene_over_the_same_words_is_read_anew() -> None:
    text = "INT. KITCHEN - NIGHT\n\nMara opens the door."
    story = edit(Story(), "write", text=text)
    moved = edit(story, "write", text=text.replace("NIGHT", "DAWN"))
    assert (moved.shots[0].id, moved.shots[0].fields.time) == (story.shots[0].id, ("DAWN",))


def cut_right(story: Annotated) -> StoryReading:
    """The story cut where people cut it, and read by nobody yet."""
    bodies = zip(story.spans, story.bodies, strict=True)
    drafts = (ShotDraft(start, end, body.strip()[:1000]) for (start, end), body in bodies)
    return StoryReading(StoryDraft("", "zh" if story.language == "zh" else "en", tuple(drafts)))


@pytest.mark.slow
@pytest.mark.parametrize("folder", REACHED)
def test_what_a_story_shows_agrees_with_stories_the_rules_were_not_made_for(folder: str) -> None:
    right, counted = Counter[str](), Counter[str]()
    for path in sorted((STORIES / folder).glob("*.toml")):
        told = annotated(path)
        story = write_as_read(Story(), told.text, cut_right(told))
        for shot, gold in zip(story.shots, told.shots, strict=True):
            for name, phrases in shot.fields:
                right[name] += matches(phrases, gold[name])
                counted[name] += len(phrases) + len(gold[name])
    scores = {name: 2 * right[name] / counted[name] for name in ShotFields.model_fields}
    print("set F1:", {name: round(score, 3) for name, score in scores.items()})
    assert {name: score for name, score in scores.items() if score < REACHED[folder][name]} == {}


def test_what_was_written_by_hand_holds_for_the_shots_behind_it() -> None:
    told = ("清晨，小鹿站在森林里。", "它低头喝水。", "它慢慢走着。")
    text = "\n".join(f"{n}. {one}" for n, one in enumerate(told, 1))
    story = edit(Story(), "write", text=text)
    assert story.shots[2].fields.environment == ("森林",)
    first = story.shots[0].id
    story = edit(story, "update_fields", shot_id=first, field="environment", values=["雪山頂上"])
    again = edit(story, "write", text=text.replace("喝水", "吃草"))
    assert [shot.fields.environment for shot in again.shots] == [("雪山頂上",), ("雪山頂上",), ("森林",)]
    assert again.shots[0] == story.shots[0]
    assert again.shots[2] == story.shots[2]


def test_a_variable_is_read_as_a_name_wherever_it_stands() -> None:
    text = "1. {child name} walks into the forest.\n2. At night {child name} sleeps under a tree."
    story = edit(Story(), "write", text=text)
    assert [shot.fields.subject for shot in story.shots] == [("{child name}",)] * 2
    assert [shot.fields.time for shot in story.shots] == [(), ("night",)]


def test_each_part_of_a_shot_that_is_too_long_shows_its_own_text() -> None:
    deer, ship = "一只鹿慢慢走过雪地。" * 95, "一条大船在海上航行。" * 95
    story = write_as_read(Story(), deer + ship, reading(deer + ship))
    assert [shot.fields.subject for shot in story.shots] == [("鹿",), ("大船",)]
