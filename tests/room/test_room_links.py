"""Links: what opens what, and what opens nothing: every route, with and without a password."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from studio import access, web
from studio.core import Refused, Studio
from studio.grid_plan import GridPlan
from studio.room.types import Room, room_of
from studio.settings import Settings
from tests.room.kit import ANNA, BEN, HERE, Guest, Told, clip, end, shared, stand, story

ROUTES = (
    ("GET", ""),
    ("GET", "state"),
    ("GET", "now"),
    ("GET", "media/{asset}.mp4"),
    ("HEAD", "media/{asset}.mp4"),
    ("GET", "media/{asset}.webp"),
    ("POST", "name"),
    ("POST", "comment"),
    ("POST", "verdict"),
    ("POST", "resolve"),
    # Those of who shares, which no link has.
    ("GET", "links"),
    ("POST", "links"),
    ("POST", "revoke"),
    ("GET", "decisions.csv"),
    ("GET", "decisions.pdf"),
)
MAKERS = ROUTES[-5:]


@pytest.fixture(scope="module", params=["", "secret"], ids=["open", "password"])
def studio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("home")
    opened = Studio(Settings(studio_home=home, admin_token="t", access_password=request.param))
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="module")
def told(studio: Studio) -> Told:
    return story(studio)


def cookies(studio: Studio, owner: str) -> dict[str, str]:
    """The cookies of somebody of the studio who entered the password, if there is one."""
    found = {access.OWNER_COOKIE: access._signed(owner, access.OWNER_COOKIE, studio.settings)}
    entered = access.pass_cookie(studio.settings.access_password, studio.settings)
    return found | ({access.PASS_COOKIE: entered} if entered else {})


def test_a_link_shows_what_is_shared_without_cookies_or_password_and_nothing_else(
    studio: Studio, told: Told
) -> None:
    _, token = shared(studio, Room("story", told.id))
    other = clip(studio, "#123456")
    guest = Guest(studio, token)
    page = guest.get("")
    assert page.status_code == 200
    assert "The red dragon" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "set-cookie" not in page.headers
    whole = guest.get(f"media/{told.film.id}.mp4")
    piece = guest.get(f"media/{told.film.id}.mp4", headers={"range": "bytes=100-199"})
    assert (whole.status_code, piece.status_code, piece.content) == (200, 206, whole.content[100:200])
    assert [item["id"] for item in guest.state()["items"]] == ["film", *told.shots]
    # Another clip of the same owner, other kinds of file, other ways to write a path.
    for name in (
        f"{other.id}.mp4", f"{other.id}.webp", f"../media/{other.id}.mp4", f"%2e%2e%2f{other.id}.mp4",
        told.film.id, f"{told.film.id}.mkv", f"{told.film.id}.mp4/", f"{told.film.id}.mp4%00.webp",
        "..%2f..%2fstudio.db",
    ):  # fmt: skip
        assert guest.get(f"media/{name}").status_code == 404, name
    for method, path in MAKERS:
        assert guest.client.request(method, f"{guest.at}/{path}", json={}).status_code in (404, 405), path
    # The studio itself stays shut, or whatever it is without a password.
    if studio.settings.access_password:
        for path in (
            "/",
            f"/media/{told.film.id}.mp4",
            f"/story/{told.id}.json",
            f"/discuss/story/{told.id}/",
        ):
            assert guest.client.get(path).status_code == 401, path
    for path in (f"/discuss/story/{told.id}/state", f"/discuss/-/said/{told.film.id}"):
        assert guest.client.get(path).status_code in (401, 403, 404), path


def forged(token: str) -> list[str]:
    """Tokens that are none."""
    text, _, mark = token.rpartition(".")
    flipped = ("A" if text[-1] != "A" else "B") + text[1:]
    return [
        "x", "-", "%00", "a" * 5000, text, f"{text}.", f".{mark}", f"{text}.{mark[:-2]}", f"{flipped}.{mark}",
        f"{token}x", token[::-1], token.upper(), f"{text}.{mark}.{mark}", "..%2F..%2Fmedia", text[:12],
    ]  # fmt: skip


def test_forged_ended_and_closed_links_open_nothing_on_any_route(studio: Studio, told: Told) -> None:
    room = Room("story", told.id)
    late, late_token = shared(studio, room)
    shut, shut_token = shared(studio, room)
    _, good = shared(studio, room)
    end(studio, late)
    studio.rooms.revoke(ANNA, shut.id)
    tried = dict.fromkeys(forged(good), 404) | {late_token: 410, shut_token: 410}
    with TestClient(web.make_app(studio), base_url=HERE, follow_redirects=False) as client:
        said = set()
        for token, status in tried.items():
            for method, path in ROUTES:
                address = f"/room/{token}/{path.format(asset=told.film.id)}"
                answer = client.request(method, address, headers={"accept": "application/json"})
                # A route that is none for guests is none for these, too.
                wanted = (404, 405) if (method, path) in MAKERS else (status,)
                assert answer.status_code in wanted, (method, address[:80])
                assert "The red dragon" not in answer.text
            page = client.get(f"/room/{token}/", headers={"accept": "text/html"})
            if status == 404:
                said.add(page.text)
        # Whoever has no true link learns nothing: each wrong one gets the very same page.
        assert len(said) == 1
        ended = client.get(f"/room/{late_token}/state").json()["errors"][0]["code"]
        closed = client.get(f"/room/{shut_token}/state").json()["errors"][0]["code"]
        assert (ended, closed) == ("room_expired", "room_revoked")
        # A link that was signed right, but is not in the book: of another studio with a stolen key, say.
        row = studio.rooms._links._signer().sign("A" * 36).decode()
        assert client.get(f"/room/{row}/state").json()["errors"][0]["code"] == "room_unknown"
    assert Guest(studio, good).get("state").status_code == 200


def test_a_link_of_another_key_is_unknown(studio: Studio, told: Told, tmp_path: Path) -> None:
    _, token = shared(studio, Room("story", told.id))
    others = Settings(studio_home=studio.settings.studio_home, secret_key="another", admin_token="t")
    with pytest.raises(Refused, match="room_unknown"):
        Studio(others).rooms.enter(token)


def test_the_token_is_kept_nowhere(studio: Studio, told: Told) -> None:
    _, token = shared(studio, Room("story", told.id))
    secret = token[12:]
    studio.engine.dispose()
    for path in studio.settings.studio_home.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("standing", ["draft", "held", "blocked", "rejected"])
def test_what_does_not_stand_open_is_not_there_even_for_a_link(studio: Studio, standing: Any) -> None:
    one, other = clip(studio, "#aa3311"), clip(studio, "#11aa33")
    _, token = shared(studio, Room("clips", f"{one.id},{other.id}"))
    guest = Guest(studio, token, "Wei")
    assert guest.get(f"media/{one.id}.mp4").status_code == 200
    stand(studio, one, standing)
    # At once: what is in a room is remembered for a moment, whether a clip may be seen is not.
    assert guest.get(f"media/{one.id}.mp4").status_code == 404
    assert guest.get(f"media/{one.id}.webp").status_code == 404
    assert guest.say("verdict", item=one.id, asset=one.id, what="approve").status_code == 404
    assert guest.get(f"media/{other.id}.mp4").status_code == 200
    studio.rooms._shelf._found.clear()
    assert [item["id"] for item in guest.state()["items"]] == [other.id]


def test_what_is_in_the_trash_or_lost_breaks_nothing(studio: Studio) -> None:
    one, other = clip(studio, "#aa3311"), clip(studio, "#11aa33")
    _, token = shared(studio, Room("clips", f"{one.id},{other.id}"))
    guest = Guest(studio, token)
    studio.shelves.trash(ANNA, [one.id])
    assert guest.get(f"media/{one.id}.mp4").status_code == 404
    studio.assets.file(other).unlink()
    studio.assets.thumbnail_file(other).unlink()
    lost = guest.get(f"media/{other.id}.mp4")
    assert (lost.status_code, lost.json()["errors"][0]["code"]) == (404, "file_missing")
    assert guest.get("").status_code == 200


def test_only_its_owner_and_admins_share_something_and_see_what_was_said(studio: Studio, told: Told) -> None:
    one = clip(studio, "#aa3311")
    theirs = clip(studio, "#aa3311", owner="ben")
    for room in (Room("story", told.id), Room("clips", one.id), Room("clips", f"{theirs.id},{one.id}")):
        with pytest.raises(Refused, match="not_yours"):
            studio.rooms.share(BEN, room, "view")
        with pytest.raises(Refused, match="not_yours"):
            studio.rooms.links(BEN, room)
    link, _ = shared(studio, Room("story", told.id))
    with pytest.raises(Refused, match="not_yours"):
        studio.rooms.revoke(BEN, link.id)
    for room in (Room("story", "none"), Room("grid", "none"), Room("project", "none"), Room("clips", "none")):
        with pytest.raises(Refused):
            studio.rooms.share(ANNA, room, "view")
    for kind, subject in (
        ("film", "x"),
        ("clips", ""),
        ("story", "a/b"),
        ("clips", "a,,b"),
        ("story", "a b"),
    ):
        with pytest.raises(Refused, match="room_unknown"):
            room_of(kind, subject)
    for wrong in ({"days": 0}, {"days": 91}):
        with pytest.raises(Refused, match="room_days"):
            studio.rooms.share(ANNA, Room("clips", one.id), "view", **wrong)
    with pytest.raises(Refused, match="room_rights"):
        studio.rooms.share(ANNA, Room("clips", one.id), "make")
    with TestClient(web.make_app(studio), base_url=HERE, follow_redirects=False) as client:
        client.cookies.update(cookies(studio, "ben"))
        for path in ("", "state", "links", "decisions.csv", "decisions.pdf", f"media/{told.film.id}.mp4"):
            assert client.get(f"/discuss/story/{told.id}/{path}").status_code == 403, path
        assert client.get(f"/discuss/-/said/{told.film.id}").status_code == 404


def test_a_project_and_a_grid_are_shared_with_what_is_in_them_now(studio: Studio) -> None:
    project = studio.projects.create(ANNA, f"Spring {len(studio.projects.list(ANNA))}")
    inside, outside = clip(studio, "#336699"), clip(studio, "#993366")
    studio.shelves.move(ANNA, [inside.id], project.id)
    guest = Guest(studio, shared(studio, Room("project", project.id))[1])
    assert (guest.state()["title"], [item["id"] for item in guest.state()["items"]]) == (
        project.name,
        [inside.id],
    )
    assert guest.get(f"media/{outside.id}.mp4").status_code == 404
    studio.shelves.move(ANNA, [outside.id], project.id)
    studio.shelves.move(ANNA, [inside.id], None)
    studio.rooms._shelf._found.clear()
    assert guest.get(f"media/{outside.id}.mp4").status_code == 200
    assert guest.get(f"media/{inside.id}.mp4").status_code == 404
    with pytest.raises(Refused, match="not_yours"):
        studio.rooms.share(BEN, Room("project", project.id), "view")

    grid = studio.grids.submit(ANNA, GridPlan(lines=({"prompt": "a red boat"},), seeds=(1, 2)))
    guest = Guest(studio, shared(studio, Room("grid", grid))[1])
    assert guest.state()["items"] == []
    made = clip(studio, "#228844", request=studio.grids.view(ANNA, grid).cells[1].request)
    studio.rooms._shelf._found.clear()
    assert [item["id"] for item in guest.state()["items"]] == [made.id]
    with pytest.raises(Refused, match="not_yours"):
        studio.rooms.share(BEN, Room("grid", grid), "view")
