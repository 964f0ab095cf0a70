"""The queue: submit, start, follow (200 people on one job), and the worker's memory over many sketch jobs."""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.access import Visitor
from studio.core import Studio
from studio.settings import Settings
from studio.supervisor import LocalWorker

SUBMISSIONS, STARTS, FOLLOWERS, JOBS = 200, 20, 200, 100
# Memory settles while the allocator meets its first clips.
WARM_UP = 20
NOBODY = Visitor(owner="bench", admin=True)
FASTEST = {"prompt": "a boat at sea", "size": "256x256", "num_frames": 17, "num_inference_steps": 2}
WATCHED = {"prompt": "a boat at sea", "size": "320x192", "num_frames": 41, "num_inference_steps": 24}


def main(jobs: int = JOBS) -> None:
    """Print the figures of one studio with one local worker on the sketch model."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(studio_home=Path(home))
        studio = Studio(settings)
        worker = LocalWorker(settings)
        worker.start()
        try:
            _finish(studio, studio.generate(NOBODY, **FASTEST))
            _submissions(studio)
            _starts(studio)
            for followers in (1, FOLLOWERS):
                asyncio.run(_following(studio, followers))
            _memory(studio, worker, jobs)
        finally:
            worker.stop()


def _submissions(studio: Studio) -> None:
    studio.pause(NOBODY)
    taken, ids = [], []
    for _ in range(SUBMISSIONS):
        begun = time.perf_counter()
        ids.append(studio.generate(NOBODY, **FASTEST))
        taken.append(time.perf_counter() - begun)
    print(f"submit -> job id: {_spread(taken)} (target 100 ms)")
    begun = time.perf_counter()
    studio.queue(NOBODY)
    print(f"the queue's page with {SUBMISSIONS} waiting jobs: {_ms(time.perf_counter() - begun)}")
    for job_id in ids:
        studio.cancel(NOBODY, job_id)
    studio.resume(NOBODY)


def _starts(studio: Studio) -> None:
    waited = []
    for _ in range(STARTS):
        time.sleep(0.5)
        job = _finish(studio, studio.generate(NOBODY, **FASTEST))
        waited.append((job.started - job.created).total_seconds())
    print(f"submit -> worker starts, idle: {_spread(waited)} (target 250 ms)")


async def _following(studio: Studio, followers: int) -> None:
    job_id = studio.generate(NOBODY, **WATCHED)
    late: list[float] = []

    async def follow() -> int:
        steps = set()
        async for view in studio.follow(NOBODY, job_id):
            if view.progress is not None and view.progress.step not in steps:
                steps.add(view.progress.step)
                late.append((datetime.now(UTC) - view.progress.updated).total_seconds())
        return len(steps)

    seen = await asyncio.gather(*(follow() for _ in range(followers)))
    print(
        f"step -> {followers} follower(s): {_spread(late)} (target 500 ms); "
        f"steps seen by each: {min(seen)} to {max(seen)} of {WATCHED['num_inference_steps']}"
    )


def _memory(studio: Studio, worker: LocalWorker, jobs: int) -> None:
    pid = worker.pid
    sizes = []
    for _ in range(jobs):
        _finish(studio, studio.generate(NOBODY, **FASTEST))
        sizes.append(_rss_mb(pid))
    if worker.pid != pid:
        raise RuntimeError("the worker was restarted on the way")
    settled = sizes[min(WARM_UP, jobs // 3) :]
    slope = statistics.linear_regression(range(len(settled)), settled).slope
    print(
        f"worker's memory over {jobs} jobs: {sizes[0]:.0f} -> {sizes[-1]:.0f} MB, highest {max(sizes):.0f}, "
        f"slope {slope:+.3f} MB a job after the first {jobs - len(settled)} (target within 1)"
    )


def _finish(studio: Studio, job_id: str) -> Any:
    while (view := studio.job(NOBODY, job_id)) and not view.is_final:
        time.sleep(0.02)
    if view.job.state != "done":
        raise RuntimeError(f"the job {view.job.state}: {view.job.error}")
    return view.job


def _rss_mb(pid: int | None) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def _spread(seconds: Sequence[float]) -> str:
    found = sorted(seconds)
    return f"median {_ms(statistics.median(found))}, p95 {_ms(found[int(len(found) * 0.95)])}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.queue", description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS, help="jobs for the memory's slope (%(default)s)")
    chosen = parser.parse_args().jobs
    if chosen < 3:
        parser.error("a slope needs 3 jobs or more")
    main(chosen)
