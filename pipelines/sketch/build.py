"""The parts of the sketch model with their sizes, and writing them as an ordinary `WanPipeline` folder."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import nn
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from pipelines.sketch.codec import SPACE, TIME, Z_DIM, PatchCodec

BOUNDARY = 0.875
FLOW_SHIFT = 3.0
TEXT_TOKENS = 48
"""Captions are padded with zeros to this length in training, and must be in use too."""


@dataclass(frozen=True)
class Sizes:
    """How big the model is; the recipes choose."""

    width: int = 192
    layers: int = 6
    feed_forward: int = 768
    text_width: int = 128
    text_layers: int = 2
    vocabulary: int = 2000
    decoder_width: int = 40


def make_tokenizer(corpus: Iterator[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer learned from captions; Chinese is split into characters first."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        special_tokens=["<pad>", "</s>", "<unk>"],
        initial_alphabet=[chr(code) for code in range(33, 127)],
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=512,
    )


def make_text_encoder(sizes: Sizes, vocabulary: int) -> UMT5EncoderModel:
    """A small UMT5 encoder, untrained."""
    config = UMT5Config(
        vocab_size=vocabulary, d_model=sizes.text_width, d_kv=32, num_heads=sizes.text_width // 32,
        d_ff=2 * sizes.text_width, num_layers=sizes.text_layers, dropout_rate=0.0,
        relative_attention_num_buckets=32, feed_forward_proj="gated-gelu", pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    return UMT5EncoderModel(config)


def make_transformer(sizes: Sizes) -> WanTransformer3DModel:
    """A small Wan transformer; it starts by predicting the mean picture (its last layer is zero)."""
    model = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=sizes.width // 32, attention_head_dim=32,
        in_channels=Z_DIM, out_channels=Z_DIM, text_dim=sizes.text_width, freq_dim=256,
        ffn_dim=sizes.feed_forward, num_layers=sizes.layers, rope_max_seq_len=64,
    )  # fmt: skip
    for block in model.blocks:
        for layer in block.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        # Open gates: at diffusers' own start they are near zero and blocks learn many times slower.
        block.scale_shift_table.data[:, [2, 5]] = 1.0
    nn.init.xavier_uniform_(model.patch_embedding.weight.data.flatten(1))
    nn.init.zeros_(model.proj_out.weight)
    nn.init.zeros_(model.proj_out.bias)
    return model


def make_vae(sizes: Sizes) -> AutoencoderKLWan:
    """The VAE in Wan2.2's layout. Only the decoder is trained; the encoder is minimal and random."""
    vae = AutoencoderKLWan(
        base_dim=4, decoder_base_dim=sizes.decoder_width, z_dim=Z_DIM, dim_mult=[1, 2, 2], num_res_blocks=1,
        temperal_downsample=[True, True], is_residual=True, in_channels=48, out_channels=48, patch_size=4,
        scale_factor_spatial=SPACE, scale_factor_temporal=TIME,
        latents_mean=[0.0] * Z_DIM, latents_std=[1.0] * Z_DIM,
    )  # fmt: skip
    for name, module in vae.decoder.named_modules():
        # Residual branches that start at zero make the depth harmless at the start.
        if name.endswith(("conv2", "proj")):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    nn.init.dirac_(vae.post_quant_conv.weight)
    nn.init.zeros_(vae.post_quant_conv.bias)
    return vae


def make_scheduler() -> UniPCMultistepScheduler:
    """UniPC on flow sigmas. The transformers predict the clean latents, hence "sample".

    A narrow model cannot carry 128 numbers of noise per token through its layers and draw as well; asked for
    the clean picture it need not.
    """
    return UniPCMultistepScheduler(
        prediction_type="sample", use_flow_sigmas=True, flow_shift=FLOW_SHIFT, num_train_timesteps=1000
    )


@torch.no_grad()
def export(
    folder: Path,
    *,
    tokenizer: PreTrainedTokenizerFast,
    text_encoder: UMT5EncoderModel,
    high: WanTransformer3DModel,
    low: WanTransformer3DModel,
    vae: AutoencoderKLWan,
    codec: PatchCodec | None,
) -> None:
    """Write a folder that `WanPipeline.from_pretrained` loads: fp16 weights and the preview factors."""
    parts = [copy.deepcopy(part).half().eval() for part in (text_encoder, high, low, vae)]
    pipeline = WanPipeline(
        tokenizer=tokenizer, text_encoder=parts[0], transformer=parts[1], transformer_2=parts[2],
        vae=parts[3],
        scheduler=make_scheduler(), boundary_ratio=BOUNDARY,
    )  # fmt: skip
    pipeline.save_pretrained(folder)
    if codec is not None:
        text = json.dumps(codec.preview_factors())
        (folder / "preview.json").write_text(text + "\n", encoding="utf-8")
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)  # safetensors writes them for the owner only
