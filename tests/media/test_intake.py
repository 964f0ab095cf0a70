"""What people bring: it becomes a clip like any other, or a sentence says why not."""

from pathlib import Path
from typing import Any

import av
import ffmpeg
import numpy as np
import pytest
from PIL import Image

from pipelines.request import Cancelled
from studio.media.canvas import Canvas
from studio.media.cut import cut_shot
from studio.media.ffmpeg import MediaError, run
from studio.media.intake import MAX_SECONDS, take_in
from studio.media.probe import probe
from studio.media.timeline import Piece, ShotCut
from studio.words import LANGUAGES, say
from tests.media.film_kit import pictures

X264 = {"vcodec": "libx264", "preset": "ultrafast", "pix_fmt": "yuv420p"}
VP9 = {"vcodec": "libvpx-vp9", "deadline": "realtime", "cpu-used": 8}


def video(
    path: Path,
    *,
    seconds: float = 2.0,
    fps: int = 25,
    size: str = "320x192",
    sound: bool = True,
    **options: Any,
) -> Path:
    """A test picture with a counter and a tone, as somebody's file."""
    inputs = [ffmpeg.input(f"testsrc2=s={size}:r={fps}:d={seconds}", f="lavfi")]
    if sound:
        inputs.append(ffmpeg.input(f"sine=440:d={seconds}", f="lavfi"))
    run(ffmpeg.output(*inputs, str(path), **(options or X264)))
    return path


