"""Facts about reading credentials: nothing is believed, nothing is fetched, nothing brings it down."""

import random
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import c2pa
import pytest

from studio.trust.certificate import Known, SealError
from studio.trust.credentials import _signer, read, sidecar_of
from studio.trust.manifests import BY_MODEL, told
from tests.loopback import answering
from tests.trust.sealing_kit import House, Ingredient, issue, parent


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


class _Asked(BaseHTTPRequestHandler):
    """Keeps what it is asked for; answers as its service says."""

    service: tuple[list[str], int, bytes]

    def _answer(self) -> None:
        asked, status, body = self.service
        asked.append(self.path)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_HEAD = _answer

    def log_message(self, *_: Any) -> None:
        pass


def test_a_file_that_points_to_a_server_has_it_not_asked(house: House, tmp_path: Path) -> None:
    asked: list[str] = []
    path, pointing = house.clip(tmp_path / "a.mp4", "clip-1"), tmp_path / "pointing.mp4"
    with answering(_Asked, (asked, 200, b"x")) as address:
        action = {"action": "c2pa.created", "digitalSourceType": BY_MODEL}
        builder = c2pa.Builder({"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}]})
        builder.set_no_embed()
        builder.set_remote_url(f"{address}/manifest.c2pa")
        with path.open("rb") as source, pointing.open("w+b") as target:
            builder.sign(_signer(house.certificate), "video/mp4", source, target)
        assert address.encode() in pointing.read_bytes()
        assert house.read(pointing).state in ("absent", "tampered")
    assert asked == []


@pytest.mark.parametrize(("status", "body"), [(500, b""), (200, b"<html>no stamp</html>"), (302, b"")])
def test_a_time_stamp_service_that_answers_nonsense_stops_the_export(
    tmp_path: Path, status: int, body: bytes
) -> None:
    asked: list[str] = []
    with answering(_Asked, (asked, status, body)) as address:
        house = House(tmp_path / "home", (("C2PA_TSA_URL", f"{address}/stamp"),))
        path = house.clip(tmp_path / "a.mp4", "clip-1")
        with pytest.raises(SealError, match="seal_timestamp"):
            house.seal(path, "clip-1")
    assert asked == ["/stamp"]
    assert not path.exists()


def test_an_ended_certificate_is_no_tampering(tmp_path: Path) -> None:
    house = House(tmp_path / "home", issue(tmp_path / "pki", days=2 / 86400).env)
    certificate, known = house.certificate, house.known
    path = house.clip(tmp_path / "a.mp4", "clip-1")
    house.seal(path, "clip-1", certificate=certificate, known=known)
    while datetime.now(UTC) <= certificate.ends + timedelta(seconds=1):
        time.sleep(0.1)
    assert read(path, known=known).state == "expired"
    data = bytearray(path.read_bytes())
    data[-200] ^= 1
    path.write_bytes(data)
    assert read(path, known=known).state == "tampered"


def test_a_changed_picture_is_ours_still_a_changed_claim_is_not(house: House, tmp_path: Path) -> None:
    path = house.sealed_clip(tmp_path / "a.mp4", "clip-1")
    data = path.read_bytes()
    changed = bytearray(data)
    changed[data.index(b"mdat") + 300] ^= 1
    path.write_bytes(changed)
    assert (house.read(path).state, house.read(path).ours) == ("tampered", True)
    path.write_bytes(data.replace(b"wan2.2-t2v-a14b", b"somebody's-else"))
    assert (house.read(path).state, house.read(path).ours) == ("tampered", False)


def test_credentials_of_another_file_are_tampering(house: House, tmp_path: Path) -> None:
    one = house.sealed_clip(tmp_path / "a.mp4", "clip-1").read_bytes()
    two = house.sealed_clip(tmp_path / "b.mp4", "clip-2", frames=9).read_bytes()
    mixed = tmp_path / "c.mp4"
    start, stop = one.index(b"uuid") - 4, two.index(b"uuid") - 4
    size = int.from_bytes(one[start : start + 4], "big")
    other = int.from_bytes(two[stop : stop + 4], "big")
    mixed.write_bytes(two[:stop] + one[start : start + size] + two[stop + other :])
    assert house.read(mixed).state == "tampered"


def test_our_file_stripped_by_hand_is_tampering(house: House, tmp_path: Path) -> None:
    path = house.sealed_clip(tmp_path / "a.mp4", "clip-1")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"uuid", b"skip", 1))
    assert house.read(path).state == "tampered"


def test_whatever_is_changed_the_reader_stands_and_is_not_deceived(house: House, tmp_path: Path) -> None:
    clip = house.sealed_clip(tmp_path / "clip.mp4", "clip-1")
    film = house.clip(tmp_path / "film.mp4", "film-1")
    house.seal(film, "film-1", "film", parents=[Ingredient("Shot 1", "componentOf", "studio", clip)])
    webm = house.other_format(film, "vp9", "other-1")
    house.seal(webm, "other-1", "vp9", parents=parent(film))
    known, dice = house.known, random.Random(7)
    for number in range(240):
        of = (clip, film, sidecar_of(webm))[number % 3]
        whole = of.read_bytes()
        data = bytearray(whole)
        for _ in range(dice.choice((1, 3, 20))):
            at = dice.randrange(len(data))
            size = dice.randrange(1, 200)
            change = dice.randrange(4)
            if change == 0:
                data[at] = dice.randrange(256)
            elif change == 1:
                data[at : at + 4] = dice.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"))
            elif change == 2:
                del data[at : at + size]
            else:
                data[at:at] = data[at : at + size]
        broken = tmp_path / f"broken{of.suffix}"
        broken.write_bytes(data)
        found = read(webm, broken, known=known) if of.suffix == ".c2pa" else read(broken, known=known)
        assert found.state in ("tampered", "absent", "unreadable") or bytes(data) == whole


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"active_manifest": 3, "manifests": []},
        {"active_manifest": "a", "manifests": {"a": []}},
        {"active_manifest": "a", "manifests": {"a": {"assertions": [3, {"label": None, "data": "x"}]}}},
        {"active_manifest": "a", "manifests": {"a": {"ingredients": ["x", {"title": 3}]}}},
        {"active_manifest": "a", "manifests": {"a": {"signature_info": "me"}}, "validation_state": "Trusted"},
        {"validation_results": {"activeManifest": {"success": [None, {"code": []}], "failure": 7}}},
    ],
)
def test_what_others_write_into_a_manifest_need_not_be_of_any_kind(found: dict[str, Any]) -> None:
    answer = told(found, Known(serials=frozenset(("None",))))
    assert (answer.state, answer.ours) == ("tampered", False)


def test_long_and_invisible_texts_are_cut(house: House) -> None:
    manifest = {"title": "a\u202eb\n" + "x" * 999, "signature_info": {"issuer": "\x00\x1b[31mme"}}
    answer = told({"active_manifest": "a", "manifests": {"a": manifest}}, Known())
    assert answer.title.startswith("abx")
    assert len(answer.title) <= 200
    assert answer.issuer == "[31mme"
