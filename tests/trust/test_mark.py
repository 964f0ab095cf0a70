"""Facts about the invisible fingerprint: read from real files, unseen, never read where none is."""

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest

from studio.media.clip import write_clip
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from studio.trust.carriers import carriers
from studio.trust.mark import Marker, match, new_codeword, read, read_file, read_samples, score
from studio.trust.sampling import MOST, sample_file
from tests.media import pictures
from tests.trust.clips import KEY, attacked, clip, clouds

OTHERS = np.random.default_rng(0).integers(0, 2**64, 10_000, dtype=np.uint64)
CODEWORD = 0xC0FFEE1234567890


def known(*codewords: int) -> np.ndarray:
    """A registry of 10,000 others and these."""
    return np.append(OTHERS, np.array(codewords, np.uint64))


def psnr(before: np.ndarray, after: np.ndarray) -> float:
    error = np.mean((before.astype(float) - after) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("mark") / "marked.mp4", 1, CODEWORD)


def test_a_marked_clip_names_its_codeword_among_ten_thousand(marked: Path) -> None:
    found = match(read_file(marked, KEY), known(CODEWORD))
    assert found is not None
    assert found.codeword == CODEWORD
    assert found.score > 0.9


@pytest.mark.parametrize(
    ("filters", "crf"),
    [
        ("", 28),
        ("scale=iw*3/4:ih*3/4", 23),
        ("scale=iw/2:ih/2", 23),
        ("crop=iw-42:ih-24", 23),
        ("crop=iw-42:ih-24:0:0", 23),
        ("drawbox=x=100:y=400:w=600:h=50:color=white:t=fill", 23),
        ("eq=brightness=0.08:contrast=1.1", 23),
    ],
)
def test_the_mark_outlives_what_is_done_to_files(marked: Path, filters: str, crf: int) -> None:
    found = match(read_file(attacked(marked, filters, crf=crf), KEY), known(CODEWORD))
    assert found is not None
    assert found.codeword == CODEWORD


def test_the_mark_is_in_every_part_of_a_clip_and_in_a_gif(marked: Path) -> None:
    for copy in (attacked(marked, ss=2), attacked(marked, "scale=480:-2", suffix=".gif")):
        found = match(read_file(copy, KEY), known(CODEWORD))
        assert found is not None
        assert found.codeword == CODEWORD


def test_a_flat_draft_keeps_its_mark_when_it_is_encoded_again(tmp_path: Path) -> None:
    draft = tmp_path / "draft.mp4"
    write_clip(
        pictures.frames(24), path=draft, fps=8, comment="{}", label=LabelStyle(), expected_frames=24,
        mark=Marker(CODEWORD, KEY, 320, 192).rgb,
    )  # fmt: skip
    found = match(read_file(attacked(draft), KEY), known(CODEWORD))
    assert found is not None
    assert found.codeword == CODEWORD


def test_portrait_and_tiny_frames_can_be_marked() -> None:
    for size in ((480, 832), (64, 64)):
        frames = list(clouds(2, 4, size))
        marker = Marker(CODEWORD, KEY, *size)
        for frame in frames:
            marker.rgb(frame)
        assert score(read(frames, KEY), np.array([CODEWORD], np.uint64))[0] > 0.8


def test_nothing_is_read_where_there_is_no_mark_or_another_key(marked: Path, tmp_path: Path) -> None:
    plain = read_file(clip(tmp_path / "plain.mp4", 1), KEY)
    assert match(plain, known(CODEWORD)) is None
    assert not plain.marked
    assert match(read_file(marked, b"another key"), known(CODEWORD)) is None


def test_a_mark_that_is_not_in_the_registry_is_seen_but_gets_no_name(marked: Path) -> None:
    soft = read_file(marked, KEY)
    assert soft.marked
    assert match(soft, OTHERS) is None
    assert match(soft, np.zeros(0, np.uint64)) is None


def test_unmarked_pictures_get_no_name() -> None:
    whole = next(clouds(3, 1, (1280, 720)))
    rng = np.random.default_rng(4)
    for _ in range(300):
        top, left = rng.integers(0, 720 - 288), rng.integers(0, 1280 - 512)
        assert match(read([whole[top : top + 288, left : left + 512]], KEY), OTHERS) is None


