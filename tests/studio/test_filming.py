"""A film made in this very process: real clips, a tone for a voice, the real ffmpeg; no worker, no model."""

import os
import secrets
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from pipelines.request import Notice
from studio.claims import Attempt
from studio.db import writing
from studio.filming import FilmFailed, FilmMaker
from studio.hands import Hand, Orders, alone
from studio.media.probe import probe
from studio.settings import Settings
from studio.story.film_plan import FilmPlan
from studio.voice.speak import Speech, Spoken
from tests.film_kit import film, plan, render, shot, submit, take
from tests.queue_kit import Desk, wait_for


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(Settings(studio_home=tmp_path / "home", worker_id="w1"))


def _maker(desk: Desk, orders: Orders | None = None, **more: Any) -> FilmMaker:
    return FilmMaker(desk.settings, desk.engine, desk.jobs.tickets, orders or Orders(), **more)


def _begin(desk: Desk) -> Attempt:
    claims = desk.claims()
    ticket = secrets.token_hex(4)
    job_id = claims.claim(ticket, "film")
    assert job_id is not None
    attempt = claims.begin(job_id, ticket)
    assert attempt is not None
    return attempt


def _tone(home: Path, seconds: float, *notices: Notice) -> Callable[..., Speech]:
    """A narrator that hums for so long, in two sentences."""

    def speak(plan: FilmPlan, text: str, should_stop: Callable[[], bool]) -> Speech:
        path = home / "voice" / f"{abs(hash(text))}.wav"
        path.parent.mkdir(exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(24_000)
            beats = np.sin(np.arange(round(seconds * 24_000)) / 20) * 8000
            file.writeframes(beats.astype("<i2").tobytes())
        half = seconds / 2
        return Speech(path, seconds, (Spoken("一。", 0, half - 0.1), Spoken("二。", half, seconds)), notices)

    return speak


def test_a_film_is_made_from_what_is_there(desk: Desk) -> None:
    shots = [shot(n, take(f"shot {n}"), narration=f"{n}一。二。") for n in (1, 2)]
    asked = film(shots, narrate=True, subtitles=("zh",), title="两个镜头")
    submit(desk.jobs, asked)
    maker, attempt = (
        _maker(desk, speak=_tone(desk.settings.studio_home, 1.6, Notice("voice_x"))),
        _begin(desk),
    )
    made = threading.Thread(target=lambda: [_render_when_asked(desk, n) for n in (1, 2)])
    made.start()
    assert maker.make(attempt)
    made.join()
    job = desk.job(attempt.job.id)
    assert (job.state, job.notices) == ("done", (Notice("voice_x"),))
    asset = desk.library.get(job.asset_id or "")
    assert asset is not None
    # 0.35 + 1.6 + 0.35 seconds each, half a second shared.
    assert asset.frames == round((2.3 * 2 - 0.5) * 24)
    assert probe(desk.library.file(asset)).frames == asset.frames
    assert len(desk.library.clips_of(asset.id)) == 2
    shots_kept = list((desk.settings.studio_home / "work" / "story").glob("shot-*.mp4"))
    assert len(shots_kept) == 2
    times = {path: path.stat().st_mtime_ns for path in shots_kept}

    # The same film again: no take, no shot is made anew.
    submit(desk.jobs, asked.model_copy(update={"title": "noch einmal", "music": "calm"}))
    assert maker.make(_begin(desk))
    assert {path: path.stat().st_mtime_ns for path in shots_kept} == times
    assert desk.jobs.list(states=("queued",), takes=True) == []


def test_a_voice_longer_than_two_takes_is_shown_over_them_again_and_that_is_said(desk: Desk) -> None:
    submit(desk.jobs, film([shot(1, take("a"), narration="很长。很长。")], narrate=True))
    attempt = _begin(desk)
    made = threading.Thread(target=lambda: [_render_when_asked(desk, n) for n in (1, 2)])
    made.start()
    assert _maker(desk, speak=_tone(desk.settings.studio_home, 12.0)).make(attempt)
    made.join()
    job = desk.job(attempt.job.id)
    assert job.notices == (Notice("shot_looped", {"number": 1}),)
    asset = desk.library.get(job.asset_id or "")
    assert asset is not None
    assert asset.frames == round(12.7 * 24)
    assert sorted(clip.request.seed for clip in desk.library.clips_of(asset.id) if clip.request) == [7, 8]


def _render_when_asked(desk: Desk, number: int) -> None:
    until = time.monotonic() + 30
    while not desk.jobs.list(states=("queued",), takes=True) and time.monotonic() < until:
        time.sleep(0.05)
    render(desk, number)


@pytest.mark.parametrize("what", ["stopping", "draining"])
def test_a_film_in_the_middle_is_given_back_when_its_worker_ends(desk: Desk, what: str) -> None:
    film_id = submit(desk.jobs, plan("never rendered"))
    orders = Orders()
    hand = Hand("film", desk.claims(), orders, alone(_maker(desk, orders).make))
    assert hand.claim("film-ticket") == film_id
    threading.Timer(0.5, getattr(orders, what).set).start()
    assert hand.make(film_id, "film-ticket") == "given back"
    assert (desk.job(film_id).state, desk.job(film_id).attempt, hand.current) == ("queued", 0, None)
    assert hand.claim("another") is None, "it takes no more"
    assert [job.state for job in desk.jobs.takes_of(film_id)] == ["queued"]


def test_a_film_that_is_cancelled_stops_and_lets_go_of_its_takes(desk: Desk) -> None:
    film_id = submit(desk.jobs, plan("never rendered"))
    desk.beat()
    hand = Hand("film", desk.claims(), Orders(), alone(_maker(desk).make))
    assert hand.claim("film-ticket") == film_id
    threading.Timer(0.5, desk.jobs.cancel, [film_id]).start()
    assert hand.make(film_id, "film-ticket") == "cancelled"
    assert [job.state for job in desk.jobs.takes_of(film_id)] == ["cancelled"]


def test_a_database_that_does_not_answer_for_a_moment_fails_no_film(desk: Desk) -> None:
    film_id = submit(desk.jobs, plan("never rendered"))
    orders = Orders()
    hand = Hand("film", desk.claims(), orders, alone(_maker(desk, orders).make))
    assert hand.claim("film-ticket") == film_id
    made = threading.Thread(target=hand.make, args=(film_id, "film-ticket"))
    made.start()
    wait_for(lambda: desk.jobs.takes_of(film_id), 20)
    with writing(desk.engine) as connection:
        connection.execute(sa.text("alter table film_take rename to elsewhere"))
    time.sleep(1.5)
    with writing(desk.engine) as connection:
        connection.execute(sa.text("alter table elsewhere rename to film_take"))
    time.sleep(0.5)
    assert desk.job(film_id).state == "running"
    orders.stopping.set()
    made.join()
    assert desk.job(film_id).state == "queued"


@pytest.mark.parametrize("place", ["media/none.mp4", "../../../etc/passwd", "/etc/passwd", "media"])
def test_a_shot_shows_no_file_from_anywhere_else(desk: Desk, place: str) -> None:
    submit(desk.jobs, film([shot(1, take("a")), shot(2, source={"path": place})]))
    with pytest.raises(FilmFailed) as failed:
        _maker(desk).make(_begin(desk))
    assert failed.value.notice == Notice("shot_file_missing", {"shot": 2})
    assert desk.jobs.list(states=("queued",), takes=True) == [], "nothing was rendered for it"
    if place != "media/none.mp4":
        return
    for field in ("logo", "music"):
        submit(desk.jobs, plan("a", **{field: "../home/secret.key"}))
        with pytest.raises(FilmFailed) as failed:
            _maker(desk).make(_begin(desk))
        assert failed.value.notice == Notice("story_file_gone")


def test_what_nobody_needs_any_more_is_swept_away(desk: Desk) -> None:
    home = desk.settings.studio_home
    old, new = home / "work" / "old", home / "work" / "new"
    kept, gone = home / "voice" / "kept.wav", home / "voice" / "gone.wav"
    model = home / "voice" / "model.onnx"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "shot-1.mp4").write_bytes(b"x")
    for path in (kept, gone, model):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    long_ago = time.time() - 40 * 24 * 3600
    for path in (old, gone, model):
        os.utime(path, (long_ago, long_ago))
    _maker(desk).sweep()
    assert [path.exists() for path in (old, new, kept, gone, model)] == [False, True, True, False, True]
