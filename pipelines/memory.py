"""How much memory a model needs for a clip, by how its parts are laid out. No torch."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from pipelines.models import ModelSpec, Size
from pipelines.shapes import GB, Shape

Kind = Literal[
    "resident", "resident_after_prompt", "one_at_a_time", "streamed",
    "fp8_resident", "fp8_one_at_a_time", "fp8_streamed", "gguf",
]  # fmt: skip
TextEncoder = Literal["stays", "visits", "layers"]

# What the system and Python keep of main memory.
_SYSTEM_RAM_GB = 4.0
# cuBLAS' and cuDNN's own workspaces, rope, latents, a preview (an estimate).
_OVERHEAD_GB = 0.35
# Weights in 8 bits: the embedders and norms stay as they are (diffusers skips them).
_FP8 = 0.51
# torch rounds each pinned tensor up to a power of two: of Wan's matrices that makes one and a half times.
_PINNED = 1.53
# A GGUF matrix and the pieces of it while it is widened, in times of the widened one (Q5_K; others less).
_GGUF_PIECES = 3.6
# A streamed expert: the block that runs, the one that comes, and what is no block (embedders, 3 % of 14 B).
_STREAMED_BLOCKS, _NO_BLOCK = 2, 0.03
# What counts as a clip's full length, as a share of the model's usual one.
_FULL = 7 / 8
# UMT5's embedding, the largest piece of a text encoder that comes to the card layer by layer.
_TEXT_PIECES_GB = 2.3
# SeaCache keeps the input of the first block, and of the answers with and without prompt two residuals each.
_KEPT_GUIDED, _KEPT = 1 + 2 * 2, 1 + 2
# Of the latents: what guidance gating keeps of each expert, and what the step cache compares.
_KEPT_LATENTS = 2 * 2 + 2
# diffusers' tiles of 256 x 256 pixels; all of them (they overlap), their rows, the video, its clamped copy.
_TILE, _TILED_VIDEOS = 256 * 256, 4.7


class Clip(NamedTuple):
    """A size and a length: what decides how much memory a clip needs beside the weights."""

    size: Size
    frames: int


@dataclass(frozen=True)
class Layout:
    """Where the parts live: `text_encoder` stays on the card, visits it whole, or comes layer by layer.

    `gguf_gb` is the size of one expert's GGUF file, for that kind only.
    """

    kind: Kind
    text_encoder: TextEncoder
    pinned: bool = True
    gguf_gb: float | None = None

    @property
    def fp8(self) -> bool:
        """Whether the experts' weights are kept in 8 bits."""
        return self.kind.startswith("fp8_")

    @property
    def way(self) -> Literal["resident", "one_at_a_time", "streamed"]:
        """How the experts get to the card."""
        if "resident" in self.kind:
            return "resident"
        return "streamed" if self.kind.endswith("streamed") else "one_at_a_time"


@dataclass(frozen=True)
class Extras:
    """What the tier and the LoRAs of a request put on the experts besides their weights.

    `lora_gb` is what all its LoRAs together weigh on one expert, in bf16 whatever the plan; `cached` is the
    step cache of the tier "balanced", which keeps more where the clip is `guided`.
    """

    lora_gb: float = 0.0
    cached: bool = False
    guided: bool = True


NOTHING = Extras()


class Moments(NamedTuple):
    """GB on the card while the prompt is read, the clip denoised, the clip decoded."""

    reading: float
    denoising: float
    decoding: float


def clips(spec: ModelSpec) -> list[Clip]:
    """Every size in several lengths, the one to lay a model out for first.

    Full lengths (seven eighths of the usual one and more) come before halves, and those before the shortest:
    a small picture of five seconds is of more use than a large one of one. Then the larger picture is first.
    """
    usual, found = spec.default_frames, []
    for least in (usual * _FULL, usual / 2):
        found.append(min((one for one in spec.legal_frames() if one >= least), default=usual))
    lengths = {spec.max_frames, usual, *found, spec.min_frames}
    every = [Clip(size, frames) for size in spec.sizes for frames in lengths]

    def place(clip: Clip) -> tuple[int, int, int, int]:
        pixels = clip.size.width * clip.size.height
        return -fullness(spec, clip), -pixels, spec.sizes.index(clip.size), -clip.frames

    return sorted(every, key=place)


def fullness(spec: ModelSpec, clip: Clip) -> int:
    """2 for a clip of about the model's usual length, 1 for half of it and more, 0 for a shorter one."""
    share = clip.frames / spec.default_frames
    return (share >= _FULL) + (share >= 0.5)


def lora_gb(shape: Shape, rank: int) -> float:
    """What a LoRA of this rank over all projections of one expert weighs, bf16: rank x (in + out) each."""
    widths = 8 * 2 * shape.hidden + 2 * (shape.hidden + shape.ffn)
    return 2 * shape.layers * rank * widths / GB


