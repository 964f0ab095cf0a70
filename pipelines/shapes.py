"""What the parts of a model weigh and how wide they are: the facts of a memory plan. No torch."""

from pydantic import BaseModel, ConfigDict

GB = 2**30
"""Bytes of a GB as graphics cards and memory are sold: 2^30."""


class Shape(BaseModel):
    """A model's parts. Parameters are in billions, `experts` is how many transformers there are.

    `hidden` and `ffn` are a transformer's widths, `layers` its blocks. One latent stands for `spatial` x
    `spatial` pixels and `temporal` frames, one token for 2 x 2 latents. `token_times`: every token has a time
    of its own (TI2V-5B), which makes the modulation as wide as the clip.
    `decode_bytes`: what the VAE holds while it decodes, in bytes a pixel of one frame, fp32, untiled.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    experts: int
    expert: float
    text_encoder: float
    vae: float
    layers: int
    hidden: int
    ffn: int
    spatial: int
    temporal: int
    token_times: bool = False
    decode_bytes: int

    def tokens(self, width: int, height: int, frames: int) -> int:
        """How many tokens a clip of `frames` frames of `width` x `height` pixels is."""
        across = self.spatial * 2
        return ((frames - 1) // self.temporal + 1) * (height // across) * (width // across)

    @property
    def channels(self) -> int:
        """How many channels a latent has: the VAE that makes one of 16 x 16 pixels has more."""
        return 48 if self.spatial == 16 else 16

    @property
    def weights_gb(self) -> float:
        """All parts in bf16, the VAE in fp32, as they lie in memory."""
        return (2 * (self.experts * self.expert + self.text_encoder) + 4 * self.vae) * 1e9 / GB


# Parameters, widths and layers are counted on diffusers' own classes with the published configurations;
# `decode_bytes` by adding up the tensors alive at each moment of three decoded latent frames (meta tensors).
_UMT5_XXL = 5.68

A14B = Shape(
    experts=2, expert=14.29, text_encoder=_UMT5_XXL, vae=0.127, layers=40, hidden=5120, ffn=13824,
    spatial=8, temporal=4, decode_bytes=19_480,
)  # fmt: skip
TI2V_5B = Shape(
    experts=1, expert=5.0, text_encoder=_UMT5_XXL, vae=0.705, layers=30, hidden=3072, ffn=14336,
    spatial=16, temporal=4, token_times=True, decode_bytes=21_540,
)  # fmt: skip
T2V_1B = Shape(
    experts=1, expert=1.42, text_encoder=_UMT5_XXL, vae=0.127, layers=30, hidden=1536, ffn=8960,
    spatial=8, temporal=4, decode_bytes=19_480,
)  # fmt: skip
SKETCH = Shape(
    experts=2, expert=0.002, text_encoder=0.0003, vae=0.0027, layers=6, hidden=192, ffn=768,
    spatial=16, temporal=4, decode_bytes=770,
)  # fmt: skip
