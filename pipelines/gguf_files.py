"""Experts in GGUF files that somebody put beside a model's weights: found by their names. No torch here.

`home/models/NAME/gguf/` holds one file, or two of which one is called high and one low (HighNoise, LowNoise).
"""

import importlib.util
from pathlib import Path

from pipelines.shapes import GB


def find(folder: Path, *, two_experts: bool) -> tuple[Path, ...]:
    """The files of a model's experts, high-noise first; empty if they are not all there."""
    files = sorted((folder / "gguf").glob("*.gguf"))
    if not two_experts:
        return tuple(files) if len(files) == 1 else ()
    high = [file for file in files if "high" in file.name.lower() and "low" not in file.name.lower()]
    low = [file for file in files if "low" in file.name.lower() and "high" not in file.name.lower()]
    return (high[0], low[0]) if len(high) == 1 == len(low) else ()


def size_gb(folder: Path, *, two_experts: bool) -> float | None:
    """GB of the larger expert's file; None where there is none, or the package that reads them is not."""
    files = find(folder, two_experts=two_experts)
    if not files or importlib.util.find_spec("gguf") is None:
        return None
    return max(file.stat().st_size for file in files) / GB
