"""What makes the takes of a film larger and smoother before it is cut: the studio's networks, as for clips.

What it will be stands in the film's plan before it is asked for. Each stretch of a take that the film shows
becomes a file of its own in the film's folder, named by what decides its pictures: a film that was killed
goes on behind the last of them. Frames are streamed, so memory does not grow with the film.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import ffmpeg
import numpy as np

from pipelines.models import Size
from pipelines.networks import Network, find
from pipelines.request import Cancelled
from studio.card import Card
from studio.finishing import frames_of, named, needed, refined
from studio.media.canvas import Canvas, canvas_of
from studio.media.cut import (
    AS_IT_IS,
    Finer,
    Stretch,
    bare_graph,
    fitted,
    intermediate,
    make,
    shot_name,
    size_at,
    step_of,
    stretches,
)
from studio.media.ffmpeg import MediaError, encode
from studio.media.pace import paced_frames
from studio.media.probe import probe
from studio.media.timeline import FilmCut, ShotCut
from studio.media.whole import unfinished
from studio.story.film_plan import FilmPlan

# Rates as whole numbers: a stretch may play at any speed.
_FINE = 1000


@dataclass(frozen=True)
class Refined:
    """A stretch made finer: at that size and pace (None: as it is), `frames` frames, at `path`."""

    path: Path
    size: Size | None
    pace: tuple[int, int] | None
    frames: int


@dataclass(frozen=True)
class Means:
    """What makes stretches finer, and how one hears of it."""

    card: Card
    device: str
    should_stop: Callable[[], bool] = lambda: False
    on_frame: Callable[[int, int], None] = lambda done, total: None


def asked(plan: FilmPlan, home: Path, *, wanted: bool = True) -> FilmPlan:
    """The plan with what will make its takes larger and smoother, by the networks that are here now.

    A draft film has none, nor has a film whose takes are as large and as smooth as it is.
    """
    if plan.level != "film" or not wanted:
        return plan
    brought = any(shot.source is not None for shot in plan.shots)
    small = brought or any(min(one.width, one.height) < plan.height for one in plan.requests())
    slow = brought or any(one.fps < plan.fps for one in plan.requests())
    told: dict[str, str] = {}
    if small and find(home, "larger") is not None:
        told["larger"] = "network"
    if slow and find(home, "smoother") is not None:
        told["smoother"] = "network"
    return plan.model_copy(update=told)


def networks(plan: FilmPlan, home: Path) -> tuple[Network | None, Network | None]:
    """What makes a plan's takes larger, and smoother. MediaError "network_gone" if one is not here now."""
    larger = needed(home, "larger") if plan.larger == "network" else None
    smoother = needed(home, "smoother") if plan.smoother == "network" else None
    return larger, smoother


def finer(cut: FilmCut, work: Path, makers: tuple[Network | None, Network | None], means: Means) -> Finer:
    """What a film's shots are cut from: each stretch that lacks pixels or frames has been made finer.

    What lies in `work` already is not made again, nor is what belongs to a shot that is cut already. Raises
    MediaError, ModelError "network_unknown" or "out_of_memory_finish", Cancelled.
    """
    by = json.dumps(named(*makers), sort_keys=True) if any(makers) else ""
    if not by:
        return AS_IT_IS
    canvas, found = canvas_of(cut), dict[Stretch, Refined]()
    for number, shot in enumerate(cut.shots, 1):
        if not (work / shot_name(shot, canvas, by)).is_file():
            for part in stretches(shot, number, cut.fps):
                wanted = _wanted(part, shot, canvas, work, makers, by)
                found |= {} if wanted is None else {part: wanted}
    missing = {one.path: (part, one) for part, one in found.items() if not one.path.is_file()}
    total, done = sum(one.frames for _, one in missing.values()), 0
    for part, one in missing.values():
        _make(part, one, makers, means, partial(_add, means, done, total))
        done += one.frames

    def of(part: Stretch) -> Stretch:
        return _in_place_of(part, found[part], canvas) if part in found else part

    return Finer(by, of)


