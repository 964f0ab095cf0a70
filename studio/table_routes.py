"""The route of a table of films: it is read and checked before anything is asked for."""

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from pipelines.request import Notice
from studio import access, doors, words
from studio.access import Visitor
from studio.core import Refused, Studio
from studio.story.problems import StoryProblem
from studio.story.types import Level
from studio.story.variables import MAX_TABLE_BYTES, text_of
from studio.words import Language

_LEVELS: tuple[Level, ...] = ("animatic", "film")


def add_routes(app: FastAPI, studio: Studio) -> None:
    """The route /story/ID/table."""

    @app.post("/story/{story_id}/table")
    async def check(request: Request, story_id: str, language: str = "") -> Response:
        visitor = access.visitor_of(request.cookies, studio.settings)
        spoken = words.named(language) or doors.language_of(request.headers, request.cookies)
        try:
            body = await _read(request)
            found = await run_in_threadpool(checked, studio, visitor, story_id, body, spoken)
        except Refused as refused:
            return doors.refused(refused.notices, spoken)
        return JSONResponse(found, headers={"cache-control": "no-store"})


def checked(
    studio: Studio, visitor: Visitor, story_id: str, body: bytes, language: Language
) -> dict[str, object]:
    """A file as text, how many films it makes, and how long they take; `Refused` if it won't do.

    `text` is there for a table with mistakes, too: they are named in `wrong` and can be put right in the box.
    """
    tables = studio.stories.tables
    try:
        text = text_of(body)
    except StoryProblem as problem:
        raise Refused(problem.notice) from problem
    try:
        count = tables.rows(visitor, story_id, text)
    except Refused as refused:
        wrong = [notice for notice in refused.notices if notice.code.startswith("table_")]
        if not wrong or any(notice.code in ("table_bad", "table_big") for notice in wrong):
            raise
        return {"text": text, "wrong": " ".join(words.say(notice, language) for notice in wrong)}
    told = [words.page("story_table_ready", language, count=count)]
    for level in _LEVELS:
        try:
            seconds = tables.seconds(visitor, story_id, text, level)
        except Refused:
            # Most often no shot is approved yet: its button says so.
            continue
        time = "" if seconds is None else words.duration(seconds, language)
        key = f"story_table_takes_{level}" if time else f"story_table_unknown_{level}"
        told.append(words.page(key, language, time=time))
    return {"text": text, "count": count, "told": " · ".join(told)}


async def _read(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_TABLE_BYTES:
            raise Refused(Notice("table_big", {"high": MAX_TABLE_BYTES // 1_000_000}))
    return body
