"""Facts about the seal: what leaves is labelled, signed and read back, and every change to it is seen."""

import random
import resource
from dataclasses import replace
from pathlib import Path

import av
import ffmpeg
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from studio.media.export import Kind
from studio.media.ffmpeg import MediaError, run
from studio.trust.aigc import carried, read_aigc
from studio.trust.certificate import CertificateError, Known, SealError
from studio.trust.credentials import Ingredient, sidecar_of, trial
from studio.trust.seal import Sealed
from studio.words import LANGUAGES, say
from tests.trust.sealing_kit import KEY, House, issue, parent


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def test_a_sealed_clip_reads_back_as_ours(house: House, tmp_path: Path) -> None:
    path = house.clip(tmp_path / "a.mp4", "clip-1")
    sealed = house.seal(path, "clip-1")
    assert (sealed.export_id, sealed.codeword, sealed.manifest_state) == ("clip-1", 0xC0DE, "valid_untrusted")
    assert sealed.carries == {"key", "comment", "credentials"}
    assert sealed.bytes == path.stat().st_size
    found = house.read(path)
    assert (found.state, found.ours, found.export_id) == ("valid_untrusted", True, "clip-1")
    assert (found.model, found.revision, found.prompt_hash) == ("wan2.2-t2v-a14b", "r1", "ab" * 32)
    assert found.made == "2026-11-21T10:30:00Z"
    assert found.source_type.endswith("/trainedAlgorithmicMedia")
    assert found.aigc is not None
    assert found.aigc["ProduceID"] == "clip-1"
    assert set(tmp_path.iterdir()) == {house.home, path}


def _packets(path: Path) -> list[tuple[int, int | None, bytes]]:
    with av.open(str(path)) as container:
        return [(one.stream_index, one.pts, bytes(one)) for one in container.demux() if one.size]


def test_sealing_changes_no_picture_and_no_sound(house: House, tmp_path: Path) -> None:
    silent, path = house.clip(tmp_path / "a.mp4", "clip-1", frames=33), tmp_path / "b.mp4"
    video, tone = ffmpeg.input(str(silent)), ffmpeg.input("sine=d=2", f="lavfi")
    kept = {"vcodec": "copy", "map_metadata": 0, "movflags": "+faststart+use_metadata_tags"}
    run(ffmpeg.output(video, tone, str(path), acodec="aac", **kept))
    before = _packets(path)
    assert {stream for stream, _, _ in before} == {0, 1}
    house.seal(path, "clip-1")
    assert _packets(path) == before
    start = path.read_bytes()
    assert start.index(b"moov") < start.index(b"mdat"), "a player can begin before all is there"


def test_a_clip_of_a_single_frame_is_sealed(house: House, tmp_path: Path) -> None:
    path = house.sealed_clip(tmp_path / "a.mp4", "clip-1", frames=1)
    assert house.read(path).ours


def test_to_others_our_file_is_unchanged_but_not_known(house: House, tmp_path: Path) -> None:
    path = house.sealed_clip(tmp_path / "a.mp4", "clip-1")
    stranger = House(tmp_path / "elsewhere")
    assert stranger.certificate.serial != house.certificate.serial
    found = stranger.read(path)
    assert (found.state, found.ours) == ("valid_untrusted", False)


def test_a_sealed_file_can_have_another_name_and_the_first_stays(house: House, tmp_path: Path) -> None:
    path = house.clip(tmp_path / "a.mp4", "clip-1")
    before = path.read_bytes()
    sealed = house.seal(path, "clip-1", target=tmp_path / "b.mp4")
    assert sealed.path == tmp_path / "b.mp4"
    assert path.read_bytes() == before
    assert house.read(sealed.path).ours


def test_any_flipped_byte_is_seen(house: House, tmp_path: Path) -> None:
    path = house.sealed_clip(tmp_path / "a.mp4", "clip-1")
    data = path.read_bytes()
    places = []
    at = 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        places += [(kind, random.Random(at + n).randrange(at + 8, at + size)) for n in range(20) if size > 8]
        at += size
    assert {kind for kind, _ in places} >= {b"ftyp", b"uuid", b"moov", b"mdat"}
    for kind, place in places:
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        assert house.read(path).state == "tampered", (kind, place)


