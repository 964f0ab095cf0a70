"""The stories' door: rights, revisions, estimates, films, tables."""

import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from studio.core import Studio
from studio.story.examples import story_examples
from studio.story.film_plan import key_of
from studio.views import Refused
from tests.story.kit import ADMIN, ANNA, BEN, finish, listed, new, requests_of, states


def test_whoever_holds_the_id_may_look_and_only_the_owner_or_an_admin_may_change(studio: Studio) -> None:
    view = new(studio)
    shot = view.shots[0].shot.id
    seen = studio.stories.get(BEN, view.id)
    assert (view.may_change, seen.may_change) == (True, False)
    assert seen.story == view.story
    tries: list[Any] = [
        lambda: studio.stories.change(BEN, view.id, "set_title", title="mine"),
        lambda: studio.stories.film(BEN, view.id, "animatic"),
        lambda: studio.stories.render_shot(BEN, view.id, shot, "animatic"),
        lambda: studio.stories.tables.films(BEN, view.id, "a\nb", "animatic"),
        lambda: studio.stories.attach(BEN, view.id, "logo", Path("x"), "x"),
        lambda: studio.stories.delete(BEN, view.id),
    ]
    for attempt in tries:
        with pytest.raises(Refused, match="not_yours"):
            attempt()
    assert studio.stories.estimate(BEN, view.id, "animatic").shots == 4
    assert studio.stories.change(ADMIN, view.id, "set_title", title="x").story.title == "x"
    assert [line.id for line in studio.stories.list(ANNA)] == [view.id]
    assert studio.stories.list(BEN) == []
    assert len(studio.stories.list(ADMIN)) == 1


def test_an_unknown_story_is_said(studio: Studio) -> None:
    tries: list[Any] = [
        lambda: studio.stories.get(ANNA, "nothing"),
        lambda: studio.stories.films(ANNA, "nothing"),
        lambda: studio.stories.export_json(ANNA, "nothing"),
        lambda: studio.stories.duplicate(ANNA, "nothing"),
        lambda: studio.stories.storyboard(ANNA, "nothing", "http://x"),
        lambda: studio.stories.delete(ANNA, "nothing"),
    ]
    for attempt in tries:
        with pytest.raises(Refused, match="story_unknown"):
            attempt()


def test_an_edit_of_an_older_revision_is_refused_and_changes_nothing(studio: Studio) -> None:
    view = new(studio)
    second = studio.stories.change(ANNA, view.id, "set_title", revision=view.revision, title="two")
    assert second.revision == view.revision + 1
    with pytest.raises(Refused, match="story_changed"):
        studio.stories.change(ANNA, view.id, "set_title", revision=view.revision, title="three")
    assert studio.stories.get(ANNA, view.id).story.title == "two"


