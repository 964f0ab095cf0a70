"""Where the networks that finish a clip lie: one for more pixels, one for more frames. No torch here.

Whoever has their weights puts them into home/models/finish: what lies in `larger` makes clips larger, what
lies in `smoother` makes them smoother. The first file by name is taken; which architectures are known is
said in `pipelines.larger` and `pipelines.smoother`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Purpose = Literal["larger", "smoother"]
FOLDER = "finish"
_ENDS: dict[Purpose, tuple[str, ...]] = {
    "larger": (".safetensors", ".pth"),
    # RIFE's own files end in .pkl; torch wrote them, and they are read as numbers only.
    "smoother": (".safetensors", ".pth", ".pkl"),
}


@dataclass(frozen=True)
class Network:
    """A file with weights. `name` is the file's, for people and for the recipe."""

    name: str
    path: Path


def folder(home: Path, purpose: Purpose) -> Path:
    """Where the weights for a purpose belong."""
    return home / "models" / FOLDER / purpose


def find(home: Path, purpose: Purpose) -> Network | None:
    """The network for a purpose; None if there is none on this machine."""
    place = folder(home, purpose)
    if not place.is_dir():
        return None
    found = sorted(path for path in place.iterdir() if path.suffix in _ENDS[purpose] and path.is_file())
    return Network(found[0].stem, found[0]) if found else None
