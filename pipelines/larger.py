"""Super-resolution networks of the Real-ESRGAN family, run tile by tile: one frame in, a larger one out.

Known files: SRVGGNetCompact (realesr-animevideov3, realesr-general-x4v3 and others) and RRDBNet in its newer
names (RealESRGAN_x4plus, x2plus, x4plus_anime_6B), as .pth or .safetensors. Written here after the published
architectures (BSD-3): the library that detects them wants torchvision, which not every torch comes with.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from pipelines.request import ModelError
from pipelines.weights import WeightsError, read_weights

# Of the picture that comes in. A tile sees so much around it as decides its edge pixels.
TILE, OVERLAP = 512, 32
_SMALLEST_TILE = 64


class Larger:
    """One network on one device. `scale` is how much larger a frame becomes, before it is fitted."""

    def __init__(self, network: nn.Module, scale: int, device: torch.device, *, tile: int = TILE) -> None:
        self.scale = scale
        self.tile = tile
        self._dtype = torch.float16 if device.type == "cuda" else torch.float32
        self._network: Any = network.eval().requires_grad_(False).to(device, self._dtype)
        self._device = device

    @torch.no_grad()
    def frame(self, picture: np.ndarray, width: int, height: int) -> np.ndarray:
        """A frame, uint8 (h, w, 3), at another size. ModelError("out_of_memory_finish")."""
        tensor = torch.from_numpy(np.ascontiguousarray(picture)).to(self._device)
        tensor = tensor.permute(2, 0, 1)[None].to(self._dtype) / 255
        found = self._tiled(tensor).float()
        if found.shape[2:] != (height, width):
            found = functional.interpolate(
                found, size=(height, width), mode="bicubic", align_corners=False, antialias=True
            )
        return (found[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()

    def _tiled(self, tensor: torch.Tensor) -> torch.Tensor:
        while True:
            try:
                return tiled(self._network, tensor, self.scale, tile=self.tile)
            except torch.OutOfMemoryError:
                if self.tile // 2 < _SMALLEST_TILE:
                    raise ModelError("out_of_memory_finish") from None
                self.tile //= 2
            # Out here the failed tile's tensors are gone.
            torch.cuda.empty_cache()


def tiled(
    network: Callable[[torch.Tensor], torch.Tensor],
    tensor: torch.Tensor,
    scale: int,
    *,
    tile: int = TILE,
    overlap: int = OVERLAP,
) -> torch.Tensor:
    """`network(tensor)` (1, 3, h, w), put together of tiles that each see `overlap` pixels around themselves.

    Tiles that need no neighbours are those of the whole: nothing is tiled that fits into one.
    """
    height, width = tensor.shape[2:]
    if max(height, width) <= tile:
        return network(tensor)
    whole = tensor.new_empty(1, 3, height * scale, width * scale)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(height, top + tile), min(width, left + tile)
            above, before = max(0, top - overlap), max(0, left - overlap)
            seen = tensor[:, :, above : bottom + overlap, before : right + overlap]
            made = network(seen)
            y, x = (top - above) * scale, (left - before) * scale
            target = whole[:, :, top * scale : bottom * scale, left * scale : right * scale]
            target.copy_(made[:, :, y : y + target.shape[2], x : x + target.shape[3]])
    return whole


def load_larger(path: Path, device: torch.device | str, *, tile: int = TILE) -> Larger:
    """The network of a file. ModelError("network_unknown") for a file that is none of those known."""
    try:
        weights = read_weights(path)
        network, scale = _compact(weights) if "body.0.weight" in weights else _rrdb(weights)
    except (WeightsError, KeyError, IndexError, RuntimeError, OSError) as error:
        raise ModelError("network_unknown", name=path.name, reason=str(error)[:200]) from error
    return Larger(network, scale, torch.device(device), tile=tile)


# -- SRVGGNetCompact ---------------------------------------------------------------------------------------


class _Compact(nn.Module):
    """Convolutions at the small size; the last one makes all the pixels, to which the picture is added."""

    def __init__(self, width: int, convolutions: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        body: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(convolutions):
            body += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        self.body = nn.Sequential(*body, nn.Conv2d(width, 3 * scale**2, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        base = functional.interpolate(x, scale_factor=float(self.scale), mode="nearest")
        return functional.pixel_shuffle(self.body(x), self.scale) + base


def _compact(weights: Mapping[str, torch.Tensor]) -> tuple[nn.Module, int]:
    last = max(int(found[1]) for name in weights if (found := re.match(r"body\.(\d+)\.", name)))
    width = weights["body.0.weight"].shape[0]
    scale = round((weights[f"body.{last}.weight"].shape[0] / 3) ** 0.5)
    network = _Compact(width, (last - 2) // 2, scale)
    network.load_state_dict(weights)
    return network, scale


# -- RRDBNet -----------------------------------------------------------------------------------------------


class _Dense(nn.Module):
    """Five convolutions, each of which sees what all before it made."""

    def __init__(self, width: int, grow: int) -> None:
        super().__init__()
        for number in range(1, 6):
            out = width if number == 5 else grow
            self.add_module(f"conv{number}", nn.Conv2d(width + (number - 1) * grow, out, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = x
        for number in range(1, 5):
            made = functional.leaky_relu(self.get_submodule(f"conv{number}")(seen), 0.2)
            seen = torch.cat([seen, made], 1)
        return self.get_submodule("conv5")(seen) * 0.2 + x


class _Residual(nn.Module):
    def __init__(self, width: int, grow: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (_Dense(width, grow) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.rdb3(self.rdb2(self.rdb1(x))) * 0.2 + x


class _Rrdb(nn.Module):
    """Always four times what goes in; for less, pixels are first folded into channels (`fold` 2: twice)."""

    def __init__(self, fold: int, width: int, grow: int, blocks: int) -> None:
        super().__init__()
        self.fold = fold
        self.conv_first = nn.Conv2d(3 * fold**2, width, 3, padding=1)
        self.body = nn.Sequential(*(_Residual(width, grow) for _ in range(blocks)))
        for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
            self.add_module(name, nn.Conv2d(width, width, 3, padding=1))
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.fold > 1:
            x = functional.pixel_unshuffle(x, self.fold)
        x = self.conv_first(x)
        x = x + self.get_submodule("conv_body")(self.body(x))
        for name in ("conv_up1", "conv_up2"):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = functional.leaky_relu(self.get_submodule(name)(x), 0.2)
        return self.conv_last(functional.leaky_relu(self.get_submodule("conv_hr")(x), 0.2))


def _rrdb(weights: Mapping[str, torch.Tensor]) -> tuple[nn.Module, int]:
    first = weights["conv_first.weight"]
    fold = {3: 1, 12: 2, 48: 4}.get(first.shape[1])
    if fold is None:
        raise WeightsError(f"{first.shape[1]} channels go in")
    blocks = 1 + max(int(found[1]) for name in weights if (found := re.match(r"body\.(\d+)\.rdb1\.", name)))
    network = _Rrdb(fold, first.shape[0], weights["body.0.rdb1.conv1.weight"].shape[0], blocks)
    network.load_state_dict(weights)
    return network, 4 // fold
