"""Streaming decode is the whole decode, bit for bit; the fast convolutions are the slow ones, faster."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d
from diffusers.video_processor import VideoProcessor
from torch.profiler import ProfilerActivity, profile

from pipelines.cpu_conv import use_onednn, use_stock
from pipelines.decode import decode_chunks


@pytest.fixture(params=["tiny_home", "tiny_plain"])
def vae(request: pytest.FixtureRequest) -> AutoencoderKLWan:
    """Both kinds, Wan2.2's (residual, patchified) and Wan2.1's; latents far from unit scale, as real ones."""
    folder: Path = request.getfixturevalue(request.param)
    vae = AutoencoderKLWan.from_pretrained(folder / "models" / "sketch" / "vae").eval()
    torch.manual_seed(3)
    mean, std = torch.randn(16).tolist(), (torch.rand(16) * 3 + 0.3).tolist()
    vae.register_to_config(latents_mean=mean, latents_std=std)
    return vae


def latents_for(frames: int) -> torch.Tensor:
    return torch.randn(1, 16, frames, 6, 4, generator=torch.Generator().manual_seed(1))


def whole(vae: AutoencoderKLWan, latents: torch.Tensor) -> np.ndarray:
    """What WanPipeline does after its loop (pipeline_wan.py, 0.42), to uint8 at the very end."""
    mean = torch.tensor(vae.config.latents_mean).view(1, 16, 1, 1, 1)
    std = 1.0 / torch.tensor(vae.config.latents_std).view(1, 16, 1, 1, 1)
    with torch.no_grad():
        video = vae.decode(latents / std + mean, return_dict=False)[0]
    frames = VideoProcessor(vae_scale_factor=8).postprocess_video(video, output_type="np")[0]
    return (frames * 255).round().astype(np.uint8)


@pytest.mark.parametrize("fast", [False, True])
def test_the_chunks_are_the_whole_decode(vae: AutoencoderKLWan, fast: bool) -> None:
    if fast:
        assert use_onednn(vae) > 20
    latents = latents_for(4)
    chunks = list(decode_chunks(vae, latents))
    assert [len(chunk) for chunk in chunks] == [1, 4, 4, 4]
    assert {chunk.dtype.name for chunk in chunks} == {"uint8"}
    assert np.array_equal(np.concatenate(chunks), whole(vae, latents))


def test_one_frame_is_one_chunk(vae: AutoencoderKLWan) -> None:
    assert np.array_equal(
        np.concatenate(list(decode_chunks(vae, latents_for(1)))), whole(vae, latents_for(1))
    )


def test_a_decode_that_was_left_half_way_leaves_nothing_behind(vae: AutoencoderKLWan) -> None:
    latents = latents_for(3)
    expected = whole(vae, latents)
    chunks = decode_chunks(vae, latents)
    next(chunks)
    next(chunks)
    assert torch.is_grad_enabled()
    chunks.close()
    assert np.array_equal(np.concatenate(list(decode_chunks(vae, latents))), expected)
    assert np.array_equal(whole(vae, latents), expected)


def test_chunks_take_the_same_memory_however_long_the_clip(vae: AutoencoderKLWan) -> None:
    def most(frames: int) -> int:
        """The largest sum of the decoder's features that live from chunk to chunk, in bytes."""
        sizes: list[int] = []

        def weigh(_module: object, _args: object, kwargs: dict[str, Any], _out: object) -> None:
            kept = [feature for feature in kwargs["feat_cache"] if isinstance(feature, torch.Tensor)]
            assert not any(feature.requires_grad for feature in kept), "no graph grows from chunk to chunk"
            sizes.append(sum(feature.nbytes for feature in kept))

        hook = vae.decoder.register_forward_hook(weigh, with_kwargs=True)
        for _ in decode_chunks(vae, latents_for(frames)):
            pass
        hook.remove()
        return max(sizes)

    assert most(9) == most(4)


def kernels(vae: AutoencoderKLWan) -> set[str]:
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        list(decode_chunks(vae, latents_for(2)))
    return {event.key for event in seen.key_averages()}


def test_the_fast_convolutions_are_used_and_can_be_taken_back(vae: AutoencoderKLWan) -> None:
    assert "aten::slow_conv3d_forward" in kernels(vae)
    expected = whole(vae, latents_for(2))
    count = use_onednn(vae)
    assert count == sum(isinstance(module, WanCausalConv3d) for module in vae.modules())
    fast = kernels(vae)
    assert "aten::mkldnn_convolution" in fast
    assert "aten::slow_conv3d_forward" not in fast
    use_stock(vae)
    assert "aten::slow_conv3d_forward" in kernels(vae)
    assert np.array_equal(whole(vae, latents_for(2)), expected)


def test_the_class_itself_is_never_changed(vae: AutoencoderKLWan) -> None:
    before = WanCausalConv3d.forward
    use_onednn(vae)
    assert WanCausalConv3d.forward is before
    other = copy.deepcopy(vae)
    with torch.no_grad():
        other.post_quant_conv.bias.add_(1)
    x = torch.randn(1, 16, 1, 4, 4)
    assert not torch.equal(other.post_quant_conv(x), vae.post_quant_conv(x)), "a copy uses its own weights"


@pytest.mark.parametrize("cached", [0, 1, 2])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [(3, 1, 1), (1, 1, 0), ((3, 1, 1), (2, 1, 1), (0, 0, 0)), ((3, 1, 1), 1, (1, 0, 0))],
)
def test_fast_and_stock_convolutions_agree(
    vae: AutoencoderKLWan, kernel: object, stride: object, padding: object, cached: int
) -> None:
    """864 terms of unit variance, as in the widest layers that were measured."""
    torch.manual_seed(0)
    vae.post_quant_conv = WanCausalConv3d(32, 24, kernel, stride, padding)
    x = torch.randn(1, 32, 4, 10, 12)
    cache = torch.randn(1, 32, cached, 10, 12) if cached else None
    stock = vae.post_quant_conv(x, cache)
    use_onednn(vae)
    fast = vae.post_quant_conv(x, cache)
    assert fast.shape == stock.shape
    assert (fast - stock).abs().max() < 1e-4


def test_other_types_take_the_stock_way(vae: AutoencoderKLWan) -> None:
    use_onednn(vae)
    conv = vae.post_quant_conv.double()
    x = torch.randn(1, 16, 2, 4, 4, dtype=torch.float64)
    assert torch.equal(conv(x), WanCausalConv3d.forward(conv, x))
