"""Clips for the tests of marks and looks: drifting clouds, marked or not, and attacks on their files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np

from studio.media.clip import write_clip
from studio.media.ffmpeg import run
from studio.media.label import LabelStyle
from studio.trust.mark import Marker

KEY = b"a key of the tests"
SIZE = (832, 480)


def clouds(seed: int, count: int = 24, size: tuple[int, int] = SIZE) -> Iterator[np.ndarray]:
    """Frames of drifting coloured clouds with grain, as spread over fast and slow waves as photographs."""
    rng = np.random.default_rng(seed)
    width, height = size
    wide, high = width + 96, height + 48
    down, across = np.fft.fftfreq(high)[:, None], np.fft.rfftfreq(wide)[None]
    waves = (
        np.fft.rfft2(rng.normal(size=(3, high, wide))) / np.maximum(np.hypot(down, across), 1 / wide) ** 1.4
    )
    waves[:, 0, 0] = 0
    planes = np.fft.irfft2(waves, (high, wide))
    luma, blue, red = planes / planes.std(axis=(1, 2), keepdims=True) * np.array([35, 9, 9])[:, None, None]
    luma += rng.uniform(70, 150)
    rgb = np.stack([luma + 1.57 * red, luma - 0.19 * blue - 0.47 * red, luma + 1.86 * blue], -1)
    for step in range(count):
        left, top = 96 * step // count, 48 * step // count
        frame = rgb[top : top + height, left : left + width] + rng.normal(0, 2, (height, width, 1))
        yield np.clip(frame + 0.5, 0, 255).astype(np.uint8)


def clip(
    path: Path, seed: int, codeword: int | None = None, *, count: int = 24, size: tuple[int, int] = SIZE
) -> Path:
    """A labelled clip of clouds at 8 frames a second, marked if there is a codeword."""
    mark = Marker(codeword, KEY, *size).rgb if codeword is not None else None
    frames = clouds(seed, count, size)
    write_clip(frames, path=path, fps=8, comment="{}", label=LabelStyle(), expected_frames=count, mark=mark)
    return path


def attacked(path: Path, filters: str = "", *, crf: int = 23, suffix: str = ".mp4", **options: Any) -> Path:
    """The file encoded again, filtered before."""
    target = path.with_name(f"{path.stem}-attacked{suffix}")
    chosen = {"vcodec": "libx264", "preset": "veryfast", "crf": crf} if suffix == ".mp4" else {}
    source = ffmpeg.input(f"file:{path}", **options)
    run(
        ffmpeg.output(
            source, f"file:{target}", **chosen, **({"vf": filters} if filters else {})
        ).overwrite_output()
    )
    return target
