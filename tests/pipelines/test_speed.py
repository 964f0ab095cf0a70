"""Tiers and LoRAs on the tiny Wan: what each changes, and that nothing of it is left for the next clip."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import WanPipeline

from pipelines import speed
from pipelines.engine import Engine, best, best_attention, put_on, take_off
from pipelines.models import MODELS
from pipelines.request import Cancelled, GenerationRequest, Inputs, LoraUse, ModelError, Progress
from pipelines.schedulers import distilled, scheduler_for
from pipelines.wan import WanVideo
from tests.pipelines.clips import Countdown, bare, ignore, never
from tests.tiny_lora import write_lora, write_pair
from tests.tiny_wan import tiny_request, write_tiny_wan

SPEC = MODELS["wan2.2-t2v-a14b"]
PAIR = SPEC.distilled


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_wan(tmp_path_factory.mktemp("a14b"))


@pytest.fixture(scope="module")
def loras(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """The distilled pair, two LoRAs of the same shape, and one of another rank."""
    root = tmp_path_factory.mktemp("loras")
    assert PAIR is not None
    made = {PAIR.name: write_pair(root / PAIR.name, seed=1), "grain": write_pair(root / "grain", seed=2)}
    made["pan"] = write_pair(root / "pan", seed=3)
    made["wide"] = write_pair(root / "wide", rank=4, seed=4)
    return Inputs(loras=made | {"one": (write_lora(root / "one" / "high.safetensors", own=True), None)})


@pytest.fixture(scope="module")
def video(folder: Path) -> WanVideo:
    return _video(folder)


def _video(folder: Path, engine: Engine | None = None) -> WanVideo:
    pipe = WanPipeline.from_pretrained(folder)
    if engine is not None:
        put_on(pipe, engine)
    return WanVideo(pipe, SPEC, engine=engine or Engine())


def _asked(tier: str = "exact", *uses: str, **changes: Any) -> GenerationRequest:
    steps = {"fast": 4, "draft": 3}.get(tier, 8)
    more = {"guidance_scale": 1.0, "guidance_scale_2": 1.0} if tier == "fast" else {}
    named = tuple(LoraUse(name=name) for name in uses)
    asked = {"model": SPEC.name, "tier": tier, "loras": named, "num_inference_steps": steps, "num_frames": 5}
    return tiny_request(**{"guidance_scale_2": 3.0, **asked, **more, **changes})


def _frames(video: WanVideo, request: GenerationRequest, inputs: Inputs) -> np.ndarray:
    return np.stack(list(video.generate(request, ignore, never, inputs)))


def _jobs() -> list[GenerationRequest]:
    grain = (LoraUse(name="grain", high=0.5, low=0.0),)
    return [
        _asked("balanced"),
        _asked("fast"),
        _asked("draft"),
        _asked("exact", "grain"),
        _asked("exact", "pan", "grain"),
        _asked("balanced", "wide"),
        _asked("fast", "one"),
        _asked("exact").model_copy(update={"loras": grain}),
    ]


@pytest.fixture(scope="module")
def fresh(folder: Path, loras: Inputs) -> list[bytes]:
    """Every job's pixels on a pipeline that has made nothing before; the plain job's come first."""
    return [_frames(_video(folder), job, loras).tobytes() for job in [_asked(), *_jobs()]]


def test_every_tier_and_every_lora_make_another_picture(fresh: list[bytes]) -> None:
    assert len(set(fresh)) == len(fresh)


def test_exact_is_what_diffusers_makes(video: WanVideo, loras: Inputs) -> None:
    assert np.array_equal(_frames(video, _asked(), loras), bare(video, _asked()))


def test_no_tier_and_no_lora_leaves_a_trace_in_the_next_clip(
    folder: Path, loras: Inputs, fresh: list[bytes]
) -> None:
    video, jobs = _video(folder), _jobs()
    for place, job in enumerate(jobs):
        assert _frames(video, job, loras).tobytes() == fresh[place + 1], job
        assert _frames(video, _asked(), loras).tobytes() == fresh[0], job
    # And each right after each other: what is kept between jobs is what swaps.
    for place, job in reversed(list(enumerate(jobs))):
        assert _frames(video, job, loras).tobytes() == fresh[place + 1], job


class Broken(Exception):
    pass


def _break_at(step: int) -> Callable[[Progress], None]:
    def on_progress(progress: Progress) -> None:
        if progress.step == step:
            raise Broken

    return on_progress


@pytest.mark.parametrize("place", range(8))
def test_nothing_is_left_of_a_job_that_broke_off(
    place: int, folder: Path, loras: Inputs, fresh: list[bytes]
) -> None:
    video, job = _video(folder), _jobs()[place]
    with pytest.raises(Cancelled):
        list(video.generate(job, ignore, Countdown(9), loras))
    assert _frames(video, _asked(), loras).tobytes() == fresh[0]
    with pytest.raises(Broken):
        list(video.generate(job, _break_at(2), never, loras))
    assert _frames(video, job, loras).tobytes() == fresh[place + 1]
    frames = video.generate(job, ignore, never, loras)
    next(frames)
    frames.close()
    assert _frames(video, _asked(), loras).tobytes() == fresh[0]


@pytest.fixture
def forwards(video: WanVideo) -> Iterator[dict[str, int]]:
    """How often each expert's first block was computed."""
    counts = {"high": 0, "low": 0}

    def counted(name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any, **named: Any) -> Any:
            counts[name] += 1
            return forward(*arguments, **named)

        return count

    firsts = {"high": video.pipe.transformer.blocks[0], "low": video.pipe.transformer_2.blocks[0]}
    for name, block in firsts.items():
        block.forward = counted(name, block.forward)
    yield counts
    for block in firsts.values():
        del block.forward


