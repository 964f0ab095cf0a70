"""Clips of the cloud with real workers that die, stop and are replaced: each is ordered once."""

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines import cloud_models, models
from pipelines.request import GenerationRequest, Notice
from studio.media.probe import comment
from studio.settings import Settings
from tests import dashscope_faults as faults
from tests.dashscope_faults import Cloud, cloud
from tests.queue_kit import Desk, WorkerProcess, kill, kill_all, long, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PROMPT = "A small red boat rocks on a calm sea."
# A model of the home's own table, that is quick to encode.
SMALL = """
[[model]]
name = "small"
title = "Small"
model = "small-t2v"
fps = 8
durations = [2, 4]
tiers = [{ name = "192P", sizes = [[320, 192]] }]
"""


@dataclass
class Shop(Desk):
    """A queue with a key for the cloud, and the workers that a test starts."""

    service: Cloud = field(default_factory=Cloud)

    def start(self, worker_id: str = "w1", *arguments: str) -> WorkerProcess:
        settings = self.settings.model_copy(update={"worker_id": worker_id})
        return WorkerProcess(settings, *arguments)

    def order(self, prompt: str = "a boat") -> str:
        request = GenerationRequest(prompt=prompt, model="small", seed=7)
        return self.jobs.submit("ann", {"prompt": prompt}, request)

    def wait_until_looked_at(self, tasks: int) -> None:
        """Until the service has so many tasks, and each of them was looked at."""

        def looked() -> bool:
            known = list(self.service.tasks.values())
            return len(known) == tasks and all(task.looks for task in known)

        wait_for(looked, 120, self.log)

    def let_all_succeed(self) -> None:
        for task in self.service.tasks.values():
            task.course, task.looks = ["SUCCEEDED"], 0


@pytest.fixture
def shop(studio_home: Path) -> Iterator[Shop]:
    (studio_home / cloud_models.OWN).write_text(SMALL)
    before = dict(models._models._learned)
    assert cloud_models.learn(studio_home) == ()
    with cloud(fps=8, actual_prompt=PROMPT, course=["RUNNING"]) as service:
        desk = Shop(
            Settings(
                studio_home=studio_home,
                worker_id="w1",
                device="cpu",
                dashscope_api_key=service.key,
                dashscope_base_url=service.address,
            ),
            service,
        )
        yield desk
        for _ in range(2):
            kill_all(studio_home)
            time.sleep(0.2)
        desk.close()
    models._models._learned.clear()
    models.learn(before)


def _stage(desk: Desk, job_id: str) -> str:
    progress = desk.jobs.progress(job_id)
    return "" if progress is None else progress.stage


def test_the_cloud_makes_several_at_once_beside_the_gpu_and_a_killed_worker_orders_nothing_again(
    shop: Shop,
) -> None:
    here = shop.jobs.submit("ann", {"prompt": "here"}, long())
    jobs = [shop.order(f"boat {number}") for number in range(4)]
    worker = shop.start()
    shop.wait_until_looked_at(3)
    wait_for(lambda: shop.job(here).state == "running", 60, shop.log)
    states = [shop.job(job).state for job in jobs]
    assert states == ["running"] * 3 + ["queued"], "three at once, and the GPU's clip beside them"
    assert shop.jobs.position(jobs[3]) == 0
    kill(worker.process.pid, shop.settings)
    assert shop.service.count("submit") == 3
    shop.let_all_succeed()
    shop.service.course = ["PENDING", "RUNNING", "SUCCEEDED"]
    # As after a power cut: the same worker starts again.
    worker = shop.start()
    for job in [*jobs, here]:
        shop.wait(job, seconds=240)
    assert shop.service.count("submit") == 4, "each was ordered once"
    assert [shop.job(job).attempt for job in jobs] == [2, 2, 2, 1]
    shop.check_films([*jobs, here])
    made = shop.job(jobs[0])
    assert made.actual_prompt == PROMPT
    asset = shop.library.get(made.asset_id or "")
    assert asset is not None
    assert (asset.kind, asset.frames, asset.width) == ("clip", 17, 320)
    recipe = json.loads(comment(shop.library.file(asset)))
    assert recipe["actual_prompt"] == PROMPT
    assert recipe["model_revision"].endswith(" small-t2v")
    told = shop.log() + "".join(path.read_text() for path in shop.settings.logs.glob("*.log"))
    assert shop.service.key not in told, "no key in a log"