def test_edits_at_the_same_moment_all_arrive(studio: Studio) -> None:
    view = new(studio)
    ids = [shot.shot.id for shot in view.shots]

    def write(shot_id: str) -> None:
        studio.stories.change(ANNA, view.id, "update_shot", shot_id=shot_id, translation=shot_id)

    threads = [threading.Thread(target=write, args=(shot_id,)) for shot_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = studio.stories.get(ANNA, view.id)
    assert [shot.shot.translation for shot in found.shots] == ids


def test_an_edit_that_changes_nothing_is_no_revision(studio: Studio) -> None:
    view = new(studio)
    assert studio.stories.change(ANNA, view.id, "set_title", title=view.story.title).revision == view.revision


def test_a_wrong_edit_is_refused_in_words_and_changes_nothing(studio: Studio) -> None:
    view = new(studio)
    for edit, values, code in (
        ("fly", {}, "edit_unknown"),
        ("delete_shot", {"shot_id": "nobody"}, "shot_unknown"),
        ("update_look", {"logo": "../../secret.key"}, "story_file_gone"),
        ("update_look", {"logo": f"stories/{view.id}/../../secret.key"}, "story_file_gone"),
        ("update_look", {"music": "/etc/passwd"}, "story_file_gone"),
        ("choose_take", {"shot_id": view.shots[0].shot.id, "asset_id": "nothing"}, "asset_unknown"),
    ):
        with pytest.raises(Refused, match=code):
            studio.stories.change(ANNA, view.id, edit, **values)
    assert studio.stories.get(ANNA, view.id).revision == view.revision


@pytest.mark.parametrize(
    ("text", "code"), [("", ""), ("很" * 50_000, "story_too_long"), ("  ", "story_empty")]
)
def test_a_text_that_is_no_story_is_refused_and_nothing_is_kept(studio: Studio, text: str, code: str) -> None:
    if not code:
        assert studio.stories.new(ANNA, text).shots == ()
        return
    with pytest.raises(Refused, match=code):
        studio.stories.new(ANNA, text)
    assert studio.stories.list(ANNA) == []


def test_what_splitting_found_odd_is_told_once(studio: Studio) -> None:
    abstract = "Freedom is the meaning of hope. Truth matters."
    view = new(studio, abstract)
    assert "story_abstract" in [notice.code for notice in view.notices]
    assert "story_abstract" not in [notice.code for notice in studio.stories.get(ANNA, view.id).notices]


def test_an_estimate_tells_takes_times_and_a_price_if_one_is_set(studio: Studio) -> None:
    view = new(studio)
    unknown = studio.stories.estimate(ANNA, view.id, "animatic")
    assert (unknown.shots, unknown.to_render, unknown.seconds, unknown.price) == (4, 4, None, None)
    assert 8 < unknown.film_seconds < 40
    finish(studio, studio.stories.film(ANNA, view.id, "animatic"))
    known = studio.stories.estimate(ANNA, view.id, "animatic")
    assert (known.to_render, known.gpu_seconds) == (0, 0.0)
    assert known.seconds is not None
    studio.stories.change(ANNA, view.id, "update_look", seed=1)
    studio.stories.settings = studio.settings.model_copy(
        update={"price_per_gpu_hour": 36.0, "currency": "CNY"}
    )
    again = studio.stories.estimate(ANNA, view.id, "animatic")
    assert again.gpu_seconds is not None
    assert again.gpu_seconds > 0
    assert again.price == pytest.approx(again.gpu_seconds / 100)
    assert again.currency == "CNY"


def test_a_story_of_24_shots_is_read_with_a_handful_of_queries(studio: Studio) -> None:
    days = (f"第{n}天，一只白色的鹿站在{place}里。" for n in range(1, 13) for place in ("森林", "沙漠"))
    view = new(studio, listed(*days))
    assert len(view.shots) == 24
    finish(studio, studio.stories.film(ANNA, view.id, "animatic"))
    studio.stories.get(ANNA, view.id)
    count = 0

    def counted(*_: Any) -> None:
        nonlocal count
        count += 1

    sa.event.listen(studio.engine, "before_cursor_execute", counted)
    seen = studio.stories.get(ANNA, view.id)
    assert states(seen) == ["draft"] * 24
    assert count <= 14


def test_a_table_makes_one_film_a_row_and_shares_what_is_alike(studio: Studio) -> None:
    text = listed("{hero}走进森林。", "一只白色的鹿站在雪地里。", "夜晚，{hero}走上高山。")
    view = new(studio, text)
    codes = [notice.code for notice in view.notices]
    assert "variable_unset" in codes
    with pytest.raises(Refused, match="variable_unset"):
        studio.stories.film(ANNA, view.id, "animatic")
    jobs = studio.stories.tables.films(ANNA, view.id, "hero\n小雨\nAnna\n小明", "animatic")
    assert len(jobs) == 3
    used = {key_of(request) for job in jobs for request in requests_of(studio, job)}
    assert len(used) == 3 * 2 + 1
    found = studio.stories.films(ANNA, view.id)
    assert {view.job.id for view in found} == set(jobs)
    titles = [view.job.plan.title for view in found if view.job.plan]
    assert len(set(titles)) == 3
    assert studio.stories.get(ANNA, view.id).film is None, "none of them is the story's own film"
    with pytest.raises(Refused, match="table_cell_long"):
        studio.stories.tables.films(ANNA, view.id, "hero\n小雨\n" + "x" * 201, "animatic")
    assert len(studio.stories.films(ANNA, view.id)) == 3


def test_deleting_a_story_stops_its_films_and_keeps_what_is_finished(studio: Studio) -> None:
    view = new(studio)
    done = studio.stories.film(ANNA, view.id, "animatic")
    assets = finish(studio, done)
    studio.stories.change(ANNA, view.id, "update_look", music="calm")
    waiting = studio.stories.film(ANNA, view.id, "animatic")
    assert waiting != done
    studio.stories.delete(ANNA, view.id)
    stopped = studio.jobs.get(waiting)
    assert stopped is not None
    assert stopped.state == "cancelled"
    assert all(studio.asset(ANNA, asset) for asset in assets)
    with pytest.raises(Refused, match="story_unknown"):
        studio.stories.get(ANNA, view.id)


def test_a_story_goes_out_and_comes_in_as_somebody_elses(studio: Studio) -> None:
    view = new(studio)
    text = studio.stories.export_json(BEN, view.id)
    back = studio.stories.import_json(BEN, text)
    assert back.may_change
    assert back.id != view.id
    assert back.story == view.story
    with pytest.raises(Refused, match="story_file_bad"):
        studio.stories.import_json(BEN, "{")
    assert len(studio.stories.list(BEN)) == 1


@pytest.mark.parametrize("example", [example.name for example in story_examples()])
def test_an_example_opens_and_can_be_filmed(studio: Studio, example: str) -> None:
    view = studio.stories.new(ANNA, example=example)
    assert studio.stories.estimate(ANNA, view.id, "animatic").to_render >= 5
    assert [notice for shot in view.shots for notice in shot.notices] == []


def test_an_unknown_example_is_said(studio: Studio) -> None:
    with pytest.raises(Refused, match="example_unknown"):
        studio.stories.new(ANNA, example="nothing")


def test_the_storyboard_leads_to_the_story(studio: Studio) -> None:
    view = studio.stories.new(ANNA, example=story_examples()[0].name)
    finish(studio, studio.stories.film(ANNA, view.id, "animatic"))
    sheet = studio.stories.storyboard(ANNA, view.id, "https://studio.example/")
    assert sheet.count("<li>") == len(view.shots)
    assert sheet.count("data:image/webp") == len(view.shots)
    assert "Niulang" in sheet
