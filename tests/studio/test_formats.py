"""Other formats go through the gate: labelled, signed, registered; only what is public leaves."""

import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipelines.request import GenerationRequest
from studio.core import Studio
from studio.db import reading, utc_now, writing
from studio.exporting import Exporter
from studio.formats import Exports, Made
from studio.library import Asset, Standing
from studio.media.clip import write_clip
from studio.media.export import Kind
from studio.media.probe import thumbnail
from studio.trust import exports, ledger
from studio.trust.aigc import carried, is_ours
from studio.trust.certificate import known_certificates
from studio.trust.credentials import read, sidecar_of
from studio.trust.exports import Registered
from tests.studio.web_kit import keep
from tests.trust.clips import clouds


def keep_sealed(studio: Studio, asset_id: str, standing: Standing = "public", **changes: Any) -> Asset:
    """A real clip that went through the gate."""
    request = GenerationRequest(prompt="a boat", num_frames=17)
    exporter = Exporter(studio.settings, studio.engine)
    begun = exporter.begin(asset_id, "clip")
    film = studio.settings.media / f"{asset_id}.mp4"
    facts = write_clip(
        clouds(3, 17, (320, 192)), path=film, fps=8, expected_frames=17, label=begun.label,
        comment=begun.comment("{}"), tags=begun.tags, mark=begun.mark_frames(),
    )  # fmt: skip
    film.with_suffix(".webp").write_bytes(thumbnail(film))
    finished = exporter.finish(begun, film, model="sketch", revision="r", prompt=request.prompt)
    values = {"owner": "anna", **finished.facts, "standing": standing, **changes}
    asset = Asset(
        id=asset_id, job_id=f"job-{asset_id}", path=f"media/{asset_id}.mp4",
        thumbnail=f"media/{asset_id}.webp", request=request, form={"prompt": "a boat"}, model="sketch",
        model_revision="r", width=320, height=192, seconds=facts.seconds, fps=8, frames=17,
        render_seconds=1.0, created=utc_now(), **values,
    )  # fmt: skip
    with writing(studio.engine) as connection:
        studio.assets.add(asset, connection)
        finished.keep(connection, asset)
    return asset


def made(studio: Studio, asset: Asset, kind: Kind, by: Exports | None = None) -> Made:
    """The asset in that format, once it is there or can't be."""
    by = by or Exports(studio.engine, studio.settings, studio.assets)
    by.begin(asset, kind)
    while (now := by.state(asset, kind)).path is None and now.error is None:
        time.sleep(0.02)
    return now


def rows(studio: Studio, asset: Asset) -> list[Registered]:
    with reading(studio.engine) as connection:
        return exports.of_asset(connection, asset.id)


def left(studio: Studio) -> list[str]:
    """What lies in exports and tmp."""
    home = studio.settings.studio_home
    folders = (home / "exports", home / "tmp")
    return sorted(path.name for folder in folders for path in folder.glob("*") if path.is_file())


@pytest.mark.parametrize("kind", ["h265", "vp9", "gif"])
def test_each_format_is_labelled_signed_registered_and_told(private: Studio, kind: Kind) -> None:
    asset = keep_sealed(private, "one")
    path = made(private, asset, kind).path
    assert path is not None
    original, row = rows(private, asset)
    key = private.settings.sealing_key()
    found = carried(path)
    label = found.key or found.comment
    assert label not in (None, "broken")
    assert is_ours(label, key)
    assert label.ProduceID == row.id != original.id
    assert len(row.id) <= 40
    credentials = read(path, known=known_certificates(private.settings))
    assert (credentials.state, credentials.ours) == ("valid_untrusted", True)
    assert credentials.export_id == row.id
    assert b"a boat" not in (sidecar_of(path) if kind == "vp9" else path).read_bytes()
    assert [(one.relation, one.state) for one in credentials.ingredients] == [("parentOf", "valid_untrusted")]
    assert (row.kind, row.codeword, row.label) == (kind, original.codeword, original.label)
    with reading(private.engine) as connection:
        assert [entry.event for entry in ledger.of_subject(connection, row.id)] == ["exported"]
    assert ledger.verify(private.engine, key=key, home=private.settings.studio_home)[1] is None


