"""Which memory plan fits which machine, in words. No torch here: the page shows it before anything is loaded.

`python -m pipelines.placement wan2.2-t2v-a14b --vram 24 --ram 64` says what would happen on any machine.
"""

import argparse
import itertools
import json
import math
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pipelines.gguf_files import Gguf
from pipelines.memory import (
    NOTHING,
    Clip,
    Extras,
    Kind,
    Layout,
    TextEncoder,
    clips,
    decode_gb,
    denoise_gb,
    fullness,
    lora_gb,
    main_memory_gb,
    moments,
    system_gb,
)
from pipelines.models import MODELS, TIERS, ModelSpec, Size
from pipelines.request import Notice

ORDER: tuple[Kind, ...] = (
    "resident", "resident_after_prompt", "one_at_a_time", "streamed",
    "fp8_resident", "fp8_one_at_a_time", "fp8_streamed", "gguf",
)  # fmt: skip
"""The plans for a card, best first: those that change no weight before those that do, then by speed."""

# torch's allocator cuts what is free into pieces: what of it a plan may fill.
_USABLE = 0.96
# What the driver and CUDA keep of a card, and firmware and kernel of main memory: neither is ever free.
_CARD_KEEPS_GB, _RAM_SEEN = 0.5, 0.97
# Cards as they are sold, in GB; what the page names when it says which card a model needs.
CARDS = (8, 12, 16, 24, 32, 48, 80, 141)
MEMORIES = (16, 32, 64, 128, 256)
_MOST_GB = 100_000
_PAIR_RANK, _MOST_RANK = 64, 4096
_WORDS = Path(__file__).resolve().parent.parent / "assets" / "words"


@dataclass(frozen=True)
class Plan:
    """Where the parts of a model live while it works, and why, to be worded for a person.

    resident               every part stays on the card
    resident_after_prompt  the same, but the text encoder only comes for a new prompt
    one_at_a_time          in main memory; one part at a time comes to the card, each expert once a job
    streamed               in main memory; an expert's blocks come to the card while those before them work
    fp8_...                the same with the experts' weights in 8 bits: half the memory, a little less exact
                           (`fp8_resident` lets the text encoder only visit)
    gguf                   the experts from GGUF files (4 to 8 bits), one at a time
    cpu                    everything on the processor
    elsewhere              nothing runs here: the model is a cloud's
    does_not_fit           no plan works, not even for the smallest clip

    `card_gb` is the predicted peak for `largest`, the largest clip that the plan makes (None if none),
    `ram_gb` what it takes of main memory (what the system keeps comes on top), `usable_gb` what of the card a
    plan may fill; GB of 2^30 bytes.
    """

    kind: Literal[Kind, "cpu", "elsewhere", "does_not_fit"]
    why: Notice
    card_gb: float = 0.0
    ram_gb: float = 0.0
    usable_gb: float = 0.0
    largest: Clip | None = None
    layout: Layout | None = None

    @property
    def fits(self) -> bool:
        """Whether the model can run."""
        return self.kind != "does_not_fit"

    @property
    def stays(self) -> bool:
        """Whether the experts stay on their device, with weights as they were published."""
        return self.kind in ("resident", "resident_after_prompt", "cpu")


def plan(
    spec: ModelSpec,
    *,
    vram_gb: float | None,
    ram_gb: float,
    clip: Clip | None = None,
    gguf: Gguf | None = None,
    extras: Extras = NOTHING,
) -> Plan:
    """The best plan for a model on a card with `vram_gb` free (None: no GPU), beside `ram_gb` of main memory.

    Both are what the system reports, which is less than what is sold (`free_of`, `seen_of`). It is the plan
    for `clip`; without one, for the largest clip that any plan makes here, where a few frames less are better
    than a slower plan (`memory.clips`). `gguf` are the experts in GGUF files where there are some that can be
    read: without, that plan is not offered; where they are the only ones, no other is. `extras`: with so much
    on the experts besides.
    """
    if spec.shape is None:
        return Plan("elsewhere", Notice("plan_elsewhere", {"model": spec.title}))
    found = _found(spec, vram_gb, ram_gb, clip, gguf, extras)
    return found or _does_not_fit(spec, clip, vram_gb, ram_gb, gguf, extras)


