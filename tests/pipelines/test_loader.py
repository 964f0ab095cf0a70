"""The loader: one resident model, found where it should be; every failure in words a person understands."""

import gc
import json
import shutil
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pipelines import loader, placing
from pipelines.models import MODELS, ModelSpec
from pipelines.placement import plan
from pipelines.repos import of_model
from pipelines.request import Cancelled, ModelError, Notice, Progress
from tests.tiny_wan import tiny_request, write_tiny_wan

SKETCH = MODELS["sketch"]
HUB = MODELS["wan2.1-t2v-1.3b"]


@pytest.fixture(autouse=True)
def _nothing_resident() -> Iterator[None]:
    loader.unload()
    yield
    loader.unload()


@pytest.fixture
def copy(tiny_home: Path, tmp_path: Path) -> Path:
    """A home of its own with a tiny `sketch`, to be damaged."""
    shutil.copytree(tiny_home, tmp_path / "home")
    return tmp_path / "home"


def refused(spec: ModelSpec, home: Path, device: str = "cpu") -> Notice:
    with pytest.raises(ModelError) as caught:
        loader.load(spec, home=home, device=device)
    assert loader._resident is None
    return caught.value.notice


def test_the_same_model_is_the_same_object(tiny_home: Path) -> None:
    told: list[Progress] = []
    first = loader.load(SKETCH, home=tiny_home, device="cpu", on_progress=told.append)
    assert loader.load(SKETCH, home=tiny_home, device="cpu", on_progress=told.append) is first
    assert loader.load(SKETCH.model_copy(), home=tiny_home, device="cpu") is first
    assert [progress.stage for progress in told] == ["loading"], "only the real loading is told"
    assert (first.spec, first.pipe.dtype, first.pipe.vae.dtype) == (SKETCH, torch.float32, torch.float32)
    assert "forward" in vars(first.pipe.vae.post_quant_conv), "with the fast convolutions"


