"""A film whose second shot goes on from the first: they meet without a jump, and the row tells how."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pipelines.request import GenerationRequest, Notice
from studio.claims import Attempt
from studio.filming import FilmFailed, FilmMaker
from studio.hands import Orders
from studio.library import new_id, places
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.media.probe import thumbnail
from studio.picture_rows import place_of
from studio.settings import Settings
from studio.story.film_plan import NOT_YET, FilmPlan, PlannedShot, another, key_of, waits
from tests.film_kit import film, submit
from tests.queue_kit import Desk, asset_of
from tests.seal_kit import finished

SPEED = 4
WIDTH, HEIGHT = 832, 480


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(Settings(studio_home=tmp_path / "home", worker_id="w1"))


def _request(prompt: str, first_frame: str = "") -> GenerationRequest:
    size = {"width": WIDTH, "height": HEIGHT, "num_frames": 25}
    return GenerationRequest(
        prompt=prompt, model="wan2.2-ti2v-5b", seed=7, num_inference_steps=4, first_frame=first_frame, **size
    )


def _plan(*shots: PlannedShot) -> FilmPlan:
    return film(shots, level="film", format="16:9", height=480, transition_seconds=0.5)


def _shot(number: int, request: GenerationRequest, **more: object) -> PlannedShot:
    told: dict[str, object] = {"shot_id": f"s{number}", "number": number, "requests": (request,)}
    return PlannedShot(**told | {"seconds": 1.0} | more)


def _two() -> FilmPlan:
    first = _shot(1, _request("a bar"), seconds=0.92, transition="cut")
    return _plan(first, _shot(2, _request("it goes on", NOT_YET), continues=True))


def _bar(at: float) -> np.ndarray:
    """A white bar on grey whose left side is at so many pixels."""
    frame = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    frame[:, round(at) : round(at) + 40] = 230
    return frame


def _where(frame: np.ndarray) -> float:
    """Where the bar's middle is, as a share of the width."""
    light = frame[150:250].mean(axis=(0, 2)) - 70
    light = np.clip(light, 0, None)
    return float((light * np.arange(light.size)).sum() / light.sum() / light.size)


def _render(desk: Desk, ticket: str) -> None:
    """Make the first clip in the queue: the bar moves on from where its picture has it, else from 100."""
    attempt = desk.begin(ticket=ticket)
    request = attempt.job.request
    assert request is not None
    begins = 100.0
    if request.first_frame:
        with Image.open(place_of(desk.settings.studio_home, request.first_frame)) as picture:
            begins = _where(np.asarray(picture)) * WIDTH - 20
    asset_id = new_id()
    place, still = places(asset_id, ".webp")
    clip, picture_file = desk.settings.tmp / f"{asset_id}.mp4", desk.settings.tmp / f"{asset_id}.webp"
    frames = (_bar(begins + SPEED * at) for at in range(request.num_frames))
    told = {"fps": request.fps, "comment": "{}", "expected_frames": request.num_frames}
    write_clip(frames, path=clip, label=LabelStyle(), **told)
    picture_file.write_bytes(thumbnail(clip))
    asset = asset_of(attempt.job, asset_id, place, still)
    asset = replace(asset, seconds=request.num_frames / request.fps)
    files = [(clip, place), (picture_file, still)]
    assert desk.claims().publish(attempt, asset, files, desk.library, finished(asset_id), tail_seconds=0.1)


def _made(desk: Desk, asked: FilmPlan, clips: int) -> Attempt:
    submit(desk.jobs, asked)
    maker = FilmMaker(desk.settings, desk.engine, desk.jobs.tickets, Orders())
    claims = desk.claims()
    job_id = claims.claim("film", "film")
    attempt = claims.begin(job_id or "", "film")
    assert attempt is not None

    def render() -> None:
        for number in range(clips):
            until = time.monotonic() + 60
            while not desk.jobs.list(states=("queued",), takes=True) and time.monotonic() < until:
                time.sleep(0.05)
            _render(desk, f"clip-{number}-{new_id()}")

    rendering = threading.Thread(target=render)
    rendering.start()
    try:
        assert maker.make(attempt)
    finally:
        rendering.join()
    return attempt


