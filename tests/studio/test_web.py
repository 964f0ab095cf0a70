"""The routes: films by range and right, the doors, where one is sent, and nothing that leaks."""

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pipelines.request import GenerationRequest
from studio import access, gate, web
from studio.access import Visitor
from studio.core import Studio
from studio.gate import OwnHostOnly, own_host_only
from studio.library import Asset
from studio.media.clip import write_clip
from studio.media.probe import thumbnail
from studio.settings import Settings
from tests.media.pictures import frames

HERE = "http://127.0.0.1:7860"


def client_of(studio: Studio, base_url: str = HERE, **more: Any) -> TestClient:
    return TestClient(web.make_app(studio), base_url=base_url, follow_redirects=False, **more)


def keep(studio: Studio, prompt: str = "夜晚的海上，一只小船", asset_id: str = "Abc-_123") -> Asset:
    """A real film in the library."""
    request = GenerationRequest(prompt=prompt, num_frames=17)
    film = studio.settings.media / f"{asset_id}.mp4"
    facts = write_clip(frames(17), path=film, fps=8, recipe="{}", label_text="AI", expected_frames=17)
    film.with_suffix(".webp").write_bytes(thumbnail(film))
    asset = Asset(
        id=asset_id, job_id=f"job-{asset_id}", owner="anna", path=f"media/{asset_id}.mp4",
        thumbnail=f"media/{asset_id}.webp", request=request, form={"prompt": prompt}, model="sketch",
        model_revision="r", width=320, height=192, seconds=facts.seconds, fps=8, frames=17, bytes=facts.bytes,
        sha256=facts.sha256, render_seconds=1.0, created=datetime.now(UTC),
    )  # fmt: skip
    studio.assets.add(asset)
    return asset


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


# -- films ------------------------------------------------------------------------------------------------


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


def test_a_preview_is_a_small_picture_that_nobody_else_caches(
    private: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private.jobs, "preview", lambda job: b"RIFF----WEBP" if job == "job-1" else None)
    with client_of(private) as client:
        answer = client.get("/preview/job-1.webp?v=3")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert answer.headers["cache-control"].startswith("private")
        assert client.get("/preview/job-2.webp").status_code == 404


# -- the doors ---------------------------------------------------------------------------------------------


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
    tries = web.Tries(most=2, window=0.05)
    for _ in range(3):
        tries.note("a")
    assert tries.too_many("a")
    time.sleep(0.06)
    assert not tries.too_many("a")
    for number in range(10_050):
        tries.note(str(number))
    assert len(tries._wrong) == 10_000


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


# -- who comes, and from where -----------------------------------------------------------------------------


def echo(settings: Settings) -> FastAPI:
    """An application that says who its first visitor is."""
    app = FastAPI()
    app.add_middleware(gate.Gate, settings=settings)

    @app.api_route("/who", methods=["GET", "POST"])
    def who(request: web.Request) -> dict[str, str]:
        return {"owner": access.visitor_of(request.cookies, settings).owner}

    return app


def test_the_first_request_already_belongs_to_its_owner(tmp_path: Path) -> None:
    settings = Settings(studio_home=tmp_path, open_demo=True)
    with TestClient(echo(settings), base_url=HERE) as client:
        first = client.get("/who", headers={"cookie": "theme=dark; wan_owner=forged"})
        cookie = first.headers["set-cookie"]
        assert re.search(r"^wan_owner=\S+; Max-Age=157680000; Path=/; HttpOnly; SameSite=Lax$", cookie)
        assert len(first.json()["owner"]) >= 16
        again = client.get("/who")
        assert again.json() == first.json()
        assert "set-cookie" not in again.headers


def test_opening_the_page_lets_the_cookie_live_on(tmp_path: Path) -> None:
    """Browsers forget a cookie after 400 days; who comes back within them stays the same owner."""
    settings = Settings(studio_home=tmp_path, open_demo=True)
    app = echo(settings)

    @app.get("/zh/")
    def page() -> str:
        return "page"

    with TestClient(app, base_url=HERE) as client:
        first = client.get("/who").headers["set-cookie"]
        assert client.get("/zh/").headers["set-cookie"] == first


def test_the_icon_is_for_anybody(locked: Studio) -> None:
    with client_of(locked, "http://studio.example") as client:
        answer = client.get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert "set-cookie" not in answer.headers


