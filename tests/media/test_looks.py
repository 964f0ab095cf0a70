"""Looks: the same on a clip as in a film, one frame for one, and never on the label."""

from pathlib import Path

import av
import ffmpeg
import numpy as np
import pytest

from studio.media.clip import write_clip
from studio.media.ffmpeg import run
from studio.media.label import LabelStyle, label_for
from studio.media.looks import LOOKS, coloured, graded

GRID = (6, 8)
TILE = 32


def chart() -> np.ndarray:
    """Greys from black to white, and forty colours of all kinds, in tiles."""
    colours = np.random.default_rng(1).integers(0, 256, (*GRID, 3), dtype=np.uint8)
    colours[0] = np.linspace(0, 255, GRID[1])[:, None]
    return np.kron(colours, np.ones((TILE, TILE, 1), np.uint8)).astype(np.uint8)


def read_frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [
            frame.reformat(format="rgb24", src_colorspace="itu709").to_ndarray()
            for frame in film.decode(video=0)
        ]


def tiles(frame: np.ndarray) -> np.ndarray:
    """The mean colour in the middle of each tile."""
    parts = frame.reshape(GRID[0], TILE, GRID[1], TILE, 3)
    return parts[:, 8:24, :, 8:24].mean(axis=(1, 3))


@pytest.mark.parametrize("look", [name for name in LOOKS if name not in ("", "none")])
def test_a_look_is_seen_and_is_the_same_on_a_clip_and_in_a_film(look: str, tmp_path: Path) -> None:
    picture = chart()
    clip = list(graded([picture] * 3, look))
    assert [frame.shape for frame in clip] == [picture.shape] * 3
    assert 2 < np.abs(tiles(clip[0]) - tiles(picture)).mean() < 60
    file = tmp_path / "film.mkv"
    run(_film(picture, look, file))
    assert np.abs(tiles(clip[0]) - tiles(read_frames(file)[0])).max() < 9


def _film(picture: np.ndarray, look: str, target: Path):  # type: ignore[no-untyped-def]
    raw = target.with_suffix(".rgb")
    raw.write_bytes(picture.tobytes())
    height, width = picture.shape[:2]
    video = ffmpeg.input(f"file:{raw}", f="rawvideo", pix_fmt="rgb24", s=f"{width}x{height}", framerate=8)
    flags = "accurate_rnd+full_chroma_int"
    for step in (False, True):
        video = coloured(video, look) if step else video
        video = video.filter("scale", out_color_matrix="bt709", out_range="tv", flags=flags)
        video = video.filter("format", "yuv420p")
        video = video.filter("setparams", color_primaries="bt709", color_trc="bt709", colorspace="bt709")
    return ffmpeg.output(video, f"file:{target}", vcodec="ffv1")


def test_no_look_leaves_the_very_frames() -> None:
    frames = [chart()]
    for none in ("", "none"):
        assert next(graded(frames, none)) is frames[0]
    with pytest.raises(ValueError, match="no look"):
        list(graded(frames, "movie=/etc/passwd"))


def test_black_and_white_is_grey_and_leaves_the_label_as_it_is(tmp_path: Path) -> None:
    style = LabelStyle()
    seen = {}
    for look in ("none", "mono", "vintage"):
        path = tmp_path / f"{look}.mp4"
        pictures = graded([chart()] * 3, look)
        write_clip(pictures, path=path, fps=8, comment="", label=style, expected_frames=3)
        seen[look] = read_frames(path)[0].astype(int)
    assert np.ptp(seen["mono"][:TILE], axis=2).max() < 12
    height, width = chart().shape[:2]
    label = label_for(style, width, height)
    tall, wide = label.light.shape[:2]
    place = np.s_[label.top : label.top + tall, label.left : label.left + wide]
    letters = label.light.min(axis=2) > 0.8 * label.light.max()
    assert letters.sum() > 50
    # By their lightness: colours are stored for two by two pixels, so the picture's own reach into letters.
    lights = {look: (frame[place][letters] @ [0.2126, 0.7152, 0.0722]) for look, frame in seen.items()}
    for look in ("mono", "vintage"):
        assert np.abs(lights[look] - lights["none"]).mean() < 8