def _bars(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [_where(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


@pytest.mark.slow
def test_a_shot_goes_on_where_the_one_before_ends(desk: Desk) -> None:
    asked = _two()
    attempt = _made(desk, asked, 2)
    job = desk.job(attempt.job.id)
    asset = desk.library.get(job.asset_id or "")
    assert asset is not None
    moved = np.diff(_bars(desk.library.file(asset))) * WIDTH
    # 22 of the first clip's 25 frames, then all of the second's: never a stand, a step back, or a leap.
    assert asset.frames in (46, 47)
    assert np.abs(moved - SPEED).max() < 1.6, moved.round(1)
    assert moved.sum() == pytest.approx(SPEED * (asset.frames - 1), abs=5)

    assert asset.plan is not None
    begins = asset.plan.shots[1].requests[0].first_frame
    assert begins != NOT_YET
    assert place_of(desk.settings.studio_home, begins).is_file()
    first, second = sorted(desk.library.clips_of(asset.id), key=lambda clip: clip.created)
    assert second.request is not None
    assert second.request.first_frame == begins
    assert first.request is not None
    assert first.request.first_frame == ""

    # Made again, nothing is rendered anew: the take's key is that of the picture it began with.
    again = _made(desk, asked.model_copy(update={"title": "again"}), 0)
    assert desk.job(again.job.id).state == "done"
    assert not desk.jobs.list(states=("queued",), takes=True)


@pytest.mark.slow
def test_three_shots_are_one_movement(desk: Desk) -> None:
    two = _two()
    middle = two.shots[1].model_copy(update={"transition": "cut"})
    # The first is played slower than it is, as under a longer voice.
    first = two.shots[0].model_copy(update={"seconds": 1.1})
    third = _shot(3, another(_request("and on", NOT_YET)), continues=True)
    attempt = _made(desk, two.model_copy(update={"shots": (first, middle, third)}), 3)
    asset = desk.library.get(desk.job(attempt.job.id).asset_id or "")
    assert asset is not None
    moved = np.diff(_bars(desk.library.file(asset))) * WIDTH
    assert moved.min() > 2.0, moved.round(1)
    assert moved.max() < SPEED + 1.6, moved.round(1)


def test_a_take_that_waits_for_another_one_is_never_asked_for(desk: Desk) -> None:
    asked = _two()
    assert [waits(request) for request in asked.requests()] == [False, True]
    submit(desk.jobs, asked)
    claims = desk.claims()
    attempt = claims.begin(claims.claim("film", "film") or "", "film")
    assert attempt is not None
    orders = Orders()
    maker = FilmMaker(desk.settings, desk.engine, desk.jobs.tickets, orders)
    making = threading.Thread(target=lambda: _ended(maker, attempt))
    making.start()
    until = time.monotonic() + 20
    while not desk.jobs.list(states=("queued",), takes=True) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    orders.stopping.set()
    making.join()
    keys = [key_of(job.request) for job in desk.jobs.list(takes=True) if job.request]
    assert keys == [key_of(asked.shots[0].requests[0])]


def _ended(maker: FilmMaker, attempt: Attempt) -> None:
    from pipelines.request import Cancelled

    with pytest.raises(Cancelled):
        maker.make(attempt)


def test_a_take_whose_file_is_gone_says_which_shot_can_not_go_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.pictures import Pictures
    from studio.refusal import Refused

    def gone(*_: object) -> None:
        raise Refused(Notice("clip_short"))

    monkeypatch.setattr(Pictures, "keep_frame", gone)
    with pytest.raises(FilmFailed) as error:
        _made(desk, _two(), 1)
    assert error.value.notice == Notice("shot_failed", {"number": 2, "reason": Notice("clip_short")})
