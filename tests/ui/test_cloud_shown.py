"""The cloud on the page: offered with a key only, its price before the button, its own prompt beside ours."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.cloud_facts import Money
from pipelines.models import MODELS
from pipelines.request import Notice, Progress
from studio.access import Visitor
from studio.claims import Attempt, Claims
from studio.core import Estimate, Studio
from studio.db import writing
from studio.grid_plan import GridPlan, read_lines
from studio.refusal import Refused
from studio.rows import film_take_table, job_table
from studio.settings import Settings
from studio.story.film_plan import key_of
from studio.ui import cloud, compare_form, compare_grid, form, queue, stage
from studio.ui.context import Page
from tests.film_kit import film, shot, submit

ME = Visitor("me", admin=True)
PLUS = {"prompt": "a red boat", "model": "wan2.2-t2v-plus", "size": "832x480"}


def _studio(home: Path, **changes: object) -> Studio:
    return Studio(Settings(studio_home=home, **{"dashscope_api_key": "sk", **changes}))


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(_studio(tmp_path / "home"), "en")


def test_without_a_key_nothing_of_the_cloud_is_offered_or_made(tmp_path: Path) -> None:
    bare = Studio(Settings(studio_home=tmp_path / "home"))
    assert all(spec.cloud is None for spec in bare.models())
    with pytest.raises(Refused) as caught:
        bare.generate(ME, **PLUS)
    assert [notice.code for notice in caught.value.notices] == ["cloud_no_key"]


def test_only_what_the_region_has_is_offered(tmp_path: Path) -> None:
    us = _studio(tmp_path / "us", dashscope_region="us")
    assert [spec.name for spec in us.models() if spec.cloud is not None] == ["wan2.6-t2v-us"]
    with pytest.raises(Refused) as caught:
        us.generate(ME, **PLUS)
    assert [notice.code for notice in caught.value.notices] == ["cloud_region"]


def test_the_price_stands_there_before_the_button_is_pressed(page: Page) -> None:
    found = page.studio.estimate(**PLUS)
    assert (found.paid, found.cost) == (True, Money(pytest.approx(0.70), "CNY"))
    assert "list price 0.70 CNY" in form.price(page, found)
    assert "free" not in form.price(page, found)
    assert "free" in form.price(page, page.studio.estimate(prompt="a boat"))
    assert "names no price" in form.price(page, Estimate(None, 0, 0.0, paid=True))


@pytest.mark.parametrize("model", [name for name, spec in MODELS.items() if spec.cloud is not None])
def test_every_choice_of_a_clouds_model_can_be_made(tmp_path: Path, model: str) -> None:
    page = Page(_studio(tmp_path / "home", dashscope_base_url="http://127.0.0.1:9"), "zh")
    spec, every = MODELS[model], {"prompt": "a boat", "model": model}
    lengths = [value for _, value in form.lengths(page, spec)]
    assert form.default_length(spec) in lengths
    for _, size in form.sizes(spec):
        page.studio.estimate(**every, size=size)
    for seconds in lengths:
        page.studio.estimate(**every, seconds=seconds)
    for _, style in form.styles(page):
        found = page.studio.estimate(**every, style=style, quality="final")
    assert (found.cost is None) == ("cn" not in spec.cloud.tiers[0].price), (
        "the list of the region that is set"
    )


def test_a_comparison_tells_what_its_cells_cost_in_the_cloud(page: Page) -> None:
    lines = ({"prompt": "a boat"}, {"prompt": "a fox"})
    plan = GridPlan(lines=tuple({**PLUS, **line} for line in lines), seeds=(1, 2))
    found = page.studio.grids.estimate(ME, plan)
    assert found.cloud == Money(pytest.approx(2.80), "CNY")
    assert found.price is None
    assert "2.80 CNY" in compare_form.price(page, found)
    mixed = GridPlan(lines=({**PLUS, "prompt": "a boat"}, {"prompt": "a boat", "model": "sketch"}))
    assert page.studio.grids.estimate(ME, mixed).cloud == Money(pytest.approx(0.70), "CNY")


def test_a_cloud_job_waits_in_its_own_line(page: Page) -> None:
    studio = page.studio
    here = [studio.generate(ME, prompt=f"a boat {number}") for number in range(3)]
    there = studio.generate(ME, **PLUS)
    assert studio.jobs.get(there) is not None
    assert studio.job(ME, there).job.kind == "cloud"
    assert [studio.job(ME, job).position for job in (*here, there)] == [0, 1, 2, 0]
    assert studio.jobs.ahead("cloud").jobs == 0, "three are made at once"
    assert studio.jobs.ahead().jobs == 3
    assert len(studio.jobs.tickets.waiting("cloud")) == 1
    studio.pause(ME)
    studio.resume(ME)
    assert len(studio.jobs.tickets.waiting("cloud")) == 2, "one more for what waits"
    studio.cancel(ME, there)
    assert studio.job(ME, there).job.state == "cancelled"


def test_what_the_cloud_made_of_the_prompt_stands_beside_it(page: Page) -> None:
    job_id = page.studio.generate(ME, **PLUS)
    claims_attempt(page.studio, job_id, "A <b>small</b> red boat.")
    view = page.studio.job(ME, job_id)
    html = stage.render(page, view)
    assert "A &lt;b&gt;small&lt;/b&gt; red boat." in html
    assert "What the cloud made of the prompt" in html


def _begun(studio: Studio, *, token: str = "") -> tuple[str, Claims, Attempt]:
    """A job of the cloud in the hands of a living worker, and by what it goes on."""
    job_id, claims = studio.generate(ME, **PLUS), Claims(studio.engine, "w1")
    claims.claim("t1", "cloud")
    attempt = claims.begin(job_id, "t1")
    assert attempt is not None
    studio.jobs.fleet.beat("w1", device="cpu", pid=1, version="1", job_id=None)
    if token:
        assert claims.keep_token(attempt, token, "") == (True, "go")
    return job_id, claims, attempt


def _shown(page: Page, job_id: str) -> tuple[str, str]:
    """What stage and queue say of a job."""
    found = [view for view in page.studio.queue(ME) if view.job.id == job_id]
    return stage.render(page, page.studio.job(ME, job_id)), queue._row(page, ME, found[0])


def test_each_moment_in_the_cloud_has_words_of_its_own(page: Page) -> None:
    job_id, claims, attempt = _begun(page.studio)
    for html in _shown(page, job_id):
        assert "Ordering in the cloud" in html, "at once, before anything is reported"
        assert "model" not in html.partition("Ordering")[0].lower()
    assert claims.keep_token(attempt, "host ?1", "") == (True, "go")
    assert all(
        "Ordering in the cloud" in html and "Cancel this film?" in html for html in _shown(page, job_id)
    )
    assert claims.keep_token(attempt, "host task", "host ?1") == (True, "go")
    asked = "if it has begun there, it goes on and is paid"
    moments = {"waiting": "Asked the cloud", "denoising": "making it", "decoding": "Fetching the clip"}
    for moment, words in moments.items():
        claims.report(attempt, Progress(moment), None, None)  # type: ignore[arg-type]
        for html in _shown(page, job_id):
            assert words in html
            assert (asked in html) == (moment == "waiting")
            assert ("cancel all the same" in html.lower()) == (moment != "waiting")


def test_what_is_ordered_has_no_place_in_the_queue_after_a_restart(page: Page) -> None:
    job_id, claims, _ = _begun(page.studio, token="host task")
    assert claims.give_back("cloud") == 1
    assert page.studio.job(ME, job_id).state == "queued"
    for html in _shown(page, job_id):
        assert "Ordered in the cloud; being fetched" in html
        assert "next" not in html.lower().replace(PLUS["prompt"], "")
    page.studio.cancel(ME, job_id)
    for html in _shown(page, job_id):
        assert "it may be made, and paid, there" in html


def claims_attempt(studio: Studio, job_id: str, actual: str) -> None:
    """As a worker does: claim, begin, report."""
    claims = Claims(studio.engine, "w1")
    assert claims.claim("t1", "cloud") == job_id
    attempt = claims.begin(job_id, "t1")
    assert attempt is not None
    claims.report(attempt, Progress("denoising", actual_prompt=actual), None, None)


def test_a_cancelled_job_says_that_it_is_paid(page: Page) -> None:
    job_id, claims, attempt = _begun(page.studio, token="host task")
    page.studio.cancel(ME, job_id)
    assert claims.stopped(attempt, Notice("cloud_goes_on"))
    assert all("this clip is paid" in html for html in _shown(page, job_id))


def test_fields_that_the_cloud_decides_say_so(page: Page) -> None:
    hints = form.derived(page, MODELS["wan2.2-t2v-plus"], style=None, quality="final", seconds=5)
    assert hints["num_inference_steps"] == "the cloud decides"
    assert hints["num_frames"] == "151"
    assert form.weights_here(page, MODELS["wan2.2-t2v-plus"])
    assert "no GPU needed" in form.model_note(page, MODELS["wan2.2-t2v-plus"])


def test_a_token_is_kept_under_the_fence_and_found_by_whoever_goes_on(page: Page) -> None:
    studio = page.studio
    job_id = studio.generate(ME, **PLUS)
    first, second = Claims(studio.engine, "w1"), Claims(studio.engine, "w2")
    first.claim("t1", "cloud")
    attempt = first.begin(job_id, "t1")
    assert attempt is not None
    assert first.keep_token(attempt, "host ?1", "") == (True, "go")
    # Another worker takes the job over while the first one's order is on its way.
    again = second.begin(job_id, "t1")
    assert again is not None
    assert again.job.resume_token == "host ?1"
    assert first.keep_token(attempt, "host task", "host ?1") == (True, "lost"), "whoever has it now finds it"
    assert second.keep_token(again, "", "host ?1") == (True, "go")
    assert first.keep_token(attempt, "host task", "host ?1") == (False, "lost")
    job = studio.jobs.get(job_id)
    assert job is not None
    assert job.resume_token is None
    assert "host" not in repr(again.job)


def test_cancelling_a_film_tells_of_the_takes_that_the_cloud_makes_all_the_same(page: Page) -> None:
    studio = page.studio
    take_id, _, _ = _begun(studio, token="host task")
    take = studio.job(ME, take_id).job
    assert take.request is not None
    film_id = submit(studio.jobs, film([shot(1, take.request), shot(2)], level="film"), "me")
    assert "Cancel this film?" in cloud.cancel_question(page, studio.job(ME, film_id))
    with writing(studio.engine) as connection:
        taken = {"film_id": film_id, "request_key": key_of(take.request), "job_id": take_id}
        connection.execute(sa.insert(film_take_table).values(**taken))
    asked = cloud.cancel_question(page, studio.job(ME, film_id))
    assert asked.startswith("One of its shots is ordered in the cloud")
    assert "paid" in asked
    studio.jobs.cancel(take_id)
    with writing(studio.engine) as connection:
        connection.execute(sa.update(job_table).where(job_table.c.id == take_id).values(state="done"))
    assert cloud.cancel_question(page, studio.job(ME, film_id)) == "Cancel this film?"


def test_stopping_a_comparison_tells_of_the_cells_that_the_cloud_makes_all_the_same(page: Page) -> None:
    studio, way = page.studio, {name: value for name, value in PLUS.items() if name != "prompt"}
    grid = studio.grids.submit(ME, GridPlan(lines=read_lines("a boat\na fox"), settings=(way,)))

    def asked() -> str:
        return compare_grid.render(page, ME, studio.grids.view(ME, grid))

    assert "Finished clips stay" in asked()
    claims = Claims(studio.engine, "w1")
    job_id = claims.claim("t1", "cloud")
    attempt = claims.begin(job_id or "", "t1")
    assert attempt is not None
    assert claims.keep_token(attempt, "host task", "") == (True, "go")
    assert "One of the clips is ordered in the cloud" in asked()
