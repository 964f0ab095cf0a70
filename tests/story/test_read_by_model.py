"""A story that a language model reads; by the rules, and with a sentence about it, where that fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.access import Visitor
from studio.core import Refused, Studio
from studio.settings import Settings
from studio.words import say
from tests.text.llm_server import Service, serving

ANNA = Visitor(owner="anna", admin=False)
TEXT = "牛郎在河边放牛。突然，织女从天上飞下来。晚上，他们坐在院子里看星星。"
ANSWER = {
    "shots": [
        {"begins": "牛郎在河边放牛", "subject": ["牛郎"], "characters": ["牛郎"], "translation": "River."},
        {"begins": "突然，织女从天", "action": ["飞下来"], "characters": ["织女"], "translation": "Fly."},
        {"begins": "晚上，他们坐在", "time": ["晚上"], "characters": ["牛郎", "织女"]},
    ],
    "characters": [{"name": "牛郎", "clothing": "粗布短衣"}, {"name": "织女", "looks": "长发"}],
}  # fmt: skip


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as found:
        yield found


@pytest.fixture
def studio(tmp_path: Path, service: Service) -> Iterator[Studio]:
    opened = Studio(Settings(studio_home=tmp_path, llm_base_url=service.address, llm_model="qwen-plus"))
    yield opened
    opened.jobs.tickets.close()
    opened.engine.dispose()


def test_a_model_reads_a_story(studio: Studio, service: Service) -> None:
    service.reply = lambda data: ANSWER
    view = studio.stories.new(ANNA, text=TEXT)
    assert [notice.code for notice in view.notices if notice.code.startswith("llm")] == []
    story = view.story
    assert "".join(shot.text for shot in story.shots) == TEXT
    assert [shot.translation for shot in story.shots] == ["River.", "Fly.", ""]
    assert story.shots[1].fields.action == ("飞下来",)
    names = {person.id: person.name for person in story.characters}
    assert [[names[one] for one in shot.characters] for shot in story.shots] == [
        ["牛郎"],
        ["织女"],
        ["牛郎", "织女"],
    ]
    assert "粗布短衣" in view.shots[0].prompt


def test_where_the_model_fails_the_rules_write_and_the_page_says_so(studio: Studio, service: Service) -> None:
    service.how = "500"
    view = studio.stories.new(ANNA, text=TEXT)
    assert "".join(shot.text for shot in view.story.shots) == TEXT
    told = [notice for notice in view.notices if notice.code == "llm_failed_rules_used"]
    assert len(told) == 1
    assert "127.0.0.1" in say(told[0], "zh")
    service.how, service.reply = "good", lambda data: ANSWER
    again = studio.stories.change(ANNA, view.id, "write", text=f"{TEXT}天亮了。")
    assert "llm_failed_rules_used" not in [notice.code for notice in again.notices]
    assert "".join(shot.text for shot in again.story.shots) == f"{TEXT}天亮了。"


def test_a_strangers_story_is_read_by_nobody(studio: Studio, service: Service) -> None:
    view = studio.stories.new(ANNA)
    with pytest.raises(Exception, match="not_yours"):
        studio.stories.change(Visitor(owner="ben", admin=False), view.id, "write", text=TEXT)
    assert service.asked == []


def test_missing_translations_are_written_by_the_model(studio: Studio, service: Service) -> None:
    service.reply = lambda data: ANSWER
    view = studio.stories.new(ANNA, text=TEXT)
    studio.stories.change(ANNA, view.id, "update_shot", shot_id=view.shots[0].shot.id, translation="Mine.")
    service.reply = lambda data: {"texts": [f"At night they watch {n}." for n, _ in enumerate(data["texts"])]}
    done = studio.stories.change(ANNA, view.id, "translate")
    assert [shot.shot.translation for shot in done.shots] == ["Mine.", "Fly.", "At night they watch 0."]
    assert service.asked[-1].data["texts"] == [view.shots[2].shot.text], "what is there is not asked for"
    service.how = "500"
    studio.stories.change(ANNA, view.id, "update_shot", shot_id=view.shots[1].shot.id, translation="")
    with pytest.raises(Refused, match="llm_"):
        studio.stories.change(ANNA, view.id, "translate")
    assert studio.stories.get(ANNA, view.id).shots[0].shot.translation == "Mine."


def test_a_translation_that_lost_a_variable_is_left_out(studio: Studio, service: Service) -> None:
    service.how = "500"
    view = studio.stories.new(ANNA, text="1. {child}住在海边。\n2. 晚上，{child}看见一条龙。")
    service.how = "good"
    service.reply = lambda data: {"texts": ["{child} lives by the sea.", "At night she sees a dragon."]}
    done = studio.stories.change(ANNA, view.id, "translate")
    assert [shot.shot.translation for shot in done.shots] == ["{child} lives by the sea.", ""]
