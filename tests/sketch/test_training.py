"""The training command at toy size: it resumes, and what it writes is an ordinary WanPipeline."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from diffusers import WanPipeline  # noqa: E402

from pipelines.sketch import optim  # noqa: E402
from pipelines.sketch.codec import Z_DIM, PatchCodec, frames_of_all, latent_frames, parity  # noqa: E402
from pipelines.sketch.data import make_shard  # noqa: E402
from pipelines.sketch.train import main  # noqa: E402
from pipelines.sketch.video import draw_noise_levels, weight_of  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def train(run: Path, *more: str) -> int:
    return main(["--recipe", "toy", "--run", str(run), *more])


def step_of(run: Path) -> int:
    return torch.load(run / "high.pt", weights_only=True)["step"]


def test_a_killed_run_goes_on_and_its_model_makes_frames(tmp_path: Path) -> None:
    for stage in ("codec", "data", "words", "places"):
        assert train(tmp_path, "--stage", stage) == 0
    # Time for one step only.
    assert train(tmp_path, "--stage", "high", "--minutes", "0.00001") == 3
    first = step_of(tmp_path)
    assert first < 4
    command = [sys.executable, "-m", "pipelines.sketch.train", "--recipe", "toy", "--run", str(tmp_path)]
    child = subprocess.Popen([*command, "--stage", "high"], cwd=ROOT, stderr=subprocess.DEVNULL)
    time.sleep(1.0)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert first <= step_of(tmp_path) <= 4
    assert train(tmp_path, "--stage", "high") == 0
    assert step_of(tmp_path) == 4
    # A finished stage has nothing left to do.
    assert train(tmp_path, "--stage", "high") == 0
    assert step_of(tmp_path) == 4

    assert train(tmp_path) == 0
    pipeline = WanPipeline.from_pretrained(tmp_path / "model", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    frames = pipeline(
        "a boat at night", height=64, width=64, num_frames=5, num_inference_steps=2, guidance_scale=2.0,
        max_sequence_length=48, generator=torch.Generator().manual_seed(1), output_type="np",
    ).frames  # fmt: skip
    assert frames.shape == (1, 5, 64, 64, 3)
    assert list((tmp_path / "sheets").glob("high-*.png"))
    assert (tmp_path / "model" / "preview.json").exists()


def test_the_code_keeps_the_pipelines_layout() -> None:
    frames = torch.rand(2, 9, 3, 64, 96)
    codec = PatchCodec.fit([frames[:, :4], frames[:, 4:8]])
    latents = codec.encode(frames)
    assert latents.shape == (2, Z_DIM, latent_frames(9), 4, 6)
    assert codec.decode(latents).shape == (2, 9, 3, 32, 48)
    # Causal: what comes later does not change what came before.
    assert torch.allclose(codec.encode(frames[:, :5]), latents[:, :, :2], atol=1e-5)
    assert frames_of_all([0, 1, 3]) == [0, 1, 2, 3, 4, 9, 10, 11, 12]


def test_inside_a_token_the_parity_channels_are_constant() -> None:
    cells = parity(4, 6).unflatten(-1, (3, 2)).unflatten(-3, (2, 2))
    assert (cells == cells[:, :, :1, :, :1]).all()


def test_clips_always_hold_their_first_frame() -> None:
    codec = PatchCodec.fit([torch.rand(8, 4, 3, 64, 64)])
    shard = make_shard(codec, random.Random(0), clips=3, count=3, size=(64, 64), half=True)
    assert (shard.frames[:, 0] == 0).all()
    assert shard.latents.shape == (3, Z_DIM, 3, 4, 4)


@pytest.mark.parametrize(("noise", "low", "high"), [("high", 0.875, 1.0), ("low", 0.02, 0.875)])
def test_noise_levels_stay_with_their_expert(noise: str, low: float, high: float) -> None:
    levels = draw_noise_levels(2000, noise)
    assert low <= levels.min()
    assert levels.max() <= high
    assert (weight_of(levels) >= 1).all()


def test_orthogonalised_matrices_have_even_singular_values() -> None:
    values = torch.linalg.svdvals(optim.orthogonalised(torch.randn(2, 24, 60)))
    assert values.min() > 0.6
    assert values.max() < 1.3
