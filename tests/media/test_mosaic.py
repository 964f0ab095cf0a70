"""Many clips as one video: how a page is divided, what ffmpeg is told, what comes out."""

import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.request import Cancelled
from studio.media import mosaic
from studio.media.clip import write_clip
from studio.media.ffmpeg import MediaError, arguments
from studio.media.label import LabelStyle, label_for
from studio.media.mosaic import MOST_TILES, Sheet, Tile, flatter, make_mosaic, page_graph, pages_of, sheet_of
from studio.media.probe import comment, probe

LABEL = LabelStyle()
OFF = LabelStyle(shown=False)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("clips")

    def make(colour: int, frames: int = 8, fps: int = 8, size: tuple[int, int] = (64, 96)) -> Path:
        path = folder / f"{colour}-{frames}-{fps}-{size[0]}.mp4"
        if not path.exists():
            picture = np.full((*size, 3), colour, dtype=np.uint8)
            write_clip([picture] * frames, path=path, fps=fps, comment="", label=OFF, expected_frames=frames)
        return path

    return make


@pytest.mark.parametrize(
    "label", [LABEL, OFF, LabelStyle(corner="top_left"), LabelStyle("AI生成", "top_right")]
)
@pytest.mark.parametrize(("width", "height"), [(320, 192), (1280, 720), (720, 1280), (624, 624)])
@pytest.mark.parametrize("count", [1, 2, 5, 9, 16])
def test_tiles_captions_and_label_have_room_of_their_own(
    count: int, width: int, height: int, label: LabelStyle
) -> None:
    sheet = sheet_of(count, width, height, label)
    assert sheet.width % 2 == sheet.height % 2 == 0
    assert sheet.width <= 1920
    assert sheet.height <= 1080
    places = [
        (box.left, box.top, box.left + box.width, box.top + box.height + sheet.caption) for box in sheet.tiles
    ]
    strip = sheet.strip
    places.append((strip.left, strip.top, strip.left + strip.width, strip.top + strip.height))
    for at, one in enumerate(places):
        assert one[0] >= 0
        assert one[1] >= 0
        assert one[2] <= sheet.width
        assert one[3] <= sheet.height
        for other in places[at + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    assert sheet.tiles[0].width / sheet.tiles[0].height == pytest.approx(width / height, rel=0.06)


def test_the_label_takes_one_line_where_that_leaves_more_to_the_clips(clip: Callable[..., Path]) -> None:
    wide = [Tile(clip(200, size=(192, 320)), "x")] * 4
    flat = flatter(wide, LABEL)
    assert not flat.stacked
    strips = [sheet_of(4, 320, 192, label).strip.height for label in (LABEL, flat)]
    sheet = sheet_of(4, 320, 192, flat)
    assert strips[1] < 0.8 * strips[0]
    assert sheet.strip.height < 0.16 * sheet.height
    assert label_for(flat, sheet.width, sheet.height).ink_height >= 0.05 * sheet.height
    tall = [Tile(clip(200, size=(320, 96)), "x")]
    assert flatter(tall, LABEL) == LABEL, "a title has no room beside it"
    assert flatter(wide, OFF) == OFF


def test_pages_hold_about_as_many_and_keep_the_order() -> None:
    tiles = [Tile(Path(f"{number}.mp4"), str(number)) for number in range(40)]
    pages = pages_of(tiles)
    assert [len(page) for page in pages] == [14, 14, 12]
    assert [tile for page in pages for tile in page] == tiles
    assert len(pages_of(tiles[:MOST_TILES])) == 1


def test_a_page_is_one_graph_and_names_of_files_are_only_names(tmp_path: Path) -> None:
    sheet = sheet_of(2, 320, 192, LABEL)
    odd = tmp_path / "a:b,[c];'d'|concat=%.mp4"
    tiles = [Tile(odd, "one"), Tile(odd, "two")]
    argv = arguments(page_graph(sheet, tiles, tmp_path / "g.png", tmp_path / "o.mp4", fps=8, frames=12))
    assert argv.count(f"file:{odd}") == 2
    assert argv.count("-filter_complex") == 1
    graph = argv[argv.index("-filter_complex") + 1]
    assert str(odd) not in graph
    assert graph.count("overlay") == 2
    assert graph.count("tpad") == 2
    assert "end_frame=12" in graph


def test_clips_of_different_lengths_and_rates_become_one_labelled_video(
    tmp_path: Path, clip: Callable[..., Path]
) -> None:
    tiles = [
        Tile(clip(200), "明亮 " + "很长的说明" * 40),
        Tile(clip(120, frames=24, fps=16), "<b>\n\x07{caption}%"),
        Tile(clip(60, frames=4, size=(96, 64)), ""),
    ]
    path, told, marked = tmp_path / "all.mp4", [], []
    facts = make_mosaic(
        "三个 clips",
        tiles,
        path,
        aside=_folder(tmp_path),
        label=LABEL,
        comment=json.dumps({"x": 1}),
        tags={},
        mark=lambda frame: marked.append(frame.shape),
        on_progress=lambda done, total: told.append((done, total)),
    )
    found = probe(path)
    assert (found.frames, found.width, found.height) == (24, facts.width, facts.height)
    assert found.seconds == pytest.approx(1.5, abs=0.05)  # as long as the longest, at the highest rate
    assert comment(path) == '{"x": 1}'
    assert len(marked) == 24
    assert told[-1][0] <= told[-1][1]
    first, last = _frame(path, 0), _frame(path, 23)
    sheet = sheet_of(3, 96, 64, LABEL)
    for picture in (first, last):
        for box, colour in zip(sheet.tiles, (200, 120, 60), strict=True):
            middle = picture[box.top + box.height // 2, box.left + box.width // 2]
            assert np.abs(middle.astype(int) - colour).max() < 8, "one that ends earlier stands still"
    strip = first[sheet.strip.top :, sheet.width // 2 :]
    assert (strip > 200).any(), "the label stands in its strip"


def test_stopping_and_a_broken_clip_leave_nothing(tmp_path: Path, clip: Callable[..., Path]) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video" * 100)
    path = tmp_path / "all.mp4"
    given = {"aside": _folder(tmp_path), "label": LABEL, "comment": "", "tags": {}}
    with pytest.raises(MediaError):
        make_mosaic("t", [Tile(clip(200), "a"), Tile(bad, "b")], path, **given)
    with pytest.raises(Cancelled):
        make_mosaic("t", [Tile(clip(200), "a"), Tile(clip(60), "b")], path, should_stop=lambda: True, **given)
    assert not path.exists()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["aside", "bad.mp4"]


def test_a_long_line_ends_with_dots_where_it_is_cut() -> None:
    font = mosaic.ImageFont.truetype(mosaic.FONT_PATH, 17, index=2)
    assert mosaic.fitted("short", font, 300) == "short"
    cut = mosaic.fitted("很长的说明" * 40, font, 300)
    assert cut.endswith("…")
    assert font.getlength(cut) <= 300
    assert mosaic.fitted("a\nb\x00c", font, 300) == "a b c"


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "aside"
    folder.mkdir(exist_ok=True)
    return folder


def _frame(path: Path, number: int) -> np.ndarray:
    with av.open(str(path)) as opened:
        for at, frame in enumerate(opened.decode(video=0)):
            if at == number:
                return frame.to_ndarray(format="rgb24")
    raise AssertionError(number)


def test_a_page_has_a_limit() -> None:
    with pytest.raises(ValueError, match="16"):
        sheet_of(17, 320, 192, LABEL)
    assert isinstance(sheet_of(16, 320, 192, LABEL, columns=4), Sheet)
