"""A request becomes frames in DashScope's cloud: ordered once, looked after until it is there, then read.

What was ordered is kept by its name (`Progress.resume_token`) before anything else happens, so that a worker
that dies costs nothing: the next one asks for the same task. The one request between is kept too, as a
promise; who finds only that does not order again but says so.
"""

import logging
import random
import secrets
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import cloud_film
from pipelines.cloud_facts import PROMISE, CloudFacts, ratio_of
from pipelines.dashscope_wire import Credentials, Look, NotNow, Service, Unsure, Wire, refusal
from pipelines.models import ModelSpec
from pipelines.request import (
    NO_INPUTS,
    Cancelled,
    GenerationRequest,
    Inputs,
    ModelError,
    OnProgress,
    Progress,
)

log = logging.getLogger(__name__)

# A task of a moment ago may not be known everywhere yet.
_UNKNOWN_LOOKS = 3
_LISTEN_SECONDS = 0.1
_CANCEL_TRIES = 3
_MAX_KEY_BYTES = 8192
_MAX_ACTUAL_PROMPT = 8000


class DashScope:
    """One model of the cloud, making one clip: a new one for each.

    `revision` is what a recipe stores of what made it; `folder` is where the film lies while it is read.
    """

    def __init__(self, spec: ModelSpec, service: Service, *, folder: Path) -> None:
        if spec.cloud is None:
            raise ValueError(f"{spec.name} is no cloud's")
        self.spec, self.cloud, self.service, self.folder = spec, spec.cloud, service, folder
        self.revision = f"{service.host} {spec.cloud.model}"
        self.token = ""
        self._wire = Wire(service)

    def generate(
        self,
        request: GenerationRequest,
        on_progress: OnProgress,
        should_stop: Callable[[], bool],
        inputs: Inputs = NO_INPUTS,
    ) -> Generator[np.ndarray, None, None]:
        """Yield the clip's frames, uint8 (height, width, 3), once the cloud has made it.

        `inputs.resume_token` goes on with what an earlier try ordered. `on_progress` must have kept a
        `resume_token` when it returns. Raises Cancelled (the task goes on: see `cancel`) and ModelError:
        cloud_key, cloud_account, cloud_denied, cloud_refused, cloud_rejected, cloud_failed (final);
        cloud_unsure, cloud_forgotten (nothing was ordered again); cloud_busy, cloud_unreachable, cloud_slow,
        cloud_download, cloud_expired, cloud_wrong_clip.
        """
        run = _Run(self, on_progress, should_stop)
        self.token = inputs.resume_token
        run.check()
        task = self._resumed(run, request) or self._order(run, request)
        look = self._waited(run, task)
        run.say("decoding", actual_prompt=look.actual_prompt[:_MAX_ACTUAL_PROMPT])
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix="cloud-", suffix=".mp4") as file:
            path = Path(file.name)
            self._fetched(run, task, look, path, request)
            for frame in cloud_film.frames(path, request):
                run.check()
                yield frame

    def cancel(self) -> bool:
        """Whether the cloud let go of what was ordered: only while it had not begun. Never raises."""
        host, _, task = self.token.partition(" ")
        if not task or task.startswith(PROMISE) or host != self.service.host:
            return False
        for _ in range(_CANCEL_TRIES):
            try:
                return self._wire.cancel(task)
            except NotNow:
                time.sleep(min(1.0, self.service.patience.first_pause))
            except (ModelError, Unsure) as error:
                log.warning("task %s could not be cancelled: %s", task, error)
                break
        return False

    def _resumed(self, run: "_Run", request: GenerationRequest) -> str:
        """The task that an earlier try ordered; empty if there is none, or it was cancelled unpaid."""
        host, _, task = self.token.partition(" ")
        if not task:
            return ""
        if task.startswith(PROMISE):
            run.keep("")
            raise ModelError("cloud_unsure", host=host)
        if host != self.service.host:
            run.keep("")
            raise ModelError("cloud_forgotten", host=host)
        log.info("task %s is asked for again, not ordered again", task)
        try:
            if self._wire.look(task).status == "CANCELED":
                run.keep("")
                return ""
        except NotNow:
            pass
        return task

    def _order(self, run: "_Run", request: GenerationRequest) -> str:
        """Order the clip once, wait while the service is busy; the task's id, kept already."""
        body, pauses = body_of(request, self.cloud), run.pauses(self.service.patience.order)
        while True:
            run.keep(f"{self.service.host} {PROMISE}{secrets.token_hex(4)}", stage="waiting")
            try:
                run.check()
                task = self._wire.order(body)
            except NotNow as error:
                run.keep("")
                code = "cloud_busy" if error.busy else "cloud_unreachable"
                pauses.wait(error.after, ModelError(code, host=self.service.host))
                continue
            except Unsure as error:
                log.warning("an order may have been taken: %s", error)
                run.keep("")
                raise ModelError("cloud_unsure", host=self.service.host) from error
            except (ModelError, Cancelled):
                run.keep("")
                raise
            run.keep(f"{self.service.host} {task}", stage="waiting")
            return task

    def _waited(self, run: "_Run", task: str) -> Look:
        """Look at the task until it has succeeded."""
        patience, unknown = self.service.patience, 0
        until, pause = time.monotonic() + patience.task, patience.first_look
        pauses = run.pauses(patience.silence)
        while True:
            try:
                look = self._wire.look(task)
            except NotNow as error:
                pauses.wait(error.after, ModelError("cloud_unreachable", host=self.service.host))
                continue
            pauses = run.pauses(patience.silence)
            if look.status == "SUCCEEDED":
                return look
            unknown = unknown + 1 if look.status == "UNKNOWN" else 0
            if look.status in ("FAILED", "CANCELED") or unknown == _UNKNOWN_LOOKS:
                run.keep("")
                raise self._ended(look)
            run.say("denoising" if look.status == "RUNNING" else "waiting")
            if time.monotonic() > until:
                raise ModelError("cloud_slow", host=self.service.host)
            run.wait(pause * random.uniform(0.9, 1.1))
            pause = min(patience.longest_look, pause * 1.3)

    def _ended(self, look: Look) -> ModelError:
        host = self.service.host
        if look.status == "UNKNOWN":
            return ModelError("cloud_forgotten", host=host)
        told = refusal(look.code or look.status, look.message, host=host)
        if told.notice.code == "cloud_rejected":
            return told
        return ModelError("cloud_failed", **told.notice.values) if "reason" in told.notice.values else told

    def _fetched(self, run: "_Run", task: str, look: Look, path: Path, request: GenerationRequest) -> None:
        """The task's film, whole and as it was asked for, in `path`."""
        reason, pauses = "", run.pauses(self.service.patience.silence)
        for _ in range(self.service.patience.films):
            run.check()
            try:
                self._wire.fetch(look.url, path)
                cloud_film.check(path, request)
                return
            except (NotNow, cloud_film.Broken) as error:
                reason = str(error)
                log.warning("the film of task %s did not come whole: %s", task, reason)
                after = error.after if isinstance(error, NotNow) else 0.0
                pauses.wait(after, ModelError("cloud_download", reason=reason))
            except ModelError as error:
                if error.notice.code in ("cloud_wrong_clip", "cloud_expired"):
                    # Another look would bring the same.
                    run.keep("")
                raise
        raise ModelError("cloud_download", reason=reason)


