"""A film's takes and its row in the queue, on SQLite and on Postgres, without a worker process."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pipelines.request import GenerationRequest, Notice, Progress
from studio.claims import MAX_ATTEMPTS, Attempt
from studio.db import utc_now
from studio.film_takes import FilmTakes, TakeFailed, form_of
from studio.library import new_id, places
from studio.story.film_plan import FilmPlan, key_of
from studio.takeover import Takeover
from tests.film_kit import film, plan, shot, submit, take, takes
from tests.queue_kit import Desk, asset_of, small
from tests.seal_kit import finished


def _begin(desk: Desk, worker: str = "w1", ticket: str = "film-ticket") -> Attempt:
    """Claim the first film and begin with it."""
    claims = desk.claims(worker)
    job_id = claims.claim(ticket, "film")
    assert job_id is not None
    attempt = claims.begin(job_id, ticket)
    assert attempt is not None
    return attempt


def _ask(desk: Desk, attempt: Attempt, requests: Sequence[GenerationRequest] | None = None) -> list[str]:
    """Ask for a film's takes; the prompts of those that are coming."""
    asked = attempt.job.plan.requests() if requests is None and attempt.job.plan else requests or []
    found = FilmTakes(desk.engine, desk.library, b"key").ask(attempt, asked)
    return [request.prompt for request in asked if key_of(request) in found.coming]


def _make(desk: Desk, count: int = 1, worker: str = "w1") -> list[str]:
    """Render the first clips in the queue; their prompts."""
    prompts = []
    for _ in range(count):
        attempt = desk.begin(worker, ticket=f"clip-{utc_now().timestamp()}")
        assert attempt.job.request is not None
        assert desk.publish(attempt, worker)
        prompts.append(attempt.job.request.prompt)
    return prompts


def _publish(desk: Desk, attempt: Attempt, clips: Sequence[str] = ()) -> bool:
    asset_id = new_id()
    place, still = places(asset_id, ".webp")
    lies = {".mp4": place, ".webp": still}
    files = [(desk.settings.tmp / f"{asset_id}{kind}", where) for kind, where in lies.items()]
    for path, _ in files:
        path.write_bytes(b"film")
    job = attempt.job
    asset = replace(
        asset_of(replace(job, request=small()), asset_id, place, still),
        kind="film",
        title=job.asked,
        request=None,
        plan=job.plan,
        seconds=4.0,
        fps=24,
        frames=96,
    )
    return desk.claims().publish(
        attempt, asset, files, desk.library, finished(asset_id), tail_seconds=6.0, clips=clips
    )


# -- the row -------------------------------------------------------------------------------------------------


def test_a_film_comes_back_as_it_was_submitted(desk: Desk) -> None:
    asked = plan("a boat", "夜晚的海", music="calm", subtitles=("zh", "en"))
    job = desk.job(desk.jobs.submit_film("ann", {"prompt": ""}, asked))
    assert (job.kind, job.plan, job.request, job.story_id) == ("film", asked, None, "story")
    assert (job.asked, job.size, job.model) == ("牛郎织女", (256, 256), "sketch")
    assert [found.id for found in desk.jobs.films_of("story")] == [job.id]
    assert desk.jobs.films_of("another") == []


def test_films_and_clips_are_claimed_by_tickets_of_their_own(desk: Desk) -> None:
    first, clip = submit(desk.jobs, plan("a boat")), desk.submit()
    assert (len(desk.jobs.tickets.waiting("film")), len(desk.jobs.tickets.waiting("clip"))) == (1, 1)
    desk.jobs.pause()
    assert desk.claims().claim("t", "film") is None
    desk.jobs.resume()
    assert (len(desk.jobs.tickets.waiting("film")), len(desk.jobs.tickets.waiting("clip"))) == (2, 2)
    assert desk.claims().claim("t1") == clip
    assert desk.claims().claim("t2") is None
    assert desk.claims().claim("t3", "film") == first
    assert desk.claims().give_back("film") == 1
    assert [desk.job(clip).state, desk.job(first).state] == ["running", "queued"]


def test_a_film_hides_the_jobs_of_its_takes(desk: Desk) -> None:
    film_id = submit(desk.jobs, plan("a boat", "a kite"))
    clip = desk.submit("mine")
    assert _ask(desk, _begin(desk)) == ["a boat", "a kite"]
    assert [job.id for job in desk.jobs.list()] == [film_id, clip]
    made = desk.jobs.takes_of(film_id)
    assert [(job.parent, job.asked, job.kind) for job in made] == [
        (film_id, "a boat", "clip"),
        (film_id, "a kite", "clip"),
    ]
    assert {job.id for job in desk.jobs.list(takes=True)} == {film_id, clip, *(job.id for job in made)}
    assert desk.jobs.with_keys("ann", [key_of(take("a kite"))])[key_of(take("a kite"))].id == made[1].id
    assert desk.jobs.with_keys("bob", [key_of(take("a kite"))]) == {}


