"""A text that a model read: its fields, translations and characters come into the story, hand edits stay."""

from pipelines.request import Notice
from studio.story.edit import edit, write_as_read
from studio.story.types import Story
from studio.text.characters import Character
from studio.text.fields import ShotFields
from studio.text.llm_story import ShotReading, StoryReading
from studio.text.shots import ShotDraft, StoryDraft

TEXTS = ("小明走进森林。", "一只鹿站在雪地里。")


def reading(*texts: str, source: str = "llm") -> StoryReading:
    drafts = tuple(ShotDraft(0, 1, text, "") for text in texts)
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