def free_of(card_gb: float) -> float:
    """About how much of a card is free for a plan, by the GB that it is sold with."""
    return max(0.0, card_gb - _CARD_KEEPS_GB)


def seen_of(memory_gb: float) -> float:
    """About how much main memory the system reports, by the GB that it is sold with."""
    return memory_gb * _RAM_SEEN


def peak_gb(
    chosen: Plan, spec: ModelSpec, clip: Clip, *, pictured: bool = True, extras: Extras = NOTHING
) -> float:
    """What a plan is predicted to hold on the card at its fullest moment while it makes a clip, GB of 2^30.

    The largest of three moments: the prompt is read, the clip is denoised, the clip is decoded. Each is the
    weights on the card then plus what the work itself needs (`memory.denoise_gb`, `memory.decode_gb`), with
    the LoRAs and the step cache of `extras`. `pictured`: the clip begins with a picture.
    """
    if chosen.layout is None:
        return 0.0
    tiled = tiles(chosen, spec, clip, extras)
    return max(moments(chosen.layout, spec, clip, tiled=tiled, pictured=pictured, extras=extras))


def tiles(chosen: Plan, spec: ModelSpec, clip: Clip, extras: Extras = NOTHING) -> bool:
    """Whether a clip is decoded in tiles, which costs two thirds more: where the whole has no room."""
    if chosen.layout is None:
        return False
    return moments(chosen.layout, spec, clip, tiled=False, extras=extras).decoding > chosen.usable_gb


def free_gb(chosen: Plan) -> float:
    """What was free of the card when the plan was made."""
    return chosen.usable_gb / _USABLE


def instead(spec: ModelSpec, *, vram_gb: float | None, ram_gb: float) -> ModelSpec | None:
    """The largest smaller model of the same kind that this machine runs; None: only a cloud is left."""
    if spec.shape is None or spec.embedded:
        return None
    for other in sorted(MODELS.values(), key=lambda one: -one.memory_gb):
        if other.shape is None or other.embedded or other.shape.weights_gb >= spec.shape.weights_gb:
            continue
        same = other.first_frame != ("no" if spec.first_frame == "needed" else "needed")
        if same and plan(other, vram_gb=vram_gb, ram_gb=ram_gb).fits:
            return other
    return None


def smallest_machine(
    spec: ModelSpec, clip: Clip | None = None, extras: Extras = NOTHING
) -> tuple[int, int] | None:
    """The smallest card that a model (or one clip of it) runs on, and the least main memory beside it.

    Both in GB as they are sold; None if no card will do.
    """
    for card in CARDS:
        for ram in MEMORIES:
            if spec.shape is None or _found(spec, free_of(card), seen_of(ram), clip, extras=extras):
                return card, ram
    return None


def card_that_would_do(
    spec: ModelSpec, clip: Clip | None = None, extras: Extras = NOTHING
) -> dict[str, object]:
    """The smallest machine as values of a sentence that says that a card is too small."""
    card, ram = smallest_machine(spec, clip, extras) or (CARDS[-1], MEMORIES[-1])
    return {"card": card, "card_ram": ram}


def _usable(vram_gb: float) -> float:
    return vram_gb * _USABLE


def _found(
    spec: ModelSpec,
    vram_gb: float | None,
    ram_gb: float,
    clip: Clip | None,
    gguf: Gguf | None = None,
    extras: Extras = NOTHING,
) -> Plan | None:
    wanted = clips(spec) if clip is None else [clip]
    # Clips of one size and of about one length: the best plan is the one that makes any of them.
    for _, alike in itertools.groupby(wanted, key=lambda one: (one.size, fullness(spec, one))):
        if vram_gb is None:
            found = _on_the_processor(spec, list(alike), ram_gb, extras)
        else:
            found = _on_the_card(spec, list(alike), vram_gb, ram_gb, gguf, extras)
        if found is not None:
            return found
    return None


