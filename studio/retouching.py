"""The media job of an edit: a finished clip, brighter, slower, larger; through the gate, into the library.

Where the wish also asks for other pictures, they are rendered first, as a take that this job waits for.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.request import Cancelled, GenerationRequest, Notice, Progress
from studio import footage
from studio.db import utc_now
from studio.exporting import Begun
from studio.film_takes import FilmTakes, TakeFailed
from studio.finishing import Finish, frames_of, polished, split
from studio.library import Asset, new_id
from studio.media.clip import ClipFacts, write_clip
from studio.media.ffmpeg import MediaError, run
from studio.media.probe import probe, thumbnail
from studio.media.retouch import Operation, Shape, retouch_graph, shape_after
from studio.media_work import Bench
from studio.recipe import STUDIO, Recipe
from studio.story.film_plan import key_of

NAME = "retouch"
_POLL_SECONDS, _LISTEN_SECONDS = 0.3, 0.05
# The last tenth is for label, encoder and seal.
_STEPS, _CUT_STEPS = 100, 60


class RetouchFailed(Exception):
    """An edit can't be made; `notice` says why."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(f"{notice.code} {notice.values}")
        self.notice = notice


def make(bench: Bench) -> bool:
    """Do what a task asks for; False if it was not ours to publish any more.

    The task holds the `source` (an asset's id), the `operations`, and a `request` where the pictures are
    rendered first. MediaError or RetouchFailed if the source is gone or the take failed; Cancelled.
    """
    task, began = bench.task, time.monotonic()
    operations = tuple(Operation.model_validate(one) for one in task["operations"])
    plain, finish = split(operations, bench.settings.studio_home)
    source = _rendered(bench, task["request"]) if task.get("request") else _kept(bench, str(task["source"]))
    asset_id = new_id()
    begun = bench.exporter.begin(asset_id, "clip", project=bench.attempt.job.form.get("project"))
    cut, path, still = (bench.tmp / f"{asset_id}{end}" for end in (".cut.mp4", ".mp4", ".webp"))
    with contextlib.ExitStack() as left:
        for file in (cut, path, still):
            left.callback(file.unlink, missing_ok=True)
        shape = _cut(bench, source, plain, cut, finish)
        comment = _recipe(bench, source, operations, finish)
        facts = _written(bench, cut, path, shape, begun, comment, finish)
        finished = bench.exporter.finish(
            begun,
            path,
            model=source.model,
            revision=source.model_revision,
            prompt=source.request.prompt if source.request is not None else source.asked,
            ingredients=footage.clips_named([source], bench.library),
            should_stop=bench.should_stop,
        )
        still.write_bytes(thumbnail(path))
        asset = finished.asset(
            bench.attempt.job,
            facts,
            fps=round(facts.frames / facts.seconds) if facts.seconds else source.fps,
            took=time.monotonic() - began,
            kind="edit",
            title=source.title,
            request=source.request,
            model=source.model,
            model_revision=source.model_revision,
        )
        return bench.claims.publish(
            bench.attempt,
            asset,
            [(path, asset.path), (still, asset.thumbnail)],
            bench.library,
            finished,
            tail_seconds=0.0,
            clips=[source.id],
        )


# -- where the pictures come from --------------------------------------------------------------------------


def _kept(bench: Bench, asset_id: str) -> Asset:
    asset = bench.library.usable(asset_id)
    owner = bench.attempt.job.owner
    # A draft is its owner's alone; what was asked for while it stood open may be held by now.
    if asset is None or (asset.standing == "draft" and asset.owner != owner):
        raise RetouchFailed(Notice("asset_unknown"))
    if not bench.library.exists(asset):
        raise MediaError("file_missing")
    return asset


