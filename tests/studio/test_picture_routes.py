"""The routes of first pictures: taken in with a sentence for each that is not, shown by hash alone."""

from starlette.testclient import TestClient

from studio.core import Studio
from studio.media.still import MAX_BYTES
from tests.studio.test_pictures import picture


def test_a_picture_is_sent_and_shown(client: TestClient, private: Studio) -> None:
    answer = client.post("/inputs", content=picture())
    assert answer.status_code == 200
    told = answer.json()
    assert (told["width"], told["height"], told["held"]) == (160, 96, False)
    shown = client.get(f"/inputs/{told['id']}.png")
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.content == private.pictures.file(private.pictures.find(told["id"])).read_bytes()


def test_what_is_no_picture_is_told_in_the_pages_language(client: TestClient) -> None:
    for language, word in (("en", "picture"), ("zh", "图片")):
        answer = client.post(f"/inputs?language={language}", content=b"<svg/>")
        assert answer.status_code == 400
        assert word in answer.json()["errors"][0]["text"]
    answer = client.post("/inputs", content=bytes(MAX_BYTES + 1))
    assert answer.json()["errors"][0]["code"] == "still_too_big"


def test_nothing_else_is_shown(client: TestClient, private: Studio) -> None:
    (private.settings.studio_home / "inputs").mkdir(exist_ok=True)
    (private.settings.studio_home / "inputs" / ("a" * 64 + ".png")).write_bytes(b"<script>")
    for name in ("x.png", "a" * 64 + ".png", "..%2fstudio.db", "0" * 64):
        assert client.get(f"/inputs/{name}").status_code == 404


def test_another_sites_page_can_send_none(client: TestClient) -> None:
    headers = {"origin": "https://elsewhere.example"}
    assert client.post("/inputs", content=picture(), headers=headers).status_code == 403
