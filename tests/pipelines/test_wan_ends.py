"""However a job ends (cancelled, broken, out of memory, left), the next one's pixels are the same."""

import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate.hooks import CpuOffload
from diffusers import FirstBlockCacheConfig, MagCacheConfig

from pipelines import loader
from pipelines.models import MODELS
from pipelines.request import Cancelled, ModelError, Progress
from pipelines.wan import WanVideo, is_out_of_memory
from tests.pipelines.clips import Countdown, frames_of, ignore, never
from tests.tiny_wan import tiny_request


class Watched:
    """A WanVideo under watch: transformer blocks that ran and latent frames that were decoded."""

    def __init__(self, video: WanVideo) -> None:
        self.blocks = self.decoded = 0
        blocks = [*video.pipe.transformer.blocks, *video.pipe.transformer_2.blocks]
        self.hooks = [block.register_forward_hook(self._block) for block in blocks]
        self.hooks.append(video.pipe.vae.decoder.register_forward_hook(self._chunk))

    def _block(self, *_: Any) -> None:
        self.blocks += 1

    def _chunk(self, *_: Any) -> None:
        self.decoded += 1

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *_: Any) -> None:
        for hook in self.hooks:
            hook.remove()


# Questions to `should_stop` in a clip of 6 steps with 2 blocks: 1 at first, then 4 blocks + 1 a step,
# 1 before the decoder and 1 after each of 3 chunks.
STEP = 5
TOTAL = 1 + 6 * STEP + 1 + 3


@pytest.mark.parametrize("question", [1, 2, 3, 5, 6, STEP * 3, STEP * 5 + 2, TOTAL - 5, TOTAL - 4, TOTAL - 3])
def test_cancelling_stops_within_a_block_decodes_nothing_and_leaves_no_trace(
    video: WanVideo, question: int
) -> None:
    expected = frames_of(video)
    with Watched(video) as watched, pytest.raises(Cancelled):
        list(video.generate(tiny_request(seed=99), ignore, Countdown(question)))
    assert watched.decoded == 0
    asked_before_blocks = question - 1 - (question - 2) // STEP if question > 1 else 0
    assert watched.blocks <= asked_before_blocks, "not one block after the answer"
    assert np.array_equal(frames_of(video), expected)


def test_cancelling_counts_as_many_questions_as_this_file_says(video: WanVideo) -> None:
    countdown = Countdown(10_000)
    list(video.generate(tiny_request(), ignore, countdown))
    assert 10_000 - countdown.left == TOTAL


def test_no_block_runs_between_the_wish_and_the_stop(video: WanVideo) -> None:
    wish = threading.Event()
    with Watched(video) as watched:
        blocks_at_wish = 0

        def wish_in_mid_block(*_: Any) -> None:
            nonlocal blocks_at_wish
            if watched.blocks == 6:
                wish.set()
                blocks_at_wish = watched.blocks

        hook = video.pipe.transformer.blocks[0].ffn.register_forward_hook(wish_in_mid_block)
        with pytest.raises(Cancelled):
            list(video.generate(tiny_request(), ignore, wish.is_set))
        hook.remove()
        assert blocks_at_wish == 6
        assert watched.blocks == 7, "the block that was running ends, the next never starts"


def test_cancelling_while_decoding_stops_at_the_next_chunk(video: WanVideo) -> None:
    expected = frames_of(video)
    got = []
    stop = threading.Event()

    def watch() -> None:
        for frame in video.generate(tiny_request(num_frames=41), ignore, stop.is_set):
            got.append(frame)
            stop.set()

    with Watched(video) as watched, pytest.raises(Cancelled):
        watch()
    assert len(got) == 1
    assert watched.decoded == 1
    assert np.array_equal(frames_of(video), expected)


def test_closing_the_iterator_half_way_leaves_no_trace(video: WanVideo) -> None:
    expected = frames_of(video)
    frames = video.generate(tiny_request(seed=4), ignore, never)
    next(frames)
    frames.close()
    assert torch.is_grad_enabled(), "no grad mode of the decoder's may leak to the caller"
    assert np.array_equal(frames_of(video), expected)
    assert not any(thread.name == "previews" for thread in threading.enumerate())


class Broken(Exception):
    """What the tests break things with."""