def test_threads_that_ask_at_once_get_one_object(tiny_home: Path) -> None:
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(loader.load(SKETCH, home=tiny_home, device="cpu")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_another_model_frees_the_old_one_first(tiny_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = loader.load(SKETCH, home=tiny_home, device="cpu")
    weights = weakref.ref(old.pipe.transformer)
    read = loader._read
    alive = []

    def watched(*args: object) -> object:
        alive.append(weights() is not None)
        return read(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loader, "_read", watched)
    other = SKETCH.model_copy(update={"title": "Another"})
    new = loader.load(other, home=tiny_home, device="cpu")
    assert new is not old
    assert alive == [False], (
        "the old weights were gone before the new ones were read, though `old` is still held"
    )
    with pytest.raises(RuntimeError, match="unloaded"):
        next(old.generate(tiny_request(), lambda _: None, lambda: False))


def test_unloading_frees_the_weights(tiny_home: Path) -> None:
    weights = weakref.ref(loader.load(SKETCH, home=tiny_home, device="cpu").pipe.vae)
    loader.unload()
    loader.unload()
    gc.collect()
    assert weights() is None


def test_the_embedded_model_is_found_in_the_repository(tmp_path: Path) -> None:
    folder = loader.find(SKETCH, tmp_path)
    assert folder == loader.REPOSITORY / "assets/models/sketch"
    video = loader.load(SKETCH, home=tmp_path, device="cpu")
    assert len(video.revision) == 12
    # The table names the shipped weights, so that takes of older ones are not taken for theirs.
    assert loader.revision(SKETCH) == video.revision == SKETCH.revision
    frames = video.generate(tiny_request(num_inference_steps=2), lambda _: None, lambda: False)
    assert next(frames).shape == (64, 64, 3)
    frames.close()


def test_a_folder_in_the_home_wins(tiny_home: Path) -> None:
    assert loader.find(SKETCH, tiny_home) == tiny_home / "models" / "sketch"


def test_weights_that_are_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    assert refused(HUB, tmp_path) == Notice(
        "model_missing", {"model": HUB.title, "size_gb": of_model(HUB).size_gb, "repo": HUB.repo}
    )
    (tmp_path / "models" / HUB.name).mkdir(parents=True)
    assert refused(HUB, tmp_path).code == "model_missing", "an empty folder holds no model"
    nowhere = SKETCH.model_copy(update={"repo": "assets/models/none"})
    assert refused(nowhere, tmp_path).code == "model_missing"


def snapshot(cache: Path, repo: str, commit: str) -> Path:
    """The folder of a commit in a hub cache, laid out as huggingface_hub does."""
    root = cache / ("models--" + repo.replace("/", "--"))
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(commit)
    return root / "snapshots" / commit


def test_weights_in_the_hubs_cache_are_found_and_named_by_their_commit(
    tiny_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    folder = snapshot(tmp_path / "cache", "somebody/tiny", "ab" * 20)
    shutil.copytree(tiny_home / "models" / "sketch", folder)
    elsewhere = {"name": "tiny", "repo": "somebody/tiny", "embedded": False, "revision": None}
    spec = SKETCH.model_copy(update=elsewhere)
    video = loader.load(spec, home=tmp_path, device="cpu")
    assert video.revision == "ab" * 20
    assert loader.revision(spec, home=tmp_path) == "ab" * 20


def truncate(folder: Path) -> None:
    path = next((folder / "transformer").glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-100])


def pointer(folder: Path) -> None:
    path = next((folder / "vae").glob("*.safetensors"))
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")


def lose_a_file(folder: Path) -> None:
    next((folder / "transformer_2").glob("*.safetensors")).unlink()


def lose_a_weight(folder: Path) -> None:
    path = next((folder / "transformer_2").glob("*.safetensors"))
    weights = load_file(path)
    del weights["blocks.1.ffn.net.2.weight"]
    save_file(weights, path, metadata={"format": "pt"})


def lose_an_expert(folder: Path) -> None:
    path = folder / "model_index.json"
    index = json.loads(path.read_text())
    index["transformer_2"] = [None, None]
    path.write_text(json.dumps(index))
    shutil.rmtree(folder / "transformer_2")


def wrong_shape(folder: Path) -> None:
    path = folder / "transformer" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"ffn_dim": 64}))


def no_json(folder: Path) -> None:
    (folder / "model_index.json").write_text("<html>not found</html>")


def other_class(folder: Path) -> None:
    path = folder / "model_index.json"
    path.write_text(path.read_text().replace("AutoencoderKLWan", "NoSuchThing"))


def wrong_colours(folder: Path) -> None:
    (folder / "preview.json").write_text('{"factors": [[1, 2, 3]], "bias": [0, 0, 0]}')


