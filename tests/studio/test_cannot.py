"""What would certainly fail is refused before it is queued: Compare, Story, Retry and edits, as on Create."""

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

import pytest

from pipelines.request import GenerationRequest, Notice
from studio.core import Refused, Studio
from studio.edits.plan import EditPlan
from studio.grid_plan import GridPlan, read_lines
from studio.library import Asset
from studio.settings import Settings
from studio.ui import compare, compare_form, unable
from studio.ui.context import Page
from studio.ui.story import shown
from tests.story.kit import ANNA, TEXT, make_clip

AWAY, CLOUD = "wan2.1-t2v-1.3b", "wan2.2-t2v-plus"
PLAN = GridPlan(lines=read_lines("a boat\na fox"), settings=({"model": AWAY},), seeds=(7,))


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """One whose only worker is this machine's, without weights and without a key."""
    return Studio(Settings(studio_home=tmp_path / "home"))


def refusal(does: Callable[[], object]) -> Notice:
    with pytest.raises(Refused) as caught:
        does()
    return caught.value.notices[0]


def queued(studio: Studio) -> int:
    return len(studio.jobs.list(states=("queued", "held", "running"), takes=True))


def test_a_comparison_with_a_model_that_is_not_here_queues_nothing_and_says_so(studio: Studio) -> None:
    assert refusal(partial(studio.grids.submit, ANNA, PLAN)).code == "model_missing"
    estimate = studio.grids.estimate(ANNA, PLAN)
    assert (estimate.to_render, estimate.cannot and estimate.cannot.code) == (2, "model_missing")
    assert (queued(studio), studio.grids.list(ANNA)) == (0, [])
    values = compare_form.read({"prompts": "a boat", "model": AWAY})
    told = compare.answer(Page(studio, "en"), ANNA, compare.Message("price", "", "", (), values)).price or ""
    assert "The weights of" in told
    assert 'data-act="to_models"' in told


def test_one_row_with_such_a_model_keeps_the_whole_table_back(studio: Studio) -> None:
    plan = GridPlan(lines=({"prompt": "a boat"}, {"prompt": "a fox", "model": AWAY}), seeds=(7,))
    assert refusal(partial(studio.grids.submit, ANNA, plan)).code == "model_missing"
    assert queued(studio) == 0


def test_a_comparison_of_clips_that_are_there_needs_no_model(studio: Studio) -> None:
    for line in PLAN.lines:
        request, _ = studio._asked(ANNA, {**line, "model": AWAY, "seed": 7})
        make_clip(studio, request)
    before = queued(studio)
    view = studio.grids.view(ANNA, studio.grids.submit(ANNA, PLAN))
    assert [cell.state for cell in view.cells] == ["done", "done"]
    assert queued(studio) == before


@pytest.fixture
def story(studio: Studio) -> str:
    made = studio.stories.new(ANNA, TEXT)
    studio.stories.change(ANNA, made.id, "update_look", model=AWAY)
    studio.stories.change(ANNA, made.id, "approve_all")
    return made.id


def test_a_film_and_a_shot_with_such_a_model_are_refused_and_the_draft_is_not(
    studio: Studio, story: str
) -> None:
    shot = studio.stories.get(ANNA, story).shots[0].shot.id
    assert refusal(partial(studio.stories.film, ANNA, story, "film")).code == "model_missing"
    assert refusal(partial(studio.stories.render_shot, ANNA, story, shot, "film")).code == "model_missing"
    assert queued(studio) == 0
    assert not studio.stories.store.takes(story)
    estimate = studio.stories.estimate(ANNA, story, "film")
    assert estimate.cannot is not None
    assert studio.stories.estimate(ANNA, story, "animatic").cannot is None
    page = Page(studio, "en")
    bar = shown.priced(page, ANNA, studio.stories.get(ANNA, story))
    assert escape(page.say(estimate.cannot)) in bar
    assert bar.count("disabled") == 1
    assert studio.stories.film(ANNA, story, "animatic")


def test_a_table_of_films_with_such_a_model_asks_for_none(studio: Studio, story: str) -> None:
    shot = studio.stories.get(ANNA, story).shots[0].shot.id
    studio.stories.change(ANNA, story, "update_shot", shot_id=shot, prompt="a {colour} deer")
    studio.stories.change(ANNA, story, "approve_all")
    table = "colour\nred\nwhite"
    assert refusal(partial(studio.stories.tables.films, ANNA, story, table, "film")).code == "model_missing"
    assert queued(studio) == 0


@pytest.mark.parametrize(("model", "code"), [(AWAY, "model_missing"), (CLOUD, "cloud_no_key")])
def test_what_failed_for_want_of_its_model_is_not_queued_again(studio: Studio, model: str, code: str) -> None:
    request = GenerationRequest(prompt="a boat", model=model, seed=1)
    job = studio.jobs.submit(ANNA.owner, {"prompt": "a boat"}, request)
    studio.jobs.cancel(job)
    assert refusal(partial(studio.retry, ANNA, job)).code == code
    assert studio.job(ANNA, job).job.state == "cancelled"


def test_a_grids_retry_is_refused_as_well(studio: Studio) -> None:
    here = Studio(Settings(studio_home=studio.settings.studio_home, local_worker=False))
    grid = here.grids.submit(ANNA, PLAN)
    here.grids.cancel(ANNA, grid)
    assert refusal(partial(studio.grids.retry, ANNA, grid)).code == "model_missing"
    assert queued(studio) == 0
    here.grids.retry(ANNA, grid)
    assert queued(studio) == 2, "another machine may have it"


def test_a_clip_is_not_rendered_anew_by_a_model_that_is_gone(studio: Studio) -> None:
    request = GenerationRequest(prompt="a red boat", model=AWAY, seed=1)
    clip: Asset = make_clip(studio, request)
    before = queued(studio)
    plan = EditPlan(wish="a fox", prompt="a fox", intents=("subject",))
    made = partial(studio.edits.make, ANNA, clip.id, plan.model_dump(mode="json"))
    assert refusal(made).code == "model_missing"
    assert queued(studio) == before


def test_the_way_to_the_models_stands_only_where_it_helps(studio: Studio) -> None:
    page = Page(studio, "zh")
    assert unable.way(page, [Notice("plan_does_not_fit", {})])
    assert unable.way(page, [Notice("cloud_no_key", {})]) == ""
