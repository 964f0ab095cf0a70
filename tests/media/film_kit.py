"""Clips, cuts and looks into films for the tests: small, coloured, cheap."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.media.timeline import FilmCut, Piece, ShotCut

LABEL = LabelStyle()
COLOURS = {
    "red": (200, 30, 30),
    "green": (30, 160, 40),
    "blue": (30, 40, 200),
    "sand": (210, 180, 90),
    "grey": (120, 120, 120),
}


def write_frames(
    path: Path,
    frames: Iterator[np.ndarray] | list[np.ndarray],
    count: int,
    *,
    fps: int = 8,
    label: LabelStyle = LABEL,
) -> Path:
    """A labelled clip of these frames."""
    write_clip(frames, path=path, fps=fps, comment="{}", label=label, expected_frames=count)
    return path


def plain(
    folder: Path, colour: str, *, frames: int = 17, fps: int = 8, size: tuple[int, int] = (320, 192)
) -> Path:
    """A clip of one colour, made once in a folder."""
    path = folder / f"{colour}-{frames}-{fps}-{size[0]}x{size[1]}.mp4"
    if not path.exists():
        picture = np.full((size[1], size[0], 3), COLOURS[colour], np.uint8)
        write_frames(path, [picture] * frames, frames, fps=fps)
    return path


def ramp(folder: Path, *, frames: int = 17, fps: int = 8) -> Path:
    """A grey clip that gets lighter, from 30 by 10 a frame."""
    path = folder / f"ramp-{frames}-{fps}.mp4"
    pictures = [np.full((192, 320, 3), 30 + 10 * number, np.uint8) for number in range(frames)]
    return write_frames(path, pictures, frames, fps=fps)


def shot(path: Path, seconds: float = 2.0, **changed: Any) -> ShotCut:
    """A shot of one clip, whose label is covered."""
    return ShotCut(pieces=(Piece(path, label=LABEL),), seconds=seconds, **changed)


def film_of(*shots: ShotCut, **changed: Any) -> FilmCut:
    """A small film of these shots."""
    options: dict[str, Any] = {
        "format": "16:9",
        "height": 144,
        "fps": 24,
        "label": LABEL,
        "comment": "{}",
    }
    return FilmCut(shots=shots, **(options | changed))


def pictures(path: Path) -> np.ndarray:
    """All frames of a file as RGB (frames x height x width x 3)."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def centres(path: Path) -> np.ndarray:
    """The mean colour in the middle of each frame (frames x 3): where neither label nor logo is."""
    frames = pictures(path)
    height, width = frames.shape[1:3]
    middle = frames[:, height // 3 : height // 2, width // 3 : 2 * width // 3]
    return middle.reshape(len(frames), -1, 3).mean(axis=1)


def named(colour: np.ndarray) -> str:
    """The name of the colour that is nearest."""
    return min(COLOURS, key=lambda name: float(np.abs(np.array(COLOURS[name]) - colour).sum()))
