"""The 3-D convolutions of Wan's VAE on a CPU, through oneDNN.

With one clip at a time torch falls back to `aten::slow_conv3d` there, which takes ten times as long. Nothing
is changed at import, and no class: only the modules that are handed in.
"""

from types import MethodType

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d


def use_onednn(vae: AutoencoderKLWan) -> int:
    """Let every causal convolution of this VAE run through oneDNN while it is on a CPU in fp32.

    Results differ from the stock ones by rounding only (below 1e-4 on unit-variance sums). Returns how many
    convolutions were changed: 0 where torch was built without oneDNN. `use_stock` undoes it.
    """
    if not torch.backends.mkldnn.is_available():
        return 0
    convolutions = _convolutions(vae)
    for module in convolutions:
        module.forward = MethodType(_forward, module)
    return len(convolutions)


def use_stock(vae: AutoencoderKLWan) -> None:
    """Give every convolution of this VAE its own class's `forward` back."""
    for module in _convolutions(vae):
        module.__dict__.pop("forward", None)


def _convolutions(vae: AutoencoderKLWan) -> list[WanCausalConv3d]:
    return [module for module in vae.modules() if isinstance(module, WanCausalConv3d)]


def _forward(self: WanCausalConv3d, x: torch.Tensor, cache_x: torch.Tensor | None = None) -> torch.Tensor:
    """`WanCausalConv3d.forward` (diffusers 0.42), (1, C, T, H, W) -> (1, C', T', H', W'), by oneDNN."""
    if x.device.type != "cpu" or x.dtype != torch.float32:
        return WanCausalConv3d.forward(self, x, cache_x)
    padding = list(self._padding)
    if cache_x is not None and padding[4] > 0:
        x = torch.cat([cache_x.to(x.device), x], dim=2)
        padding[4] -= cache_x.shape[2]
    x = F.pad(x, padding)
    return torch.ops.aten.mkldnn_convolution(
        x, self.weight, self.bias, list(self.padding), list(self.stride), list(self.dilation), self.groups
    )
