"""The one place that runs a program: the ffmpeg that imageio-ffmpeg carries, fed through a pipe."""

import contextlib
import errno
import signal
import subprocess
import threading
from collections.abc import Iterable
from functools import cache
from typing import Any

import ffmpeg
import imageio_ffmpeg

from pipelines.request import Notice

# What ffmpeg writes, or the system answers, when there is no room: full disk, used-up quota, size limit.
_NO_ROOM_WORDS = ("No space left on device", "Disk quota exceeded", "Disc quota exceeded", "File too large")
_NO_ROOM_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TAIL_BYTES = 8192
# After its input has ended, ffmpeg flushes a few frames and moves the index to the front: that takes seconds.
FINISH_SECONDS = 300.0


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
    argv = [str(part) for part in ffmpeg.compile(graph, cmd=program(), overwrite_output=True)]
    argv[1:1] = ["-hide_banner", "-loglevel", "error", "-nostats"]
    # A session of its own: Ctrl+C in the terminal is ours to handle, ffmpeg would finish a short film on it.
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    tail = bytearray()
    reader = threading.Thread(target=_drain, args=(process, tail), name="ffmpeg-stderr", daemon=True)
    reader.start()
    try:
        broken = not _feed(process, chunks)
        code = process.wait(FINISH_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise MediaError("encode_failed", argv=argv, stderr="ffmpeg did not finish") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        with contextlib.suppress(OSError):  # closing flushes what a dead ffmpeg no longer takes
            process.stdin.close()  # type: ignore[union-attr]
        reader.join()
    if broken or code != 0:
        stderr = tail.decode("utf-8", "replace")
        # A size limit (ulimit -f) ends a program by a signal of its own.
        room = code == -signal.SIGXFSZ or any(words in stderr for words in _NO_ROOM_WORDS)
        raise MediaError("disk_full" if room else "encode_failed", argv=argv, stderr=stderr)


def no_room(error: OSError) -> bool:
    """Whether the system refused to write because there is no room."""
    return error.errno in _NO_ROOM_ERRNOS


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
