"""Between a rendering and the rows: one thread writes how far it is and hears what people want.

The denoising loop only leaves a note here; it never waits for the database.
"""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from pipelines.request import Progress
from studio.claims import Attempt, Claims, Wish

# How often a rendering hears of a cancellation, and at most writes how far it is.
LISTEN_SECONDS = 0.1
# A database that is gone for longer is gone: what was ordered is then told as a promise that nobody kept.
KEEP_SECONDS = 30.0
# Stages whose steps take about as long as each other.
_PACED = ("denoising", "cutting")

log = logging.getLogger(__name__)


class Reporter:
    """Used as a context around one rendering. `wish` is what is wanted of it, as far as it is known.

    By what an attempt goes on that was ordered elsewhere is written at once, before the rendering goes on:
    `token` is what the row holds of it. `actual_prompt` is what a cloud made of the prompt.
    `tail` is the number of seconds that clips like this one took after their last step (a film: none).
    """

    def __init__(self, claims: Claims, attempt: Attempt, *, tail: float = 0.0) -> None:
        self.wish: Wish = "go"
        self.actual_prompt = ""
        self._claims = claims
        self._attempt = attempt
        self._tail = tail
        self._wake = threading.Condition()
        self.token = attempt.job.resume_token or ""
        self._note: Progress | None = None
        self._preview: bytes | None = None
        self._pictures = 0
        self._ended = False
        self._first_step: tuple[int, float] | None = None
        self._last_step: tuple[int, float] | None = None
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._wake:
            self._ended = True
            self._wake.notify()
        self._thread.join()

    def __call__(self, progress: Progress) -> None:
        """Leave a note; an older one that nobody has written yet is forgotten, its picture is not.

        Raises SQLAlchemyError only if a `resume_token` can't be kept for as long as `KEEP_SECONDS`.
        """
        if progress.resume_token is not None and progress.resume_token != self.token:
            self._keep(progress.resume_token)
        self.actual_prompt = progress.actual_prompt or self.actual_prompt
        with self._wake:
            if progress.stage in _PACED and progress.step > 0:
                self._last_step = (progress.step, time.monotonic())
                self._first_step = self._first_step or self._last_step
            self._note = progress
            self._preview = progress.preview or self._preview
            self._wake.notify()

    def _keep(self, token: str) -> None:
        """Have a token in the row before anything else happens, though the database be slow to answer."""
        until = time.monotonic() + KEEP_SECONDS
        while True:
            try:
                kept, self.wish = self._claims.keep_token(self._attempt, token, self.token)
                self.token = token if kept else self.token
                return
            except SQLAlchemyError:
                if time.monotonic() > until:
                    raise
                log.warning("job %s waits to keep what it ordered", self._attempt.job.id, exc_info=True)
                time.sleep(5 * LISTEN_SECONDS)

    def stops_at(self, *orders: threading.Event) -> Callable[[], bool]:
        """Whether to stop: the job is not wanted any more, or this process was given one of these orders."""
        return lambda: self.wish != "go" or any(order.is_set() for order in orders)

    @property
    def last_step(self) -> float:
        """When the last step ended, on the monotonic clock; now if there was none."""
        return time.monotonic() if self._last_step is None else self._last_step[1]

    def _run(self) -> None:
        ended = False
        written = float("-inf")
        while not ended:
            with self._wake:
                if self._note is None and not self._ended:
                    self._wake.wait(LISTEN_SECONDS)
                soonest = written + LISTEN_SECONDS - time.monotonic()
                if soonest > 0 and not self._ended:
                    # Steps of a small model are faster than anybody looks; each write waits for the disk.
                    self._wake.wait_for(lambda: self._ended, soonest)
                note, preview, ended = self._note, self._preview, self._ended
                self._note = self._preview = None
                eta = None if note is None else self._eta(note)
            try:
                self._exchange(note, preview, eta)
                written = time.monotonic() if note is not None else written
            except SQLAlchemyError:
                # Showing progress is not worth a clip; publishing has its own say about a lost database.
                log.warning("progress of job %s was not written", self._attempt.job.id, exc_info=True)
                time.sleep(LISTEN_SECONDS)

    def _exchange(self, note: Progress | None, preview: bytes | None, eta: float | None) -> None:
        if note is None:
            self.wish = self._claims.wish(self._attempt)
            return
        if preview is not None:
            self._pictures += 1
        picture = None if preview is None else (self._pictures, preview)
        self.wish = self._claims.report(self._attempt, note, eta, picture)

    def _eta(self, note: Progress) -> float | None:
        """Seconds left by the pace of the steps after the first (which pays for warming up)."""
        if self._first_step is None or self._last_step is None or not note.total:
            return None
        steps, since = self._last_step[0] - self._first_step[0], time.monotonic() - self._last_step[1]
        if note.stage == "decoding" or note.step == note.total:
            return max(0.0, self._tail - since)
        if steps == 0:
            return None
        pace = (self._last_step[1] - self._first_step[1]) / steps
        return max(0.0, (note.total - note.step) * pace - since) + self._tail
