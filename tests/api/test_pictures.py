"""Pictures that programs name by address: only the open internet, never more than allowed, never for long."""

import base64
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from studio.api import pictures
from studio.api.wire import Wrong
from tests.loopback import answering


class _Handler(BaseHTTPRequestHandler):
    service: Any

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.service.append(self.headers.get("host"))
        if self.path == "/large":
            self.send_response(200)
            self.end_headers()
            for _ in range(12):
                self.wfile.write(bytes(1_000_000))
            return
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        self.send_response(200 if self.path == "/picture" else 404)
        self.end_headers()
        self.wfile.write(b"picture")


@pytest.fixture
def hosts() -> list[str]:
    """Whom each request was for."""
    return []


@pytest.fixture
def web(hosts: list[str]) -> Iterator[str]:
    with answering(_Handler, hosts) as address:
        yield address.replace("127.0.0.1", "pictures.example")


def _numbers(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"] if host == "pictures.example" else pictures.look_up(host, port)


def _read(address: str) -> bytes:
    return pictures.read(address, numbers=_numbers, schemes=("http", "https"))


def _code(address: str) -> str:
    with pytest.raises(Wrong) as caught:
        _read(address)
    assert caught.value.status == 400
    return caught.value.notices[0].code


def test_a_data_address_holds_its_picture() -> None:
    assert pictures.read("data:image/png;base64," + base64.b64encode(b"picture").decode()) == b"picture"
    for wrong in ("data:image/png;base64,###", "data:image/png;base64,\u732b", "data:image/png;base64,A"):
        assert _code(wrong) == "api_picture_data"
    large = "data:image/png;base64," + base64.b64encode(bytes(pictures.MAX_BYTES + 1)).decode()
    assert _code(large) == "api_picture_large"


def test_a_web_address_is_fetched_by_the_number_that_was_looked_up(web: str, hosts: list[str]) -> None:
    assert _read(f"{web}/picture") == b"picture"
    assert _read(f"{web}/to//picture") == b"picture"
    assert hosts == [web.removeprefix("http://")] * 3
    assert _code(f"{web}/missing") == "api_picture_unreachable"
    assert _code(f"{web}/large") == "api_picture_large"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
     "224.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "[fd00::1]",
     "[fe80::1]", "[2002:7f00:1::]"],
)  # fmt: skip
def test_nothing_inside_is_asked_whatever_it_is_called(web: str, hosts: list[str], host: str) -> None:
    port = web.rpartition(":")[2]
    codes = {"api_picture_address", "api_picture_unreachable"}
    assert _code(f"http://{host}:{port}/picture") in codes
    # Nor by being sent on to it.
    assert _code(f"{web}/to/http://{host}:{port}/picture") in codes
    assert hosts == [web.removeprefix("http://")]


def test_being_sent_on_ends(web: str) -> None:
    assert _code(f"{web}/to/" + "/to/" * 8 + "/picture") == "api_picture_unreachable"


@pytest.mark.parametrize(
    "address",
    ["", "x", "file:///etc/passwd", "ftp://pictures.example/x", "https://", "https://user:word@pictures.example/",
     "https://[::1", "http://pictures.example:99999/", "https://\u732b\udcff/", "gopher://x/", "oss://bucket/key",
     "https://" + "a" * 5000 + "/", "data:text/html;base64,AAAA", "https://..example/", "https://a b/"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(address: str) -> None:
    assert _code(address) in ("api_picture_address", "api_picture_unreachable")
    with pytest.raises(Wrong):
        # Plain http is not asked, not even outside.
        pictures.read("http://pictures.example/picture")