def refused(path: Path, folder: Path, kind: str = "video", **options: Any) -> str:
    """The code of the sentence; it has words in both languages, and nothing is left."""
    with pytest.raises(MediaError) as caught:
        take_in(path, folder / "out", kind=kind, **options)  # type: ignore[arg-type]
    for language in LANGUAGES:
        assert "{" not in say(caught.value.notice, language)
    assert list((folder / "out").glob("*")) == []
    return caught.value.code


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", X264),
        ("a.mov", X264 | {"acodec": "pcm_s16le"}),
        ("a.mkv", X264 | {"acodec": "libmp3lame"}),
        ("a.webm", VP9 | {"acodec": "libopus"}),
        ("recorded.webm", VP9 | {"acodec": "libopus", "live": 1, "format": "webm"}),
        ("misnamed.jpg", X264 | {"format": "mp4"}),
    ],
)
def test_videos_become_clips_whatever_they_are_called(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    taken = take_in(video(tmp_path / name, **options), tmp_path / "out", kind="video")
    found = probe(taken.path)
    assert (found.codec, found.pixel_format, found.width, found.height) == ("h264", "yuv420p", 320, 192)
    assert (taken.frames, taken.fps, taken.sound) == (50, 25, True)
    assert abs(taken.source_seconds - 2.0) < 0.1
    with av.open(str(taken.path)) as container:
        assert (
            abs(float(container.streams.audio[0].duration * container.streams.audio[0].time_base) - 2) < 0.1
        )
    one = ShotCut((Piece(taken.path),), seconds=1.9)
    assert probe(cut_shot(one, 1, Canvas(256, 144, 24), tmp_path)).frames == 47


def test_only_the_part_that_is_wanted(tmp_path: Path) -> None:
    source = video(tmp_path / "a.mp4", sound=False)
    part = take_in(source, tmp_path / "out", kind="video", start=0.8, seconds=0.6)
    assert (part.frames, part.sound) == (15, False)
    whole = take_in(source, tmp_path / "out", kind="video")
    apart = np.abs(pictures(part.path)[0].astype(int) - pictures(whole.path)[20]).mean()
    assert apart < 4
    assert part.path != whole.path


def test_the_same_is_made_once(tmp_path: Path) -> None:
    source = video(tmp_path / "a.mp4")
    first = take_in(source, tmp_path / "out", kind="video")
    at = first.path.stat().st_mtime_ns
    again = take_in(source, tmp_path / "out", kind="video")
    assert again == first
    assert again.path.stat().st_mtime_ns == at


def test_a_turned_video_stands_upright(tmp_path: Path) -> None:
    source = video(tmp_path / "a.mp4", sound=False)
    turned = tmp_path / "turned.mp4"
    run(ffmpeg.output(ffmpeg.input(str(source), display_rotation=90), str(turned), codec="copy"))
    taken = take_in(turned, tmp_path / "out", kind="video")
    assert (taken.width, taken.height) == (192, 320)


def test_oblong_pixels_become_square_and_large_videos_smaller(tmp_path: Path) -> None:
    source = video(tmp_path / "a.mp4", sound=False, seconds=0.5, **X264, aspect="4:1")
    taken = take_in(source, tmp_path / "out", kind="video")
    assert (taken.width, taken.height) == (768, 192)
    large = video(tmp_path / "b.mp4", sound=False, seconds=0.2, size="2560x1440")
    assert (lambda t: (t.width, t.height))(take_in(large, tmp_path / "out", kind="video")) == (1920, 1080)


def test_a_telephones_bright_video_comes_into_ordinary_range(tmp_path: Path) -> None:
    hlg = {"color_trc": "arib-std-b67", "colorspace": "bt2020nc", "color_primaries": "bt2020"}
    options = X264 | {"pix_fmt": "yuv420p10le"} | hlg
    taken = take_in(
        video(tmp_path / "a.mp4", seconds=0.4, sound=False, **options), tmp_path / "out", kind="video"
    )
    with av.open(str(taken.path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_trc, context.colorspace, context.pix_fmt) == (1, 1, "yuv420p")
    assert pictures(taken.path)[3].std() > 40


def test_files_that_are_no_video_are_said_to_be_none(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    texts = {
        "text.mp4": "hello " * 100,
        "list.mp4": f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n",
        "concat.mov": f"ffconcat version 1.0\nfile {secret}\n",
        "page.webm": '<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1:9/</BaseURL></MPD>',
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        assert refused(tmp_path / name, tmp_path) == "source_bad"
    (tmp_path / "empty.mp4").touch()
    assert refused(tmp_path / "empty.mp4", tmp_path) == "file_empty"
    whole = video(tmp_path / "a.mp4").read_bytes()
    for name, data in (("cut.mp4", whole[: len(whole) // 2]), ("head.mp4", whole[:32] + b"\x00" * 4000)):
        (tmp_path / name).write_bytes(data)
        assert refused(tmp_path / name, tmp_path) == "source_bad"
    run(ffmpeg.output(ffmpeg.input("sine=440:d=1", f="lavfi"), str(tmp_path / "sound.mp4")))
    assert refused(tmp_path / "sound.mp4", tmp_path) == "source_bad"
    odd = video(tmp_path / "odd.mkv", sound=False, vcodec="huffyuv", pix_fmt="yuv422p")
    assert refused(odd, tmp_path) == "source_bad"


def test_a_damaged_video_is_taken_or_refused_but_nothing_breaks(tmp_path: Path) -> None:
    whole = video(tmp_path / "a.mp4", movflags="+faststart", **X264).read_bytes()
    rng = np.random.default_rng(0)
    codes = []
    for number in range(6):
        data = bytearray(whole)
        for at in rng.integers(64, len(data), 40):
            data[at] = int(rng.integers(256))
        path = tmp_path / f"damaged{number}.mp4"
        path.write_bytes(data)
        try:
            assert take_in(path, tmp_path / "out", kind="video").frames >= 2
        except MediaError as error:
            codes.append(error.code)
    assert set(codes) <= {"source_bad", "source_small", "source_too_big", "source_range", "source_long"}


def test_limits_are_said_with_what_is_allowed(tmp_path: Path) -> None:
    wide = video(tmp_path / "wide.mp4", size="4160x64", seconds=0.2, sound=False)
    assert refused(wide, tmp_path) == "source_too_big"
    small = video(tmp_path / "small.mp4", size="64x32", seconds=0.2, sound=False)
    assert refused(small, tmp_path) == "source_small"
    long = video(tmp_path / "long.mp4", seconds=MAX_SECONDS + 4, fps=2, size="64x64", sound=False)
    assert refused(long, tmp_path) == "source_long"
    assert take_in(long, tmp_path / "trimmed", kind="video", start=10, seconds=2).seconds == 2
    for start, seconds in ((-1.0, None), (70.0, None), (0.0, 0.0), (0.0, -2.0), (float("nan"), None)):
        assert refused(long, tmp_path, start=start, seconds=seconds) == "source_range"
    heavy = tmp_path / "heavy.mp4"
    with heavy.open("wb") as file:
        file.truncate(501 * 1024 * 1024)
    assert refused(heavy, tmp_path) == "source_too_big"


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    source = video(tmp_path / "a.mp4", seconds=4, size="1280x720")
    with pytest.raises(Cancelled):
        take_in(source, tmp_path / "out", kind="video", should_stop=lambda: any((tmp_path / "out").iterdir()))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.weird"])
def test_a_picture_becomes_a_clip_that_moves_slowly(name: str, tmp_path: Path) -> None:
    y, x = np.mgrid[:231, :401]
    picture = Image.fromarray(np.stack([x % 256, y, (x // 20 + y // 20) % 2 * 200], axis=2).astype(np.uint8))
    picture.save(tmp_path / name, format="PNG" if name == "a.weird" else None)
    taken = take_in(tmp_path / name, tmp_path / "out", kind="picture", seconds=2.0)
    assert (taken.width, taken.height, taken.seconds, taken.sound) == (400, 232, 2.0, False)
    frames = pictures(taken.path).astype(int)
    assert np.abs(frames[0] - np.asarray(picture.resize((400, 232)))).mean() < 9
    assert (np.abs(np.diff(frames[:, :, :60], axis=0)).mean(axis=(1, 2, 3)) > 0.2).all()


def test_a_turned_or_transparent_picture_looks_as_people_see_it(tmp_path: Path) -> None:
    photo = Image.new("RGB", (300, 200), "red")
    exif = photo.getexif()
    exif[0x0112] = 6
    photo.save(tmp_path / "photo.jpg", exif=exif)
    taken = take_in(tmp_path / "photo.jpg", tmp_path / "out", kind="picture", seconds=0.5)
    assert (taken.width, taken.height) == (200, 300)
    Image.new("RGBA", (200, 200), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    taken = take_in(tmp_path / "clear.png", tmp_path / "out", kind="picture", seconds=0.5)
    assert pictures(taken.path).min() > 240


def test_pictures_that_are_none_or_too_large_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("a picture, honestly")
    assert refused(tmp_path / "text.png", tmp_path, "picture") == "picture_bad"
    Image.new("L", (4100, 10)).save(tmp_path / "wide.png")
    assert refused(tmp_path / "wide.png", tmp_path, "picture") == "picture_too_big"
    Image.new("L", (1000, 10)).save(tmp_path / "thin.png")
    assert refused(tmp_path / "thin.png", tmp_path, "picture") == "picture_small"
    Image.new("P", (100, 100)).save(tmp_path / "a.gif")
    assert refused(tmp_path / "a.gif", tmp_path, "picture") == "picture_bad"
    whole = tmp_path / "whole.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)).save(whole)
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:2000])
    assert refused(tmp_path / "cut.png", tmp_path, "picture") == "picture_bad"