def _add(means: Means, done: int, total: int, frame: int) -> None:
    means.on_frame(done + frame, total)


def _wanted(
    part: Stretch,
    shot: ShotCut,
    canvas: Canvas,
    work: Path,
    makers: tuple[Network | None, Network | None],
    by: str,
) -> Refined | None:
    """What a stretch lacks that a network can give; None for nothing."""
    larger, smoother = makers
    _, factor = fitted(part.facts, canvas)
    size = size_at(part.facts, factor) if larger is not None and factor > 1 else None
    pace, frames = None, part.count
    exact = shot.keep_sound or part.piece.exact
    moving = part.frames - part.hold
    if smoother is not None and part.count > 1 and step_of(part, canvas.fps, exact=exact) * canvas.fps > 1:
        # As the cut would time it: from the first frame to the last, or each at its own moment.
        pace = (part.count - 1, moving - 1)
        if exact:
            pace = (round(part.facts.fps * part.piece.speed * _FINE), canvas.fps * _FINE)
        frames = paced_frames(part.count, *pace)
    if size is None and pace is None:
        return None
    label = None if part.piece.label is None else asdict(part.piece.label)
    with part.piece.path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    told = [content, part.first, part.count, label, size, pace, by]
    name = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]
    return Refined(work / f"take-{name}.mp4", size, pace, frames)


def _in_place_of(part: Stretch, made: Refined, canvas: Canvas) -> Stretch:
    """The finer stretch, to be cut exactly as the other one was."""
    facts = replace(part.facts, frames=made.frames)
    if made.size is not None:
        facts = replace(facts, width=made.size.width, height=made.size.height)
    speed = part.piece.speed
    if made.pace is not None:
        facts, speed = replace(facts, fps=float(canvas.fps)), 1.0
    piece = replace(part.piece, path=made.path, start=0.0, seconds=None, speed=speed, label=None)
    return Stretch(piece, facts, 0, made.frames, part.frames, part.hold)


def _make(
    part: Stretch,
    made: Refined,
    makers: tuple[Network | None, Network | None],
    means: Means,
    on_frame: Callable[[int], None],
) -> None:
    """The file of a finer stretch: whole, or not there."""
    made.path.parent.mkdir(parents=True, exist_ok=True)
    with unfinished(made.path.with_name(f"bare-{made.path.name}")) as bare, unfinished(made.path) as target:
        make(lambda file: bare_graph(part, file), bare, should_stop=means.should_stop)
        facts = probe(bare)
        size = made.size or Size(facts.width, facts.height)
        fps = max(1, round(part.facts.fps))
        with (
            contextlib.closing(frames_of(bare, means.should_stop)) as source,
            contextlib.closing(
                refined(
                    source,
                    made.size,
                    made.pace,
                    makers,
                    card=means.card,
                    device=means.device,
                    should_stop=means.should_stop,
                )
            ) as pictures,
        ):
            raw = ffmpeg.input(
                "pipe:0", f="rawvideo", pix_fmt="rgb24", s=f"{size.width}x{size.height}", framerate=fps
            )
            graph = intermediate(raw, made.frames, Canvas(size.width, size.height, fps), target)
            encode(graph, _watched(pictures, means.should_stop, on_frame))
        if probe(target).frames != made.frames:
            raise MediaError("encode_failed", stderr=f"{target} holds other frames than {made.frames}")
        os.replace(target, made.path)


def _watched(
    pictures: Iterator[np.ndarray], should_stop: Callable[[], bool], on_frame: Callable[[int], None]
) -> Iterator[memoryview]:
    for number, picture in enumerate(pictures, 1):
        if should_stop():
            raise Cancelled
        on_frame(number)
        yield np.ascontiguousarray(picture).data
