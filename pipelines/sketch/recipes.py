"""How much of everything the two recipes spend: two quiet CPU cores for hours, or one big GPU for minutes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pipelines.sketch.build import Sizes
from pipelines.sketch.decoder import DecoderPlan
from pipelines.sketch.video import Plan


@dataclass(frozen=True)
class Recipe:
    """The lengths, sizes and rates of one way of training."""

    device: str
    sizes: Sizes
    shards: int
    """Files of `shard_clips` clips with three latent frames each."""
    whole_shards: int
    """Files of an eighth as many clips with all eleven latent frames."""
    word_steps: int
    place_steps: int
    decoder: DecoderPlan
    high: Plan
    low: Plan
    codec_scenes: int = 800
    shard_clips: int = 512
    sheet_texts: int = 8
    side_by_side: bool = False
    """Whether high, and decoder then low, run side by side as processes of one thread each."""


CPU = Recipe(
    device="cpu",
    sizes=Sizes(),
    shards=60,
    whole_shards=30,
    word_steps=1000,
    place_steps=400,
    decoder=DecoderPlan(minutes=27, clips=300, batch=4),
    high=Plan("high", minutes=112, tokens=2880),
    low=Plan("low", minutes=108, tokens=2880),
    sheet_texts=3,
    side_by_side=True,
)

GPU = Recipe(
    device="cuda",
    sizes=Sizes(width=256, layers=8, feed_forward=1024, text_width=192, decoder_width=48),
    shards=120,
    whole_shards=40,
    word_steps=1200,
    place_steps=500,
    decoder=DecoderPlan(minutes=4, clips=1000, batch=48, dtype=torch.bfloat16),
    high=Plan("high", minutes=5, tokens=46080, dtype=torch.bfloat16, average=0.999),
    low=Plan("low", minutes=3.5, tokens=46080, dtype=torch.bfloat16, average=0.999),
)

TOY = Recipe(
    device="cpu",
    sizes=Sizes(
        width=64, layers=3, feed_forward=64, text_width=32, text_layers=1, vocabulary=400, decoder_width=8
    ),
    shards=1,
    whole_shards=1,
    word_steps=2,
    place_steps=2,
    decoder=DecoderPlan(minutes=1, clips=2, batch=2, max_steps=2),
    high=Plan("high", minutes=1, tokens=360, max_steps=4),
    low=Plan("low", minutes=1, tokens=360, max_steps=2),
    codec_scenes=16,
    shard_clips=8,
    sheet_texts=1,
)

RECIPES: dict[str, Recipe] = {"cpu": CPU, "gpu": GPU, "toy": TOY}
