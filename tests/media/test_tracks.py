"""What a film carries beside its pictures is read back as it was written: chapters, subtitles."""

from pathlib import Path

import pytest

from studio.media import subtitles, tracks
from studio.media.ffmpeg import MediaError
from studio.media.film import make_film
from studio.media.timeline import Caption, FilmCut, layout
from studio.media.tracks import Cue
from tests.media.film_kit import film_of, plain, shot

SAID = (
    Caption(0.2, 0.9, {"zh": "很久很久以前。", "en": "Long, long ago <once> & again."}),
    Caption(1.0, 1.7, {"zh": "有一条河。", "en": "there was a river."}),
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[FilmCut, Path]:
    folder = tmp_path_factory.mktemp("film")
    shots = [
        shot(plain(folder, colour), captions=SAID, title=f"{colour} 章", transition="crossfade")
        for colour in ("red", "green")
    ]
    cut = film_of(*shots, subtitles=("zh", "en"))
    make_film(cut, folder / "film.mp4", work=folder / "work")
    return cut, folder / "film.mp4"


def test_chapters_are_where_the_shots_begin(film: tuple[FilmCut, Path]) -> None:
    cut, path = film
    found = tracks.chapters(path)
    assert [chapter.title for chapter in found] == ["red 章", "green 章"]
    lay = layout(cut)
    starts = [lay.seconds(span.start) for span in lay.shots]
    assert [chapter.start for chapter in found] == pytest.approx(starts, abs=0.002)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_subtitles_come_out_as_they_went_in(language: str, film: tuple[FilmCut, Path]) -> None:
    cut, path = film
    expected = subtitles.cues(cut, layout(cut), [language])
    found = tracks.subtitles(path, language)
    assert [cue.text for cue in found] == ["\n".join(cue.lines[language]) for cue in expected]
    for cue, wanted in zip(found, expected, strict=True):
        assert (cue.start, cue.end) == pytest.approx((wanted.start, wanted.end), abs=0.002)


def test_both_languages_stand_together_while_both_are_read() -> None:
    zh = [Cue(0, 2, "一"), Cue(2, 4, "二")]
    en = [Cue(0, 3, "one"), Cue(5, 6, "last")]
    assert tracks.both(zh, en) == (
        Cue(0, 2, "一\none"),
        Cue(2, 3, "二\none"),
        Cue(3, 4, "二"),
        Cue(5, 6, "last"),
    )


def test_files_are_written_as_players_read_them() -> None:
    cues = [Cue(0.2, 3661.5, "a <b> & c")]
    assert tracks.written(cues, "srt") == "1\n00:00:00,200 --> 01:01:01,500\na <b> & c\n"
    expected = "WEBVTT\n\n00:00:00.200 --> 01:01:01.500\na &lt;b&gt; &amp; c\n"
    assert tracks.written(cues, "vtt") == expected


def test_a_film_without_subtitles_says_so(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    make_film(film_of(shot(plain(tmp_path, "red"))), path, work=tmp_path / "work")
    with pytest.raises(MediaError) as error:
        tracks.subtitles(path, "zh")
    assert error.value.notice.code == "no_subtitles"


def test_what_is_no_film_has_no_chapters(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("#EXTM3U\nhttp://127.0.0.1:9/a.mp4")
    assert tracks.chapters(tmp_path / "text.mp4") == ()
    assert tracks.chapters(tmp_path / "gone.mp4") == ()
    with pytest.raises(MediaError):
        tracks.subtitles(tmp_path / "text.mp4", "zh")
