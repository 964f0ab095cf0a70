"""Captions as the transformer sees them: encoded, and padded with zeros exactly as `WanPipeline` does."""

from __future__ import annotations

import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast, UMT5EncoderModel

from pipelines.sketch.build import TEXT_TOKENS
from pipelines.sketch.captions import caption
from pipelines.sketch.world import ATTRIBUTES, Scene, sample_scene

LANGUAGES = ("en", "zh")


def write_captions(scenes: list[Scene], rng: random.Random, *, empty: float = 0.0) -> list[str]:
    """One caption a scene, in a random language; a share `empty` of them says nothing (for guidance)."""
    return ["" if rng.random() < empty else caption(scene, rng.choice(LANGUAGES), rng) for scene in scenes]


def encode_text(tokenizer: PreTrainedTokenizerFast, encoder: UMT5EncoderModel, texts: list[str]) -> Tensor:
    """Texts to embeddings [B, 48, width], zero behind each text's end."""
    device = encoder.device
    batch = tokenizer(texts, padding="longest", max_length=TEXT_TOKENS, truncation=True, return_tensors="pt")
    ids, mask = batch.input_ids.to(device), batch.attention_mask.to(device)
    if not ids.shape[1]:  # nothing but empty captions
        return torch.zeros(len(texts), TEXT_TOKENS, encoder.config.d_model, device=device)
    hidden = encoder(ids, mask).last_hidden_state.masked_fill(mask[..., None] == 0, 0.0)
    return F.pad(hidden, (0, 0, 0, TEXT_TOKENS - ids.shape[1]))


def targets(scenes: list[Scene]) -> dict[str, Tensor]:
    """Class numbers [B] of every attribute."""
    return {
        name: torch.tensor([values.index(getattr(scene, name)) for scene in scenes])
        for name, values in ATTRIBUTES.items()
    }


def learn_words(
    tokenizer: PreTrainedTokenizerFast, encoder: UMT5EncoderModel, *, steps: int, batch: int, seed: int
) -> dict[str, float]:
    """Teach the text encoder to tell every attribute by the mean of its output; returns the accuracies.

    This takes minutes, and steers the pictures from the first diffusion steps on.
    """
    rng = random.Random(seed)
    torch.manual_seed(seed)
    width, device = encoder.config.d_model, encoder.device
    heads = nn.ModuleDict({name: nn.Linear(width, len(values)) for name, values in ATTRIBUTES.items()}).to(
        device
    )
    params = [*encoder.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(params, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps, pct_start=0.1)
    right: dict[str, float] = {}
    bar = tqdm(range(steps), desc="words")
    for _ in bar:
        scenes = [sample_scene(rng, held_out=False) for _ in range(batch)]
        hidden = encode_text(tokenizer, encoder, write_captions(scenes, rng))
        filled = (hidden.abs().sum(-1, keepdim=True) > 0).float()
        pooled = hidden.sum(1) / filled.sum(1).clamp(min=1)
        wanted = {name: value.to(device) for name, value in targets(scenes).items()}
        logits = {name: head(pooled) for name, head in heads.items()}
        loss = torch.stack([F.cross_entropy(logits[name], wanted[name]) for name in logits]).sum()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        optimiser.step()
        schedule.step()
        for name in logits:
            hit = (logits[name].argmax(-1) == wanted[name]).float().mean().item()
            right[name] = 0.95 * right.get(name, hit) + 0.05 * hit
        bar.set_postfix(worst=f"{min(right.values()):.2f}", loss=f"{loss.item():.2f}")
    return right
