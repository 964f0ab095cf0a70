"""Grids: many clips asked for at once, and looked at side by side. No browser, no torch.

A cell is an ordinary clip's job, found again by its request's key as a film's takes are: what was rendered
for its owner before is used again. Nothing drives a grid: its jobs are rows of the queue from the beginning,
and how it stands is read from them, so that killing any process changes nothing. Whoever holds its id may
look at it; only its owner or an admin changes it.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from pipelines.request import MAX_SEED, GenerationRequest, Notice
from studio import access
from studio.access import Visitor
from studio.db import reading, utc_now, writing
from studio.forms import Resolve
from studio.grid_cells import Asked, GridCells, newest_export, read_jobs, read_lines, read_progress
from studio.grid_plan import MAX_SEEDS, MAX_TITLE, GridPlan, checked, places
from studio.grid_tables import grid_cell_table, grid_table
from studio.grid_view import AGAIN, Cell, CellState, GridEstimate, GridLine, GridView, columns_of
from studio.jobs import Jobs
from studio.library import Asset, Library, Standing
from studio.prices import cloud_price
from studio.refusal import Cannot, Refused, refuse_what_cannot
from studio.rows import LIVE, Job, Kind, kind_of, request_of
from studio.settings import Settings
from studio.story.film_plan import key_of

__all__ = ["Cell", "GridEstimate", "GridLine", "GridPlan", "GridView", "Grids"]

MAX_CAPTION = 120
_LISTED = 24


class Grids:
    """Owns the tables of grids. `resolve` makes a request, and the form to keep, out of a form.

    `cannot` says which clips would certainly fail: they are refused before any cell is queued.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        jobs: Jobs,
        assets: Library,
        resolve: Resolve,
        cannot: Cannot,
    ) -> None:
        self.engine, self.settings = engine, settings
        self._jobs, self._assets, self._resolve, self._cannot = jobs, assets, resolve, cannot
        self._cells = GridCells(engine, jobs, assets)

    # -- asking --------------------------------------------------------------------------------------------

    def submit(self, visitor: Visitor, plan: GridPlan) -> str:
        """Queue every cell that is not there yet, return the grid's id at once.

        Refused says which line is wrong, which words may not be used, which model can't run here; then
        nothing is queued.
        """
        plan, asked = self._asked(visitor, plan)
        refuse_what_cannot(self._cannot, self._missing(visitor.owner, asked))
        grid_id = f"g{secrets.token_urlsafe(12)}"
        document = plan.model_dump(mode="json")
        row = {"id": grid_id, "owner": visitor.owner, "title": plan.title, "plan": document}
        self._cells.ask(visitor.owner, grid_id, asked, row | {"created": utc_now()})
        return grid_id

    def estimate(self, visitor: Visitor, plan: GridPlan) -> GridEstimate:
        """What `submit` would cost; Refused as there, but for the words."""
        _, asked = self._asked(visitor, plan)
        missing = self._missing(visitor.owner, asked)
        seconds = self._seconds(missing, "clip")
        elsewhere = self._seconds(missing, "cloud")
        count = sum(kind_of(request) == "cloud" for request in missing)
        elsewhere_only = bool(missing) and count == len(missing)
        ahead, wait = self._jobs.ahead("cloud" if elsewhere_only else "clip")
        hourly = self.settings.price_per_gpu_hour
        cloud, unlisted = cloud_price(missing, self.settings)
        at_once = None if elsewhere is None else elsewhere / min(self.settings.cloud_jobs, max(count, 1))
        return GridEstimate(
            cells=len(asked),
            to_render=len(missing),
            reused=len(asked) - len(missing),
            seconds=None if seconds is None or at_once is None else max(seconds, at_once),
            ahead=ahead,
            wait=wait,
            price=None if elsewhere_only or seconds is None or hourly is None else seconds * hourly / 3600,
            currency=self.settings.currency,
            cloud=cloud,
            unlisted=unlisted,
            cannot=self._cannot(missing),
        )

    def _missing(self, owner: str, asked: Sequence[Asked]) -> list[GenerationRequest]:
        """What of it has to be made: no clip of it is there, and no job on its way."""
        wanted = {one.key: one.request for one in asked}
        with reading(self.engine) as connection:
            there = set(self._assets.find_keys(connection, owner, wanted))
        live = self._jobs.with_keys(owner, wanted)
        there |= {key for key, job in live.items() if job.state in LIVE}
        return [request for key, request in wanted.items() if key not in there]

    def _seconds(self, requests: Sequence[GenerationRequest], kind: Kind) -> float | None:
        """What these of a kind take one after the other; None if nobody knows."""
        known = [self._jobs.estimate(request) for request in requests if kind_of(request) == kind]
        return None if None in known else sum(filter(None, known))

    def retry(self, visitor: Visitor, grid_id: str, number: int | None = None) -> None:
        """Ask again for what failed, was cancelled or is gone: one cell, or all of them."""
        view = self._own(visitor, grid_id)
        again = [cell for cell in view.cells if cell.state in AGAIN and number in (None, cell.number)]
        asked = [Asked(cell.number, dict(cell.form), cell.request, cell.key) for cell in again]
        if asked:
            refuse_what_cannot(self._cannot, self._missing(view.owner, asked))
            self._cells.ask(view.owner, grid_id, asked)

    def cancel(self, visitor: Visitor, grid_id: str) -> None:
        """Cancel what of it still waits or runs, and nobody else waits for; finished cells stay."""
        self._own(visitor, grid_id)
        self._cells.cancel(grid_id)

    def delete(self, visitor: Visitor, grid_id: str) -> None:
        """Cancel it and forget it, its votes too; its clips stay in the library."""
        self.cancel(visitor, grid_id)
        with writing(self.engine) as connection:
            connection.execute(sa.delete(grid_table).where(grid_table.c.id == grid_id))

    def to_front(self, visitor: Visitor, grid_id: str) -> None:
        """Let its waiting cells be the next ones; an admin's right."""
        if not visitor.admin:
            raise Refused(Notice("admin_only"))
        self._known(grid_id)
        self._cells.to_front(grid_id)

    def export(self, visitor: Visitor, grid_id: str, captions: Mapping[int, str], *, title: str = "") -> str:
        """Queue one video of a grid's clips, return its job's id; `captions` by the numbers of its cells.

        It is called as the grid unless `title` says otherwise, and lies in the project that its clips share.
        A cell that is not done is left out; Refused if fewer than two remain.
        """
        view = self._own(visitor, grid_id)
        clips = [
            (cell.asset, captions[cell.number][:MAX_CAPTION])
            for cell in view.cells
            if cell.number in captions and cell.asset is not None and cell.asset.standing == "public"
        ]
        tiles = [{"asset": clip.id, "caption": caption} for clip, caption in clips]
        if len(tiles) < 2:
            raise Refused(Notice("grid_export_few"))
        columns = columns_of(view) if len(tiles) == len(view.cells) else None
        title = title.strip()[:MAX_TITLE] or view.title
        task = {"name": "mosaic", "grid": grid_id, "title": title, "tiles": tiles, "columns": columns}
        projects = {clip.project_id for clip, _ in clips}
        form = {"title": title, "project": projects.pop()} if len(projects) == 1 else {"title": title}
        return self._jobs.submit_media(view.owner, form, task, grid_id=grid_id)

    def _own(self, visitor: Visitor, grid_id: str) -> GridView:
        view = self.view(visitor, grid_id)
        if not view.may_change:
            raise Refused(Notice("not_yours"))
        return view

    def _asked(self, visitor: Visitor, plan: GridPlan) -> tuple[GridPlan, list[Asked]]:
        """The plan with its seeds, and what each cell asks for."""
        if not plan.seeds:
            # The same for all: cells that differ in words alone shall differ by nothing else.
            drawn = tuple({secrets.randbelow(MAX_SEED + 1) for _ in range(min(plan.seed_count, MAX_SEEDS))})
            plan = plan.model_copy(update={"seeds": drawn})
        plan = checked(plan)
        asked = []
        for number, (place, form) in enumerate(places(plan)):
            try:
                request, kept = self._resolve(visitor, form)
            except Refused as refused:
                told = refused.notices[0]
                kind, number = plan.where[place.line] if plan.where else ("line", place.line + 1)
                if len(plan.lines) > 1 or kind == "row":
                    code = "grid_row" if kind == "row" else "grid_line"
                    told = Notice(code, {"line": number, "reason": told})
                raise Refused(told) from refused
            asked.append(Asked(number, kept, request, key_of(request)))
        return plan, asked

    # -- looking -------------------------------------------------------------------------------------------

    def view(self, visitor: Visitor, grid_id: str) -> GridView:
        """A grid as this visitor sees it; whoever holds its id may look. Refused if there is none."""
        row = self._known(grid_id)
        plan = GridPlan.model_validate(row["plan"])
        wanted = dict(enumerate(place for place, _ in places(plan)))
        with reading(self.engine) as connection:
            columns = grid_cell_table.c
            query = sa.select(grid_cell_table).where(columns.grid_id == grid_id).order_by(columns.number)
            rows = [found for found in connection.execute(query).mappings() if found["number"] in wanted]
            jobs = read_jobs(connection, [found["job_id"] for found in rows if found["job_id"]])
            clips = self._assets.find_keys(connection, row["owner"], {found["request_key"] for found in rows})
            export = newest_export(connection, grid_id)
            running = [job.id for job in (*jobs.values(), export) if job and job.state == "running"]
            progress = read_progress(connection, running)
        outlook = self._jobs.outlook()
        standings = self._assets.standings([job.asset_id for job in jobs.values() if job.asset_id])
        cells = []
        for found in rows:
            job, clip = jobs.get(found["job_id"]), clips.get(found["request_key"])
            request = request_of(found["request"])
            assert request is not None
            position, eta = outlook.get(job.id, (None, None)) if job is not None else (None, None)
            standing = standings.get(job.asset_id) if job is not None and job.asset_id else None
            cell = Cell(
                number=found["number"],
                place=wanted[found["number"]],
                form=found["form"],
                request=request,
                key=found["request_key"],
                state=_state(job, clip, standing),
                job=job,
                reused=job is None or job.grid_id != grid_id,
                progress=progress.get(job.id) if job is not None else None,
                position=position,
                eta=eta,
            )
            cells.append(_seen_by(visitor, cell, clip))
        return GridView(
            id=grid_id,
            owner=row["owner"],
            plan=plan,
            created=row["created"],
            cells=tuple(cells),
            may_change=access.may_change(visitor, row["owner"]),
            export=export,
            export_progress=progress.get(export.id) if export is not None else None,
        )

    def list(self, visitor: Visitor, *, live: bool = False, limit: int = _LISTED) -> list[GridLine]:
        """The grids this visitor may see, newest first; `live`: only those that wait or run."""
        owner = None if access.sees_all(visitor, self.settings) else visitor.owner
        with reading(self.engine) as connection:
            return read_lines(connection, owner, live=live, limit=limit)

    def _known(self, grid_id: str) -> Any:
        with reading(self.engine) as connection:
            query = sa.select(grid_table).where(grid_table.c.id == grid_id)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise Refused(Notice("grid_unknown"))
        return row


def _state(job: Job | None, clip: Asset | None, standing: Standing | None) -> CellState:
    """How a cell stands: a clip that is there counts, whoever made it."""
    if clip is not None:
        return "done"
    if job is None:
        return "gone"
    if job.state == "done":
        return standing if standing in ("held", "blocked", "rejected") else "gone"
    return job.state


def _seen_by(visitor: Visitor, cell: Cell, clip: Asset | None) -> Cell:
    """The cell with its clip, if this visitor may see it; else with what is said instead."""
    if clip is None:
        return cell
    if not access.may_see(visitor, clip.standing, clip.owner):
        return replace(cell, state="draft")
    return replace(cell, asset=clip)
