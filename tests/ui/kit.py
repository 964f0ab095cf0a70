"""Jobs and clips as rows would give them, for tests of what the page makes of them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pipelines.request import GenerationRequest, Notice
from studio.core import JobView
from studio.jobs import Job, JobProgress
from studio.library import Asset

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROMPT = "a boat <img src=x onerror=alert(1)> & \"sea\" 'storm'"


def request(prompt: str = PROMPT, **form: Any) -> GenerationRequest:
    return GenerationRequest(prompt=prompt, quality="draft", seed=41287, **form)


def job(state: Any = "queued", **changes: Any) -> Job:
    made = Job(
        id="job_1234567890ab",
        owner="me",
        form={"prompt": PROMPT, "style": "ink"},
        request=request(),
        model="sketch",
        state=state,
        order=1.0,
        attempt=0,
        created=NOW,
        started=None,
        finished=NOW if state in ("done", "failed", "cancelled") else None,
        error=Notice("internal") if state == "failed" else None,
        asset_id="asset_1" if state == "done" else None,
        worker=None,
        seconds=None,
    )
    return replace(made, **changes)


def asset(**changes: Any) -> Asset:
    made = Asset(
        id="asset_1",
        job_id="job_1234567890ab",
        owner="me",
        path="media/a.mp4",
        thumbnail="media/a.webp",
        request=request(),
        form={"prompt": PROMPT, "style": "ink"},
        model="sketch",
        model_revision="0123456789abcdef",
        width=320,
        height=192,
        seconds=5.1,
        fps=8,
        frames=41,
        bytes=1000,
        sha256="0",
        render_seconds=9.4,
        created=NOW,
    )
    return replace(made, **changes)


def view(state: Any = "queued", *, mine: bool = True, **changes: Any) -> JobView:
    progress = None
    if state == "running":
        progress = JobProgress(
            "denoising", step=7, total=12, eta=9.0, preview_version=3, attempt=1, updated=NOW
        )
    made = JobView(
        job=job(state),
        progress=progress,
        position=2 if state == "queued" else None,
        eta=9.0 if state in ("queued", "running") else None,
        asset=asset() if state == "done" else None,
        may_change=mine,
    )
    return replace(made, **changes)
