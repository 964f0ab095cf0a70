"""The routes of stories: files in by size and right, films in other formats, subtitles, things to hear."""

import io
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image
from starlette.testclient import TestClient

from studio import story_routes
from studio.core import Studio
from studio.library import Asset
from studio.media.film import make_film
from studio.media.timeline import Caption
from studio.settings import Settings
from studio.stories import StoryView
from studio.voice.voices import VOICES
from tests.media.film_kit import film_of, plain, shot
from tests.story.kit import ANNA
from tests.studio.web_kit import client_of, keep

TEXT = "1. 一只白鹿站在森林里。\n2. 雪原上，一个老人慢慢走着。"
SAID = (Caption(0.2, 1.2, {"zh": "一只白鹿。", "en": "A white deer."}),)


@pytest.fixture
def story(private: Studio, client: TestClient) -> StoryView:
    """A story of whoever asks: in a private studio everyone is the admin."""
    return private.stories.new(ANNA, text=TEXT, title="白鹿 <b>")


def bring(client: TestClient, story: StoryView, content: bytes, **query: str) -> Any:
    return client.post(f"/story/{story.id}/file", params=query, content=content)


def logo(folder: Path, size: tuple[int, int] = (80, 40)) -> bytes:
    Image.new("RGBA", size, (255, 0, 0, 255)).save(folder / "logo.png")
    return (folder / "logo.png").read_bytes()


def keep_film(studio: Studio, folder: Path) -> Asset:
    """A real film with subtitles in the library."""
    asset = keep(studio, asset_id="film-1")
    cut = film_of(shot(plain(folder, "red"), captions=SAID, title="一"), subtitles=("zh", "en"), title="鹿")
    path = studio.library_file(asset)
    path.unlink()
    make_film(cut, path, work=folder / "work")
    return replace(asset, path=str(path))


def test_a_story_comes_as_json_under_its_title(client: TestClient, story: StoryView) -> None:
    answer = client.get(f"/story/{story.id}.json")
    assert json.loads(answer.content)["story"]["title"] == "白鹿 <b>"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert "%E7%99%BD%E9%B9%BF" in answer.headers["content-disposition"]


