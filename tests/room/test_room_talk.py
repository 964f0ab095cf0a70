"""What guests say and decide: rights, hostile words and posts, two at once, the ledger, the sheets."""

import csv
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from studio import web
from studio.core import Studio
from studio.db import reading
from studio.room import sheet
from studio.room.types import MAX_TEXT, Room
from studio.room.verdicts import digest
from studio.settings import Settings
from studio.trust import ledger
from tests.postgres import Postgres
from tests.room.kit import ANNA, HERE, Guest, Told, clip, finish, shared, story

EVIL = "</script><img src=x onerror=alert(1)>\"'&{name}=1+1"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    opened = Studio(Settings(studio_home=tmp_path_factory.mktemp("home"), admin_token="t"))
    yield opened
    opened.engine.dispose()


@pytest.fixture
def told(studio: Studio) -> Told:
    return story(studio)


@pytest.mark.parametrize(
    ("rights", "sees", "comments", "decides"),
    [("view", False, 403, 403), ("comment", True, 200, 403), ("decide", True, 200, 200)],
)
def test_each_right_holds_what_it_says_and_no_more(
    studio: Studio, told: Told, rights: str, sees: bool, comments: int, decides: int
) -> None:
    room, shot = Room("story", told.id), told.shots[0]
    wei = Guest(studio, shared(studio, room)[1], "Wei")
    assert wei.say("comment", item=shot, asset=told.film.id, seconds=1.0, text="one").status_code == 200
    guest = Guest(studio, shared(studio, room, rights)[1], "Lin")
    said = guest.say("comment", item=shot, asset=told.film.id, seconds=1.0, x=0.2, y=0.3, text="two")
    assert said.status_code == comments
    assert guest.say("verdict", item=shot, asset=told.film.id, what="approve").status_code == decides
    if comments == 200:
        assert guest.say("resolve", comment=said.json()["id"]).status_code == 403
    found = guest.state()
    assert [comment["text"] for comment in found["comments"]] == (["one", "two"] if sees else [])
    assert [comment["mine"] for comment in found["comments"]] == ([False, True] if sees else [])
    assert len(found["verdicts"]) == (decides == 200)


def test_who_has_no_name_says_nothing_and_the_cookie_is_of_this_room_alone(
    studio: Studio, told: Told
) -> None:
    _, token = shared(studio, Room("story", told.id))
    guest, body = Guest(studio, token), {"item": "film", "asset": told.film.id, "text": "hello"}
    assert guest.say("comment", **body).json()["errors"][0]["code"] == "room_name"
    assert guest.say("verdict", what="approve", **body).json()["errors"][0]["code"] == "room_name"
    for nothing in ("", "  \n", "\u200b\u200d", 7, None, "…"):
        assert guest.say("name", name=nothing).status_code == 400
    cookie = guest.say("name", name=" Wei \u202eLin ").headers["set-cookie"]
    assert f"Path=/room/{token};" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert guest.state()["me"] == "Wei Lin"
    assert guest.say("comment", **body).status_code == 200
    # The same cookie says nothing in another room.
    other = Guest(studio, shared(studio, Room("story", told.id))[1])
    other.client.cookies.set("wan_guest", cookie.partition("=")[2].partition(";")[0])
    assert other.state()["me"] == ""


