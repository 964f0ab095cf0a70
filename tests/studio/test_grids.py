"""Grids: asked for in one go, found by key; stopping and asking again touches nothing others wait for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import db, mosaics
from studio.access import Visitor
from studio.core import Refused, Studio
from studio.grid_plan import GridPlan, read_lines
from studio.settings import Settings
from studio.trust import ledger
from tests.film_kit import film, shot, submit
from tests.postgres import Postgres
from tests.queue_kit import Desk

ANN, BOB, ADMIN = Visitor("ann", False), Visitor("bob", False), Visitor("root", True)
DRAFT = {"quality": "draft", "seconds": 2, "size": "256x256"}
PLAN = GridPlan(lines=read_lines("a boat\na fox"), settings=(DRAFT,), styles=("ink", "neon"), seeds=(7,))


@pytest.fixture(params=["sqlite", "postgres"])
def studio(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Studio]:
    url = ""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.url(server.create(request.getfixturevalue("postgres_template")))
    opened = Studio(Settings(studio_home=tmp_path / "home", database_url=url, access_password="x"))
    yield opened
    opened.jobs.tickets.close()
    opened.engine.dispose()


@pytest.fixture
def desk(studio: Studio) -> Iterator[Desk]:
    """A worker's side of the same studio."""
    opened = Desk(studio.settings)
    yield opened
    opened.close()


def states(studio: Studio, grid: str, visitor: Visitor = ANN) -> list[str]:
    return [cell.state for cell in studio.grids.view(visitor, grid).cells]


def test_cells_are_jobs_in_the_grids_order_and_fill_as_they_finish(studio: Studio, desk: Desk) -> None:
    assert studio.grids.estimate(ANN, PLAN).to_render == 4
    grid = studio.grids.submit(ANN, PLAN)
    assert states(studio, grid) == ["queued"] * 4
    assert studio.queue(ANN) == []  # one line stands for all of them
    (line,) = studio.grids.list(ANN, live=True)
    assert (line.cells, line.done, line.live) == (4, 0, 4)
    first = desk.begin()
    assert first.job.form["prompt"] == "a boat"
    assert first.job.form["style"] == "ink"
    before = studio.grids.view(ANN, grid).mark
    assert desk.publish(first)
    view = studio.grids.view(ANN, grid)
    assert [cell.state for cell in view.cells] == ["done", "queued", "queued", "queued"]
    assert view.mark != before
    assert not view.cells[0].reused
    assert len({cell.request.seed for cell in view.cells}) == 1
    assert [asset.form.get("style") for asset in studio.library(ANN)] == ["ink"]


def test_what_was_rendered_or_is_on_its_way_is_not_made_again(studio: Studio, desk: Desk) -> None:
    first = studio.grids.submit(ANN, PLAN)
    desk.publish(desk.begin())
    more = PLAN.model_copy(update={"styles": ("ink", "neon", "mono")})
    cost = studio.grids.estimate(ANN, more)
    assert (cost.cells, cost.to_render, cost.reused) == (6, 2, 4)
    second = studio.grids.submit(ANN, more)
    view = studio.grids.view(ANN, second)
    assert [cell.reused for cell in view.cells] == [True, True, False, True, True, False]
    assert view.cells[0].state == "done"
    # Nobody else's clips are used.
    assert studio.grids.estimate(BOB, PLAN).reused == 0
    # The first grid stops what only it waits for: that is nothing any more.
    studio.grids.cancel(ANN, first)
    assert "cancelled" not in states(studio, second)
    studio.grids.cancel(ANN, second)
    assert states(studio, second) == ["done", "queued", "cancelled", "queued", "queued", "cancelled"]


def test_a_film_and_a_grid_that_share_a_clip_do_not_stop_each_other(studio: Studio, desk: Desk) -> None:
    grid = studio.grids.submit(ANN, GridPlan(lines=read_lines("a boat"), settings=(DRAFT,), seeds=(7,)))
    (cell,) = studio.grids.view(ANN, grid).cells
    made = submit(studio.jobs, film([shot(1, cell.request)]), "ann")
    claims = desk.claims()
    job_id = claims.claim("film-ticket", "film")
    assert job_id == made
    attempt = claims.begin(job_id, "film-ticket")
    assert attempt is not None
    from studio.film_takes import FilmTakes

    found = FilmTakes(studio.engine, studio.assets, b"key").ask(attempt, [cell.request])
    assert found.new == ()
    studio.grids.cancel(ANN, grid)
    assert states(studio, grid) == ["queued"]
    studio.jobs.cancel(made)
    assert states(studio, grid) == ["queued"]


