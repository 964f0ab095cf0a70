"""Messages from a browser are never trusted; answers say what changed, what was refused, what comes back."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from studio.core import Studio
from studio.story.examples import story_examples
from studio.story.types import Story
from studio.ui.context import Page
from studio.ui.story import message
from studio.ui.story.desk import StoryDesk
from studio.ui.story.message import Here, Message
from studio.ui.story.undo import Before, Undo
from tests.ui.story_kit import GUEST, ME, TEXT, told


def event(data: Any) -> Any:
    return SimpleNamespace(_data=data)


@pytest.fixture
def desk(page: Page) -> StoryDesk:
    return StoryDesk(page)


def ack(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer["ack"])
    return found


def send(desk: StoryDesk, act: str, visitor: Any = ME, **more: Any) -> dict[str, Any]:
    return desk.answer(visitor, Message(act=act, **more))


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "act",
        {},
        {"act": 5, "values": []},
        {"act": ["change"], "edit": {}, "number": True, "revision": "7", "story": 9, "section": "<b>"},
        {"act": "change", "values": {"revision": 1, "a b": 2, 5: 3, "shot_id": {"x": 1}, "text": ["x"]}},
        {"act": "change", "values": {f"v{n}": n for n in range(50)}},
        {"act": "x" * 500, "key": "y" * 500, "open": 3, "pick": 1, "film": None},
    ],
)
def test_any_message_is_read_and_answered(data: Any, desk: StoryDesk) -> None:
    asked = message.read(event(data))
    assert len(asked.act) <= 40
    assert asked.here.section in message.SECTIONS
    assert "revision" not in asked.values
    assert not any(isinstance(value, dict) for value in asked.values.values())
    assert "board" in desk.answer(ME, asked)


def test_a_pasted_text_becomes_a_story(desk: StoryDesk) -> None:
    answer = send(desk, "new", number=3, values={"text": TEXT})
    told = ack(answer)
    assert (told["number"], told["sorry"], told["mine"]) == (3, "", True)
    assert told["story"]
    assert answer["board"].count('class="shot"') == 3
    assert answer["follow"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "paste"), ("   \n", "paste"), ("x" * 50_000, "50000"), ("长" * 50_000, "50000")],
)
def test_a_text_that_will_not_do_is_a_sentence_and_stays(text: str, words: str, desk: StoryDesk) -> None:
    answer = send(desk, "new", values={"text": text})
    assert words in ack(answer)["sorry"].replace(",", "")
    assert 'id="story_sorry"' in answer["board"]
    assert ack(answer)["story"] == ""


def test_an_unknown_story_is_a_sentence_on_the_first_screen(desk: StoryDesk) -> None:
    answer = send(desk, "open_story", key="nothing")
    assert ack(answer)["sorry"]
    assert "story_text" in answer["board"]
    assert answer["head"] == ""


def test_only_the_owner_changes(desk: StoryDesk, studio: Studio) -> None:
    view = told(studio)
    for asked in (
        {"act": "change", "edit": "set_title", "values": {"title": "mine now"}},
        {"act": "film", "key": "animatic"},
        {"act": "shot", "values": {"shot_id": view.shots[0].shot.id, "level": "animatic"}},
        {"act": "delete_story"},
        {"act": "use_asset", "values": {"shot_id": view.shots[0].shot.id, "asset_id": "x"}},
        {"act": "undo"},
    ):
        answer = desk.answer(GUEST, Message(story=view.id, **asked))  # type: ignore[arg-type]
        assert ack(answer)["sorry"], asked
    assert studio.stories.get(ME, view.id).story.title == view.story.title
    assert studio.stories.get(ME, view.id).film is None


def test_an_edit_answers_with_the_new_revision(desk: StoryDesk, studio: Studio) -> None:
    view = told(studio)
    values = {"shot_id": view.shots[0].shot.id, "text": "A girl lives by the sea."}
    answer = send(desk, "change", story=view.id, revision=view.revision, edit="update_shot", values=values)
    assert ack(answer)["revision"] == view.revision + 1
    assert "A girl lives by the sea." in answer["board"]
    assert not answer["follow"]


def test_what_hangs_on_the_order_is_refused_when_that_changed(desk: StoryDesk, studio: Studio) -> None:
    view = told(studio)
    studio.stories.change(ME, view.id, "set_title", title="elsewhere")
    values = {"shot_id": view.shots[0].shot.id, "to": 2}
    answer = send(desk, "change", story=view.id, revision=view.revision, edit="move_shot", values=values)
    assert ack(answer)["sorry"]
    assert ack(answer)["revision"] == view.revision + 1
    typed = {"shot_id": view.shots[0].shot.id, "text": "Typed all the same."}
    answer = send(desk, "change", story=view.id, revision=view.revision, edit="update_shot", values=typed)
    assert not ack(answer)["sorry"]


@pytest.mark.parametrize(
    ("edit", "values"),
    [
        ("nothing", {}),
        ("update_shot", {}),
        ("update_shot", {"shot_id": "nothing", "text": "x"}),
        ("update_shot", {"shot_id": 5}),
        ("update_shot", {"source": "x"}),
        ("update_look", {"logo": "../../etc/passwd"}),
        ("update_look", {"music": "../studio.db"}),
        ("update_look", {"format": "4:3"}),
        ("set_variable", {"name": None, "value": 5}),
        ("move_shot", {"shot_id": "x", "to": "1"}),
        ("choose_take", {"shot_id": "x", "asset_id": "y"}),
        ("set_character", {"id": True}),
    ],
)
def test_an_edit_that_cannot_be_is_a_sentence(
    edit: str, values: dict[str, Any], desk: StoryDesk, studio: Studio
) -> None:
    view = told(studio)
    answer = send(desk, "change", story=view.id, edit=edit, values=values)
    assert ack(answer)["sorry"]
    assert studio.stories.get(ME, view.id).story == view.story


def test_a_new_shot_is_opened(desk: StoryDesk, studio: Studio) -> None:
    view = told(studio)
    after = {"after": view.shots[0].shot.id}
    answer = send(desk, "change", story=view.id, revision=1, edit="add_shot", values=after)
    opened = ack(answer)["open"]
    assert opened == studio.stories.get(ME, view.id).shots[1].shot.id
    assert "shot opened" in answer["board"]


def test_a_deleted_shot_comes_back(desk: StoryDesk, studio: Studio) -> None:
    view = told(studio)
    one = {"shot_id": view.shots[1].shot.id}
    answer = send(desk, "change", story=view.id, revision=1, edit="delete_shot", values=one)
    assert ack(answer)["undo"]
    assert len(studio.stories.get(ME, view.id).shots) == 2
    answer = send(desk, "undo", story=view.id)
    assert studio.stories.get(ME, view.id).story == view.story
    assert send(desk, "undo", story=view.id)["board"]
    assert ack(send(desk, "undo", story=view.id))["sorry"]


def test_undo_forgets_what_was_changed_since() -> None:
    undo = Undo()
    undo.note("s", Before(Story(title="old"), "delete_shot", 2))
    assert undo.last("s", 2) == "delete_shot"
    assert undo.take("s", 3) is None
    found = undo.take("s", 2)
    assert found is not None
    assert found.story.title == "old"
    assert undo.take("s", 2) is None


def test_splitting_the_text_again_keeps_what_stayed(desk: StoryDesk, studio: Studio) -> None:
    view = told(studio)
    text = TEXT.replace("Snow falls.", "Rain falls on the village.")
    here = Here(section="text")
    values = {"text": text}
    answer = send(desk, "change", story=view.id, revision=1, edit="write", values=values, here=here)
    assert ack(answer)["section"] == "shots"
    after = studio.stories.get(ME, view.id)
    assert [shot.shot.id for shot in after.shots[:2]] == [shot.shot.id for shot in view.shots[:2]]


def test_a_film_is_asked_for_once(desk: StoryDesk, studio: Studio) -> None:
    view = told(studio)
    first = send(desk, "film", story=view.id, key="animatic")
    assert first["follow"]
    assert 'data-state="queued"' in first["stage"]
    send(desk, "film", story=view.id, key="animatic")
    assert len(studio.stories.films(ME, view.id)) == 1
    job = studio.stories.get(ME, view.id).film
    assert job is not None
    send(desk, "cancel", story=view.id, key=job.job.id)
    assert 'data-state="cancelled"' in send(desk, "refresh", story=view.id)["stage"]


def test_a_film_before_anything_is_approved_is_a_sentence(desk: StoryDesk, studio: Studio) -> None:
    answer = send(desk, "film", story=told(studio).id, key="film")
    assert ack(answer)["sorry"]


def test_a_story_goes_out_as_json_and_comes_in_again(desk: StoryDesk, studio: Studio) -> None:
    view = told(studio)
    text = studio.stories.export_json(ME, view.id)
    answer = send(desk, "import", visitor=GUEST, values={"text": text})
    again = studio.stories.get(GUEST, ack(answer)["story"])
    assert [shot.shot.text for shot in again.shots] == [shot.shot.text for shot in view.shots]
    assert again.may_change
    assert ack(send(desk, "import", values={"text": '{"studio": 5}'}))["sorry"]


def test_a_table_asks_for_one_film_a_row(desk: StoryDesk, studio: Studio) -> None:
    view = told(studio, "1. {child} lives by the sea.\n2. At night {child} sees a red dragon.")
    table = {"text": "child\nMia\nTom\n", "level": "animatic"}
    answer = send(desk, "table", story=view.id, values=table)
    assert "2" in ack(answer)["told"]
    assert len(studio.stories.films(ME, view.id)) == 2
    assert ack(send(desk, "table", story=view.id, values={"text": "who\nMia", "level": "film"}))["sorry"]


def test_a_deleted_story_leaves_the_first_screen(desk: StoryDesk, studio: Studio) -> None:
    view = told(studio)
    answer = send(desk, "delete_story", story=view.id)
    assert ack(answer)["story"] == ""
    assert "story_text" in answer["board"]
    assert studio.stories.list(ME) == []


@pytest.mark.parametrize("name", [example.name for example in story_examples()])
def test_an_example_is_a_story_of_ones_own(name: str, desk: StoryDesk, studio: Studio) -> None:
    told = ack(send(desk, "example", key=name))
    assert studio.stories.get(ME, told["story"]).may_change
    assert ack(send(desk, "example", key="../../x"))["sorry"]
