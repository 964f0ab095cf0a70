"""Latents to frames, one latent frame at a time: memory stays flat and the encoder starts at the first chunk.

The same arithmetic as `AutoencoderKLWan.decode` (diffusers 0.42), bit for bit, for Wan2.1's VAE and Wan2.2's.
"""

from collections.abc import Iterator

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d, unpatchify


def decode_chunks(vae: AutoencoderKLWan, latents: torch.Tensor) -> Iterator[np.ndarray]:
    """Yield uint8 arrays (n, H, W, 3) in RGB from normalised latents (1, C, T, h, w).

    n is 1 for the first latent frame, then the VAE's temporal factor (4). Nothing is kept on the VAE itself,
    so dropping the iterator half-way leaves no trace; no grad mode is left behind between chunks.
    """
    hook = getattr(vae, "_hf_hook", None)
    if hook is not None:
        # Offloaded models come to the card in `decode`, which is not called here.
        hook.pre_forward(vae)
    hidden = _hidden(vae, latents)
    features: list[torch.Tensor | None] = [None] * sum(
        isinstance(module, WanCausalConv3d) for module in vae.decoder.modules()
    )
    for index in range(hidden.shape[2]):
        yield _chunk(vae, hidden[:, :, index : index + 1], features, first=index == 0)


@torch.no_grad()
def _hidden(vae: AutoencoderKLWan, latents: torch.Tensor) -> torch.Tensor:
    """The decoder's input: latents as the diffusion leaves them, brought back to the VAE's own scale."""
    weight = next(vae.decoder.parameters())
    latents = latents.to(weight.device, weight.dtype)
    shape = (1, vae.config.z_dim, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean).view(shape).to(latents)
    # Twice inverted as in WanPipeline: once would round differently.
    inverse = 1.0 / torch.tensor(vae.config.latents_std).view(shape).to(latents)
    return vae.post_quant_conv(latents / inverse + mean)


@torch.no_grad()
def _chunk(
    vae: AutoencoderKLWan, hidden: torch.Tensor, features: list[torch.Tensor | None], *, first: bool
) -> np.ndarray:
    video = vae.decoder(hidden, feat_cache=features, feat_idx=[0], first_chunk=first)
    if vae.config.patch_size is not None:
        video = unpatchify(video, patch_size=vae.config.patch_size)
    video = torch.clamp(video[0], min=-1.0, max=1.0)
    # On the device: a quarter of the bytes to move, and no second float copy in memory.
    pixels = ((video / 2 + 0.5) * 255).round().to(torch.uint8)
    return pixels.permute(1, 2, 3, 0).contiguous().cpu().numpy()
