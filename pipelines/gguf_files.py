"""Experts in GGUF files that somebody put beside a model's weights: found by their names. No torch here.

`home/models/NAME/gguf/` holds one file, or two of which one is called high and one low, in folders or not, as
people pass them on: HighNoise/Wan2.2-T2V-A14B-HighNoise-Q4_K_M.gguf, wan2.2_t2v_low_noise_14B_Q6_K.gguf.
"""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.shapes import GB

# The word, not the end of "flow" or "slow".
_LOW = re.compile(r"(?<![a-z])low")


@dataclass(frozen=True)
class Gguf:
    """Experts in GGUF files: GB of the larger one's; `alone`: they are not there in another form."""

    gb: float
    alone: bool = False


def find(folder: Path, *, two_experts: bool) -> tuple[Path, ...]:
    """The files of a model's experts, high-noise first; empty if they are not all there."""
    # Text encoders are passed on in this form, too.
    files = [file for file in sorted((folder / "gguf").rglob("*.gguf")) if "encoder" not in file.name.lower()]
    if not two_experts:
        return tuple(files) if len(files) == 1 else ()
    high = [file for file in files if "high" in file.name.lower() and not _LOW.search(file.name.lower())]
    low = [file for file in files if _LOW.search(file.name.lower()) and "high" not in file.name.lower()]
    return (high[0], low[0]) if len(high) == 1 == len(low) else ()


def offered(folder: Path, *, two_experts: bool) -> Gguf | None:
    """What a folder has in this form; None where there is nothing, or the package that reads it is not."""
    files = find(folder, two_experts=two_experts)
    if not files or importlib.util.find_spec("gguf") is None:
        return None
    names = ("transformer", "transformer_2")[: 2 if two_experts else 1]
    plain = all(any((folder / name).glob("*.safetensors")) for name in names)
    return Gguf(max(file.stat().st_size for file in files) / GB, alone=not plain)
