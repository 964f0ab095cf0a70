"""LoRAs of the hub: fetched as models are, lying as every LoRA does, known by name from then on."""

from pathlib import Path

import pytest

from pipelines import hub as room
from pipelines import loras
from pipelines.models import MODELS
from pipelines.repos import everything, forget_added, lora, named, of_pair, remember
from pipelines.tiers import pair_files
from tests.hub.kit import Repo, serving
from tests.tiny_lora import write_lora

A14B = MODELS["wan2.2-t2v-a14b"]


@pytest.fixture
def pair_repo(tmp_path: Path) -> Repo:
    folder = tmp_path / "pair"
    assert A14B.distilled is not None
    pair = of_pair(A14B.distilled)
    for name in pair.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_lora(folder / name)
    return Repo(folder, repo=pair.repo, commit=pair.revision or "")


def test_the_distilled_pair_lies_where_the_fast_tier_looks(pair_repo: Repo, tmp_path: Path) -> None:
    assert A14B.distilled is not None
    pair = of_pair(A14B.distilled)
    with serving(pair_repo) as hub:
        folder = room.download(pair, tmp_path, hub)
    assert pair_files(A14B, tmp_path) == (folder / "high.safetensors", folder / "low.safetensors")
    assert room.shelf(pair, tmp_path).state == "installed"
    assert all(one.notice is None and one.compared for one in room.verify(pair, tmp_path))
    found = loras.find(tmp_path, pair.name)
    assert found is not None
    assert found.low is not None
    room.delete(pair, tmp_path)
    assert pair_files(A14B, tmp_path) is None


def test_a_lora_that_was_added_is_known_until_it_is_forgotten(tmp_path: Path) -> None:
    before = everything(tmp_path)
    mine = lora("film-grain", "somebody/grain", "grain_high.safetensors", "grain_low.safetensors")
    remember(tmp_path, mine)
    assert [one.name for one in everything(tmp_path)] == [*(one.name for one in before), "film-grain"]
    assert named("film-grain", tmp_path) == mine
    forget_added(tmp_path, "film-grain")
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    "text", ["", "{}", "[3]", '[{"name": "../x", "repo": "a/b", "files": ["x"]}]', '[{"name": "x"}]']
)
def test_a_list_that_somebody_damaged_adds_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "loras").mkdir()
    (tmp_path / "loras" / "added.json").write_text(text)
    assert named("x", tmp_path) is None
