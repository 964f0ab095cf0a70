"""The studio's path over a bare WanPipeline call of the same request; cancelling; memory over frames.

Both sides share the weights, the convolution fix, dtype, threads, and write the same frames through the same
encoder with the same label. CPU time of this process and its children, in interleaved pairs.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: spinning threads would be counted as work

import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler

from pipelines import loader
from pipelines.models import MODELS
from pipelines.request import Cancelled, GenerationRequest, Progress
from pipelines.wan import WanVideo
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from tests.tiny_wan import write_tiny_wan

PAIRS = 10
CANCELS = 20
THREADS = 1
# As the sketch model reads it, so that both sides are given the same words.
PROMPT = "a boat sails right at sea at sunset."
SPEC = MODELS["sketch"]


def main() -> None:
    """Print the figures."""
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        weights = "the sketch weights"
        if not (loader.REPOSITORY / SPEC.repo / "model_index.json").is_file():
            write_tiny_wan(home / "models" / SPEC.name)
            weights = "a tiny random Wan"
        video = loader.load(SPEC, home=home, device="cpu")
        request = GenerationRequest(prompt=PROMPT, seed=1)
        print(f"{weights}, {request.size}, {request.num_frames} frames, {request.num_inference_steps} steps, "
              f"{THREADS} thread")  # fmt: skip
        _pairs(video, request, home)
        _cancels(video, request)
        _memory(home)


def _pairs(video: WanVideo, request: GenerationRequest, home: Path) -> None:
    previews: list[int] = []

    def studio() -> str:
        seen = [0]

        def on_progress(progress: Progress) -> None:
            seen[0] += progress.preview is not None

        written = _written(video.generate(request, on_progress, lambda: False), request, home)
        previews.append(seen[0])
        return written

    def bare() -> str:
        return _written(_bare_frames(video, request), request, home)

    same = studio() == bare()
    ratios, walls = [], []
    for pair in range(PAIRS):
        order = (studio, bare) if pair % 2 else (bare, studio)
        cost = {side: _cost(side) for side in order}
        ratios.append(cost[studio][0] / cost[bare][0])
        walls.append(cost[studio][1] / cost[bare][1])
        print(f"  pair {pair + 1}: studio {cost[studio][0]:.2f} s CPU, bare {cost[bare][0]:.2f} s, "
              f"ratio {ratios[-1]:.3f}")  # fmt: skip
    print(f"CPU, studio over bare: median {statistics.median(ratios):.3f} of {PAIRS} pairs "
          f"({min(ratios):.3f} to {max(ratios):.3f}), target 1.02; wall {statistics.median(walls):.3f}; "
          f"{statistics.median(previews):.0f} previews a clip; same file: {same}")  # fmt: skip


def _bare_frames(video: WanVideo, request: GenerationRequest) -> np.ndarray:
    """The clip as diffusers alone makes it: whole decode, float video, then uint8."""
    pipe = video.pipe
    pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config, flow_shift=request.flow_shift)
    ours = {"model", "flow_shift", "seed", "look", "tier", "loras", "first_frame"}
    arguments = request.model_dump(exclude=ours)
    result = pipe(
        **arguments,
        generator=torch.Generator().manual_seed(request.seed),
        max_sequence_length=SPEC.max_sequence_length,
        output_type="np",
    )
    return (result.frames[0] * 255).round().astype(np.uint8)


def _written(frames: object, request: GenerationRequest, home: Path) -> str:
    path = home / "clip.mp4"
    facts = write_clip(
        frames,  # type: ignore[arg-type]
        path=path,
        fps=request.fps,
        comment="{}",
        label=LabelStyle(),
        expected_frames=request.num_frames,
    )
    return facts.sha256


def _cost(side: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds (with children) and wall seconds of one run."""
    cpu, wall = _cpu(), time.monotonic()
    side()
    return _cpu() - cpu, time.monotonic() - wall


def _cpu() -> float:
    uses = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def _cancels(video: WanVideo, request: GenerationRequest) -> None:
    """Wish for a stop at random moments of the denoising; count the blocks that still began."""
    wish = threading.Event()
    began_after = decoded = 0
    wished_at = [0.0]

    def count_block(*_: object) -> None:
        nonlocal began_after
        began_after += wish.is_set()

    def count_chunk(*_: object) -> None:
        nonlocal decoded
        decoded += 1

    def wish_now() -> None:
        wished_at[0] = time.monotonic()
        wish.set()

    pipe = video.pipe
    blocks = [*pipe.transformer.blocks, *pipe.transformer_2.blocks]
    hooks = [block.norm1.register_forward_pre_hook(count_block) for block in blocks]
    hooks.append(pipe.vae.decoder.register_forward_pre_hook(count_chunk))
    most, delays = 0, []
    denoising = _denoising_seconds(video, request)
    draw = random.Random(1)
    decoded = 0
    for _ in range(CANCELS):
        wish.clear()
        began_after = 0
        timer = threading.Timer(draw.uniform(0.05, 0.9) * denoising, wish_now)
        timer.start()
        try:
            for _frame in video.generate(request, lambda _: None, wish.is_set):
                pass
        except Cancelled:
            delays.append(time.monotonic() - wished_at[0])
        timer.join()
        most = max(most, began_after)
    for hook in hooks:
        hook.remove()
    print(f"cancel: {len(delays)} of {CANCELS} acted; blocks begun after the wish: {most} at most; "
          f"latent frames decoded: {decoded}; median {1000 * statistics.median(delays):.0f} ms, "
          f"longest {1000 * max(delays):.0f} ms")  # fmt: skip


def _denoising_seconds(video: WanVideo, request: GenerationRequest) -> float:
    begun = time.monotonic()
    frames = video.generate(request, lambda _: None, lambda: False)
    next(frames)
    frames.close()
    return time.monotonic() - begun


def _memory(home: Path) -> None:
    """Peak RSS of fresh processes, one per frame count and side."""
    for side in ("studio", "bare"):
        peaks = []
        for frames in (SPEC.min_frames, SPEC.max_frames):
            command = [sys.executable, "-m", "bench.pipeline", side, str(frames), str(home)]
            result = subprocess.run(
                command, check=True, capture_output=True, text=True, cwd=loader.REPOSITORY
            )
            peaks.append(float(result.stdout.split()[-1]))
        print(f"peak RSS beyond the loaded model, {side}: {peaks[0]:.0f} MB for {SPEC.min_frames} frames, "
              f"{peaks[1]:.0f} MB for {SPEC.max_frames}")  # fmt: skip


def _one_peak(side: str, frames: int, home: Path) -> None:
    """In a process of its own: print by how many MB making a clip raised its memory for a while (Linux)."""
    torch.set_num_threads(THREADS)
    video = loader.load(SPEC, home=home, device="cpu")
    request = GenerationRequest(prompt=PROMPT, seed=1, num_frames=frames)
    # `ru_maxrss` would not do: a new process inherits its parent's.
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    if side == "studio":
        for _ in video.generate(request, lambda _: None, lambda: False):
            pass
    else:
        _bare_frames(video, request)
    print((_status("VmHWM") - before) / 1024)


def _status(name: str) -> int:
    """A figure of this process in KB, from the kernel."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _one_peak(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
