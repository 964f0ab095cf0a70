"""What an asset has to do with others: what it was made from, what was made from it, what looks like it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from studio import access
from studio.access import Visitor
from studio.db import reading
from studio.edit_tables import edit_table
from studio.grid_tables import grid_cell_table, grid_table
from studio.library.looks import Looks
from studio.library.store import Library, asset_of
from studio.library.tables import asset_table, film_clip_table
from studio.library.types import Asset
from studio.settings import Settings

MOST = 24
# Farther apart, two pictures have little in common: of the covers that ship, one pair in fifteen is nearer.
_ALIKE = 0.15


@dataclass(frozen=True)
class Wished:
    """An asset that is another take of one, or of which one is a take, and what was wished for."""

    asset: Asset
    wish: str


@dataclass(frozen=True)
class Kin:
    """Only what the visitor may see; what is gone or in the trash is left out.

    `parts`: the clips that a film or grid shows; `used_in`: the films and grids that show a clip; `source`:
    what it is an edited take of; `edits`: edited takes of it; `grids`: ids and titles of grids it was made
    for or stands in.
    """

    parts: tuple[Asset, ...] = ()
    used_in: tuple[Asset, ...] = ()
    source: Wished | None = None
    edits: tuple[Wished, ...] = ()
    grids: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parts or self.used_in or self.source or self.edits or self.grids)


class Family:
    """Reads lineage and looks; owns nothing."""

    def __init__(self, engine: Engine, settings: Settings, assets: Library, looks: Looks) -> None:
        self._engine, self._settings, self._assets, self._looks = engine, settings, assets, looks

    def kin(self, visitor: Visitor, asset: Asset) -> Kin:
        """What an asset was made from, and what was made from it; at most MOST of each."""
        films, edits = film_clip_table.c, edit_table.c
        with reading(self._engine) as connection:

            def ids(query: sa.Select[Any]) -> list[str]:
                return list(connection.execute(query.limit(MOST)).scalars())

            parts = ids(sa.select(films.clip_asset_id).where(films.film_asset_id == asset.id))
            used_in = ids(sa.select(films.film_asset_id).where(films.clip_asset_id == asset.id))
            own = connection.execute(sa.select(edit_table).where(edits.job_id == asset.job_id)).first()
            source = (own.source_id, own.wish) if own is not None else None
            made = sa.select(asset_table.c.id, edits.wish).join(
                edit_table, edits.job_id == asset_table.c.job_id
            )
            made = made.where(edits.source_id == asset.id).order_by(edits.created)
            wished = {row.id: row.wish for row in connection.execute(made.limit(MOST))}
            stands_in = sa.or_(
                grid_cell_table.c.job_id == asset.job_id,
                sa.and_(
                    grid_cell_table.c.request_key == (asset.request_key or None),
                    grid_table.c.owner == asset.owner,
                ),
            )
            cells = sa.select(grid_table.c.id, grid_table.c.title).join(grid_cell_table).where(stands_in)
            grids = connection.execute(cells.distinct().limit(MOST)).all()
        there = self._seen(visitor, {*parts, *used_in, *wished, *([source[0]] if source else [])})
        return Kin(
            parts=tuple(there[one] for one in parts if one in there),
            used_in=tuple(there[one] for one in used_in if one in there),
            source=Wished(there[source[0]], source[1]) if source and source[0] in there else None,
            edits=tuple(Wished(there[one], wish) for one, wish in wished.items() if one in there),
            grids=tuple((row.id, row.title) for row in grids),
        )

    def alike(self, visitor: Visitor, asset: Asset, most: int = 12) -> list[Asset]:
        """What looks like an asset, nearest first: by colours and where they lie, not by what is shown."""
        near = [found for found, far in self._looks.near(asset.id, most * 8) if far <= _ALIKE]
        there = self._seen(visitor, near)
        mine = access.sees_all(visitor, self._settings)
        listed = (there[found] for found in near if found in there)
        return [found for found in listed if mine or found.owner == visitor.owner][:most]

    def _seen(self, visitor: Visitor, ids: Collection[str]) -> dict[str, Asset]:
        query = sa.select(asset_table).where(asset_table.c.id.in_(ids), asset_table.c.trashed.is_(None))
        with reading(self._engine) as connection:
            found = [asset_of(row) for row in connection.execute(query).mappings()] if ids else []
        return {asset.id: asset for asset in found if access.may_see(visitor, asset.standing, asset.owner)}