def test_posts_come_from_our_own_page_are_small_and_right(studio: Studio, told: Told) -> None:
    guest = Guest(studio, shared(studio, Room("story", told.id))[1], "Wei")
    good = {"item": told.shots[0], "asset": told.film.id, "text": "x"}
    at, token = f"{guest.at}/comment", guest.state()["token"]
    for headers in (
        {},
        {"x-room": ""},
        {"x-room": token[:-1]},
        {"x-room": Guest(studio, guest.at[6:]).state()["token"]},
    ):
        assert guest.client.post(at, json=good, headers=headers).json()["errors"][0]["code"] == "room_reload"
    mine = {"x-room": token}
    foreign = mine | {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert guest.client.post(at, json=good, headers=foreign).status_code == 403
    for body in (b"", b"[]", b"{", b"null", b'{"text":"' + b"x" * 20_000 + b'"}', b"\xff\xfe", b'"x"'):
        assert guest.client.post(at, content=body, headers=mine).status_code == 400, body[:20]
    for wrong in (
        {"text": ""}, {"text": None}, {"text": ["x"]}, {"text": "x" * (MAX_TEXT + 1)}, {"item": "none"},
        {"item": None}, {"asset": "none"}, {"asset": told.clips[told.shots[1]][0].id}, {"parent": "none"},
        {"parent": {"a": 1}, "item": ""},
    ):  # fmt: skip
        assert guest.say("comment", **good | wrong).status_code in (400, 404), wrong
    # Numbers that are none, or lie outside, are put right or left out.
    for seconds, x, y in ((1e9, 7, -3), (-5, True, 0.5), ("1", None, 0.1), (float("1e308"), 0.25, 0.75)):
        assert guest.say("comment", **good, seconds=seconds, x=x, y=y).status_code == 200
    places = [(one["seconds"], one["x"], one["y"]) for one in guest.state()["comments"]]
    assert places == [(6.0, 1.0, 0.0), (0.0, None, None), (None, None, None), (6.0, 0.25, 0.75)]
    assert guest.say("verdict", item="film", asset=told.film.id, what="delete").status_code == 403
    code = guest.say("verdict", item="film", asset=told.film.id, what="changes", text=" ").json()["errors"][
        0
    ]["code"]
    assert code == "room_say_what"


def test_hostile_words_stay_words(studio: Studio) -> None:
    written = EVIL.replace("{name}", "")
    told = story(studio, title=written, text=f"1. {written}\n2. Snow falls.")
    _, token = shared(studio, Room("story", told.id))
    guest = Guest(studio, token, EVIL[:40])
    page = guest.get("?language=en").text
    assert "<img" not in page
    assert page.count("</script>") == page.count("<script")
    guest.say("comment", item="film", asset=told.film.id, text=EVIL)
    guest.say("verdict", item="film", asset=told.film.id, what="changes", text=EVIL)
    found = guest.get("state")
    assert found.headers["content-type"] == "application/json"
    assert found.json()["comments"][0]["text"] == EVIL
    view = studio.rooms.view(studio.rooms.sit(ANNA, Room("story", told.id)))
    cells = [cell for row in csv.reader(io.StringIO(sheet.table(view, "en"))) for cell in row]
    assert EVIL in cells
    text = read(sheet.paper(view, "en", {}))
    assert "onerror=alert(1)" in text


def test_too_much_at_once_has_to_wait(studio: Studio, told: Told) -> None:
    guest = Guest(studio, shared(studio, Room("story", told.id))[1], "Wei")
    found = [
        guest.say("comment", item="film", asset=told.film.id, text=f"{n}").status_code for n in range(45)
    ]
    assert found[:30] == [200] * 30
    assert found[-1] == 429
    # Others at the same link are not shut out by it, and looking goes on.
    assert guest.state()["title"] == "The red dragon"


def test_two_guests_at_once_lose_nothing_and_the_last_verdict_counts(studio: Studio, told: Told) -> None:
    room, shot = Room("story", told.id), told.shots[0]
    guests = [Guest(studio, shared(studio, room)[1], name) for name in ("Wei", "Lin")]

    def talk(guest: Guest) -> None:
        for n in range(12):
            assert (
                guest.say("comment", item=shot, asset=told.film.id, seconds=n / 4, text=f"{n}").status_code
                == 200
            )
            what = "approve" if n % 2 else "changes"
            assert guest.say("verdict", item=shot, asset=told.film.id, what=what, text="n").status_code == 200

    threads = [threading.Thread(target=talk, args=(guest,)) for guest in guests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = guests[0].state()
    assert sorted((one["name"], one["text"]) for one in found["comments"]) == sorted(
        (name, f"{n}") for name in ("Wei", "Lin") for n in range(12)
    )
    assert len(found["verdicts"]) == 24
    assert guests[1].say("verdict", item=shot, asset=told.film.id, what="approve").status_code == 200
    last = guests[0].state()["verdicts"][-1]
    assert (last["name"], last["what"]) == ("Lin", "approve")
    home, key = studio.settings.studio_home, studio.jobs.checker.key
    assert ledger.verify(studio.engine, key=key, home=home)[1] is None


def test_who_said_yes_is_provable_and_the_ledger_holds_no_name(studio: Studio, told: Told) -> None:
    room, shot = Room("story", told.id), told.shots[0]
    guest = Guest(studio, shared(studio, room)[1], "Wei Lin")
    guest.say("verdict", item=shot, asset=told.film.id, what="changes", text="more red")
    verdict = studio.rooms.view(studio.rooms.sit(ANNA, room)).verdicts[0]
    # In the film it was this shot's take that was looked at.
    assert verdict.asset_id == told.clips[shot][0].id
    with reading(studio.engine) as connection:
        entry = ledger.of_subject(connection, verdict.asset_id)[-1]
    assert entry.event == "reviewed"
    assert entry.facts["sha256"] == digest(verdict)
    assert "Wei" not in str(entry)
    assert "red" not in str(entry)
    with studio.engine.begin() as connection:
        connection.execute(sa.text("UPDATE room_verdict SET what = 'approve'"))
    assert entry.facts["sha256"] != digest(studio.rooms.view(studio.rooms.sit(ANNA, room)).verdicts[0])


def test_a_film_cut_anew_keeps_what_was_decided_of_shots_that_are_the_same(
    studio: Studio, told: Told
) -> None:
    room, (first, second, _) = Room("story", told.id), told.shots
    guest = Guest(studio, shared(studio, room)[1], "Wei")
    for item, what in ((first, "approve"), (second, "changes"), ("film", "changes")):
        assert guest.say("verdict", item=item, asset=told.film.id, what=what, text="x").status_code == 200
    before = guest.get("now").json()["mark"]
    job = studio.stories.film(
        ANNA, studio.stories.change(ANNA, told.id, "set_title", title="Again").id, "animatic"
    )
    row = studio.jobs.get(job)
    assert row is not None
    assert row.plan is not None
    again = finish(studio, job, row.plan)
    studio.rooms._shelf._found.clear()
    assert guest.get("now").json()["mark"] != before
    found = guest.state()
    assert found["film"] == again.id
    assert [(one["item"], one["stale"]) for one in found["verdicts"]] == [
        (first, False), (second, False), ("film", True),
    ]  # fmt: skip
    # The older film is in the room no more.
    assert guest.get(f"media/{told.film.id}.mp4").status_code == 404


def test_who_shares_answers_and_ticks_off_and_guests_see_it(studio: Studio, told: Told) -> None:
    room = Room("story", told.id)
    guest = Guest(studio, shared(studio, room)[1], "Wei")
    said = guest.say("comment", item=told.shots[0], asset=told.film.id, seconds=1.0, text="tilted").json()[
        "id"
    ]
    with TestClient(web.make_app(studio), base_url=HERE) as client:
        client.cookies.update(owner_cookies(studio))
        at = f"/discuss/story/{told.id}"
        state = client.get(f"{at}/state").json()
        assert (state["rights"], state["comments"][0]["text"]) == ("make", "tilted")

        def post(path: str, **body: object) -> int:
            token = client.get(f"{at}/state").json()["token"]
            return client.post(f"{at}/{path}", json=body, headers={"x-room": token}).status_code

        assert post("name", name="Anna") == 200
        assert post("comment", parent=said, text="mended") == 200
        assert post("resolve", comment=said, done=True) == 200
        assert post("verdict", item="film", asset=told.film.id, what="approve") == 403
        assert client.get("/discuss/-/now").status_code == 200
        take = told.clips[told.shots[0]][0].id
        guest.say("verdict", item=told.shots[0], asset=take, what="approve")
        assert client.get(f"/discuss/-/said/{take}").json()["verdicts"][0]["name"] == "Wei"
    top, answer = guest.state()["comments"]
    assert (top["resolved"], answer["text"], answer["studio"], answer["parent"]) == (
        True,
        "mended",
        True,
        said,
    )


def test_the_sheets_hold_what_was_said_and_no_formula(studio: Studio) -> None:
    told = story(studio, title="牛郎织女")
    room = Room("story", told.id)
    guest = Guest(studio, shared(studio, room)[1], "=cmd|' /C calc'!A0")
    first, second, _ = told.shots
    guest.say("verdict", item=first, asset=told.film.id, what="approve")
    guest.say("verdict", item=second, asset=told.film.id, what="changes", text="让龙更红一点")
    guest.say("comment", item=second, asset=told.film.id, seconds=3.25, x=0.5, y=0.25, text="+1 here")
    with TestClient(web.make_app(studio), base_url=HERE) as client:
        client.cookies.update(owner_cookies(studio))
        at = f"/discuss/story/{told.id}"
        table = client.get(f"{at}/decisions.csv?language=en")
        paper = client.get(f"{at}/decisions.pdf?language=zh")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert [row["What"] for row in rows] == [
        "Not decided yet", "Approved", "Changes wanted", "Comment", "Not decided yet",
    ]  # fmt: skip
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert (rows[3]["At"], rows[3]["Place in the picture"], rows[3]["Text"]) == (
        "0:03.2",
        "50%, 25%",
        "'+1 here",
    )
    assert paper.content.startswith(b"%PDF")
    text = read(paper.content)
    for words in ("牛郎织女", "已通过", "要修改", "让龙更红一点", "+1 here", "共 4 项"):
        assert words in text, words
    images = [image for page in pypdf.PdfReader(io.BytesIO(paper.content)).pages for image in page.images]
    assert len(images) == 4


def test_a_broken_still_leaves_the_sheet_whole(studio: Studio) -> None:
    one = clip(studio, "#336699")
    view = studio.rooms.view(studio.rooms.sit(ANNA, Room("clips", one.id)))
    for still in (b"", b"RIFF\x00\x00\x00\x00WEBPxxxx", b"x" * 600_000, Path(__file__).read_bytes()):
        assert sheet.paper(view, "en", {one.id: still}).startswith(b"%PDF")


def test_what_was_shared_and_is_gone_is_gone_for_guests(studio: Studio, told: Told) -> None:
    guest = Guest(studio, shared(studio, Room("story", told.id))[1], "Wei")
    studio.stories.delete(ANNA, told.id)
    studio.rooms._shelf._found.clear()
    for path in ("", "state", "now", f"media/{told.film.id}.mp4"):
        answer = guest.get(path, headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "room_gone"), path


def test_a_room_on_postgres(postgres_server: Postgres, postgres_template: str, tmp_path: Path) -> None:
    url = postgres_server.url(postgres_server.create(postgres_template))
    studio = Studio(Settings(studio_home=tmp_path / "home", admin_token="t", database_url=url))
    told = story(studio)
    link, token = shared(studio, Room("story", told.id))
    guest = Guest(studio, token, "Wei")
    for what in ("changes", "approve"):
        assert guest.say("verdict", item="film", asset=told.film.id, what=what, text="x").status_code == 200
    assert guest.say("comment", item="film", asset=told.film.id, seconds=1.5, text="y").status_code == 200
    found = guest.state()
    assert [one["what"] for one in found["verdicts"]] == ["changes", "approve"]
    mark = guest.get("now").json()["mark"]
    studio.rooms.resolve(studio.rooms.sit(ANNA, link.room), found["comments"][0]["id"], True)
    assert guest.get("now").json()["mark"] != mark
    studio.rooms.revoke(ANNA, link.id)
    assert guest.get("now").status_code == 410
    studio.engine.dispose()


def read(content: bytes) -> str:
    """The text of a PDF."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def owner_cookies(studio: Studio) -> dict[str, str]:
    from studio import access

    return {access.OWNER_COOKIE: access._signed("anna", access.OWNER_COOKIE, studio.settings)}
