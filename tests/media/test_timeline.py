"""A film's time: whole frames, nothing drifts, nothing is lost between two shots."""

import random
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from studio.media.label import Corner, LabelStyle
from studio.media.timeline import (
    FORMATS,
    EndCard,
    FilmCut,
    Format,
    Logo,
    Piece,
    ShotCut,
    TransitionKind,
    frame_size,
    label_of,
    layout,
)

CLIP = Path("clip.mp4")


def cut_of(*shots: ShotCut, fps: int = 24, **changed: object) -> FilmCut:
    options = {"format": "16:9", "height": 720, "fps": fps, "label": LabelStyle(), "comment": ""}
    return FilmCut(shots, **(options | changed))  # type: ignore[arg-type]


def shot(seconds: float, transition: TransitionKind = "cut", over: float = 0.5, title: str = "") -> ShotCut:
    return ShotCut((Piece(CLIP),), seconds, transition=transition, transition_seconds=over, title=title)


@pytest.mark.parametrize(
    ("format", "height", "size"),
    [
        ("16:9", 720, (1280, 720)),
        ("16:9", 1080, (1920, 1080)),
        ("9:16", 720, (720, 1280)),
        ("1:1", 1080, (1080, 1080)),
        ("16:9", 192, (342, 192)),
        ("9:16", 480, (480, 854)),
    ],
)
def test_the_frame_of_each_format(format: Format, height: int, size: tuple[int, int]) -> None:
    assert frame_size(format, height) == size


def test_every_frame_has_even_sides_and_the_right_shape() -> None:
    for format, (across, down) in FORMATS.items():
        for height in range(144, 2161):
            width, tall = frame_size(format, height)
            assert width % 2 == tall % 2 == 0
            assert abs(width / tall - across / down) < 0.02
    for height in (0, 143, 2161):
        with pytest.raises(ValueError, match="144 to 2160"):
            frame_size("16:9", height)


@pytest.mark.parametrize("fps", [8, 16, 24, 25, 30])
def test_lengths_add_up_within_a_frame_whatever_they_are(fps: int) -> None:
    rng = random.Random(fps)
    for _ in range(50):
        shots = [
            shot(rng.uniform(0.8, 9.0), rng.choice(get_args(TransitionKind)), rng.uniform(0, 1.5))
            for _ in range(24)
        ]
        lay = layout(cut_of(*shots, fps=fps))
        exact = 0.0
        for at, (one, span) in enumerate(zip(shots, lay.shots, strict=True)):
            assert abs(span.start - exact * fps) <= 0.5 + 1e-6
            assert abs(span.end - (exact + one.seconds) * fps) <= 0.5 + 1e-6
            following = shots[at + 1].seconds if at < 23 else 99.0
            over = 0.0 if one.transition == "cut" or at == 23 else one.transition_seconds
            exact += one.seconds - min(over, 0.4 * min(one.seconds, following))
        assert abs(lay.frames - exact * fps) <= 0.5 + 1e-6


def test_every_frame_belongs_to_a_shot_and_only_transitions_to_two() -> None:
    rng = random.Random(1)
    for _ in range(100):
        shots = [shot(rng.uniform(0.3, 3), "crossfade", rng.uniform(0, 3)) for _ in range(rng.randint(1, 24))]
        lay = layout(cut_of(*shots, end_card=EndCard("end")))
        assert lay.card is not None
        spans = [*lay.shots, lay.card]
        assert spans[0].start == 0
        for before, after in pairwise(spans):
            assert after.start == before.end - before.overlap
            assert 0 <= before.overlap < min(before.frames, after.frames)
        for first, middle in pairwise(spans[:-1]):
            assert first.overlap + middle.overlap <= middle.frames
        assert spans[-1].end == lay.frames


def test_a_cut_shares_no_frame_and_the_last_shot_leads_nowhere() -> None:
    lay = layout(cut_of(shot(2), shot(2, "crossfade")))
    assert [span.overlap for span in lay.shots] == [0, 0]
    assert (lay.frames, lay.card) == (96, None)


def test_the_end_card_is_always_faded_in() -> None:
    lay = layout(cut_of(shot(2), end_card=EndCard("end", seconds=2)))
    assert lay.shots[0].overlap == 12
    assert (lay.frames, lay.seconds(lay.frames)) == (84, 3.5)


def test_chapters_follow_each_other_from_the_first_frame_to_the_last() -> None:
    lay = layout(cut_of(shot(2), shot(2, title="one"), shot(2), shot(2, title="two")))
    assert [(mark.start, mark.end, mark.title) for mark in lay.chapters] == [
        (0, 144, "one"),
        (144, 192, "two"),
    ]
    assert layout(cut_of(shot(2))).chapters == ()


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 0.05])
def test_a_shot_without_a_length_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="two frames"):
        layout(cut_of(shot(2), shot(seconds)))


def test_a_film_has_a_shot_and_a_rate() -> None:
    with pytest.raises(ValueError, match="one shot"):
        layout(cut_of())
    with pytest.raises(ValueError, match="8 to 60"):
        layout(cut_of(shot(2), fps=0))


def test_the_label_leaves_its_corner_to_the_logo() -> None:
    across = {"left": "right", "right": "left"}
    for own in get_args(Corner):
        for logo in get_args(Corner):
            cut = cut_of(shot(2), label=LabelStyle(corner=own, seconds=3), logo=Logo(CLIP, logo))
            edge, side = own.split("_")
            expected = f"{edge}_{across[side]}" if own == logo else own
            assert label_of(cut) == LabelStyle(corner=expected, seconds=3)
    assert label_of(cut_of(shot(2))).corner == "bottom_right"