def body_of(request: GenerationRequest, cloud: CloudFacts) -> dict[str, Any]:
    """What is sent to order a clip; without the cloud's own watermark: the studio labels its clips itself."""
    asked: dict[str, Any] = {"prompt": request.prompt}
    if request.negative_prompt:
        asked["negative_prompt"] = request.negative_prompt
    width, height = request.size
    parameters: dict[str, Any] = {"seed": request.seed, "watermark": False, "prompt_extend": cloud.rewrites}
    if cloud.asks == "ratio":
        parameters |= {"resolution": cloud.tier_of(width, height).name, "ratio": ratio_of(width, height)}
    else:
        parameters["size"] = f"{width}*{height}"
    if len(cloud.durations) > 1:
        parameters["duration"] = (request.num_frames - 1) // request.fps
    if cloud.one_shot:
        parameters["shot_type"] = "single"
    return {"model": cloud.model, "input": asked, "parameters": parameters}


def fixed_key(key: str) -> Credentials:
    """A key that never changes."""
    return lambda: key


def key_in(path: Path) -> Credentials:
    """A key or temporary token in a file that somebody else renews: read anew for each request.

    ModelError("cloud_no_token") if the file is not there or holds no key.
    """

    def read() -> str:
        try:
            with path.open("rb") as file:
                key = file.read(_MAX_KEY_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            key = ""
        if not key or not key.isprintable() or " " in key:
            raise ModelError("cloud_no_token")
        return key

    return read


class _Run:
    """One clip under way: what is reported, and the waiting, which ends when the job is to stop."""

    def __init__(self, video: DashScope, on_progress: OnProgress, should_stop: Callable[[], bool]) -> None:
        self._video, self._on_progress, self._should_stop = video, on_progress, should_stop

    def check(self) -> None:
        if self._should_stop():
            raise Cancelled

    def say(self, stage: Any, *, actual_prompt: str = "") -> None:
        """Report a stage, and again what the task is called: an earlier report may not have been kept."""
        token = self._video.token or None
        self._on_progress(Progress(stage, resume_token=token, actual_prompt=actual_prompt))

    def keep(self, token: str, *, stage: Any = "waiting") -> None:
        """Have it kept by what a later try goes on ("": by nothing), before anything else happens."""
        self._video.token = token
        self._on_progress(Progress(stage, resume_token=token))

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.check()
            time.sleep(min(_LISTEN_SECONDS, left))
        self.check()

    def pauses(self, most: float) -> "_Pauses":
        return _Pauses(self, most)


class _Pauses:
    """Longer and longer pauses between tries, for `most` seconds together."""

    def __init__(self, run: _Run, most: float) -> None:
        self._run, self._until = run, time.monotonic() + most
        self._next = run._video.service.patience.first_pause

    def wait(self, after: float, else_: ModelError) -> None:
        """Wait, at least `after` seconds; raise `else_` once that would be too long."""
        seconds = max(after, self._next * random.uniform(0.8, 1.2))
        if time.monotonic() + seconds > self._until:
            raise else_
        self._run.wait(seconds)
        self._next = min(self._next * 2, self._run._video.service.patience.longest_pause)
