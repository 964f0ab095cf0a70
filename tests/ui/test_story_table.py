"""Many films of one story: the table is checked before anything is asked for; what waits can be cancelled."""

import json
import zlib
from typing import Any

import pytest

from studio.core import Refused, Studio
from studio.stories import StoryView
from studio.table_routes import checked
from studio.ui.context import Page
from studio.ui.story import shown
from studio.ui.story.desk import MANY_FILMS, StoryDesk
from studio.ui.story.message import Here, Message
from tests.story.kit import set_state
from tests.ui.story_kit import GUEST, ME, told
from tests.ui.test_stage import Tags

TABLE = "child\n" + "\n".join(f"Mia {n}" for n in range(MANY_FILMS + 1))


@pytest.fixture
def view(studio: Studio) -> StoryView:
    return told(studio, "1. {child} lives by the sea.\n2. At night {child} sees a red dragon.")


def send(page: Page, story: str, act: str, **values: Any) -> dict[str, Any]:
    answer = StoryDesk(page).answer(ME, Message(act=act, story=story, values=values))
    found: dict[str, Any] = json.loads(answer["ack"])
    return found


def test_a_file_is_checked_and_no_film_is_asked_for(studio: Studio, view: StoryView) -> None:
    found = checked(studio, ME, view.id, "child\nMia\nTom\n".encode("utf-16"), "en")
    assert found["text"] == "child\nMia\nTom\n"
    assert str(found["told"]).startswith("2 rows, ready · ")
    assert studio.stories.films(ME, view.id) == []
    studio.stories.change(ME, view.id, "approve_all", yes=True)
    assert "films" in str(checked(studio, ME, view.id, b"child\nMia", "en")["told"])


def test_a_table_with_a_mistake_can_be_put_right_where_it_stands(studio: Studio, view: StoryView) -> None:
    found = checked(studio, ME, view.id, b"who\nMia", "en")
    assert found["text"] == "who\nMia"
    assert "who" in str(found["wrong"])


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"PK\x03\x04\x14\x00\x06\x00",
        zlib.compress(bytes(range(256)) * 40),
        b"child\n" + b"\xff\xff\xff",
        b"\xff\xfe\x00",
    ],
)
def test_a_file_that_is_no_text_is_a_sentence(body: bytes, studio: Studio, view: StoryView) -> None:
    with pytest.raises(Refused, match="table_bad"):
        checked(studio, ME, view.id, body, "en")


def test_only_the_owner_has_a_table_checked(studio: Studio, view: StoryView) -> None:
    with pytest.raises(Refused, match="not_yours"):
        checked(studio, GUEST, view.id, b"child\nMia", "en")
    with pytest.raises(Refused, match="not_yours"):
        studio.stories.tables.cancel_waiting(GUEST, view.id)


def test_many_films_are_asked_for_only_after_a_question(page: Page, studio: Studio, view: StoryView) -> None:
    asked = send(page, view.id, "table", text=TABLE, level="animatic")
    assert asked["question"].startswith(f"Ask for {MANY_FILMS + 1} films?")
    assert studio.stories.films(ME, view.id) == []
    again = send(page, view.id, "table", text=TABLE + "\nTom", level="animatic", agreed=asked["agreed"])
    assert again["question"], "what was agreed to was another table"
    done = send(page, view.id, "table", text=TABLE, level="animatic", agreed=asked["agreed"])
    assert not done["question"]
    assert len(studio.stories.films(ME, view.id)) == MANY_FILMS + 1


def test_all_that_waits_is_cancelled_and_what_is_made_goes_on(
    page: Page, studio: Studio, view: StoryView
) -> None:
    jobs = studio.stories.tables.films(ME, view.id, TABLE, "animatic")
    set_state(studio, jobs[0], "running", worker="w")
    html = shown.filmed(page, ME, studio.stories.get(ME, view.id))
    asks = next(attrs for _, attrs in Tags(html).tags if attrs.get("id") == "story_cancel_waiting")
    assert str(MANY_FILMS) in asks["data-confirm"]
    assert str(MANY_FILMS) in send(page, view.id, "cancel_waiting")["told"]
    states = {film.job.id: film.job.state for film in studio.stories.films(ME, view.id)}
    assert states.pop(jobs[0]) == "running"
    assert set(states.values()) == {"cancelled"}
    html = shown.filmed(page, ME, studio.stories.get(ME, view.id))
    assert "story_cancel_waiting" not in Tags(html).ids()


def test_a_film_is_called_by_its_row_first_and_those_not_listed_are_counted(
    page: Page, studio: Studio, view: StoryView
) -> None:
    studio.stories.change(ME, view.id, "set_title", title="By the sea")
    table = "child\n" + "\n".join(f"Mia {n}" for n in range(shown.FILMS + 3))
    studio.stories.tables.films(ME, view.id, table, "animatic")
    html = shown.filmed(page, ME, studio.stories.get(ME, view.id))
    assert f"<b>Mia {shown.FILMS + 2} · By the sea</b>" in html
    assert page.t("story_films_more", count=3) in html
    studio.stories.change(ME, view.id, "set_title", title="{child} by the sea")
    studio.stories.tables.films(ME, view.id, "child\nAnna\nTom", "animatic")
    html = shown.filmed(page, ME, studio.stories.get(ME, view.id))
    assert "<b>Anna by the sea</b>" in html


def test_the_question_before_a_story_is_deleted_tells_of_its_films(
    page: Page, studio: Studio, view: StoryView
) -> None:
    html = shown.areas(page, ME, view, Here())["head"]
    asks = next(attrs for _, attrs in Tags(html).tags if attrs.get("id") == "story_delete")
    assert "cancelled" in asks["data-confirm"]


def test_films_stand_below_the_stage_whatever_part_is_open(
    page: Page, studio: Studio, view: StoryView
) -> None:
    studio.stories.tables.films(ME, view.id, "child\nAnna\nTom", "animatic")
    for section in ("shots", "cast", "film", "text"):
        areas = shown.areas(page, ME, studio.stories.get(ME, view.id), Here(section=section))
        assert page.t("story_films") in areas["films"]
        assert page.t("story_films") not in areas["board"]
    assert shown.areas(page, GUEST, studio.stories.get(GUEST, view.id), Here())["films"] == ""


def test_the_only_film_is_not_listed_below_itself(page: Page, studio: Studio, view: StoryView) -> None:
    studio.stories.change(ME, view.id, "set_variable", name="child", value="Mia")
    studio.stories.film(ME, view.id, "animatic")
    assert shown.filmed(page, ME, studio.stories.get(ME, view.id)) == ""
