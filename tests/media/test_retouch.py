"""What is done to a finished clip: graphs as data, and what comes out, measured."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from pydantic import ValidationError

from studio.media.clip import write_clip
from studio.media.ffmpeg import MediaError, arguments, run
from studio.media.label import LabelStyle
from studio.media.probe import probe
from studio.media.retouch import HOWS, Operation, Shape, retouch_graph, shape_after

FRAMES, FPS, WIDTH, HEIGHT = 17, 8, 160, 96
SHAPE = Shape(WIDTH, HEIGHT, FRAMES, FPS)


def pictures() -> Iterator[np.ndarray]:
    """A slope of warm greys, a bar that moves to the right, and each frame a little brighter."""
    for number in range(FRAMES):
        frame = np.tile(np.linspace(50, 120, WIDTH)[None, :, None], (HEIGHT, 1, 3)) + number
        frame[..., 0] += 25
        frame[20:50, 10 + 6 * number : 26 + 6 * number] = (190, 60, 50)
        yield frame.astype(np.uint8)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("retouch") / "clip.mp4"
    told = {"comment": "{}", "label": LabelStyle(), "expected_frames": FRAMES}
    write_clip(pictures(), path=path, fps=FPS, **told)  # type: ignore[arg-type]
    return path


def made(source: Path, *operations: Operation, label: LabelStyle | None = None) -> np.ndarray:
    target = source.with_name("out.mp4")
    run(retouch_graph(source, probe(source), FPS, operations, target, label=label))
    with av.open(str(target)) as file:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])


def op(name: str, amount: float = 0.0, how: str = "") -> Operation:
    return Operation(name=name, amount=amount, how=how)  # type: ignore[arg-type]


def test_the_graph_is_data_and_reads_nothing_but_the_file(source: Path, tmp_path: Path) -> None:
    told = " ".join(
        arguments(retouch_graph(source, probe(source), FPS, [op("speed", 0.5)], tmp_path / "a.mp4"))
    )
    assert "-protocol_whitelist file" in told
    assert "minterpolate" in told
    assert "trim=end_frame=34" in told


def test_light_and_colour_go_where_they_are_sent(source: Path) -> None:
    plain = made(source).astype(float)
    top = np.s_[:, :50]  # above the label
    assert made(source, op("brightness", 0.4))[top].mean() > plain[top].mean() + 12
    assert made(source, op("brightness", -0.4))[top].mean() < plain[top].mean() - 12
    assert made(source, op("contrast", 0.5))[top].std() > plain[top].std() + 2
    assert made(source, op("contrast", -0.5))[top].std() < plain[top].std() - 2
    colour = lambda found: np.ptp(found[top].astype(float), axis=-1).mean()  # noqa: E731
    assert colour(made(source, op("saturation", 0.5))) > colour(plain) + 5
    assert colour(made(source, op("look", how="mono"))) < 4
    warmth = lambda found: (found[top][..., 0].astype(float) - found[top][..., 2]).mean()  # noqa: E731
    assert warmth(made(source, op("warmth", 0.5))) > warmth(plain) + 5
    assert warmth(made(source, op("warmth", -0.5))) < warmth(plain) - 5
    edges = lambda found: np.abs(np.diff(found[top].astype(float), axis=2)).mean()  # noqa: E731
    assert edges(made(source, op("sharpness", 0.6))) > edges(plain)
    assert edges(made(source, op("sharpness", -0.6))) < edges(plain)


def test_time_is_counted_in_whole_frames(source: Path) -> None:
    plain = made(source)
    assert len(made(source, op("speed", 0.5))) == 2 * FRAMES
    assert len(made(source, op("speed", 2))) == round(FRAMES / 2)
    backwards = made(source, op("reverse"))
    assert np.abs(backwards[::-1].astype(int) - plain).mean() < 2
    assert len(made(source, op("loop", 3))) == 3 * FRAMES
    around = made(source, op("loop", 1, "back"))
    assert len(around) == 2 * FRAMES - 2
    assert np.abs(around[FRAMES].astype(int) - plain[-2]).mean() < 2
    late = made(source, op("trim", 1, "start"))
    assert len(late) == FRAMES - FPS
    assert np.abs(late[0].astype(int) - plain[FPS]).mean() < 2
    dark = made(source, op("fade", 1, "out"))
    assert dark[-1].mean() < 20 < dark[0].mean()


def test_the_frame_is_cut_turned_and_mirrored(source: Path) -> None:
    plain = made(source)
    assert made(source, op("crop", 0.25, "left")).shape[1:3] == (HEIGHT, 120)
    assert made(source, op("crop", 0.3, "edges")).shape == plain.shape
    assert np.abs(made(source, op("mirror", how="across"))[:, :, ::-1].astype(int) - plain).mean() < 2
    assert made(source, op("rotate", 90)).shape[1:3] == (WIDTH, HEIGHT)
    assert np.abs(made(source, op("rotate", 180))[:, ::-1, ::-1].astype(int) - plain).mean() < 2
    assert made(source, op("stabilise")).shape == plain.shape


def test_the_label_that_was_there_is_gone(source: Path) -> None:
    bare = made(source, label=LabelStyle())
    old = made(source)
    corner = np.s_[:, HEIGHT - 30 :, WIDTH - 50 :]
    assert (old[corner] > 225).mean() > 0.01
    assert (bare[corner] > 225).mean() < 0.001


def test_several_go_one_after_the_other_and_the_shape_is_known_before(source: Path) -> None:
    operations = (op("trim", 1, "keep_start"), op("speed", 0.5), op("rotate", 90), op("look", how="sepia"))
    after = shape_after(SHAPE, operations)
    assert made(source, *operations).shape == (after.frames, after.height, after.width, 3) == (16, 160, 96, 3)


@pytest.mark.parametrize("look", HOWS["look"])
def test_every_look_keeps_every_frame(source: Path, look: str) -> None:
    assert len(made(source, op("look", how=look))) == FRAMES


@pytest.mark.parametrize(
    ("name", "amount", "how"),
    [
        ("speed", 0.1, ""), ("speed", 9, ""), ("loop", 2.5, ""), ("rotate", 45, ""), ("crop", 0.9, "left"),
        ("crop", 0.2, "inside"), ("look", 0, "evil"), ("reverse", 1, ""), ("brightness", float("nan"), ""),
        ("explode", 0, ""), ("trim", 1, ""),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused(name: str, amount: float, how: str) -> None:
    with pytest.raises(ValidationError):
        op(name, amount, how)


def test_nothing_left_and_too_long_are_said() -> None:
    with pytest.raises(MediaError, match="retouch_short"):
        shape_after(SHAPE, (op("trim", 5, "start"),))
    with pytest.raises(MediaError, match="retouch_long"):
        shape_after(SHAPE, (op("loop", 10), op("loop", 10)))
