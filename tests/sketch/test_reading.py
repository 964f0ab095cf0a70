"""What the sketch model reads: every caption of its own grammar, and what people write."""

import random

import pytest

from pipelines.sketch.captions import LONGEST, caption, pieces
from pipelines.sketch.reading import read
from pipelines.sketch.world import ATTRIBUTES, sample_scene


def test_captions_of_the_grammar_are_read_back() -> None:
    rng, wrong = random.Random(17), dict.fromkeys(ATTRIBUTES, 0)
    for number in range(600):
        scene = sample_scene(rng)
        found = read(caption(scene, ("en", "zh")[number % 2], rng)).scene
        for name in ATTRIBUTES:
            wrong[name] += getattr(found, name) != getattr(scene, name)
    assert max(wrong.values()) <= 6, wrong


def test_what_was_read_is_read_again_as_the_same() -> None:
    rng = random.Random(3)
    for _ in range(200):
        once = read(caption(sample_scene(rng), "zh", rng))
        assert read(once.caption).scene == once.scene
        assert pieces(once.caption) <= LONGEST


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("牛郎，年轻人，黑头发，穿蓝色布衣，在村庄里，清晨，金色神话风格",
         {"subject": "person", "colour": "blue", "backdrop": "village", "time": "dawn", "style": "mythic"}),
        ("一群喜鹊飞上星空，搭成一座桥", {"subject": "bird", "backdrop": "space", "action": "up"}),
        ("夜空中银河横贯", {"subject": "none", "backdrop": "space", "time": "night"}),
        ("海怪破浪而出，电闪雷鸣", {"subject": "sea monster", "action": "up", "weather": "storm"}),
        ("雪花飘落在花园里", {"subject": "none", "weather": "snow", "backdrop": "forest"}),
        ("An old fisherman in a red coat sits by the lake in heavy rain",
         {"subject": "old man", "colour": "red", "backdrop": "river", "weather": "rain", "action": "stand"}),
        ("A sleek electric car drives across the city at night, neon lights",
         {"subject": "car", "backdrop": "city", "time": "night", "style": "neon", "action": "right"}),
        ("A girl with a yellow umbrella walks left",
         {"subject": "woman with umbrella", "colour": "yellow", "action": "left"}),
    ],
)  # fmt: skip
def test_free_text_is_read(prompt: str, wanted: dict[str, str]) -> None:
    scene = read(prompt).scene
    assert {name: getattr(scene, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    "prompt", ["", "🌟🌟", "a dog in a castle of ideas", "幸福", "x" * 2000, "\x00\n{c}"]
)
def test_what_is_not_of_its_world_is_left_out(prompt: str) -> None:
    found = read(prompt)
    assert found.scene.subject == "none"
    assert found.caption


def test_a_colour_may_follow_as_a_phrase_of_its_own() -> None:
    assert read("horse, white, runs to the left in the desert").scene.colour == "white"
    assert read("龙，黄色，飞过群山").scene.colour == "yellow"
    assert read("A horse, black and white birds, a river").scene.colour == "default"
