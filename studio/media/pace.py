"""The same moments at more frames a second: which frame stands where, and what is put between two of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]
Between = Callable[[Frame, Frame, Sequence[float]], Sequence[Frame]]
# Two pictures that differ by so much on average, of 255, are two shots: nothing lies between them.
_CUT = 50.0
_SAMPLE = 8


def paced_frames(frames: int, fps: int, wanted: int) -> int:
    """How many frames at `wanted` a second reach from the first of `frames` to the last: none is held."""
    return frames if wanted <= fps else (frames - 1) * wanted // fps + 1


def paced(
    frames: Iterable[npt.NDArray[Any]], fps: int, wanted: int, between: Between
) -> Iterator[npt.NDArray[Any]]:
    """Yield `paced_frames` frames (uint8, h x w x 3): frame j shows the moment j / `wanted` seconds.

    What falls on a frame of the source is that frame, untouched. `between(first, second, shares)` makes those
    at shares (0 to 1, both excluded) of the way; across a cut the nearer one stands instead. At most two
    frames of the source are kept at a time. Of a source that is as fast already, all frames pass.
    """
    if wanted <= fps:
        yield from frames
        return
    first: Frame | None = None
    number = made = 0
    for number, second in enumerate(frames):
        if first is not None:
            moments = _moments(made, number, fps, wanted)
            made += len(moments)
            yield from _stretch(first, second, moments, wanted, between)
        first = second
    if first is not None and made * fps == number * wanted:
        yield first


def blended(first: Frame, second: Frame, shares: Sequence[float]) -> list[Frame]:
    """Both pictures over each other, by shares: what stands in where nothing finds their motion."""
    found = []
    for share in shares:
        # In 256ths, as whole numbers: a film is many frames.
        part = round(share * 256)
        mixed = first.astype(np.uint16) * np.uint16(256 - part)
        mixed += second.astype(np.uint16) * np.uint16(part)
        found.append(((mixed + 128) >> 8).astype(np.uint8))
    return found


def is_cut(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> bool:
    """Whether two neighbouring pictures belong to two shots."""
    a, b = (picture[::_SAMPLE, ::_SAMPLE].astype(np.int16) for picture in (first, second))
    return bool(np.abs(a - b).mean() > _CUT)


def _moments(made: int, number: int, fps: int, wanted: int) -> list[int]:
    """Where the next frames lie behind source frame `number - 1`, in parts of the way to the next."""
    found: list[int] = []
    start = (number - 1) * wanted
    while (place := (made + len(found)) * fps - start) < wanted:
        found.append(place)
    return found


def _stretch(
    first: Frame, second: Frame, moments: Sequence[int], wanted: int, between: Between
) -> Iterator[Frame]:
    shares = [place / wanted for place in moments if place]
    if not shares:
        made: Iterator[Frame] = iter(())
    elif is_cut(first, second):
        made = (first if share < 0.5 else second for share in shares)
    else:
        made = iter(between(first, second, shares))
    for place in moments:
        yield next(made) if place else first
