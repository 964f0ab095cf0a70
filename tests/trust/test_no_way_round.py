"""Every way by which files leave: none without label, credentials, fingerprint, register and ledger.

A real worker on the tiny model makes one of each kind; then all that lies where files leave from is read.
"""

import ast
import hashlib
import inspect
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from studio.access import Visitor
from studio.claims import Claims
from studio.core import Studio
from studio.db import reading
from studio.exporting import Finished
from studio.formats import OTHERS, Exports
from studio.grid_plan import GridPlan, read_lines
from studio.library import Asset
from studio.settings import Settings
from studio.trust import exports, ledger
from studio.trust.aigc import carried, is_ours
from studio.trust.carriers import key_from
from studio.trust.certificate import known_certificates
from studio.trust.credentials import SIDECAR, read
from studio.trust.exports import Registered
from studio.trust.mark import match, read_file
from studio.trust.seal import Sealed
from studio.trust.visible import find_label, usual_styles
from tests.film_kit import plan
from tests.queue_kit import (
    START,
    Desk,
    WorkerProcess,
    home_of,
    kill,
    long,
    postgres_template,
    tiny_model,
    wait_for,
)
from tests.studio.web_kit import client_of

__all__ = ["postgres_template", "tiny_model"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ANNA = Visitor("anna", True)
ROOT = Path(__file__).resolve().parents[2]
TEXT = "A {bird} flies over the mountain."
VIDEOS = (".mp4", ".webm", ".gif", ".mov", ".mkv")
# The export that is the clip or film itself bears the asset's own number.
WAYS = ("create", "again", "killed", "story", "film", "take", "row", "cell", "mosaic", "edit")


@dataclass
class Shop:
    """A studio after a busy day: which job came by which way, its web routes, its worker."""

    studio: Studio
    client: TestClient
    jobs: dict[str, str]
    worker: WorkerProcess

    def asset(self, way: str) -> Asset:
        job = self.studio.jobs.get(self.jobs[way])
        assert job is not None
        assert job.state == "done", (way, job.error)
        asset = self.studio.assets.get(job.asset_id or "")
        assert asset is not None
        return asset

    @property
    def home(self) -> Path:
        return self.studio.settings.studio_home

    @property
    def key(self) -> bytes:
        return self.studio.settings.sealing_key()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Shop]:
    home = home_of(tmp_path_factory.mktemp("home"), tiny_model)
    desk = Desk(Settings(studio_home=home, worker_id="w1", device="cpu"))
    studio = Studio(desk.settings)
    worker = WorkerProcess(desk.settings)
    try:
        slow = long(num_inference_steps=50)
        jobs = {"killed": desk.jobs.submit("anna", {"prompt": "a long one"}, slow)}
        wait_for(lambda: (now := desk.jobs.progress(jobs["killed"])) and now.step > 5, START, desk.log)
        kill(worker.process.pid, desk.settings)
        worker = WorkerProcess(desk.settings)
        jobs |= _ask_for_all(studio)
        for job_id in jobs.values():
            desk.wait(job_id, seconds=240)
        assert desk.job(jobs["killed"]).attempt == 2
        (line,) = studio.grids.list(ANNA)
        jobs["mosaic"] = studio.grids.export(ANNA, line.id, {0: "a boat", 1: "a fox"})
        clip = desk.job(jobs["create"]).asset_id or ""
        jobs["edit"] = studio.edits.make(ANNA, clip, {"operations": [{"name": "speed", "amount": 0.5}]})
        for way in ("mosaic", "edit"):
            desk.wait(jobs[way], seconds=240)
        with client_of(studio) as client:
            made = Shop(studio, client, jobs, worker)
            _export_all(made)
            yield made
            worker = made.worker
        assert worker.end() == 0
    finally:
        worker.process.kill()
        desk.close()


