"""The library in memory, as it is searched: a mirror of the tables that follows their clock.

The tables are the truth; every process that searches has a mirror of its own, the same on SQLite and
Postgres. A change costs reading what was changed; the whole is read once, when a process starts.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from studio.db import reading
from studio.library.entry import PROMPT, TAGS, format_of
from studio.library.segment import Doc, Numbers, Segment, Vocabulary, Weights, merged, segment_of
from studio.library.tables import asset_table, clock_table, entry_table, tag_table
from studio.library.words import tokens
from studio.rows import asked, request_of

Mask = NDArray[np.bool_]
# Small segments are put together when there are more than this, or when they hold a quarter of all.
_MOST_SEGMENTS = 6
_AT_ONCE = 5000


@dataclass(frozen=True)
class View:
    """The library at one revision. Documents count through all segments; dead ones are not `alive`."""

    revision: int
    gone: int
    parts: tuple[tuple[Segment, Mask], ...]
    vocabulary: Vocabulary

    @property
    def mark(self) -> str:
        """Another one for every revision; what was deleted counts."""
        return _mark(self.revision, self.gone)

    @cached_property
    def count(self) -> int:
        """How many documents there are, dead ones too."""
        return sum(part.count for part, _ in self.parts)

    @cached_property
    def alive(self) -> Mask:
        """Which documents are still there as they are here."""
        return np.concatenate([alive for _, alive in self.parts])

    def column(self, name: str) -> Any:
        """One of the segments' columns, through all of them."""
        return self._columns(name)

    @cached_property
    def _cache(self) -> dict[str, Any]:
        return {}

    def _columns(self, name: str) -> Any:
        if name not in self._cache:
            self._cache[name] = np.concatenate([getattr(part, name) for part, _ in self.parts])
        return self._cache[name]

    @cached_property
    def ids(self) -> list[str]:
        """The assets' ids by document."""
        return [asset_id for part, _ in self.parts for asset_id in part.ids]

    @cached_property
    def rows(self) -> dict[str, int]:
        """Where each asset stands that is there."""
        alive = self.alive
        return {asset_id: row for row, asset_id in enumerate(self.ids) if alive[row]}

    @cached_property
    def names(self) -> tuple[list[str], NDArray[np.float64]]:
        """All names in their order, and where each document's name stands among them."""
        own = [name.casefold() for part, _ in self.parts for name in part.names]
        ordered = sorted(set(own))
        places = {name: place for place, name in enumerate(ordered)}
        return ordered, np.array([places[name] for name in own], np.float64)

    def holding(self, number: int) -> Iterator[tuple[Numbers, Weights]]:
        """The documents with a word, and how much it counts in each; segment by segment."""
        for start, part in self._starts():
            documents, weights = part.words.of(number)
            if len(documents):
                yield documents + start, weights

    def adjacent(self, first: int, second: int) -> Iterator[Numbers]:
        """The documents where one word stands right before another; segment by segment."""
        for start, part in self._starts():
            documents = part.adjacent(first, second)
            if len(documents):
                yield documents + start

    def with_values(self, numbers: Sequence[int]) -> Mask:
        """Which documents have any of these facet values."""
        wanted = np.zeros(len(self.vocabulary.values), bool)
        wanted[list(numbers)] = True
        found = np.zeros(self.count, bool)
        for start, part in self._starts():
            found[start + part.facet_rows[wanted[part.facets]]] = True
        return found

    def values_in(self, mask: Mask) -> NDArray[np.int64]:
        """How many of these documents have each facet value."""
        counts = np.zeros(len(self.vocabulary.values), np.int64)
        for start, part in self._starts():
            chosen = part.facets[mask[start : start + part.count][part.facet_rows]]
            counts += np.bincount(chosen, minlength=len(counts))
        return counts

    def _starts(self) -> Iterator[tuple[int, Segment]]:
        start = 0
        for part, _ in self.parts:
            yield start, part
            start += part.count


