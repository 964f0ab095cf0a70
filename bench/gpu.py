"""What a card does with Wan of the real size: `python -m bench.gpu` (`--tiny`: every part on a processor).

Random weights (randn: zeros run 13 % faster), CUDA events, medians, all rungs interleaved in one run, errors
against plain eager diffusers. Quality can't be told from random weights, and is not.
"""

import os

os.environ.update(OMP_WAIT_POLICY="PASSIVE", PYTORCH_ALLOC_CONF="expandable_segments:True")  # before torch

import argparse
import contextlib
import gc
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import diffusers
import torch

from bench.gpu_models import A14B, TI2V_5B, TINY, Given, Shot, Subject, build, write_pair
from pipelines import loader, placing
from pipelines.engine import Engine, attention_fails, best_attention, put_on, take_off
from pipelines.memory import Clip, Layout, moments
from pipelines.peaks import peak_of
from pipelines.placement import ORDER, Plan, tiles
from pipelines.request import GenerationRequest, Inputs, Notice
from pipelines.wan import WanVideo, free_memory, is_out_of_memory
from studio.access import Visitor
from studio.core import Studio
from studio.hands import Hand, Orders
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.settings import Settings
from studio.workflows import Maker

PARTS = ("ladder", "clip", "queue", "peaks")
ROUNDS, JOBS, RANK = 5, 10, 64
# The kernel whose distance from the native one tells what bf16 noise is.
_OTHER_KERNEL = "_native_efficient"


class Rung(NamedTuple):
    """One way to run, by what it adds to the one before."""

    name: str
    engine: Engine


class Bench:
    """One run: where, on what, how often, and the lines it prints."""

    def __init__(self, device: str, folder: Path, *, rounds: int, jobs: int, rank: int) -> None:
        self.device, self.folder = device, folder
        self.rounds, self.jobs, self.rank = rounds, jobs, rank
        self.card = device.startswith("cuda")

    def say(self, *cells: object) -> None:
        """A row of a Markdown table."""
        print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)

    def head(self, title: str, *cells: str) -> None:
        """A title and a table's head."""
        print(f"\n### {title}\n", flush=True)
        self.say(*cells)
        self.say(*("---" for _ in cells))

    def milliseconds(self, work: Callable[[], Any]) -> float:
        """How long a piece of work takes: by CUDA events on a card, by the clock elsewhere."""
        if not self.card:
            begun = time.perf_counter()
            work()
            return 1000 * (time.perf_counter() - begun)
        first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        first.record()
        work()
        last.record()
        last.synchronize()
        return float(first.elapsed_time(last))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a tiny random Wan on the processor")
    parser.add_argument("--models", nargs="+", choices=("A14B", "TI2V-5B"), default=["A14B", "TI2V-5B"])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measured forwards a rung (%(default)s)")
    parser.add_argument("--jobs", type=int, default=JOBS, help="jobs of the queue (%(default)s)")
    options = parser.parse_args(arguments)
    if not options.tiny and not torch.cuda.is_available():
        print("no GPU here: not measured. --tiny runs every part on a tiny model.")
        return
    device = "cpu" if options.tiny else "cuda"
    rank = 2 if options.tiny else RANK
    print(f"{time.strftime('%Y-%m-%d')}, {_machine(device)}, torch {torch.__version__}, "
          f"diffusers {diffusers.__version__}, Python {sys.version.split()[0]}")  # fmt: skip
    subjects = [TINY] if options.tiny else [one for one in (A14B, TI2V_5B) if one.name in options.models]
    for subject in subjects:
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(device, Path(folder), rounds=options.rounds, jobs=options.jobs, rank=rank)
            _measure(bench, subject, options.parts)
        gc.collect()
        free_memory()


def _measure(bench: Bench, subject: Subject, parts: Sequence[str]) -> None:
    pipe = build(subject, bench.device, bench.folder / "weights")
    if "ladder" in parts:
        for shot in subject.shots:
            ladder(bench, subject, shot, pipe)
    if "clip" in parts or "queue" in parts:
        video, inputs = _video(bench, subject, pipe)
        if "clip" in parts:
            clips(bench, subject, video, inputs)
        if "queue" in parts:
            queue(bench, subject, video)
        take_off(pipe)
        del video
    if "peaks" in parts:
        del pipe
        free_memory()
        peaks(bench, subject)


