"""The probe: does the picture follow the words? Held-out captions in, a table and a contact sheet out.

`python -m pipelines.sketch.evaluate --model assets/models/sketch --out DIR`
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # two programs at once must not slow each other down

import torch
import torch.nn.functional as F
from diffusers import WanPipeline
from torch import Tensor
from tqdm import tqdm

from pipelines.cpu_conv import use_onednn
from pipelines.sketch import measures
from pipelines.sketch.build import TEXT_TOKENS
from pipelines.sketch.captions import caption
from pipelines.sketch.judge import FORMATS, Format, Judge, load_judge, looked_at, real_clips
from pipelines.sketch.reading import read as sketch_reads
from pipelines.sketch.samples import tiled
from pipelines.sketch.world import ATTRIBUTES, Scene, sample_scene

DEFAULT_MODEL = Path(__file__).resolve().parents[2] / "assets" / "models" / "sketch"
GATES = {"backdrop": 0.95, "time": 0.95, "style": 0.95, "subject": 0.85, "action": 0.85, "weather": 0.85}
LANGUAGES = ("en", "zh")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.sketch.evaluate", description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=DEFAULT_MODEL, help="a WanPipeline folder (%(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/sketch-eval"), help="for table, sheet and judge"
    )
    parser.add_argument(
        "--clips", type=int, default=96, help="held-out scenes, half in each language (%(default)s)"
    )
    parser.add_argument(
        "--others", type=int, default=24, help="clips at each other size and length (%(default)s)"
    )
    parser.add_argument(
        "--as-written", action="store_true",
        help="give captions as they stand, not as the studio reads them (pipelines.sketch.reading)",
    )  # fmt: skip
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--guidance-2", type=float, default=2.5)
    parser.add_argument("--seed", type=int, default=11)
    return parser.parse_args(argv)


def generate(
    pipeline: WanPipeline, text: str, seed: int, args: argparse.Namespace, form: Format = FORMATS[0]
) -> Tensor:
    """One clip [T, 3, H, W] in [0, 1], by the ordinary pipeline."""
    frames = pipeline(
        text, negative_prompt="", height=form.height, width=form.width, num_frames=form.frames,
        num_inference_steps=args.steps, guidance_scale=args.guidance, guidance_scale_2=args.guidance_2,
        max_sequence_length=TEXT_TOKENS, generator=torch.Generator().manual_seed(seed), output_type="pt",
    ).frames  # fmt: skip
    return frames[0]


@dataclass
class Drawn:
    """What the model made of some held-out captions at one format."""

    form: Format
    scenes: list[Scene]
    texts: list[str]
    looks: Tensor
    """[B, 6, 3, H/2, W/2]"""
    seconds: float
    """Median of a clip."""


def draw(pipeline: WanPipeline, form: Format, count: int, args: argparse.Namespace) -> Drawn:
    """Generate `count` clips from held-out captions, every second one Chinese."""
    rng = random.Random(f"{args.seed} {form}")
    scenes = [sample_scene(rng, held_out=True) for _ in range(count)]
    texts = [caption(scene, LANGUAGES[k % 2], rng) for k, scene in enumerate(scenes)]
    looks, spent = [], []
    for k, text in enumerate(tqdm(texts, desc=str(form), mininterval=15)):
        started = time.perf_counter()
        clip = generate(pipeline, text if args.as_written else sketch_reads(text).caption, k, args, form)
        spent.append(time.perf_counter() - started)
        looks.append(F.avg_pool2d(clip[looked_at(form.frames)], 2))
    return Drawn(form, scenes, texts, torch.stack(looks), sorted(spent)[len(spent) // 2])


@torch.no_grad()
def judged(judge: Judge, clips: Tensor) -> dict[str, list[str]]:
    """The judge's word for each attribute of clips [B, 6, 3, H, W]."""
    logits = judge(clips)
    return {
        name: [values[k] for k in logits[name].argmax(-1).tolist()] for name, values in ATTRIBUTES.items()
    }


def read(judge: Judge, neighbours: measures.Neighbours, clips: Tensor) -> dict[str, list[str]]:
    """What clips [B, 6, 3, 96, 160] show: the judge's word for each attribute, and the plain measures'."""
    found = judged(judge, clips)
    found["time, by palette"] = neighbours.vote(clips, "time")
    found["style, by palette"] = neighbours.vote(clips, "style")
    found["way, by path"] = [measures.way(clip) for clip in clips]
    return found


