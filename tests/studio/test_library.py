"""The library: what is kept, what is deleted, and what a killed worker leaves behind."""

from pathlib import Path

import pytest

from studio.library import PUBLISHING, Asset, Library
from tests.queue_kit import Desk


def _keep(desk: Desk, prompt: str = "a boat") -> Asset:
    desk.submit(prompt)
    attempt = desk.begin(ticket=f"ticket for {prompt}")
    assert desk.publish(attempt)
    asset = desk.library.get(desk.job(attempt.job.id).asset_id or "")
    assert asset is not None
    return asset


def test_a_kept_clip_comes_back_whole(desk: Desk) -> None:
    asset = _keep(desk, "夜晚的海")
    assert asset.request.prompt == "夜晚的海"
    assert asset.form == {"prompt": "夜晚的海"}
    assert asset.path == f"media/{asset.created:%Y/%m}/{asset.id}.mp4"
    assert desk.library.exists(asset)
    assert desk.library.file(asset).read_bytes() == b"content"
    assert desk.library.thumbnail_file(asset).suffix == ".webp"
    assert desk.library.get("nothing") is None


def test_the_newest_come_first_by_owner_and_by_page(desk: Desk) -> None:
    ids = [_keep(desk, f"clip {number}").id for number in range(5)]
    assert [asset.id for asset in desk.library.list()] == ids[::-1]
    assert [asset.id for asset in desk.library.list(limit=2, offset=1)] == [ids[3], ids[2]]
    assert [asset.id for asset in desk.library.list(owner="ann", limit=1)] == [ids[4]]
    assert desk.library.list(owner="bob") == []


def test_deleting_removes_files_and_row_and_bears_a_missing_file(desk: Desk) -> None:
    first, second = _keep(desk, "first"), _keep(desk, "second")
    assert desk.library.delete(first.id)
    assert desk.files() == sorted([second.path, second.thumbnail])
    assert not desk.library.delete(first.id)
    desk.library.file(second).unlink()
    desk.library.thumbnail_file(second).unlink()
    assert not desk.library.exists(second)
    assert desk.library.list() == [second], "shown all the same"
    assert desk.library.delete(second.id)
    assert desk.library.list() == []
    assert desk.job(first.job_id).asset_id == first.id, "the job still tells what it made"


def test_a_sweep_removes_what_was_moved_but_never_published(desk: Desk) -> None:
    kept = _keep(desk)
    tmp = desk.settings.tmp / "w1"
    tmp.mkdir()
    others = desk.settings.tmp / "w2"
    others.mkdir()
    home = desk.settings.studio_home
    moved = [f"{Path(kept.path).parent}/lost.mp4", f"{Path(kept.path).parent}/lost.webp"]
    for place in moved:
        (home / place).write_bytes(b"moved, then the worker was killed")
    (tmp / f"lost{PUBLISHING}").write_text("".join(f"{place}\n" for place in moved))
    (tmp / f"early{PUBLISHING}").write_text("media/2026/11/never-moved.mp4\n")
    # Killed between the commit and the removal of the marker: the clip stays.
    (tmp / f"{kept.id}{PUBLISHING}").write_text(f"{kept.path}\n{kept.thumbnail}\n")
    (tmp / "half.part.mp4").write_bytes(b"half")
    (others / "busy.part.mp4").write_bytes(b"another worker is at it")
    desk.library.sweep(tmp)
    assert desk.files() == sorted([kept.path, kept.thumbnail, "tmp/w2/busy.part.mp4"])
    desk.library.sweep(tmp)


def test_a_clip_that_cannot_be_moved_leaves_nothing(desk: Desk) -> None:
    desk.submit()
    attempt = desk.begin()
    # Where the folder of this month belongs lies a file.
    (desk.settings.media / f"{attempt.job.created:%Y}").write_bytes(b"in the way")
    with pytest.raises(OSError, match=r"[Nn]ot a directory|exists"):
        desk.publish(attempt)
    assert desk.files() == [f"media/{attempt.job.created:%Y}"]
    assert desk.library.list() == []
    assert desk.job(attempt.job.id).state == "running"


def test_a_clip_is_kept_once_per_job(desk: Desk) -> None:
    asset = _keep(desk)
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        Library(desk.engine, desk.settings.studio_home).add(asset)
    assert desk.library.list() == [asset]
