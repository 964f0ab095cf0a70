"""The tiny Wan that the pipeline's tests share; one thread, so that they are quick on a busy machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pipelines import loader
from pipelines.models import MODELS
from pipelines.wan import WanVideo
from tests.tiny_wan import write_tiny_wan


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A studio's home in which `sketch` is the tiny Wan, with a Wan2.2-style VAE."""
    home = tmp_path_factory.mktemp("home")
    write_tiny_wan(home / "models" / "sketch")
    return home


@pytest.fixture(scope="session")
def tiny_plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which `sketch` is the tiny Wan with a Wan2.1-style VAE."""
    home = tmp_path_factory.mktemp("plain")
    write_tiny_wan(home / "models" / "sketch", residual=False)
    return home


@pytest.fixture
def video(tiny_home: Path) -> WanVideo:
    """The tiny Wan, resident."""
    return loader.load(MODELS["sketch"], home=tiny_home, device="cpu")
