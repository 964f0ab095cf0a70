"""Traditional Chinese is read as its simplified twin is, and answered in its own characters."""

import tomllib
from pathlib import Path

import pytest
from opencc import OpenCC

from pipelines.simplified import simplified
from pipelines.sketch.reading import read
from studio.text.characters import Character, find_characters, rename, who_is_in
from studio.text.fields import ShotFields, fields_of, fields_of_story
from studio.text.lexicon import visible
from studio.text.prompt import assemble
from studio.text.rewrite import diff, rewrite
from studio.text.shots import split_story
from studio.text.told import around_shots

STORIES = Path(__file__).parent / "stories" / "dev"
TWINS = ("01-kuafu", "05-grandma-river", "changsha-ewer")
FORMS = ("s2t", "s2tw", "s2hk")


def told(name: str) -> str:
    """The story's text without the marks of its shots."""
    return str(tomllib.loads((STORIES / f"{name}.toml").read_text("utf-8"))["text"]).replace("||", "")


def texts_of(fields: ShotFields) -> list[str]:
    return [phrase for _, phrases in fields for phrase in phrases]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", TWINS)
def test_a_traditional_story_is_read_as_its_simplified_twin(name: str, form: str) -> None:
    text = told(name)
    twin = OpenCC(form).convert(text)
    assert twin != text
    assert simplified(twin) == text
    plain, own = split_story(text), split_story(twin)
    assert simplified(own.title) == plain.title
    assert [(shot.start, shot.end) for shot in own.shots] == [(shot.start, shot.end) for shot in plain.shots]
    assert all(shot.text[:4] in twin for shot in own.shots)
    spans = [(shot.start, shot.end) for shot in plain.shots]
    assert [simplified(line) for line in around_shots(twin, spans)] == around_shots(text, spans)
    people = find_characters(text, [shot.text for shot in plain.shots])
    others = find_characters(twin, [shot.text for shot in own.shots])
    assert [simplified(one.name) for one in others] == [one.name for one in people]
    assert all(one.name in twin for one in others)
    names, other_names = [one.name for one in people], [one.name for one in others]
    whole = fields_of_story(text, spans, names=names), fields_of_story(twin, spans, names=other_names)
    assert_alike(*whole, twin)
    # Shot by shot, as the page reads them.
    found: list[ShotFields] = []
    wanted: list[ShotFields] = []
    for k, shot in enumerate(own.shots):
        mate = plain.shots[k].text
        found.append(fields_of(shot.text, names=other_names, before=found, story=twin))
        wanted.append(fields_of(mate, names=names, before=wanted, story=text))
        seen = who_is_in(shot.text, others, [one.text for one in own.shots[:k]])
        assert seen == who_is_in(mate, people, [one.text for one in plain.shots[:k]])
    assert_alike(wanted, found, twin)


def assert_alike(plain: object, own: object, twin: str) -> None:
    assert isinstance(plain, list | tuple)
    assert isinstance(own, list | tuple)
    assert [[simplified(p) for p in texts_of(one)] for one in own] == [texts_of(one) for one in plain]
    assert all(phrase in twin for one in own for phrase in texts_of(one))


def test_the_signs_of_taiwan_are_read() -> None:
    plain = "小猫看着窗外。“他们来了！”奶奶说。突然，它跳到了屋顶上。什么都干了，她背着竹篓回家。"
    own = "小貓看著窗外。「他們來了！」奶奶說。突然，牠跳到了屋頂上。甚麼都乾了，她揹著竹簍回家。"
    assert simplified(own).translate(str.maketrans("「」", "“”")) == plain
    assert fields_of(own).subject == ("小貓", "奶奶")[: len(fields_of(own).subject)]
    assert [s.start for s in split_story(own).shots] == [s.start for s in split_story(plain).shots]
    assert simplified("著名的作家坐著有說有笑，看著書") == "著名的作家坐着有说有笑，看着书"
    assert simplified("皇后在瞭望塔上扭转乾坤") == "皇后在瞭望塔上扭转乾坤"


def test_simplified_stories_stay_as_they_are() -> None:
    for path in (*STORIES.glob("*.toml"), *(STORIES.parent / "check").glob("*.toml")):
        if path.stem != "cloud-laundry":  # that one is traditional
            text = tomllib.loads(path.read_text("utf-8"))["text"]
            assert simplified(text) == text, path.stem


@pytest.mark.parametrize("text", ["", "a\x00b看著", "🦊看着海", "\ud800海", "龍" * 12_000])
def test_any_text_keeps_its_length(text: str) -> None:
    assert len(simplified(text)) == len(text)


def test_characters_are_called_and_renamed_in_either_script() -> None:
    fox = Character(id="c1", name="小龍", looks="一條綠色的龍")
    assert who_is_in("小龍飛過山頂。", [fox], []) == ("c1",)
    assert who_is_in("牠吐出火。", [fox], ["小龍飛過山頂。"]) == ("c1",)
    assert rename("小龍飛過山頂，小龍笑了。", "小龍", "阿寶") == "阿寶飛過山頂，阿寶笑了。"


def test_a_prompt_has_hints_and_places_in_its_own_characters() -> None:
    (hint,) = visible("牛郎站在鵲橋上", "zh")[-1:]
    assert hint.word == "鵲橋"
    assert "在屋裡" in assemble(ShotFields(environment=("屋裡",)), characters=(), language="zh")


def test_a_rewrite_in_simplified_characters_loses_no_word() -> None:
    parts = diff("一隻貓在屋頂上", "一只猫在屋顶上，暖光")
    assert not [part for part in parts if part.kind == "lost"]
    assert "".join(part.text for part in parts if part.kind != "added") == "一隻貓在屋頂上"
    assert rewrite("一隻貓在屋頂上").rewritten.startswith("一隻貓在屋頂上，")


def test_the_sketch_model_knows_traditional_words() -> None:
    assert read("一隻貓在雪地裡跑").caption == read("一只猫在雪地里跑").caption
