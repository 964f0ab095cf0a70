"""RIFE's interpolation networks (IFNet 4.6, 4.22, 4.25 and 4.26): pictures at any moment between two others.

Known files: `flownet.pkl` as Practical-RIFE publishes it (MIT), or the same weights as .pth or .safetensors.
Written here after the published architectures; which one a file holds is read from its shapes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from pipelines.request import ModelError
from pipelines.weights import WeightsError, read_weights

# From so many lines on, motion is estimated at half the size, as its makers advise for 4K.
LARGE = 1200


@dataclass(frozen=True)
class Architecture:
    """What the versions differ in.

    `widths` of the blocks from the coarsest to the finest, `head` (hidden, out) channels of the features that
    are found in each picture first, `handed` channels from block to block beside the motion.
    """

    version: str
    widths: tuple[int, ...]
    head: tuple[int, int] | None
    handed: int

    @property
    def multiple(self) -> int:
        """Sides of a picture are padded to a multiple of this."""
        return 4 * 2 ** (len(self.widths) - 1)


ARCHITECTURES = (
    Architecture("4.6", (192, 128, 96, 64), None, 0),
    Architecture("4.22", (256, 192, 96, 48), (32, 8), 8),
    Architecture("4.25", (192, 128, 96, 64, 32), (16, 4), 8),
)


class Smoother:
    """One network on one device."""

    def __init__(self, network: "IFNet", device: torch.device) -> None:
        self.version = network.architecture.version
        self._network = network.eval().requires_grad_(False).to(device)
        self._device = device

    @torch.no_grad()
    def between(self, first: np.ndarray, second: np.ndarray, shares: Sequence[float]) -> list[np.ndarray]:
        """Pictures between two, uint8 (h, w, 3) each, at `shares` of the way from first to second."""
        height, width = first.shape[:2]
        coarser = 2 if min(height, width) >= LARGE else 1
        pair = [self._tensor(picture, coarser) for picture in (first, second)]
        found = self._network(pair[0], pair[1], shares, coarser)
        return [
            (picture[0, :, :height, :width].clamp(0, 1) * 255)
            .round()
            .to(torch.uint8)
            .permute(1, 2, 0)
            .cpu()
            .numpy()
            for picture in found
        ]

    def _tensor(self, picture: np.ndarray, coarser: int) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(picture)).to(self._device)
        tensor = tensor.permute(2, 0, 1)[None].float() / 255
        multiple = self._network.architecture.multiple * coarser
        right, bottom = -tensor.shape[3] % multiple, -tensor.shape[2] % multiple
        return functional.pad(tensor, (0, right, 0, bottom), mode="replicate")


class IFNet(nn.Module):
    """Finds motion from coarse to fine, and mixes both pictures, each moved to the wanted moment."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        features = 0 if architecture.head is None else 2 * architecture.head[1]
        if architecture.head is not None:
            self.encode = _Head(*architecture.head)
        for index, width in enumerate(architecture.widths):
            # Two pictures, their features, the moment; then also motion, mask and what was handed on.
            into = 7 + features + (0 if index == 0 else 5 + architecture.handed)
            self.add_module(f"block{index}", _Block(into, width, architecture.handed))

    def forward(
        self, first: torch.Tensor, second: torch.Tensor, shares: Sequence[float], coarser: int = 1
    ) -> list[torch.Tensor]:
        """Pictures (1, 3, h, w) in 0 to 1 at each share of the way; sides are multiples (`Architecture`)."""
        seen = [first, second]
        if self.architecture.head is not None:
            seen += [self.encode(first), self.encode(second)]
        return [self._at(seen, share, coarser) for share in shares]

    def _at(self, seen: list[torch.Tensor], share: float, coarser: int) -> torch.Tensor:
        moment = torch.full_like(seen[0][:, :1], share)
        count = len(self.architecture.widths)
        flow, mask, handed = self.get_submodule("block0")(
            torch.cat([*seen, moment], 1), None, coarser * 2 ** (count - 1)
        )
        for index in range(1, count):
            moved = _moved(seen, flow)
            given = [*moved, moment, mask] + ([handed] if self.architecture.handed else [])
            found, new_mask, handed = self.get_submodule(f"block{index}")(
                torch.cat(given, 1), flow, coarser * 2 ** (count - 1 - index)
            )
            flow = flow + found
            # Older ones correct the mask, newer ones draw it anew.
            mask = new_mask if self.architecture.handed else mask + new_mask
        moved = _moved(seen[:2], flow)
        part = torch.sigmoid(mask)
        return moved[0] * part + moved[1] * (1 - part)