def _ask_for_all(studio: Studio) -> dict[str, str]:
    small = {"quality": "draft", "num_frames": 17, "num_inference_steps": 4}
    create = studio.generate(ANNA, prompt="a boat", **small)
    view = studio.stories.new(ANNA, TEXT, language="en")
    studio.stories.change(ANNA, view.id, "set_variable", name="bird", value="crane")
    studio.stories.change(ANNA, view.id, "update_look", narrate=False, height=480, music="")
    (row,) = studio.stories.tables.films(ANNA, view.id, "bird\nswan", "animatic")
    grid = studio.grids.submit(ANNA, GridPlan(lines=read_lines("a boat\na fox"), settings=(small,)))
    cell = studio.grids.view(ANNA, grid).cells[1].job
    assert cell is not None
    return {
        "create": create,
        "again": studio.again(ANNA, create),
        "take": studio.stories.render_shot(ANNA, view.id, view.shots[0].shot.id, "animatic", another=True),
        "story": studio.stories.film(ANNA, view.id, "animatic"),
        # A small one, for other formats: noise takes encoders long.
        "film": studio.jobs.submit_film("anna", {}, plan("one", "two")),
        "row": row,
        "cell": cell.id,
    }


def _export_all(shop: Shop) -> None:
    """A film and a clip in every other format, as a browser asks for them."""
    for way in ("film", "create"):
        for kind in OTHERS:
            address = f"/export/{shop.asset(way).id}.{kind}"
            told = shop.client.post(address, params={"status": 1}).json()
            until = time.monotonic() + 120
            while not told["ready"]:
                assert time.monotonic() < until, told
                time.sleep(0.05)
                told = shop.client.get(address, params={"status": 1}).json()
                assert "errors" not in told, told


def left(shop: Shop) -> list[Path]:
    """Every video that lies where files leave from."""
    folders = [shop.home / "media", shop.home / "exports", shop.home / "quarantine", shop.home / "tmp"]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    others = [path for path in found if path.suffix not in (*VIDEOS, SIDECAR, ".webp")]
    assert others == []
    return sorted(path for path in found if path.suffix in VIDEOS)


def check(shop: Shop, path: Path, sidecar: Path | None = None) -> Registered:
    """That a file carries everything; its row in the register."""
    settings = shop.studio.settings
    assert find_label(path, usual_styles()) is not None, f"no visible label on {path.name}"
    found = carried(path)
    label = found.comment
    assert label not in (None, "broken"), path.name
    assert found.key == label or path.suffix == ".gif"
    assert is_ours(label, shop.key)
    credentials = read(path, sidecar, known=known_certificates(settings))
    assert (credentials.state, credentials.ours) == ("valid_untrusted", True), path.name
    assert credentials.export_id == label.ProduceID
    with reading(shop.studio.engine) as connection:
        row = exports.by_id(connection, label.ProduceID)
        assert row is not None
        told = [entry.event for entry in ledger.of_subject(connection, row.id)]
        about_asset = [entry.event for entry in ledger.of_subject(connection, row.asset_id)]
        about_job = [entry.event for entry in ledger.of_subject(connection, row.job_id)]
    assert "exported" in told
    assert "checked" in about_asset
    assert "created" in about_job
    assert row.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    return row


@pytest.mark.parametrize("way", WAYS)
def test_what_each_way_makes_carries_everything(shop: Shop, way: str) -> None:
    asset = shop.asset(way)
    row = check(shop, shop.studio.library_file(asset))
    # A grid's video is cut from clips, as a film is; a clip that was edited is still one.
    kind = {"grid": "film", "edit": "clip"}.get(asset.kind, asset.kind)
    assert (row.id, row.asset_id, row.kind, row.owner) == (asset.id, asset.id, kind, "anna")
    assert row.sha256 == asset.sha256


def test_no_file_lies_anywhere_without(shop: Shop) -> None:
    found = left(shop)
    rows = [check(shop, path) for path in found]
    # Two films' worth of formats and, besides what was asked for, the takes of the films.
    kinds = [row.kind for row in rows]
    assert {kind: kinds.count(kind) for kind in OTHERS} == dict.fromkeys(OTHERS, 2)
    assert kinds.count("film") == 4
    assert kinds.count("clip") >= 4 + 4
    assert len({row.id for row in rows}) == len(rows)


def test_every_clip_and_film_has_a_fingerprint_of_its_own_that_is_in_its_pictures(shop: Shop) -> None:
    with reading(shop.studio.engine) as connection:
        rows = exports.since(connection, None)
    codewords = np.array([row.codeword for row in rows if row.kind in ("clip", "film")], np.uint64)
    assert len(set(codewords.tolist())) == len(codewords)
    for way in WAYS:
        asset = shop.asset(way)
        (row,) = [row for row in rows if row.id == asset.id]
        found = match(read_file(shop.studio.library_file(asset), key_from(shop.key)), codewords)
        assert found is not None, way
        assert found.codeword == row.codeword, way
    films = {row.asset_id: row.codeword for row in rows if row.kind in ("clip", "film")}
    assert all(row.codeword == films[row.asset_id] for row in rows)


