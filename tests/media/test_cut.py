"""One shot as a file: all its frames, in the right order, size, speed and colours, and made once."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from pipelines.request import Cancelled
from studio.media.canvas import Canvas
from studio.media.cut import cut_shot, shot_frames, shot_graph, shot_name, stretches
from studio.media.ffmpeg import MediaError, arguments
from studio.media.label import Corner, LabelStyle
from studio.media.looks import LOOKS
from studio.media.probe import probe
from studio.media.timeline import Caption, Move, Piece, ShotCut
from studio.styles import STYLES
from studio.words import LANGUAGES, say
from tests.media.film_kit import COLOURS, LABEL, centres, named, pictures, plain, ramp, shot, write_frames

CANVAS = Canvas(256, 144, 24)


def made(one: ShotCut, folder: Path, canvas: Canvas = CANVAS, **options: Any) -> np.ndarray:
    """The frames of the shot's file."""
    path = cut_shot(one, 1, canvas, folder, **options)
    assert probe(path).frames == shot_frames(one, canvas.fps)
    return pictures(path)


def light(frames: np.ndarray) -> np.ndarray:
    """How light the middle of each frame is."""
    height, width = frames.shape[1:3]
    return frames[:, height // 4 : height // 2, width // 4 : width // 2].mean(axis=(1, 2, 3))


def test_the_command_is_data(tmp_path: Path) -> None:
    clip = plain(tmp_path, "red")
    one = shot(clip, move="push_in")
    argv = arguments(shot_graph(stretches(one, 1, 24), one, CANVAS, tmp_path / "out.mp4"))
    graph = argv[argv.index("-filter_complex") + 1]
    assert "mi_mode=blend" in graph
    assert "perspective" in graph
    assert "scale=1" not in graph
    assert argv[argv.index("-protocol_whitelist") + 1] == "file"
    assert argv[argv.index("-f") + 1] == "mp4"
    assert argv[-2:] == [f"file:{tmp_path / 'out.mp4'}", "-y"]
    assert LABEL.text not in " ".join(argv)


def test_frames_between_the_clips_own_are_made_of_both_and_none_stands_still(tmp_path: Path) -> None:
    steps = np.diff(light(made(shot(ramp(tmp_path), 17 / 8), tmp_path)))
    assert (steps > 1.5).all()
    assert (steps < 5.5).all()


@pytest.mark.parametrize(("fps", "film"), [(8, 24), (8, 30), (16, 24), (16, 30), (24, 24), (30, 24)])
def test_any_rate_becomes_any_other_without_losing_time(fps: int, film: int, tmp_path: Path) -> None:
    clip = ramp(tmp_path, fps=fps)
    lights = light(made(shot(clip, 17 / fps), tmp_path, Canvas(256, 144, film)))
    assert (abs(lights[0] - 30), abs(lights[-1] - 190)) < (4, 4)
    expected = np.linspace(lights[0], lights[-1], len(lights))
    assert np.abs(lights - expected).max() < 8


def test_slower_takes_longer_and_shows_the_same(tmp_path: Path) -> None:
    clip = ramp(tmp_path)
    slow = ShotCut((Piece(clip, speed=0.8, label=LABEL),), seconds=17 / 8 / 0.8)
    lights = light(made(slow, tmp_path))
    assert len(lights) == 65
    assert np.abs(lights - np.linspace(30, 190, 65)).max() < 4


def test_a_stretch_is_taken_from_where_it_is_said(tmp_path: Path) -> None:
    clip = ramp(tmp_path)
    part = ShotCut((Piece(clip, start=0.5, seconds=1.0, label=LABEL),), seconds=1.0)
    lights = light(made(part, tmp_path))
    assert (round(lights[0]), round(lights[-1])) == pytest.approx((70, 140), abs=4)


def test_two_takes_follow_each_other_at_the_right_frame(tmp_path: Path) -> None:
    pieces = (
        Piece(plain(tmp_path, "red"), seconds=1.0, label=LABEL),
        Piece(plain(tmp_path, "blue"), label=LABEL),
    )
    path = cut_shot(ShotCut(pieces, 2.0), 1, CANVAS, tmp_path)
    colours = [named(colour) for colour in centres(path)]
    assert colours == ["red"] * 24 + ["blue"] * 25


def test_what_lacks_is_said_with_the_shots_number(tmp_path: Path) -> None:
    for one, code in (
        (shot(plain(tmp_path, "red"), 4.0), "shot_short"),
        (ShotCut((), 1.0), "shot_short"),
        (shot(tmp_path / "gone.mp4"), "shot_file_missing"),
    ):
        with pytest.raises(MediaError) as caught:
            cut_shot(one, 7, CANVAS, tmp_path)
        assert caught.value.code == code
        for language in LANGUAGES:
            assert "7" in say(caught.value.notice, language)


def test_a_text_file_is_no_clip(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("#EXTM3U\nfile:///etc/passwd\n")
    with pytest.raises(MediaError) as caught:
        cut_shot(shot(tmp_path / "a.mp4"), 1, CANVAS, tmp_path)
    assert caught.value.code == "shot_file_bad"


def checked(frames: int = 17) -> list[np.ndarray]:
    """A still pattern with edges."""
    y, x = np.mgrid[:192, :320]
    picture = np.where((x // 32 + y // 32) % 2, 210, 40).astype(np.uint8)
    return [np.repeat(picture[..., None], 3, axis=2)] * frames


def test_a_push_lengthens_a_shot_by_a_second_and_never_freezes(tmp_path: Path) -> None:
    clip = write_frames(tmp_path / "checks.mp4", checked(), 17)
    longer = ShotCut((Piece(clip, push=True, label=LABEL),), seconds=17 / 8 + 1)
    frames = made(longer, tmp_path).astype(int)
    changes = np.abs(np.diff(frames[51:, :, :64], axis=0)).mean(axis=(1, 2, 3))
    assert (changes[3:] > 0.3).all()
    too_long = ShotCut((Piece(clip, push=True, label=LABEL),), seconds=17 / 8 + 1.5)
    with pytest.raises(MediaError) as caught:
        cut_shot(too_long, 1, CANVAS, tmp_path)
    assert caught.value.code == "shot_short"


def test_a_clip_with_its_own_sound_keeps_its_own_pace(tmp_path: Path) -> None:
    clip = ramp(tmp_path, frames=17)
    free = light(made(shot(clip, 2.2), tmp_path))
    exact = ShotCut((Piece(clip, label=LABEL, push=True),), 2.2, keep_sound=True)
    assert [part.hold for part in stretches(exact, 1, 24)] == [0]
    kept = light(made(exact, tmp_path))
    at = np.array([9, 24, 39])
    assert np.abs(kept[at] - (30 + 10 * at / 3)).max() < 3
    assert (free[at] < kept[at] - 0.5).all(), "played a trace slower, to fill the shot"
    longer = ShotCut((Piece(clip, label=LABEL, push=True),), 2.5, keep_sound=True)
    assert [part.hold for part in stretches(longer, 1, 24)] == [10]


def edge(frames: np.ndarray, x: int) -> np.ndarray:
    """Where a dark area on the left ends near column x, finer than a pixel, in each frame."""
    band = frames[:, 40:60, x - 56 : x + 56, 0].astype(float).mean(axis=1)
    low, high = band.min(), band.max()
    return x - 56 + ((high - band) / (high - low)).sum(axis=1)


@pytest.mark.parametrize(
    ("move", "way"), [("push_in", -1), ("pull_out", 1), ("pan_left", 1), ("pan_right", -1)]
)
def test_moves_go_one_way_and_do_not_tremble(move: Move, way: int, tmp_path: Path) -> None:
    picture = np.full((192, 320, 3), 220, np.uint8)
    picture[:, :100] = 30
    clip = write_frames(tmp_path / "edge.mp4", [picture] * 25, 25)
    frames = made(shot(clip, 3.0, move=move), tmp_path, Canvas(640, 360, 24))
    steps = np.diff(edge(frames, 200)) * way
    assert steps.sum() > 5
    assert steps.min() > -0.1
    assert np.abs(np.diff(steps)).max() < 0.25


def test_nothing_moves_without_a_move(tmp_path: Path) -> None:
    frames = made(shot(write_frames(tmp_path / "a.mp4", checked(), 17)), tmp_path).astype(int)
    assert np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)).max() < 0.5
    assert set(get_args(Move)) == {"none", "push_in", "pull_out", "pan_left", "pan_right"}


@pytest.mark.parametrize("size", [(256, 144), (144, 256), (144, 144)])
def test_a_picture_fills_the_frame_or_stands_before_its_blur_but_is_never_stretched(
    size: tuple[int, int], tmp_path: Path
) -> None:
    picture = np.full((192, 320, 3), (30, 40, 200), np.uint8)
    picture[56:136, 120:200] = (200, 30, 30)  # a square
    clip = write_frames(tmp_path / "square.mp4", [picture] * 17, 17)
    frame = made(shot(clip), tmp_path, Canvas(*size, 24))[20].astype(int)
    red = (frame[..., 0] > 140) & (frame[..., 2] < 90)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert abs(np.ptp(rows) - np.ptp(columns)) <= 2
    assert abs(rows.mean() - size[1] / 2) <= 2
    assert abs(columns.mean() - size[0] / 2) <= 2
    corners = frame[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners[:, 2] > corners[:, 0] + 60).all(), "no black bars"


def test_the_label_of_the_clip_is_covered(tmp_path: Path) -> None:
    clip = plain(tmp_path, "sand")
    bare = ShotCut((Piece(clip),), 2.0)
    seen = [np.ptp(made(one, tmp_path)[10].reshape(-1, 3), axis=0).max() for one in (bare, shot(clip))]
    assert (seen[0] > 40, seen[1] < 12) == (True, True)


@pytest.mark.parametrize("corner", get_args(Corner))
@pytest.mark.parametrize("start", [0.0, 1.0, 3.0])
def test_a_label_of_the_opening_seconds_is_covered_where_and_while_it_stands(
    corner: Corner, start: float, tmp_path: Path
) -> None:
    """Covering what lies bare would blur it: afterwards the picture is as it is."""
    label = LabelStyle(corner=corner, seconds=2.0)
    sand = np.full((192, 320, 3), COLOURS["sand"], np.uint8)
    write_frames(tmp_path / "sand.mp4", [sand] * 41, 41, label=label)
    clip = write_frames(tmp_path / "checks.mp4", checked(41), 41, label=label)
    canvas = Canvas(320, 192, 8)
    plain_shot = ShotCut((Piece(tmp_path / "sand.mp4", start=start, label=label),), 2.0)
    light = made(plain_shot, tmp_path, canvas) @ [0.2126, 0.7152, 0.0722]
    assert np.ptp(light.reshape(len(light), -1), axis=1).max() < 10, "nothing of the label is left"
    frames = made(ShotCut((Piece(clip, start=start, label=label),), 2.0), tmp_path, canvas)
    bare = max(0, round(label.frames(8)) - round(start * 8))
    for number in range(len(frames) - 1):
        apart = np.abs(frames[number].astype(int) - checked(1)[0]).max(axis=2) > 60
        assert apart.any() == (number < bare)


def test_each_style_has_a_look_and_each_look_works(tmp_path: Path) -> None:
    assert set(STYLES) <= set(LOOKS)
    clip = plain(tmp_path, "red", frames=9)
    for look in LOOKS:
        colour = light(made(shot(clip, 1.0), tmp_path, Canvas(256, 144, 24, look)))
        assert 40 < colour.mean() < 140
    grey = centres(tmp_path / shot_name(shot(clip, 1.0), Canvas(256, 144, 24, "mono")))
    assert np.ptp(grey, axis=1).max() < 6
    with pytest.raises(ValueError, match="no look"):
        made(shot(clip, 1.0), tmp_path, Canvas(256, 144, 24, "movie=/etc/passwd"))


@pytest.mark.slow
def test_motion_compensation_keeps_the_count(tmp_path: Path) -> None:
    lights = light(made(shot(ramp(tmp_path), 17 / 8), tmp_path, Canvas(256, 144, 24, fps_mode="motion")))
    assert (np.diff(lights) > 0).mean() > 0.9


def test_a_shot_is_made_once_and_again_only_if_its_pictures_change(tmp_path: Path) -> None:
    clip = plain(tmp_path, "red", frames=9)
    one = shot(clip, 1.0)
    path = cut_shot(one, 1, CANVAS, tmp_path)
    before = path.stat().st_mtime_ns
    captions = (Caption(0, 1, {"en": "other words"}),)
    same = shot(clip, 1.0, transition="crossfade", voice=tmp_path / "v.wav", captions=captions, title="x")
    assert cut_shot(same, 3, CANVAS, tmp_path) == path
    assert path.stat().st_mtime_ns == before
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.read_bytes())
    assert shot_name(shot(copy, 1.0), CANVAS) == path.name, "what counts is what is in the file"
    others = [
        shot_name(shot(clip, 0.9), CANVAS),
        shot_name(shot(clip, 1.0, move="push_in"), CANVAS),
        shot_name(one, Canvas(256, 144, 30)),
        shot_name(one, Canvas(256, 144, 24, "mono")),
        shot_name(shot(plain(tmp_path, "blue", frames=9), 1.0), CANVAS),
    ]
    assert len({path.name, *others}) == 6


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    clip = plain(tmp_path, "red", frames=41)
    work = tmp_path / "work"
    work.mkdir()
    for stop in (lambda: True, lambda: len(list(work.iterdir())) > 0):
        with pytest.raises(Cancelled):
            cut_shot(shot(clip, 5.0, move="push_in"), 1, Canvas(1920, 1080, 30), work, should_stop=stop)
        assert list(work.iterdir()) == []
