"""Random weights under the published names: what lies in the files of Real-ESRGAN and of RIFE."""

from pathlib import Path

import torch


def compact(*, width: int = 8, convolutions: int = 3, scale: int = 2) -> dict[str, torch.Tensor]:
    """SRVGGNetCompact's state dict, as in realesr-general-x4v3, smaller."""
    torch.manual_seed(1)
    found: dict[str, torch.Tensor] = {}
    last = 2 * convolutions + 2
    for index in range(0, last + 1, 2):
        into = 3 if index == 0 else width
        out = 3 * scale**2 if index == last else width
        found |= _conv(f"body.{index}", out, into)
        if index < last:
            found[f"body.{index + 1}.weight"] = torch.full((width,), 0.2)
    return found


def rrdb(*, width: int = 8, grow: int = 4, blocks: int = 2, fold: int = 1) -> dict[str, torch.Tensor]:
    """RRDBNet's state dict, as in RealESRGAN_x4plus (`fold` 1) and x2plus (2), smaller."""
    torch.manual_seed(2)
    found = _conv("conv_first", width, 3 * fold**2)
    for block in range(blocks):
        for dense in (1, 2, 3):
            for number in range(1, 6):
                out = width if number == 5 else grow
                found |= _conv(f"body.{block}.rdb{dense}.conv{number}", out, width + (number - 1) * grow)
    for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
        found |= _conv(name, width, width)
    return found | _conv("conv_last", 3, width)


def ifnet(
    widths: tuple[int, ...] = (192, 128, 96, 64, 32), head: tuple[int, int] | None = (16, 4), handed: int = 8
) -> dict[str, torch.Tensor]:
    """IFNet's state dict under the names of `flownet.pkl`, as in RIFE 4.25."""
    torch.manual_seed(3)
    found: dict[str, torch.Tensor] = {}
    if head is not None:
        hidden, out = head
        for name, into in (("cnn0", 3), ("cnn1", hidden), ("cnn2", hidden)):
            found |= _conv(f"encode.{name}", hidden, into)
        found["encode.cnn3.weight"] = torch.randn(hidden, out, 4, 4) * 0.1
        found["encode.cnn3.bias"] = torch.zeros(out)
    for index, width in enumerate(widths):
        into = 7 + (2 * head[1] if head else 0) + (5 + handed if index else 0)
        name = f"block{index}"
        found |= _conv(f"{name}.conv0.0.0", width // 2, into) | _conv(f"{name}.conv0.1.0", width, width // 2)
        for layer in range(8):
            found |= _conv(f"{name}.convblock.{layer}.conv", width, width)
            found[f"{name}.convblock.{layer}.beta"] = torch.ones(1, width, 1, 1) * 0.1
        channels = 4 * (5 + handed if handed else 6)
        found[f"{name}.lastconv.0.weight"] = torch.randn(width, channels, 4, 4) * 0.01
        found[f"{name}.lastconv.0.bias"] = torch.zeros(channels)
    # Published files also hold what only training used, under names of a parallel run.
    return {f"module.{key}": value for key, value in found.items()} | {"module.teacher.x": torch.ones(1)}


def put(home: Path, purpose: str, name: str, weights: object) -> Path:
    """A file of weights in a studio's home."""
    folder = home / "models" / "finish" / purpose
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(weights, folder / name)
    return folder / name


def _conv(name: str, out: int, into: int) -> dict[str, torch.Tensor]:
    weight = torch.randn(out, into, 3, 3) / (into * 9) ** 0.5
    return {f"{name}.weight": weight, f"{name}.bias": torch.randn(out) * 0.05}