def test_marking_stays_above_42_dB_and_spares_what_is_flat_and_dark() -> None:
    night = np.empty((480, 832, 3), np.uint8)
    night[:] = (14, 16, 30)
    grey = np.full((480, 832, 3), 128, np.uint8)
    cases = [(next(clouds(5)), 42.0), (grey, 45.0), (night, 49.0), (np.zeros_like(grey), 49.0)]
    for frame, least in cases:
        after = frame.copy()
        Marker(CODEWORD, KEY, 832, 480).rgb(after)
        assert psnr(frame, after) >= least
        assert (frame != after).any()


def test_nothing_wraps_round_at_black_and_white() -> None:
    board = np.zeros((192, 320, 3), np.uint8)
    board[:, 160:] = 255
    after = board.copy()
    Marker(CODEWORD, KEY, 320, 192).rgb(after)
    assert int(np.abs(after.astype(int) - board).max()) < 16


def test_a_film_is_marked_in_its_colour_planes() -> None:
    marker, back = Marker(CODEWORD, KEY, 832, 480), []
    for rgb in clouds(6, 8):
        film = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")
        planes = film.to_ndarray()
        u = planes[480:600].reshape(240, 416)
        v = planes[600:].reshape(240, 416)
        marker.planes(u, v, planes[:480])
        after = av.VideoFrame.from_ndarray(planes, "yuv420p")
        back.append(after.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray())
    found = match(read(back, KEY), known(CODEWORD))
    assert found is not None
    assert found.codeword == CODEWORD


def test_the_last_mark_counts_when_marked_footage_is_marked_again() -> None:
    first, second = new_codeword(), new_codeword()
    frames = list(clouds(7, 8))
    for codeword in (first, second):
        marker = Marker(codeword, KEY, 832, 480)
        for frame in frames:
            marker.rgb(frame)
    found = match(read(frames, KEY), known(first, second))
    assert found is not None
    assert found.codeword == second


def test_a_frame_of_another_shape_is_refused() -> None:
    marker = Marker(CODEWORD, KEY, 320, 192)
    with pytest.raises(ValueError, match="a frame of"):
        marker.rgb(np.zeros((192, 321, 3), np.uint8))
    with pytest.raises(ValueError, match="planes of"):
        marker.planes(np.zeros((192, 320), np.uint8), np.zeros((192, 320), np.uint8))
    with pytest.raises(ValueError, match="no pictures"):
        read([], KEY)


def test_what_a_key_gives_is_the_same_for_ever() -> None:
    made = carriers(b"for ever")
    told = (
        np.stack([made.plane, made.row, made.column, made.slot, np.sign(made.sign)]).astype("<i8").tobytes()
    )
    assert (
        hashlib.sha256(told).hexdigest() == "02a723363582e44b507e29f9c12481d9e477b85a2dfa9790bbd57aefa98e80bb"
    )


def test_files_that_are_no_video_are_refused(tmp_path: Path, marked: Path) -> None:
    cases = {
        "empty.mp4": b"",
        "page.mp4": b"<html><body>no video</body></html>",
        "list.mp4": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n",
        "head.mp4": marked.read_bytes()[:2000],
        "zip.mp4": b"PK\x03\x04" + bytes(5000),
    }
    for name, content in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(MediaError) as caught:
            read_file(path, KEY)
        assert caught.value.code == ("file_empty" if not content else "not_a_video")


def test_a_file_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path, marked: Path) -> None:
    whole = marked.read_bytes()
    path = tmp_path / "broken.mp4"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    found = match(read_file(path, KEY), known(CODEWORD))
    assert found is not None
    assert found.codeword == CODEWORD


def test_a_long_film_is_read_from_places_all_over_it(tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    write_clip(
        pictures.frames(120), path=path, fps=2, comment="{}", label=LabelStyle(), expected_frames=120,
        mark=Marker(CODEWORD, KEY, 320, 192).rgb,
    )  # fmt: skip
    samples = sample_file(path)
    assert 20 <= len(samples.planes) <= MOST
    assert match(read_samples(samples, KEY), known(CODEWORD)) is not None
