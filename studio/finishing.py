"""What makes clips larger and smoother: networks of this machine where they are, else Lanczos and blending.

Runs in the worker, frame by frame, behind whatever else is done to a clip, and before a film is cut of its
takes (`studio.film_finish`). Torch is imported only where a network is used.
"""

import contextlib
import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.ahead import ahead
from pipelines.models import Size
from pipelines.networks import Network, Purpose, find
from pipelines.request import Cancelled
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
        return named(self.larger, self.smoother)


def named(larger: Network | None, smoother: Network | None) -> dict[str, dict[str, str]]:
    """Networks as recipes name them: the file's name and the first 12 digits of its sha256."""
    used = {"larger": larger, "smoother": smoother}
    return {
        purpose: {"name": network.name, "sha256": _digest(network.path)}
        for purpose, network in used.items()
        if network is not None
    }


def needed(home: Path, purpose: Purpose) -> Network:
    """The network for it on this machine. MediaError("network_gone") where there is none."""
    found = find(home, purpose)
    if found is None:
        raise MediaError("network_gone")
    return found


def frames_of(path: Path, should_stop: Callable[[], bool]) -> Generator[Frame, None, None]:
    """The frames of an mp4 of ours, RGB; Cancelled once `should_stop()`. Closed, it closes the file."""
    with av.open(f"file:{path.absolute()}", format="mp4") as container:
        for frame in container.decode(video=0):
            if should_stop():
                raise Cancelled
            yield frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)


def split(operations: Sequence[Operation], home: Path) -> tuple[tuple[Operation, ...], Finish]:
    """What ffmpeg does, and what is done last; of several sizes or rates the last one counts.

    MediaError("network_gone") if a network was asked for that is not on this machine: nobody gets less than
    was said without hearing of it.
    """
    last = {one.name: one for one in operations if one.name in FINISHING}
    networks: dict[str, Network] = {}
    for name, operation in last.items():
        if operation.how == "network":
            networks[name] = needed(home, _PURPOSES[name])
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
    size = None
    if finish.enlarge is not None:
        after = shape_after(shape, (finish.enlarge,))
        size = Size(after.width, after.height)
    pace = None if finish.smooth is None else (shape.fps, int(finish.smooth.amount))
    makers = (finish.larger, finish.smoother)
    yield from refined(frames, size, pace, makers, card=card, device=device, should_stop=should_stop)


def refined(
    frames: Iterable[Frame],
    size: Size | None,
    pace: tuple[int, int] | None,
    networks: tuple[Network | None, Network | None],
    *,
    card: Card,
    device: str,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Frame, None, None]:
    """The frames at another `size` and `pace` (their rate and the wanted one, as in `paced`), if given.

    `networks`: what makes them larger, what makes them smoother; None is Lanczos, blending. Raises as
    `polished`.
    """
    larger, smoother = networks
    with contextlib.ExitStack() as left:
        source: Iterator[Frame] = iter(frames)
        # A network for pixels sees the few frames of the source; Lanczos costs little, the motion between
        # small pictures less than that between large ones.
        if size is not None and larger is not None:
            source = _enlarged(source, size, larger, card, device, should_stop)
            source = left.enter_context(contextlib.closing(ahead(source, room=2, name="larger")))
        if pace is not None:
            source = _smoothed(source, pace, smoother, card, device, should_stop)
            if smoother is not None:
                source = left.enter_context(contextlib.closing(ahead(source, room=2, name="smoother")))
        if size is not None and larger is None:
            source = (_lanczos(frame, size) for frame in source)
        yield from source


def _lanczos(frame: Frame, size: Size) -> Frame:
    if frame.shape[:2] == (size.height, size.width):
        return frame
    picture = Image.fromarray(frame).resize((size.width, size.height), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _enlarged(
    source: Iterator[Frame],
    size: Size,
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
            large = made.frame(frame, size.width, size.height)
        yield large


def _smoothed(
    source: Iterator[Frame],
    pace: tuple[int, int],
    network: Network | None,
    card: Card,
    device: str,
    should_stop: Callable[[], bool],
) -> Iterator[Frame]:
    if network is None:
        yield from paced(source, *pace, blended)
        return
    from pipelines.smoother import load_smoother
    from pipelines.weights import free_cache, on_device

    made = load_smoother(network.path, on_device(device))

    def between(first: Frame, second: Frame, shares: Sequence[float]) -> list[Frame]:
        found: list[Frame] = []
        for share in shares:
            with card.frame(should_stop, make_room=free_cache):
                found += made.between(first, second, [share])
        return found

    yield from paced(source, *pace, between)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
