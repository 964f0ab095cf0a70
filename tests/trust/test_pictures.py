"""Finished pictures are looked at, by real checkers on harmless frames and by a stand-in for the rest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import ffmpeg
import numpy as np
import pytest

from pipelines.request import Cancelled, Notice
from studio.media.ffmpeg import MediaError, run
from studio.settings import Settings
from studio.trust import frames, nudity, pictures
from studio.trust.frames import MOST, SIDE, Sample, samples
from studio.trust.nudity import Nudenet, Opennsfw
from studio.trust.pictures import LIMITS, Checker, CheckerFailed, Limit, Score, check_pictures
from studio.trust.texts import CATEGORIES
from studio.words import LANGUAGES, say
from tests.media.film_kit import plain, write_frames

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class StandIn:
    """A checker that sees what it is told: the picture's number to a score."""

    seen: dict[int, float] = field(default_factory=dict)
    name: str = "stand-in"
    categories: frozenset[str] = frozenset({"sexual"})
    error: CheckerFailed | None = None
    got: Sequence[Sample] = ()

    def scores(self, pictures: Sequence[Sample], should_stop: Callable[[], bool]) -> Iterator[Score]:
        self.got = pictures
        for number, picture in enumerate(pictures):
            yield Score(min(self.categories), self.seen.get(number, 0.01), picture.second)
        if self.error:
            raise self.error


def numbered(path: Path, count: int, *, fps: int = 8, size: tuple[int, int] = (64, 64)) -> Path:
    """A clip whose red tells a frame's number, in steps of two."""
    width, height = size
    pictures = (np.full((height, width, 3), (2 * number, 40, 90), np.uint8) for number in range(count))
    return write_frames(path, pictures, count, fps=fps)


# -- which frames are looked at ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "fps", "seconds"),
    [
        (1, 8, [0.0]),
        (2, 8, [0.0, 0.12]),
        (9, 8, [0.0, 0.5, 1.0]),
        (41, 8, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
    ],
)
def test_one_frame_a_second_the_first_and_the_last_among_them(
    tmp_path: Path, count: int, fps: int, seconds: list[float]
) -> None:
    found = samples(numbered(tmp_path / "a.mp4", count, fps=fps))
    assert [one.second for one in found] == pytest.approx(seconds, abs=0.07)
    # Each picture is the one that is seen then.
    shown = [float(one.rgb[:20, :20, 0].mean()) for one in found]
    assert shown == pytest.approx([2 * round(second * fps) for second in seconds], abs=4)


def test_a_long_film_is_sampled_from_all_over(tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    source = ffmpeg.input("testsrc2=s=64x64:r=8:d=90", f="lavfi")
    run(ffmpeg.output(source, str(path), vcodec="libx264", preset="ultrafast", pix_fmt="yuv420p"))
    found = samples(path)
    assert len(found) == MOST
    steps = np.diff([one.second for one in found])
    assert found[0].second == 0.0
    assert found[-1].second == pytest.approx(90 - 1 / 8, abs=0.01)
    assert steps.min() > 3.5
    assert steps.max() < 4.2


def test_frames_that_stand_longer_are_not_looked_at_more_often(tmp_path: Path) -> None:
    path = tmp_path / "uneven.mp4"
    source = ffmpeg.input("testsrc2=s=64x64:r=10:d=4", f="lavfi")
    uneven = source.filter("setpts", "if(lt(N,30),N*0.01/TB,(N-29)*1/TB)")
    graph = ffmpeg.output(
        uneven, str(path), vcodec="libx264", preset="ultrafast", pix_fmt="yuv420p", fps_mode="vfr"
    )
    run(graph)
    found = [one.second for one in samples(path)]
    assert found == sorted(set(found))
    assert np.diff(found).max() <= 1.05


def test_pictures_are_small_whatever_the_film_is(tmp_path: Path) -> None:
    for name, size in (("wide", (1920, 1080)), ("tall", (480, 1280)), ("tiny", (64, 64))):
        for one in samples(plain(tmp_path, "sand", frames=2, size=size)):
            assert max(one.rgb.shape[:2]) == min(SIDE, max(size)), name
            assert one.rgb.shape[1] / one.rgb.shape[0] == pytest.approx(size[0] / size[1], rel=0.01)
            assert one.rgb.dtype == np.uint8


def test_colours_are_what_people_see(tmp_path: Path) -> None:
    (first, *_) = samples(plain(tmp_path, "sand"))
    assert np.abs(first.rgb[:50, :50].astype(int) - (210, 180, 90)).max() <= 4


# -- files that are no film --------------------------------------------------------------------------------


def _sound_only(path: Path) -> None:
    run(ffmpeg.output(ffmpeg.input("sine=440:d=1", f="lavfi"), str(path), acodec="aac"))


def _playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")


def _cut_off(path: Path) -> None:
    whole = plain(path.parent, "red").read_bytes()
    path.write_bytes(whole[: len(whole) // 20])


def _no_frames(path: Path) -> None:
    # The index is there, the pictures are not.
    whole = numbered(path.with_name("whole.mp4"), 9).read_bytes()
    path.write_bytes(whole[: whole.index(b"mdat") + 4])


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: path.touch(), "file_empty"),
        (lambda path: path.write_bytes(b"<html>hello</html>" * 99), "not_a_video"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(9999)), "not_a_video"),
        (_playlist, "not_a_video"),
        (_sound_only, "not_a_video"),
        (_cut_off, "not_a_video"),
        (_no_frames, "not_a_video"),
    ],
)
def test_what_nobody_can_look_at_does_not_pass(
    tmp_path: Path, make: Callable[[Path], object], code: str
) -> None:
    path = tmp_path / "odd.mp4"
    make(path)
    with pytest.raises(MediaError) as caught:
        check_pictures(path, checkers=[StandIn()])
    assert caught.value.code == code


