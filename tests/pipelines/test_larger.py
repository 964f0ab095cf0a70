"""Super-resolution networks: the published files, tiles without seams, exact sizes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipelines.larger import load_larger, tiled
from pipelines.networks import find
from pipelines.request import ModelError
from tests.pipelines.networks_kit import compact, put, rrdb


def picture(height: int = 48, width: int = 80) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("weights", "scale"),
    [
        (compact(scale=4), 4),
        (compact(scale=2), 2),
        (rrdb(), 4),
        (rrdb(fold=2), 2),
        (rrdb(fold=4), 1),
    ],
)
@pytest.mark.parametrize("wrapped", ["", "params", "params_ema"])
def test_the_published_files_are_known_by_their_names(
    tmp_path: Path, weights: dict[str, torch.Tensor], scale: int, wrapped: str
) -> None:
    path = tmp_path / "net.pth"
    torch.save({wrapped: weights} if wrapped else weights, path)
    network = load_larger(path, "cpu")
    assert network.scale == scale
    frame = network.frame(picture(), 80 * scale, 48 * scale)
    assert (frame.shape, frame.dtype) == ((48 * scale, 80 * scale, 3), np.uint8)
    assert frame.std() > 5


def test_a_size_that_the_network_does_not_make_is_fitted(tmp_path: Path) -> None:
    save_file(compact(scale=4), tmp_path / "net.safetensors")
    network = load_larger(tmp_path / "net.safetensors", "cpu")
    assert network.frame(picture(), 180, 108).shape == (108, 180, 3)
    assert network.frame(picture(), 900, 540).shape == (540, 900, 3), "and what it lacks is added"


@pytest.mark.parametrize(("weights", "reach"), [(compact(convolutions=3), 8), (rrdb(fold=2), 32)])
def test_tiles_show_no_seam(tmp_path: Path, weights: dict[str, torch.Tensor], reach: int) -> None:
    torch.save(weights, tmp_path / "net.pth")
    network = load_larger(tmp_path / "net.pth", "cpu")._network
    x = torch.rand(1, 3, 112, 150, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        whole = network(x)
        parts = tiled(network, x, 2, tile=48, overlap=reach)
        apart = tiled(network, x, 2, tile=48, overlap=0)
    assert parts.shape == whole.shape
    assert torch.allclose(parts, whole, atol=2e-3)
    assert not torch.allclose(apart, whole, atol=2e-3), "what the overlap is for"


def test_a_picture_that_fits_is_not_tiled(tmp_path: Path) -> None:
    seen: list[tuple[int, ...]] = []

    def network(x: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(x.shape[2:]))
        return x

    tiled(network, torch.zeros(1, 3, 64, 60), 1, tile=64)
    assert seen == [(64, 60)]
    tiled(network, torch.zeros(1, 3, 64, 100), 1, tile=64, overlap=8)
    assert seen[1:] == [(64, 72), (64, 44)]


def test_where_memory_ends_tiles_get_smaller_and_then_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(compact(scale=2), tmp_path / "net.pth")
    network = load_larger(tmp_path / "net.pth", "cpu", tile=256)
    expected = network.frame(picture(200, 300), 600, 400)
    real, most = network._network, 150

    def short(x: torch.Tensor) -> torch.Tensor:
        if max(x.shape[2:]) > most:
            raise torch.OutOfMemoryError("no room")
        return real(x)

    monkeypatch.setattr(network, "_network", short)
    frame = network.frame(picture(200, 300), 600, 400)
    assert network.tile == 64
    assert np.abs(frame.astype(int) - expected).max() <= 1
    most = 20
    with pytest.raises(ModelError) as error:
        network.frame(picture(200, 300), 600, 400)
    assert error.value.notice.code == "out_of_memory_finish"


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    odd = rrdb()
    odd["conv_first.weight"] = torch.zeros(8, 5, 3, 3)
    shapes = compact()
    shapes["body.2.weight"] = torch.zeros(9, 8, 3, 3)
    for name, weights in (("a.pth", {"w": torch.ones(2)}), ("b.pth", odd), ("c.pth", shapes), ("d.pth", [1])):
        torch.save(weights, tmp_path / name)
        with pytest.raises(ModelError) as error:
            load_larger(tmp_path / name, "cpu")
        assert (error.value.notice.code, error.value.notice.values["name"]) == ("network_unknown", name)


def test_a_network_is_found_by_its_folder(tmp_path: Path) -> None:
    assert find(tmp_path, "larger") is None
    put(tmp_path, "larger", "z.pth", compact())
    path = put(tmp_path, "larger", "realesr-general-x4v3.pth", compact())
    put(tmp_path, "larger", "readme.txt", {})
    found = find(tmp_path, "larger")
    assert found is not None
    assert (found.name, found.path) == ("realesr-general-x4v3", path)
    assert find(tmp_path, "smoother") is None
