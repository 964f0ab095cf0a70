"""POST /api/trace and the door behind it: admins learn who and when, others that it was made here."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from studio import access
from studio.access import Visitor
from studio.api import trace as route
from studio.core import Refused, Studio
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.settings import Settings
from studio.tracing import _AT_ONCE, _WAITING, TraceView
from tests.studio.test_formats import keep_sealed, made
from tests.studio.web_kit import client_of
from tests.trust.clips import attacked, clouds

ADMIN, ANNA, GUEST = Visitor("root", True), Visitor("anna", False), Visitor("guest", False)
TOKEN = "only-for-admins"


@pytest.fixture
def open_demo(tmp_path: Path) -> Studio:
    """A studio that strangers share, with one sealed clip of Anna's."""
    studio = Studio(Settings(studio_home=tmp_path / "home", open_demo=True, admin_token=TOKEN))
    keep_sealed(studio, "one")
    return studio


@pytest.fixture
def copy(open_demo: Studio) -> Path:
    """What somebody downloaded and encoded anew."""
    return attacked(open_demo.settings.media / "one.mp4", crf=16)


def ask(client: TestClient, content: bytes, **more: Any) -> Any:
    return client.post("/api/trace", params={"language": "en"}, content=content, **more)


def admin(studio: Studio) -> TestClient:
    client = client_of(studio)
    client.cookies.set(access.ADMIN_COOKIE, access.admin_cookie(TOKEN, studio.settings) or "")
    return client


def seen(view: TraceView) -> tuple[str | None, str]:
    (kin,) = view.kin
    return None if kin.asset is None else kin.asset.id, kin.owner


def test_an_admin_learns_who_when_and_which(open_demo: Studio, copy: Path) -> None:
    found = ask(admin(open_demo), copy.read_bytes()).json()
    assert (found["answer"], found["text"]) == ("certain", "This was made here.")
    (export,) = found["exports"]
    assert (export["number"], export["owner"], export["job"]) == ("one", "anna", "job-one")
    assert (export["asset"], export["kept"], export["kind"]) == ("one", True, "clip")
    assert export["created"].startswith("20")
    assert found["fingerprint"]["code"] == "trace_fingerprint_known"


def test_who_opens_the_address_is_told_how_it_is_used(open_demo: Studio) -> None:
    found = client_of(open_demo).get("/api/trace")
    assert (found.status_code, found.headers["allow"]) == (405, "POST")
    assert [one["code"] for one in found.json()["errors"]] == ["trace_post"]


def test_others_learn_that_it_was_made_here_and_what_the_file_says(open_demo: Studio, copy: Path) -> None:
    found = ask(client_of(open_demo), copy.read_bytes()).json()
    assert (found["answer"], found["exports"]) == ("certain", [])
    assert found["metadata"]["number"] == "one", "that stands in the file itself"
    assert "anna" not in str(found)
    assert "job-one" not in str(found)


def test_a_clip_is_shown_to_who_finds_it_in_the_library(open_demo: Studio, copy: Path) -> None:
    trace = open_demo.trace
    assert seen(trace(ANNA, copy)) == ("one", "")
    assert trace(GUEST, copy).kin == ()
    with open_demo.engine.begin() as connection:
        open_demo.assets.stand(connection, "one", "rejected")
    assert trace(ANNA, copy).kin == (), "what is held back is shown to nobody by this way round"
    assert seen(trace(ADMIN, copy)) == ("one", "anna")


def test_a_deleted_clip_is_named_too(open_demo: Studio, copy: Path) -> None:
    open_demo.delete_asset(ANNA, "one")
    view = open_demo.trace(ADMIN, copy)
    assert (view.answer, view.notice.code) == ("certain", "trace_certain_gone")
    assert seen(view) == (None, "anna")
    assert not view.kin[0].kept


def test_a_film_in_another_format_is_told_from_the_film(open_demo: Studio) -> None:
    asset = open_demo.asset(ANNA, "one")
    place = made(open_demo, asset, "h265").path
    assert place is not None
    (kin,) = open_demo.trace(ADMIN, place).kin
    assert (kin.kind, kin.asset) == ("h265", asset)