def load_smoother(path: Path, device: torch.device | str) -> Smoother:
    """The network of a file. ModelError("network_unknown") for a file that is none of those known."""
    try:
        return Smoother(_network(read_weights(path)), torch.device(device))
    except (WeightsError, KeyError, RuntimeError, OSError) as error:
        raise ModelError("network_unknown", name=path.name, reason=str(error)[:200]) from error


def _network(weights: Mapping[str, torch.Tensor]) -> IFNet:
    widths = []
    while (name := f"block{len(widths)}.conv0.1.0.weight") in weights:
        widths.append(weights[name].shape[0])
    for architecture in ARCHITECTURES:
        if architecture.widths == tuple(widths):
            network = IFNet(architecture)
            # Published files also hold what only training used.
            wanted = network.state_dict().keys()
            network.load_state_dict({name: value for name, value in weights.items() if name in wanted})
            return network
    raise WeightsError(f"blocks of {widths or 'none'}")


class _Head(nn.Module):
    """Features of one picture, in its own size."""

    def __init__(self, hidden: int, out: int) -> None:
        super().__init__()
        self.cnn0 = nn.Conv2d(3, hidden, 3, 2, 1)
        self.cnn1 = nn.Conv2d(hidden, hidden, 3, 1, 1)
        self.cnn2 = nn.Conv2d(hidden, hidden, 3, 1, 1)
        self.cnn3 = nn.ConvTranspose2d(hidden, out, 4, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in (self.cnn0, self.cnn1, self.cnn2):
            x = functional.leaky_relu(layer(x), 0.2)
        return self.cnn3(x)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, 1, 1)
        self.beta = nn.Parameter(torch.ones(1, width, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.leaky_relu(self.conv(x) * self.beta + x, 0.2)


class _Block(nn.Module):
    """Motion (4 channels), mask (1) and what is handed on, found in pictures made `smaller` times smaller."""

    def __init__(self, into: int, width: int, handed: int) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(_conv(into, width // 2), _conv(width // 2, width))
        self.convblock = nn.Sequential(*(_Residual(width) for _ in range(8)))
        # Version 4.6 has a sixth channel that nobody reads.
        out = 5 + handed if handed else 6
        self.lastconv = nn.Sequential(nn.ConvTranspose2d(width, 4 * out, 4, 2, 1), nn.PixelShuffle(2))

    def forward(
        self, x: torch.Tensor, flow: torch.Tensor | None, smaller: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x = _resized(x, 1 / smaller)
        if flow is not None:
            x = torch.cat([x, _resized(flow, 1 / smaller) / smaller], 1)
        found = _resized(self.lastconv(self.convblock(self.conv0(x))), float(smaller))
        return found[:, :4] * smaller, found[:, 4:5], found[:, 5:]


def _conv(into: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(into, out, 3, 2, 1), nn.LeakyReLU(0.2))


def _resized(x: torch.Tensor, factor: float) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


def _moved(seen: list[torch.Tensor], flow: torch.Tensor) -> list[torch.Tensor]:
    """Both pictures, and both features if there are any, moved by their motion in pixels."""
    return [_warped(x, flow[:, :2] if index % 2 == 0 else flow[:, 2:4]) for index, x in enumerate(seen)]


def _warped(x: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    height, width = x.shape[2:]
    rows = torch.linspace(-1, 1, height, device=x.device).view(1, -1, 1).expand(1, height, width)
    columns = torch.linspace(-1, 1, width, device=x.device).view(1, 1, -1).expand(1, height, width)
    across = columns + flow[:, 0] * (2 / (width - 1))
    down = rows + flow[:, 1] * (2 / (height - 1))
    grid = torch.stack([across, down], 3)
    return functional.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=True)