@pytest.mark.parametrize("address", ["/media/{id}.mp4", "/media/{id}.mp4?download=1", "/export/{id}.h264"])
def test_what_is_downloaded_is_the_sealed_file(shop: Shop, tmp_path: Path, address: str) -> None:
    for way in ("create", "story"):
        asset = shop.asset(way)
        path = tmp_path / f"{way}.mp4"
        path.write_bytes(shop.client.get(address.format(id=asset.id)).content)
        assert check(shop, path).id == asset.id


@pytest.mark.parametrize("kind", OTHERS)
def test_other_formats_are_downloaded_with_their_credentials(shop: Shop, tmp_path: Path, kind: str) -> None:
    asset = shop.asset("film")
    path = tmp_path / {"h265": "a.mp4", "vp9": "a.webm", "gif": "a.gif"}[kind]
    path.write_bytes(shop.client.get(f"/export/{asset.id}.{kind}").content)
    beside = shop.client.get(f"/export/{asset.id}.{kind}.c2pa")
    assert (beside.status_code == 200) == (kind == "vp9")
    if kind == "vp9":
        path.with_name(path.name + SIDECAR).write_bytes(beside.content)
    assert check(shop, path).kind == kind


def test_the_ledger_is_whole(shop: Shop) -> None:
    count, fault = ledger.verify(shop.studio.engine, key=shop.key, home=shop.home)
    assert fault is None
    assert count > 0


def test_a_worker_killed_at_the_end_leaves_no_file_without(shop: Shop) -> None:
    """Between the last frame and the row: what it moved has its seal, or is swept away by the next worker."""
    before, jobs = set(left(shop)), shop.studio.jobs
    job_id = jobs.submit("anna", {"prompt": "sealed"}, long("sealed", num_inference_steps=4))
    wait_for(lambda: (now := jobs.progress(job_id)) and now.stage == "decoding", START)
    kill(shop.worker.process.pid, shop.studio.settings)
    shop.worker = WorkerProcess(shop.studio.settings)
    wait_for(lambda: (job := jobs.get(job_id)) and job.state == "done", START)
    (new,) = set(left(shop)) - before
    check(shop, new)


# -- by construction ---------------------------------------------------------------------------------------


def test_nothing_is_published_without_a_seal_that_only_the_seal_makes() -> None:
    publish = inspect.signature(Claims.publish).parameters["finished"]
    assert (publish.annotation, publish.default) == (Finished, inspect.Parameter.empty)
    assert Finished.__annotations__["sealed"] == "Sealed"
    with pytest.raises(TypeError):
        Sealed(Path("a.mp4"), "id", 1, None, "0", 1, "valid", frozenset(), object())  # type: ignore[arg-type]
    assert "finished" in inspect.getsource(Exports._published)


def calls(path: Path) -> set[str]:
    """The names of what a module calls, as `a.b` at most."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            found.add(ast.unparse(node.func).rpartition("self.")[2])
    return found


def test_only_who_goes_through_the_gate_writes_videos_or_keeps_them() -> None:
    """A new way out has to be added here, and to the tests above."""
    product = [path for path in (ROOT / "studio").rglob("*.py") if "media" not in path.parts[-2:]]
    by = {path.relative_to(ROOT / "studio").as_posix(): calls(path) for path in product}
    writers = {
        name for name, found in by.items() if found & {"write_clip", "make_film", "make_mosaic", "export"}
    }
    gated = {"workflows.py", "filming.py", "formats.py", "retouching.py", "mosaics.py"}
    # A film's file is written for who opened the gate, and by nobody else.
    assert {name for name, found in by.items() if "FilmFile" in found} == {"filming.py"}
    assert writers - {"demo.py", "covers.py", "film_file.py"} <= gated
    for name in gated:
        assert {"exporter.begin", "exporter.finish"} <= {
            call.replace("_exporter", "exporter").removeprefix("bench.") for call in by[name]
        }
    keepers = {name for name, found in by.items() if found & {"library.add", "assets.add"}}
    # A lost library's films went through the gate when they were made: they come back sealed, and held.
    assert keepers == {"claims.py", "library/reindex.py"}
    assert {name for name, found in by.items() if "finished.keep" in found} == {"claims.py", "formats.py"}
