"""Subtitles: nothing is lost, nothing overlaps, every line fits, and untrusted text stays text."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import ffmpeg as graphs
import numpy as np
import pytest
from PIL import Image

from studio.media.canvas import canvas_of, place_label, place_logo
from studio.media.ffmpeg import run
from studio.media.label import Corner, LabelStyle
from studio.media.sound import place
from studio.media.subtitles import (
    FONT_FOLDER,
    LINES,
    MIN_SECONDS,
    Cue,
    ass_document,
    cues,
    missing_glyphs,
    srt,
    vtt,
)
from studio.media.timeline import FORMATS, Caption, FilmCut, Logo, frame_size, label_of, layout
from studio.media.wrap import columns, split, tidy, wrapped
from tests.media.sounds import film, shot

ZH = "牛郎和织女每年七夕在鹊桥上相会，银河两岸的星星都亮了起来。"
EN = "Every year on the seventh night, the herdsman and the weaver meet on the bridge of magpies."
LONG_ZH = (
    "很久很久以前，天上有一颗小小的星星，它总是睡不着，因为它想知道地上的孩子们夜里都在做什么梦。"
    "于是它悄悄地离开了银河，顺着月光滑到一座灯塔旁边，问老守塔人：“你见过孩子们的梦吗？”"
)
LONG_EN = (
    "Long ago there was a little star that could not sleep, because it wondered what the children of the "
    "earth were dreaming. So it left the Milky Way, slid down the moonlight to an old lighthouse, and asked."
)
NEVER_FIRST, NEVER_LAST = "，。、；：！？）》」』】”’…—,.;:!?)]}%", "（《「『【“‘([{"


def one(zh: str = "", en: str = "", start: float = 0.5, end: float = 3.5) -> Caption:
    return Caption(start, end, {language: text for language, text in (("zh", zh), ("en", en)) if text})


def told(
    *captions: Caption, seconds: float = 10.0, languages: tuple = ("zh", "en"), **changed: object
) -> FilmCut:
    return film(shot(seconds, captions=captions), subtitles=languages, burn=True, **changed)


def cues_of(cut: FilmCut) -> list[Cue]:
    return cues(cut, layout(cut), cut.subtitles)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def random_texts(count: int) -> Iterator[str]:
    rng = random.Random(4)
    words = [
        *ZH,
        *LONG_ZH,
        *EN.split(),
        *LONG_EN.split(),
        "，",
        "。",
        "……",
        "——",
        "《书》",
        "（又）",
        "2026年",
        "3.5%",
    ]
    words += [
        "internationalisation",
        "https://example.org/a/very-long/path?x=1",
        "“好”",
        "x" * 60,
        "！？",
        "é",
        "한글",
    ]
    for _ in range(count):
        glue = rng.choice(["", " "])
        yield glue.join(rng.choice(words) for _ in range(rng.randint(1, 60)))


# Wrapping


@pytest.mark.parametrize("limit", [32, 36, 42])
def test_lines_fit_lose_nothing_and_begin_and_end_where_they_may(limit: int) -> None:
    for raw in random_texts(150):
        text = tidy(raw)
        count = -(-columns(text) // (limit * LINES))
        while (parts := split(text, count, limit=limit)) is None:
            count += 1
            assert count <= len(text)
        lines = [line for part in parts for line in wrapped(part, limit=limit) or ()]
        assert squeezed("".join(lines)) == squeezed(text)
        assert all(columns(line) <= limit for line in lines)
        assert not any(line[0] in NEVER_FIRST or line[-1] in NEVER_LAST for line in lines[1:-1])


def test_lines_break_where_a_reader_pauses() -> None:
    assert wrapped(ZH, limit=36) == ("牛郎和织女每年七夕在鹊桥上相会，", "银河两岸的星星都亮了起来。")
    assert wrapped("The old keeper lights the lamp, and the ships come home.", limit=42) == (
        "The old keeper lights the lamp,",
        "and the ships come home.",
    )
    # No word is torn apart, and a number stays with what it counts.
    assert "北极星" in "|".join(
        wrapped("小狐狸终于在森林尽头看见了传说中的北极星在夜空里闪着光", limit=36) or ()
    )
    assert "100颗" in "|".join(
        wrapped("那一天夜里孩子们一起在山顶上数到了100颗流星真的好开心", limit=36) or ()
    )
    assert wrapped("short", limit=42) == ("short",)
    assert wrapped("a" * 100, limit=42) is None


def test_width_is_that_of_the_display() -> None:
    assert [columns(text) for text in ("abc", "星星", "ａ", "e\u0301", "“a”", "“星”", "")] == [
        3,
        4,
        2,
        1,
        3,
        6,
        0,
    ]


def test_text_is_tidied() -> None:
    assert tidy(" a\n\tb\u200b\u202e\u2028c\x00\x1b[0m  ") == "a b c[0m"
    assert tidy("👨‍👩‍👧") == "👨‍👩‍👧"


# Cues


def test_cues_stand_at_the_narrations_times() -> None:
    """The voice of each shot begins at a sample, its captions at a time: they are the same."""
    shots = [
        shot(
            2.3 + number / 9,
            transition="crossfade",
            voice_start=0.4,
            captions=(one("好", start=0.4, end=1.9),),
        )
        for number in range(12)
    ]
    cut = film(*shots, subtitles=("zh",))
    lay = layout(cut)
    for cue, span in zip(cues_of(cut), lay.shots, strict=True):
        assert abs(cue.start - (place(lay, span.start) / 48_000 + 0.4)) < 0.001
        assert abs(cue.end - cue.start - 1.5) < 0.001


def test_a_long_caption_becomes_several_cues_in_both_languages_alike() -> None:
    found = cues_of(told(one(LONG_ZH, LONG_EN, 1.0, 9.0)))
    assert len(found) >= 2
    assert (found[0].start, found[-1].end) == (1.0, 9.0)
    assert all(set(cue.lines) == {"zh", "en"} for cue in found)
    for language, text in (("zh", LONG_ZH), ("en", LONG_EN)):
        assert squeezed("".join("".join(cue.lines[language]) for cue in found)) == squeezed(text)
    # Each stands as long as its share of the text.
    shares = [columns("".join(cue.lines["zh"])) / columns(LONG_ZH) for cue in found]
    times = [(cue.end - cue.start) / 8 for cue in found]
    assert max(abs(share - time) for share, time in zip(shares, times, strict=True)) < 0.12


@pytest.mark.parametrize("format", FORMATS)
def test_cues_are_in_order_apart_within_the_film_and_fit(format: str) -> None:
    limits = {"16:9": (36, 42), "9:16": (32, 42), "1:1": (32, 42)}[format]
    rng = random.Random(7)
    texts = list(random_texts(60))
    for _ in range(20):
        captions = []
        for _ in range(rng.randint(1, 5)):
            start = rng.choice([0.0, 1.0, rng.uniform(0, 9)])
            captions.append(
                one(rng.choice(texts), rng.choice([*texts, ""]), start, start + rng.uniform(-0.5, 6))
            )
        cut = film(
            shot(6.0, captions=tuple(captions), transition="crossfade"),
            shot(5.0, captions=tuple(captions[:2])),
            format=format,
            subtitles=("en", "zh"),
        )
        found = cues_of(cut)
        end = layout(cut).frames / 24
        for cue, following in zip(found, [*found[1:], None], strict=True):
            limit = following.start if following else end
            assert 0 <= cue.start < cue.end <= limit + 1e-9
            assert cue.end - cue.start > min(MIN_SECONDS, limit - cue.start) - 1e-9
            assert list(cue.lines) == sorted(cue.lines, reverse=True)
            for language, most in zip(("zh", "en"), limits, strict=True):
                lines = cue.lines.get(language, ())
                assert len(lines) <= LINES
                assert all(line and columns(line) <= most for line in lines)


def test_nothing_to_read_makes_no_cues() -> None:
    empty = (one(" \n"), one("", "\u200b"), Caption(0, 1, {}))
    cut = told(*empty)
    assert cues_of(cut) == []
    assert srt(cut, layout(cut), "zh") == ""
    assert vtt(cut, layout(cut), "zh") == "WEBVTT\n"
    assert "Dialogue" not in ass_document(cut, layout(cut))
    assert cues(told(one(ZH)), layout(told(one(ZH))), ["en"]) == []


def test_a_caption_of_fifty_thousand_characters_is_no_trouble() -> None:
    found = cues_of(told(one(ZH * 1700, "", 0.0, 9.0)))
    assert squeezed("".join("".join(cue.lines["zh"]) for cue in found)).startswith(ZH)
    assert all(cue.end > cue.start for cue in found)


# Files

HOSTILE = (
    "<i>tag</i> & </b> <script>",
    "{\\an8}{\\fs200} C:\\new\\N x\\h",
    "1\n\n00:00:00,000 --> 00:00:09,000\nforged",
    "NOTE -->\n\nSTYLE ::cue{}",
)


@pytest.mark.parametrize(("format", "write"), [("srt", srt), ("webvtt", vtt)])
def test_players_read_back_what_was_written_and_when(format: str, write: object, tmp_path: Path) -> None:
    captions = [one(text, ZH, 2.0 * at, 2.0 * at + 1.5) for at, text in enumerate(HOSTILE)]
    cut = told(*captions)
    path = tmp_path / "a.txt"
    path.write_text(write(cut, layout(cut), "zh", "en"), encoding="utf-8")
    with av.open(str(path), format=format) as container:
        packets = [packet for packet in container.demux() if packet.size]
        found = [(packet.pts * packet.time_base, packet.duration * packet.time_base) for packet in packets]
    assert found == [(2 * at, 1.5) for at in range(len(HOSTILE))]


def test_tags_in_a_text_stay_text_in_players(tmp_path: Path) -> None:
    """Drawn through SRT, which players with libass read, a text is one line at the bottom, all of it seen."""

    def ink(text: str) -> np.ndarray:
        cut = told(one("", text, start=0, end=2), seconds=2.0)
        (tmp_path / "a.srt").write_text(srt(cut, layout(cut), "en"), encoding="utf-8")
        return drawn(tmp_path / "a.srt", 320, 192, tmp_path)

    def width(text: str) -> int:
        across = np.flatnonzero(ink(text).any(axis=0))
        return int(across[-1] - across[0])

    rows = np.flatnonzero(ink("x").any(axis=1))
    for text in ("{\\an8}x", "a\\Nb\\nc", "<i>x</i>", "{x}"):
        found = np.flatnonzero(ink(text).any(axis=1))
        assert found[0] > rows[0] - 20
        assert width(text) > width(squeezed(re.sub(r"[{}<>\\/]", "", text))) + 4


# Drawn into the film


def drawn(path: Path, width: int, height: int, folder: Path, at: int = 12) -> np.ndarray:
    """Where subtitles change a plain ground: frame `at` of 24 a second, as (height, width) of bool."""
    ground = graphs.input(f"color=c=0x405060:s={width}x{height}:r=24:d=10", f="lavfi")
    options = {"filename": str(path), "fontsdir": str(FONT_FOLDER)}
    video = ground.filter("subtitles", **options).filter("trim", start_frame=at, end_frame=at + 1)
    video = video.filter("setpts", "PTS-STARTPTS")
    run(graphs.output(video.filter("format", "rgb24"), f"file:{folder}/f.rgb", f="rawvideo"))
    picture = np.fromfile(folder / "f.rgb", np.uint8).reshape(height, width, 3).astype(int)
    return np.abs(picture - picture[0, 0]).max(axis=2) > 40


def burnt(cut: FilmCut, folder: Path, at: int = 24) -> np.ndarray:
    (folder / "a.ass").write_text(ass_document(cut, layout(cut)), encoding="utf-8")
    return drawn(folder / "a.ass", *frame_size(cut.format, cut.height), folder, at)


@pytest.fixture(scope="module")
def logo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logo") / "logo.png"
    Image.new("RGBA", (300, 200), (200, 30, 30, 255)).save(path)
    return path


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("corner", [None, "bottom_left", "bottom_right"])
def test_they_are_drawn_low_inside_the_safe_area_and_off_label_and_logo(
    format: str, corner: Corner | None, logo: Path, tmp_path: Path
) -> None:
    mark = Logo(logo, corner) if corner else None
    cut = told(one(ZH, EN), format=format, height=360, label=LabelStyle(), logo=mark)
    ink = burnt(cut, tmp_path)
    height, width = ink.shape
    rows, across = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert rows[0] > height * 0.5
    assert height * (0.14 if format == "9:16" else 0.04) < height - rows[-1] < height * 0.3
    assert width * 0.04 < across[0] < across[-1] < width * 0.96
    assert abs((across[0] + across[-1]) / 2 - width / 2) < width * 0.02
    boxes = [place_label(label_of(cut), canvas_of(cut)).box]
    boxes += [place_logo(mark, canvas_of(cut)).box] if mark else []
    for box in boxes:
        assert not ink[box.top : box.top + box.height, box.left : box.left + box.width].any()


def test_a_label_that_is_short_or_at_the_top_or_not_shown_leaves_them_their_place() -> None:
    def below(label: str, **more: Any) -> int:
        cut = told(one("好" * 16), height=720, label=LabelStyle(label, **more))
        return int(re.findall(r"Style: zh.*,(\d+),1$", ass_document(cut, layout(cut)), re.M)[0])

    assert below("AI生成") == 36
    wide = "AI生成 " * 10
    assert below(wide) > 80
    assert below(wide, corner="top_left") == below(wide, shown=False) == 36


def test_chinese_stands_above_english_and_is_larger(tmp_path: Path) -> None:
    def rows(*text: str) -> np.ndarray:
        return np.flatnonzero(burnt(told(one(*text), height=360), tmp_path).any(axis=1))

    both, english = rows("国国国国", "mmm mmm"), rows("", "mmm mmm")
    gap = np.flatnonzero(np.diff(both) > 1)
    assert len(gap) == 1
    upper, lower = both[: gap[0] + 1], both[gap[0] + 1 :]
    assert len(upper) > 1.2 * len(lower)
    assert abs(int(lower[-1]) - int(english[-1])) <= 1
    # As high as promised: 6 % of the short side, give or take the outline.
    assert 0.05 * 360 < len(upper) < 0.075 * 360


@pytest.mark.parametrize(
    "text", ["{\\an8}", "{\\fs300}x", "a\\Nb\\nc\\hd", "{", "}", "\\", "{\\pos(1,1)}x{", "a\\{b"]
)
def test_a_text_cannot_command_the_drawing(text: str, tmp_path: Path) -> None:
    ink = burnt(told(one("", text), height=360, label=LabelStyle()), tmp_path)
    rows = np.flatnonzero(ink.any(axis=1))
    assert len(rows) > 3  # it is seen
    assert rows[0] > 290  # below, and in one line
    assert rows[-1] - rows[0] < 30


def test_a_text_is_drawn_letter_by_letter(tmp_path: Path) -> None:
    """The braces and backslashes themselves are there: as wide as they are in the font."""

    def wide(text: str) -> int:
        across = np.flatnonzero(burnt(told(one("", text), height=360), tmp_path).any(axis=0))
        return int(across[-1] - across[0])

    assert abs(wide("x{\\an8}x") - wide("x(/an8)x")) < 8
    assert wide("x\\Nx") > wide("xNx")


@pytest.mark.parametrize("fps", [8, 24])
def test_they_appear_with_their_frame(fps: int, tmp_path: Path) -> None:
    cut = told(one("好", start=1.0, end=2.0), height=144, fps=fps)
    (tmp_path / "a.ass").write_text(ass_document(cut, layout(cut)), encoding="utf-8")
    seen = [
        drawn(tmp_path / "a.ass", 256, 144, tmp_path, at).any() for at in (22, 23, 24, 25, 46, 47, 48, 49)
    ]
    assert seen == [False, False, True, True, True, True, False, False]


def test_what_the_font_lacks_is_told_and_left_out(tmp_path: Path) -> None:
    assert missing_glyphs("星星🌟闪🌟✨ ไทย é ★ 𠮷 — a\u0301") == "🌟✨ไทย"
    assert missing_glyphs(ZH + EN + LONG_ZH + LONG_EN + " \n…“”·①℃") == ""
    cut = told(one("🎬🎬", "👨‍👩‍👧 hi 🌟"))
    document = ass_document(cut, layout(cut))
    assert re.findall(r"Dialogue.*?\}(.*)", document) == ["hi"]
    # Players have other fonts: the files keep all.
    assert "👨‍👩‍👧 hi 🌟" in srt(cut, layout(cut), "en")


def test_a_line_of_wide_letters_is_drawn_smaller_rather_than_cut_off(tmp_path: Path) -> None:
    cut = told(one("", "W" * 38), format="9:16", height=360)
    across = np.flatnonzero(burnt(cut, tmp_path).any(axis=0))
    assert 0.04 * 360 < across[0] < across[-1] < 0.96 * 360
