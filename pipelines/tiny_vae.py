"""TAEHV's tiny video decoders (taew2_1 for Wan2.1's latents, taew2_2 for TI2V-5B's): previews in colour.

Our own code for the published files (MIT): a state dict whose `decoder.N` are, in order, a soft clamp, a
first convolution, three stages (three blocks that remember the frame before, twice the size, more frames,
fewer channels) and a last convolution. Its encoder is not used.
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from pipelines.weights import WeightsError, read_weights

log = logging.getLogger(__name__)

# By the number of latent channels: the folder in home/models, and how the file in it begins.
FILES = {16: ("tiny-vae-wan2.1", "taew2_1"), 48: ("tiny-vae-wan2.2", "taew2_2")}
_ENDS = (".safetensors", ".pth")
_WIDTHS = (256, 128, 64, 64)
# Where the three blocks of each stage are, what makes more frames, what changes the channels; the last one.
_BLOCKS = ((3, 4, 5), (9, 10, 11), (15, 16, 17))
_GROWS, _PROJECTS, _LAST = (7, 13, 19), (8, 14, 20), 22


class TinyVae(nn.Module):
    """One decoder. `frames_factor` frames come of each latent frame, `scale` times as wide and high.

    `times` and `sizes` switch off, stage by stage, what makes more frames and larger ones: a preview needs
    neither, and costs a sixteenth. Raises WeightsError for a state dict that is no such decoder.
    """

    def __init__(
        self,
        weights: Mapping[str, torch.Tensor],
        *,
        times: tuple[bool, bool, bool] = (False, True, True),
        sizes: tuple[bool, bool, bool] = (True, True, True),
    ) -> None:
        super().__init__()
        weights = {name[8:]: value for name, value in weights.items() if name.startswith("decoder.")}
        try:
            first, last = weights["1.weight"], weights[f"{_LAST}.weight"]
            self.channels = first.shape[1]
            self.patch = round((last.shape[0] / 3) ** 0.5)
            if first.shape[0] != _WIDTHS[0] or last.shape[0] != 3 * self.patch**2:
                raise WeightsError("not a TAEHV decoder")
            self.sizes = sizes
            self.frames_factor = 2 ** sum(times)
            self.scale = 2 ** sum(sizes) * self.patch
            self.layers = nn.ModuleDict(_layers(self.channels, self.patch, times))
            self.layers.load_state_dict(_fitting(weights, self.layers, times))
        except (KeyError, RuntimeError, AttributeError) as error:
            raise WeightsError(f"not a TAEHV decoder: {str(error)[:200]}") from error
        self.eval().requires_grad_(False)

    def stream(self, latents: torch.Tensor) -> Iterator[torch.Tensor]:
        """Yield frames (n, 3, H, W) in 0 to 1 for each frame of normalised latents (C, T, h, w).

        n is `frames_factor`; 1 for the first, as with Wan's own VAE. Memory does not grow with T.
        """
        past: dict[int, torch.Tensor] = {}
        for index in range(latents.shape[1]):
            frames = self._frames(latents[:, index][None].to(self._weight()), past)
            # What comes before the first frame's own time is made of nothing.
            yield frames[-1:] if index == 0 else frames

    def pictures(self, latents: torch.Tensor) -> Iterator[np.ndarray]:
        """RGB pictures, uint8 (n, H, W, 3), of normalised latents (C, T, h, w), as `stream`."""
        for frames in self.stream(latents):
            yield (frames * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()

    def _weight(self) -> torch.Tensor:
        return next(self.parameters())

    @torch.no_grad()
    def _frames(self, x: torch.Tensor, past: dict[int, torch.Tensor]) -> torch.Tensor:
        x = functional.relu(self.layers["1"](torch.tanh(x / 3) * 3))
        for stage, blocks in enumerate(_BLOCKS):
            for index in blocks:
                x = self._remembering(index, x, past)
            if self.sizes[stage]:
                x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            width = x.shape[1]
            x = self.layers[str(_GROWS[stage])](x)
            # The frames of one moment lie behind each other in its channels.
            x = x.reshape(-1, width, *x.shape[2:])
            x = self.layers[str(_PROJECTS[stage])](x)
        x = self.layers[str(_LAST)](functional.relu(x))
        return functional.pixel_shuffle(x, self.patch).float().clamp(0, 1)

    def _remembering(self, index: int, x: torch.Tensor, past: dict[int, torch.Tensor]) -> torch.Tensor:
        """A block sees each frame beside the one before it; the very first beside nothing."""
        before = torch.cat([past.get(index, torch.zeros_like(x[:1])), x[:-1]])
        past[index] = x[-1:]
        return functional.relu(self.layers[str(index)](torch.cat([x, before], 1)) + x)


def find(home: Path, channels: int) -> Path | None:
    """The file for latents of so many channels, if somebody put one into home/models/tiny-vae-*."""
    folder, begins = FILES.get(channels, ("", ""))
    if not folder:
        return None
    places = [home / "models" / folder / f"{begins}{end}" for end in _ENDS]
    return next((place for place in places if place.is_file()), None)


def for_previews(path: Path | None, channels: int, device: torch.device) -> TinyVae | None:
    """The decoder of a file, small and quick as previews want it; None, said in the log, if it is bad."""
    if path is None:
        return None
    try:
        tiny = TinyVae(read_weights(path), times=(False, False, False), sizes=(True, channels == 16, False))
        if tiny.channels != channels:
            raise WeightsError(f"it is for {tiny.channels} channels, not {channels}")
    except (WeightsError, OSError) as error:
        log.warning("%s makes no previews: %s", path, error)
        return None
    return tiny.to(device, torch.bfloat16 if device.type == "cuda" else torch.float32)


def _layers(channels: int, patch: int, times: tuple[bool, bool, bool]) -> dict[str, nn.Module]:
    layers: dict[str, nn.Module] = {"1": nn.Conv2d(channels, _WIDTHS[0], 3, padding=1)}
    for stage, blocks in enumerate(_BLOCKS):
        width, after = _WIDTHS[stage], _WIDTHS[stage + 1]
        for index in blocks:
            layers[str(index)] = _Block(width)
        factor = 2 if times[stage] else 1
        layers[str(_GROWS[stage])] = nn.Conv2d(width, factor * width, 1, bias=False)
        layers[str(_PROJECTS[stage])] = nn.Conv2d(width, after, 3, padding=1, bias=False)
    layers[str(_LAST)] = nn.Conv2d(_WIDTHS[3], 3 * patch**2, 3, padding=1)
    return layers


class _Block(nn.Sequential):
    """Three convolutions over a frame and the one before it."""

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.Conv2d(2 * width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )


def _fitting(
    weights: Mapping[str, torch.Tensor], layers: nn.ModuleDict, times: tuple[bool, bool, bool]
) -> dict[str, torch.Tensor]:
    """The file's weights under our names; of frames that are not made, those of the last one are kept."""
    fitting = {name.replace(".conv.", "."): value for name, value in weights.items()}
    for stage, index in enumerate(_GROWS):
        name = f"{index}.weight"
        if not times[stage]:
            fitting[name] = fitting[name][-_WIDTHS[stage] :]
    return fitting