def break_block(video: WanVideo, expert: str, error: BaseException, at: int) -> Callable[[], None]:
    """Make a block of an expert raise at its n-th call; returns what mends it."""
    calls = 0

    def hook(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise error

    return getattr(video.pipe, expert).blocks[1].attn1.register_forward_hook(hook).remove


@pytest.mark.parametrize(("expert", "at"), [("transformer", 1), ("transformer", 2), ("transformer_2", 3)])
def test_an_error_inside_a_block_comes_out_and_leaves_no_trace(video: WanVideo, expert: str, at: int) -> None:
    expected = frames_of(video)
    mend = break_block(video, expert, Broken("inside"), at)
    with pytest.raises(Broken, match="inside"):
        frames_of(video, seed=3)
    mend()
    assert np.array_equal(frames_of(video), expected)


def test_an_error_in_the_progress_callback_ends_the_job_and_leaves_no_trace(video: WanVideo) -> None:
    expected = frames_of(video)

    def lost(progress: Progress) -> None:
        if progress.step == 3:
            raise Broken

    with pytest.raises(Broken):
        list(video.generate(tiny_request(seed=5), lost, never))
    assert np.array_equal(frames_of(video), expected)


@pytest.mark.parametrize(
    "config",
    [
        FirstBlockCacheConfig(threshold=0.5),
        MagCacheConfig(num_inference_steps=6, mag_ratios=[1.0] * 6, retention_ratio=0.2),
    ],
    ids=["first block", "mag"],
)
def test_step_caches_do_not_carry_one_job_into_the_next(tiny_home: Path, config: Any) -> None:
    loader.unload()
    video = loader.load(MODELS["sketch"], home=tiny_home, device="cpu")
    for expert in (video.pipe.transformer, video.pipe.transformer_2):
        expert.enable_cache(config)
    expected = frames_of(video)
    for question in (4, 11, 18, 26):
        with pytest.raises(Cancelled):
            list(video.generate(tiny_request(seed=99, prompt="another"), ignore, Countdown(question)))
        assert np.array_equal(frames_of(video), expected)
    mend = break_block(video, "transformer_2", Broken(), 1)
    with pytest.raises(Broken):
        frames_of(video, seed=3)
    mend()
    assert np.array_equal(frames_of(video), expected)
    loader.unload()


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 12.00 GiB"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried ..."
    ),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:80] data. DefaultCPUAllocator: not enough memory: you tried ..."
    ),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: str(error)[:24])
def test_running_out_of_memory_says_what_was_asked_and_the_model_goes_on(
    video: WanVideo, error: BaseException
) -> None:
    expected = frames_of(video)
    mend = break_block(video, "transformer_2", error, 2)
    with pytest.raises(ModelError) as caught:
        frames_of(video, num_frames=17)
    mend()
    assert caught.value.notice.code == "out_of_memory"
    assert caught.value.notice.values == {"model": "Sketch", "size": "64×64", "frames": 17}
    assert np.array_equal(frames_of(video), expected)


def test_a_real_shortage_on_the_cpu_is_seen_as_one() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(Cancelled())


def test_after_a_shortage_the_failed_jobs_tensors_are_gone(video: WanVideo) -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def hook(_module: Any, _inputs: Any, output: torch.Tensor) -> None:
        held.append(weakref.ref(output))
        raise torch.OutOfMemoryError

    handle = video.pipe.transformer.blocks[1].ffn.register_forward_hook(hook)
    gc.disable()
    try:
        with pytest.raises(ModelError) as caught:
            frames_of(video)
        # While the caller still holds the error, as it does when it stores what went wrong.
        assert caught.value.__context__ is None
        assert held[0]() is None
    finally:
        gc.enable()
        handle.remove()


def test_offloaded_models_come_to_the_decoder_and_are_cleaned_too(tiny_home: Path) -> None:
    """`enable_model_cpu_offload` as on a small card; here both places are the CPU, the hooks are real."""
    loader.unload()
    video = loader.load(MODELS["sketch"], home=tiny_home, device="cpu")
    resident = frames_of(video)
    video.pipe.enable_model_cpu_offload(device="cpu")
    came = []
    pre_forward = CpuOffload.pre_forward

    def watched(hook: CpuOffload, module: Any, *args: Any, **kwargs: Any) -> Any:
        came.append(type(module).__name__)
        return pre_forward(hook, module, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CpuOffload, "pre_forward", watched)
        expected = frames_of(video)
    assert came[-1] == "AutoencoderKLWan"
    # Weights that were moved lie elsewhere in memory, and the CPU's matrix products round by alignment.
    assert np.abs(expected.astype(int) - resident).max() <= 1
    with pytest.raises(Cancelled):
        list(video.generate(tiny_request(seed=1), ignore, Countdown(9)))
    assert np.array_equal(frames_of(video), expected)
    loader.unload()