def test_damaged_pictures_never_pass_unseen(tmp_path: Path) -> None:
    whole = bytearray(numbered(tmp_path / "a.mp4", 41, size=(320, 192)).read_bytes())
    start = whole.index(b"mdat") + 8
    whole[start:] = bytes(len(whole) - start)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(whole)
    with pytest.raises(MediaError):
        samples(broken)


def test_huge_frames_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "huge.mp4"
    source = ffmpeg.input("color=red:s=4224x64:r=4:d=1", f="lavfi")
    run(ffmpeg.output(source, str(path), vcodec="libx264", preset="ultrafast", pix_fmt="yuv420p"))
    with pytest.raises(MediaError) as caught:
        samples(path)
    assert caught.value.code == "picture_too_large"
    for language in LANGUAGES:
        assert str(frames.MAX_SIDE) in say(caught.value.notice, language)


def test_a_container_that_understates_its_frames_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plain(tmp_path, "red", size=(512, 512))
    data = path.read_bytes()
    # The sizes in the index (avc1: height and width as 16 bits each).
    assert data.count(b"\x02\x00\x02\x00\x00\x48") == 1
    path.write_bytes(data.replace(b"\x02\x00\x02\x00\x00\x48", b"\x00\x40\x00\x40\x00\x48"))
    monkeypatch.setattr(frames, "MAX_SIDE", 256)
    with pytest.raises(MediaError):
        samples(path)


def test_looking_can_be_cancelled(tmp_path: Path) -> None:
    path = plain(tmp_path, "red")
    with pytest.raises(Cancelled):
        check_pictures(path, checkers=[StandIn()], should_stop=lambda: True)
    some = samples(path)
    for checker in (Opennsfw(), Nudenet()):
        with pytest.raises(Cancelled):
            list(checker.scores(some, lambda: True))


# -- what scores lead to -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "outcome"), [(0.49, "allow"), (0.5, "hold"), (0.84, "hold"), (0.85, "block"), (1.0, "block")]
)
def test_the_worst_frame_decides(tmp_path: Path, score: float, outcome: str) -> None:
    path = numbered(tmp_path / "a.mp4", 41)
    checker = StandIn({3: score, 4: score - 0.1})
    verdict = check_pictures(path, checkers=[checker])
    assert verdict.outcome == outcome
    assert (verdict.checked, verdict.by) == (6, ("stand-in",))
    assert verdict.scores == {"sexual": score}
    if outcome == "allow":
        assert verdict.findings == ()
        return
    (finding,) = verdict.findings
    assert (finding.category, finding.score, finding.second) == ("sexual", score, 3.0)
    assert (finding.outcome, finding.source) == (outcome, "stand-in")
    for language in LANGUAGES:
        assert say(finding.notice, language) != say("generic", language)


def test_several_checkers_are_heard_and_the_strictest_counts(tmp_path: Path) -> None:
    path = plain(tmp_path, "sand")
    mild = StandIn({0: 0.6}, name="mild")
    strict = StandIn({1: 0.9}, name="strict", categories=frozenset({"gore"}))
    verdict = check_pictures(path, checkers=[mild, strict])
    assert verdict.outcome == "block"
    assert [(one.source, one.category, one.outcome) for one in verdict.findings] == [
        ("strict", "gore", "block"),
        ("mild", "sexual", "hold"),
    ]
    assert verdict.scores == {"sexual": 0.6, "gore": 0.9}
    assert set(verdict.unchecked) == set(CATEGORIES) - {"sexual", "gore"}


