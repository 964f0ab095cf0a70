"""Runs from file to file: followed, stopped, and honest about what went wrong."""

import threading
from pathlib import Path
from typing import Any

import ffmpeg
import psutil
import pytest

from pipelines.request import Cancelled
from studio.media.ffmpeg import MediaError, arguments, run


def endless(target: Path, seconds: float = 3600) -> Any:
    source = ffmpeg.input(f"testsrc2=s=640x360:r=30:d={seconds}", f="lavfi")
    return ffmpeg.output(source, str(target), vcodec="libx264", preset="ultrafast", f="mp4")


def nothing_is_left() -> bool:
    children = [child.name() for child in psutil.Process().children(recursive=True)]
    threads = [thread.name for thread in threading.enumerate()]
    return not any("ffmpeg" in name for name in [*children, *threads])


def test_frames_are_told_as_they_are_made(tmp_path: Path) -> None:
    told: list[int] = []
    run(endless(tmp_path / "a.mp4", 20), on_frame=told.append)
    assert told == sorted(told)
    assert (told[-1] <= 600, nothing_is_left()) == (True, True)


def test_a_run_is_stopped_when_asked(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        run(endless(tmp_path / "a.mp4"), should_stop=lambda: (tmp_path / "a.mp4").exists())
    assert nothing_is_left()


def test_what_the_callers_own_code_raises_passes_through_and_ends_the_program(tmp_path: Path) -> None:
    def broken() -> bool:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        run(endless(tmp_path / "a.mp4"), should_stop=broken)
    assert nothing_is_left()


def test_a_failure_keeps_the_command_and_what_was_said(tmp_path: Path) -> None:
    graph = ffmpeg.output(ffmpeg.input(str(tmp_path / "gone.mp4")), str(tmp_path / "b.mp4"))
    with pytest.raises(MediaError) as caught:
        run(graph)
    assert caught.value.code == "encode_failed"
    assert "No such file" in caught.value.stderr
    assert caught.value.argv == arguments(graph, "-nostdin", "-progress", "pipe:1")


def test_what_measuring_filters_say_comes_back_on_request(tmp_path: Path) -> None:
    source = ffmpeg.input("sine=440:d=1", f="lavfi").filter("volumedetect")
    assert "mean_volume" in run(ffmpeg.output(source, "-", f="null"), verbose=True)