def test_guidance_is_gated_in_the_second_half_and_anew_at_the_switch(
    video: WanVideo, loras: Inputs, forwards: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = {"num_inference_steps": 16, "flow_shift": 12.0}
    _frames(video, _asked("exact", **steps), loras)
    exact = dict(forwards)
    assert sum(exact.values()) == 32
    assert exact["high"] > 16, "the switch comes after the middle"
    forwards.update(high=0, low=0)
    # No step may count as small: then the step cache computes everything, and only the gate saves.
    monkeypatch.setattr(speed, "_THRESHOLD", 0.0)
    _frames(video, _asked("balanced", **steps), loras)
    high, low = exact["high"] // 2, exact["low"] // 2
    assert forwards == {"high": 8 * 2 + (high - 8), "low": low + 1}


def test_balanced_computes_fewer_blocks_on_both_experts(
    video: WanVideo, loras: Inputs, forwards: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "_THRESHOLD", 100.0)
    monkeypatch.setattr(speed, "GATE_AFTER", 2.0)
    steps = {"num_inference_steps": 16, "flow_shift": 12.0}
    _frames(video, _asked("exact", **steps), loras)
    exact = dict(forwards)
    forwards.update(high=0, low=0)
    _frames(video, _asked("balanced", **steps), loras)
    assert forwards["high"] < exact["high"]
    assert forwards["low"] < exact["low"]


def test_the_gate_alone_is_guidance_while_the_delta_stays(
    video: WanVideo, loras: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "_THRESHOLD", 0.0)
    monkeypatch.setattr(speed, "GATE_AFTER", 2.0)
    exact, off = (_frames(video, _asked(tier), loras) for tier in ("exact", "balanced"))
    assert np.array_equal(exact, off), "a gate that never closes changes nothing"
    monkeypatch.setattr(speed, "GATE_AFTER", 0.5)
    # With the same words on both sides guidance adds nothing, whenever it was computed.
    same = {"negative_prompt": tiny_request().prompt}
    exact, gated = (_frames(video, _asked(tier, **same), loras) for tier in ("exact", "balanced"))
    assert np.abs(exact.astype(int) - gated).max() <= 1


def test_fast_takes_the_taught_timesteps_with_one_forward_a_step(
    video: WanVideo, loras: Inputs, forwards: dict[str, int]
) -> None:
    scheduler = scheduler_for(_asked("fast"), SPEC, video.pipe.scheduler.config)
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == pytest.approx([1000, 937.5, 833.3333, 625])
    assert scheduler.sigmas.tolist() == pytest.approx([1, 0.9375, 0.8333333, 0.625, 0])
    _frames(video, _asked("fast"), loras)
    assert forwards == {"high": 2, "low": 2}


def test_the_distilled_scheduler_is_plain_euler_and_keeps_its_clean_estimate() -> None:
    scheduler = distilled((1000.0, 500.0))
    scheduler.set_timesteps(2)
    noise, clean = torch.randn(1, 4, 2, 3, 3), torch.randn(1, 4, 2, 3, 3)
    x = noise
    for timestep in scheduler.timesteps:
        flow = (noise - clean).to(torch.bfloat16)
        x = scheduler.step(flow, timestep, x, return_dict=False)[0]
        assert x.dtype == torch.float32
        assert torch.allclose(scheduler.model_outputs[-1], clean, atol=0.05)
    assert torch.allclose(x, clean, atol=0.05)
    with pytest.raises(ValueError, match="were taught"):
        scheduler.set_timesteps(3)


def test_previews_come_in_the_fast_tier_too(
    video: WanVideo, loras: Inputs, every_preview: list[torch.Tensor]
) -> None:
    _frames(video, _asked("fast"), loras)
    assert len(every_preview) == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "engine", [Engine(fused=True), Engine(attention="_native_math"), Engine(fused=True, compiled=True)]
)
def test_an_engine_makes_the_same_pictures_in_every_tier(
    engine: Engine, folder: Path, loras: Inputs, fresh: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_ = torch.compile
    # As traced, not translated: what is looked at here is what is compiled, and how often.
    graphs: list[int] = []

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        graphs.append(1)
        return graph.forward

    monkeypatch.setattr(torch, "compile", lambda part, **more: compile_(part, backend=backend, **more))
    torch._dynamo.reset()
    video = _video(folder, engine)
    shape = (5, 64, 64, 3)
    for place, job in enumerate([_asked(), *_jobs(), _asked()]):
        expected = np.frombuffer(fresh[place % len(fresh)], np.uint8).reshape(shape)
        assert np.abs(_frames(video, job, loras).astype(int) - expected).max() <= 2, (place, job)
    if engine.compiled:
        kinds = len(graphs)
        assert 1 <= kinds <= 12, "one graph for all blocks of both experts, one more for each set of LoRAs"
        for job in [_asked(), *_jobs()]:
            _frames(video, job, loras)
        assert len(graphs) == kinds, "nothing is compiled twice"
    with pytest.raises(Cancelled):
        list(video.generate(_asked(), ignore, Countdown(9), loras))
    take_off(video.pipe)
    assert _frames(video, _asked(), loras).tobytes() == fresh[0]


def test_fused_projections_hold_nothing_twice(folder: Path) -> None:
    pipe = WanPipeline.from_pretrained(folder)
    put_on(pipe, Engine(fused=True))
    attention = pipe.transformer.blocks[0].attn1
    assert (
        attention.to_q.weight.untyped_storage().data_ptr()
        == attention.to_qkv.weight.untyped_storage().data_ptr()
    )
    cross = pipe.transformer.blocks[0].attn2
    assert cross.to_v.weight.untyped_storage().data_ptr() == cross.to_kv.weight.untyped_storage().data_ptr()


def test_an_engine_leaves_out_what_a_placement_does_not_bear(folder: Path, loras: Inputs) -> None:
    whole = Engine(fused=True, compiled=True)
    cast = WanPipeline.from_pretrained(folder)
    for expert in (cast.transformer, cast.transformer_2):
        expert.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float32)
    assert put_on(cast, whole) == Engine()
    streamed = WanPipeline.from_pretrained(folder)
    for expert in (streamed.transformer, streamed.transformer_2):
        expert.enable_group_offload(
            onload_device=torch.device("cpu"), offload_type="block_level", num_blocks_per_group=1
        )
    plain = _frames(WanVideo(streamed, SPEC), _asked(), loras)
    compiled = put_on(streamed, Engine(compiled=True))
    assert compiled == Engine(compiled=True)
    innermost = streamed.transformer.blocks[0]._diffusers_hook._fn_refs[0]
    assert any(
        hasattr(one, "_torchdynamo_orig_callable") for one in (innermost.forward, innermost.original_forward)
    )
    take_off(streamed)
    assert np.array_equal(_frames(WanVideo(streamed, SPEC), _asked(), loras), plain)