def test_the_video_of_all_has_a_name_and_the_project_of_its_clips(studio: Studio, desk: Desk) -> None:
    grid = studio.grids.submit(ANN, PLAN)
    for number in range(4):
        assert desk.publish(desk.begin(ticket=f"t{number}"))
    clips = [cell.asset for cell in studio.grids.view(ANN, grid).cells if cell.asset is not None]
    free, strict = (studio.projects.create(ANN, name) for name in ("free", "strict"))
    studio.projects.set_publish(ADMIN, strict.id, "after_review")
    captions = dict.fromkeys(range(4), "x")

    def exported(title: str = "") -> tuple[str, object, str | None]:
        job = desk.job(studio.grids.export(ANN, grid, captions, title=title))
        now = [studio.asset(ANN, clip.id) for clip in clips]
        return job.form["title"], job.form.get("project"), mosaics.ruling(studio.assets, now)

    assert exported() == ("a boat", None, None)
    studio.shelves.move(ANN, [clip.id for clip in clips], free.id)
    assert exported("Harbour · 4") == ("Harbour · 4", free.id, free.id)
    studio.shelves.move(ANN, [clips[0].id], strict.id)
    assert exported() == ("a boat", None, strict.id), "what one of them may not show unseen, none shows"


def test_failed_cells_are_asked_for_again_alone(studio: Studio, desk: Desk) -> None:
    from pipelines.request import Notice

    grid = studio.grids.submit(ANN, PLAN)
    desk.claims().fail(desk.begin(), Notice("model_failed"))
    desk.publish(desk.begin(ticket="t2"))
    assert states(studio, grid) == ["failed", "done", "queued", "queued"]
    with pytest.raises(Refused):
        studio.grids.retry(BOB, grid)
    studio.grids.retry(ANN, grid, 1)  # nothing is wrong with that one
    assert states(studio, grid)[0] == "failed"
    studio.grids.retry(ANN, grid)
    view = studio.grids.view(ANN, grid)
    assert [cell.state for cell in view.cells] == ["queued", "done", "queued", "queued"]
    # A clip whose file is lost is told so, and made again when somebody asks.
    asset = view.cells[1].asset
    assert asset is not None
    studio.library_file(asset).unlink()
    assert states(studio, grid)[1] == "gone"
    studio.grids.retry(ANN, grid, 1)
    assert states(studio, grid)[1] == "queued"


def test_one_wrong_line_or_word_queues_nothing(studio: Studio) -> None:
    wrong = PLAN.model_copy(update={"lines": ({"prompt": "a boat"}, {"prompt": "a fox", "size": "9x9"})})
    with pytest.raises(Refused) as refused:
        studio.grids.submit(ANN, wrong)
    assert refused.value.notices[0].values["line"] == 2
    with pytest.raises(Refused) as refused:
        studio.grids.submit(ANN, PLAN.model_copy(update={"lines": read_lines("a boat\nchild porn")}))
    assert refused.value.notices[0].code.startswith("trust_")
    assert studio.grids.list(ANN) == []
    assert studio.jobs.list(takes=True) == []


def test_what_is_wrong_with_a_line_is_told_with_its_row(studio: Studio) -> None:
    lines = ({"prompt": "a boat"}, {"prompt": "a fox", "style": "no-such"})
    for where, told in (((), ("grid_line", 2)), ((("row", 2), ("row", 5)), ("grid_row", 5))):
        with pytest.raises(Refused) as refused:
            studio.grids.estimate(ANN, GridPlan(lines=lines, settings=(DRAFT,), seeds=(7,), where=where))
        (notice,) = refused.value.notices
        assert (notice.code, notice.values["line"]) == told


def test_words_that_a_person_must_look_at_hold_their_own_cells_only(studio: Studio) -> None:
    rules = studio.reviews.policy().model_copy(update={"names": ("Jay Chou",)})
    studio.reviews.set_policy(ADMIN, rules.model_dump(mode="json"), reason="")
    plan = PLAN.model_copy(update={"lines": read_lines("a boat\nJay Chou at sea")})
    grid = studio.grids.submit(ANN, plan)
    assert states(studio, grid) == ["queued", "queued", "held", "held"]
    with db.reading(studio.engine) as connection:
        cells = studio.grids.view(ANN, grid).cells
        events = [ledger.of_subject(connection, cell.job.id)[0].event for cell in cells if cell.job]
    assert events == ["created", "created", "held", "held"]


def test_who_holds_the_link_looks_and_only_the_owner_changes(studio: Studio, desk: Desk) -> None:
    grid = studio.grids.submit(ANN, PLAN)
    assert not studio.grids.view(BOB, grid).may_change
    for does in (studio.grids.cancel, studio.grids.delete, studio.grids.retry, studio.grids.to_front):
        with pytest.raises(Refused):
            does(BOB, grid)
    other = studio.jobs.submit("bob", {"prompt": "x"}, studio.grids.view(ANN, grid).cells[0].request)
    studio.grids.to_front(ADMIN, grid)
    assert studio.jobs.position(other) == 4
    desk.publish(desk.begin())
    asset = studio.grids.view(ANN, grid).cells[0].asset
    assert asset is not None
    with db.writing(studio.engine) as connection:
        studio.assets.stand(connection, asset.id, "rejected")
    cell = studio.grids.view(BOB, grid).cells[0]
    assert (cell.state, cell.asset) == ("rejected", None)
    studio.grids.delete(ANN, grid)
    with pytest.raises(Refused):
        studio.grids.view(ANN, grid)
    assert [job.state for job in studio.jobs.list(owner="ann", takes=True)].count("cancelled") == 3
