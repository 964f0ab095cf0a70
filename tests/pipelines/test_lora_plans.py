"""LoRAs, the four-step pair and the step cache under every way to lay a model out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffusers import WanPipeline

from pipelines import placing
from pipelines.memory import Layout
from pipelines.models import MODELS
from pipelines.placement import Plan
from pipelines.request import Cancelled, Inputs, LoraUse, Notice
from pipelines.wan import WanVideo
from tests.pipelines.clips import Countdown, ignore, never
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


def _laid_out(folder: Path, kind: Any) -> WanVideo:
    plan = Plan(kind, Notice("plan_" + kind), usable_gb=1e6, layout=Layout(kind, "visits"))
    pipe = WanPipeline.from_pretrained(folder)
    for name in ("transformer", "transformer_2"):
        setattr(pipe, name, placing._lay_out(getattr(pipe, name), plan, "cpu"))
    return WanVideo(pipe, SPEC, plan=plan)


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
@pytest.mark.parametrize("kind", ["streamed", "one_at_a_time", "fp8_resident", "fp8_streamed"])
def test_loras_and_tiers_under_a_plan(kind: str, folder: Path, inputs: Inputs) -> None:
    video, resident = _laid_out(folder, kind), WanVideo(WanPipeline.from_pretrained(folder), SPEC)
    plain = _jobs()[0].model_copy(update={"loras": ()})

    def frames(video: WanVideo, job: Any) -> np.ndarray:
        return np.stack(list(video.generate(job, ignore, never, inputs)))

    before = frames(video, plain)
    for job in _jobs():
        found = frames(video, job)
        with pytest.raises(Cancelled):
            list(video.generate(job, ignore, Countdown(9), inputs))
        assert np.array_equal(frames(video, job), found)
        assert np.array_equal(frames(video, plain), before), "nothing is left"
        assert not np.array_equal(found, before)
        if not kind.startswith("fp8"):
            assert np.array_equal(found, frames(resident, job)), "where it lies does not change the picture"