# -- one forward -------------------------------------------------------------------------------------------


def rungs(device: str) -> list[Rung]:
    """Plain diffusers first, then one thing more at a time; last another kernel, for the noise it makes."""
    best = best_attention(device)
    found = [Rung("eager diffusers", Engine())]
    names = ("_flash_3", "_flash_3_hub", "_native_cudnn", "flash")
    found += [Rung(f"+ {name}", Engine(name)) for name in names if not attention_fails(name, device)]
    found.append(Rung(f"{best} + fused projections", Engine(best, fused=True)))
    found.append(Rung(f"{best} + compiled blocks", Engine(best, compiled=True)))
    found.append(Rung("exact: all of them", Engine(best, compiled=True, fused=True)))
    if not attention_fails(_OTHER_KERNEL, device):
        found.append(Rung(f"(noise: {_OTHER_KERNEL})", Engine(_OTHER_KERNEL)))
    return found


def ladder(bench: Bench, subject: Subject, shot: Shot, pipe: Any) -> None:
    """Milliseconds of one forward on every rung, in turns, and how far its answer is from eager's."""
    inputs = _forward_inputs(pipe, subject, shot, bench.device)
    times: dict[str, list[float]] = {}
    answers: dict[str, torch.Tensor] = {}
    listed = rungs(bench.device)

    def forward() -> None:
        with torch.no_grad():
            answers[""] = pipe.transformer(**inputs, return_dict=False)[0]

    # The first round compiles and warms up.
    for turn in range(bench.rounds + 1):
        for rung in listed:
            put_on(pipe, rung.engine)
            took = bench.milliseconds(forward)
            take_off(pipe)
            if turn:
                times.setdefault(rung.name, []).append(took)
            else:
                answers[rung.name] = answers[""].float().cpu()
    title = f"{subject.name} {shot.name}: one forward of one expert, median of {bench.rounds}"
    bench.head(title, "rung", "ms", "eager over it", "it over floor", "error against eager")
    eager, plain = statistics.median(times[listed[0].name]), answers[listed[0].name]
    for rung in listed:
        median = statistics.median(times[rung.name])
        error = float((answers[rung.name] - plain).norm() / plain.norm())
        bench.say(rung.name, f"{median:.1f}", f"{eager / median:.2f}",
                  f"{median / shot.floor_ms:.2f}" if shot.pflop else "–", f"{error:.1e}")  # fmt: skip


def _forward_inputs(pipe: Any, subject: Subject, shot: Shot, device: str) -> dict[str, torch.Tensor]:
    model, vae = pipe.transformer, pipe.vae.config
    kind = model.patch_embedding.weight.dtype
    frames = (shot.frames - 1) // vae.scale_factor_temporal + 1
    across, down = shot.size.width // vae.scale_factor_spatial, shot.size.height // vae.scale_factor_spatial
    noise = torch.Generator().manual_seed(0)
    latents = torch.randn(1, model.config.in_channels, frames, down, across, generator=noise)
    text = torch.randn(1, subject.spec.max_sequence_length, model.config.text_dim, generator=noise) * 0.1
    return {
        "hidden_states": latents.to(device, kind),
        "timestep": torch.tensor([900.0], device=device),
        "encoder_hidden_states": text.to(device, kind),
    }


# -- whole clips -------------------------------------------------------------------------------------------


def _video(bench: Bench, subject: Subject, pipe: Any) -> tuple[WanVideo, Inputs]:
    """The exact engine on the pipeline, prompts embedded already, and the files of the distilled pair."""
    engine = Engine(best_attention(bench.device), compiled=bench.card, fused=bench.card)
    made: dict[str, Any] = {}
    pair = subject.spec.distilled
    if pair is not None:
        made[pair.name] = write_pair(bench.folder / "loras" / pair.name, pipe, rank=bench.rank)
    engine = put_on(pipe, engine)
    given = Given(pipe.transformer.config.text_dim, subject.spec.max_sequence_length)
    return WanVideo(pipe, subject.spec, engine=engine, kept=given), Inputs(loras=made)


