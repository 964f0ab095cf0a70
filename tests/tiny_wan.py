"""Writes a tiny random Wan with diffusers' real classes: two experts, a VAE, a text encoder, a tokenizer.

Under 1 MB and a few milliseconds a step; its pictures are noise, everything else is as in Wan2.2.
"""

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
)
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from pipelines.request import GenerationRequest


def write_tiny_wan(
    folder: Path,
    *,
    residual: bool = True,
    two_experts: bool = True,
    channels: int = 16,
    seed: int = 0,
    pictures: bool = False,
    width: int = 24,
) -> Path:
    """Write a WanPipeline directory and return it.

    `residual` gives a Wan2.2-style VAE (is_residual, patchified, 16x in space), else a Wan2.1-style one (8x);
    both are 4x in time. 16 channels come with a `preview.json`; 48 without, and with a time for every token,
    as in Wan2.2-TI2V-5B. `pictures` gives experts that take a first frame beside the noise, in the hub's form
    of Wan2.2-I2V-A14B: 36 channels in, 16 out, no image encoder. `width`: of the experts, for formats whose
    blocks of numbers are wider.
    """
    kind = WanImageToVideoPipeline if pictures else WanPipeline
    takes = channels + (4 + channels if pictures else 0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer = _tokenizer()
        pipe = kind(
            tokenizer=tokenizer,
            text_encoder=_text_encoder(len(tokenizer)).eval(),
            vae=_vae(residual, channels).eval(),
            scheduler=UniPCMultistepScheduler(
                prediction_type="flow_prediction",
                use_flow_sigmas=True,
                flow_shift=3.0,
                num_train_timesteps=1000,
            ),
            transformer=_expert(channels, takes, width).eval(),
            transformer_2=_expert(channels, takes, width).eval() if two_experts else None,
            boundary_ratio=(0.9 if pictures else 0.875) if two_experts else None,
            expand_timesteps=channels == 48,
        )
        pipe.save_pretrained(folder)
        factors = (torch.randn(16, 3) * 0.3).tolist()
    if channels == 16:
        facts = {"factors": factors, "bias": [0.1, 0.0, -0.1]}
        (folder / "preview.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def tiny_request(**changes: object) -> GenerationRequest:
    """A request small enough for a test: 64x64, 9 frames, 6 steps (smaller than a form may ask for)."""
    request = GenerationRequest(prompt="a red boat at sea, 夜晚", seed=7, num_inference_steps=6)
    return request.model_copy(update={"width": 64, "height": 64, "num_frames": 9, **changes})


def _expert(channels: int, takes: int, width: int) -> WanTransformer3DModel:
    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=width // 2,
        in_channels=takes,
        out_channels=channels,
        text_dim=16,
        freq_dim=32,
        ffn_dim=32 if width < 32 else width,
        num_layers=2,
        rope_max_seq_len=64,
    )


def _vae(residual: bool, channels: int) -> AutoencoderKLWan:
    common = {"z_dim": channels, "num_res_blocks": 1, "scale_factor_temporal": 4}
    if channels != 16:
        common |= {"latents_mean": [0.1] * channels, "latents_std": [0.8] * channels}
    if residual:
        return AutoencoderKLWan(
            base_dim=8,
            decoder_base_dim=8,
            dim_mult=[1, 2, 2],
            temperal_downsample=[True, True],
            is_residual=True,
            patch_size=4,
            in_channels=48,
            out_channels=48,
            scale_factor_spatial=16,
            **common,
        )
    return AutoencoderKLWan(
        base_dim=4,
        dim_mult=[1, 2, 2, 2],
        temperal_downsample=[False, True, True],
        scale_factor_spatial=8,
        **common,
    )


def _text_encoder(vocabulary: int) -> UMT5EncoderModel:
    config = UMT5Config(
        vocab_size=vocabulary, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, dropout_rate=0.0
    )
    return UMT5EncoderModel(config)


def _tokenizer() -> PreTrainedTokenizerFast:
    pieces = ["<pad>", "</s>", "<unk>"]
    for start in ("", "##"):
        pieces += [start + chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces += list("夜晚海上一只小船向左航行,.0123456789")
    inner = Tokenizer(
        models.WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="<unk>")
    )
    inner.normalizer = normalizers.BertNormalizer()
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