def test_cookies_are_secure_behind_https_and_work_inside_a_space(tmp_path: Path) -> None:
    settings = Settings(studio_home=tmp_path, host="0.0.0.0", open_demo=True)
    with TestClient(echo(settings), base_url="https://studio.example") as client:
        answer = client.get("/who")
        assert answer.headers["set-cookie"].endswith("SameSite=Lax; Secure")
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    with TestClient(echo(settings), base_url="https://me-wan.hf.space") as client:
        answer = client.get("/who")
        assert answer.headers["set-cookie"].endswith("SameSite=None; Secure; Partitioned")
        assert "frame-ancestors https://huggingface.co" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": HERE}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": HERE}, 403),
    ],
)
def test_other_sites_cannot_act_through_a_visitors_browser(
    headers: dict[str, str], status: int, tmp_path: Path
) -> None:
    with TestClient(echo(Settings(studio_home=tmp_path)), base_url=HERE) as client:
        assert client.post("/who", headers=headers).status_code == status
        assert client.get("/who", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:7860", 200), ("localhost:7860", 200), ("[::1]:7860", 200), ("localhost", 200),
     ("evil.example", 403), ("127.0.0.1.evil.example:7860", 403), ("", 403)],
)  # fmt: skip
def test_a_name_pointed_at_this_machine_opens_nothing(host: str, status: int, tmp_path: Path) -> None:
    with TestClient(echo(Settings(studio_home=tmp_path)), base_url=HERE) as client:
        assert client.get("/who", headers={"host": host}).status_code == status
    shared = Settings(studio_home=tmp_path, host="0.0.0.0", open_demo=True)
    with TestClient(echo(shared), base_url=HERE) as client:
        assert client.get("/who", headers={"host": host}).status_code == 200


def test_a_socket_is_closed_at_the_door(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/en/"):
        pass


def test_streams_pass_piece_by_piece(tmp_path: Path) -> None:
    """The gate holds nothing back: each piece of a stream is sent before the next one is made."""
    order: list[str] = []

    async def pieces() -> Any:
        for number in range(3):
            order.append(f"made {number}")
            yield f"{number}"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(pieces(), media_type="text/event-stream")(scope, receive, send)

    async def send(message: Any) -> None:
        if message.get("body"):
            order.append(f"sent {message['body'].decode()}")

    async def receive() -> Any:
        await asyncio.sleep(3600)

    scope = {"type": "http", "method": "GET", "path": "/en/", "query_string": b"", "scheme": "http",
             "headers": [(b"host", b"127.0.0.1")]}  # fmt: skip
    asyncio.run(gate.Gate(OwnHostOnly(app), Settings(studio_home=tmp_path))(scope, receive, send))
    assert order == ["made 0", "sent 0", "made 1", "sent 1", "made 2", "sent 2"]


# -- where one is sent -------------------------------------------------------------------------------------


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


def test_a_fault_of_ours_is_a_sentence_not_a_trace(private: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret details")

    monkeypatch.setattr(private, "asset", broken)
    with client_of(private, raise_server_exceptions=False) as client:
        answer = client.get(URL, headers={"accept": "text/html"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "try again" in answer.text


# -- nothing from other hosts ------------------------------------------------------------------------------

FOREIGN = """<!doctype html><html lang="en" style="x"><head>
<script async src="https://cdnjs.cloudflare.com/x.js"></script>
<script src='//cdn.example/y.js'> </script>
<link rel="preconnect" href="https://fonts.googleapis.com" />
<link rel="preconnect" href="https://fonts.gstatic.com" crossorigin="anonymous" />
<meta property="og:image" content="https://raw.githubusercontent.com/h.jpg" />
<link rel="manifest" href="/manifest.json" />
<link rel="stylesheet" crossorigin href="./assets/index.css">
<script type="module" crossorigin src="./assets/index.js"></script>
<script src="http://127.0.0.1:7860/en/own.js"></script>
<script>const s = 'https://kept.example'; // </script>
</head><body>中文</body></html>"""


def test_foreign_addresses_are_taken_out_of_a_page() -> None:
    html = own_host_only(FOREIGN, "127.0.0.1:7860", "zh-CN")
    for gone in ("cloudflare", "cdn.example", "googleapis", "gstatic", "githubusercontent", "manifest"):
        assert gone not in html
    for kept in ("./assets/index.css", "./assets/index.js", "/en/own.js", "kept.example", "中文"):
        assert kept in html
    assert '<html lang="zh-CN" style="x">' in html


def test_only_the_pages_own_html_is_rewritten() -> None:
    app = FastAPI()
    app.add_middleware(OwnHostOnly)

    @app.get("/zh/")
    @app.get("/other/")
    def page(request: web.Request) -> Response:
        return HTMLResponse(FOREIGN, headers={"x-encoding": request.headers.get("accept-encoding", "none")})

    @app.get("/en/")
    def data() -> Response:
        return Response(FOREIGN, media_type="application/json")

    with TestClient(app, base_url=HERE) as client:
        answer = client.get("/zh/")
        assert "cloudflare" not in answer.text
        assert answer.headers["content-length"] == str(len(answer.content))
        assert answer.headers["x-encoding"] == "none"
        assert "cloudflare" in client.get("/other/").text
        assert client.get("/en/").text == FOREIGN


def test_browsers_are_told_to_ask_nobody_else(client: TestClient) -> None:
    policy = client.get("/nowhere").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
