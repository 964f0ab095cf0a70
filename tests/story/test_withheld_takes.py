"""Takes and films that wait for a person or may not be used: what their story says of them."""

from pathlib import Path

import pytest

from pipelines.request import Notice
from studio import db
from studio.core import Studio
from studio.library import Standing
from studio.settings import Settings
from studio.story_pulse import pulse
from studio.ui.context import Page
from studio.ui.story import shown
from studio.ui.story.message import Here
from tests.story.kit import ADMIN, ANNA, BEN, finish, make_clip, new, set_state, states
from tests.ui.test_stage import Tags


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(Settings(studio_home=tmp_path, open_demo=True, admin_token="x", local_worker=False))


def stand(studio: Studio, asset_id: str, standing: Standing, *reasons: Notice) -> None:
    with db.writing(studio.engine) as connection:
        studio.assets.stand(connection, asset_id, standing, reasons)


def take(studio: Studio, story: str, shot: str, standing: Standing) -> str:
    """A take of a shot that was made and stands like that; its job."""
    job_id = studio.stories.render_shot(ANNA, story, shot, "animatic")
    job = studio.jobs.get(job_id)
    assert job is not None
    assert job.request is not None
    stand(studio, make_clip(studio, job.request).id, standing)
    return job_id


def test_a_shot_says_that_its_take_waits_or_may_not_be_shown(studio: Studio) -> None:
    view = new(studio)
    first, second, *_ = view.story.shots
    waiting = take(studio, view.id, first.id, "held")
    take(studio, view.id, second.id, "blocked")
    view = studio.stories.get(ANNA, view.id)
    assert states(view)[:3] == ["held", "blocked", "empty"]
    assert [notice.code for notice in view.shots[0].notices] == ["take_held"]
    assert [notice.code for notice in view.shots[1].notices] == ["take_refused"]
    assert view.shots[0].takes[0].asset_id is None
    # What waits for a person is not made a second time.
    assert studio.stories.render_shot(ANNA, view.id, first.id, "animatic") == waiting
    studio.reviews.decide(
        ADMIN, "picture", str(studio.job(ADMIN, waiting).job.asset_id), "approve", name="Wei"
    )
    assert states(studio.stories.get(ANNA, view.id))[0] == "draft"


def test_a_shot_whose_words_are_held_says_why_and_nothing_turns(studio: Studio) -> None:
    studio.reviews.set_policy(ADMIN, {"names": ["巨龙"]})
    view = new(studio)
    studio.stories.render_shot(ANNA, view.id, view.story.shots[1].id, "animatic")
    view = studio.stories.get(ANNA, view.id)
    assert states(view)[1] == "held"
    assert [notice.code for notice in view.shots[1].notices][-1] == "held_text"
    assert not shown.busy(view, view.film)


def test_a_held_film_is_told_and_not_shown_to_its_owner_either(studio: Studio) -> None:
    page, view = Page(studio, "en"), new(studio)
    film = studio.stories.film(ANNA, view.id, "animatic")
    (asset, *_) = finish(studio, film)
    set_state(studio, film, "done", asset_id=asset)
    stand(studio, asset, "held", Notice("held_review"))
    for visitor in (ANNA, BEN):
        html = shown.stage(page, visitor, studio.stories.get(visitor, view.id), Here())
        assert 'data-state="held"' in html
        assert page.t("held_title") in Tags(html).text
        assert asset not in html
    seen = studio.stories.get(ANNA, view.id)
    assert not shown.busy(seen, seen.film)
    admins = Tags(shown.stage(page, ADMIN, studio.stories.get(ADMIN, view.id), Here()))
    assert {"story_player", "story_to_review"} <= admins.ids()


def test_a_film_whose_words_are_held_can_be_cancelled(studio: Studio) -> None:
    studio.reviews.set_policy(ADMIN, {"names": ["巨龙"]})
    page, view = Page(studio, "en"), new(studio)
    film = studio.stories.film(ANNA, view.id, "animatic")
    html = shown.stage(page, ANNA, studio.stories.get(ANNA, view.id), Here())
    assert page.t("held_words_title") in html
    assert "巨龙" in html
    assert "story_cancel" in Tags(html).ids()
    studio.cancel(ANNA, film)
    assert studio.job(ANNA, film).job.state == "cancelled"


def test_an_open_story_hears_of_every_decision(studio: Studio) -> None:
    view = new(studio)
    take(studio, view.id, view.story.shots[0].id, "held")
    before = pulse(studio.engine, view.id)
    (item,) = studio.reviews.waiting(ADMIN)
    studio.reviews.decide(ADMIN, "picture", item.id, "approve", name="Wei")
    after = pulse(studio.engine, view.id)
    assert before is not None
    assert after is not None
    assert before.mark != after.mark


def test_a_storyboard_shows_nobody_what_is_another_ones_draft(studio: Studio) -> None:
    view = new(studio)
    take(studio, view.id, view.story.shots[0].id, "draft")
    sheets = {
        who: studio.stories.storyboard(who, view.id, "http://studio").count("data:image/webp")
        for who in (ANNA, BEN, ADMIN)
    }
    assert sheets == {ANNA: 1, BEN: 0, ADMIN: 1}
