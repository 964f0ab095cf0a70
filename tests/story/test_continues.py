"""A shot that goes on from the one before: what its takes wait for, and what a person is told."""

import shutil
from pathlib import Path

import pytest

from pipelines.models import MODELS
from studio.core import Studio
from studio.story import plan
from studio.story.edit import edit
from studio.story.film_plan import key_of, waits, whole_seconds
from studio.story.outline import outline
from studio.story.types import Source, Story
from studio.views import Refused
from tests.story.kit import ANNA, make_clip, shot_of, story_of
from tests.studio.test_pictures import clip

CAN, NEEDS = "wan2.2-ti2v-5b", "wan2.2-i2v-a14b"


def told(*numbers: int, model: str = CAN, count: int = 3) -> Story:
    """A story in which shots of these numbers go on from the one before."""
    story = edit(
        story_of(*[f"第 {n} 幕，一只鹿站在森林里。" for n in range(1, count + 1)]), "update_look", model=model
    )
    for number in numbers:
        story = edit(story, "update_shot", shot_id=shot_of(story, number).id, continues=True)
    return edit(story, "approve_all")


def planned(story: Story, **more: object) -> plan.FilmPlan:
    return plan.make_plan(story, "film", story_id="s", default_model="sketch", **more)


def test_its_take_waits_for_the_picture_that_it_begins_with() -> None:
    found = planned(told(2))
    assert [any(map(waits, shot.requests)) for shot in found.shots] == [False, True, False]
    assert [shot.continues for shot in found.shots] == [False, True, False]
    story = told(2)
    known = planned(story, befores={shot_of(story, 2).id: "b" * 64})
    assert known.shots[1].requests[0].first_frame == "b" * 64
    keys = [key_of(one.shots[1].requests[0]) for one in (found, known, planned(told()))]
    assert len(set(keys)) == 3, "what it begins with is part of its key"


def test_the_shot_before_is_shown_to_the_joint_and_nothing_comes_between() -> None:
    plain, joined = planned(told()), planned(told(2))
    assert plain.shots[0].transition == "crossfade"
    assert joined.shots[0].transition == "cut"
    assert joined.shots[1].transition == "crossfade"
    whole = whole_seconds(joined.shots[0].requests)
    request = joined.shots[0].requests[0]
    assert whole == pytest.approx((request.num_frames - 3) / request.fps)
    assert whole <= joined.shots[0].seconds < whole + 1.5


def test_only_where_there_is_something_to_go_on_from() -> None:
    assert not any(shot.continues for shot in planned(told(1)).shots), "the first shot"
    story = told(2)
    source = Source(kind="upload", place="stories/s/x.mp4")
    first = shot_of(story, 1).model_copy(update={"source": source})
    after = story.model_copy(update={"shots": (first, *story.shots[1:])})
    assert not plan.goes_on(after, shot_of(after, 2), "film", "sketch")
    assert [notice.code for notice in outline(after, "sketch")[1].notices] == ["shot_continues_nothing"]


@pytest.mark.parametrize("model", ["sketch", "wan2.2-t2v-a14b"])
def test_a_model_that_can_not_begins_anew_and_says_so(model: str) -> None:
    story = told(2, model=model)
    assert not any(shot.continues for shot in planned(story).shots)
    notice = outline(story, "sketch")[1].notices[0]
    assert (notice.code, notice.values["model"]) == ("shot_continues_cant", MODELS[model].title)


def test_a_draft_film_never_goes_on() -> None:
    found = plan.make_plan(told(2), "animatic", story_id="s", default_model="sketch")
    assert not any(shot.continues or any(map(waits, shot.requests)) for shot in found.shots)
    assert found.shots[0].transition == "crossfade"


def test_a_model_that_needs_a_picture_makes_no_story() -> None:
    assert plan.model_of(told(model=NEEDS), CAN) == CAN
    assert plan.model_of(told(model=NEEDS), NEEDS) == "sketch"
    assert planned(told(model=NEEDS)).shots[0].requests[0].model == "sketch"


def test_one_shot_is_asked_for_once_the_one_before_is_there(studio: Studio) -> None:
    view = studio.stories.new(ANNA, "1. 一只鹿站在森林里。\n2. 它慢慢走开。")
    first, second = (shot.shot.id for shot in view.shots)
    studio.stories.change(ANNA, view.id, "update_look", model=CAN)
    studio.stories.change(ANNA, view.id, "update_shot", shot_id=second, continues=True)
    with pytest.raises(Refused) as error:
        studio.stories.render_shot(ANNA, view.id, second, "film")
    assert error.value.notices[0].code == "shot_before_first"
    assert error.value.notices[0].values == {"number": 2, "before": 1}

    before = studio.jobs.get(studio.stories.render_shot(ANNA, view.id, first, "film"))
    assert before is not None
    assert before.request is not None
    made = make_clip(studio, before.request)
    shutil.copyfile(studio.assets.file(clip(studio)), studio.assets.file(made))
    job = studio.jobs.get(studio.stories.render_shot(ANNA, view.id, second, "film"))
    assert job is not None
    assert job.request is not None
    picture = studio.pictures.find(job.request.first_frame)
    assert picture is not None
    assert picture.asset_id == made.id

    studio.stories.change(ANNA, view.id, "approve_all")
    # The plan knows it now, and so does the page: the take that is on its way is the shot's own.
    found = studio.stories._desk.plan(studio.stories._known(view.id), "film")
    assert found.shots[1].requests[0].first_frame == picture.id
    seen = studio.stories.get(ANNA, view.id)
    assert seen.shots[1].job_id == job.id
    assert Path(studio.pictures.file(picture)).is_file()