def test_a_takes_form_asks_for_that_very_take(desk: Desk) -> None:
    request = take("a boat", guidance_scale=3.5)
    form = form_of(request)
    width, _, height = form.pop("size").partition("x")
    assert GenerationRequest(**form, width=width, height=height) == request


# -- takes ---------------------------------------------------------------------------------------------------


def test_a_take_that_is_there_is_not_made_again(desk: Desk) -> None:
    desk.jobs.submit("ann", {}, take("a boat"))
    desk.jobs.submit("bob", {}, take("a kite"))
    _make(desk, 2)
    submit(desk.jobs, plan("a boat", "a kite"))
    attempt = _begin(desk)
    assert _ask(desk, attempt) == ["a kite"], "another person's clip is not hers"
    found = desk.library.with_keys("ann", [key_of(take("a boat"))])
    desk.library.file(found[key_of(take("a boat"))]).unlink()
    assert _ask(desk, attempt) == ["a boat", "a kite"], "its file is gone"


def test_asking_again_asks_for_nothing_new(desk: Desk) -> None:
    film_id = submit(desk.jobs, plan("a boat", "a kite", "a boat"))
    attempt = _begin(desk)
    looker = FilmTakes(desk.engine, desk.library, b"key")
    asked = [looker.ask(attempt, attempt.job.plan.requests()).new for _ in range(3)]
    assert asked == [("clip", "clip"), (), ()]
    assert _make(desk, 1) == ["a boat"], "in the order of the shots"
    again = desk.claims("w2").begin(film_id, "film-ticket")
    assert again is not None
    assert _ask(desk, again) == ["a kite"]
    assert _ask(desk, attempt, [take("a tree")]) == [], "a worker that lost the film asks for nothing"
    assert [len(jobs) for jobs in takes(desk.jobs).values()] == [1, 1]


def test_a_film_waits_for_a_clip_that_is_being_made_anyway(desk: Desk) -> None:
    mine = desk.jobs.submit("ann", {}, take("a boat"))
    film_id = submit(desk.jobs, plan("a boat"))
    attempt = _begin(desk)
    assert _ask(desk, attempt) == ["a boat"]
    assert takes(desk.jobs) == {}
    desk.jobs.cancel(film_id)
    assert desk.job(mine).state == "queued", "a person's own clip is nobody else's to cancel"


def test_a_clip_that_somebody_else_gave_up_is_asked_for_anew(desk: Desk) -> None:
    mine = desk.jobs.submit("ann", {}, take("a boat"))
    submit(desk.jobs, plan("a boat"))
    attempt = _begin(desk)
    _ask(desk, attempt)
    desk.jobs.cancel(mine)
    looker = FilmTakes(desk.engine, desk.library, b"key")
    assert looker.look(attempt, [take("a boat")]).coming == frozenset()
    assert _ask(desk, attempt) == ["a boat"]
    assert len(takes(desk.jobs)) == 1


def test_many_films_at_once_ask_for_each_take_once(desk: Desk) -> None:
    for _ in range(6):
        submit(desk.jobs, plan("a boat", "a kite", "a tree"))
    attempts = [_begin(desk, f"w{n}", f"t{n}") for n in range(6)]
    threads = [threading.Thread(target=_ask, args=(desk, attempt)) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(jobs) for jobs in takes(desk.jobs).values()] == [1, 1, 1]
    assert {len(desk.jobs.takes_of(attempt.job.id)) for attempt in attempts} == {3}


def test_a_take_that_failed_fails_its_films_until_they_are_asked_for_again(desk: Desk) -> None:
    film_id = submit(desk.jobs, plan("a boat", "a kite"))
    attempt = _begin(desk)
    _ask(desk, attempt)
    clip = desk.begin(ticket="c1")
    desk.claims().fail(clip, Notice("out_of_memory", {"size": "256×256"}))
    with pytest.raises(TakeFailed) as failed:
        _ask(desk, attempt)
    assert (failed.value.key, failed.value.reason) == (
        key_of(take("a boat")),
        Notice("out_of_memory", {"size": "256×256"}),
    )
    desk.claims().fail(attempt, Notice("shot_failed", {"number": 1, "reason": failed.value.reason}))
    job = desk.job(film_id)
    assert job.error == Notice("shot_failed", {"number": 1, "reason": failed.value.reason})
    assert [job.state for job in desk.jobs.takes_of(film_id)] == ["failed", "cancelled"], (
        "nobody waits for it"
    )
    desk.jobs.retry(film_id)
    assert _ask(desk, _begin(desk, ticket="again")) == ["a boat", "a kite"]