def test_a_webms_credentials_lie_beside_it_and_both_go_with_the_clip(
    private: Studio, client: TestClient
) -> None:
    asset = keep_sealed(private, "two")
    assert client.get("/export/two.vp9.c2pa").status_code == 404
    client.post("/export/two.vp9", params={"status": 1})
    while not client.get("/export/two.vp9", params={"status": 1}).json()["ready"]:
        time.sleep(0.02)
    film, beside = client.get("/export/two.vp9"), client.get("/export/two.vp9.c2pa")
    assert (film.content[:4], beside.headers["content-type"]) == (b"\x1aE\xdf\xa3", "application/c2pa")
    assert left(private) == ["two.vp9.webm", "two.vp9.webm.c2pa"]
    private.assets.delete(asset.id)
    assert left(private) == []
    assert client.get("/export/two.vp9").status_code == 404
    assert len(rows(private, asset)) == 2, "the register outlives the files"


def test_the_films_own_format_is_its_own_file(private: Studio, client: TestClient) -> None:
    asset = keep_sealed(private, "three")
    assert made(private, asset, "h264").path == private.library_file(asset)
    assert client.get("/export/three.h264").content == private.library_file(asset).read_bytes()
    assert client.get("/export/three.h264.c2pa").status_code == 404
    assert len(rows(private, asset)) == 1


def test_an_older_export_without_a_seal_is_made_anew(private: Studio) -> None:
    """Neither is one that was changed on the disk."""
    asset = keep(private, asset_id="four")
    place = private.settings.studio_home / "exports" / "four.gif.gif"
    place.parent.mkdir()
    place.write_bytes(b"GIF89a of an earlier time")
    now = Exports(private.engine, private.settings, private.assets)
    assert now.state(asset, "gif").path is None
    assert made(private, asset, "gif", now).path == place
    place.write_bytes(place.read_bytes() + b"!")
    assert now.state(asset, "gif") == Made()
    assert made(private, asset, "gif", now).path == place
    assert len({row.id for row in rows(private, asset)}) == 2


@pytest.mark.parametrize("standing", ["held", "blocked", "rejected", "draft"])
def test_what_is_not_public_is_not_exported(private: Studio, client: TestClient, standing: Standing) -> None:
    asset = keep_sealed(private, "five", standing)
    for kind in ("h265", "h264"):
        answer = client.post(f"/export/five.{kind}", params={"status": 1}).json()
        assert answer["errors"][0]["code"] == "export_held"
        assert client.get(f"/export/five.{kind}").status_code == 400
    assert left(private) == []
    assert len(rows(private, asset)) == 1


def test_one_that_is_rejected_or_deleted_meanwhile_never_gets_its_place(private: Studio) -> None:
    rejected, deleted = keep_sealed(private, "six"), keep_sealed(private, "seven")
    with writing(private.engine) as connection:
        private.assets.stand(connection, rejected.id, "rejected")
    assert made(private, rejected, "gif").error is not None
    private.assets.delete(deleted.id)
    assert made(private, deleted, "gif").error is not None
    assert left(private) == []
    assert [len(rows(private, asset)) for asset in (rejected, deleted)] == [1, 1]


def test_a_film_that_was_changed_on_the_disk_is_not_exported(private: Studio) -> None:
    asset = keep_sealed(private, "eight")
    film: Path = private.library_file(asset)
    content = bytearray(film.read_bytes())
    middle = content.index(b"mdat") + 2000
    content[middle] ^= 1
    film.write_bytes(content)
    error = made(private, asset, "h265").error
    assert error is not None
    assert error.code == "seal_part_changed"
    assert left(private) == []
