"""A clip that begins with a given picture, for the models whose `ModelSpec.first_frame` allows it.

The picture becomes latents as in diffusers' `WanImageToVideoPipeline`, over the very weights of the
`WanPipeline`; the denoising loop stays WanPipeline's own, and a hook before each expert puts the picture in.
So caches, offloading and speed tiers work as without one; the frames are those of diffusers' own pipeline.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import WanImageToVideoPipeline
from PIL import Image, ImageOps

from pipelines import placing
from pipelines.request import ModelError


def fitted(path: Path, width: int, height: int) -> Image.Image:
    """The picture in RGB, filling (width, height) exactly: scaled, what hangs over is cut off on both sides.

    ModelError("first_frame_gone") if it is not there or no picture.
    """
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            return ImageOps.fit(picture.convert("RGB"), (width, height), Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ModelError("first_frame_gone") from error


@dataclass(frozen=True, eq=False)
class FirstFrame:
    """The picture as latents, beside the noise that the clip begins from.

    latents    (1, C, T, h, w), the noise of the request's seed
    condition  what the experts get besides: (1, 4 + C, T, h, w) to be put behind the channels (A14B), or
               (1, C, 1, h, w), the first latent frame itself (5B)
    mask       None for A14B; for 5B (1, 1, T, h, w): 0 where the picture stands, 1 elsewhere
    """

    latents: torch.Tensor
    condition: torch.Tensor
    mask: torch.Tensor | None

    def before(
        self, _expert: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A forward pre-hook (with kwargs) of an expert: it sees the picture besides the noisy latents."""
        noisy = kwargs["hidden_states"]
        if self.mask is None:
            seen = torch.cat([noisy, self.condition.to(noisy)], dim=1)
            return args, {**kwargs, "hidden_states": seen}
        # What is known already has no noise in it: its tokens stand at time 0.
        tokens = self.mask[0, 0, :, ::2, ::2].flatten().to(kwargs["timestep"])
        seen = self.held(noisy)
        return args, {**kwargs, "hidden_states": seen, "timestep": kwargs["timestep"] * tokens}

    def held(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents (1, C, T, h, w) with the picture where it stands; the very same for A14B."""
        if self.mask is None:
            return latents
        mask = self.mask.to(latents)
        return (1 - mask) * self.condition.to(latents) + mask * latents


@torch.no_grad()
def encode(
    pipe: Any,
    picture: Image.Image,
    *,
    num_frames: int,
    seed: int,
    check: Callable[[], None],
    tiled: bool = False,
) -> FirstFrame:
    """The picture, of the clip's own size, as latents on the pipeline's device.

    `pipe` is the loaded `WanPipeline`; nothing stays on it. `check()` is called before every chunk that is
    encoded (of A14B: as many as the clip has latent frames), and may raise. `tiled`: in diffusers' tiles, for
    cards without room for the whole.
    """
    twin = _twin(pipe)
    device = pipe._execution_device
    width, height = picture.size
    pixels = twin.video_processor.preprocess(picture, height=height, width=width)
    before, pipe.vae.use_tiling = pipe.vae.use_tiling, tiled or pipe.vae.use_tiling
    watched = pipe.vae.encoder.register_forward_pre_hook(lambda *_: check())
    try:
        found = twin.prepare_latents(
            pixels.to(device, dtype=torch.float32),
            batch_size=1,
            num_channels_latents=pipe.vae.config.z_dim,
            height=height,
            width=width,
            num_frames=num_frames,
            dtype=torch.float32,
            device=device,
            # Drawn on the CPU: the same seed is the same noise on every machine.
            generator=torch.Generator("cpu").manual_seed(seed),
        )
    finally:
        watched.remove()
        # The VAE keeps its features between chunks; a check that raised would leave them to the next clip.
        pipe.vae.clear_cache()
        pipe.vae.use_tiling = before
        # The experts need its room.
        placing.leaves(pipe.vae)
    latents, condition, mask = (*found, None)[:3]
    return FirstFrame(latents, condition, mask)


def one_time(
    _expert: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A forward pre-hook for 5B without a picture: all its tokens have one time, so one modulation will do.

    Equal but for rounding, and a twelfth less memory traffic than a modulation for every token.
    """
    times = kwargs["timestep"]
    return args, {**kwargs, "timestep": times[:, 0] if times.ndim == 2 else times}


def _twin(pipe: Any) -> Any:
    """diffusers' pipeline for pictures over the same weights."""
    return WanImageToVideoPipeline(
        **pipe.components,
        boundary_ratio=pipe.config.boundary_ratio,
        expand_timesteps=pipe.config.expand_timesteps,
    )