# -- cancelling ----------------------------------------------------------------------------------------------


def test_cancelling_a_film_cancels_what_nobody_else_waits_for(desk: Desk) -> None:
    first, second = submit(desk.jobs, plan("a boat", "a kite")), submit(desk.jobs, plan("a kite", "a tree"))
    attempts = [_begin(desk, ticket="t1"), _begin(desk, "w2", "t2")]
    for attempt in attempts:
        _ask(desk, attempt)
    desk.beat("w1")
    running = desk.begin(ticket="c1")
    assert desk.jobs.cancel(first)
    assert desk.claims().wish(attempts[0]) == "cancel"
    assert desk.claims().stopped(attempts[0])
    assert desk.claims().wish(running) == "cancel", "its take is being rendered"
    states = {job.asked: job.state for job in desk.jobs.list(takes=True) if job.parent}
    assert states == {"a boat": "running", "a kite": "queued", "a tree": "queued"}
    assert desk.jobs.cancel(second), "its worker is gone: at once"
    states = {job.asked: job.state for job in desk.jobs.list(takes=True) if job.parent}
    assert states == {"a boat": "running", "a kite": "cancelled", "a tree": "cancelled"}
    assert desk.job(second).state == "cancelled"


def test_a_film_that_fails_lets_its_running_take_finish(desk: Desk) -> None:
    film_id = submit(desk.jobs, plan("a boat", "a kite"))
    attempt = _begin(desk)
    _ask(desk, attempt)
    desk.beat("w1")
    running = desk.begin(ticket="c1")
    desk.claims().fail(attempt, Notice("disk_full"))
    assert desk.claims().wish(running) == "go"
    assert desk.publish(running)
    assert [job.state for job in desk.jobs.takes_of(film_id)] == ["done", "cancelled"]
    desk.jobs.retry(film_id)
    assert _ask(desk, _begin(desk, ticket="again")) == ["a kite"]


def test_deleting_a_film_that_waits_takes_its_takes_along(desk: Desk) -> None:
    film_id = submit(desk.jobs, plan("a boat"))
    attempt = _begin(desk)
    _ask(desk, attempt)
    assert not desk.jobs.delete(film_id), "it runs"
    desk.claims().stopped(attempt)
    (made,) = desk.jobs.takes_of(film_id)
    assert desk.jobs.delete(film_id)
    assert desk.job(made.id).state == "cancelled"


def test_a_take_that_a_person_cancels_is_not_made_behind_their_back(desk: Desk) -> None:
    film_id = submit(desk.jobs, plan("a boat"))
    attempt = _begin(desk)
    _ask(desk, attempt)
    (made,) = desk.jobs.takes_of(film_id)
    desk.jobs.cancel(made.id)
    with pytest.raises(TakeFailed) as failed:
        _ask(desk, attempt)
    assert failed.value.reason is None


# -- order and outlook ---------------------------------------------------------------------------------------


def test_a_films_takes_have_its_place_in_the_queue(desk: Desk) -> None:
    earlier = desk.submit("earlier")
    film_id = submit(desk.jobs, plan("a boat", "a kite"))
    later = desk.submit("later")
    _ask(desk, _begin(desk))
    waiting = [job.asked for job in desk.jobs.list(states=("queued",), takes=True)]
    assert waiting == ["earlier", "a boat", "a kite", "later"]
    assert desk.jobs.to_front(later)
    assert desk.jobs.to_front(film_id), "it runs, its takes wait"
    waiting = [job.asked for job in desk.jobs.list(states=("queued",), takes=True)]
    assert waiting == ["a boat", "a kite", "later", "earlier"]
    assert desk.jobs.position(earlier) == 3


def test_a_films_time_is_that_of_its_missing_takes_and_of_the_films_before(desk: Desk) -> None:
    unknown = desk.jobs.estimate_film("ann", plan("a boat", "a kite"))
    assert (unknown.to_render, unknown.render_seconds, unknown.rest_seconds) == (2, None, None)
    desk.jobs.submit("ann", {}, take("a boat"))
    assert desk.publish(desk.begin(), seconds=10.0)
    submit(desk.jobs, plan("a boat", "a boat", transition_seconds=0.2))
    assert _publish(desk, _begin(desk, ticket="t0"))
    known = desk.jobs.estimate_film("ann", plan("a boat", "a kite", "a tree"))
    assert (known.to_render, known.reused, known.render_seconds) == (2, 1, 20.0)
    assert known.film_seconds == pytest.approx(5.0)
    assert known.rest_seconds == pytest.approx(6.0 * 5 / 4), "the film before took 6 s for 4 s"

    film_id = submit(desk.jobs, plan("a boat", "a kite", "a tree"))
    clip = desk.submit("later")
    assert desk.jobs.outlook()[film_id] == (0, 28.0)
    assert desk.jobs.outlook()[clip] == (1, 30.0)
    assert desk.jobs.ahead() == (2, 30.0)
    attempt = _begin(desk, ticket="t1")
    _ask(desk, attempt)
    desk.jobs._outlook.forget()
    assert desk.jobs.outlook()[film_id] == (None, 28.0)
    second = submit(desk.jobs, plan("a tree", "a kite", "a boat"))
    assert desk.jobs.outlook()[second] == (3, 35.0), "it is cut after the first one"
    desk.claims().report(attempt, Progress("cutting", 50, 100), 3.0, None)
    desk.jobs._outlook.forget()
    assert desk.jobs.outlook()[film_id] == (None, 3.0)


