"""Clips for the fingerprint's bench: pans over photographs, drifting textures, drawn scenes."""

import importlib.util
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

Frames = Iterator[np.ndarray]

# Photographs that come inside packages; where a package is not installed, textures take their place.
_PHOTOGRAPHS = (
    ("skimage", "data/astronaut.png"),
    ("skimage", "data/chelsea.png"),
    ("skimage", "data/coffee.png"),
    ("skimage", "data/hubble_deep_field.jpg"),
    ("skimage", "data/rocket.jpg"),
    ("sklearn", "datasets/images/china.jpg"),
    ("sklearn", "datasets/images/flower.jpg"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
)


def photographs() -> list[Path]:
    """The photographs that are there."""
    found = []
    for package, name in _PHOTOGRAPHS:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            if (path := Path(folder) / name).is_file():
                found.append(path)
    return found


def pan(path: Path, seed: int, *, count: int, size: tuple[int, int]) -> Frames:
    """A slow pan and zoom over a part of a photograph, with film grain. `size`: width and height."""
    rng = np.random.default_rng(seed)
    picture = Image.open(path).convert("RGB")
    width, height = size
    near = rng.uniform(0.6, 0.9)
    x0, y0, x1, y1 = rng.uniform(0, 1, 4)
    for step in range(count):
        share = step / max(1, count - 1)
        wide = min(picture.width, picture.height * width / height) * (near - 0.12 * share)
        high = wide * height / width
        left = (picture.width - wide) * (x0 + (x1 - x0) * share * 0.5)
        top = (picture.height - high) * (y0 + (y1 - y0) * share * 0.5)
        frame = picture.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + wide, top + high))
        yield _grained(np.asarray(frame, np.float32), rng)


def texture(seed: int, *, count: int, size: tuple[int, int]) -> Frames:
    """Drifting clouds of colour with the statistics of photographs (1/f), dark to bright, with grain."""
    rng = np.random.default_rng(seed)
    width, height = size
    wide, high = width + 160, height + 80
    down, across = np.fft.fftfreq(high)[:, None], np.fft.rfftfreq(wide)[None]
    slope = rng.uniform(1.0, 1.7)
    planes = []
    for _ in range(3):
        waves = (
            np.fft.rfft2(rng.normal(size=(high, wide)))
            / np.maximum(np.hypot(down, across), 1 / wide) ** slope
        )
        waves[0, 0] = 0
        plane = np.fft.irfft2(waves, (high, wide))
        planes.append(plane / plane.std())
    bright, contrast = rng.uniform(20, 150), rng.uniform(15, 45)
    luma, blue, red = (
        bright + contrast * planes[0],
        rng.uniform(4, 15) * planes[1],
        rng.uniform(4, 15) * planes[2],
    )
    rgb = np.stack([luma + 1.5748 * red, luma - 0.187 * blue - 0.468 * red, luma + 1.8556 * blue], -1)
    for step in range(count):
        left, top = int(step * 150 / count), int(step * 60 / count)
        yield _grained(rgb[top : top + height, left : left + width], rng)


def scene(seed: int, *, count: int, size: tuple[int, int], grain: float = 1.0, alike: bool = False) -> Frames:
    """A scene of the sketch model's world, drawn at draft size and enlarged; `alike`: another colour."""
    from pipelines.sketch.scenes import render
    from pipelines.sketch.world import sample_scene

    drawn = sample_scene(random.Random(seed))
    if alike:
        drawn = replace(drawn, colour="red" if drawn.colour != "red" else "blue")
    rng = np.random.default_rng(seed)
    clip = render([drawn], num_frames=count, height=192, width=320)[0]
    for picture in clip:
        frame = (picture.permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8)
        if size != (320, 192):
            frame = np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC))
        yield _grained(frame.astype(np.float32), rng, grain) if grain else frame


def _grained(frame: np.ndarray, rng: np.random.Generator, grain: float = 2.0) -> np.ndarray:
    noise = rng.normal(0, grain, (*frame.shape[:2], 1))
    return np.clip(frame + noise + 0.5, 0, 255).astype(np.uint8)
