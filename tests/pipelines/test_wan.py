"""Generating: the same pixels as diffusers' own call, progress, and a clean pipeline however a job ended."""

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
from diffusers import FirstBlockCacheConfig, MagCacheConfig, UniPCMultistepScheduler

from pipelines import loader
from pipelines.models import MODELS
from pipelines.request import Cancelled, GenerationRequest, ModelError, Progress
from pipelines.wan import WanVideo, is_out_of_memory
from tests.tiny_wan import tiny_request


def never() -> bool:
    return False


def ignore(_: Progress) -> None:
    pass


def frames_of(video: WanVideo, **changes: object) -> np.ndarray:
    return np.stack(list(video.generate(tiny_request(**changes), ignore, never)))


class Countdown:
    """A `should_stop` that says yes at its n-th question."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def __call__(self) -> bool:
        self.left -= 1
        return self.left <= 0


def bare(video: WanVideo, request: GenerationRequest, **changes: Any) -> np.ndarray:
    """The same clip by diffusers alone: whole decode, floats, rounded at the end."""
    pipe = video.pipe
    pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config, flow_shift=request.flow_shift)
    arguments = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "height": request.height,
        "width": request.width,
        "num_frames": request.num_frames,
        "num_inference_steps": request.num_inference_steps,
        "guidance_scale": request.guidance_scale,
        "guidance_scale_2": request.guidance_scale_2,
        "generator": torch.Generator().manual_seed(request.seed),
        "max_sequence_length": video.spec.max_sequence_length,
        "output_type": "np",
    }
    return (pipe(**arguments | changes).frames[0] * 255).round().astype(np.uint8)


@pytest.mark.parametrize("home", ["tiny_home", "tiny_plain"])
def test_the_frames_are_those_of_a_bare_call(home: str, request: pytest.FixtureRequest) -> None:
    video = loader.load(MODELS["sketch"], home=request.getfixturevalue(home), device="cpu")
    asked = tiny_request()
    frames = list(video.generate(asked, ignore, never))
    assert {(frame.shape, frame.dtype.name) for frame in frames} == {((64, 64, 3), "uint8")}
    assert np.array_equal(np.stack(frames), bare(video, asked))
    assert np.stack(frames).std() > 5, "a picture, not a plain colour"


def test_every_parameter_reaches_the_pixels(video: WanVideo) -> None:
    request = tiny_request()
    changes: list[dict[str, object]] = [
        {},
        {"prompt": "a bird"},
        {"negative_prompt": "a bird"},
        {"seed": 8},
        {"num_inference_steps": 5},
        {"guidance_scale": 6.0},
        {"guidance_scale_2": 6.0},
        {"flow_shift": 9.0},
    ]
    clips = [frames_of(video, **change).tobytes() for change in changes]
    assert len(set(clips)) == len(changes)
    # And as diffusers means them: the first guidance is the high-noise expert's.
    swapped = bare(
        video, request, guidance_scale=request.guidance_scale_2, guidance_scale_2=request.guidance_scale
    )
    assert swapped.tobytes() != clips[0]


def test_frames_and_sizes_come_out_as_asked(video: WanVideo) -> None:
    assert frames_of(video, num_frames=17, width=96, height=64).shape == (17, 64, 96, 3)
    assert frames_of(video, num_frames=1).shape == (1, 64, 64, 3)


def test_both_experts_work_and_the_text_is_padded_as_the_model_was_trained(video: WanVideo) -> None:
    calls: dict[str, list[int]] = {"transformer": [], "transformer_2": []}
    hooks = [
        getattr(video.pipe, name).register_forward_pre_hook(
            lambda _m, _a, kwargs, seen=seen: seen.append(kwargs["encoder_hidden_states"].shape[1]),
            with_kwargs=True,
        )
        for name, seen in calls.items()
    ]
    frames_of(video, num_inference_steps=6)
    for hook in hooks:
        hook.remove()
    assert calls["transformer"]
    assert calls["transformer_2"]
    assert len(calls["transformer"] + calls["transformer_2"]) == 12, "six steps, each with and without prompt"
    assert set(calls["transformer"] + calls["transformer_2"]) == {MODELS["sketch"].max_sequence_length}


def test_progress_is_told_at_every_step_in_the_callers_thread(video: WanVideo) -> None:
    told: list[tuple[str, int, int]] = []
    threads = set()

    def on_progress(progress: Progress) -> None:
        threads.add(threading.current_thread())
        told.append((progress.stage, progress.step, progress.total))

    list(video.generate(tiny_request(num_inference_steps=4), on_progress, never))
    told = list(dict.fromkeys(told))
    assert [stage for stage, _, _ in told] == ["encoding", "denoising", *["denoising"] * 4, "decoding"]
    assert [step for _, step, _ in told] == [0, 0, 1, 2, 3, 4, 4]
    assert {total for _, _, total in told} == {4}
    assert threads == {threading.current_thread()}


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
        for frame in video.generate(tiny_request(), ignore, stop.is_set):
            got.append(frame)
            stop.set()

    with Watched(video) as watched, pytest.raises(Cancelled):
        watch()
    assert (len(got), watched.decoded) == (1, 1)
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


def test_a_pipeline_makes_one_clip_at_a_time(video: WanVideo) -> None:
    first = video.generate(tiny_request(), ignore, never)
    next(first)
    with pytest.raises(RuntimeError, match="one clip"):
        next(video.generate(tiny_request(), ignore, never))
    assert len(list(first)) == 8, "and the first one goes on"
    assert len(frames_of(video)) == 9


def test_a_request_for_another_model_is_a_mistake_of_the_caller(video: WanVideo) -> None:
    with pytest.raises(ValueError, match="the request is for"):
        next(video.generate(tiny_request(model="wan2.2-t2v-a14b"), ignore, never))


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