DAMAGES = [
    truncate,
    pointer,
    lose_a_file,
    lose_a_weight,
    lose_an_expert,
    wrong_shape,
    no_json,
    other_class,
    wrong_colours,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_weights_are_named_as_such(copy: Path, damage: Callable[[Path], None]) -> None:
    damage(copy / "models" / "sketch")
    notice = refused(SKETCH, copy)
    assert notice.code == "model_broken"
    assert notice.values["model"] == "Sketch"
    reason = notice.values["reason"]
    assert 0 < len(reason) <= 200
    assert "\n" not in reason


def test_a_mended_model_loads_after_all(copy: Path) -> None:
    index = copy / "models" / "sketch" / "model_index.json"
    good = index.read_text()
    no_json(index.parent)
    assert refused(SKETCH, copy).code == "model_broken"
    index.write_text(good)
    assert loader.load(SKETCH, home=copy, device="cpu")


def test_too_little_memory_is_said_before_anything_is_read(
    tiny_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "_ram_gb", lambda: 0.01)
    notice = refused(SKETCH, tiny_home)
    assert notice == plan(SKETCH, vram_gb=None, ram_gb=0.01).why
    assert notice.code == "plan_does_not_fit_ram_cloud"


def test_running_out_of_memory_while_loading(tiny_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(placing, "assemble", full)
    assert refused(SKETCH, tiny_home).code == "plan_does_not_fit_ram_cloud"


@pytest.mark.parametrize("device", ["cuda:99", "tpu", "nonsense", "xpu"])
def test_a_device_that_is_not_there(tiny_home: Path, device: str) -> None:
    assert refused(SKETCH, tiny_home, device) == Notice("device_missing", {"device": device})


def test_no_wish_takes_the_best_device() -> None:
    best = "cuda" if torch.cuda.is_available() else "cpu"
    assert [loader.resolve_device(wish) for wish in (None, "", "auto")] == [best] * 3
    assert [loader.resolve_device(wish) for wish in ("cpu", "cpu:0")] == ["cpu"] * 2


def test_the_revision_follows_the_weights_and_only_them(copy: Path) -> None:
    folder = copy / "models" / "sketch"
    first = loader.revision(SKETCH, home=copy)
    assert loader.revision(SKETCH, home=copy) == first
    assert len(first) == 12
    (folder / "preview.json").write_text("{}")
    (folder / "README.md").write_text("about")
    assert loader.revision(SKETCH, home=copy) == first
    write_tiny_wan(folder, seed=1)
    assert loader.revision(SKETCH, home=copy) != first


def test_a_download_knows_its_commit(copy: Path) -> None:
    meta = copy / "models" / "sketch" / ".cache" / "huggingface" / "download"
    meta.mkdir(parents=True)
    (meta / "model_index.json.metadata").write_text("cd" * 20 + "\netag\n0.0\n")
    assert loader.revision(SKETCH, home=copy) == "cd" * 20


LARGE = SKETCH.model_copy(update={"embedded": False})


def test_an_idle_model_is_freed_and_a_busy_one_is_not(tiny_home: Path) -> None:
    assert not loader.unload_idle(0), "there is none"
    video = loader.load(LARGE, home=tiny_home, device="cpu")
    assert not loader.unload_idle(60)
    frames = video.generate(tiny_request(), lambda _: None, lambda: False)
    next(frames)
    video.used = float("-inf")
    assert not loader.unload_idle(60), "it makes a clip"
    frames.close()
    assert not loader.unload_idle(60), "it made one just now"
    video.used = float("-inf")
    assert loader.load(LARGE, home=tiny_home, device="cpu") is video
    assert not loader.unload_idle(60), "somebody asked for it just now"
    video.used = float("-inf")
    assert loader.unload_idle(60)
    assert loader.resident() == ""


def test_a_small_model_stays(tiny_home: Path) -> None:
    loader.load(SKETCH, home=tiny_home, device="cpu").used = float("-inf")
    assert not loader.unload_idle(60)


def test_what_is_loaded_ahead_frees_no_other_model(tiny_home: Path) -> None:
    video = loader.load(SKETCH, home=tiny_home, device="cpu")
    with pytest.raises(Cancelled):
        loader.load(LARGE, home=tiny_home, device="cpu", ahead=True)
    assert loader.load(SKETCH, home=tiny_home, device="cpu", ahead=True) is video


def test_what_is_loaded_ahead_gives_way_to_who_waits_for_another(
    tiny_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assemble, reading, others = placing.assemble, threading.Event(), threading.Event()

    def slow(spec: ModelSpec, *arguments: object) -> object:
        if spec == LARGE:
            reading.set()
            assert others.wait(30)
        return assemble(spec, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(placing, "assemble", slow)
    ended: list[object] = []

    def ahead() -> None:
        try:
            ended.append(loader.load(LARGE, home=tiny_home, device="cpu", ahead=True))
        except Cancelled:
            ended.append("gave way")

    first = threading.Thread(target=ahead)
    first.start()
    assert reading.wait(30)
    second = threading.Thread(target=lambda: ended.append(loader.load(SKETCH, home=tiny_home, device="cpu")))
    second.start()
    while not loader._awaited:
        pass
    others.set()
    first.join()
    second.join()
    assert ended[0] == "gave way"
    assert loader.resident() == "sketch"
    assert ended[1] is loader.load(SKETCH, home=tiny_home, device="cpu")
