"""More frames a second: counts and moments are exact, and nobody keeps a film in memory."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import pytest

from studio.media.pace import blended, is_cut, paced, paced_frames


def plain(value: int) -> np.ndarray:
    return np.full((16, 16, 3), value, np.uint8)


@pytest.mark.parametrize(
    ("frames", "fps", "wanted", "expected"),
    [(81, 16, 24, 121), (81, 16, 30, 151), (81, 16, 60, 301), (121, 24, 30, 151), (41, 8, 24, 121),
     (80, 16, 24, 119), (2, 16, 60, 4), (1, 16, 60, 1), (81, 16, 16, 81), (121, 24, 16, 121)],
)  # fmt: skip
def test_counts_reach_from_the_first_frame_to_the_last(
    frames: int, fps: int, wanted: int, expected: int
) -> None:
    assert paced_frames(frames, fps, wanted) == expected
    made = list(paced((plain(number) for number in range(frames)), fps, wanted, blended))
    assert len(made) == expected


@pytest.mark.parametrize(("fps", "wanted"), [(16, 24), (16, 30), (16, 60), (24, 30), (8, 60)])
def test_each_frame_shows_its_own_moment(fps: int, wanted: int) -> None:
    asked: list[tuple[int, float]] = []

    def between(first: np.ndarray, second: np.ndarray, shares: Sequence[float]) -> list[np.ndarray]:
        asked.extend((int(first[0, 0, 0]), share) for share in shares)
        assert second[0, 0, 0] == first[0, 0, 0] + 1
        return [plain(200) for _ in shares]

    made = list(paced((plain(number) for number in range(9)), fps, wanted, between))
    moments = [Fraction(number * fps, wanted) for number in range(len(made))]
    expected = [(int(one), float(one - int(one))) for one in moments if one.denominator > 1]
    assert [number for number, _ in asked] == [number for number, _ in expected]
    assert [share for _, share in asked] == pytest.approx([share for _, share in expected])
    for frame, moment in zip(made, moments, strict=True):
        assert frame[0, 0, 0] == (200 if moment.denominator > 1 else int(moment)), "its own frames stay"


def test_blended_lies_between() -> None:
    low, high = blended(plain(10), plain(90), [0.25, 0.75])
    assert (low[0, 0, 0], high[0, 0, 0]) == (30, 70)
    assert blended(plain(255), plain(255), [0.3])[0].min() == 255


def test_across_a_cut_nothing_is_mixed() -> None:
    assert is_cut(plain(20), plain(220))
    assert not is_cut(plain(20), plain(60))
    made = list(paced(iter([plain(20), plain(220), plain(230)]), 10, 30, blended))
    assert [int(frame[0, 0, 0]) for frame in made] == [20, 20, 220, 220, 223, 227, 230]


def test_frames_are_taken_one_by_one() -> None:
    taken: list[int] = []

    def source() -> Iterator[np.ndarray]:
        for number in range(100):
            taken.append(number)
            yield plain(number)

    made = paced(source(), 16, 60, blended)
    for _ in range(5):
        next(made)
    assert len(taken) == 3
