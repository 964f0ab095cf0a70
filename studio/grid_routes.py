"""The routes of grids: a short mark that an open page asks for, and the votes as a table."""

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from studio import access
from studio.core import Studio
from studio.grid_view import GridView
from studio.votes import to_csv


def add_routes(app: FastAPI, studio: Studio) -> None:
    """All routes below /grid. Plain functions: they ask the database, so in threads."""

    def view(request: Request, grid_id: str) -> GridView:
        return studio.grids.view(access.visitor_of(request.cookies, studio.settings), grid_id)

    @app.get("/grid/{grid_id}/now")
    def now(request: Request, grid_id: str) -> Response:
        found = view(request, grid_id)
        told = {"mark": found.mark, "live": found.is_live}
        return JSONResponse(told, headers={"cache-control": "no-store"})

    @app.get("/grid/{grid_id}/votes.csv")
    def votes(request: Request, grid_id: str) -> Response:
        found = view(request, grid_id)
        # The mark tells a spreadsheet that this is UTF-8.
        table = "\ufeff" + to_csv(found, studio.votes.of(found.id))
        headers = {"content-disposition": 'attachment; filename="votes.csv"'}
        headers["cache-control"] = "private, no-cache"
        return Response(table, media_type="text/csv; charset=utf-8", headers=headers)