def test_many_films_are_looked_over_without_reading_their_plans_again(desk: Desk) -> None:
    large = plan(*(f"shot {n}" for n in range(24)))
    for _ in range(20):
        submit(desk.jobs, large)
    desk.jobs.outlook()
    seen = []
    desk.jobs._outlook._learn, learn = (  # type: ignore[method-assign]
        lambda connection, films: (seen.append(films), learn(connection, films))[1],
        desk.jobs._outlook._learn,
    )
    desk.jobs._outlook.forget()
    outlook = desk.jobs.outlook()
    assert len(outlook) == len(seen[0]) == 20


# -- attempts, publishing ------------------------------------------------------------------------------------


def test_a_film_may_outlive_many_workers_as_long_as_it_gets_on(desk: Desk) -> None:
    film_id = submit(desk.jobs, plan("a boat"))
    attempt = _begin(desk)
    for _ in range(10):
        again = desk.claims().begin(film_id, "film-ticket")
        assert again is not None
        desk.claims().got_on(again)
        attempt = again
    for _ in range(2 * MAX_ATTEMPTS - 1):
        assert desk.claims().begin(film_id, "film-ticket") is not None
    desk.claims().got_on(attempt)
    assert desk.claims().begin(film_id, "film-ticket") is None
    assert desk.job(film_id).error == Notice("worker_died", {"attempts": 2 * MAX_ATTEMPTS})


def test_a_film_is_kept_with_what_it_was_cut_from(desk: Desk) -> None:
    submit(desk.jobs, plan("a boat", "a kite"))
    attempt = _begin(desk)
    _ask(desk, attempt)
    _make(desk, 2)
    clips = [asset.id for asset in desk.library.list()]
    assert _publish(desk, attempt, [*clips, "deleted meanwhile"])
    job = desk.job(attempt.job.id)
    assert job.asset_id is not None
    kept = desk.library.get(job.asset_id)
    assert kept is not None
    assert (kept.kind, kept.title, kept.asked, kept.plan) == ("film", "牛郎织女", "牛郎织女", job.plan)
    assert kept.request is None
    assert {clip.id for clip in desk.library.clips_of(kept.id)} == set(clips)
    assert desk.library.delete(clips[0])
    assert [clip.id for clip in desk.library.clips_of(kept.id)] == clips[1:]
    assert desk.library.delete(kept.id)
    assert len(desk.library.list()) == 1


def test_a_film_that_stops_half_way_is_given_back_unless_it_was_cancelled(desk: Desk) -> None:
    film_id = submit(desk.jobs, plan("a boat"))
    attempt = _begin(desk)
    assert not desk.claims().stopped(attempt)
    assert (desk.job(film_id).state, desk.job(film_id).attempt) == ("queued", 0)
    assert not _publish(desk, attempt)


def test_tickets_of_films_are_looked_after(desk: Desk) -> None:
    waiting = submit(desk.jobs, plan("a boat"))
    lost = submit(desk.jobs, plan("a kite"))
    assert desk.claims().claim("a ticket that nobody knows", "film") == waiting
    takeover = Takeover(desk.engine, desk.jobs.tickets, "w2")
    takeover.look({"clip": (), "film": ()})
    assert [desk.job(film_id).state for film_id in (waiting, lost)] == ["queued", "queued"]
    takeover.look({})
    assert len(desk.jobs.tickets.waiting("film")) == 3
    assert desk.jobs.tickets.waiting("clip") == set()


def test_sources_and_takes_stand_in_one_plan(desk: Desk) -> None:
    asked: FilmPlan = film([shot(1, take("a boat")), shot(2, source={"path": "stories/x.mp4", "seconds": 2})])
    job = desk.job(submit(desk.jobs, asked))
    assert job.plan == asked
    assert desk.jobs.estimate_film("ann", asked).to_render == 1
    assert small("a boat") in asked.requests()
