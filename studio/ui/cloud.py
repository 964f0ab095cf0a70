"""A job of the cloud in words: it is ordered, waited for and fetched, and what cancelling it means."""

from pipelines.cloud_facts import is_ordered
from studio.core import JobView
from studio.jobs import Job, JobProgress
from studio.rows import OPEN, kind_of
from studio.ui.context import Page

_DOING = {"waiting": "cloud_waiting", "denoising": "cloud_making", "decoding": "cloud_fetching"}


def ordered(job: Job) -> bool:
    """Whether the cloud has taken this job's order: it makes it, whoever looks after it here."""
    return job.kind == "cloud" and is_ordered(job.resume_token)


def doing(page: Page, job: Job, progress: JobProgress | None) -> str:
    """What a running job is doing, here or in the cloud."""
    stage = progress.stage if progress else "loading"
    if job.kind != "cloud" or stage == "saving":
        return page.stage(stage)
    if not ordered(job):
        return page.t("cloud_ordering")
    return page.t(_DOING.get(stage, "cloud_ordered"))


def cancel_question(page: Page, view: JobView) -> str:
    """What is asked before a job is cancelled; that it costs all the same, where it does."""
    if view.job.kind == "film" and (count := _ordered_takes(page, view.job)):
        return page.t("cancel_confirm_film_paid", count=count)
    if not ordered(view.job):
        return page.t("cancel_confirm")
    begun = view.progress is not None and view.progress.stage != "waiting"
    return page.t("cancel_confirm_paid" if begun else "cancel_confirm_ordered")


def _ordered_takes(page: Page, film: Job) -> int:
    """How many takes of a film the cloud has been asked for, and has not delivered."""
    requests = [] if film.plan is None else film.plan.requests()
    if all(kind_of(request) != "cloud" for request in requests):
        return 0
    return sum(ordered(take) and take.state in OPEN for take in page.studio.jobs.takes_of(film.id))
