"""Whether a video shows an AI label that this studio draws: its own drawing is looked for in the corners.

It is found by its shape, as a whole: in a copy that was encoded anew or scaled, not where it was cut in two.
That it is not found does not prove that there is none.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.media.ffmpeg import MediaError
from studio.media.label import TEXTS, Corner, LabelStyle, label_for
from studio.trust.carriers import Floats
from studio.trust.sampling import opened

CORNERS: tuple[Corner, ...] = ("bottom_right", "bottom_left", "top_right", "top_left")
# The opening frames: a label stands on them for two seconds at least.
_SECONDS, _FRAMES, _PATIENCE = 1.6, 6, 8.0
_MAX_SIDE = 8192
# Pictures are looked at with so many pixels on the shorter side: letters are then 18 high.
_SHORT = 360
# A drawing of this size has letters of just the share that is asked for; those of small clips are larger.
_DRAWN, _SHARE = 720, 0.05
_SHARES = (0.05, 0.0525, 0.055, 0.0575, 0.0605, 0.064)
# What part of the picture is a corner.
_WIDE, _HIGH = 0.66, 0.36
_BACK = slice(None, None, -1)
# Labels that are there fit by 0.7 and more, other pictures by 0.45 at most.
_FITS = 0.58


@dataclass(frozen=True)
class Seen:
    """The label that was found, and how well its drawing fits, up to 1."""

    style: LabelStyle
    fit: float


def usual_styles(texts: Iterable[str] = ()) -> list[LabelStyle]:
    """The labels that a studio draws: its usual texts and `texts`, in every corner."""
    told = dict.fromkeys((*texts, *TEXTS.values()))
    return [LabelStyle(text, corner) for text in told for corner in CORNERS]


def find_label(path: Path, styles: Sequence[LabelStyle]) -> Seen | None:
    """Which of these labels stands on a video's opening frames; None if none is found.

    MediaError "file_empty" or "not_a_video".
    """
    picture, size = _opening(path)
    shown = dict.fromkeys(replace(style, shown=True, seconds=None) for style in styles)
    best: Seen | None = None
    for share in (None, *_SHARES):
        for style in shown:
            fit = _fit(picture, _drawing(style, size, picture.shape, share), style.corner)
            if best is None or fit > best.fit:
                best = Seen(style, fit)
        if best is not None and best.fit >= _FITS:
            return None if _mirrored(picture, best, size, share) else best
    return None


def _mirrored(picture: Floats, seen: Seen, size: tuple[int, int], share: float | None) -> bool:
    """Whether it is rather its mirror image that is seen: nobody reads that."""
    drawing = _drawing(seen.style, size, picture.shape, share)
    turned = (
        _Drawing(drawing.light[rows, columns], drawing.keep[rows, columns])
        for rows, columns in ((slice(None), _BACK), (_BACK, slice(None)))
    )
    return any(_fit(picture, one, seen.style.corner) > seen.fit for one in turned)


def _opening(path: Path) -> tuple[Floats, tuple[int, int]]:
    """The mean of a few opening frames, grey and small, and the video's size (width, height)."""
    with opened(path) as container:
        stream = container.streams.video[0]
        if max(stream.width, stream.height) > _MAX_SIDE:
            raise ValueError("the picture is too large")
        stream.codec_context.options = {"max_pixels": str(_MAX_SIDE * _MAX_SIDE // 2)}
        frames = list(_frames(container, stream))
    if not frames:
        raise MediaError("not_a_video")
    alike = [frame for frame, size in frames if size == frames[0][1] and frame.shape == frames[0][0].shape]
    mean: Floats = np.mean(alike, axis=0, dtype=np.float32)
    return mean, frames[0][1]


def _frames(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[tuple[NDArray[np.uint8], tuple[int, int]]]:
    deadline, given, following = time.monotonic() + _PATIENCE, 0, 0.0
    try:
        for number, frame in enumerate(container.decode(stream)):
            at = number / 24 if frame.time is None else frame.time
            if given and (at > _SECONDS or given == _FRAMES or time.monotonic() > deadline):
                return
            if given and at < following - 1e-3:
                continue
            following = at + _SECONDS / _FRAMES
            factor = min(1.0, _SHORT / min(frame.width, frame.height))
            width, height = (max(8, round(side * factor)) for side in (frame.width, frame.height))
            grey = frame.reformat(width, height, "gray", interpolation="AREA")
            given += 1
            yield np.array(grey.to_ndarray(), np.uint8), (frame.width, frame.height)
    except av.FFmpegError:
        # What could be read before a broken place has to do.
        return


@dataclass(frozen=True, eq=False)
class _Drawing:
    """A label as the picture has it: its light, and how much of the ground is seen through it, 0..1."""

    light: Floats
    keep: Floats


@lru_cache(maxsize=256)
def _drawing(
    style: LabelStyle, size: tuple[int, int], shape: tuple[int, int], share: float | None
) -> _Drawing:
    """The label drawn for a video of this size, or with letters of that share of the shorter side."""
    if share is None:
        drawn, factor = size, shape[0] / size[1]
    else:
        grown = _DRAWN / min(size)
        drawn = (round(size[0] * grown), round(size[1] * grown))
        factor = shape[0] / drawn[1] * share / _SHARE
    label = label_for(style, *drawn)
    light = label.light.astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32) / 256
    keep = label.keep[..., 0].astype(np.float32) / 256
    return _Drawing(_scaled(light, factor), _scaled(keep, factor))


def _scaled(plane: Floats, factor: float) -> Floats:
    height, width = (max(4, round(side * factor)) for side in plane.shape)
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BOX))


def _fit(picture: Floats, drawing: _Drawing, corner: Corner) -> float:
    """The best correlation of the drawing with a place in that corner: -1..1."""
    high, wide = (
        max(4, round(side * part)) for side, part in zip(picture.shape, (_HIGH, _WIDE), strict=True)
    )
    rows = slice(0, high) if corner.startswith("top") else slice(-high, None)
    columns = slice(0, wide) if corner.endswith("left") else slice(-wide, None)
    ground = picture[rows, columns]
    wanted = drawing.light + drawing.keep * ground.mean()
    if wanted.shape[0] > ground.shape[0] or wanted.shape[1] > ground.shape[1]:
        return -1.0
    wanted = wanted - wanted.mean()
    norm = float(np.sqrt((wanted * wanted).sum()))
    ground = ground - ground.mean()
    found = np.fft.irfft2(np.fft.rfft2(ground) * np.conj(np.fft.rfft2(wanted, ground.shape)), ground.shape)[
        : ground.shape[0] - wanted.shape[0] + 1, : ground.shape[1] - wanted.shape[1] + 1
    ]
    count = wanted.size
    spread = _boxes(ground * ground, wanted.shape) - _boxes(ground, wanted.shape) ** 2 / count
    # In a place that is plain there is nothing to see, however well its noise may fit.
    strength = np.sqrt(np.maximum(spread, count * 4.0)) * max(norm, 1e-6)
    return float((found / strength).max())


def _boxes(plane: Floats, size: tuple[int, int]) -> Floats:
    """The sums over all boxes of this size."""
    sums = np.pad(np.cumsum(np.cumsum(plane, axis=0, dtype=np.float64), axis=1), ((1, 0), (1, 0)))
    high, wide = size
    out: Floats = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    return out