def _asked(subject: Subject, shot: Shot, seed: int = 1) -> GenerationRequest:
    """Four steps without guidance: with the distilled pair where the model has one."""
    spec = subject.spec
    way: dict[str, Any] = {"tier": "fast"}
    if spec.distilled is None:
        way = {"num_inference_steps": 4, "guidance_scale": 1.0}
    asked = GenerationRequest(prompt="a boat at sea", model=spec.name, seed=seed, **way)
    sizes = {"width": shot.size.width, "height": shot.size.height, "num_frames": shot.frames}
    return asked.model_copy(update=sizes)


def clips(bench: Bench, subject: Subject, video: WanVideo, inputs: Inputs) -> None:
    """From the embedded prompt to a playable MP4 in four steps, each size once warm."""
    bench.head(f"{subject.name}: four steps, embedded prompt to playable MP4", "size", "denoised s", "MP4 s",
               "times DiT floor")  # fmt: skip
    for shot in subject.shots:
        asked = _asked(subject, shot)
        for warm in (False, True):
            denoised: list[float] = []
            begun = time.monotonic()

            def on_progress(progress: Any, begun: float = begun, denoised: list[float] = denoised) -> None:
                if progress.stage == "decoding" and not denoised:
                    denoised.append(time.monotonic() - begun)

            write_clip(
                video.generate(asked, on_progress, lambda: False, inputs),
                path=bench.folder / "clip.mp4",
                fps=asked.fps,
                comment="{}",
                label=LabelStyle(),
                expected_frames=asked.num_frames,
            )
            took = time.monotonic() - begun
            if warm:
                floor = 4 * shot.floor_ms / 1000
                ratio = f"{took / floor:.2f}" if floor else "–"
                bench.say(shot.name, f"{denoised[0]:.2f}", f"{took:.2f}", ratio)


# -- a queue -----------------------------------------------------------------------------------------------


def queue(bench: Bench, subject: Subject, video: WanVideo) -> None:
    """Ten jobs through the studio's own worker path: checked, labelled, encoded, signed, published."""
    home, spec = bench.folder / "home", subject.spec
    # The weights are made in memory by this process's own worker: none is looked for on the disk.
    settings = Settings(
        studio_home=home, open_demo=True, local_worker=False, model=spec.name, device=bench.device
    )
    studio = Studio(settings)
    if (bench.folder / "loras").is_dir():
        shutil.copytree(bench.folder / "loras", home / "loras", dirs_exist_ok=True)
    shot = subject.shots[0] if subject is not TINY else Shot("", spec.sizes[0], spec.min_frames, 0.0)
    way: dict[str, Any] = {"tier": "fast"}
    if spec.distilled is None:
        way = {"num_inference_steps": 4, "guidance_scale": 1.0}
    size = f"{shot.size.width}x{shot.size.height}"
    common = {"prompt": "a boat at sea", "model": spec.name, "size": size, "num_frames": shot.frames, **way}
    for seed in range(bench.jobs):
        studio.generate(Visitor(owner="bench", admin=False), seed=seed, **common)
    orders, held = Orders(), [0.0]
    maker = Maker(settings, studio.engine, orders)
    hand = Hand("clip", maker.claims, orders, maker.make)
    video.generate = _clocked(video.generate, held)  # type: ignore[method-assign]
    loader._resident = loader._Resident(spec, home, loader.resolve_device(bench.device), video)
    begun, made, busy = time.monotonic(), 0, _Utilization(bench.card)
    with busy:
        while job := hand.claim(f"ticket-{made}"):
            hand.make(job, f"ticket-{made}")
            made += 1
        hand.wait(600)
    wall = time.monotonic() - begun
    loader._resident = None
    bench.head(f"{subject.name}: a queue of {bench.jobs} four-step jobs", "done", "wall s", "s a job",
               "rendering, share of wall", "GPU busy (nvidia-smi)")  # fmt: skip
    done = len(studio.jobs.list(states=("done",), limit=bench.jobs))
    bench.say(done, f"{wall:.1f}", f"{wall / max(1, made):.1f}",
              f"{held[0] / wall:.1%}", busy.told())  # fmt: skip


