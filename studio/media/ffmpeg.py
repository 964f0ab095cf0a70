"""The one place that runs a program: the ffmpeg that imageio-ffmpeg carries, fed by a pipe or by files."""

import contextlib
import errno
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import ffmpeg
import imageio_ffmpeg

from pipelines.request import Cancelled, Notice

# What ffmpeg writes, or the system answers, when there is no room: full disk, used-up quota, size limit.
_NO_ROOM_WORDS = ("No space left on device", "Disk quota exceeded", "Disc quota exceeded", "File too large")
_NO_ROOM_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TAIL_BYTES = 8192
# After its input has ended, ffmpeg flushes a few frames and moves the index to the front: that takes seconds.
FINISH_SECONDS = 300.0
# A run that shows no sign of life for so long has hung: a frame of a film takes far less than a second.
_SILENT_SECONDS = 300.0
_LOOK_SECONDS = 0.1


class MediaError(Exception):
    """A file could not be made or read. `notice` is for people, `argv` and `stderr` are for the log."""

    def __init__(self, code: str, *, argv: list[str] | None = None, stderr: str = "", **values: Any) -> None:
        super().__init__(f"{code} {values or ''} {stderr[-500:]}".strip())
        self.code = code
        self.notice = Notice(code, values)
        self.argv = argv or []
        self.stderr = stderr


@cache
def program() -> str:
    """Path of the ffmpeg program."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def encode(graph: Any, chunks: Iterable[bytes | memoryview]) -> None:
    """Run a graph (ffmpeg-python's output node) that reads `pipe:0`, and feed it the chunks as they come.

    Raises MediaError "disk_full" or "encode_failed" when ffmpeg does not end well. Whatever the chunks'
    iterator raises ends ffmpeg at once and passes through. No process or thread is left behind either way.
    """
    argv = arguments(graph)
    process, tail, reader = _start(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        broken = not _feed(process, chunks)
        code = process.wait(FINISH_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise MediaError("encode_failed", argv=argv, stderr="ffmpeg did not finish") from error
    finally:
        _end(process)
        with contextlib.suppress(OSError):  # closing flushes what a dead ffmpeg no longer takes
            process.stdin.close()  # type: ignore[union-attr]
        reader.join()
    if broken or code != 0:
        raise _failure(code, argv, tail)


def run(
    graph: Any,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_frame: Callable[[int], None] | None = None,
    verbose: bool = False,
) -> str:
    """Run a graph that reads and writes files; return the end of what ffmpeg said.

    `on_frame` hears the number of the frame that is made, a few times a second. Raises Cancelled soon after
    `should_stop()` turns true, MediaError "disk_full" or "encode_failed" when ffmpeg does not end well; the
    process is gone either way, what it wrote so far is the caller's to remove. `verbose` keeps what filters
    that measure have to say (at most the last 8 KiB).
    """
    if should_stop():
        # A short run would be over before anybody looks again.
        raise Cancelled
    argv = arguments(graph, "-nostdin", "-progress", "pipe:1", loglevel="info" if verbose else "error")
    process, tail, reader = _start(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    seen = _Seen()
    watcher = threading.Thread(target=_watch, args=(process, seen), name="ffmpeg-progress", daemon=True)
    watcher.start()
    told = -1
    try:
        while (code := _waited(process)) is None:
            if should_stop():
                raise Cancelled
            if time.monotonic() - seen.at > _SILENT_SECONDS:
                raise MediaError("encode_failed", argv=argv, stderr="ffmpeg did nothing any more")
            if on_frame is not None and seen.frame > told:
                told = seen.frame
                on_frame(told)
    finally:
        _end(process)
        watcher.join()
        reader.join()
    if code != 0:
        raise _failure(code, argv, tail)
    return tail.decode("utf-8", "replace")


def arguments(graph: Any, *more: str, loglevel: str = "error") -> list[str]:
    """The command line of a graph (ffmpeg-python's output node, or several merged)."""
    argv = [str(part) for part in ffmpeg.compile(graph, cmd=program(), overwrite_output=True)]
    argv[1:1] = ["-hide_banner", "-loglevel", loglevel, "-nostats", *more]
    return argv


def no_room(error: OSError) -> bool:
    """Whether the system refused to write because there is no room."""
    return error.errno in _NO_ROOM_ERRNOS


@dataclass
class _Seen:
    """What `-progress` told last: the frame, and when it was told."""

    frame: int = 0
    at: float = field(default_factory=time.monotonic)


def _start(
    argv: list[str], *, stdin: int, stdout: int
) -> tuple["subprocess.Popen[bytes]", bytearray, threading.Thread]:
    """The running program, the end of what it complains about, and the thread that reads that."""
    # A session of its own: Ctrl+C in the terminal is ours to handle, ffmpeg would finish a short film on it.
    process = subprocess.Popen(
        argv, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, start_new_session=True
    )
    tail = bytearray()
    reader = threading.Thread(target=_drain, args=(process, tail), name="ffmpeg-stderr", daemon=True)
    reader.start()
    return process, tail, reader


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


def _failure(code: int, argv: list[str], tail: bytearray) -> MediaError:
    stderr = tail.decode("utf-8", "replace")
    # A size limit (ulimit -f) ends a program by a signal of its own.
    room = code == -signal.SIGXFSZ or any(words in stderr for words in _NO_ROOM_WORDS)
    return MediaError("disk_full" if room else "encode_failed", argv=argv, stderr=stderr)


def _waited(process: "subprocess.Popen[bytes]") -> int | None:
    """The exit status if it ends within a moment."""
    try:
        return process.wait(_LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _watch(process: "subprocess.Popen[bytes]", seen: _Seen) -> None:
    """Follow `-progress` until the program closes it."""
    assert process.stdout is not None
    with process.stdout as stream:
        for line in stream:
            seen.at = time.monotonic()
            name, _, value = line.partition(b"=")
            if name == b"frame" and value.strip().isdigit():
                seen.frame = int(value)


def _feed(process: "subprocess.Popen[bytes]", chunks: Iterable[bytes | memoryview]) -> bool:
    """Write the chunks and close the pipe; False if ffmpeg stopped reading before the end."""
    pipe = process.stdin
    assert pipe is not None
    for chunk in chunks:
        try:
            pipe.write(chunk)
        except BrokenPipeError:
            return False
    try:
        pipe.close()
    except BrokenPipeError:
        return False
    return True


def _drain(process: "subprocess.Popen[bytes]", tail: bytearray) -> None:
    """Keep reading what ffmpeg complains about, so that it never blocks, and keep the end of it."""
    assert process.stderr is not None
    with process.stderr as stream:
        while chunk := stream.read1(4096):  # type: ignore[attr-defined]
            tail += chunk
            del tail[:-_TAIL_BYTES]
