"""Files that people bring to a story: checked, kept, copied, removed."""

import wave
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines.request import GenerationRequest
from studio.core import Studio
from studio.story.files import called
from studio.views import Refused
from tests.story.kit import ADMIN, ANNA, BEN, make_clip, new, requests_of, states


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    path = tmp_path / "logo.png"
    Image.new("RGBA", (300, 100), (255, 0, 0, 128)).save(path)
    return path


def test_a_logo_is_kept_with_its_story_copied_with_it_and_removed_with_it(studio: Studio, logo: Path) -> None:
    view = new(studio)
    home = studio.settings.studio_home
    place = studio.stories.attach(ANNA, view.id, "logo", logo, "brand.png").story.look.logo
    assert place.startswith(f"stories/{view.id}/")
    with Image.open(home / place) as kept:
        assert kept.size == (300, 100)
    studio.stories.change(ANNA, view.id, "update_look", logo="")
    assert studio.stories.change(ANNA, view.id, "update_look", logo=place).story.look.logo == place
    copy = studio.stories.duplicate(BEN, view.id)
    assert copy.story.look.logo == place.replace(view.id, copy.id)
    studio.stories.delete(ANNA, view.id)
    assert not (home / place).exists()
    assert (home / copy.story.look.logo).is_file()
    with pytest.raises(Refused, match="story_file_gone"):
        studio.stories.change(ADMIN, copy.id, "update_look", logo=place)


def test_music_is_called_as_its_file_was_until_other_music_is_chosen(studio: Studio, tmp_path: Path) -> None:
    view = new(studio)
    path = tmp_path / "upload"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 8000, "NONE", ""))
        file.writeframes(b"\0\1" * 8000)
    look = studio.stories.attach(ANNA, view.id, "music", path, "C:\\songs\\春雨 <b>.wav").story.look
    assert look.music_name == "春雨 <b>.wav"
    assert studio.stories.duplicate(BEN, view.id).story.look.music_name == look.music_name
    other = studio.stories.change(ANNA, view.id, "update_look", music="calm").story.look
    assert (other.music, other.music_name) == ("calm", "")
    for name in ("\x00.wav", "", ".."):
        assert studio.stories.attach(ANNA, view.id, "music", path, name).story.look.music
    assert len(called("x" * 300 + ".mp3")) == 120


@pytest.mark.parametrize(
    ("what", "name", "content", "code"),
    [
        ("logo", "x.png", b"just text", "logo_bad"),
        ("music", "x.mp3", b"just text", "music_bad"),
        ("shot", "x.mp4", b"just text", "source_bad"),
        ("shot", "x.png", b"just text", "picture_bad"),
        ("shot", "x.mp4", b"", "file_empty"),
        ("shot", "x.mp4", b"#EXTM3U\nhttp://127.0.0.1/x.ts", "source_bad"),
    ],
)
def test_a_file_that_is_something_else_is_refused_and_nothing_is_left(
    studio: Studio, tmp_path: Path, what: Any, name: str, content: bytes, code: str
) -> None:
    view = new(studio)
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Refused, match=code):
        studio.stories.attach(ANNA, view.id, what, path, name, view.shots[0].shot.id)
    folder = studio.settings.studio_home / "stories" / view.id
    assert list(folder.glob("*")) == []
    assert studio.stories.get(ANNA, view.id).revision == view.revision


def test_a_huge_logo_is_refused(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (20_000, 20)).save(path)
    # Its head promises 20,000 rows more than there are: nothing may be read to find that out.
    content = bytearray(path.read_bytes())
    content[20:24] = (20_000).to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(Refused, match="logo_too_big"):
        studio.stories.attach(ANNA, new(studio).id, "logo", path, "huge.png")


def test_a_picture_becomes_a_shots_own_clip(studio: Studio, tmp_path: Path) -> None:
    view = new(studio)
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (320, 240), "green").save(path)
    shot = view.shots[1].shot.id
    seen = studio.stories.attach(ANNA, view.id, "shot", path, "My photo.jpg", shot)
    sheet = studio.stories.storyboard(ANNA, view.id, "https://studio.example/")
    assert sheet.count("data:image/webp") == 1, "the sheet shows it too"
    source = seen.shots[1].shot.source
    assert source is not None
    assert (source.kind, source.title) == ("upload", "My photo")
    assert (studio.settings.studio_home / source.place).is_file()
    assert states(seen)[1] == "source"
    with pytest.raises(Refused, match="shot_shows_file"):
        studio.stories.render_shot(ANNA, view.id, shot, "animatic")
    for name in ("logo", "music"):
        with pytest.raises(Refused, match="story_file_gone"):
            studio.stories.change(ANNA, view.id, "update_look", **{name: source.place})
    film = studio.stories.film(ANNA, view.id, "animatic")
    assert len(requests_of(studio, film)) == 3
    with pytest.raises(Refused, match="shot_unknown"):
        studio.stories.attach(ANNA, view.id, "shot", path, "x.jpg", "nobody")


def test_a_shot_shows_a_library_clip_until_that_is_deleted(studio: Studio) -> None:
    view = new(studio)
    shot = view.shots[0].shot.id
    clip = make_clip(studio, GenerationRequest(prompt="a boat", seed=1))
    seen = studio.stories.use_asset(ANNA, view.id, shot, clip.id)
    source = seen.shots[0].shot.source
    assert source is not None
    assert (source.place, source.title) == (clip.id, "a boat")
    job = studio.jobs.get(studio.stories.film(ANNA, view.id, "animatic"))
    assert job is not None
    assert job.plan is not None
    assert job.plan.shots[0].source is not None
    assert job.plan.shots[0].source.path == clip.path
    studio.delete_asset(ANNA, clip.id)
    gone = studio.stories.get(ANNA, view.id)
    assert "shot_source_gone" in [notice.code for notice in gone.shots[0].notices]
    with pytest.raises(Refused, match="shot_source_gone"):
        studio.stories.film(ANNA, view.id, "animatic")
    with pytest.raises(Refused, match="asset_unknown"):
        studio.stories.use_asset(ANNA, view.id, shot, "nothing")
