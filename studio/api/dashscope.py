"""This studio in DashScope's wire format, below /api/v1: a script for its SDK runs on one's own GPU.

Set `dashscope.base_http_api_url` to http://HOST:PORT/api/v1 and the API key to one of `python -m studio.api
keys add NAME`. The key is the right: no cookie and no password counts here, and each key sees its own tasks.
Where this differs from the service: `prompt_extend` is off unless asked for, so that nothing is rendered but
what was written; the label is always drawn, whatever `watermark` says; a running task can be cancelled too;
what is longer ago than a day is still told, as long as it is kept.
"""

import json
import math
import threading
import uuid
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipelines.request import Notice
from studio import doors, words
from studio.api import films, pictures, tasks, wire
from studio.api.pace import Pace
from studio.api.wire import Asked, Wrong
from studio.api_keys import Key
from studio.core import Refused, Studio
from studio.db import utc_now
from studio.pictures import size_for
from studio.refusal import Objected
from studio.rows import OPEN
from studio.serving import file_response
from studio.text import llm
from studio.text.rewrite import rewrite
from studio.words import Language

PLACE = "/api/v1"
SYNTHESIS = "/services/aigc/video-generation/video-synthesis"
# The service has a second place for what begins and ends with given pictures; the SDK chooses by the name.
_PLACES = (SYNTHESIS, "/services/aigc/image2video/video-synthesis")
MAX_OPEN = 50
"""How many of a key's tasks may be held, wait or run at once."""
RATE, BURST = 20.0, 40.0
"""Requests a second with one key, and at once after a rest; the service's own limit is the same."""
# A picture of the service's 10 MB as text.
MAX_BODY = 15 << 20
_SECONDS = 25.0
"""That a request waits for a language model."""


def app(studio: Studio) -> FastAPI:
    """The app to be mounted at `PLACE`."""
    served = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    desk = _Desk(studio)
    _word_errors(served)

    async def submit(request: Request) -> Response:
        key = await run_in_threadpool(desk.key, request)
        if request.headers.get("x-dashscope-async", "").lower() != "enable":
            raise Wrong(Notice("api_sync"), status=403, code="AccessDenied")
        asked = wire.read(await _body(request), default=studio.settings.model)
        return _answer(await run_in_threadpool(desk.submit, key, asked, _language(request)))

    for place in _PLACES:
        served.add_api_route(place, submit, methods=["POST"])

    @served.get("/tasks")
    @served.get("/tasks/")
    def some(request: Request) -> Response:
        return _answer(desk.page(desk.key(request), request))

    # The SDK's asynchronous client ends these two with a slash.
    @served.get("/tasks/{task_id}")
    @served.get("/tasks/{task_id}/")
    def one(request: Request, task_id: str) -> Response:
        return _answer(desk.task(desk.key(request), task_id, request))

    @served.post("/tasks/{task_id}/cancel")
    @served.post("/tasks/{task_id}/cancel/")
    def cancel(request: Request, task_id: str) -> Response:
        desk.cancel(desk.key(request), task_id)
        return _answer({})

    @served.get("/uploads")
    def uploads(request: Request) -> Response:
        # What the SDK asks when it is given a file of its machine.
        desk.key(request)
        raise Wrong(Notice("api_upload"))

    @served.api_route("/films/{name}", methods=["GET", "HEAD"])
    def film(request: Request, name: str) -> Response:
        asset = films.opened(studio, name, request.query_params)
        headers = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff"}
        return file_response(request, studio.library_file(asset), "video/mp4", headers)

    return served