def _rendered(bench: Bench, document: dict[str, Any]) -> Asset:
    """The take of a request, once it is there; a worker that is to end gives this job back meanwhile."""
    request = GenerationRequest.kept(document)
    takes = FilmTakes(bench.claims.engine, bench.library, bench.exporter.key)
    key, told = key_of(request), False
    try:
        found = takes.ask(bench.attempt, [request])
        while key not in found.clips:
            if not told:
                bench.reporter(Progress("takes", 0, 1))
                told = True
            _rest(bench)
            found = takes.look(bench.attempt, [request])
            if key not in found.clips and key not in found.coming:
                found = takes.ask(bench.attempt, [request])
    except TakeFailed as failed:
        raise RetouchFailed(failed.reason or Notice("take_cancelled")) from failed
    bench.claims.got_on(bench.attempt)
    return found.clips[key]


def _rest(bench: Bench) -> None:
    until = time.monotonic() + _POLL_SECONDS
    while time.monotonic() < until:
        if bench.should_stop():
            raise Cancelled
        time.sleep(_LISTEN_SECONDS)


# -- the file ----------------------------------------------------------------------------------------------


def _cut(
    bench: Bench, source: Asset, operations: tuple[Operation, ...], target: Path, finish: Finish
) -> Shape:
    """The source with all that ffmpeg does to it, without label: nearly lossless. What it is like then."""
    path = bench.library.file(source)
    facts = probe(path)
    fps = round(facts.fps) or source.fps
    shape = shape_after(Shape(facts.width, facts.height, facts.frames, fps), operations)
    steps = _cut_steps(finish)

    def tell(frame: int) -> None:
        bench.reporter(Progress("cutting", min(steps, steps * frame // shape.frames), _STEPS))

    bench.reporter(Progress("cutting", 0, _STEPS))
    label = footage.label_on(source.label, bench.settings)
    graph = retouch_graph(path, facts, fps, operations, target, label=label)
    run(graph, should_stop=bench.should_stop, on_frame=tell)
    return shape


def _cut_steps(finish: Finish) -> int:
    """Which part of the way the cut is: a network takes far longer than ffmpeg."""
    return _CUT_STEPS // 12 if finish.by_network else _CUT_STEPS


def _written(
    bench: Bench, cut: Path, path: Path, shape: Shape, begun: Begun, comment: str, finish: Finish
) -> ClipFacts:
    """The finished file: larger and smoother, marked, labelled, encoded as a rendered clip is."""
    done = tuple(one for one in (finish.enlarge, finish.smooth) if one is not None)
    after, steps = shape_after(shape, done), _cut_steps(finish)

    def watched(pictures: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        for number, frame in enumerate(pictures):
            if bench.should_stop():
                raise Cancelled
            if number % 8 == 0 or finish.by_network:
                told = steps + (_STEPS - steps) * number // after.frames
                bench.reporter(Progress("cutting", min(_STEPS - 1, told), _STEPS))
            yield frame

    with (
        contextlib.closing(frames_of(cut, bench.should_stop)) as bare,
        contextlib.closing(
            polished(
                bare,
                shape,
                finish,
                card=bench.card,
                device=bench.settings.device,
                should_stop=bench.should_stop,
            )
        ) as pictures,
    ):
        return write_clip(
            watched(pictures),
            path=path,
            fps=after.fps,
            comment=begun.comment(comment),
            tags=begun.tags,
            label=begun.label,
            mark=begun.mark_frames(),
            expected_frames=after.frames,
        )


def _recipe(bench: Bench, source: Asset, operations: tuple[Operation, ...], finish: Finish) -> str:
    """The recipe of the pictures, and what was done to which clip of them."""
    told: dict[str, Any] = {"studio": STUDIO, "version": 1}
    if source.request is not None:
        recipe = Recipe(
            request=source.request,
            form=bench.attempt.job.form,
            model_revision=source.model_revision,
            created=utc_now().isoformat(timespec="seconds"),
            job=bench.attempt.job.id,
        )
        told = json.loads(recipe.text())
    done = [operation.model_dump(exclude_defaults=True) for operation in operations]
    told |= {"kind": "edit", "source": source.id, "operations": done}
    if finish.by_network:
        told["networks"] = finish.told()
    return json.dumps(told, ensure_ascii=False)