class Catalogue:
    """Keeps the newest view."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._view: View | None = None

    @property
    def ready(self) -> bool:
        """Whether the library was read once; the first `now` does that."""
        return self._view is not None

    def mark(self) -> str:
        """That of the view that `now` would give, without reading it."""
        with reading(self._engine) as connection:
            return _mark(*_clock(connection))

    def now(self) -> View:
        """The library as it is now, with all that was committed before."""
        with reading(self._engine) as connection:
            revision, gone = _clock(connection)
            view = self._view
            if view is not None and (view.revision, view.gone) == (revision, gone):
                return view
            with self._lock:
                return self._follow(connection, revision, gone)

    def _follow(self, connection: Connection, revision: int, gone: int) -> View:
        view = self._view
        if view is not None and view.revision >= revision and view.gone >= gone:
            return view
        if view is None:
            vocabulary = Vocabulary()
            whole = segment_of(_docs(connection, None), vocabulary)
            self._view = View(revision, gone, ((whole, np.ones(whole.count, bool)),), vocabulary)
            return self._view
        changed = segment_of(_docs(connection, view.revision), view.vocabulary)
        dead = set(changed.ids)
        there = None if gone == view.gone else set(connection.execute(sa.select(asset_table.c.id)).scalars())
        parts = [(part, _still(part, alive, dead, there)) for part, alive in view.parts]
        parts.append((changed, np.ones(changed.count, bool)))
        self._view = View(revision, gone, tuple(_tidied(parts)), view.vocabulary)
        return self._view


def _clock(connection: Connection) -> tuple[int, int]:
    """How many changes there were, and how many of what was deleted."""
    clock = connection.execute(sa.select(clock_table.c.revision, clock_table.c.gone)).first()
    return (int(clock.revision), int(clock.gone)) if clock else (0, 0)


def _mark(revision: int, gone: int) -> str:
    return f"{revision}.{gone}"


def _still(part: Segment, alive: Mask, dead: set[str], there: set[str] | None) -> Mask:
    if not dead and there is None:
        return alive
    stays = [asset_id not in dead and (there is None or asset_id in there) for asset_id in part.ids]
    return np.asarray(alive & np.array(stays, bool))


def _tidied(parts: list[tuple[Segment, Mask]]) -> list[tuple[Segment, Mask]]:
    first, *small = [one for one in parts if one[0].count or one is parts[0]]
    many = sum(part.count for part, _ in small)
    if many > max(_AT_ONCE, first[0].count // 4):
        whole = merged([first, *small])
        return [(whole, np.ones(whole.count, bool))]
    if len(small) >= _MOST_SEGMENTS:
        together = merged(small)
        return [first, (together, np.ones(together.count, bool))]
    return [first, *small]


# -- reading the tables ------------------------------------------------------------------------------------


def _docs(connection: Connection, since: int | None) -> Iterator[Doc]:
    """All assets, or those that changed after a revision; read in parts."""
    asset, entry = asset_table.c, entry_table.c
    query = (
        sa.select(
            asset.id,
            asset.owner,
            asset.kind,
            asset.standing,
            asset.model,
            asset.width,
            asset.height,
            asset.seconds,
            asset.created,
            asset.trashed,
            asset.project_id,
            entry.name,
            entry.words,
            entry.facets,
            entry.meaning,
        )
        .outerjoin(entry_table, entry.asset_id == asset.id)
        .order_by(asset.created, asset.id)
    )
    tags = sa.select(tag_table.c.asset_id, tag_table.c.tag).order_by(tag_table.c.tag)
    if since is not None:
        query = query.where(asset.revision > since)
        tags = tags.join(asset_table, asset.id == tag_table.c.asset_id).where(asset.revision > since)
    tagged: dict[str, list[str]] = defaultdict(list)
    for asset_id, tag in connection.execute(tags):
        tagged[asset_id].append(tag)
    for rows in connection.execute(query).partitions(_AT_ONCE):
        plain = _unread(connection, [row.id for row in rows if row.words is None])
        for row in rows:
            yield _doc(row, tagged.get(row.id, ()), plain)


def _doc(row: Any, tags: Iterable[str], plain: dict[str, tuple[str, str]]) -> Doc:
    name, words, kept = row.name, row.words, row.facets
    if words is None:
        # Not read yet: it is found by what was asked, which needs no reading.
        name, words = plain[row.id]
        kept = f"size\t{row.width}x{row.height}\nformat\t{format_of(row.width, row.height)}"
    facets = [(key, value) for key, _, value in (line.partition("\t") for line in kept.split("\n")) if value]
    facets += [("kind", row.kind), ("standing", row.standing), ("owner", row.owner)]
    facets += [(name, value) for name, value in (("model", row.model), ("project", row.project_id)) if value]
    for tag in tags:
        facets.append(("tag", tag))
        words += f"\n{TAGS}\t{' '.join(tokens(tag))}"
    return Doc(
        id=row.id,
        owner=row.owner,
        standing=row.standing,
        name=name,
        created=row.created.timestamp(),
        seconds=row.seconds,
        trashed=row.trashed is not None,
        words=words.strip("\n"),
        facets=facets,
        meaning=row.meaning,
    )


def _unread(connection: Connection, ids: list[str]) -> dict[str, tuple[str, str]]:
    """Name and words of assets that have no entry yet."""
    asset = asset_table.c
    query = sa.select(asset.id, asset.title, asset.form, asset.request)
    found = {}
    for start in range(0, len(ids), 500):
        some = query.where(asset.id.in_(ids[start : start + 500]))
        for row in connection.execute(some):
            name = row.title or asked(row.form, request_of(row.request), None)
            found[row.id] = (name[:200], f"{PROMPT}\t{' '.join(tokens(name))}")
    return found