class _Desk:
    """What the routes do, for one studio."""

    def __init__(self, studio: Studio) -> None:
        self._studio, self._pace = studio, Pace(RATE, BURST)
        self._counting = threading.Lock()
        found = llm.configured(studio.settings)
        self._client = None if found is None else replace(found, seconds=_SECONDS)

    def key(self, request: Request) -> Key:
        """The key that came along; `Wrong` without a good one, or for one that asks too fast."""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            raise Wrong(Notice("api_no_key"), status=401, code="InvalidApiKey")
        found = self._studio.keys.open(secret.strip())
        if found is None:
            raise Wrong(Notice("api_wrong_key"), status=401, code="InvalidApiKey")
        if wait := self._pace.wait(found.id):
            many = Wrong(Notice("api_pace", {"high": int(RATE)}), status=429, code="Throttling.RateQuota")
            many.headers = {"retry-after": str(math.ceil(wait))}
            raise many
        return found

    def submit(self, key: Key, asked: Asked, language: Language) -> dict[str, Any]:
        """Queue a task. What its words forbid is a task that has failed; all else is refused at once."""
        studio, request_id = self._studio, str(uuid.uuid4())
        self._room_for_one(key)
        try:
            form = self._form(key, asked)
            # One at a time, so that none slips in between counting and queueing.
            with self._counting:
                self._room_for_one(key)
                task_id = studio.generate(key.visitor, **form)
        except Objected as objected:
            task_id = studio.api_tasks.refuse(key, asked.model, request_id, objected.notices)
        else:
            studio.api_tasks.note(task_id, key, asked.model, request_id)
        return {"request_id": request_id, "output": {"task_id": task_id, "task_status": "PENDING"}}

    def _room_for_one(self, key: Key) -> None:
        count = self._studio.api_tasks.count_open(key.owner)
        if count >= MAX_OPEN:
            full = Notice("api_full", {"count": count, "high": MAX_OPEN})
            raise Wrong(full, status=429, code="Throttling.AllocationQuota")

    def _form(self, key: Key, asked: Asked) -> dict[str, Any]:
        """The form of a task: its picture taken in, its prompt improved if that is asked for."""
        form = asked.form()
        if asked.picture:
            found = self._studio.keep_picture(key.visitor, pictures.read(asked.picture))
            size = asked.size or size_for(found, asked.spec.model_copy(update={"sizes": asked.sizes}))
            form |= {"first_frame": found.id, "size": f"{size.width}x{size.height}"}
        if not asked.extend or not asked.prompt.strip():
            return form
        # Before a language model of somebody else's hears of it.
        self._studio.jobs.checker.passed({"prompt": asked.prompt})
        better = rewrite(asked.prompt, client=self._client)
        return form | {"prompt": better.rewritten, "prompt_original": asked.prompt}

    def task(self, key: Key, task_id: str, request: Request) -> dict[str, Any]:
        """One of the key's own tasks; unknown is any other."""
        language = _language(request)
        if not wire.is_id(task_id):
            return tasks.unknown(task_id)
        try:
            view = self._studio.job(key.visitor, task_id)
        except Refused:
            refusal = self._studio.api_tasks.refusal(key.owner, task_id)
            return tasks.unknown(task_id) if refusal is None else tasks.told_refusal(refusal, language)
        if view.job.owner != key.owner:
            return tasks.unknown(task_id)
        url = "" if view.asset is None else films.address(self._studio.settings, _base(request), view.asset)
        return tasks.told(view, language, video_url=url)

    def cancel(self, key: Key, task_id: str) -> None:
        """Cancel one of the key's own tasks that waits or runs."""
        job = self._studio.jobs.get(task_id) if wire.is_id(task_id) else None
        if job is None or job.owner != key.owner:
            raise Wrong(Notice("api_unknown_task"), status=404, code="NotFound")
        if job.state not in OPEN:
            over = Notice("api_over", {"status": tasks.status_of(job.state, "public")})
            raise Wrong(over, code="UnsupportedOperation")
        self._studio.cancel(key.visitor, task_id)

    def page(self, key: Key, request: Request) -> dict[str, Any]:
        """A page of the key's own tasks."""
        query = request.query_params
        since, until = tasks.span(query, utc_now())
        return tasks.page(self._studio.api_tasks.between(key.owner, since, until), query, owner=key.owner)


async def _body(request: Request) -> bytes:
    too_large = Wrong(
        Notice("api_too_large", {"high": MAX_BODY >> 20}), status=413, code="BadRequest.TooLarge"
    )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise too_large
    return bytes(body)


def _base(request: Request) -> str:
    """Where this app is, as whoever asks sees it."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"


def _language(request: Request) -> Language:
    return doors.language_of(request.headers, {})


def _word_errors(served: FastAPI) -> None:
    """Every error leaves in the service's form."""

    def answer(request: Request, code: str, status: int, *notices: Notice, **headers: str) -> Response:
        sentences = [words.say(notice, _language(request)) for notice in notices]
        return _answer({"code": code, "message": " ".join(sentences)}, status, headers)

    @served.exception_handler(Wrong)
    async def wrong(request: Request, error: Wrong) -> Response:
        return answer(request, error.code, error.status, *error.notices, **error.headers)

    @served.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        gone = any(notice.code in ("asset_unknown", "file_missing") for notice in error.notices)
        code, status = ("NotFound", 404) if gone else ("InvalidParameter", 400)
        return answer(request, code, status, *error.notices)

    @served.exception_handler(HTTPException)
    async def not_here(request: Request, error: HTTPException) -> Response:
        values = {"path": f"{request.method} {request.url.path}"[:200]}
        if error.status_code != 405:
            return answer(request, "NotFound", error.status_code, Notice("api_path", values))
        allow = (error.headers or {}).get("Allow", "")
        method = Notice("api_method", {**values, "allowed": sorted(allow.split(", "))})
        return answer(request, "MethodNotAllowed", 405, method, allow=allow)

    @served.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return answer(request, "InternalError", 500, Notice("generic"))


def _answer(told: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    request_id = told.get("request_id") or str(uuid.uuid4())
    # Escaped: what somebody sent may hold halves of characters, which no encoding has.
    body = json.dumps({"request_id": request_id, **told})
    kept = {"cache-control": "no-store", "x-request-id": request_id, "x-content-type-options": "nosniff"}
    return Response(body, status, {**kept, **(headers or {})}, "application/json")