def denoise_gb(shape: Shape, clip: Clip, *, pictured: bool = True, extras: Extras = NOTHING) -> float:
    """What a transformer needs beside its weights, bf16, without gradients.

    Bytes a token, counted on diffusers 0.42's classes with meta tensors (what is alive at each moment):
    22.4 x hidden where attention is the fullest moment, 8.8 x hidden + 4 x ffn where the feed-forward is;
    38 x hidden more where every token has a time of its own: TI2V-5B with a first picture (`pictured`; a plan
    has room for one). Within 3 % for 14B, 5B, 1.3B and sketch.
    A LoRA adds its own answer to the feed-forward's, the widest there is; a step cache keeps whole ones.
    """
    a_token = max(22.4 * shape.hidden, 8.8 * shape.hidden + (6 if extras.lora_gb else 4) * shape.ffn)
    if extras.cached:
        a_token += 2 * (_KEPT_GUIDED if extras.guided else _KEPT) * shape.hidden
        a_token += 2 * _KEPT_LATENTS * 4 * shape.channels
    a_token += 38 * shape.hidden if shape.token_times and pictured else 0
    return a_token * shape.tokens(*clip.size, clip.frames) / GB


def decode_gb(shape: Shape, clip: Clip, *, tiled: bool) -> float:
    """What the VAE needs beside its weights to decode a clip, fp32, one latent frame after the other.

    It grows with the picture, not with the length: `Shape.decode_bytes` a pixel. In tiles the whole video is
    held instead, almost five times over (read in diffusers' `tiled_decode`).
    """
    pixels = clip.size.width * clip.size.height
    if not tiled:
        return shape.decode_bytes * pixels / GB
    return (shape.decode_bytes * min(_TILE, pixels) + _TILED_VIDEOS * 3 * 4 * pixels * clip.frames) / GB


def moments(
    layout: Layout,
    spec: ModelSpec,
    clip: Clip,
    *,
    tiled: bool,
    pictured: bool = True,
    extras: Extras = NOTHING,
) -> Moments:
    """What is on the card at each moment: the weights that are there then, plus what the work needs."""
    shape = _shape(spec)
    expert, text, vae = parts_gb(spec)
    expert = layout.gguf_gb or expert * (_FP8 if layout.fp8 else 1)
    text = _TEXT_PIECES_GB if layout.text_encoder == "layers" else text
    # An embedded model runs in fp32 everywhere.
    work = denoise_gb(shape, clip, pictured=pictured, extras=extras) * (2 if spec.embedded else 1)
    work += _OVERHEAD_GB
    if layout.fp8 or layout.kind == "gguf":
        # The layer that runs is widened for it; out of 4 to 6 bits by way of pieces.
        work += (_GGUF_PIECES if layout.kind == "gguf" else 1) * 2 * shape.hidden * shape.ffn / GB
    decode = decode_gb(shape, clip, tiled=tiled) + _OVERHEAD_GB
    text += _OVERHEAD_GB
    if layout.way == "one_at_a_time":
        return Moments(text, expert + extras.lora_gb + work, vae + decode)
    if layout.way == "streamed":
        here = (expert + extras.lora_gb) * _STREAMED_BLOCKS / shape.layers + expert * _NO_BLOCK
        return Moments(text, here + work, vae + decode)
    there = shape.experts * (expert + extras.lora_gb) + vae
    always = there + (text - _OVERHEAD_GB if layout.text_encoder == "stays" else 0)
    return Moments(there + text, always + work, always + decode)


def main_memory_gb(layout: Layout, spec: ModelSpec, extras: Extras = NOTHING) -> float:
    """What main memory has to hold: all that is not on the card, or the largest part while it is read.

    With what the system and Python keep (`system_gb`).
    """
    shape = _shape(spec)
    expert, text, vae = parts_gb(spec)
    system = system_gb(spec)
    if layout.way == "resident":
        beside = 0.0 if layout.text_encoder == "stays" else text
        return max(expert, text, beside + vae) + system
    kept = (layout.gguf_gb or expert * (_FP8 if layout.fp8 else 1)) + extras.lora_gb
    kept *= shape.experts * (_PINNED if layout.pinned and layout.way == "streamed" else 1)
    # The last expert is read in bf16 while the others are there in 8 bits.
    last = expert * (1 - _FP8) if layout.fp8 else 0.0
    return kept + max(text + vae, last) + system


def system_gb(spec: ModelSpec) -> float:
    """What is left of main memory for the system and Python beside a model; an embedded one asks for none."""
    return 0.0 if spec.embedded else _SYSTEM_RAM_GB


def parts_gb(spec: ModelSpec) -> tuple[float, float, float]:
    """One expert, the text encoder, the VAE: bf16 and an fp32 VAE; all fp32 for an embedded model."""
    shape, wide = _shape(spec), 4 if spec.embedded else 2
    billion = 1e9 / GB
    return wide * shape.expert * billion, wide * shape.text_encoder * billion, 4 * shape.vae * billion


def _shape(spec: ModelSpec) -> Shape:
    if spec.shape is None:
        raise ValueError(f"{spec.name} does not run here: it has no weights")
    return spec.shape
