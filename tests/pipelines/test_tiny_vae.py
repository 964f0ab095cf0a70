"""Tiny decoders: the published files' names and shapes, one frame after the other, previews of them."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from pipelines.preview import Colours, Previews
from pipelines.tiny_vae import TinyVae, find, for_previews
from pipelines.weights import WeightsError, read_weights

CPU = torch.device("cpu")


def taew(channels: int, patch: int, *, encoder: bool = True) -> dict[str, torch.Tensor]:
    """A state dict as taew2_1 (16, 1) and taew2_2 (48, 2) hold it, with random numbers."""
    torch.manual_seed(5)
    found: dict[str, torch.Tensor] = {}

    def conv(name: str, out: int, into: int, size: int = 3, *, bias: bool = True) -> None:
        found[f"{name}.weight"] = torch.randn(out, into, size, size) / (into * size * size) ** 0.5
        if bias:
            found[f"{name}.bias"] = torch.randn(out) * 0.1

    widths = (256, 128, 64, 64)
    conv("decoder.1", widths[0], channels)
    for stage, first in enumerate((3, 9, 15)):
        for block in range(first, first + 3):
            conv(f"decoder.{block}.conv.0", widths[stage], 2 * widths[stage])
            conv(f"decoder.{block}.conv.2", widths[stage], widths[stage])
            conv(f"decoder.{block}.conv.4", widths[stage], widths[stage])
        grow = 1 if stage == 0 else 2
        conv(f"decoder.{first + 4}.conv", grow * widths[stage], widths[stage], 1, bias=False)
        conv(f"decoder.{first + 5}", widths[stage + 1], widths[stage], bias=False)
    conv("decoder.22", 3 * patch**2, widths[3])
    if encoder:
        conv("encoder.0", 64, 3)
    return found


def latents(channels: int, frames: int) -> torch.Tensor:
    return torch.randn(channels, frames, 4, 6, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("channels", "patch", "scale"), [(16, 1, 8), (48, 2, 16)])
def test_frames_and_sizes_are_those_of_wans_own_vae(channels: int, patch: int, scale: int) -> None:
    tiny = TinyVae(taew(channels, patch))
    assert (tiny.channels, tiny.frames_factor, tiny.scale) == (channels, 4, scale)
    frames = list(tiny.stream(latents(channels, 3)))
    assert [len(one) for one in frames] == [1, 4, 4]
    assert frames[1].shape[1:] == (3, 4 * scale, 6 * scale)
    assert all(0 <= float(one.min()) <= float(one.max()) <= 1 for one in frames)


@pytest.mark.parametrize("times", [(False, True, True), (False, False, False)])
def test_a_frame_depends_on_no_later_one(times: tuple[bool, bool, bool]) -> None:
    tiny = TinyVae(taew(16, 1), times=times, sizes=(True, False, False))
    z = latents(16, 5)
    whole = torch.cat(list(tiny.stream(z)))
    start = torch.cat(list(tiny.stream(z[:, :3])))
    assert torch.equal(whole[: len(start)], start)
    later = torch.cat(list(tiny.stream(z[:, 1:])))
    assert not torch.allclose(whole[-len(later) :][0], later[0]), "but on the earlier ones"


def test_one_frame_at_a_time_is_all_at_once() -> None:
    """The network with every moment at once, each beside the one before it: what its makers publish."""
    # In double precision: in single, the order in which a processor adds counts for more than 1e-6.
    weights = {name: part.double() for name, part in taew(16, 1).items()}
    z = latents(16, 4).double()
    conv = torch.nn.functional.conv2d

    def plain(x: torch.Tensor, index: int) -> torch.Tensor:
        return conv(x, weights[f"decoder.{index}.weight"], weights.get(f"decoder.{index}.bias"), padding=1)

    def block(x: torch.Tensor, index: int) -> torch.Tensor:
        y = torch.cat([x, torch.cat([torch.zeros_like(x[:1]), x[:-1]])], 1)
        for layer in (0, 2, 4):
            name = f"decoder.{index}.conv.{layer}"
            y = conv(y, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)
            y = y.relu() if layer < 4 else y
        return (y + x).relu()

    x = plain((z.transpose(0, 1) / 3).tanh() * 3, 1).relu()
    for first in (3, 9, 15):
        for index in range(first, first + 3):
            x = block(x, index)
        x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        width = x.shape[1]
        x = conv(x, weights[f"decoder.{first + 4}.conv.weight"]).reshape(-1, width, *x.shape[2:])
        x = plain(x, first + 5)
    expected = plain(x.relu(), 22).clamp(0, 1)[3:]
    found = torch.cat(list(TinyVae(weights).double().stream(z)))
    assert found.shape == expected.shape
    assert torch.allclose(found.double(), expected, atol=1e-6)
    assert expected.std() > 0.01


def test_both_kinds_of_files_are_read_and_nothing_else_is(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "tiny-vae-wan2.1"
    folder.mkdir(parents=True)
    assert find(tmp_path, 16) is None
    assert find(tmp_path, 12) is None
    torch.save(taew(16, 1), folder / "taew2_1.pth")
    path = find(tmp_path, 16)
    assert path == folder / "taew2_1.pth"
    tiny = for_previews(path, 16, CPU)
    assert tiny is not None
    assert (tiny.frames_factor, tiny.scale) == (1, 4)
    save_file(taew(16, 1), folder / "taew2_1.safetensors")
    path = find(tmp_path, 16)
    assert path is not None
    assert path.suffix == ".safetensors", "the safer one first"
    assert for_previews(path, 48, CPU) is None, "made for other latents"


def test_a_bad_file_is_refused_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (print, ("run",))

    for name, content in (
        ("evil.pth", {"a": Evil()}),
        ("list.pth", [1, 2]),
        ("other.pth", {"w": torch.ones(1)}),
    ):
        torch.save(content, tmp_path / name)
        assert for_previews(tmp_path / name, 16, CPU) is None
    for name in ("empty.safetensors", "empty.pth"):
        (tmp_path / name).write_bytes(b"")
        assert for_previews(tmp_path / name, 16, CPU) is None
    assert for_previews(tmp_path / "gone.pth", 16, CPU) is None
    assert "makes no previews" in caplog.text
    with pytest.raises(WeightsError):
        read_weights(tmp_path / "evil.pth")
    weights = taew(16, 1)
    weights["decoder.9.conv.0.weight"] = torch.zeros(2, 2, 3, 3)
    with pytest.raises(WeightsError, match="not a TAEHV decoder"):
        TinyVae(weights)


def wait_for(previews: Previews) -> Image.Image:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if (data := previews.take()) is not None:
            return Image.open(io.BytesIO(data))
        time.sleep(0.005)
    raise AssertionError("no preview came")


def test_a_preview_is_made_of_a_copy_beside_the_job() -> None:
    tiny = TinyVae(taew(16, 1), times=(False, False, False), sizes=(True, True, False))
    x0 = latents(16, 3)[None]
    expected = np.concatenate(list(tiny.pictures(x0[0].clone())))
    previews = Previews(None, fps=16, tiny=tiny)
    previews.offer(x0, last=True)
    # The scheduler goes on in its own tensors.
    x0.zero_()
    picture = wait_for(previews)
    assert (picture.n_frames, picture.size) == (3, (160, 107))
    seen = np.asarray(picture.convert("RGB").resize((24, 16)), float)
    assert np.abs(seen - expected[0]).mean() < 25
    previews.close()


def test_a_tiny_decoder_that_fails_leaves_the_linear_map(caplog: pytest.LogCaptureFixture) -> None:
    tiny = TinyVae(taew(48, 2))
    previews = Previews(Colours(torch.ones(16, 3), torch.zeros(3)), fps=16, tiny=tiny)
    previews.offer(latents(16, 2)[None], last=True)
    assert wait_for(previews).n_frames == 2
    assert "made without it" in caplog.text
    previews.close()
