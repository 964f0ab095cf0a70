"""Music: beds for every mood, and uploads that are music or are said not to be."""

import os
from pathlib import Path

import numpy as np
import pytest

from studio.media.audio import RATE, read_sound
from studio.media.clip import write_clip
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from studio.media.music import LICENCE, MOODS, bed, beds, check_music, credit, title
from studio.words import LANGUAGES, say
from tests.media.pictures import frames
from tests.media.sounds import encoded, tone, write_wav


def refused(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        check_music(path)
    for language in LANGUAGES:
        assert "{" not in say(caught.value.notice, language)
    return caught.value.code


def test_every_mood_has_beds_that_can_be_heard() -> None:
    assert {one.mood for one in beds()} == set(MOODS)
    assert len({one.name for one in beds()}) == len(beds()) >= 25
    for mood in MOODS:
        assert bed(mood).mood == mood
        sound = read_sound(bed(mood).path, seconds=3.0)
        assert len(sound) == 3 * RATE
        assert np.sqrt((sound**2).mean()) > 0.01
        assert check_music(bed(mood).path) > 25


def test_a_bed_is_found_by_its_name_and_an_unknown_one_is_said() -> None:
    last = beds()[-1]
    assert bed(last.name) == last
    with pytest.raises(MediaError) as caught:
        bed("../../etc/passwd")
    assert caught.value.code == "music_unknown"
    assert "calm" in say(caught.value.notice, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_beds_have_titles_and_credits_of_their_own(language: str) -> None:
    titles = [title(one, language) for one in beds()]
    assert len(set(titles)) == len(titles)
    assert not any("music_" in text for text in titles)
    told = credit(beds()[0], language)
    assert titles[0] in told
    assert all(word in told for word in ("AI", LICENCE.made_with, LICENCE.name))


FORMATS = {
    "a.mp3": {"acodec": "libmp3lame"},
    "a.m4a": {"acodec": "aac"},
    "a.ogg": {"acodec": "libvorbis"},
    "a.opus": {"acodec": "libopus"},
    "a.flac": {},
    "low.wav": {"ar": 8000, "ac": 1, "acodec": "pcm_u8"},
    "six.wav": {"ac": 6, "acodec": "pcm_s24le"},
}


@pytest.mark.parametrize("name", FORMATS)
def test_music_of_every_format_is_measured(name: str, tmp_path: Path) -> None:
    source = write_wav(tmp_path / "source.wav", np.stack([tone(2.5), tone(2.5, 660)], axis=1))
    path = encoded(source, tmp_path / name, **FORMATS[name])
    assert check_music(path) == pytest.approx(2.5, abs=0.06)
    wrong_name = path.rename(tmp_path / "music.txt")
    assert check_music(wrong_name) == pytest.approx(2.5, abs=0.06)


def test_what_is_no_music_is_said(tmp_path: Path) -> None:
    write_clip(
        frames(8), path=tmp_path / "mute.mp4", fps=8, comment="{}", label=LabelStyle(), expected_frames=8
    )
    wav = write_wav(tmp_path / "good.wav", tone(2.0)).read_bytes()
    contents = {
        "text.mp3": b"Dear team, here is the music you asked for.\n" * 50,
        "id3.mp3": b"ID3\x04\x00\x00\x00\x00\x00\x10" + os.urandom(4000),
        "sync.mp3": b"\xff\xfb\x90\x00" * 3,
        "noise.flac": b"fLaC" + os.urandom(4000),
        "noise.ogg": b"OggS" + os.urandom(4000),
        "box.m4a": b"\x00\x00\x00\x18ftypM4A " + os.urandom(4000),
        "head.wav": wav[:44],
        "play.m3u8": b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        "list.wav": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        "picture.mp3": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "zeros.wav": bytes(1000),
        "mute.m4a": (tmp_path / "mute.mp4").read_bytes(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert (name, refused(tmp_path / name)) == (name, "music_bad")
    assert refused(tmp_path / "nowhere.wav") == "music_bad"
    assert refused(tmp_path) == "music_bad"
    (tmp_path / "empty.mp3").touch()
    assert refused(tmp_path / "empty.mp3") == "file_empty"


def test_music_that_is_cut_off_is_as_long_as_it_is(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", tone(4.0))
    for name in ("a.mp3", "a.flac"):
        path = encoded(source, tmp_path / name)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert 1.5 < check_music(path) < 2.5


def test_too_big_too_short_and_too_long_are_said(tmp_path: Path) -> None:
    write_wav(tmp_path / "short.wav", tone(0.9))
    assert refused(tmp_path / "short.wav") == "music_length"
    # Silence packs well: a small file may stand for hours.
    long = write_wav(tmp_path / "long.wav", np.zeros(4000 * 60 * 16), 4000)
    assert refused(encoded(long, tmp_path / "long.flac")) == "music_length"
    with (tmp_path / "big.wav").open("wb") as file:
        file.truncate(30_000_001)
    assert refused(tmp_path / "big.wav") == "file_too_big"
