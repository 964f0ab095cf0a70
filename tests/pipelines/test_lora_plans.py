"""LoRAs, the four-step pair and the step cache under every way to lay a model out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import WanTransformer3DModel
from diffusers.hooks.group_offloading import (
    GroupOffloadingConfig,
    GroupOffloadingType,
    _apply_group_offloading,
)

from pipelines import placing
from pipelines.memory import Layout
from pipelines.models import MODELS
from pipelines.placement import Plan
from pipelines.request import Cancelled, Inputs, LoraUse, Notice
from pipelines.wan import WanVideo
from tests.pipelines.clips import Countdown, ignore, never
from tests.pipelines.test_placing import same
from tests.tiny_lora import write_pair
from tests.tiny_wan import tiny_request, write_tiny_wan

SPEC = MODELS["wan2.2-t2v-a14b"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_wan(tmp_path_factory.mktemp("a14b"))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    assert SPEC.distilled is not None
    root = tmp_path_factory.mktemp("loras")
    return Inputs(loras={name: write_pair(root / name, seed=3) for name in (SPEC.distilled.name, "grain")})


def _laid_out(folder: Path, kind: Any, way: Any = "visits") -> WanVideo:
    plan = Plan(kind, Notice("plan_" + kind), usable_gb=1e6, layout=Layout(kind, way))
    return WanVideo(placing.assemble(SPEC, folder, "cpu", plan), SPEC, plan=plan)


def _places(pipe: Any) -> dict[str, tuple[str, ...]]:
    """By what hooks each part comes to the card: accelerate's on the whole, diffusers' on its blocks."""
    found = {}
    for name, part in pipe.components.items():
        if isinstance(part, torch.nn.Module):
            registries = [getattr(module, "_diffusers_hook", None) for module in part.modules()]
            blocks = sum(
                one is not None and one.get_hook("group_offloading") is not None for one in registries
            )
            found[name] = (type(getattr(part, "_hf_hook", None)).__name__, str(blocks))
    return found


def _jobs() -> list[Any]:
    common = {"model": SPEC.name, "num_frames": 5, "num_inference_steps": 4, "guidance_scale_2": 3.0}
    grain = (LoraUse(name="grain"),)
    off = {"guidance_scale": 1.0, "guidance_scale_2": 1.0}
    return [
        tiny_request(**common, loras=grain),
        tiny_request(**common | off, tier="fast"),
        tiny_request(**common, tier="balanced", loras=grain),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "resident_after_prompt",
        "streamed",
        "one_at_a_time",
        "fp8_resident",
        "fp8_one_at_a_time",
        "fp8_streamed",
    ],
)
def test_loras_and_tiers_under_a_plan(kind: str, folder: Path, inputs: Inputs) -> None:
    video, resident = _laid_out(folder, kind), _laid_out(folder, "resident", "stays")
    plain = _jobs()[0].model_copy(update={"loras": ()})

    def frames(video: WanVideo, job: Any) -> np.ndarray:
        return np.stack(list(video.generate(job, ignore, never, inputs)))

    before, places = frames(video, plain), _places(video.pipe)
    for job in _jobs():
        found = frames(video, job)
        assert _places(video.pipe) == places, "a LoRA does not lay the model out anew"
        with pytest.raises(Cancelled):
            list(video.generate(job, ignore, Countdown(9), inputs))
        assert np.array_equal(frames(video, job), found)
        assert np.array_equal(frames(video, plain), before), "nothing is left"
        assert not np.array_equal(found, before)
        if not kind.startswith("fp8"):
            assert same(found, frames(resident, job)), "where it lies does not change the picture"


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams and pinned memory as on a card, which do nothing: what hangs on them is done as there."""
    monkeypatch.setattr(torch.cpu.Stream, "synchronize", lambda _: None, raising=False)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)

    def enable(expert: Any, **given: Any) -> None:
        config = GroupOffloadingConfig(
            onload_device=given["onload_device"],
            offload_device=given["offload_device"],
            offload_type=GroupOffloadingType.BLOCK_LEVEL,
            non_blocking=False,
            record_stream=given["record_stream"],
            low_cpu_mem_usage=given["low_cpu_mem_usage"],
            num_blocks_per_group=given["num_blocks_per_group"],
            stream=torch.cpu.Stream(),  # type: ignore[arg-type]
        )
        _apply_group_offloading(expert, config)

    monkeypatch.setattr(WanTransformer3DModel, "enable_group_offload", enable)


@pytest.mark.slow
@pytest.mark.usefixtures("streams")
@pytest.mark.parametrize("kind", ["streamed", "fp8_streamed"])
def test_the_first_clip_of_streamed_experts_is_that_of_every_later_one(
    kind: str, folder: Path, inputs: Inputs
) -> None:
    jobs = [job.model_copy(update={"num_inference_steps": 8}) for job in _jobs() if job.tier == "balanced"]
    jobs += [jobs[0].model_copy(update={"loras": ()}), _jobs()[1]]
    for job in jobs:
        video = _laid_out(folder, kind)

        def frames(job: Any = job, video: WanVideo = video) -> np.ndarray:
            return np.stack(list(video.generate(job, ignore, never, inputs)))

        first = frames()
        assert np.array_equal(frames(), first)
        if kind == "streamed":
            resident = _laid_out(folder, "resident", "stays")
            assert same(first, np.stack(list(resident.generate(job, ignore, never, inputs))))
        blocks = video.pipe.transformer.blocks
        hooks = [block._diffusers_hook.get_hook("group_offloading") for block in blocks]
        assert [hook.group.onload_self for hook in hooks] == [False] * len(blocks), "they come ahead"
