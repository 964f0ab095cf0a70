"""Takes of shots: asked for, shared, chosen, stale, failed."""

import pytest

from studio.core import Studio
from studio.story.film_plan import key_of
from studio.views import Refused
from tests.story.kit import ANNA, BEN, finish, make_clip, new, requests_of, set_state, states


def test_a_film_asks_for_its_takes_and_the_shots_show_how_they_are_doing(studio: Studio) -> None:
    view = new(studio)
    assert states(view) == ["empty"] * 4
    film = studio.stories.film(ANNA, view.id, "animatic")
    assert studio.stories.film(ANNA, view.id, "animatic") == film, "pressed twice"
    requests = requests_of(studio, film)
    assert len(requests) == 4
    running = studio.jobs.submit("anna", {}, requests[0])
    studio.jobs.submit("anna", {}, requests[1])
    set_state(studio, running, "running")
    make_clip(studio, requests[2])
    seen = studio.stories.get(ANNA, view.id)
    assert states(seen) == ["running", "waiting", "draft", "empty"]
    assert seen.shots[0].job_id == running
    assert seen.film is not None
    assert seen.film.job.id == film
    take = seen.shots[2].takes[0]
    assert (take.state, take.level, take.chosen, take.current) == ("done", "animatic", True, True)


def test_a_changed_shot_is_stale_keeps_its_takes_and_the_others_stay(studio: Studio) -> None:
    view = new(studio)
    finish(studio, studio.stories.film(ANNA, view.id, "animatic"))
    assert states(studio.stories.get(ANNA, view.id)) == ["draft"] * 4
    text = view.shots[2].shot.text.replace("小船", "大船")
    changed = studio.stories.change(ANNA, view.id, "update_shot", shot_id=view.shots[2].shot.id, text=text)
    assert states(changed) == ["draft", "draft", "stale", "draft"]
    old = changed.shots[2].takes
    assert [(take.current, take.chosen) for take in old] == [(False, False)]
    estimate = studio.stories.estimate(ANNA, view.id, "animatic")
    assert (estimate.to_render, estimate.reused) == (1, 3)
    back = studio.stories.change(
        ANNA, view.id, "update_shot", shot_id=view.shots[2].shot.id, text=view.shots[2].shot.text
    )
    assert states(back) == ["draft"] * 4, "an edit taken back has its take back"


def test_approved_shots_are_made_full_and_the_rest_is_shown_as_it_is(studio: Studio) -> None:
    view = new(studio)
    drafts = finish(studio, studio.stories.film(ANNA, view.id, "animatic"))
    with pytest.raises(Refused, match="none_approved"):
        studio.stories.film(ANNA, view.id, "film")
    studio.stories.change(ANNA, view.id, "approve", shot_id=view.shots[1].shot.id)
    estimate = studio.stories.estimate(ANNA, view.id, "film")
    assert (estimate.shots, estimate.to_render, estimate.reused) == (4, 1, 3)
    film = studio.stories.film(ANNA, view.id, "film")
    kept = {studio.asset(ANNA, asset).request_key for asset in drafts}
    fresh = [request for request in requests_of(studio, film) if key_of(request) not in kept]
    assert len(fresh) == 1
    make_clip(studio, fresh[0])
    seen = studio.stories.get(ANNA, view.id)
    assert states(seen) == ["draft", "full", "draft", "draft"]
    assert {take.level for shot in seen.shots for take in shot.takes} == {"animatic", "film"}
    assert [take.level for take in seen.shots[0].takes] == ["animatic"], "a draft in a film stays a draft"