def _layouts(spec: ModelSpec, gguf: Gguf | None) -> list[Layout]:
    """All layouts of a model, best first."""
    found, size = [], None if gguf is None else gguf.gb
    for kind in ORDER:
        # Embedded models are so small that they stay, or nothing does.
        if (spec.embedded and kind != "resident") or (kind == "gguf" and gguf is None):
            continue
        if gguf is not None and gguf.alone and kind != "gguf":
            continue
        ways: tuple[TextEncoder, ...] = ("visits", "layers")
        if "resident" in kind:
            ways = ("stays",) if kind == "resident" else ("visits",)
        for pinned in (True, False) if kind.endswith("streamed") else (True,):
            found += [Layout(kind, way, pinned, size if kind == "gguf" else None) for way in ways]
    return found


def _on_the_card(
    spec: ModelSpec,
    alike: Sequence[Clip],
    vram_gb: float,
    ram_gb: float,
    gguf: Gguf | None,
    extras: Extras,
) -> Plan | None:
    usable = _usable(vram_gb)
    for layout in _layouts(spec, gguf):
        ram = main_memory_gb(layout, spec, extras)
        if ram > ram_gb:
            continue
        # Where everything stays on the card there is room to decode in one piece, or it is no such plan.
        for clip, tiled in itertools.product(alike, (False,) if layout.way == "resident" else (False, True)):
            peak = max(moments(layout, spec, clip, tiled=tiled, extras=extras))
            if peak <= usable:
                takes = ram - system_gb(spec)
                values = _values(spec, peak, vram_gb, clip) | {"ram_gb": round(takes, 1)}
                single = "_single" if layout.way == "one_at_a_time" and not spec.two_experts else ""
                why = Notice(f"plan_{layout.kind}{single}", values)
                return Plan(layout.kind, why, peak, takes, usable, clip, layout)
    return None


def _on_the_processor(spec: ModelSpec, alike: Sequence[Clip], ram_gb: float, extras: Extras) -> Plan | None:
    for clip in alike:
        takes = _processor_gb(spec, clip, extras)
        if takes + system_gb(spec) <= ram_gb:
            return Plan("cpu", Notice("plan_cpu", _values(spec, takes, ram_gb, clip)), 0.0, takes, 0.0, clip)
    return None


def _processor_gb(spec: ModelSpec, clip: Clip, extras: Extras = NOTHING) -> float:
    if spec.shape is None:
        return 0.0
    # bf16 weights are widened on a CPU, where they would run at half the speed.
    work = max(2 * denoise_gb(spec.shape, clip, extras=extras), decode_gb(spec.shape, clip, tiled=False))
    return 2 * (spec.shape.weights_gb + spec.shape.experts * extras.lora_gb) + work


def _values(spec: ModelSpec, needs: float, has: float, clip: Clip) -> dict[str, object]:
    values: dict[str, object] = {"model": spec.title, "needs_gb": round(needs, 1), "has_gb": round(has, 1)}
    return values | {"size": str(clip.size), "frames": clip.frames}


def _does_not_fit(
    spec: ModelSpec,
    wanted: Clip | None,
    vram_gb: float | None,
    ram_gb: float,
    gguf: Gguf | None,
    extras: Extras,
) -> Plan:
    """Which of the two memories is short, by the layout that needs the least, and what runs instead."""
    clip = wanted or clips(spec)[-1]
    code, needs, has = "plan_does_not_fit_ram", _processor_gb(spec, clip, extras) + system_gb(spec), ram_gb
    if vram_gb is not None:
        peaks = {
            one: max(moments(one, spec, clip, tiled=True, extras=extras)) for one in _layouts(spec, gguf)
        }
        fitting = [
            main_memory_gb(one, spec, extras) for one, peak in peaks.items() if peak <= _usable(vram_gb)
        ]
        needs = min(fitting, default=0.0)
        if not fitting:
            code, needs, has = "plan_does_not_fit", min(peaks.values()) / _USABLE, vram_gb
    other = instead(spec, vram_gb=vram_gb, ram_gb=ram_gb)
    values: dict[str, object] = {"model": spec.title, "needs_gb": round(needs, 1), "has_gb": round(has, 1)}
    values |= {"instead": "" if other is None else other.title} | card_that_would_do(spec, wanted, extras)
    return Plan("does_not_fit", Notice(code if other else f"{code}_cloud", values))


