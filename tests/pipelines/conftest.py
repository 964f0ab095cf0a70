"""The tiny Wan that the pipeline's tests share; one thread, so that they are quick on a busy machine."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pipelines import loader, preview
from pipelines.models import MODELS
from pipelines.preview import Previews
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


@pytest.fixture
def every_preview(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """No preview is dropped, however busy the machine: each accepted offer waits until its picture is there.

    Returns the estimates that were offered so far.
    """
    offered: list[torch.Tensor] = []
    offer = Previews.offer

    def patient(self: Previews, x0: torch.Tensor, *, last: bool = False) -> None:
        offered.append(x0.clone())
        before = self._last
        self._finished = None
        offer(self, x0, last=last)
        deadline = time.monotonic() + 60
        while self._last != before and self._finished is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    monkeypatch.setattr(Previews, "offer", patient)
    monkeypatch.setattr(preview, "INTERVAL", 0)
    return offered
