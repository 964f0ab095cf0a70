"""An open story is live: a light mark says that it changed, and nobody's text is lost in silence."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from studio import db
from studio.core import Studio
from studio.story_pulse import pulse
from studio.ui.context import Page
from studio.ui.story import message
from studio.ui.story.desk import StoryDesk
from studio.ui.story.message import Message
from tests.story.kit import set_state
from tests.ui.story_kit import GUEST, ME, told


def mark(studio: Studio, story_id: str) -> str:
    found = pulse(studio.engine, story_id)
    assert found is not None
    return found.mark


def ack(page: Page, act: str, story: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        StoryDesk(page).answer(ME, Message(act=act, story=story, **more))["ack"]
    )
    return found


def test_the_mark_changes_with_edits_films_and_takes_and_with_nothing_else(studio: Studio) -> None:
    view, other = told(studio), told(studio)
    seen = [mark(studio, view.id)]
    studio.stories.change(ME, view.id, "set_title", title="elsewhere")
    seen.append(mark(studio, view.id))
    film = studio.stories.film(ME, view.id, "animatic")
    seen.append(mark(studio, view.id))
    for state in ("running", "done"):
        set_state(studio, film, state)
        seen.append(mark(studio, view.id))
    studio.stories.render_shot(ME, view.id, view.shots[0].shot.id, "animatic", another=True)
    seen.append(mark(studio, view.id))
    assert len(set(seen)) == len(seen)
    studio.stories.film(ME, other.id, "animatic")
    studio.stories.get(GUEST, view.id)
    assert mark(studio, view.id) == seen[-1]
    assert pulse(studio.engine, "nothing") is None


def test_the_mark_is_read_by_indexes(studio: Studio) -> None:
    asked: list[str] = []
    sa.event.listen(studio.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    pulse(studio.engine, "s")
    (query,) = [statement for statement in asked if statement.startswith("SELECT")]
    with db.reading(studio.engine) as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", ("s",) * query.count("?")).all()
    read_whole = {f"SCAN {table}" for table in ("job", "story", "take")}
    assert read_whole.isdisjoint(row.detail for row in rows)
    assert any("INDEX job_by_story" in row.detail for row in rows)


def test_every_answer_says_what_the_page_shows(page: Page, studio: Studio) -> None:
    view = told(studio)
    assert ack(page, "refresh", view.id)["mark"] == mark(studio, view.id)
    values = {"title": "mine"}
    changed = ack(page, "change", view.id, edit="set_title", values=values)
    assert changed["mark"] == mark(studio, view.id)
    studio.stories.change(ME, view.id, "set_title", title="elsewhere")
    assert changed["mark"] != mark(studio, view.id)


def test_a_page_that_sees_somebody_elses_film_follows_it(page: Page, studio: Studio) -> None:
    view, desk = told(studio), StoryDesk(page)
    live = Message(act="refresh", key="live", story=view.id)
    assert not desk.answer(GUEST, live)["follow"]
    studio.stories.film(ME, view.id, "animatic")
    assert desk.answer(GUEST, live)["follow"]
    # Who follows already is not sent round again at each picture.
    assert not desk.answer(GUEST, Message(act="refresh", story=view.id))["follow"]
    assert desk.answer(GUEST, Message(act="follow", story=view.id))["follow"]


@pytest.mark.parametrize(
    ("was", "sent", "words"),
    [
        ("A boy lives by the sea.", "A girl lives by the sea.", "A dog lives"),
        (None, "A girl lives by the sea.", ""),
        ("A dog lives by the sea.", "A girl lives by the sea.", ""),
        ("A boy lives by the sea.", "A dog  lives by the sea. ", ""),
    ],
)
def test_a_text_that_gives_way_is_told(
    was: str | None, sent: str, words: str, page: Page, studio: Studio
) -> None:
    view = told(studio)
    shot = view.shots[0].shot.id
    studio.stories.change(ME, view.id, "update_shot", shot_id=shot, text="A dog lives by the sea.")
    values = {"shot_id": shot, "text": sent}
    answer = ack(page, "change", view.id, edit="update_shot", values=values, was=was)
    assert (words in answer["theirs"]) if words else answer["theirs"] == ""
    assert studio.stories.get(ME, view.id).shots[0].shot.text == sent


@pytest.mark.parametrize(
    ("edit", "values"),
    [
        ("set_title", {"title": "mine"}),
        ("update_look", {"palette": "mine"}),
        ("set_variable", {"name": "hero", "value": "mine"}),
        ("set_character", {"id": "p", "looks": "mine"}),
    ],
)
def test_other_fields_are_told_too(edit: str, values: dict[str, Any], page: Page, studio: Studio) -> None:
    view = told(studio)
    if "id" in values:
        made = studio.stories.change(ME, view.id, "set_character", name="Mia")
        values = {**values, "id": made.story.characters[0].id}
    theirs: Any = {name: "of somebody else" if text == "mine" else text for name, text in values.items()}
    studio.stories.change(ME, view.id, edit, **theirs)
    answer = ack(page, "change", view.id, edit=edit, values=values, was="as it was")
    assert "of somebody else" in answer["theirs"]


@pytest.mark.parametrize(
    "values", [{}, {"__class__": "x"}, {"model_fields": "x"}, {"shot_id": 5, "text": "x"}, {"shots": "x"}]
)
def test_a_hostile_message_learns_nothing_by_it(values: dict[str, Any], page: Page, studio: Studio) -> None:
    view = told(studio)
    for edit in ("update_shot", "set_title", "update_look", "set_character", "nothing"):
        answer = ack(page, "change", view.id, edit=edit, values=values, was="x")
        assert answer["theirs"] == ""
    event: Any = SimpleNamespace(_data={"act": "change", "was": ["x"]})
    assert message.read(event).was is None