def _clocked(generate: Callable[..., Iterator[Any]], held: list[float]) -> Callable[..., Iterator[Any]]:
    """The same, adding up the seconds in which a clip was rendered, its encoder included."""

    def clocked(*arguments: Any) -> Iterator[Any]:
        begun = time.monotonic()
        try:
            yield from generate(*arguments)
        finally:
            held[0] += time.monotonic() - begun

    return clocked


class _Utilization:
    """The share of time in which a kernel ran, as the driver tells it."""

    def __init__(self, card: bool) -> None:
        self._card, self._seen = card, []  # type: ignore[var-annotated]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "_Utilization":
        if self._card:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._card:
            self._thread.join()

    def _look(self) -> None:
        command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-i", "0"]
        while not self._done.wait(0.2):
            with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
                told = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
                self._seen.append(float(told.stdout.split()[0]))

    def told(self) -> str:
        """The mean of what was seen."""
        return f"{statistics.mean(self._seen):.0f} %" if self._seen else "not measured"


# -- peak memory of each plan ------------------------------------------------------------------------------


def peaks(bench: Bench, subject: Subject) -> None:
    """How full each plan makes the card, beside its prediction. The text encoder is left out of both."""
    bench.head(
        f"{subject.name}: peak memory of each plan", "plan", "size", "predicted GB", "measured GB", "off by"
    )
    shot = subject.shots[-1]
    for kind in ORDER:
        # It needs files of its own, and random ones of that format can't be made without its library.
        if kind == "gguf" or (kind == "resident" and not bench.card):
            continue
        try:
            _one_peak(bench, subject, shot, kind)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            bench.say(kind, shot.name, "–", "did not fit", "–")
        gc.collect()
        free_memory()


def _one_peak(bench: Bench, subject: Subject, shot: Shot, kind: Any) -> None:
    layout = Layout(kind, "stays" if kind == "resident" else "visits")
    plan = Plan(kind, Notice("plan_" + kind), usable_gb=1e6, layout=layout)
    # Built in main memory; the plan brings to the card what belongs there.
    pipe = build(subject, "cpu", bench.folder / "again")
    pipe.text_encoder = None
    for name in ("transformer", "transformer_2"):
        part = getattr(pipe, name)
        if part is not None:
            setattr(pipe, name, placing._lay_out(part, plan, bench.device))
    placing._lay_out_the_rest(pipe, plan, bench.device)
    engine = put_on(pipe, Engine(best_attention(bench.device), compiled=False, fused=False))
    given = Given(pipe.transformer.config.text_dim, subject.spec.max_sequence_length)
    video = WanVideo(pipe, subject.spec, engine=engine, plan=plan, kept=given)
    asked = _asked(subject, shot).model_copy(update={"tier": "exact", "num_inference_steps": 2})
    # The moment in which the prompt is read does not come here.
    clip = Clip(shot.size, shot.frames)
    ahead = moments(layout, subject.spec, clip, tiled=tiles(plan, subject.spec, clip), pictured=False)
    found = replace(peak_of(video, asked), predicted_gb=max(ahead.denoising, ahead.decoding))
    measured = "not measured" if found.measured_gb is None else f"{found.measured_gb:.1f}"
    off = "–" if found.error is None else f"{found.error:+.0%}"
    bench.say(kind, shot.name, f"{found.predicted_gb:.1f}", measured, off)


def _machine(device: str) -> str:
    return torch.cuda.get_device_name() if device.startswith("cuda") else f"{os.cpu_count()} processor cores"


if __name__ == "__main__":
    code = 1
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not by itself: the processes that compile for torch may keep a finished one waiting for ever.
    os._exit(code)