@pytest.mark.parametrize("form", [False, True])
def test_a_video_comes_as_the_body_or_in_a_form(open_demo: Studio, copy: Path, form: bool) -> None:
    client = client_of(open_demo)
    if form:
        answer = client.post("/api/trace", files={"file": ("x.mp4", copy.read_bytes(), "video/mp4")})
    else:
        answer = ask(client, copy.read_bytes())
    assert answer.json()["answer"] == "certain"
    assert answer.headers["cache-control"] == "no-store"
    assert list(open_demo.settings.tmp.glob("traced-*")) == []


@pytest.mark.parametrize(
    ("content", "more", "code"),
    [
        (b"", {}, "file_empty"),
        (b"no video", {}, "trace_no_video"),
        (b"#EXTM3U\nhttp://127.0.0.1:9/x.mp4", {}, "trace_no_video"),
        (b"garbage", {"headers": {"content-type": "multipart/form-data; boundary=x"}}, "trace_no_video"),
        (b"garbage", {"headers": {"content-type": "multipart/form-data"}}, "trace_no_video"),
    ],
)
def test_what_will_not_do_is_a_sentence(
    open_demo: Studio, content: bytes, more: dict[str, Any], code: str
) -> None:
    answer = ask(client_of(open_demo), content, **more)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == code
    assert list(open_demo.settings.tmp.glob("traced-*")) == []


def test_a_form_without_a_file_is_a_sentence(open_demo: Studio) -> None:
    answer = client_of(open_demo).post("/api/trace", files={"other": (None, "text")})
    assert answer.json()["errors"][0]["code"] == "file_empty"


@pytest.mark.parametrize("form", [False, True])
def test_too_much_is_refused_while_it_comes(
    open_demo: Studio, monkeypatch: pytest.MonkeyPatch, form: bool
) -> None:
    monkeypatch.setattr(route, "MAX_FILE_BYTES", 1_000_000)
    monkeypatch.setattr(route, "_ROUND_IT", 0)
    client = client_of(open_demo)
    if form:
        answer = client.post("/api/trace", files={"file": ("x.mp4", b"x" * 1_000_001, "video/mp4")})
    else:
        answer = ask(client, (b"x" * 100_000 for _ in range(11)))
    assert answer.json()["errors"][0]["code"] == "file_too_big"
    assert list(open_demo.settings.tmp.glob("traced-*")) == []


def test_a_long_line_is_told_at_once(open_demo: Studio, copy: Path) -> None:
    line = open_demo._tracing._line
    for _ in range(_AT_ONCE + _WAITING):
        line.acquire()
    with pytest.raises(Refused) as refused:
        open_demo.trace(GUEST, copy)
    assert refused.value.notices[0].code == "trace_busy"
    assert ask(client_of(open_demo), copy.read_bytes()).status_code == 503
    line.release()
    assert open_demo.trace(GUEST, copy).answer == "certain"


def test_foreign_pages_cannot_ask(open_demo: Studio, copy: Path) -> None:
    answer = ask(client_of(open_demo), copy.read_bytes(), headers={"origin": "https://example.com"})
    assert answer.status_code == 403


def test_the_door_is_before_it(tmp_path: Path) -> None:
    studio = Studio(Settings(studio_home=tmp_path / "home", access_password="secret"))
    assert ask(client_of(studio), b"x").status_code == 401


def test_a_teams_clip_is_shown_to_the_team(tmp_path: Path) -> None:
    studio = Studio(Settings(studio_home=tmp_path / "home", access_password="secret"))
    keep_sealed(studio, "one")
    path = tmp_path / "alike.mp4"
    write_clip(
        clouds(3, 17, (320, 192)), path=path, fps=8, expected_frames=17, comment="{}", label=LabelStyle()
    )
    view = studio.trace(GUEST, path)
    assert (view.answer, seen(view)) == ("certain", ("one", ""))