def test_another_worker_goes_on_with_what_a_dead_one_ordered(shop: Shop) -> None:
    job = shop.order()
    first = shop.start()
    shop.wait_until_looked_at(1)
    kill(first.process.pid, shop.settings)
    shop.let_all_succeed()
    shop.start("w2", "--stale-after", "2")
    shop.wait(job, seconds=240)
    assert (shop.service.count("submit"), shop.service.count("cancel")) == (1, 0)
    shop.check_films([job])


def test_a_worker_killed_while_it_orders_does_not_order_again_but_says_so(shop: Shop) -> None:
    shop.service.fault("submit", faults.slow(3))
    job = shop.order()
    worker = shop.start()
    wait_for(lambda: shop.service.seen, 120, shop.log)
    assert " ?" in (shop.job(job).resume_token or ""), "promised before it was sent"
    kill(worker.process.pid, shop.settings)
    shop.service.course = ["SUCCEEDED"]
    shop.start()
    failed = shop.wait(job, "failed", 240)
    assert failed.error is not None
    assert failed.error.code == "cloud_unsure"
    # The service may still be slow about the order, though whoever gave it is gone.
    wait_for(lambda: len(shop.service.tasks) == 1, 60, shop.log)
    assert failed.resume_token is None
    shop.jobs.retry(job)
    shop.wait(job, seconds=240)
    assert len(shop.service.tasks) == 2, "a person asked for it knowingly"


def test_a_worker_that_stops_leaves_the_task_to_the_next_one(shop: Shop) -> None:
    job = shop.order()
    worker = shop.start()
    shop.wait_until_looked_at(1)
    assert worker.end(signal.SIGTERM) == 0
    assert (shop.job(job).state, shop.job(job).attempt) == ("queued", 0)
    assert shop.service.count("cancel") == 0
    # Drained: what the cloud makes is left too, and not waited for.
    worker = shop.start()
    wait_for(lambda: shop.job(job).state == "running", 120, shop.log)
    assert worker.end(signal.SIGUSR1) == 0
    assert shop.job(job).state == "queued"
    shop.let_all_succeed()
    shop.start()
    shop.wait(job, seconds=240)
    assert shop.service.count("submit") == 1
    shop.check_films([job])


def test_cancelling_lets_go_of_what_has_not_begun_and_says_what_is_paid(shop: Shop) -> None:
    shop.service.course = ["PENDING"]
    waiting = shop.order("one that waits there")
    shop.start()
    wait_for(lambda: shop.service.count("fetch") > 0, 120, shop.log)
    shop.jobs.cancel(waiting)
    ended = shop.wait(waiting, "cancelled", 60)
    assert (ended.notices, ended.resume_token) == ((), None)
    assert [task.status for task in shop.service.tasks.values()] == ["CANCELED"]

    shop.service.course = ["RUNNING"]
    begun = shop.order("one that has begun")
    wait_for(lambda: len(shop.service.tasks) == 2, 60, shop.log)
    wait_for(lambda: _stage(shop, begun) == "denoising", 60, shop.log)
    shop.jobs.cancel(begun)
    ended = shop.wait(begun, "cancelled", 60)
    assert ended.notices == (Notice("cloud_goes_on"),)
    shop.let_all_succeed()
    shop.jobs.retry(begun)
    shop.wait(begun, seconds=240)
    assert len(shop.service.tasks) == 2, "it was paid, and fetched"
    shop.service.course = ["SUCCEEDED"]
    shop.jobs.retry(waiting)
    shop.wait(waiting, seconds=240)
    assert len(shop.service.tasks) == 3
