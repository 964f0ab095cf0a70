"""Films on the real queue: a real worker, the tiny model, the real ffmpeg and the real voices."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.request import GenerationRequest, Notice
from studio.library import Asset
from studio.media.ffmpeg import MediaError
from studio.media.probe import comment, probe
from studio.recipe import read_recipe
from studio.rows import Job
from studio.settings import Settings
from studio.story.film_plan import key_of
from tests.film_kit import film, plan, shot, submit, take, takes
from tests.queue_kit import Desk, WorkerProcess, home_of, long, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Desk]:
    """A queue with one worker, for all tests of this file."""
    home = home_of(tmp_path_factory.mktemp("films"), tiny_model)
    opened = Desk(Settings(studio_home=home, worker_id="w1", device="cpu"))
    worker = WorkerProcess(opened.settings)
    try:
        worker.wait_until_ready(opened)
        yield opened
        assert worker.end() == 0
    finally:
        worker.process.kill()
        opened.close()


@pytest.fixture
def desk(shop: Desk) -> Iterator[Desk]:
    """The module's queue; afterwards nothing is left to do and no file lies where none belongs."""
    yield shop
    shop.jobs.resume()
    wait_for(lambda: not shop.jobs.list(states=("queued", "running"), takes=True), 120, shop.log)
    assert [name for name in shop.files() if name.startswith("tmp/")] == []


def _film(desk: Desk, job: Job) -> Asset:
    asset = desk.library.get(job.asset_id or "")
    assert asset is not None
    return asset


def _rendered(desk: Desk) -> dict[str, int]:
    """How many jobs were made for each prompt."""
    return {jobs[0].asked: len(jobs) for jobs in takes(desk.jobs).values()}


def test_a_story_becomes_a_film_with_voice_subtitles_and_music(desk: Desk) -> None:
    told = ("从前有一条银河。", "There was a river."), ("织女在织布。", "A weaver sat by it.")
    shots = [
        shot(
            number, take(english), narration=text, captions={"en": english}, title=str(number), move="push_in"
        )
        for number, (text, english) in enumerate(told, 1)
    ]
    asked = film(
        shots,
        narrate=True,
        subtitles=("zh", "en"),
        music="calm",
        end_card="完",
        voice="zf_xiaoxiao",
        look="ink",
    )
    seen = set()
    film_id = submit(desk.jobs, asked)
    while (job := desk.job(film_id)).state in ("queued", "running"):
        progress = desk.jobs.progress(film_id)
        if progress is not None:
            seen.add(progress.stage)
        time.sleep(0.05)
    assert (job.state, job.error, job.attempt) == ("done", None, 1), desk.log()
    assert seen >= {"voice", "cutting"}
    asset = _film(desk, job)
    assert (asset.kind, asset.title, asset.owner, asset.plan) == ("film", "牛郎织女", "ann", asked)
    path = desk.library.file(asset)
    facts = probe(path)
    assert (facts.frames, facts.width, facts.height, facts.fps) == (asset.frames, 256, 256, 24)
    assert asset.seconds > 2 * 2.0
    assert len(desk.library.clips_of(asset.id)) == sum(_rendered(desk).values()) >= 2
    assert "wan-studio" in comment(path)
    with pytest.raises(MediaError) as told:
        read_recipe(path)
    assert told.value.code == "is_film"
    estimate = desk.jobs.estimate_film("ann", asked)
    assert (estimate.to_render, estimate.render_seconds) == (0, 0)
    assert estimate.rest_seconds is not None


def test_changing_one_request_renders_only_that_one(desk: Desk) -> None:
    names = [f"shot {n}" for n in range(3)]
    first = desk.wait(submit(desk.jobs, plan(*names)))
    assert {name: _rendered(desk)[name] for name in names} == dict.fromkeys(names, 1)
    before = {job.id for jobs in takes(desk.jobs).values() for job in jobs}
    second = desk.wait(submit(desk.jobs, plan(names[0], "shot 1 in red", names[2])))
    new = [job for jobs in takes(desk.jobs).values() for job in jobs if job.id not in before]
    assert [job.asked for job in new] == ["shot 1 in red"]
    clips = [{clip.id for clip in desk.library.clips_of(_film(desk, job).id)} for job in (first, second)]
    assert len(clips[0] & clips[1]) == 2


