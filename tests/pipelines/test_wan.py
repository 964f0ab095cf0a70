"""Generating: the same pixels as diffusers' own call, from every kind of Wan, and progress on the way."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipelines import loader
from pipelines.models import MODELS
from pipelines.request import Progress
from pipelines.wan import WanVideo
from tests.pipelines.clips import bare, frames_of, ignore, never
from tests.tiny_wan import tiny_request, write_tiny_wan


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


@pytest.mark.parametrize(
    ("name", "shape"),
    [("wan2.1-t2v-1.3b", {"residual": False, "two_experts": False}), ("wan2.2-ti2v-5b", {"channels": 48})],
)
def test_models_with_one_expert(
    name: str,
    shape: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    every_preview: list[torch.Tensor],
) -> None:
    """Wan2.1's kind, and Wan2.2-5B's: a time for every token, 48 channels of unknown colours."""
    write_tiny_wan(tmp_path / "models" / name, **{"two_experts": False} | shape)
    monkeypatch.setattr(loader, "_ram_gb", lambda: 512.0)
    video = loader.load(MODELS[name], home=tmp_path, device="cpu")
    asked = tiny_request(model=name, guidance_scale_2=None, num_inference_steps=4)
    told: list[Progress] = []
    frames = np.stack(list(video.generate(asked, told.append, never)))
    off = np.abs(frames.astype(int) - bare(video, asked))
    # Where diffusers has the same time for every token, one time is computed: equal but for rounding.
    assert off.max() <= (1 if video.pipe.config.expand_timesteps else 0), off.max()
    assert (off > 0).mean() < 0.01
    assert len([progress for progress in told if progress.preview]) == len(every_preview) == 4
    loader.unload()


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


def test_a_running_clip_is_never_unloaded(video: WanVideo, tiny_plain: Path) -> None:
    expected = frames_of(video)
    frames = video.generate(tiny_request(), ignore, never)
    first = next(frames)
    with pytest.raises(RuntimeError, match="is making a clip"):
        loader.load(MODELS["sketch"], home=tiny_plain, device="cpu")
    with pytest.raises(RuntimeError, match="is making a clip"):
        loader.unload()
    assert np.array_equal(np.stack([first, *frames]), expected)
    assert loader.load(MODELS["sketch"], home=tiny_plain, device="cpu") is not video
