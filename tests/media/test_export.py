"""An exported film is the film: its pictures, subtitles, chapters and recipe, as far as the format goes."""

import json
from pathlib import Path

import av
import ffmpeg as graphs
import numpy as np
import pytest
from PIL import Image

from pipelines.request import Cancelled
from studio.media.clip import write_clip
from studio.media.export import KINDS, SUFFIXES, ExportFacts, Kind, export
from studio.media.ffmpeg import MediaError, run
from studio.media.label import LabelStyle
from studio.media.probe import probe
from studio.words import LANGUAGES, say
from tests.media.pictures import frames
from tests.media.sounds import tone, write_wav

RECIPE = json.dumps({"story": "中文 = ; # \\ \n ' \" 🎬", "long": "夜" * 3000}, ensure_ascii=False)
AIGC = '{"Label":"1","ContentProducer":"wan-studio","ProduceID":"a1"}'
CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/24
START=0
END=24
title=第一章
[CHAPTER]
TIMEBASE=1/24
START=24
END=48
title=second; "one"
"""
SRT = "1\n00:00:00,500 --> 00:00:01,250\n{}\n\n2\n00:00:01,250 --> 00:00:02,000\n{}\n"


def film_in(
    folder: Path, *, count: int = 48, size: tuple[int, int] = (320, 192), fps: int = 24, **more: object
) -> Path:
    """A film with sound, two subtitle tracks, two chapters and a recipe."""
    write_clip(
        frames(count, *size),
        path=folder / "p.mp4",
        fps=fps,
        comment=RECIPE,
        label=LabelStyle(),
        expected_frames=count,
    )
    (folder / "zh.srt").write_text(SRT.format("你好", "世界"), encoding="utf-8")
    (folder / "en.srt").write_text(SRT.format("hello", "world"), encoding="utf-8")
    (folder / "about.txt").write_text(CHAPTERS, encoding="utf-8")
    about = graphs.input(str(folder / "about.txt"), f="ffmetadata")
    picture = graphs.input(str(folder / "p.mp4"))
    sound = graphs.input(str(write_wav(folder / "s.wav", np.stack([tone(count / fps)] * 2, axis=1))))
    texts = [graphs.input(str(folder / f"{name}.srt")) for name in ("zh", "en")]
    options = {
        "vcodec": "libx264",
        "acodec": "aac",
        "scodec": "mov_text",
        "map_metadata": 1,
        "map_chapters": 0,
    }
    options |= {"metadata:s:s:0": "language=zho", "metadata:s:s:1": "language=eng", **more}
    tracks = (about["s?"], picture.video, sound.audio, *texts)
    run(graphs.output(*tracks, f"file:{folder}/film.mp4", **options))
    return folder / "film.mp4"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film_in(tmp_path_factory.mktemp("film"))


def texts_of(path: Path, kind: Kind) -> list[tuple[str, list[str]]]:
    """Language and texts of each subtitle track."""
    found = []
    for at in range(2):
        with av.open(str(path), format="webm" if kind == "vp9" else "mp4") as container:
            stream = container.streams.subtitles[at]
            packets = [bytes(packet) for packet in container.demux(stream) if packet.size > 2]
            found.append(
                (stream.language, [text.decode("utf-8", "ignore").lstrip("\x00\x05\x06") for text in packets])
            )
    return found


@pytest.mark.parametrize(
    ("kind", "codecs"), [("h264", ("h264", "aac")), ("h265", ("hevc", "aac")), ("vp9", ("vp9", "opus"))]
)
def test_all_that_the_film_carries_is_in_the_file(
    kind: Kind, codecs: tuple[str, str], film: Path, tmp_path: Path
) -> None:
    path = tmp_path / f"out{SUFFIXES[kind]}"
    facts = export(film, path, kind)
    assert isinstance(facts, ExportFacts)
    assert (facts.frames, facts.seconds, facts.width, facts.height) == (48, 2.0, 320, 192)
    assert (facts.subtitles, facts.chapters, facts.carries_recipe, facts.notices) == (2, 2, True, ())
    assert facts.bytes == path.stat().st_size
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    with av.open(str(path)) as container:
        tags = {name.lower(): value for name, value in container.metadata.items()}
        assert tags["comment"] == RECIPE
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == codecs
        assert video.codec_context.pix_fmt == "yuv420p"
        assert audio.codec_context.channels == 2
        marks = [
            (
                chapter["start"] * chapter["time_base"],
                chapter["end"] * chapter["time_base"],
                chapter["metadata"],
            )
            for chapter in container.chapters()
        ]
        assert marks == [(0, 1, {"title": "第一章"}), (1, 2, {"title": 'second; "one"'})]
    assert texts_of(path, kind) == [("zho", ["你好", "世界"]), ("eng", ["hello", "world"])]


def test_h265_bears_the_tag_that_apples_players_want_and_begins_with_its_index(
    film: Path, tmp_path: Path
) -> None:
    export(film, tmp_path / "a.mp4", "h265")
    content = (tmp_path / "a.mp4").read_bytes()
    assert b"hvc1" in content
    assert b"hev1" not in content
    assert content.index(b"moov") < content.index(b"mdat")


def test_h264_is_the_film_itself(film: Path, tmp_path: Path) -> None:
    export(film, tmp_path / "a.mp4", "h264")
    assert (tmp_path / "a.mp4").read_bytes() == film.read_bytes()


@pytest.mark.parametrize("kind", ["h265", "vp9"])
def test_the_pictures_are_the_films(kind: Kind, film: Path, tmp_path: Path) -> None:
    path = tmp_path / f"a{SUFFIXES[kind]}"
    export(film, path, kind)
    with av.open(str(film)) as before, av.open(str(path)) as after:
        for one, other in zip(before.decode(video=0), after.decode(video=0), strict=True):
            difference = one.to_ndarray(format="rgb24").astype(int) - other.to_ndarray(format="rgb24")
            assert abs(difference).mean() < 6


def test_a_gif_shows_the_film_and_plays_for_ever(film: Path, tmp_path: Path) -> None:
    facts = export(film, tmp_path / "a.gif", "gif")
    assert (facts.notices, facts.carries_recipe) == ((), True)
    with Image.open(tmp_path / "a.gif") as picture:
        assert (picture.format, picture.size, picture.n_frames) == ("GIF", (320, 192), 24)  # every second one
        assert picture.info.get("loop") == 0
        first = np.asarray(picture.convert("RGB")).astype(int)
    with av.open(str(film)) as container:
        same = next(iter(container.decode(video=0))).to_ndarray(format="rgb24").astype(int)
    assert abs(first - same).mean() < 14


@pytest.mark.slow
def test_a_gif_is_small_and_short_and_says_so(tmp_path: Path) -> None:
    source = film_in(tmp_path, count=8 * 21, size=(640, 360), fps=8)
    facts = export(source, tmp_path / "a.gif", "gif")
    assert (facts.width, facts.height, facts.frames) == (480, 270, 160)
    assert facts.seconds == pytest.approx(20, abs=0.1)
    assert [notice.code for notice in facts.notices] == ["export_gif_cut"]
    assert all(len(say(facts.notices[0], language)) > 10 for language in LANGUAGES)


def test_an_upright_film_becomes_an_upright_gif(tmp_path: Path) -> None:
    facts = export(film_in(tmp_path, count=6, size=(360, 640)), tmp_path / "a.gif", "gif")
    assert (facts.width, facts.height) == (270, 480)


@pytest.mark.parametrize("kind", KINDS)
def test_a_film_without_sound_subtitles_and_chapters_is_exported_too(kind: Kind, tmp_path: Path) -> None:
    write_clip(
        frames(9), path=tmp_path / "p.mp4", fps=8, comment=RECIPE, label=LabelStyle(), expected_frames=9
    )
    facts = export(tmp_path / "p.mp4", tmp_path / f"a{SUFFIXES[kind]}", kind)
    assert (facts.frames, facts.subtitles, facts.chapters) == (9, 0, 0)
    assert facts.carries_recipe


def tags_of(path: Path) -> dict[str, str]:
    """What a file says of itself, by names in small letters."""
    with av.open(str(path)) as container:
        return {name.lower(): value for name, value in container.metadata.items()}


@pytest.mark.parametrize("kind", ["h264", "h265", "vp9"])
def test_tags_that_mp4_has_no_place_for_are_kept(kind: Kind, tmp_path: Path) -> None:
    more = {"metadata": f"AIGC={AIGC}", "movflags": "+faststart+use_metadata_tags"}
    path = tmp_path / f"a{SUFFIXES[kind]}"
    assert export(film_in(tmp_path, count=24, **more), path, kind).carries_recipe
    tags = tags_of(path)
    assert (tags["aigc"], tags["comment"]) == (AIGC, RECIPE)
    assert "major_brand" not in tags or kind != "vp9", "what was said of the MP4 itself is not handed on"


@pytest.mark.parametrize("kind", ["h264", "h265", "vp9"])
@pytest.mark.parametrize("carried", [False, True])
def test_new_tags_and_another_comment_take_the_place_of_the_films(
    kind: Kind, carried: bool, tmp_path: Path
) -> None:
    own = {"metadata": 'AIGC={"Label":"0"}', "movflags": "+faststart+use_metadata_tags"} if carried else {}
    source = film_in(tmp_path, count=24, **own)
    path, long = tmp_path / f"a{SUFFIXES[kind]}", json.dumps({"AIGC": AIGC, "film": "夜" * 60_000})
    facts = export(source, path, kind, tags={"AIGC": AIGC}, comment=long)
    assert (facts.frames, facts.subtitles, facts.chapters, facts.carries_recipe) == (24, 2, 2, True)
    tags = tags_of(path)
    assert (tags["aigc"], tags["comment"]) == (AIGC, long)
    content = path.read_bytes()
    assert kind == "vp9" or content.index(b"moov") < content.index(b"mdat")
    assert tags_of(source)["comment"] == RECIPE


def test_h264_with_new_tags_has_the_very_same_pictures_and_sound(film: Path, tmp_path: Path) -> None:
    export(film, tmp_path / "a.mp4", "h264", tags={"AIGC": AIGC})
    assert texts_of(tmp_path / "a.mp4", "h264") == texts_of(film, "h264")
    for at in range(2):
        packets = []
        for path in (film, tmp_path / "a.mp4"):
            with av.open(str(path)) as container:
                packets.append([bytes(one) for one in container.demux(container.streams[at]) if one.size])
        assert packets[0] == packets[1]
        assert len(packets[0]) > 40


def test_a_gif_carries_tags_and_comment_as_its_comments(film: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    export(film, path, "gif", tags={"AIGC": AIGC})
    assert tags_of(path)["comment"] == RECIPE
    with Image.open(path) as picture:
        assert picture.info["comment"].decode() == f"AIGC={AIGC}\n{RECIPE}"
        assert (picture.info["loop"], picture.n_frames) == (0, 24)
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]


def test_a_tag_is_a_word_and_a_line(film: Path, tmp_path: Path) -> None:
    for tags in (
        {"a=b": "x"},
        {"comment": "x"},
        {"": "x"},
        {"AIGC": "a\nb"},
        {"AIGC": ""},
        {"AIGC": "x" * 9000},
    ):
        for kind in KINDS:
            with pytest.raises(ValueError, match=r"tag|value"):
                export(film, tmp_path / "a", kind, tags=tags)
    assert list(tmp_path.iterdir()) == []


def test_a_remux_keeps_the_comment_and_with_the_flag_the_tags(tmp_path: Path) -> None:
    write_clip(
        frames(9),
        path=tmp_path / "p.mp4",
        fps=8,
        comment=RECIPE,
        tags={"AIGC": AIGC},
        label=LabelStyle(),
        expected_frames=9,
    )
    for name, flags, kept in (("a", {}, None), ("b", {"movflags": "use_metadata_tags"}, AIGC)):
        copy = graphs.output(
            graphs.input(str(tmp_path / "p.mp4")), f"file:{tmp_path}/{name}.mp4", c="copy", **flags
        )
        run(copy)
        tags = tags_of(tmp_path / f"{name}.mp4")
        assert (tags["comment"], tags.get("aigc")) == (RECIPE, kept)


@pytest.mark.parametrize("kind", ["h265", "vp9", "gif"])
def test_it_tells_how_far_it_is_and_stops_when_asked(kind: Kind, film: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    target = tmp_path / f"a{SUFFIXES[kind]}"
    target.write_text("the export before")
    with pytest.raises(Cancelled):
        export(film, target, kind, should_stop=lambda: True)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [
        (target.name, "the export before")
    ]
    facts = export(film, target, kind, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (facts.frames, facts.frames)
    assert told == sorted(told)
    assert probe(film).frames == 48  # the film is as it was


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_film_is_said(kind: Kind, tmp_path: Path) -> None:
    contents = {"empty": b"", "text": b"I am a film", "list": b"ffconcat version 1.0\nfile '/etc/passwd'\n"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MediaError) as caught:
            export(tmp_path / name, tmp_path / f"a{SUFFIXES[kind]}", kind)
        assert caught.value.code == ("file_empty" if name == "empty" else "not_a_video")
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(contents)
