"""The routes: films and stills by range and right, previews, and errors in words."""

import re
from urllib.parse import unquote

import pytest
from starlette.testclient import TestClient

from pipelines.request import Progress
from studio.access import Visitor
from studio.claims import Claims
from studio.core import Studio
from tests.queue_kit import small
from tests.studio.web_kit import client_of, keep


@pytest.fixture
def film(private: Studio) -> bytes:
    return private.library_file(keep(private)).read_bytes()


URL = "/media/Abc-_123.mp4"


def test_a_film_comes_whole(client: TestClient, film: bytes) -> None:
    answer = client.get(URL)
    assert (answer.status_code, answer.content) == (200, film)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(len(film))
    assert answer.headers["cache-control"].startswith("private")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("0-1", 0, 2),
        ("0-", 0, None),
        ("100-199", 100, 200),
        ("-500", -500, None),
        ("5000-99999999", 5000, None),
    ],
)
def test_a_range_of_a_film(wanted: str, start: int, end: int | None, client: TestClient, film: bytes) -> None:
    answer = client.get(URL, headers={"range": f"bytes={wanted}"})
    part = film[start:end]
    first = len(film) + start if start < 0 else start
    assert (answer.status_code, answer.content) == (206, part)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{len(film)}"


def test_a_range_beyond_the_end(client: TestClient, film: bytes) -> None:
    answer = client.get(URL, headers={"range": f"bytes={len(film)}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(film)}"


def test_several_ranges_at_once(client: TestClient, film: bytes) -> None:
    answer = client.get(URL, headers={"range": "bytes=0-9,20-29"})
    assert answer.status_code == 206
    assert film[:10] in answer.content
    assert film[20:30] in answer.content


def test_a_range_of_a_film_that_has_changed_is_the_whole_film(client: TestClient, film: bytes) -> None:
    tag = client.get(URL).headers["etag"]
    assert client.get(URL, headers={"range": "bytes=0-1", "if-range": tag}).status_code == 206
    assert client.get(URL, headers={"range": "bytes=0-1", "if-range": '"other"'}).status_code == 200


def test_head_tells_all_and_sends_nothing(client: TestClient, film: bytes) -> None:
    answer = client.head(URL)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(film))


def test_what_the_browser_still_has_is_not_sent_again(client: TestClient, film: bytes) -> None:
    tag = client.get(URL).headers["etag"]
    answer = client.get(URL, headers={"if-none-match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert client.get(URL, headers={"if-none-match": '"other"'}).status_code == 200


def test_a_still(client: TestClient, film: bytes) -> None:
    answer = client.get("/media/Abc-_123.webp")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.content[8:12] == b"WEBP"
    assert client.get("/media/Abc-_123.jpg").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/media/nothing-here.mp4",
        "/media/Abc-_123.exe",
        "/media/Abc-_123",
        "/media/..%2f..%2fstudio.db",
        "/media/%2e%2e/studio.db",
        "/media/....mp4",
        "/media/Abc-_123.mp4%00.webp",
        "/preview/nothing.webp",
        "/preview/Abc-_123.mp4",
        "/nowhere",
        "/docs",
        "/openapi.json",
        "/lang/fr",
    ],
)
def test_what_is_not_there_is_said_in_words(path: str, client: TestClient, film: bytes) -> None:
    page = client.get(path, headers={"accept": "text/html", "accept-language": "zh-CN"})
    assert page.status_code == 404
    assert 'lang="zh-CN"' in page.text
    assert "没有" in page.text or "不在" in page.text or "找不到" in page.text
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["text"]


def test_a_film_removed_by_hand_is_said_in_words(private: Studio, client: TestClient, film: bytes) -> None:
    private.settings.media.joinpath("Abc-_123.mp4").unlink()
    answer = client.get(URL)
    assert answer.status_code == 404
    assert answer.json()["errors"] == [
        {"code": "file_missing", "text": "The file of this film isn't on the disk any more."}
    ]


def test_a_film_deleted_in_the_library_is_gone_at_once(
    private: Studio, client: TestClient, film: bytes
) -> None:
    assert client.get(URL).status_code == 200
    private.delete_asset(Visitor("", admin=True), "Abc-_123")
    assert client.get(URL).status_code == 404


@pytest.mark.parametrize(
    ("prompt", "plain", "full"),
    [
        ("a boat, at sea!", "a-boat-at-sea", "a-boat-at-sea"),
        ("夜晚的海上，一只小船", "wan-studio-Abc-_123", "夜晚的海上-一只小船"),
        ('../../etc/passwd"; rm -rf\r\nX: y', "etc-passwd-rm-rf-X-y", "etc-passwd-rm-rf-X-y"),
        ("。。。", "wan-studio", "wan-studio"),
        ("长" * 300, "wan-studio-Abc-_123", "长" * 60),
        ("un café 🎬 à Paris", "un-caf-Paris", "un-café-à-Paris"),
    ],
)
def test_a_downloads_name_comes_from_the_prompt(prompt: str, plain: str, full: str, private: Studio) -> None:
    keep(private, prompt)
    with client_of(private) as client:
        header = client.get(f"{URL}?download=1").headers["content-disposition"]
    name = re.fullmatch(
        r"attachment; filename=\"([A-Za-z0-9_-]+)\.mp4\"; filename\*=UTF-8''(\S+)\.mp4", header
    )
    assert name is not None
    assert re.sub("-+", "-", name[1]) == plain
    assert unquote(name[2]) == full


def test_a_preview_is_a_small_picture_that_nobody_else_caches(private: Studio) -> None:
    job, claims = (
        private.jobs.submit("ann", {"prompt": "a boat"}, small("a boat")),
        Claims(private.engine, "w1"),
    )
    assert claims.claim("ticket") == job
    attempt = claims.begin(job, "ticket")
    assert attempt is not None
    claims.report(attempt, Progress("denoising", 1, 2), None, (3, b"RIFF----WEBP"))
    with client_of(private) as client:
        answer = client.get(f"/preview/{job}.webp?v=3")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert answer.headers["cache-control"].startswith("private")
        assert client.get("/preview/job-2.webp").status_code == 404


def test_a_fault_of_ours_is_a_sentence_not_a_trace(private: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret details")

    monkeypatch.setattr(private, "asset", broken)
    with client_of(private, raise_server_exceptions=False) as client:
        answer = client.get(URL, headers={"accept": "text/html"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "try again" in answer.text