def test_another_take_has_another_seed_and_the_chosen_one_is_used(studio: Studio) -> None:
    view = new(studio)
    shot = view.shots[0].shot.id
    first = studio.stories.render_shot(ANNA, view.id, shot, "animatic")
    assert studio.stories.render_shot(ANNA, view.id, shot, "animatic") == first
    other = studio.stories.render_shot(ANNA, view.id, shot, "animatic", another=True)
    assert other != first
    made = [studio.jobs.get(job) for job in (first, other)]
    clips = [make_clip(studio, job.request) for job in made if job and job.request]
    assert clips[0].request is not None
    assert clips[1].request is not None
    assert clips[0].request.seed != clips[1].request.seed
    assert studio.stories.render_shot(ANNA, view.id, shot, "animatic") == first, "it is there already"
    takes = studio.stories.get(ANNA, view.id).shots[0].takes
    assert {take.asset_id: (take.chosen, take.current) for take in takes} == {
        clips[0].id: (True, True),
        clips[1].id: (False, True),
    }
    chosen = studio.stories.change(ANNA, view.id, "choose_take", shot_id=shot, asset_id=clips[1].id)
    assert [take.asset_id for take in chosen.shots[0].takes if take.chosen] == [clips[1].id]
    film = studio.stories.film(ANNA, view.id, "animatic")
    assert clips[1].request in requests_of(studio, film)
    studio.stories.change(ANNA, view.id, "approve", shot_id=shot)
    full = requests_of(studio, studio.stories.film(ANNA, view.id, "film"))
    assert clips[1].request.seed in [request.seed for request in full]


def test_the_form_of_a_rendered_shot_makes_the_same_clip_on_the_create_page(studio: Studio) -> None:
    view = new(studio)
    studio.stories.change(ANNA, view.id, "update_look", style="ink", format="9:16")
    job = studio.jobs.get(studio.stories.render_shot(ANNA, view.id, view.shots[0].shot.id, "film"))
    assert job is not None
    again = studio.jobs.get(studio.generate(ANNA, **job.form))
    assert again is not None
    # The style's look is laid over a clip of its own here, and over a film there.
    assert again.request is not None
    assert again.request.look == "ink"
    assert again.request.model_copy(update={"look": ""}) == job.request


def test_a_failed_take_says_why_until_a_better_one_is_there(studio: Studio) -> None:
    view = new(studio)
    shot = view.shots[0].shot.id
    job = studio.stories.render_shot(ANNA, view.id, shot, "animatic")
    set_state(studio, job, "failed", error={"code": "out_of_memory", "values": {}})
    seen = studio.stories.get(ANNA, view.id).shots[0]
    assert seen.state == "failed"
    assert "out_of_memory" in [notice.code for notice in seen.notices]
    again = studio.stories.render_shot(ANNA, view.id, shot, "animatic")
    assert again != job
    found = studio.jobs.get(again)
    assert found is not None
    assert found.request is not None
    make_clip(studio, found.request)
    assert studio.stories.get(ANNA, view.id).shots[0].state == "draft"


def test_a_deleted_take_is_made_again(studio: Studio) -> None:
    view = new(studio)
    assets = finish(studio, studio.stories.film(ANNA, view.id, "animatic"))
    studio.stories.change(ANNA, view.id, "choose_take", shot_id=view.shots[0].shot.id, asset_id=assets[0])
    studio.delete_asset(ANNA, assets[0])
    seen = studio.stories.get(ANNA, view.id)
    assert states(seen)[0] == "empty"
    assert seen.shots[0].takes == ()
    assert studio.stories.estimate(ANNA, view.id, "animatic").to_render == 1


def test_two_stories_of_one_owner_share_takes_and_two_owners_do_not(studio: Studio) -> None:
    view = new(studio)
    finish(studio, studio.stories.film(ANNA, view.id, "animatic"))
    assert states(studio.stories.duplicate(ANNA, view.id)) == ["draft"] * 4
    theirs = studio.stories.duplicate(BEN, view.id)
    assert theirs.may_change
    assert states(theirs) == ["empty"] * 4


def test_a_shots_prompt_is_made_better_as_a_proposal_only(studio: Studio) -> None:
    view = new(studio)
    shot = view.shots[2].shot.id
    found = studio.stories.rewrite(ANNA, view.id, shot)
    assert found.original in view.shots[2].prompt
    assert studio.stories.get(ANNA, view.id).revision == view.revision
    values = {"shot_id": shot, "original": found.original, "rewritten": found.rewritten}
    taken = studio.stories.change(ANNA, view.id, "accept_rewrite", **values)
    assert taken.shots[2].shot.prompt == found.rewritten
    with pytest.raises(Refused, match="not_yours"):
        studio.stories.rewrite(BEN, view.id, shot)
