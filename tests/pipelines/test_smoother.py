"""Interpolation networks: the published files, pictures between two of any size, at any moment."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.request import ModelError
from pipelines.smoother import ARCHITECTURES, IFNet, Smoother, load_smoother
from tests.pipelines.networks_kit import ifnet

FIRST, SECOND = (np.random.default_rng(seed).integers(0, 255, (50, 90, 3), np.uint8) for seed in (1, 2))


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda one: one.version)
def test_the_published_versions_are_known_by_their_shapes(tmp_path: Path, architecture: object) -> None:
    widths, head, handed = (getattr(architecture, name) for name in ("widths", "head", "handed"))
    torch.save(ifnet(widths, head, handed), tmp_path / "flownet.pkl")
    smoother = load_smoother(tmp_path / "flownet.pkl", "cpu")
    assert smoother.version == getattr(architecture, "version")  # noqa: B009
    found = smoother.between(FIRST, SECOND, [1 / 3, 0.5])
    assert [one.shape for one in found] == [(50, 90, 3)] * 2
    assert found[0].dtype == np.uint8
    assert not np.array_equal(*found), "another moment is another picture"


def still(**changes: float) -> Smoother:
    """A network whose blocks find no motion; `bias` of the mask says which picture is seen."""
    network = IFNet(ARCHITECTURES[2])
    for weight in network.parameters():
        torch.nn.init.zeros_(weight)
    for index in range(5):
        # Of each channel before the pixels are shuffled there are four.
        bias = network.get_submodule(f"block{index}.lastconv.0").bias
        bias.data[16:20] = changes.get("mask", 0.0)
        bias.data[0:4] = changes.get("motion", 0.0)
    return Smoother(network, torch.device("cpu"))


def test_without_motion_both_pictures_are_mixed_by_the_mask() -> None:
    mixed = still().between(FIRST, SECOND, [0.5])[0].astype(float)
    assert np.abs(mixed - (FIRST.astype(float) + SECOND) / 2).max() <= 1
    assert np.abs(still(mask=30).between(FIRST, SECOND, [0.5])[0].astype(int) - FIRST).max() <= 1
    assert np.abs(still(mask=-30).between(FIRST, SECOND, [0.5])[0].astype(int) - SECOND).max() <= 1


def test_motion_moves_the_pictures_by_pixels() -> None:
    """Every block adds a motion of its scale: 16 + 8 + 4 + 2 + 1 pixels to the left, a tenth of that here."""
    across = np.tile(np.arange(90, dtype=np.uint8)[None, :, None] * 2, (50, 1, 3))
    moved = still(mask=30, motion=0.1).between(across, across, [0.5])[0].astype(float)
    assert np.abs(moved[20, 20:60, 0] - (across[20, 20:60, 0] + 2 * 3.1)).max() < 1


def test_large_pictures_are_measured_at_half_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    scales: list[int] = []
    smoother = still()
    for index in range(5):
        block = smoother._network.get_submodule(f"block{index}")
        block.register_forward_pre_hook(lambda _block, given: scales.append(given[2]))
    smoother.between(FIRST, SECOND, [0.5])
    assert scales == [16, 8, 4, 2, 1]
    scales.clear()
    monkeypatch.setattr("pipelines.smoother.LARGE", 40)
    assert smoother.between(FIRST, SECOND, [0.5])[0].shape == (50, 90, 3)
    assert scales == [32, 16, 8, 4, 2]


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    lacking = ifnet()
    del lacking["module.block4.lastconv.0.weight"]
    for name, weights in (("a.pkl", {}), ("b.pkl", ifnet((64, 32), None, 0)), ("c.pkl", lacking)):
        torch.save(weights, tmp_path / name)
        with pytest.raises(ModelError) as error:
            load_smoother(tmp_path / name, "cpu")
        assert (error.value.notice.code, error.value.notice.values["name"]) == ("network_unknown", name)
