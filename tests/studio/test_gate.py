"""The gate: who comes, from where, streams that pass, and pages that ask no other host."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from studio import access, gate, web
from studio.gate import OwnHostOnly, own_host_only
from studio.settings import Settings
from tests.studio.web_kit import HERE


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