def _sentence(notice: Notice, language: str) -> str:
    """The notice in words; `studio.words` stands above this layer, so the file is read here."""
    texts = tomllib.loads((_WORDS / f"{language}.toml").read_text(encoding="utf-8"))["notice"]
    shown = {k: f"{v:g}" if isinstance(v, float) else v for k, v in notice.values.items()}
    return str(texts[notice.code]).format(**shown)


def _clip_of(spec: ModelSpec, size: str | None, frames: int | None) -> Clip | None:
    """The clip that the arguments name; ValueError in words if the model makes none such."""
    if size is None and frames is None:
        return None
    named = {f"{one.width}x{one.height}": one for one in spec.sizes}
    chosen = named.get((size or f"{spec.sizes[0].width}x{spec.sizes[0].height}").lower().replace("×", "x"))
    if chosen is None:
        raise ValueError(f"{spec.name} makes {', '.join(named)}")
    length = spec.default_frames if frames is None else frames
    if length not in spec.legal_frames():
        raise ValueError(f"{spec.name} makes {spec.min_frames} to {spec.max_frames} frames, 4n+1")
    return Clip(Size(*chosen), length)


def _extras_of(spec: ModelSpec, tier: str, rank: int) -> Extras:
    """What a tier and LoRAs of a rank add; the pair of "fast" counts as one of rank 64, as published."""
    rank += _PAIR_RANK if tier == "fast" and spec.distilled is not None else 0
    size = lora_gb(spec.shape, rank) if spec.shape is not None and rank else 0.0
    return Extras(lora_gb=size, cached=tier == "balanced", guided=tier != "fast")


def _gigabytes(text: str) -> float:
    """Memory as it is typed; argparse says the sentence and ends with exit code 2."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= _MOST_GB:
        raise argparse.ArgumentTypeError(f"{text} is no memory: GB from 0 to {_MOST_GB}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Say the plan for a machine; exit code 2 for a model, size or length there is not, 1 if nothing fits."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.placement", description=__doc__)
    parser.add_argument("model", help="one of: " + ", ".join(MODELS))
    card = f"the card's memory as it is sold; {_CARD_KEEPS_GB:g} GB less count as free. Leave out for no card"
    parser.add_argument("--vram", type=_gigabytes, metavar="GB", help=card)
    memory = "main memory as it is sold; the system reports a little less"
    parser.add_argument("--ram", type=_gigabytes, metavar="GB", required=True, help=memory)
    parser.add_argument("--size", metavar="WxH", help="for this size (without: the largest that fits)")
    parser.add_argument("--frames", type=int, help="for this length")
    parser.add_argument("--tier", choices=TIERS, default="exact", help="with what this tier keeps")
    rank = "with LoRAs whose ranks add up to this"
    parser.add_argument("--lora-rank", type=int, default=0, metavar="RANK", help=rank)
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    options = parser.parse_args(arguments)
    spec = MODELS.get(options.model)
    if spec is None:
        print(f"there is no model {options.model}; there are {', '.join(MODELS)}", file=sys.stderr)
        return 2
    try:
        clip = _clip_of(spec, options.size, options.frames)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    free = None if options.vram is None else free_of(options.vram)
    extras = _extras_of(spec, options.tier, min(max(0, options.lora_rank), _MOST_RANK))
    chosen = plan(spec, vram_gb=free, ram_gb=seen_of(options.ram), clip=clip, extras=extras)
    text = _sentence(chosen.why, options.language)
    if options.json:
        print(json.dumps({"model": spec.name, "text": text, **asdict(chosen)}, ensure_ascii=False))
    else:
        print(text)
    return 0 if chosen.fits else 1


if __name__ == "__main__":
    sys.exit(main())