def test_a_file_cut_off_or_prolonged_is_tampered(house: House, tmp_path: Path) -> None:
    path = house.sealed_clip(tmp_path / "a.mp4", "clip-1")
    data = path.read_bytes()
    for changed in (data[:-1], data[: len(data) // 2], data + b"x", data + b"\0\0\0\x08free"):
        path.write_bytes(changed)
        assert house.read(path).state == "tampered"


def test_what_a_tool_copies_keeps_the_label_and_loses_the_credentials(house: House, tmp_path: Path) -> None:
    path = house.sealed_clip(tmp_path / "a.mp4", "clip-1")
    before = read_aigc(path)
    for name, options in (("plain", {}), ("kept", {"movflags": "use_metadata_tags"})):
        copy = tmp_path / f"{name}.mp4"
        run(ffmpeg.output(ffmpeg.input(str(path)), str(copy), c="copy", **options))
        assert house.read(copy).state == "absent"
        found = carried(copy)
        assert found.comment == before
        assert (found.key == before) == (name == "kept")
        assert read_aigc(copy) == before


def test_a_film_names_what_it_is_made_of(house: House, tmp_path: Path) -> None:
    clip = house.sealed_clip(tmp_path / "shot.mp4", "clip-1")
    path = house.clip(tmp_path / "film.mp4", "film-1")
    parts = (
        Ingredient("Shot 1", "componentOf", "studio", clip),
        Ingredient("Calm 2", "componentOf", "machine", None, "made with ACE-Step 1.5"),
    )
    house.seal(path, "film-1", "film", parents=parts)
    found = house.read(path)
    assert found.source_type.endswith("/trainedAlgorithmicMedia")
    assert {(one.title, one.relation, one.state) for one in found.ingredients} == {
        ("Shot 1", "componentOf", "valid_untrusted"),
        ("Calm 2", "componentOf", "absent"),
    }


def test_a_film_with_uploaded_shots_is_a_composite_and_claims_nothing_of_them(
    house: House, tmp_path: Path
) -> None:
    clip = house.sealed_clip(tmp_path / "shot.mp4", "clip-1")
    upload = tmp_path / "upload.mp4"
    upload.write_bytes(clip.read_bytes()[:-40])
    path = house.clip(tmp_path / "film.mp4", "film-1")
    parts = (
        Ingredient("Shot 1", "componentOf", "studio", clip),
        Ingredient("Shot 2", "componentOf", "person", upload),
    )
    house.seal(path, "film-1", "film", parents=parts)
    found = house.read(path)
    assert found.source_type.endswith("/compositeWithTrainedAlgorithmicMedia")
    assert {one.title: one.state for one in found.ingredients}["Shot 2"] == "absent"


def test_nothing_is_signed_that_is_made_from_a_changed_clip(house: House, tmp_path: Path) -> None:
    clip = house.sealed_clip(tmp_path / "shot.mp4", "clip-1")
    data = bytearray(clip.read_bytes())
    data[-200] ^= 1
    clip.write_bytes(data)
    path = house.clip(tmp_path / "film.mp4", "film-1")
    with pytest.raises(SealError) as caught:
        house.seal(path, "film-1", "film", parents=[Ingredient("Shot 1", "componentOf", "studio", clip)])
    assert caught.value.code == "seal_part_changed"


@pytest.mark.parametrize("kind", ["h265", "vp9", "gif"])
def test_other_formats_name_the_film_as_their_parent(house: House, tmp_path: Path, kind: Kind) -> None:
    film = house.clip(tmp_path / "film.mp4", "film-1", frames=17)
    house.seal(film, "film-1", "film")
    path = house.other_format(film, kind, "other-1")
    sealed = house.seal(path, "other-1", kind, parents=parent(film))
    assert "comment" in sealed.carries
    found = house.read(path)
    assert (found.state, found.ours, found.export_id) == ("valid_untrusted", True, "other-1")
    assert [(one.relation, one.state) for one in found.ingredients] == [("parentOf", "valid_untrusted")]
    assert found.source_type.endswith("/trainedAlgorithmicMedia")
    assert read_aigc(path) == sealed.aigc
    assert sidecar_of(path).exists() == (kind == "vp9") == ("sidecar" in sealed.carries)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    assert house.read(path).state == "tampered"


def test_a_webm_without_its_sidecar_has_no_credentials_and_a_broken_one_is_tampered(
    house: House, tmp_path: Path
) -> None:
    film = house.clip(tmp_path / "film.mp4", "film-1")
    house.seal(film, "film-1", "film")
    path = house.other_format(film, "vp9", "other-1")
    house.seal(path, "other-1", "vp9", parents=parent(film))
    beside = sidecar_of(path)
    data = beside.read_bytes()
    moved = beside.rename(tmp_path / "kept.c2pa")
    assert house.read(path).state == "absent"
    assert house.read(path, moved).ours
    for changed in (b"", data[:100], data[:-1], data[:2000] + b"\xff" + data[2001:], b"<html>" * 400):
        beside.write_bytes(changed)
        assert house.read(path).state == "tampered"
    beside.write_bytes(data)
    other = house.clip(tmp_path / "x.mp4", "x-1", frames=3)
    strange = house.other_format(other, "vp9", "x-1")
    assert house.read(strange, beside).state == "tampered"


def _refused(house: House, path: Path, export_id: str, **more: object) -> SealError:
    before, folder = path.read_bytes(), set(path.parent.iterdir())
    with pytest.raises(SealError) as caught:
        house.seal(path, export_id, target=path.parent / "out.mp4", **more)
    assert set(path.parent.iterdir()) - {house.home} == folder - {house.home}, "nothing is left"
    assert path.read_bytes() == before
    for language in LANGUAGES:
        assert say(caught.value.notice, language) != say("generic", language)
    return caught.value


def test_a_file_without_its_label_is_not_sealed(house: House, tmp_path: Path) -> None:
    path = house.clip(tmp_path / "a.mp4", "clip-1", labelled=False)
    assert _refused(house, path, "clip-1").code == "seal_label"


def test_a_file_with_the_label_of_another_export_is_not_sealed(house: House, tmp_path: Path) -> None:
    path = house.clip(tmp_path / "a.mp4", "clip-1")
    assert _refused(house, path, "clip-2").code == "seal_label"
    assert _refused(house, path, "clip-1", key=KEY[::-1]).code == "seal_label"


def test_a_file_that_would_not_read_back_as_ours_is_not_published(house: House, tmp_path: Path) -> None:
    path = house.clip(tmp_path / "a.mp4", "clip-1")
    assert _refused(house, path, "clip-1", known=Known()).code == "seal_unsure"


def test_in_place_a_file_that_was_not_sealed_is_gone(house: House, tmp_path: Path) -> None:
    path = house.clip(tmp_path / "a.mp4", "clip-1")
    with pytest.raises(SealError):
        house.seal(path, "clip-2")
    assert not path.exists()


def test_a_time_stamp_that_does_not_come_stops_the_export(tmp_path: Path) -> None:
    house = House(tmp_path / "home", (("C2PA_TSA_URL", "http://127.0.0.1:9/stamp"),))
    path = house.clip(tmp_path / "a.mp4", "clip-1")
    assert _refused(house, path, "clip-1").notice.values == {"host": "127.0.0.1"}


def test_a_certificate_that_ended_meanwhile_signs_nothing(tmp_path: Path) -> None:
    house = House(tmp_path / "home", issue(tmp_path / "pki", days=1 / 24).env)
    certificate = house.certificate
    path = house.clip(tmp_path / "a.mp4", "clip-1")
    over = type(certificate)(**{**vars(certificate), "ends": certificate.ends.replace(year=2020)})
    assert _refused(house, path, "clip-1", certificate=over).code == "certificate_expired"


@pytest.mark.parametrize(
    "content",
    [b"", b"<html><body>no film</body></html>" * 50, b"PK\x03\x04" + b"\0" * 500, bytes(range(256)) * 40],
    ids=["empty", "html", "zip", "noise"],
)
def test_what_is_no_film_is_neither_sealed_nor_read(house: House, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    found = house.read(path)
    assert found.state == "unreadable"
    assert found.notice is not None
    with pytest.raises(MediaError):
        house.seal(path, "clip-1", target=tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


def test_a_full_disk_is_told_and_leaves_nothing(house: House, tmp_path: Path) -> None:
    path = house.clip(tmp_path / "a.mp4", "clip-1", frames=33)
    certificate, known = house.certificate, house.known
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(MediaError, match="disk_full"):
            house.seal(path, "clip-1", certificate=certificate, known=known, target=tmp_path / "b.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert set(tmp_path.iterdir()) == {house.home, path}


def test_a_file_far_too_big_is_refused_at_once(house: House, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with path.open("wb") as file:
        file.write(b"\0\0\0\x18ftypisom")
        file.truncate(3_000_000_000)
    found = house.read(path)
    assert found.state == "unreadable"
    assert found.notice is not None
    assert found.notice.code == "file_too_big"
    with pytest.raises(MediaError, match="file_too_big"):
        house.seal(path, "clip-1", target=tmp_path / "b.mp4")


def test_a_film_in_another_format_needs_its_parent(house: House, tmp_path: Path) -> None:
    film = house.clip(tmp_path / "film.mp4", "film-1")
    with pytest.raises(ValueError, match="parent"):
        house.seal(film, "film-1", "h265", target=tmp_path / "b.mp4")


def test_only_the_seal_makes_a_sealed(house: House, tmp_path: Path) -> None:
    sealed = house.seal(house.clip(tmp_path / "a.mp4", "clip-1"), "clip-1")
    with pytest.raises(TypeError):
        Sealed(**vars(sealed), made_by=None)
    with pytest.raises((TypeError, ValueError)):
        replace(sealed, path=tmp_path / "other.mp4")


def test_a_certificate_that_is_not_for_this_says_so(tmp_path: Path) -> None:
    purpose = ExtendedKeyUsageOID.SERVER_AUTH
    house = House(tmp_path / "home", issue(tmp_path / "pki", purpose=purpose).env)
    found = trial(house.certificate)
    assert found is not None
    assert found.code == "certificate_unfit"
    path = house.clip(tmp_path / "a.mp4", "clip-1")
    refused = _refused(house, path, "clip-1")
    assert isinstance(refused, CertificateError)
    assert refused.code == "certificate_unfit"


def test_a_trial_tells_that_a_certificate_signs(tmp_path: Path) -> None:
    unreachable = (("C2PA_TSA_URL", "http://127.0.0.1:9/stamp"),)
    for env in ((), issue(tmp_path / "pki").env, unreachable):
        assert trial(House(tmp_path / "home", env).certificate) is None
