"""What is on this machine: whole, broken, linked, shipped; compared byte for byte, deleted where allowed."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from pipelines import errands, loader
from pipelines import hub as room
from pipelines.fetch import Hub
from pipelines.models import MODELS
from pipelines.repos import everything, is_safe, of_model
from pipelines.request import ModelError, Notice
from tests.hub.kit import COMMIT, LARGE, SPEC, WEIGHTS, Repo

SKETCH = of_model(MODELS["sketch"])
A14B = of_model(MODELS["wan2.2-t2v-a14b"])


def refusal(does, *args, **more) -> Notice:
    with pytest.raises(ModelError) as caught:
        does(*args, **more)
    return caught.value.notice


@pytest.fixture
def kept(published: Path) -> Path:
    """A folder that somebody fetched by other means: what is needed, and more."""
    return published


def test_everything_is_known_with_its_commit_size_and_licence(tmp_path: Path) -> None:
    for weights in everything(tmp_path):
        if weights.shipped is None:
            assert len(weights.revision or "") == 40
            assert weights.size_gb > (20 if weights.kind == "model" else 1)
            assert weights.licence


def test_an_empty_home_has_what_ships_and_lacks_the_rest(tmp_path: Path) -> None:
    states = {shelf.weights.name: shelf.state for shelf in room.shelves(tmp_path)}
    assert states.pop("sketch") == "shipped"
    assert set(states.values()) == {"missing"}
    assert list(tmp_path.iterdir()) == [], "looking writes nothing"


def test_the_shipped_model_is_neither_fetched_nor_deleted(tmp_path: Path) -> None:
    for does in (room.delete, lambda w, h: room.download(w, h, Hub()), lambda w, h: room.link(w, h, h)):
        assert refusal(does, SKETCH, tmp_path).code == "weights_shipped"
    assert all(one.notice is None for one in room.verify(SKETCH, tmp_path))
    assert SKETCH.shipped is not None
    assert (SKETCH.shipped / "model_index.json").is_file()


def test_a_folder_is_linked_not_copied(kept: Path, tmp_path: Path) -> None:
    own = room.link(WEIGHTS, tmp_path, kept)
    assert own.is_symlink()
    assert own.resolve() == kept
    shelf = room.shelf(WEIGHTS, tmp_path)
    assert (shelf.state, shelf.usable, shelf.revision) == ("linked", True, "")
    assert loader.find(SPEC, tmp_path) == own
    assert refusal(room.download, WEIGHTS, tmp_path, Hub()).code == "weights_linked"
    checked = room.verify(WEIGHTS, tmp_path)
    assert LARGE in {one.name for one in checked}
    assert not any(one.compared or one.notice for one in checked)
    activity = errands.activity_of(WEIGHTS, tmp_path)
    assert activity is not None
    assert activity.notice is not None
    assert activity.notice.code == "weights_verified_form"
    assert room.delete(WEIGHTS, tmp_path) == 0
    assert (kept / LARGE).is_file(), "only the link is gone"
    assert room.shelf(WEIGHTS, tmp_path).state == "missing"


def test_a_link_whose_folder_went_away_is_named(kept: Path, tmp_path: Path) -> None:
    room.link(WEIGHTS, tmp_path, kept)
    kept.rename(tmp_path / "moved")
    shelf = room.shelf(WEIGHTS, tmp_path)
    assert (shelf.state, shelf.usable) == ("broken", False)
    assert [notice.code for notice in shelf.faults] == ["weights_link_gone"]
    notice = refusal(room.sound, SPEC, tmp_path)
    assert (notice.code, notice.values["path"]) == ("model_link_gone", str(kept))
    room.link(WEIGHTS, tmp_path, tmp_path / "moved")
    assert room.shelf(WEIGHTS, tmp_path).state == "linked"
    assert room.sound(SPEC, tmp_path) == tmp_path / "models" / SPEC.name


def no_index(folder: Path) -> None:
    (folder / "model_index.json").unlink()


def another_pipeline(folder: Path) -> None:
    change(folder / "model_index.json", _class_name="StableDiffusionPipeline")


def another_network(folder: Path) -> None:
    change(folder / "model_index.json", vae=["diffusers", "AutoencoderKL"])


def cut(folder: Path) -> None:
    (folder / LARGE).write_bytes((folder / LARGE).read_bytes()[:-10])


def pointer(folder: Path) -> None:
    (folder / LARGE).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")


def lost(folder: Path) -> None:
    for path in (folder / "transformer").glob("*.safetensors"):
        path.unlink()


def lost_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "diffusion_pytorch_model.safetensors", "b": "two.safetensors"}}
    (folder / "transformer" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))


def shard_outside(folder: Path) -> None:
    index = {"weight_map": {"a": "../../../etc/passwd"}}
    (folder / "transformer" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer" / "tokenizer_config.json").unlink()


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


DAMAGES = {
    no_index: "weights_file_missing",
    another_pipeline: "weights_class",
    another_network: "weights_class",
    cut: "weights_file_short",
    pointer: "weights_file_short",
    lost: "weights_file_missing",
    lost_shard: "weights_file_missing",
    shard_outside: "weights_file_unreadable",
    no_tokenizer: "weights_file_missing",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_folder_that_can_not_work_is_refused_and_says_why(kept: Path, tmp_path: Path, damage) -> None:
    damage(kept)
    notice = refusal(room.link, WEIGHTS, tmp_path, kept)
    assert notice.code == "weights_broken"
    assert notice.values["reason"].code == DAMAGES[damage]
    assert not (tmp_path / "models" / SPEC.name).exists()
    shutil.copytree(kept, tmp_path / "models" / SPEC.name, dirs_exist_ok=True)
    assert room.shelf(WEIGHTS, tmp_path).state == "broken"


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_linked_folder_is_looked_through_when_it_is_used(kept: Path, tmp_path: Path, damage) -> None:
    room.link(WEIGHTS, tmp_path, kept)
    room.sound(SPEC, tmp_path)
    damage(kept)
    notice = refusal(room.sound, SPEC, tmp_path)
    assert (notice.code, notice.values["reason"].code) == ("weights_broken", DAMAGES[damage])
    # The same at the load: nothing of it is read.
    assert refusal(loader.load, SPEC, home=tmp_path, device="cpu") == notice


def test_another_models_files_in_a_linked_folder_are_noticed(kept: Path, tmp_path: Path) -> None:
    room.link(WEIGHTS, tmp_path, kept)
    change(kept / "transformer" / "config.json", num_layers=40)
    notice = refusal(room.sound, SPEC, tmp_path)
    assert notice.code in ("weights_misfit", "weights_other")
    assert room.shelf(WEIGHTS, tmp_path).faults == (notice,)


def test_one_expert_is_not_two(kept: Path, tmp_path: Path) -> None:
    assert refusal(room.link, A14B, tmp_path, kept).values["reason"].code == "weights_no_expert"


def test_another_models_folder_is_refused_by_name(kept: Path, tmp_path: Path) -> None:
    sketch = SKETCH.shipped
    assert sketch is not None
    notice = refusal(room.link, A14B, tmp_path, sketch)
    assert notice == Notice("weights_other", {"model": A14B.title, "other": SKETCH.title})
    assert refusal(room.link, WEIGHTS, tmp_path, sketch).code == "weights_other"
    change(kept / "transformer" / "config.json", in_channels=48)
    notice = refusal(room.link, WEIGHTS, tmp_path, kept)
    assert (notice.code, notice.values["name"], notice.values["value"]) == (
        "weights_misfit",
        "in_channels",
        48,
    )
    assert room.shelf(WEIGHTS, tmp_path).state == "missing"


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert refusal(room.link, WEIGHTS, tmp_path, tmp_path / "nowhere").code == "link_no_folder"
    file = tmp_path / "file"
    file.write_text("")
    assert refusal(room.link, WEIGHTS, tmp_path, file).code == "link_no_folder"


def test_what_is_there_is_not_replaced_by_a_link(hub: Hub, kept: Path, tmp_path: Path) -> None:
    room.download(WEIGHTS, tmp_path, hub)
    assert refusal(room.link, WEIGHTS, tmp_path, kept).code == "weights_there"


def test_a_flipped_byte_is_found_named_and_mended(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    folder = room.download(WEIGHTS, tmp_path, hub)
    content = bytearray((folder / LARGE).read_bytes())
    content[-1] ^= 1
    (folder / LARGE).write_bytes(bytes(content))
    assert room.shelf(WEIGHTS, tmp_path).state == "installed", "at a glance it is whole"
    bad = [one for one in room.verify(WEIGHTS, tmp_path) if one.notice is not None]
    assert [(one.name, one.notice.code) for one in bad if one.notice] == [(LARGE, "weights_file_other")]
    shelf = room.shelf(WEIGHTS, tmp_path)
    assert shelf.activity is not None
    assert (shelf.activity.bad, shelf.activity.wanted) == ((LARGE,), False)
    repo.asked.clear()
    room.download(WEIGHTS, tmp_path, hub)
    assert len(repo.gets(LARGE)) == 1
    assert not any(one.notice for one in room.verify(WEIGHTS, tmp_path))


def test_small_files_are_compared_too(hub: Hub, tmp_path: Path) -> None:
    folder = room.download(WEIGHTS, tmp_path, hub)
    path = folder / "vae" / "config.json"
    path.write_text(path.read_text().replace("0", "1"))
    assert [one.name for one in room.verify(WEIGHTS, tmp_path) if one.notice] == ["vae/config.json"]


def test_deleting_frees_the_room_and_only_that(hub: Hub, tmp_path: Path) -> None:
    folder = room.download(WEIGHTS, tmp_path, hub)
    beside = tmp_path / "models" / "another"
    beside.mkdir()
    size = room.size_of(folder)
    assert room.delete(WEIGHTS, tmp_path) == size > 100_000
    assert not folder.exists()
    assert beside.is_dir()
    assert not list(tmp_path.rglob("*.gone"))
    assert refusal(room.delete, WEIGHTS, tmp_path).code == "weights_absent"


def test_what_a_stopped_download_left_is_deleted(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    repo.faults[LARGE] = ["other"] * 9
    refusal(room.download, WEIGHTS, tmp_path, hub)
    assert room.shelf(WEIGHTS, tmp_path).state == "partial"
    assert room.delete(WEIGHTS, tmp_path) > 0
    shelf = room.shelf(WEIGHTS, tmp_path)
    assert (shelf.state, shelf.activity) == ("missing", None)


def test_a_model_in_use_is_not_deleted(hub: Hub, tmp_path: Path) -> None:
    folder = room.download(WEIGHTS, tmp_path, hub)
    notice = refusal(room.delete, WEIGHTS, tmp_path, resident_in="gpu-1")
    assert (notice.code, notice.values["worker"]) == ("weights_resident", "gpu-1")
    assert folder.is_dir()


def test_nothing_outside_the_home_is_deleted(hub: Hub, tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    outside.mkdir()
    home.mkdir()
    (home / "models").symlink_to(outside)
    (outside / SPEC.name).mkdir()
    assert refusal(room.delete, WEIGHTS, home).code == "weights_elsewhere"
    assert (outside / SPEC.name).is_dir()


def cache(tiny: Path, tmp_path: Path) -> Path:
    """The same model in a cache of huggingface_hub, as that lays it out."""
    root = tmp_path / "hf-cache" / ("models--" + SPEC.repo.replace("/", "--"))
    for path in tiny.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            blob = root / "blobs" / hashlib.sha256(content).hexdigest()
            blob.parent.mkdir(parents=True, exist_ok=True)
            blob.write_bytes(content)
            named = root / "snapshots" / COMMIT / path.relative_to(tiny)
            named.parent.mkdir(parents=True, exist_ok=True)
            named.symlink_to(os.path.relpath(blob, named.parent))
    return root


def test_the_cache_of_huggingface_hub_counts_and_is_left_alone(tiny: Path, tmp_path: Path) -> None:
    root = cache(tiny, tmp_path)
    shelf = room.shelf(WEIGHTS, tmp_path)
    assert (shelf.state, shelf.revision) == ("cached", COMMIT)
    assert loader.find(SPEC, tmp_path) == root / "snapshots" / COMMIT
    assert not any(one.notice for one in room.verify(WEIGHTS, tmp_path))
    assert all(one.compared for one in room.verify(WEIGHTS, tmp_path))
    assert refusal(room.delete, WEIGHTS, tmp_path).code == "weights_elsewhere"
    blob = (root / "snapshots" / COMMIT / LARGE).resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    assert [one.name for one in room.verify(WEIGHTS, tmp_path) if one.notice] == [LARGE]


def test_notes_that_somebody_damaged_are_no_obstacle(hub: Hub, tmp_path: Path) -> None:
    folder = room.download(WEIGHTS, tmp_path, hub)
    for rubbish in (
        "",
        "[]",
        '{"files": 3}',
        '{"repo": "x", "revision": "main", "files": [{"name": "../x"}]}',
    ):
        (folder / "hub.json").write_text(rubbish)
        (tmp_path / "models" / f".{SPEC.name}.state").write_text(rubbish)
        shelf = room.shelf(WEIGHTS, tmp_path)
        assert (shelf.state, shelf.revision) == ("installed", "")


def test_names_that_stay_inside() -> None:
    good = ["model_index.json", "vae/config.json", "a b/说明.txt"]
    bad = [
        "",
        "/x",
        "../x",
        "a/../x",
        "a//b",
        "./x",
        "a\\b",
        "C:x",
        "a/C:/x",
        "x\0",
        "x\n",
        "x" * 300,
        3,
        None,
    ]
    assert [name for name in good if not is_safe(name)] == []
    assert [name for name in bad if is_safe(name)] == []


def test_a_download_that_brought_nothing_has_not_begun(hub: Hub, repo: Repo, tmp_path: Path) -> None:
    repo.repo = "somebody/else"
    assert refusal(room.download, WEIGHTS, tmp_path, hub).code == "download_unknown"
    found = room.shelf(WEIGHTS, tmp_path)
    assert (found.state, found.size) == ("missing", 0)
    assert not list((tmp_path / "models").glob(".*.partial"))
