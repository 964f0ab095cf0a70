"""A clip is whole, plays in browsers, says what it is, or is not there at all."""

import hashlib
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import ffmpeg as graphs
import numpy as np
import psutil
import pytest
from PIL import Image

from pipelines.request import Cancelled, ModelError
from studio.media import ffmpeg
from studio.media.clip import ClipFacts, write_clip
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from studio.media.probe import probe, thumbnail
from studio.media.whole import is_unfinished
from tests.media.pictures import frames

RECIPE = json.dumps({"studio": "wan-studio", "text": "中文 = ; # \\ \n ' \" \t 🎬"}, ensure_ascii=False)


def write(path: Path, pictures: Any = None, **changed: Any) -> ClipFacts:
    options = {"fps": 8, "comment": RECIPE, "label": LabelStyle(), "expected_frames": 17}
    return write_clip(frames(17) if pictures is None else pictures, path=path, **(options | changed))


def boxes(path: Path) -> list[str]:
    """The names of an MP4's outer boxes in order."""
    data, at, names = path.read_bytes(), 0, []
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        names.append(name.decode())
        at += size or len(data)
    return names


@pytest.fixture(autouse=True)
def no_ffmpeg_is_left() -> Iterator[None]:
    """After each test neither an ffmpeg (living or zombie) nor its reader thread is there."""
    yield
    left = [child.name() for child in psutil.Process().children(recursive=True) if "ffmpeg" in child.name()]
    assert left == []
    assert [thread.name for thread in threading.enumerate() if thread.name == "ffmpeg-stderr"] == []