def test_two_films_share_their_takes_and_clips_go_on_meanwhile(desk: Desk) -> None:
    films = [submit(desk.jobs, plan("shared a", "shared b")) for _ in range(2)]
    clip = desk.submit("between")
    for film_id in films:
        desk.wait(film_id)
    desk.wait(clip)
    assert (_rendered(desk)["shared a"], _rendered(desk)["shared b"]) == (1, 1)
    made = [_film(desk, desk.job(film_id)) for film_id in films]
    assert desk.library.clips_of(made[0].id) == desk.library.clips_of(made[1].id)


def test_a_voice_longer_than_its_clip_gets_another_take(desk: Desk) -> None:
    text = "A long time ago there was a river in the sky, and a cowherd lived on its bank."
    asked = film([shot(1, take("a river at night"), narration=text)], narrate=True, language="en")
    job = desk.wait(submit(desk.jobs, asked))
    asset = _film(desk, job)
    clips = desk.library.clips_of(asset.id)
    assert sorted(clip.request.seed for clip in clips if clip.request) == [7, 8]
    assert asset.seconds > 2.2 / 0.8
    assert job.notices == ()


def test_a_cancelled_film_stops_soon_and_goes_on_from_there_when_asked_again(desk: Desk) -> None:
    asked = plan("quick", "slow", steps=4)
    slow = asked.shots[1].model_copy(update={"requests": (long("slow one"),)})
    asked = asked.model_copy(update={"shots": (asked.shots[0], slow)})
    film_id = submit(desk.jobs, asked)
    wait_for(lambda: [job.state for job in desk.jobs.takes_of(film_id)] == ["done", "running"], 60)
    assert desk.jobs.cancel(film_id)
    desk.wait(film_id, "cancelled", 20)
    wait_for(lambda: [job.state for job in desk.jobs.takes_of(film_id)] == ["done", "cancelled"], 20)
    desk.jobs.retry(film_id)
    job = desk.wait(film_id)
    assert (job.attempt, _rendered(desk)["quick"], _rendered(desk)["slow one"]) == (1, 1, 2)


def test_a_take_that_can_not_be_made_fails_the_film_with_the_shot_and_the_reason(desk: Desk) -> None:
    missing = GenerationRequest(prompt="a boat", model="wan2.2-ti2v-5b", seed=1)
    film_id = submit(desk.jobs, film([shot(1, take("a fine one")), shot(2, missing)]))
    job = desk.wait(film_id, "failed")
    assert job.error is not None
    assert (job.error.code, job.error.values["number"]) == ("shot_failed", 2)
    reason = job.error.values["reason"]
    assert isinstance(reason, Notice)
    assert reason.code == "model_missing"


def test_a_shot_may_show_a_file_and_one_that_is_gone_is_named(desk: Desk) -> None:
    clip = desk.wait(desk.submit("a clip of the library"))
    place = _film(desk, clip).path
    shots = [
        shot(1, source={"path": place, "start": 0.2, "seconds": 1.5}, seconds=1.6),
        shot(2, take("a kite")),
    ]
    job = desk.wait(submit(desk.jobs, film(shots, transition_seconds=0.2)))
    assert _film(desk, job).seconds == pytest.approx(3.4, abs=0.05)
    for gone in ("media/none.mp4", "../../etc/passwd"):
        failed = desk.wait(submit(desk.jobs, film([shot(1, source={"path": gone}), *shots[1:]])), "failed")
        assert failed.error == Notice("shot_file_missing", {"shot": 1})


def test_a_paused_queue_begins_no_film_and_no_take_of_one(desk: Desk) -> None:
    film_id = submit(desk.jobs, film([shot(1, long("before the pause")), shot(2, take("after the pause"))]))
    wait_for(
        lambda: [job.state for job in desk.jobs.takes_of(film_id)] == ["running", "queued"], 60, desk.log
    )
    desk.jobs.pause()
    second = submit(desk.jobs, plan("before the pause"))
    wait_for(lambda: [job.state for job in desk.jobs.takes_of(film_id)] == ["done", "queued"], 60, desk.log)
    time.sleep(1)
    assert [job.state for job in desk.jobs.takes_of(film_id)] == ["done", "queued"]
    assert [desk.job(film_id).state, desk.job(second).state] == ["running", "queued"]
    desk.jobs.resume()
    desk.wait(film_id)
    desk.wait(second)


def test_the_key_of_a_take_is_that_of_its_clip(desk: Desk) -> None:
    desk.wait(submit(desk.jobs, plan("a key")))
    found = desk.library.with_keys("ann", [key_of(take("a key"))])
    assert [asset.asked for asset in found.values()] == ["a key"]
