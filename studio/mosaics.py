"""The media job that makes one video of a grid: its clips as tiles, through the gate, into the library."""

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.request import Progress
from studio.db import reading, utc_now
from studio.footage import clips_named
from studio.library import Asset, Library, new_id
from studio.library.projects import read_project
from studio.media.ffmpeg import MediaError
from studio.media.mosaic import Tile, flatter, make_mosaic
from studio.media.probe import POSTER_SIDE, thumbnail
from studio.media_work import Bench
from studio.recipe import MAX_BYTES, STUDIO

NAME = "mosaic"
_TELL_SECONDS = 0.3
# The label that joins the recipe in the comment needs a little, too.
_MAX_BYTES = MAX_BYTES - 2048


def make(bench: Bench) -> bool:
    """Make the video that a task asks for; False if it was not ours to publish any more.

    The task holds the `grid`'s id, a `title`, `columns` (or None) and `tiles`: each an `asset`'s id and a
    `caption`. MediaError if a clip is gone, or may not be shown.
    """
    task = bench.task
    began = time.monotonic()
    title = str(task["title"])
    clips = [_clip(bench.library, str(tile["asset"]), str(tile["caption"])) for tile in task["tiles"]]
    tiles = [
        Tile(bench.library.file(clip), str(tile["caption"]))
        for clip, tile in zip(clips, task["tiles"], strict=True)
    ]
    asset_id = new_id()
    begun = bench.exporter.begin(asset_id, "film", project=ruling(bench.library, clips))
    begun = replace(begun, label=flatter(tiles, begun.label, task.get("columns")))
    path, still = bench.tmp / f"{asset_id}.mp4", bench.tmp / f"{asset_id}.webp"
    with contextlib.ExitStack() as left:
        for file in (path, still):
            left.callback(file.unlink, missing_ok=True)
        aside = Path(left.enter_context(tempfile.TemporaryDirectory(dir=bench.tmp, prefix="mosaic-")))
        facts = make_mosaic(
            title,
            tiles,
            path,
            aside=aside,
            label=begun.label,
            comment=begun.comment(_recipe(bench)),
            tags=begun.tags,
            mark=begun.mark_frames(),
            columns=task.get("columns"),
            on_progress=_teller(bench),
            should_stop=bench.should_stop,
        )
        finished = bench.exporter.finish(
            begun,
            path,
            model=next((clip.model for clip in clips), ""),
            revision="",
            prompt="\n".join(clip.request.prompt for clip in clips if clip.request is not None),
            title=title,
            ingredients=clips_named(list({clip.id: clip for clip in clips}.values()), bench.library),
            should_stop=bench.should_stop,
        )
        still.write_bytes(thumbnail(path, side=POSTER_SIDE))
        fps = round(facts.frames / facts.seconds) if facts.seconds else 0
        took = time.monotonic() - began
        asset = finished.asset(bench.attempt.job, facts, fps=fps, took=took, kind="grid", title=title)
        files = [(path, asset.path), (still, asset.thumbnail)]
        return bench.claims.publish(
            bench.attempt,
            asset,
            files,
            bench.library,
            finished,
            tail_seconds=0.0,
            clips=list(dict.fromkeys(clip.id for clip in clips)),
        )


def _clip(library: Library, asset_id: str, caption: str) -> Asset:
    asset = library.get(asset_id)
    # What only its owner may see would be seen by everybody.
    if asset is None or asset.standing != "public" or not library.exists(asset):
        raise MediaError("task_clip_missing", value=caption[:80])
    return asset


def ruling(library: Library, clips: Sequence[Asset]) -> str | None:
    """The project whose rule for publishing holds: that of all clips; of several, one that shows nothing
    before somebody looked at it."""
    named = {clip.project_id for clip in clips}
    if len(named) == 1:
        return next(iter(named))
    with reading(library.engine) as connection:
        found = [read_project(connection, project_id) for project_id in sorted(filter(None, named))]
    return next((one.id for one in found if one is not None and one.publish == "after_review"), None)


def _recipe(bench: Bench) -> str:
    """What the file's comment tells: which clips lie where."""
    job = bench.attempt.job
    told = {"studio": STUDIO, "version": 1, "kind": "grid", "job": job.id}
    told |= {"created": utc_now().isoformat(timespec="seconds"), **bench.task}
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > _MAX_BYTES:
        told["tiles"] = [{"asset": tile["asset"]} for tile in bench.task["tiles"]]
        text = json.dumps(told, separators=(",", ":"))
    return text


def _teller(bench: Bench) -> Callable[[int, int], None]:
    told = float("-inf")

    def tell(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > _TELL_SECONDS or done >= total:
            told = time.monotonic()
            bench.reporter(Progress("cutting", done, total))

    return tell