def test_a_storyboard_is_a_page_with_a_code_and_no_tags_of_others(
    client: TestClient, story: StoryView
) -> None:
    answer = client.get(f"/story/{story.id}/storyboard", params={"language": "en"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "白鹿 &lt;b&gt;" in answer.text
    assert "data:image/png;base64," in answer.text


def test_an_open_page_asks_for_a_few_numbers(client: TestClient, story: StoryView) -> None:
    before = client.get(f"/story/{story.id}/now")
    assert before.headers["cache-control"] == "no-store"
    assert len(before.content) < 100
    assert client.get(f"/story/{story.id}/now").json() == before.json()


@pytest.mark.parametrize(
    "path",
    ["/story/nothing.json", "/story/nothing/now", "/story/nothing/storyboard", "/still/nothing/x.mp4"],
)
def test_what_is_not_there_answers_404(path: str, client: TestClient) -> None:
    assert client.get(path).status_code == 404


def test_a_logo_is_brought_and_seen(
    client: TestClient, story: StoryView, private: Studio, tmp_path: Path
) -> None:
    assert bring(client, story, logo(tmp_path), what="logo", name="logo.png").json() == {"ok": True}
    place = private.stories.get(ANNA, story.id).story.look.logo
    answer = client.get(f"/brought/{place.removeprefix('stories/')}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert list(private.settings.tmp.glob("brought-*")) == []


def test_a_picture_becomes_a_shot_and_has_a_still(
    client: TestClient, story: StoryView, private: Studio, tmp_path: Path
) -> None:
    one = story.shots[0].shot.id
    assert (
        bring(client, story, logo(tmp_path, (320, 180)), what="shot", shot=one, name="deer.png").status_code
        == 200
    )
    source = private.stories.get(ANNA, story.id).shots[0].shot.source
    assert source is not None
    place = source.place.removeprefix("stories/")
    answer = client.get(f"/still/{place}", params={"at": 1.0})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert client.get(f"/still/{place}", params={"at": 1e9}).status_code == 200


@pytest.mark.parametrize(
    ("what", "content", "words"),
    [
        ("logo", b"not a picture at all", "PNG"),
        ("logo", b"", "empty"),
        ("music", b"this is a text file" * 100, "music"),
        ("shot", b"#EXTM3U\nhttp://127.0.0.1:9/secret.mp4", "video"),
    ],
)
def test_a_file_that_will_not_do_is_a_sentence(
    what: str, content: bytes, words: str, client: TestClient, story: StoryView, private: Studio
) -> None:
    shot_id = story.shots[0].shot.id
    answer = bring(client, story, content, what=what, shot=shot_id, name="a.mp4", language="en")
    assert answer.status_code == 400
    assert words in answer.json()["errors"][0]["text"]
    assert list(private.settings.tmp.glob("brought-*")) == []
    assert private.stories.get(ANNA, story.id).story == story.story


def test_a_file_is_refused_as_soon_as_it_is_too_big(
    client: TestClient, story: StoryView, private: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(story_routes.MAX_BYTES, "logo", 1_000_000)
    answer = bring(client, story, b"x" * 1_000_001, what="logo", name="a.png", language="en")
    assert "1 MB" in answer.json()["errors"][0]["text"]
    assert list(private.settings.tmp.glob("brought-*")) == []


def test_only_the_owner_brings_files(tmp_path: Path) -> None:
    studio = Studio(Settings(studio_home=tmp_path / "home", open_demo=True, admin_token="secret"))
    story = studio.stories.new(ANNA, text=TEXT)
    with client_of(studio) as client:
        answer = bring(client, story, logo(tmp_path), what="logo", name="logo.png", language="en")
        assert answer.json()["errors"][0]["code"] == "not_yours"
        assert client.get(f"/story/{story.id}.json").status_code == 200


@pytest.mark.parametrize("what", ["", "film", "../logo"])
def test_only_what_is_known_is_brought(what: str, client: TestClient, story: StoryView) -> None:
    assert bring(client, story, b"x", what=what).status_code == 400


@pytest.mark.parametrize("name", ["..%2f..%2fstudio.db", "studio.db", "%2e%2e", "0123456789abcdef.png"])
def test_no_other_file_is_ever_seen(name: str, client: TestClient, story: StoryView) -> None:
    for route in ("brought", "still"):
        assert client.get(f"/{route}/{story.id}/{name}").status_code in (404, 400)


def test_subtitles_come_in_every_way(client: TestClient, private: Studio, tmp_path: Path) -> None:
    keep_film(private, tmp_path)
    answer = client.get("/film/film-1.srt", params={"language": "zh", "download": 1})
    assert "一只白鹿。" in answer.text
    assert answer.headers["content-disposition"].endswith(".srt")
    answer = client.get("/film/film-1.vtt", params={"language": "en"})
    assert answer.text.startswith("WEBVTT\n")
    assert answer.headers["content-type"].startswith("text/vtt")
    both = client.get("/film/film-1.srt", params={"language": "both"}).text
    assert "一只白鹿。\nA white deer." in both
    assert client.get("/film/film-1.srt", params={"language": "fr"}).status_code == 404
    assert client.get("/film/film-1.exe").status_code == 404
    assert client.get("/film/gone.srt").status_code == 404


def test_a_film_comes_in_other_formats_made_once(client: TestClient, private: Studio, tmp_path: Path) -> None:
    asset = keep_film(private, tmp_path)
    assert client.get("/export/film-1.gif").status_code == 404
    told = client.post("/export/film-1.gif", params={"status": 1}).json()
    while not told["ready"]:
        time.sleep(0.05)
        told = client.get("/export/film-1.gif", params={"status": 1}).json()
    answer = client.get("/export/film-1.gif")
    assert answer.content[:6] in (b"GIF87a", b"GIF89a")
    assert answer.headers["content-type"] == "image/gif"
    made = private.settings.studio_home / "exports" / f"{asset.id}.gif.gif"
    before = made.stat().st_mtime_ns
    assert client.post("/export/film-1.gif", params={"status": 1}).json()["ready"]
    assert made.stat().st_mtime_ns == before
    assert client.get("/export/film-1.exe").status_code == 404


def test_an_export_that_fails_says_why_and_may_be_tried_again(client: TestClient, private: Studio) -> None:
    asset = keep(private, asset_id="film-2")
    private.library_file(asset).write_bytes(b"no film")
    for _ in range(2):
        told = client.post("/export/film-2.h265", params={"status": 1}).json()
        while "errors" not in told:
            time.sleep(0.02)
            told = client.get("/export/film-2.h265", params={"status": 1}).json()
        assert told["errors"][0]["code"] == "not_a_video"


def test_music_is_heard_by_its_mood(client: TestClient) -> None:
    answer = client.get("/music/calm", headers={"range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, b"OggS")
    assert client.get("/music/../../studio.db").status_code == 404
    assert client.get("/music/none").status_code == 404


def test_every_voice_is_heard_at_once(client: TestClient) -> None:
    for name in VOICES:
        answer = client.get(f"/voice/{name}")
        assert (answer.content[:4], answer.headers["content-type"]) == (b"OggS", "audio/ogg"), name
        with av.open(io.BytesIO(answer.content), format="ogg") as container:
            seconds = float((container.duration or 0) / av.time_base)
        assert 1 < seconds < 15
    assert client.get("/voice/nobody").status_code == 404