def test_a_clip_is_what_browsers_play(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    facts = write(path)
    assert facts == ClipFacts(
        frames=17,
        seconds=17 / 8,
        width=320,
        height=192,
        bytes=path.stat().st_size,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt, context.profile, context.codec_tag) == (
            "h264", "yuv420p", "High", "avc1",
        )  # fmt: skip
        # bt709 all through, narrow range: 1 is both "bt709" and "narrow" in ffmpeg's numbering.
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (
            1,
            1,
            1,
            1,
        )
        assert stream.average_rate == 8
    order = boxes(path)
    assert order.index("moov") < order.index("mdat")
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_the_colours_and_the_order_are_those_that_went_in(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as container:
        for came, went in zip(container.decode(video=0), frames(17), strict=True):
            picture = came.to_ndarray(format="rgb24")[:120].astype(int)
            assert abs(picture - went[:120].astype(int)).mean() < 2.5


@pytest.mark.parametrize("size", [(192, 320), (256, 256), (832, 480), (1280, 720)])
def test_every_size(size: tuple[int, int], tmp_path: Path) -> None:
    facts = write(tmp_path / "a.mp4", frames(17, *size))
    assert (facts.width, facts.height) == size


def test_the_recipe_stands_in_the_comment_letter_by_letter(tmp_path: Path) -> None:
    long = json.dumps({"prompt": "夜" * 5000, "negative": "x" * 2000}, ensure_ascii=False)
    for name, recipe in (("a", RECIPE), ("b", long)):
        write(tmp_path / f"{name}.mp4", comment=recipe)
        assert probe(tmp_path / f"{name}.mp4").comment == recipe


def test_frames_are_taken_one_by_one_and_left_as_they_were(tmp_path: Path) -> None:
    alive = 0
    most = 0

    class Counted(np.ndarray):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def counted() -> Iterator[np.ndarray]:
        nonlocal alive, most
        for frame in frames(41):
            alive += 1
            most = max(most, alive)
            yield frame.view(Counted)

    write(tmp_path / "a.mp4", counted(), expected_frames=41)
    assert most <= 3
    kept = np.zeros((192, 320, 3), np.uint8)
    kept.flags.writeable = False
    write(tmp_path / "b.mp4", [kept] * 17)
    assert not kept.any()


def test_frames_may_lie_oddly_in_memory(tmp_path: Path) -> None:
    turned = [np.asarray(frame).transpose(1, 0, 2) for frame in frames(17, 192, 320)]
    facts = write(tmp_path / "a.mp4", turned)
    assert (facts.width, facts.height) == (320, 192)


@pytest.mark.parametrize("error", [Cancelled(), ModelError("out_of_memory"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", [0, 1, 9])
def test_what_stops_the_frames_passes_through_and_leaves_nothing(
    error: BaseException, after: int, tmp_path: Path
) -> None:
    def broken() -> Iterator[np.ndarray]:
        yield from frames(after)
        raise error

    with pytest.raises(type(error)) as caught:
        write(tmp_path / "a.mp4", broken())
    assert caught.value is error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [0, 16, 18])
def test_a_wrong_number_of_frames_is_never_published(count: int, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("the take before")
    with pytest.raises(MediaError) as caught:
        write(tmp_path / "a.mp4", frames(count))
    assert caught.value.code == "encode_failed"
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.mp4", "the take before")]


@pytest.mark.parametrize(
    "odd",
    [
        np.zeros((192, 320, 3), np.float32),
        np.zeros((191, 320, 3), np.uint8),
        np.zeros((192, 320, 4), np.uint8),
    ],
)
def test_frames_of_the_wrong_kind_are_a_fault_of_ours(odd: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frames are"):
        write(tmp_path / "a.mp4", [odd] * 17)
    with pytest.raises(ValueError, match="a frame of"):
        write(tmp_path / "a.mp4", [*frames(16), odd[:96]])
    assert list(tmp_path.iterdir()) == []


def test_an_ffmpeg_that_dies_in_the_middle_is_noticed(tmp_path: Path) -> None:
    def killing() -> Iterator[np.ndarray]:
        for number, frame in enumerate(frames(200, 832, 480)):
            if number == 5:
                for child in psutil.Process().children():
                    if "ffmpeg" in child.name():
                        child.kill()
            yield frame

    with pytest.raises(MediaError) as caught:
        write(tmp_path / "a.mp4", killing(), expected_frames=200)
    assert caught.value.code == "encode_failed"
    assert caught.value.argv
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told_by_ffmpegs_own_words(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as caught:
        write(tmp_path / "nowhere" / "a.mp4")
    assert caught.value.code == "encode_failed"
    assert "No such file" in caught.value.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 400 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting needs root; the size limit below tests the same path")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("count", [17, 200])
def test_a_full_disk_is_said_and_leaves_no_half_file(count: int, small_disk: Path) -> None:
    """17 frames fill it when the encoder flushes at the end, 200 while they still come."""
    with pytest.raises(MediaError) as caught:
        write(small_disk / "a.mp4", frames(count, noise=True), expected_frames=count)
    assert caught.value.code == "disk_full"
    assert list(small_disk.iterdir()) == []
    assert write(small_disk / "b.mp4").frames == 17  # and the next one is made


LIMITED = """
import resource, signal, sys
from pathlib import Path
from studio.media.clip import write_clip
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from tests.media.pictures import frames
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
folder = Path(sys.argv[1])
try:
    write_clip(
        frames(60, noise=True),
        path=folder / "a.mp4",
        fps=8,
        comment="{}",
        label=LabelStyle(),
        expected_frames=60,
    )
except MediaError as error:
    print(error.code, sorted(folder.iterdir()))
"""


def test_a_size_limit_counts_as_a_full_disk(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", LIMITED, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.strip() == "disk_full []", done.stderr


def test_many_at_once_do_not_mix(tmp_path: Path) -> None:
    def one(number: int) -> ClipFacts:
        return write(tmp_path / f"{number}.mp4", comment=f'{{"n": {number}}}')

    with ThreadPoolExecutor(4) as pool:
        assert [facts.frames for facts in pool.map(one, range(8))] == [17] * 8
    assert [probe(tmp_path / f"{n}.mp4").comment for n in range(8)] == [f'{{"n": {n}}}' for n in range(8)]


def test_two_writers_of_one_path_leave_one_whole_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: write(tmp_path / "a.mp4"), range(2)))
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
    assert hashlib.sha256((tmp_path / "a.mp4").read_bytes()).hexdigest() in {facts.sha256 for facts in found}


def test_an_ffmpeg_that_talks_a_lot_does_not_block(tmp_path: Path) -> None:
    """Each of these pictures is complained about, in all far more than a pipe holds; the end is kept."""
    picture = b"\xff\xd8\xff\xdb\x00\x43" + bytes(range(200)) + b"\xff\xd9"
    loud = graphs.input("pipe:0", f="mjpeg").output(f"file:{tmp_path}/a.mp4", f="mp4", vcodec="libx264")
    with pytest.raises(MediaError) as caught:
        ffmpeg.encode(loud, (picture * 10 for _ in range(300)))
    assert caught.value.code == "encode_failed"
    assert 8000 < len(caught.value.stderr) <= 8192


def test_a_writer_that_is_killed_publishes_nothing(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from studio.media.clip import write_clip\n"
        "from tests.media.pictures import frames; from studio.media.label import LabelStyle\n"
        "def dying():\n yield from frames(9)\n os.kill(os.getpid(), 9)\n"
        "write_clip(dying(), path=Path(sys.argv[1]), fps=8, comment='{}', label=LabelStyle(), "
        "expected_frames=17)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.mp4")], check=False, timeout=60)
    assert done.returncode == -9
    assert [file for file in tmp_path.iterdir() if not is_unfinished(file)] == []


def test_a_recipe_longer_than_a_comment_is_a_fault_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too long"):
        write(tmp_path / "a.mp4", comment="x" * 70_000)


@pytest.mark.parametrize("read", [probe, thumbnail])
def test_files_that_are_no_video(read: Callable[[Path], object], tmp_path: Path) -> None:
    cases = {"empty.mp4": (b"", "file_empty"), "text.mp4": (b"hello, I am a film", "not_a_video")}
    cases["noise.mp4"] = (os.urandom(5000), "not_a_video")
    cases["concat.mp4"] = (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "not_a_video")
    for name, (content, code) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MediaError) as caught:
            read(tmp_path / name)
        assert caught.value.code == code


def test_a_film_cut_off_by_the_network_is_counted_as_it_is(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", frames(41, noise=True), expected_frames=41)
    whole = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "b.mp4").write_bytes(whole[: len(whole) // 2])
    assert probe(tmp_path / "b.mp4").frames < 41


def test_a_thumbnail_is_a_small_webp_of_the_middle(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", frames(41, 832, 480), expected_frames=41)
    picture = Image.open(BytesIO(thumbnail(tmp_path / "a.mp4")))
    assert (picture.format, picture.size) == ("WEBP", (320, 185))
    blue = np.asarray(picture.convert("RGB"))[:80, :, 2].mean()
    assert 70 < blue < 130  # frame 20 of 41: 100
