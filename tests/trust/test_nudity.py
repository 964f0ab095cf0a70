"""The checker that ships: the real model on harmless frames. A stand-in elsewhere tells what is held."""

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.request import Cancelled, Notice
from studio.trust import nudity, pictures
from studio.trust.frames import Sample
from studio.trust.nudity import Nudenet, Opennsfw
from studio.trust.pictures import CheckerFailed, Score, check_pictures
from studio.trust.texts import CATEGORIES
from studio.words import LANGUAGES, say
from tests.media.film_kit import plain, write_frames

ROOT = Path(__file__).resolve().parents[2]


def _skin(kind: str, tone: tuple[int, int, int]) -> np.ndarray:
    rng = np.random.default_rng(1)
    base = np.ones((192, 320, 3)) * tone
    if kind == "shaded":
        base = base * np.linspace(0.6, 1.1, 320)[None, :, None]
    if kind == "grained":
        base = base * (1 + 0.08 * rng.normal(size=(192, 320, 1)))
    return np.clip(base, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["flat", "shaded", "grained"])
def test_what_only_has_the_colour_of_skin_passes(tmp_path: Path, kind: str) -> None:
    tones = [(255, 224, 189), (241, 194, 125), (224, 172, 105), (198, 134, 66), (141, 85, 36), (92, 58, 33)]
    path = write_frames(tmp_path / "skin.mp4", [_skin(kind, tone) for tone in tones], len(tones), fps=1)
    verdict = check_pictures(path, checkers=[Opennsfw()])
    assert (verdict.outcome, verdict.checked) == ("allow", 6)
    assert 0 < verdict.scores["sexual"] < 0.4


def test_the_example_clip_and_the_drawn_covers_pass() -> None:
    verdict = check_pictures(ROOT / "assets" / "examples" / "first.mp4", checkers=[Opennsfw()])
    assert (verdict.outcome, verdict.by, verdict.problems) == ("allow", ("opennsfw",), ())
    assert set(verdict.unchecked) == set(CATEGORIES) - {"sexual"}
    covers = [
        Sample(0.0, np.asarray(Image.open(path).convert("RGB")))
        for path in sorted((ROOT / "assets" / "examples" / "covers").glob("*.webp"))
    ]
    assert len(covers) > 5
    assert max(score.score for score in Opennsfw().scores(covers, lambda: False)) < 0.4


def test_black_white_and_noise_pass(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    odd = [np.zeros((96, 96, 3), np.uint8), np.full((96, 96, 3), 255, np.uint8)]
    odd.append(rng.integers(0, 256, (96, 96, 3), np.uint8))
    path = write_frames(tmp_path / "odd.mp4", odd, 3, fps=1)
    assert check_pictures(path, checkers=[Opennsfw()]).scores["sexual"] < 0.4


def test_the_model_is_loaded_once_and_given_back() -> None:
    some = [Sample(0.0, np.full((64, 64, 3), 90, np.uint8))]
    nudity.release()
    assert not nudity.loaded()
    (first,) = Opennsfw().scores(some, lambda: False)
    session = nudity._session
    (second,) = Opennsfw().scores(some, lambda: False)
    assert nudity._session is session
    assert first == second
    pictures.release()
    assert not nudity.loaded()


def test_several_threads_may_look_at_once() -> None:
    some = [Sample(float(at), np.full((64, 64, 3), 30 * at, np.uint8)) for at in range(4)]
    alone = list(Opennsfw().scores(some, lambda: False))
    found: list[list[Score]] = []
    threads = [
        threading.Thread(target=lambda: found.append(list(Opennsfw().scores(some, lambda: False))))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 3


def test_another_model_in_its_place_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nudity.release()
    monkeypatch.setattr(nudity, "_SHA256", "0" * 64)
    verdict = check_pictures(plain(tmp_path, "sand"), checkers=[Opennsfw()], when_down="allow")
    assert (verdict.outcome, verdict.by) == ("hold", ())
    assert verdict.problems == (Notice("checker_missing", {"name": "opennsfw"}),)
    for language in LANGUAGES:
        assert "opennsfw" in say(verdict.problems[0], language)


@pytest.mark.parametrize("score", [float("nan"), -0.1, 1.1])
def test_a_score_that_is_none_does_not_pass(score: float) -> None:
    with pytest.raises(CheckerFailed):
        nudity._sure(score, "opennsfw")


def test_a_picture_that_cannot_be_read_does_not_pass() -> None:
    with pytest.raises(CheckerFailed) as caught:
        list(Opennsfw().scores([Sample(0.0, np.zeros((8, 8, 7), np.uint8))], lambda: False))
    assert caught.value.notice == Notice("checker_failed", {"name": "opennsfw"})
    assert not caught.value.excused


@pytest.mark.parametrize("checker", [Opennsfw(), Nudenet()])
def test_it_stops_when_told(checker: Opennsfw | Nudenet) -> None:
    with pytest.raises(Cancelled):
        list(checker.scores([Sample(0.0, np.zeros((64, 64, 3), np.uint8))], lambda: True))
