"""Clips that look alike: their colours, where in the picture these lie, and how busy it is there.

What is shown is not understood: a red boat is near a red car at the same place. Read from the still pictures,
once for each asset; compared in memory, the same on SQLite and Postgres.
"""

import logging
import threading
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import Engine

from studio.db import metadata, reading, writing
from studio.library.store import Library
from studio.library.tables import asset_table, revision

look_table = sa.Table(
    "asset_look",
    metadata,
    # Grows: who has read up to one asks for those above it.
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column(
        "asset_id", sa.Text, sa.ForeignKey("asset.id", ondelete="CASCADE"), nullable=False, unique=True
    ),
    # int8; empty if there was no picture to read.
    sa.Column("look", sa.LargeBinary, nullable=False),
)

_ACROSS, _DOWN = 6, 4
# A picture's cells are read as so many pixels a side.
_CELL = 8
_BINS = 3
LENGTH = _ACROSS * _DOWN * 4 + _BINS**3
# How much each kind of number counts: light and colours of the cells, how busy they are, the palette.
_LIGHT, _COLOUR, _BUSY, _PALETTE = 0.8, 1.2, 0.7, 1.5

Look = NDArray[np.int8]

log = logging.getLogger(__name__)


def look_of(path: Path) -> Look:
    """The look of a still picture, (LENGTH,). OSError if it is none."""
    with Image.open(path) as picture:
        picture.seek(0)
        size = (_ACROSS * _CELL, _DOWN * _CELL)
        pixels = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX), np.float32) / 255
    red, green, blue = np.moveaxis(pixels, -1, 0)
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    # Opponent colours, as the eye tells them apart: red from green, blue from yellow.
    planes = (light - 0.5, red - green, blue - (red + green) / 2)
    cells = [_cells(plane).mean(axis=(1, 3)) for plane in planes]
    busy = _cells(light).std(axis=(1, 3)) * 3
    bins = np.minimum((pixels * _BINS).astype(int), _BINS - 1).reshape(-1, 3) @ (_BINS**2, _BINS, 1)
    palette = np.sqrt(np.bincount(bins, minlength=_BINS**3) / len(bins))
    parts = (_LIGHT * cells[0], _COLOUR * cells[1], _COLOUR * cells[2], _BUSY * busy)
    # A palette is one sight of the whole picture; the cells are 24 of their parts.
    found = np.concatenate(
        [*(part.ravel() for part in parts), _PALETTE * palette * np.sqrt(_ACROSS * _DOWN) / 4]
    )
    return np.clip(np.round(found * 64), -127, 127).astype(np.int8)


def _cells(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return plane.reshape(_DOWN, _CELL, _ACROSS, _CELL)


class Looks:
    """Owns the table of looks, and has them in memory once somebody asks."""

    def __init__(self, engine: Engine, assets: Library) -> None:
        self._engine, self._assets = engine, assets
        self._ids: list[str] = []
        self._rows = np.zeros((0, LENGTH), np.int8)
        self._number = 0
        self._read_up_to = -1
        self._lock = threading.Lock()

    def read_some(self, most: int = 20) -> int:
        """Read pictures that were not read yet; how many there were, at most `most`."""
        unread = sa.select(asset_table.c.id).where(
            ~sa.select(look_table.c.number).where(look_table.c.asset_id == asset_table.c.id).exists()
        )
        with reading(self._engine) as connection:
            now = revision(connection)
            if now == self._read_up_to:
                # Asked every few seconds: nobody looks through a whole library in which nothing changed.
                return 0
            ids = list(connection.execute(unread.limit(most)).scalars())
        if not ids:
            self._read_up_to = now
            return 0
        found = self._assets.get_many(ids)
        rows = [
            {"asset_id": asset_id, "look": self._read(asset.thumbnail)} for asset_id, asset in found.items()
        ]
        with writing(self._engine) as connection:
            there = sa.select(look_table.c.asset_id).where(look_table.c.asset_id.in_(ids))
            had = set(connection.execute(there).scalars())
            kept = set(
                connection.execute(sa.select(asset_table.c.id).where(asset_table.c.id.in_(ids))).scalars()
            )
            for row in rows:
                if row["asset_id"] in kept - had:
                    connection.execute(sa.insert(look_table).values(**row))
        return len(ids)

    def _read(self, place: str) -> bytes:
        try:
            return look_of(self._assets.archive.path(place)).tobytes()
        except (OSError, ValueError, Image.DecompressionBombError):
            log.info("the picture %s can't be read", place)
            return b""

    def near(self, asset_id: str, most: int = 60) -> list[tuple[str, float]]:
        """The ids of what looks most like an asset, nearest first, and how far each is: 0 is the same.

        Empty if its picture was not read (yet). Some may be gone since.
        """
        with self._lock:
            self._follow()
            ids, rows = self._ids, self._rows
        with reading(self._engine) as connection:
            query = sa.select(look_table.c.look).where(look_table.c.asset_id == asset_id)
            own = connection.execute(query).scalar()
        if not own or not len(rows):
            return []
        apart = rows.astype(np.float32) - np.frombuffer(own, np.int8)
        far = np.sqrt((apart * apart).mean(axis=1)) / 64
        nearest = np.argsort(far)[: most + 1] if len(far) <= most else _smallest(far, most + 1)
        return [(ids[at], float(far[at])) for at in nearest if ids[at] != asset_id][:most]

    def _follow(self) -> None:
        query = sa.select(look_table).where(look_table.c.number > self._number).order_by(look_table.c.number)
        with reading(self._engine) as connection:
            newer = connection.execute(query).all()
        if newer:
            self._number = newer[-1].number
            readable = [row for row in newer if len(row.look) == LENGTH]
            self._ids = self._ids + [row.asset_id for row in readable]
            looks = [np.frombuffer(row.look, np.int8) for row in readable]
            self._rows = np.concatenate([self._rows, np.array(looks, np.int8).reshape(-1, LENGTH)])


def _smallest(far: NDArray[np.float32], most: int) -> NDArray[np.intp]:
    first = np.argpartition(far, most)[:most]
    return np.asarray(first[np.argsort(far[first])])
