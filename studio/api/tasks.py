"""DashScope's wire format, outwards: a job as the service tells a task, and pages of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pipelines.request import Notice
from studio.api import wire
from studio.api.wire import Wrong
from studio.api_tasks import Listed, Refusal
from studio.library import USABLE, Standing
from studio.rows import State
from studio.views import JobView
from studio.words import Language, say

STATUSES = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN")
OBJECTED = "DataInspectionFailed"
DAY = timedelta(hours=24)
MAX_PAGE = 100
_MAX_PAGES = 1_000_000
_ENDS = ("SUCCEEDED", "FAILED", "CANCELED")
# Errors of a job that mean what it shows or says, and not that something broke.
_OBJECTIONS = ("review_rejected",)


def status_of(state: State | None, standing: Standing | None) -> str:
    """The service's word for a job in this state, with what became of its clip (None: there is none).

    Held is waiting, for a person. A clip that a check keeps back has failed. One that was made and deleted is
    no longer known. No state: refused at once.
    """
    if state == "done" and standing == "held":
        return "PENDING"
    if state == "done" and standing not in USABLE:
        return "UNKNOWN" if standing is None else "FAILED"
    return {
        None: "FAILED",
        "held": "PENDING",
        "queued": "PENDING",
        "running": "RUNNING",
        "done": "SUCCEEDED",
        "failed": "FAILED",
        "cancelled": "CANCELED",
    }[state]


def told(view: JobView, language: Language, *, video_url: str) -> dict[str, Any]:
    """A task: its "output", and its "usage" once it has succeeded. Times are this server's own, as text."""
    job, asset = view.job, view.asset
    gone = asset is None or asset.trashed is not None
    status = status_of(job.state, None if gone and view.standing in USABLE else view.standing)
    if status == "UNKNOWN":
        return unknown(job.id)
    output: dict[str, Any] = {"task_id": job.id, "task_status": status, "submit_time": _time(job.created)}
    if job.started is not None:
        output["scheduled_time"] = _time(job.started)
    if status in _ENDS and job.finished is not None:
        output["end_time"] = _time(job.finished)
    if status == "FAILED":
        return {"output": output | _failure(view, language)}
    if status == "PENDING" and (reasons := _waits_because(view)):
        output["message"] = _sentences(reasons, language)
    if status != "SUCCEEDED" or asset is None or job.request is None:
        return {"output": output}
    original = str(job.form.get("prompt_original") or job.form.get("prompt") or job.request.prompt)
    actual = job.actual_prompt or job.request.prompt
    output |= {"video_url": video_url, "orig_prompt": original, "actual_prompt": actual}
    seconds = max(1, round(asset.seconds))
    usage: dict[str, Any] = {"duration": seconds, "video_duration": seconds, "video_count": 1}
    usage |= {"SR": wire.resolution(asset.size), "video_ratio": wire.wired(asset.size)}
    return {"output": output, "usage": usage}


def told_refusal(found: Refusal, language: Language) -> dict[str, Any]:
    """A task that was refused for its words."""
    moment = _time(found.created)
    times = {"submit_time": moment, "scheduled_time": moment, "end_time": moment}
    why = {"code": OBJECTED, "message": _sentences(found.notices, language)}
    return {"output": {"task_id": found.id, "task_status": "FAILED", **times, **why}}


def unknown(task_id: str) -> dict[str, Any]:
    """A task that nobody knows (any more): the service answers so too, with 200."""
    return {"output": {"task_id": task_id, "task_status": "UNKNOWN"}}


def page(found: Sequence[Listed], query: Mapping[str, str], *, owner: str) -> dict[str, Any]:
    """One page of the tasks that a query asks for; raises `Wrong`."""
    number = _whole(query, "page_no", 1, _MAX_PAGES)
    size = _whole(query, "page_size", 10, MAX_PAGE)
    status = query.get("status", "")
    if status and status not in STATUSES:
        raise Wrong(Notice("api_choice", {"name": "status", "value": status[:40], "allowed": [*STATUSES]}))
    exact = {name: query[name] for name in ("task_id", "api_key_id", "model_name") if query.get(name)}
    rows = []
    for one in found:
        row = _row(one, status_of(one.state, one.standing), owner)
        if status in ("", row["status"]) and all(row[name] == value for name, value in exact.items()):
            rows.append(row)
    begin = (number - 1) * size
    pages = {"total": len(rows), "total_page": -(-len(rows) // size), "page_no": number, "page_size": size}
    return pages | {"data": rows[begin : begin + size]}


def span(query: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    """From when to when a query asks, a day at most; the last day if it does not say. Raises `Wrong`."""
    since, until = _moment(query, "start_time"), _moment(query, "end_time")
    try:
        if until is None:
            until = now if since is None else since + DAY
        since = until - DAY if since is None else since
        if since <= until <= since + DAY:
            return since, until
    except OverflowError:
        # The last day of the last year.
        pass
    raise Wrong(Notice("api_span"))


def _row(one: Listed, status: str, owner: str) -> dict[str, Any]:
    row: dict[str, Any] = {"api_key_id": one.key_id, "caller_parent_id": owner, "caller_uid": owner}
    row |= {"gmt_create": _milliseconds(one.created), "model_name": one.model, "region": "local"}
    row |= {"request_id": one.request_id, "status": status, "task_id": one.id}
    for name, moment in (("start_time", one.started), ("end_time", one.finished)):
        if moment is not None and (name == "start_time" or status in _ENDS):
            row[name] = _milliseconds(moment)
    key = f"apikey:v1:aigc:video-generation:video-synthesis:{one.model}"
    return row | {"user_api_unique_key": key}


def _failure(view: JobView, language: Language) -> dict[str, str]:
    """Why: an objection is told as one, and what broke as the studio's fault."""
    if view.job.state == "done":
        reason = _sentences(view.reasons, language)
        return {"code": OBJECTED, "message": say(Notice("api_withheld"), language, reason=reason).strip()}
    error = view.job.error or Notice("generic")
    code = OBJECTED if error.code in _OBJECTIONS else "InternalError"
    return {"code": code, "message": say(error, language)}


def _waits_because(view: JobView) -> Sequence[Notice]:
    if view.job.state == "held":
        return () if view.job.error is None else (view.job.error,)
    return view.reasons if view.job.state == "done" else ()


def _sentences(found: Sequence[Notice], language: Language) -> str:
    joint = "" if language == "zh" else " "
    return joint.join(say(notice, language) for notice in found)


def _time(moment: datetime) -> str:
    return moment.astimezone().replace(tzinfo=None).isoformat(" ", "milliseconds")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _whole(query: Mapping[str, str], name: str, usual: int, most: int) -> int:
    typed = query.get(name) or str(usual)
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 8 and 1 <= int(typed) <= most):
        raise Wrong(Notice("api_whole", {"name": name, "value": typed[:40], "low": 1, "high": most}))
    return int(typed)


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    typed = query.get(name)
    if not typed:
        return None
    try:
        # Python's reader would take "2023 4 2" too.
        if not (len(typed) == 14 and typed.isascii() and typed.isdecimal()):
            raise ValueError(typed)
        return datetime.strptime(typed, "%Y%m%d%H%M%S").astimezone()
    except (ValueError, OverflowError, OSError) as error:
        raise Wrong(Notice("api_moment", {"name": name, "value": typed[:40]})) from error
