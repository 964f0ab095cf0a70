"""What is in a room now: a story's film and shots with their takes, a project's or grid's clips, or a few.

Guests see what stands open to everybody, and nothing else: not what waits for a person, was blocked, is a
draft under the rule "after review", or lies in the trash.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock

import sqlalchemy as sa
from sqlalchemy import Connection

from pipelines.request import Notice
from studio.access import Visitor
from studio.db import reading
from studio.grids import Grids
from studio.library import Asset, Library, asset_table
from studio.library.projects import read_project
from studio.library.store import asset_of
from studio.media import tracks
from studio.media.ffmpeg import MediaError
from studio.refusal import Refused
from studio.room.types import FILM, Contents, Item, Kind, Room
from studio.stories import ShotView, Stories
from studio.story.variables import filled

MAX_ITEMS = 200
# So many takes of a shot stand side by side; the chosen one and the newest.
MAX_TAKES = 4
# What is in a room is looked up again after so long; whether a clip may be seen is asked each time.
FRESH_SECONDS = 2.0
_ROOMS = 256
# A guest of the doors: somebody who owns nothing.
_ANYBODY = Visitor(owner="", admin=False)


class Shelf:
    """Reads what is in rooms; remembers it for a moment, as players ask for a clip piece by piece."""

    def __init__(self, assets: Library, stories: Stories, grids: Grids) -> None:
        self._assets, self._stories, self._grids = assets, stories, grids
        self._found: dict[Room, tuple[float, Contents]] = {}
        self._lock = Lock()
        self._read: dict[Kind, Callable[[Room], Contents]] = {
            "story": self._story,
            "project": self._project,
            "grid": self._grid,
            "clips": self._clips,
        }

    def of(self, room: Room) -> Contents:
        """What is in a room; Refused if what was shared is gone."""
        now = time.monotonic()
        with self._lock:
            since, known = self._found.get(room, (0.0, None))
        if known is not None and now - since < FRESH_SECONDS:
            return known
        try:
            contents = self._read[room.kind](room)
        except Refused as refused:
            # Whoever was sent a link is told nothing of stories, grids and projects.
            raise Refused(Notice("room_gone")) from refused
        with self._lock:
            self._found.pop(room, None)
            self._found[room] = (now, contents)
            while len(self._found) > _ROOMS:
                del self._found[next(iter(self._found))]
        return contents

    def asset(self, room: Room, asset_id: str) -> Asset:
        """A clip that is in a room, as its row is now; Refused for every other one."""
        if asset_id not in self.of(room).assets:
            raise Refused(Notice("asset_unknown"))
        asset = self._assets.get(asset_id)
        if asset is None or not _shown(asset):
            raise Refused(Notice("asset_unknown"))
        return asset

    # -- by kind -------------------------------------------------------------------------------------------

    def _story(self, room: Room) -> Contents:
        view = self._stories.get(_ANYBODY, room.subject)
        last = self._stories.last_film(_ANYBODY, room.subject)
        film = last.asset if last is not None and last.asset is not None and _shown(last.asset) else None
        starts = {} if film is None else self._starts(film)
        told = filled(view.story)
        items = [Item(FILM, 0, "", (film,))] if film is not None else []
        wanted = {shot.shot.id: _takes_of(shot) for shot in view.shots}
        there = self._open({asset for ids in wanted.values() for asset in ids})
        for shot, words in zip(view.shots, told.shots, strict=True):
            shown = [there[one] for one in wanted[shot.shot.id] if one in there]
            start = starts.get(shot.shot.id)
            text = words.text if not words.translation else f"{words.text}\n{words.translation}"
            items.append(Item(shot.shot.id, shot.number, words.title, tuple(shown[:MAX_TAKES]), text, start))
        return Contents(room, told.title, tuple(items), film)

    def _project(self, room: Room) -> Contents:
        columns = asset_table.c
        mine = (columns.project_id == room.subject, columns.standing == "public", columns.trashed.is_(None))
        query = sa.select(asset_table).where(*mine).order_by(columns.created.desc(), columns.id)
        with reading(self._assets.engine) as connection:
            project = read_project(connection, room.subject)
            if project is None:
                raise Refused(Notice("room_gone"))
            rows = connection.execute(query.limit(MAX_ITEMS)).mappings()
            found = [asset_of(row) for row in rows]
        return Contents(room, project.name, _singles(found))

    def _grid(self, room: Room) -> Contents:
        view = self._grids.view(_ANYBODY, room.subject)
        found = [cell.asset for cell in view.cells if cell.asset is not None and _shown(cell.asset)]
        return Contents(room, view.plan.title, _singles(found))

    def _clips(self, room: Room) -> Contents:
        there = self._open(room.clips)
        found = [there[one] for one in room.clips if one in there]
        if not found:
            raise Refused(Notice("room_gone"))
        title = found[0].asked if len(room.clips) == 1 else ""
        return Contents(room, title, _singles(found))

    # -- within --------------------------------------------------------------------------------------------

    def _open(self, ids: Iterable[str]) -> dict[str, Asset]:
        """Of these clips those that a guest may see, by id."""
        with reading(self._assets.engine) as connection:
            found = _read(connection, list(ids))
        return {asset.id: asset for asset in found if _shown(asset)}

    def _starts(self, film: Asset) -> dict[str, float]:
        """Where the shots of a film begin, by shot id; empty if its file can't be read."""
        if film.plan is None:
            return {}
        try:
            chapters = tracks.chapters(self._assets.file(film))
        except (MediaError, OSError):
            return {}
        return {shot.shot_id: one.start for shot, one in zip(film.plan.shots, chapters, strict=False)}


def _takes_of(shot: ShotView) -> list[str]:
    """The clips that show a shot: its file of the library, or the chosen take and then the newest ones."""
    source = shot.shot.source
    if source is not None:
        return [source.place] if source.kind == "asset" else []
    shown = shot.shown
    first = shown.asset_id if shown is not None else None
    made = [take.asset_id for take in reversed(shot.takes) if take.asset_id]
    return list(dict.fromkeys([*([first] if first else []), *made]))


def _singles(assets: Sequence[Asset]) -> tuple[Item, ...]:
    return tuple(Item(asset.id, n, asset.asked, (asset,)) for n, asset in enumerate(assets[:MAX_ITEMS], 1))


def _read(connection: Connection, ids: Sequence[str]) -> list[Asset]:
    query = sa.select(asset_table).where(asset_table.c.id.in_(ids))
    return [asset_of(row) for row in connection.execute(query).mappings()] if ids else []


def _shown(asset: Asset) -> bool:
    return asset.standing == "public" and asset.trashed is None
