"""The stories to start from: complete, in both languages, drawn by the sketch model."""

import json
from pathlib import Path

import pytest

from studio.story.edit import edit
from studio.story.examples import StoryExample, story_examples
from studio.story.exchange import known_music
from studio.story.plan import make_plan
from studio.story.prompts import shot_prompt
from studio.styles import STYLES

ALL = story_examples()


def test_there_are_myths_lessons_and_advertising_scripts() -> None:
    kinds = [(example.kind, example.language) for example in ALL]
    assert kinds.count(("myth", "zh")) == 3
    assert sorted(kind for kind in kinds if kind[0] == "lesson") == [("lesson", "en"), ("lesson", "zh")]
    assert kinds.count(("advert", "en")) == 2
    assert len(ALL[0].shot) == 5, "the demo tells a myth of five shots"


@pytest.mark.parametrize("example", ALL, ids=lambda example: example.name)
def test_an_example_is_complete(example: StoryExample) -> None:
    story = example.story()
    assert 5 <= len(story.shots) <= 7
    assert set(example.title) == {"zh", "en"}
    assert example.look.style in STYLES
    assert example.look.style != "none"
    assert known_music(example.look.music)
    for shot in story.shots:
        assert shot.text
        assert shot.translation
        assert shot.fields.subject or shot.fields.environment
    named = {person for shot in story.shots for person in shot.characters}
    assert named == {person.id for person in story.characters}, "every character is in a shot"


@pytest.mark.parametrize("example", ALL, ids=lambda example: example.name)
def test_an_example_can_be_filmed_with_two_takes_a_shot_at_most(example: StoryExample) -> None:
    story = edit(example.story(), "approve_all")
    for level in ("animatic", "film"):
        plan = make_plan(story, level, story_id="s", default_model="sketch")
        assert sum(len(shot.requests) for shot in plan.shots) <= len(plan.shots) + 3
        assert 20 <= sum(shot.seconds for shot in plan.shots) <= 60


@pytest.mark.parametrize("example", ALL, ids=lambda example: example.name)
def test_the_sketch_model_knows_most_words_of_each_prompt(example: StoryExample) -> None:
    pytest.importorskip("tokenizers")
    from tokenizers import Tokenizer

    folder = Path(__file__).resolve().parents[2] / "assets" / "models" / "sketch" / "tokenizer"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    story = example.story()
    for shot in story.shots:
        tokens = tokenizer.encode(shot_prompt(story, shot)).tokens[:48]
        unknown = sum(token in ("<unk>", "[UNK]") for token in tokens)
        assert unknown <= len(tokens) / 2, json.dumps(tokens, ensure_ascii=False)