def test_the_policy_can_be_milder_or_stricter(tmp_path: Path) -> None:
    path = plain(tmp_path, "sand")
    checker = StandIn({0: 0.9})

    def outcome(**policy: object) -> str:
        return check_pictures(path, checkers=[checker], **policy).outcome  # type: ignore[arg-type]

    assert outcome() == "block"
    assert outcome(outcomes={"sexual": "hold"}) == "hold"
    assert outcome(outcomes={"sexual": "allow"}) == "allow"
    assert outcome(outcomes={"gore": "allow"}) == "block"
    assert outcome(limits={"sexual": Limit(0.95)}) == "allow"
    assert outcome(limits={"sexual": Limit(0.1)}) == "hold"
    # A category that nobody gave a limit is held rather than passed.
    assert outcome(limits={}) == "hold"


def test_every_category_has_a_limit_and_words() -> None:
    assert set(LIMITS) == set(CATEGORIES)
    for language in LANGUAGES:
        for category in CATEGORIES:
            assert say(f"picture_{category}", language) != say("generic", language)


@pytest.mark.parametrize(
    ("excused", "when_down", "outcome"),
    [
        (True, "hold", "hold"),
        (True, "allow", "allow"),
        (False, "allow", "hold"),
    ],
)
def test_a_checker_that_fails_is_told_and_its_pictures_wait(
    tmp_path: Path, excused: bool, when_down: str, outcome: str
) -> None:
    error = CheckerFailed(Notice("checker_failed", {"name": "stand-in"}), excused=excused)
    failing = StandIn(name="failing", categories=frozenset({"gore"}), error=error)
    verdict = check_pictures(
        plain(tmp_path, "sand"),
        checkers=[StandIn(), failing],
        when_down=when_down,  # type: ignore[arg-type]
    )
    assert verdict.outcome == outcome
    assert verdict.by == ("stand-in",)
    assert "gore" in verdict.unchecked
    assert verdict.problems == (error.notice,)


def test_what_a_checker_saw_before_it_failed_still_counts(tmp_path: Path) -> None:
    error = CheckerFailed(Notice("vision_down", {"host": "x"}), excused=True)
    failing = StandIn({0: 0.9}, error=error)
    verdict = check_pictures(plain(tmp_path, "sand"), checkers=[failing], when_down="allow")
    assert verdict.outcome == "block"


def test_without_a_checker_everything_counts_as_unchecked(tmp_path: Path) -> None:
    verdict = check_pictures(plain(tmp_path, "sand"), checkers=[])
    assert (verdict.by, verdict.unchecked) == ((), CATEGORIES)


# -- who looks ---------------------------------------------------------------------------------------------


def _names(**environment: str) -> list[str]:
    found: tuple[Checker, ...] = pictures.checkers(Settings.from_env(environment))
    return [checker.name for checker in found]


def test_the_settings_say_who_looks_and_the_one_that_ships_always_does() -> None:
    assert _names() == ["opennsfw"]
    assert _names(PICTURE_CHECKERS="nudenet") == ["opennsfw", "nudenet"]
    assert _names(PICTURE_CHECKERS="nudenet, opennsfw") == ["opennsfw", "nudenet"]
    assert _names(VISION_BASE_URL="http://127.0.0.1:9/v1") == ["opennsfw", "vision"]


@pytest.mark.skipif(nudity.installed("nudenet"), reason="somebody has installed it")
def test_a_plug_in_that_is_named_but_not_installed_holds_the_pictures(tmp_path: Path) -> None:
    checkers = pictures.checkers(Settings.from_env({"PICTURE_CHECKERS": "nudenet"}))
    verdict = check_pictures(plain(tmp_path, "sand"), checkers=checkers, when_down="allow")
    assert (verdict.outcome, verdict.by) == ("hold", ("opennsfw",))
    assert verdict.problems == (Notice("checker_missing", {"name": "nudenet"}),)


def test_an_agpl_package_is_not_required() -> None:
    for path in ROOT.glob("requirements*.txt"):
        assert "nudenet" not in path.read_text(encoding="utf-8").lower()


def test_frames_hold_no_file_open(tmp_path: Path) -> None:
    path = plain(tmp_path, "sand")
    samples(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        samples(path)
