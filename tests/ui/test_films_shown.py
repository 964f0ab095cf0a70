"""Films among clips: in the queue, the library, on the stage, in a file that is dropped on Create."""

from dataclasses import replace

import pytest

from pipelines.request import Notice
from studio.access import Visitor
from studio.core import Refused
from studio.jobs import Job, JobProgress
from studio.library import Asset
from studio.ui import library, library_panel, queue, stage, takes
from studio.ui.context import Page
from studio.views import JobView
from studio.web import attachment
from tests.film_kit import plan
from tests.ui.kit import NOW, asset, job
from tests.ui.test_stage import Tags

FILM = plan("a boat", "a kite", title='牛郎 <b onerror="x">织女</b>')


def _job(state: str = "queued", **changes: object) -> Job:
    made = job(state, kind="film", request=None, plan=FILM, form={"story": "s"}, story_id="story")
    return replace(made, **changes)  # type: ignore[arg-type]


def _asset() -> Asset:
    return asset(kind="film", title=FILM.title, request=None, plan=FILM, form={}, seconds=83.4, fps=24)


def _view(state: str, **changes: object) -> JobView:
    made = JobView(_job(state), None, None, None, _asset() if state == "done" else None, may_change=True)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_queue_shows_a_film_as_one_row(page: Page, visitor: Visitor) -> None:
    page.studio.jobs.submit_film("me", {}, FILM)
    html = queue.render(page, visitor)
    tags = Tags(html)
    assert FILM.title in tags.text
    assert page.t("film_of", count=2) in tags.text
    assert "b" not in [name for name, _ in tags.tags]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (("takes", 3, 5), "3 of 5 shots made"),
        (("voice", 1, 5), "Reading the narration"),
        (("cutting", 45, 100), "45%"),
    ],
)
def test_a_films_progress_is_said_in_its_own_words(
    page: Page, made: tuple[str, int, int], words: str
) -> None:
    progress = JobProgress(*made, eta=None, preview_version=0, attempt=1, updated=NOW)
    view = _view("running", progress=progress)
    assert words in Tags(stage.render(page, view)).text
    assert words in queue._state(page, view)


@pytest.mark.parametrize("state", ["queued", "running", "done", "failed", "cancelled"])
def test_the_stage_shows_a_film_in_every_state(page: Page, state: str) -> None:
    tags = Tags(stage.render(page, _view(state)))
    assert FILM.title in tags.text
    assert {"again", "use"}.isdisjoint(tags.ids()), "another one like it is asked for in its story"


def test_what_is_to_be_said_about_a_film_stands_below_it(page: Page) -> None:
    view = _view("done")
    told = replace(view, job=replace(view.job, notices=(Notice("shot_looped", {"number": 2}),)))
    assert page.say(Notice("shot_looped", {"number": 2})) in Tags(stage.render(page, told)).text


def test_a_film_whose_shot_failed_says_which_and_why(page: Page) -> None:
    reason = Notice("worker_died", {"attempts": 3})
    error = Notice("shot_failed", {"number": 2, "reason": reason})
    view = _view("failed")
    text = Tags(stage.render(page, replace(view, job=replace(view.job, error=error)))).text
    assert "Shot 2 could not be made: The worker stopped 3 times" in text


def test_the_library_shows_films_with_their_length(page: Page, visitor: Visitor) -> None:
    page.studio.assets.add(_asset())
    wall = library.answer(page, visitor, library.Message()).feed
    assert wall is not None
    assert f"{page.t('film')} 1:23" in Tags(wall).text
    panel = Tags(library_panel.render(page, visitor, "asset_1"))
    assert FILM.title in panel.text
    assert "use_recipe" not in panel.ids()
    assert FILM.title in takes.strip(page, visitor, "").replace("&lt;", "<").replace("&gt;", ">").replace(
        "&quot;", '"'
    )
    assert "%E7%89%9B%E9%83%8E" in attachment(_asset())


def test_a_film_is_not_made_again_from_its_form(page: Page, visitor: Visitor) -> None:
    film_id = page.studio.jobs.submit_film("me", {}, FILM)
    with pytest.raises(Refused) as refused:
        page.studio.again(visitor, film_id)
    assert refused.value.notices == [Notice("is_film")]
