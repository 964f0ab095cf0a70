"""The doors: password, admin token, and in which language one is received."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from studio import access, web
from studio.core import Studio
from studio.settings import Settings
from studio.tries import Tries
from tests.studio.web_kit import client_of, keep

URL = "/media/Abc-_123.mp4"


@pytest.fixture
def private(tmp_path: Path) -> Studio:
    """A studio on this machine only."""
    return Studio(Settings(studio_home=tmp_path / "home"))


@pytest.fixture
def locked(tmp_path: Path) -> Studio:
    """A studio with a password, for everyone in the house."""
    settings = Settings(
        studio_home=tmp_path / "home", host="0.0.0.0", access_password="open sesame", admin_token="token"
    )
    return Studio(settings)


@pytest.fixture
def client(private: Studio) -> Iterator[TestClient]:
    with client_of(private) as client:
        yield client


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_WRONG_TRY_SECONDS", 0.0)


def test_nothing_but_the_door_is_open_without_the_password(locked: Studio) -> None:
    keep(locked)
    with client_of(locked, "http://studio.example") as client:
        assert client.get("/healthz").json() == {"ok": True}
        outside = (
            "/",
            "/zh/",
            "/en/?job=x",
            "/admin",
            "/lang/zh",
            "/en/gradio_api/queue/join",
            "/preview/x.webp",
        )
        for path in (*outside, URL, "/media/Abc-_123.webp", "//healthz", "/healthz/", "/pass/../zh/"):
            answer = client.get(path)
            assert answer.status_code == 401, path
            assert "secret" not in answer.text
        assert client.post("/en/gradio_api/run/x", json={}).status_code == 401
        page = client.get("/en/?job=abc&x=1", headers={"accept": "text/html", "accept-language": "zh"})
        assert page.status_code == 401
        assert 'action="/pass"' in page.text
        assert 'value="/en/?job=abc&amp;x=1"' in page.text
        assert "密码" in page.text
        assert "no-store" in page.headers["cache-control"]
        assert not re.search(r"(src|href)=.(https?:)?//", page.text)


def test_the_password_opens_and_leads_on(locked: Studio) -> None:
    keep(locked)
    with client_of(locked, "http://studio.example") as client:
        wrong = client.post("/pass", data={"secret": "sesame", "next": "/en/"})
        assert wrong.status_code == 403
        assert client.get("/pass").headers["location"] == "/"
        assert "That isn&#x27;t the password." in wrong.text
        right = client.post("/pass", data={"secret": "open sesame", "next": "/en/?job=abc"})
        assert (right.status_code, right.headers["location"]) == (303, "/en/?job=abc")
        assert "HttpOnly" in right.headers["set-cookie"]
        assert client.get(URL).status_code == 200
        assert not access.visitor_of(dict(client.cookies), locked.settings).admin


def test_guessing_is_slowed_and_then_stopped(locked: Studio) -> None:
    with client_of(locked, "http://studio.example") as client:
        codes = [client.post("/pass", data={"secret": f"guess {n}"}).status_code for n in range(12)]
        assert codes == [403] * 10 + [429] * 2
        assert client.post("/pass", data={"secret": "open sesame"}).status_code == 429
    with client_of(locked, "http://studio.example", client=("10.0.0.7", 1)) as other:
        assert other.post("/pass", data={"secret": "open sesame"}).status_code == 303


def test_tries_are_forgiven_after_a_while_and_do_not_pile_up() -> None:
    tries = Tries(most=2, window=0.05)
    for _ in range(3):
        tries.note("a")
    assert tries.too_many("a")
    time.sleep(0.06)
    assert not tries.too_many("a")
    for number in range(10_050):
        tries.note(str(number))
    assert len(tries._made) == 10_000


def test_the_token_makes_an_admin(locked: Studio) -> None:
    with client_of(locked, "http://studio.example") as client:
        client.post("/pass", data={"secret": "open sesame"})
        assert "Admin token" in client.get("/admin", headers={"accept": "text/html"}).text
        assert client.post("/admin", data={"secret": "nope"}).status_code == 403
        assert not access.visitor_of(dict(client.cookies), locked.settings).admin
        assert client.post("/admin", data={"secret": "token", "next": "/en/"}).headers["location"] == "/en/"
        assert access.visitor_of(dict(client.cookies), locked.settings).admin


def test_without_a_token_nobody_becomes_an_admin(tmp_path: Path) -> None:
    studio = Studio(Settings(studio_home=tmp_path, open_demo=True))
    with client_of(studio) as client:
        answer = client.post("/admin", data={"secret": ""})
        assert answer.status_code == 403
        assert "ADMIN_TOKEN" in answer.text


def test_an_endless_form_is_not_read(locked: Studio) -> None:
    with client_of(locked, "http://studio.example") as client:
        assert client.post("/pass", content=b"secret=" + b"x" * 100_000).status_code == 413


@pytest.mark.parametrize(
    ("accept", "cookie", "language"),
    [
        ("", "", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "", "en"),
        ("de-DE,de;q=0.9,zh-TW;q=0.8,en;q=0.7", "", "zh"),
        ("fr", "", "en"),
        ("zh;q=oops,,;q=,en", "", "en"),
        ("zh", "en", "en"),
        ("en", "zh", "zh"),
        ("zh", "evil", "zh"),
    ],
)
def test_the_start_speaks_the_readers_language(
    accept: str, cookie: str, language: str, client: TestClient
) -> None:
    headers = {"accept-language": accept} | ({"cookie": f"wan_lang={cookie}"} if cookie else {})
    answer = client.get("/?job=Ab-_1&x=%E6%B5%B7", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (307, f"/{language}/?job=Ab-_1&x=%E6%B5%B7")
    assert client.get("/", headers=headers).headers["location"] == f"/{language}/"


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/en/?job=x", "/zh/?job=x"),
        ("/zh/", "/zh/"),
        ("/en", "/zh"),
        ("/", "/"),
        ("/english", "/english"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\r\nset-cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_choosing_a_language_stays_on_this_site(wanted: str, location: str, client: TestClient) -> None:
    answer = client.get("/lang/zh", params={"next": wanted})
    assert (answer.status_code, answer.headers["location"]) == (303, location)
    assert any("wan_lang=zh" in line for line in answer.headers.get_list("set-cookie"))
    assert client.get("/", headers={"accept-language": "en"}).headers["location"] == "/zh/"


def test_the_icon_is_for_anybody(locked: Studio) -> None:
    with client_of(locked, "http://studio.example") as client:
        answer = client.get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert "set-cookie" not in answer.headers