def wanted(scene: Scene, name: str) -> str | None:
    """The value that an attribute or measure should have; None when the scene is no case for it."""
    if name == "way, by path":
        fits = scene.action in measures.WAYS and scene.camera == "still" and scene.weather in ("clear", "fog")
        return scene.action if fits else None
    return getattr(scene, name.split(",")[0])


def scores(scenes: list[Scene], found: dict[str, list[str]], rows: list[int]) -> dict[str, float]:
    """Share of right readings among `rows`, per attribute."""
    out = {}
    for name, values in found.items():
        hits = [
            values[row] == wanted(scenes[row], name) for row in rows if wanted(scenes[row], name) is not None
        ]
        out[name] = sum(hits) / len(hits) if hits else float("nan")
    return out


def majority(scenes: list[Scene], names: list[str]) -> dict[str, float]:
    """What always guessing the most frequent value would reach."""
    out = {}
    for name in names:
        values = [value for scene in scenes if (value := wanted(scene, name)) is not None]
        out[name] = Counter(values).most_common(1)[0][1] / len(values) if values else float("nan")
    return out


def table(columns: dict[str, dict[str, float]]) -> str:
    """A markdown table with attributes as columns and what was measured as rows."""
    names = list(next(iter(columns.values())))
    lines = ["| accuracy | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for title, values in columns.items():
        lines.append(f"| {title} | " + " | ".join(_figure(values.get(name)) for name in names) + " |")
    gates = [f"{GATES[name]:.2f}" if name in GATES else "" for name in names]
    lines.append("| gate | " + " | ".join(gates) + " |")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table, write it with the sheets; exit code 0 if every gate is reached, else 1."""
    args = arguments(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    judge = load_judge(args.out / "judge.safetensors")
    neighbours = measures.Neighbours.fit(args.seed)
    pipeline = WanPipeline.from_pretrained(args.model, dtype=torch.float32)
    use_onednn(pipeline.vae)
    pipeline.set_progress_bar_config(disable=True)
    drawn = draw(pipeline, FORMATS[0], args.clips, args)
    found = read(judge, neighbours, drawn.looks)
    everyone = list(range(args.clips))
    ceiling = scores(drawn.scenes, read(judge, neighbours, real_clips(drawn.scenes)), everyone)
    columns = {
        "real held-out clips (ceiling)": ceiling,
        "generated": scores(drawn.scenes, found, everyone),
        "generated, English": scores(drawn.scenes, found, everyone[0::2]),
        "generated, Chinese": scores(drawn.scenes, found, everyone[1::2]),
        "always the most frequent": majority(drawn.scenes, list(found)),
    }
    others = [draw(pipeline, form, args.others, args) for form in FORMATS[1:]] if args.others else []
    for other in others:
        columns[f"generated, {other.form}"] = scores(
            other.scenes, judged(judge, other.looks), list(range(args.others))
        )
    again = [generate(pipeline, drawn.texts[0], 0, args) for _ in range(2)]
    same = bool(torch.equal(again[0], again[1]))
    reached = all(columns["generated"][name] >= gate for name, gate in GATES.items())
    report = [
        table(columns),
        f"\n{args.clips} held-out captions at {drawn.form} and {args.others} at each other format, "
        f"{args.steps} steps, guidance {args.guidance} and {args.guidance_2}; "
        f"{drawn.seconds:.1f} s a clip on {torch.get_num_threads()} threads; "
        f"the same seed gives the same frames: {'yes' if same else 'NO'}.",
    ]
    print("\n".join(report))
    write(args.out, report, drawn, found, others)
    return 0 if reached and same else 1


def write(
    out: Path, report: list[str], drawn: Drawn, found: dict[str, list[str]], others: list[Drawn]
) -> None:
    """Leave the table, what was read of every clip, and contact sheets in the folder."""
    (out / "table.md").write_text("\n".join(report) + "\n", encoding="utf-8")
    details = [
        {"text": text, "scene": vars(scene), "read": {name: values[k] for name, values in found.items()}}
        for k, (text, scene) in enumerate(zip(drawn.texts, drawn.scenes, strict=True))
    ]
    (out / "details.json").write_text(json.dumps(details, ensure_ascii=False, indent=1), encoding="utf-8")
    for one in (drawn, *others):
        name = f"sheet-{one.form.width}x{one.form.height}-{one.form.frames}.png"
        tiled(one.looks[:24], list(range(one.looks.shape[1]))).save(out / name)


if __name__ == "__main__":
    sys.exit(main())
