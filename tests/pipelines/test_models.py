"""The table of models: facts that are easy to get wrong, and rules that every row keeps."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.models import DEFAULT_MODEL, MODELS, QUALITIES, ModelSpec, Size

ROOT = Path(__file__).resolve().parents[2]
HERE = [spec for spec in MODELS.values() if spec.cloud is None]
each_model = pytest.mark.parametrize("spec", HERE, ids=[spec.name for spec in HERE])


@each_model
def test_every_row_keeps_the_rules(spec: ModelSpec) -> None:
    assert MODELS[spec.name] is spec
    assert set(spec.sampling) == set(QUALITIES)
    frames = spec.legal_frames()
    assert (frames[0], frames[-1]) == (spec.min_frames, spec.max_frames)
    assert all(count % 4 == 1 for count in frames)
    assert spec.default_frames in frames
    # Below this WanPipeline would round the size down in silence.
    multiple = 32 if spec.name in ("sketch", "wan2.2-ti2v-5b") else 16
    assert all(side % multiple == 0 for size in spec.sizes for side in size)
    steps = [spec.sampling[quality].num_inference_steps for quality in QUALITIES]
    assert steps == sorted(steps)
    assert all((s.guidance_scale_2 is not None) == spec.two_experts for s in spec.sampling.values())
    assert spec.licence
    assert spec.embedded == (not spec.repo.startswith("Wan-AI/"))


def test_a14b_is_sampled_as_its_makers_do() -> None:
    spec = MODELS["wan2.2-t2v-a14b"]
    final = spec.sampling["final"]
    assert (final.num_inference_steps, final.flow_shift) == (40, 12.0)
    # 4.0 is the high-noise expert's, 3.0 the low-noise one's; the other way round is the usual mistake.
    assert (final.guidance_scale, final.guidance_scale_2) == (4.0, 3.0)
    assert (spec.fps, spec.default_frames, spec.max_frames) == (16, 81, 81)


@each_model
def test_seconds_become_the_nearest_legal_frame_count(spec: ModelSpec) -> None:
    assert spec.frames_for(0) == spec.min_frames
    assert spec.frames_for(3600) == spec.max_frames
    for frames in spec.legal_frames():
        assert spec.frames_for((frames - 1) / spec.fps) == frames


def test_five_seconds_of_a14b_are_81_frames() -> None:
    assert MODELS["wan2.2-t2v-a14b"].frames_for(5) == 81


def test_a_size_reads_as_people_write_it() -> None:
    assert str(Size(832, 480)) == "832×480"


def test_the_shipped_model_is_the_default() -> None:
    assert MODELS[DEFAULT_MODEL].embedded


def test_the_vocabulary_needs_no_torch() -> None:
    code = (
        "import sys, pipelines.models, pipelines.request, pipelines.placement;"
        "assert not {'torch', 'diffusers', 'transformers', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
