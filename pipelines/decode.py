"""Latents to frames, one latent frame at a time: memory stays flat and the encoder starts at the first chunk.

The same arithmetic as `AutoencoderKLWan.decode` (diffusers 0.42), bit for bit, for Wan2.1's VAE and Wan2.2's.
Not tiled here: tiles cost 1.6 times the work. Where a plan has no room for a whole picture, `placing` tiles.
"""

import contextlib
from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d, unpatchify

from pipelines.ahead import ahead


def decode_chunks(
    vae: AutoencoderKLWan, latents: torch.Tensor, *, half: bool = False
) -> Generator[np.ndarray, None, None]:
    """Yield uint8 arrays (n, H, W, 3) in RGB from normalised latents (1, C, T, h, w).

    n is 1 for the first latent frame, then the VAE's temporal factor (4). Nothing is kept on the VAE itself,
    so dropping the iterator half-way leaves no trace; no grad mode is left behind between chunks. On a GPU
    a chunk is handed out when the next one has been started: the card never waits for who uses the frames.
    `half` computes in bf16, with the weights as they are.
    """
    hook = getattr(vae, "_hf_hook", None)
    if hook is not None:
        # Offloaded models come to the card in `decode`, which is not called here.
        hook.pre_forward(vae)
    hidden = _hidden(vae, latents)
    features: list[torch.Tensor | None] = [None] * sum(
        isinstance(module, WanCausalConv3d) for module in vae.decoder.modules()
    )
    pending: _Copy | None = None
    for index in range(hidden.shape[2]):
        started = _chunk(vae, hidden[:, :, index : index + 1], features, first=index == 0, half=half)
        if pending is not None:
            yield _arrived(pending)
        pending = started
        if hidden.device.type != "cuda":
            # Nothing runs by itself there: a chunk that waited for the next one would only come later.
            yield _arrived(started)
            pending = None
    if pending is not None:
        yield _arrived(pending)


def decode_ahead(
    vae: AutoencoderKLWan, latents: torch.Tensor, *, half: bool = False
) -> Generator[np.ndarray, None, None]:
    """As `decode_chunks`, on a thread of its own: the next chunk is made while one is marked and encoded.

    When this generator is closed, the thread has ended, after the chunk that it was at.
    """
    return ahead(decode_chunks(vae, latents, half=half), room=1, name="decode")


def lay_out_for_cards(vae: AutoencoderKLWan) -> int:
    """Lay the decoder's 3D weights out channels-last, as a GPU's bf16 convolutions want them; how many.

    Once, when a model is loaded: the values stay, but another order may round otherwise, and no job may
    find the model as another one left it.
    """
    weights = [weight for weight in vae.decoder.parameters() if weight.dim() == 5]
    for weight in weights:
        weight.data = weight.data.contiguous(memory_format=torch.channels_last_3d)
    return len(weights)


@torch.no_grad()
def _hidden(vae: AutoencoderKLWan, latents: torch.Tensor) -> torch.Tensor:
    """The decoder's input: latents as the diffusion leaves them, brought back to the VAE's own scale."""
    # The model's own word for both: weights may be stored elsewhere (offloaded), or narrower (fp8).
    latents = latents.to(_device(vae), vae.dtype)
    shape = (1, vae.config.z_dim, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean).view(shape).to(latents)
    # Twice inverted as in WanPipeline: once would round differently.
    inverse = 1.0 / torch.tensor(vae.config.latents_std).view(shape).to(latents)
    return vae.post_quant_conv(latents / inverse + mean)


def _device(vae: AutoencoderKLWan) -> torch.device:
    """Where the decoder computes."""
    hook = getattr(vae, "_hf_hook", None)
    where = getattr(hook, "execution_device", None)
    return torch.device(where) if where is not None else vae.device


class _Copy(NamedTuple):
    """Pixels on their way to main memory, and what tells that they are there (None: they are)."""

    pixels: torch.Tensor
    done: Any


@torch.no_grad()
def _chunk(
    vae: AutoencoderKLWan,
    hidden: torch.Tensor,
    features: list[torch.Tensor | None],
    *,
    first: bool,
    half: bool,
) -> _Copy:
    with _precision(hidden.device, half=half):
        video = vae.decoder(hidden, feat_cache=features, feat_idx=[0], first_chunk=first)
    if vae.config.patch_size is not None:
        video = unpatchify(video, patch_size=vae.config.patch_size)
    # bf16 has no room for 256 shades near white.
    video = torch.clamp(video[0].to(hidden.dtype), min=-1.0, max=1.0)
    # On the device: a quarter of the bytes to move, and no second float copy in memory.
    pixels = ((video / 2 + 0.5) * 255).round().to(torch.uint8)
    return _sent(pixels.permute(1, 2, 3, 0).contiguous())


def _precision(device: torch.device, *, half: bool) -> contextlib.AbstractContextManager[object]:
    return torch.autocast(device.type, dtype=torch.bfloat16) if half else contextlib.nullcontext()


def _sent(pixels: torch.Tensor) -> _Copy:
    if pixels.device.type != "cuda":
        return _Copy(pixels.cpu(), None)
    # Pinned, or the copy would make this thread wait before it can start the next chunk.
    target = torch.empty(pixels.shape, dtype=pixels.dtype, pin_memory=True)
    target.copy_(pixels, non_blocking=True)
    done = torch.cuda.Event()
    done.record(torch.cuda.current_stream(pixels.device))
    return _Copy(target, done)


def _arrived(copy: _Copy) -> np.ndarray:
    if copy.done is not None:
        copy.done.synchronize()
    return copy.pixels.numpy()
