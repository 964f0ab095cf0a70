"""A repository with a tiny real Wan of one expert, and things beside it that nobody needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.fetch import Hub
from tests.hub.kit import Repo, serving
from tests.tiny_wan import write_tiny_wan


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_tiny_wan(tmp_path_factory.mktemp("repo"), two_experts=False)
    (folder / "README.md").write_text("about")
    (folder / "transformer" / "diffusion_pytorch_model.bin").write_bytes(b"the same again")
    (folder / "transformer" / "diffusion_pytorch_model.fp16.safetensors").write_bytes(b"and again")
    (folder / "assets").mkdir()
    (folder / "assets" / "teaser.png").write_bytes(b"a picture")
    return folder


@pytest.fixture(autouse=True)
def _no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf-cache"))


@pytest.fixture
def repo(tiny: Path) -> Repo:
    return Repo(tiny)


@pytest.fixture
def hub(repo: Repo) -> Iterator[Hub]:
    with serving(repo) as found:
        yield found
