"""Titles that the rules give: short, of who and where, never a cut sentence."""

import pytest
from opencc import OpenCC

from studio.story.edit import edit
from studio.story.exchange import export_json, import_json
from studio.story.types import Story

COWHERD = (
    "从前，村庄里住着一个善良的年轻人，名叫牛郎。牛郎每天牵着老牛去山坡上吃草。"
    "一天，织女从天上飞下来，在河边洗衣服。牛郎躲在树后看着织女。"
    "后来，牛郎和织女在村庄里成了亲。织女在窗前织布，牛郎在田里耕地。"
)
FOX = (
    "A small fox lived beside an old lighthouse by the sea. Every evening the fox climbed the stairs. "
    "One night the fox lit the lamp. The fox watched the waves until morning."
)


def written(text: str) -> Story:
    return edit(Story(), "write", text=text)


def test_a_title_names_who_and_where() -> None:
    assert written(COWHERD).title == "牛郎与织女"
    assert written(FOX).title == "The fox and the lighthouse"
    assert written(OpenCC("s2t").convert(COWHERD)).title == "牛郎與織女"


@pytest.mark.parametrize(
    "text",
    [
        "从前从前在一个非常非常非常遥远而且没有人去过的地方什么都没有发生过",
        "Nothing that anybody could ever have pictured was going on in all of those many abstract notions",
        "我想了很久，这一切究竟意味着什么呢，谁也说不清楚，也许永远没有答案。",
        "🦊🦊🦊",
        "A" * 300,
        "龙" * 300,
        "{child} lives by the sea. At night {child} sees a red dragon.",
    ],
)
def test_no_title_is_long_or_cut(text: str) -> None:
    title = written(text).title
    assert "…" not in title
    assert sum(1.0 if ord(char) > 0x2E7F else 0.4 for char in title) <= 16


def test_an_own_heading_is_the_title() -> None:
    assert written("# 鹊桥相会\n\n" + COWHERD).title == "鹊桥相会"


def test_another_text_gives_another_title_and_a_typed_one_stays() -> None:
    first = written(COWHERD)
    assert edit(first, "write", text=FOX).title == "The fox and the lighthouse"
    typed = edit(first, "set_title", title="我的故事")
    assert edit(typed, "write", text=FOX).title == "我的故事"
    # One that was cut from the text, as titles once were.
    old = first.model_copy(update={"title": "从前，村庄里住着一个善良的年轻…", "found_title": ""})
    assert edit(old, "write", text=COWHERD).title == "牛郎与织女"


def test_a_title_follows_a_new_name_and_is_still_the_texts() -> None:
    first = written(COWHERD)
    cowherd = next(one.id for one in first.characters if one.name == "牛郎")
    named = edit(first, "rename_character", id=cowherd, name="乐乐")
    assert named.title == named.found_title == "乐乐与织女"
    assert import_json(export_json(named)).found_title == "乐乐与织女"
