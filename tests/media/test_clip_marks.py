"""What says that AI made a clip: the label in its corner and time, the mark beneath it, the tags."""

from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
import pytest

from studio.media.clip import ClipFacts, write_clip
from studio.media.label import Corner, LabelStyle
from tests.media.pictures import frames

AIGC = '{"Label":"1","ContentProducer":"wan-studio","ProduceID":"a1"}'
COMMENT = '{"studio": "wan-studio", "text": "中文 = ; #"}'


def write(path: Path, pictures: Any = None, **changed: Any) -> ClipFacts:
    options = {"fps": 8, "comment": COMMENT, "label": LabelStyle(), "expected_frames": 17}
    return write_clip(frames(17) if pictures is None else pictures, path=path, **(options | changed))


def touched(path: Path, ground: int = 128) -> list[tuple[int, ...]]:
    """For each frame of a plain clip: left, top, right, bottom of what is not ground; () if nothing."""
    found: list[tuple[int, ...]] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            changed = np.abs(frame.to_ndarray(format="rgb24").astype(int) - ground).max(axis=2) > 12
            rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
            found.append((columns[0], rows[0], columns[-1], rows[-1]) if len(rows) else ())
    return found


GREY = np.full((192, 320, 3), 128, np.uint8)


def test_every_frame_carries_the_label_and_nothing_else_is_touched(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", [GREY] * 17)
    for left, top, right, bottom in touched(tmp_path / "a.mp4"):
        assert (left > 200, top > 140, right > 300, bottom > 170) == (True, True, True, True)


@pytest.mark.parametrize("corner", get_args(Corner))
def test_the_label_stands_in_its_corner_for_its_opening_seconds(corner: Corner, tmp_path: Path) -> None:
    write(
        tmp_path / "a.mp4",
        [GREY] * 33,
        expected_frames=33,
        label=LabelStyle(corner=corner, seconds=2.0),
    )
    seen = touched(tmp_path / "a.mp4")
    # Two seconds of 8 frames, and what of the fade can be seen.
    assert all(seen[:17])
    assert not any(seen[19:])
    for left, top, right, bottom in seen[:16]:
        assert (right < 160, left > 160) == (corner.endswith("left"), corner.endswith("right"))
        assert (bottom < 96, top > 96) == (corner.startswith("top"), corner.startswith("bottom"))
        assert min(left, top, 319 - right, 191 - bottom) >= 3


def test_a_clip_shorter_than_the_labels_seconds_carries_it_on_all_frames(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", [GREY] * 9, expected_frames=9, label=LabelStyle(seconds=5))
    assert all(touched(tmp_path / "a.mp4"))


def test_without_a_label_the_pictures_are_bare_and_the_tags_are_there(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", [GREY] * 17, label=LabelStyle(shown=False), tags={"AIGC": AIGC})
    assert not any(touched(tmp_path / "a.mp4"))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert (container.metadata["AIGC"], container.metadata["comment"]) == (AIGC, COMMENT)
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_marks_lie_beneath_the_label(tmp_path: Path) -> None:
    marked = 0

    def mark(frame: np.ndarray) -> None:
        nonlocal marked
        marked += 1
        frame[...] = (20, 90, 20)

    given = [GREY.copy() for _ in range(17)]
    write(tmp_path / "a.mp4", given, mark=mark)
    assert marked == 17
    assert all((frame == 128).all() for frame in given), "only copies are marked"
    with av.open(str(tmp_path / "a.mp4")) as container:
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="rgb24").astype(int)
            assert np.abs(picture[:120] - (20, 90, 20)).max() < 12
            assert picture[140:, 200:].min(axis=2).max() > 200, "the label's white letters"


def test_what_a_mark_raises_passes_through_and_leaves_nothing(tmp_path: Path) -> None:
    def mark(frame: np.ndarray) -> None:
        raise ValueError("no codeword")

    with pytest.raises(ValueError, match="no codeword"):
        write(tmp_path / "a.mp4", mark=mark)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tags", [{"a b": "x"}, {"comment": "x"}, {"AIGC": "a\nb"}, {"AIGC": "x" * 9000}])
def test_a_tag_that_is_none_is_a_fault_of_ours(tags: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"tag|value"):
        write(tmp_path / "a.mp4", tags=tags)
    assert list(tmp_path.iterdir()) == []
