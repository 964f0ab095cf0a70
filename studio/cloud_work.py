"""Clips that the cloud makes: the same path as the GPU's, several beside each other. Runs in the worker.

The film that the cloud sends is read frame by frame, so that fingerprint, label, checks and signature are
those of any clip.
"""

import contextlib
import itertools
import time
from pathlib import Path

from pipelines.cloud_facts import HOSTS
from pipelines.dashscope import DashScope, fixed_key, key_in
from pipelines.dashscope_wire import Service
from pipelines.models import MODELS
from pipelines.request import Cancelled, Inputs, ModelError, Notice, Progress
from studio.media.clip import ClipFacts
from studio.reporter import Reporter
from studio.settings import Settings
from studio.workflows import Made, Maker, Rendering


def service_of(settings: Settings) -> Service | None:
    """The cloud that the settings name; None without a key."""
    if settings.dashscope_token_file:
        credentials = key_in(Path(settings.dashscope_token_file))
    elif settings.dashscope_api_key:
        credentials = fixed_key(settings.dashscope_api_key)
    else:
        return None
    region = settings.cloud_region
    return Service(settings.dashscope_base_url or HOSTS[region or "cn"], credentials, region)


class CloudMaker(Maker):
    """Makes clips in the cloud; nothing of it touches the GPU."""

    def _film(self, job: Rendering) -> Made:
        """Have it made, and write what comes back frame by frame."""
        spec, service = MODELS.get(job.model), service_of(self.settings)
        if spec is None or spec.cloud is None:
            # Asked for by a studio whose table had this model.
            raise ModelError("model_unknown", field="model", value=job.model, allowed=", ".join(MODELS))
        if service is None:
            raise ModelError("cloud_no_key", model=spec.title)
        video, began = DashScope(spec, service, folder=self.tmp), time.monotonic()
        try:
            return Made(self._written(job, video), video.revision, began)
        except Cancelled:
            self._let_go(video, job.reporter)
            raise

    def _let_go(self, video: DashScope, reporter: Reporter) -> None:
        """Cancel what was ordered if somebody wants that; a worker that stops leaves it to the next.

        Raises Cancelled with a notice where the cloud goes on all the same.
        """
        if video.token and video.token != reporter.token:
            # The job was taken away while it was ordered: nobody else will ever know of the task.
            video.cancel()
        elif video.token and reporter.wish == "cancel":
            if not video.cancel():
                raise Cancelled(Notice("cloud_goes_on"))
            reporter(Progress("waiting", resume_token=""))

    def _written(self, job: Rendering, video: DashScope) -> ClipFacts:
        should_stop = job.reporter.stops_at(self.orders.stopping, self.orders.draining)
        inputs = Inputs(resume_token=job.attempt.job.resume_token or "")
        with contextlib.closing(video.generate(job.request, job.reporter, should_stop, inputs)) as frames:
            # What the cloud made of the prompt is known by its first frame, and belongs into the recipe.
            first = next(frames)
            return job.write(
                itertools.chain((first,), frames),
                model_revision=video.revision,
                actual_prompt=job.reporter.actual_prompt,
            )
