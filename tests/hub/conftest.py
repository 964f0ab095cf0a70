"""A repository with a tiny real Wan of one expert, and things beside it that nobody needs."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.fetch import Hub
from tests.hub.kit import Repo, serving
from tests.tiny_wan import write_tiny_wan

# The numbers of the repository that it stands for.
PUBLISHED = {
    "transformer": {
        "num_layers": 30,
        "num_attention_heads": 12,
        "attention_head_dim": 128,
        "ffn_dim": 8960,
        "in_channels": 16,
        "out_channels": 16,
    },
    "vae": {"z_dim": 16},
    "text_encoder": {"d_model": 4096},
}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_tiny_wan(tmp_path_factory.mktemp("repo"), two_experts=False)
    (folder / "README.md").write_text("about")
    (folder / "transformer" / "diffusion_pytorch_model.bin").write_bytes(b"the same again")
    (folder / "transformer" / "diffusion_pytorch_model.fp16.safetensors").write_bytes(b"and again")
    (folder / "assets").mkdir()
    (folder / "assets" / "teaser.png").write_bytes(b"a picture")
    return folder


@pytest.fixture
def published(tiny: Path, tmp_path: Path) -> Path:
    """A copy that says of itself what the published one does; it can't be loaded."""
    folder = tmp_path / "elsewhere"
    shutil.copytree(tiny, folder)
    for part, numbers in PUBLISHED.items():
        config = folder / part / "config.json"
        config.write_text(json.dumps(json.loads(config.read_text()) | numbers))
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
