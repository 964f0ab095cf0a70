"""What makes a clip larger and smoother: networks of this machine where they are, else Lanczos and blending.

Runs in the worker, frame by frame, behind whatever else is done to a clip. Torch is imported only where a
network is used.
"""

import contextlib
import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.ahead import ahead
from pipelines.networks import Network, Purpose, find
from studio.card import Card
from studio.media.ffmpeg import MediaError
from studio.media.pace import blended, paced
from studio.media.retouch import FINISHING, Operation, Shape, shape_after

Frame = npt.NDArray[np.uint8]
_PURPOSES: dict[str, Purpose] = {"enlarge": "larger", "smooth": "smoother"}


@dataclass(frozen=True)
class Finish:
    """What is done last: `enlarge` and `smooth` as they were asked for, the networks that do it."""

    enlarge: Operation | None = None
    smooth: Operation | None = None
    larger: Network | None = None
    smoother: Network | None = None

    @property
    def by_network(self) -> bool:
        """Whether a network takes part."""
        return self.larger is not None or self.smoother is not None

    def told(self) -> dict[str, Any]:
        """Which networks, for the recipe: the file's name and the first 12 digits of its sha256."""
        used = {"larger": self.larger, "smoother": self.smoother}
        return {
            purpose: {"name": network.name, "sha256": _digest(network.path)}
            for purpose, network in used.items()
            if network is not None
        }


def split(operations: Sequence[Operation], home: Path) -> tuple[tuple[Operation, ...], Finish]:
    """What ffmpeg does, and what is done last; of several sizes or rates the last one counts.

    MediaError("network_gone") if a network was asked for that is not on this machine: nobody gets less than
    was said without hearing of it.
    """
    last = {one.name: one for one in operations if one.name in FINISHING}
    networks: dict[str, Network] = {}
    for name, operation in last.items():
        if operation.how == "network":
            network = find(home, _PURPOSES[name])
            if network is None:
                raise MediaError("network_gone")
            networks[name] = network
    plain = tuple(one for one in operations if one.name not in FINISHING)
    finish = Finish(last.get("enlarge"), last.get("smooth"), networks.get("enlarge"), networks.get("smooth"))
    return plain, finish


def polished(
    frames: Iterable[Frame],
    shape: Shape,
    finish: Finish,
    *,
    card: Card,
    device: str,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Frame, None, None]:
    """The frames (uint8, h x w x 3) of a clip of `shape`, larger and smoother; memory stays flat.

    The exact sizes, counts and moments are those of `shape_after`. A network's frames are made ahead of
    whoever takes them. Raises Cancelled, ModelError "network_unknown" or "out_of_memory_finish", and what
    `frames` raises; close it, and no thread is left.
    """
    with contextlib.ExitStack() as left:
        source: Iterator[Frame] = iter(frames)
        bare = finish.larger is None

        def larger(source: Iterator[Frame], shape: Shape) -> Iterator[Frame]:
            if finish.enlarge is None:
                return source
            after = shape_after(shape, (finish.enlarge,))
            if finish.larger is None:
                return (_lanczos(frame, after) for frame in source)
            made = _enlarged(source, after, finish.larger, card, device, should_stop)
            return left.enter_context(contextlib.closing(ahead(made, room=2, name="larger")))

        # A network for pixels sees the few frames of the source; Lanczos costs little, the motion between
        # small pictures less than that between large ones.
        if not bare:
            source, shape = larger(source, shape), _after(shape, finish.enlarge)
        if finish.smooth is not None:
            source = _smoothed(source, shape, finish, card, device, should_stop)
            if finish.smoother is not None:
                source = left.enter_context(contextlib.closing(ahead(source, room=2, name="smoother")))
            shape = shape_after(shape, (finish.smooth,))
        if bare:
            source = larger(source, shape)
        yield from source


def _after(shape: Shape, operation: Operation | None) -> Shape:
    return shape if operation is None else shape_after(shape, (operation,))


def _lanczos(frame: Frame, shape: Shape) -> Frame:
    if frame.shape[:2] == (shape.height, shape.width):
        return frame
    picture = Image.fromarray(frame).resize((shape.width, shape.height), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _enlarged(
    source: Iterator[Frame],
    shape: Shape,
    network: Network,
    card: Card,
    device: str,
    should_stop: Callable[[], bool],
) -> Iterator[Frame]:
    from pipelines.larger import load_larger
    from pipelines.weights import free_cache, on_device

    made = load_larger(network.path, on_device(device))
    for frame in source:
        with card.frame(should_stop, make_room=free_cache):
            large = made.frame(frame, shape.width, shape.height)
        yield large


def _smoothed(
    source: Iterator[Frame],
    shape: Shape,
    finish: Finish,
    card: Card,
    device: str,
    should_stop: Callable[[], bool],
) -> Iterator[Frame]:
    assert finish.smooth is not None
    wanted = int(finish.smooth.amount)
    if finish.smoother is None:
        yield from paced(source, shape.fps, wanted, blended)
        return
    from pipelines.smoother import load_smoother
    from pipelines.weights import free_cache, on_device

    made = load_smoother(finish.smoother.path, on_device(device))

    def between(first: Frame, second: Frame, shares: Sequence[float]) -> list[Frame]:
        found: list[Frame] = []
        for share in shares:
            with card.frame(should_stop, make_room=free_cache):
                found += made.between(first, second, [share])
        return found

    yield from paced(source, shape.fps, wanted, between)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
