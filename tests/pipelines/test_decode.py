"""Streaming decode is the whole decode, bit for bit; the fast convolutions are the slow ones, faster."""

import copy
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import cpu_offload_with_hook
from diffusers import AutoencoderKLWan
from diffusers.hooks import apply_group_offloading
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d
from diffusers.video_processor import VideoProcessor
from torch.profiler import ProfilerActivity, profile

from pipelines.cpu_conv import use_onednn, use_stock
from pipelines.decode import decode_ahead, decode_chunks, lay_out_for_cards


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


def test_the_next_chunk_is_decoded_while_one_is_used(vae: AutoencoderKLWan) -> None:
    latents = latents_for(4)
    chunks = decode_ahead(vae, latents)
    first = next(chunks)
    assert np.array_equal(np.concatenate([first, *chunks]), whole(vae, latents))
    assert not any(thread.name == "decode" for thread in threading.enumerate())


def test_a_decode_ahead_that_is_left_ends_its_thread_and_leaves_nothing(vae: AutoencoderKLWan) -> None:
    latents = latents_for(4)
    expected = whole(vae, latents)
    chunks = decode_ahead(vae, latents)
    next(chunks)
    chunks.close()
    assert not any(thread.name == "decode" for thread in threading.enumerate())
    assert np.array_equal(whole(vae, latents), expected)


@pytest.mark.parametrize("plan", ["model_offload", "leaf_level", "block_level"])
def test_offloaded_parts_are_brought_as_for_the_whole_decode(vae: AutoencoderKLWan, plan: str) -> None:
    latents = latents_for(3)
    expected = whole(vae, latents)
    if plan == "model_offload":
        cpu_offload_with_hook(vae, execution_device="cpu")
    else:
        apply_group_offloading(
            vae, onload_device=torch.device("cpu"), offload_type=plan, num_blocks_per_group=1
        )
    assert np.array_equal(np.concatenate(list(decode_chunks(vae, latents))), expected)


def test_weights_stored_in_fp8_are_computed_in_the_models_own_type(vae: AutoencoderKLWan) -> None:
    latents = latents_for(2)
    vae.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float32)
    assert next(vae.decoder.parameters()).dtype == torch.float8_e4m3fn
    assert np.array_equal(np.concatenate(list(decode_chunks(vae, latents))), whole(vae, latents))


def test_half_is_nearly_the_same_picture_and_leaves_the_weights(vae: AutoencoderKLWan) -> None:
    latents = latents_for(3)
    expected = whole(vae, latents)
    half = np.concatenate(list(decode_chunks(vae, latents, half=True))).astype(int)
    assert 0 < np.abs(half - expected).mean() < 1.5
    assert not torch.is_autocast_enabled("cpu")
    assert {weight.dtype for weight in vae.parameters()} == {torch.float32}
    assert np.array_equal(np.concatenate(list(decode_chunks(vae, latents))), expected)


def test_another_order_of_the_weights_is_no_other_picture(vae: AutoencoderKLWan) -> None:
    latents = latents_for(3)
    expected = whole(vae, latents).astype(int)
    assert lay_out_for_cards(vae) > 15
    assert all(
        weight.is_contiguous(memory_format=torch.channels_last_3d)
        for weight in vae.decoder.parameters()
        if weight.dim() == 5
    )
    assert np.abs(np.concatenate(list(decode_chunks(vae, latents))) - expected).max() <= 1


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