def test_a_machine_without_a_card_runs_plain() -> None:
    assert best("cpu", resident=True) == Engine()
    assert best_attention("cpu") == "native"


# -- LoRAs -------------------------------------------------------------------------------------------------


def test_strength_is_each_experts_own(video: WanVideo, loras: Inputs) -> None:
    def asked(high: float, low: float) -> GenerationRequest:
        return _asked().model_copy(update={"loras": (LoraUse(name="grain", high=high, low=low),)})

    clips = [_frames(video, asked(*pair), loras).tobytes() for pair in ((1, 0), (0, 1), (0.5, 1), (0, 0))]
    assert len(set(clips)) == 4
    assert clips[3] == _frames(video, _asked(), loras).tobytes()


def test_a_lora_of_the_same_shape_is_swapped_in_place(folder: Path, loras: Inputs, caplog: Any) -> None:
    video = _video(folder)
    layer = "blocks.0.attn1.to_q"
    with caplog.at_level("INFO"):
        _frames(video, _asked("exact", "grain"), loras)
        first = video.pipe.transformer.get_submodule(layer)
        _frames(video, _asked("exact", "grain"), loras)
        assert caplog.text.count("loaded") == 2, "once for each expert"
        _frames(video, _asked("exact", "pan"), loras)
        assert caplog.text.count("swapped in") == 2
        assert video.pipe.transformer.get_submodule(layer) is first
        _frames(video, _asked("exact", "wide"), loras)
        assert video.pipe.transformer.get_submodule(layer) is not first


