"""Trains the sketch model from nothing: `python -m pipelines.sketch.train`. Stop it at will; it goes on."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DEFAULT_RUN = Path("~/.cache/wan-studio/sketch-run").expanduser()
STAGES = ("codec", "data", "words", "places", "decoder", "high", "low", "export")
_ABOUT = """
Trains the embedded text-to-video model on scenes that are rendered here; no download, no data set.

Stages, in order (the default, --stage all, does each that is not done yet):
  codec    fits the linear code of pixel blocks (seconds)
  data     renders captioned scenes and keeps their codes
  words    tokenizer and text encoder, by telling every attribute of a caption
  places   the transformer's first lesson: where every token of pure noise is
  decoder  the VAE's decoder, from codes back to pictures
  high     the high-noise expert, which decides what is where and how it moves
  low      the low-noise expert, which makes it clean
  export   writes the WanPipeline folder

Everything is kept in the run folder and saved every few minutes: the same command after a stop or a kill
goes on where it was. On the CPU recipe decoder and high, then low, run two at a time, each on one thread; on
the GPU recipe one after the other, on the card. Sample sheets appear in
RUN/sheets. Weights can be exported at any time with --stage export.
"""


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.sketch.train", description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--recipe", choices=("cpu", "gpu", "toy"), default="cpu",
        help="cpu: two cores, about three hours; gpu: one H200, about 20 minutes; toy: seconds, for tests",
    )  # fmt: skip
    parser.add_argument(
        "--run", type=Path, default=DEFAULT_RUN, help="where everything is kept (%(default)s)"
    )
    parser.add_argument("--out", type=Path, help="where the model folder is written (RUN/model)")
    parser.add_argument("--stage", choices=("all", *STAGES), default="all", help="do only this stage")
    parser.add_argument("--minutes", type=float, help="stop this slice after so long; the next one goes on")
    parser.add_argument(
        "--start", type=Path,
        help="run folder of an earlier training: take its code, words, decoder and experts, and train the "
        "experts on; for a world that was changed a little",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="decides data, weights and order (%(default)s)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the stages that are asked for. Exit code 0: all done; 3: time is up, run again to go on."""
    args = arguments(argv)
    started = time.monotonic()
    _quiet_threads()

    from pipelines.sketch.recipes import RECIPES
    from pipelines.sketch.stages import Run

    until = started + 60 * args.minutes if args.minutes else float("inf")
    recipe = RECIPES[args.recipe]
    run = Run(recipe, args.run, args.seed, until, args.start)
    out = args.out or args.run / "model"
    if args.stage != "all":
        return 0 if _stage(run, args.stage, out) else 3
    for stage in ("codec", "data", "words", "places"):
        if not _stage(run, stage, out) or time.monotonic() > until:
            return 3
    lanes = (("high",), ("decoder", "low"))
    if recipe.side_by_side:
        done = _lanes(args, lanes)
    else:
        done = all(_stage(run, stage, out) for lane in lanes for stage in lane)
    run.export(out)
    if not done:
        return 3
    return 0


def _stage(run: object, stage: str, out: Path) -> bool:
    """One stage; False when it ran out of time."""
    if stage in ("high", "low"):
        return run.expert(stage)
    if stage == "export":
        run.export(out)
        return True
    return getattr(run, stage)() is not False


def _lanes(args: argparse.Namespace, lanes: tuple[tuple[str, ...], ...]) -> bool:
    """Lanes side by side, each a chain of one-thread processes: that beats one process of two threads."""
    command = [
        sys.executable,
        "-m",
        "pipelines.sketch.train",
        "--recipe",
        args.recipe,
        "--seed",
        str(args.seed),
    ]
    command += ["--run", str(args.run)]
    if args.start:
        command += ["--start", str(args.start)]
    if args.minutes:
        command += ["--minutes", str(args.minutes)]
    with ThreadPoolExecutor(len(lanes)) as pool:
        chains = [
            pool.submit(lambda lane: [subprocess.call([*command, "--stage", stage]) for stage in lane], lane)
            for lane in lanes
        ]
        return all(code == 0 for chain in chains for code in chain.result())


def _quiet_threads() -> None:
    """Waiting threads must sleep, not spin, or two processes on two cores slow each other down."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", "1")


if __name__ == "__main__":
    sys.exit(main())
