"""Colour looks: named chains of ffmpeg filters out of assets/looks.toml, for films and for single clips."""

import tomllib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import av
import av.filter
import numpy as np

_FILE = Path(__file__).resolve().parents[2] / "assets" / "looks.toml"
_TICK = Fraction(1, 16)
_EXACT = "accurate_rnd+full_chroma_int"


class Step(NamedTuple):
    """One filter and its options."""

    filter: str
    options: dict[str, str | float]


class Look(NamedTuple):
    """A look: its title by language ("zh", "en"), and the filters that make it."""

    title: dict[str, str]
    steps: tuple[Step, ...]


def _read() -> dict[str, Look]:
    found = {"": Look({"zh": "", "en": ""}, ())}
    for name, look in tomllib.loads(_FILE.read_text(encoding="utf-8")).items():
        steps = (Step(step.pop("filter"), step) for step in look["steps"])
        found[name] = Look(look["title"], tuple(steps))
    return found


LOOKS: MappingProxyType[str, Look] = MappingProxyType(_read())
"""Every look by its name; "" and "none" change nothing."""


def steps_of(look: str) -> tuple[Step, ...]:
    """The filters of a look; ValueError for a name that is not in the table."""
    if look not in LOOKS:
        raise ValueError(f"there is no look {look!r}")
    return LOOKS[look].steps


def coloured(video: Any, look: str) -> Any:
    """A stream of a film's graph with a look on it; ValueError as `steps_of`."""
    for step in steps_of(look):
        video = video.filter(step.filter, **step.options)
    return video


def graded(frames: Iterable[np.ndarray], look: str) -> Iterator[np.ndarray]:
    """Frames (uint8, height x width x 3, RGB) with a look on them, one by one as they come.

    In this process, so that mark and label can be put on what comes out of it. ValueError as `steps_of`.
    """
    steps = steps_of(look)
    if not steps:
        yield from frames
        return
    graph: av.filter.Graph | None = None
    for number, frame in enumerate(frames):
        if graph is None:
            graph = _graph(steps, width=frame.shape[1], height=frame.shape[0])
        given = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        given.pts = number
        graph.push(given)
        # None of the filters holds a frame back: each gives one for one.
        yield graph.vpull().to_ndarray(format="rgb24")


def _graph(steps: tuple[Step, ...], *, width: int, height: int) -> av.filter.Graph:
    graph = av.filter.Graph()
    chain = [graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgb24"), time_base=_TICK)]
    # As in a film: what works on luma and chroma does so in bt709.
    chain.append(graph.add("scale", out_color_matrix="bt709", out_range="tv", flags=_EXACT))
    chain.append(graph.add("format", "yuv444p"))
    for step in steps:
        chain.append(graph.add(step.filter, **{name: str(value) for name, value in step.options.items()}))
    chain.append(graph.add("scale", flags=_EXACT))
    chain.append(graph.add("format", "rgb24"))
    chain.append(graph.add("buffersink"))
    for one, other in pairwise(chain):
        one.link_to(other)
    graph.configure()
    return graph