def test_a_lora_of_another_model_says_so_and_leaves_nothing(
    folder: Path, loras: Inputs, tmp_path: Path, fresh: list[bytes]
) -> None:
    video = _video(folder)
    other = write_lora(tmp_path / "other" / "high.safetensors", width=3072)
    with pytest.raises(ModelError) as caught:
        _frames(
            video, _asked("exact", "grain", "other"), Inputs(loras={**loras.loras, "other": (other, None)})
        )
    assert caught.value.notice.code == "lora_misfit"
    assert caught.value.notice.values["allowed"] == "Wan2.2 TI2V-5B"
    text = tmp_path / "text" / "high.safetensors"
    text.parent.mkdir()
    text.write_text("no tensors at all")
    with pytest.raises(ModelError, match="lora_broken"):
        _frames(video, _asked("exact", "text"), Inputs(loras={"text": (text, None)}))
    with pytest.raises(ModelError, match="lora_gone"):
        _frames(video, _asked("exact", "nowhere"), Inputs(loras={"nowhere": (tmp_path / "x", None)}))
    assert _frames(video, _asked(), loras).tobytes() == fresh[0]


def test_a_file_that_was_changed_is_loaded_anew(folder: Path, tmp_path: Path) -> None:
    video = _video(folder)
    inputs = Inputs(loras={"grain": write_pair(tmp_path / "grain", seed=1)})
    before = _frames(video, _asked("exact", "grain"), inputs)
    write_pair(tmp_path / "grain", seed=9)
    assert not np.array_equal(_frames(video, _asked("exact", "grain"), inputs), before)
