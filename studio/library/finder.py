"""Finding assets: what a visitor asks for, and what of the library that is, page by page, with counts."""

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Engine

from studio import access
from studio.access import Visitor
from studio.db import reading, writing
from studio.library import entry as entries
from studio.library.catalogue import Catalogue, Mask, View
from studio.library.matching import Floats, Match, Words, match, units_of
from studio.library.segment import code_of
from studio.library.shelves import Shelves
from studio.library.store import Library
from studio.library.tables import asset_table, entry_table
from studio.library.types import USABLE, Asset
from studio.settings import Settings
from studio.styles import STYLES

Sort = Literal["best", "newest", "oldest", "longest", "name"]
SORTS: tuple[Sort, ...] = ("best", "newest", "oldest", "longest", "name")
PAGE = 60
# Each with as many values as are shown at most; those of `owner` only admins see.
FACETS = {
    "kind": 6,
    "people": 12,
    "scene": 20,
    "theme": 14,
    "style": 30,
    "tag": 30,
    "project": 60,
    "model": 10,
    "format": 3,
    "size": 12,
    "standing": 5,
    "owner": 20,
}
AGES = {"day": 86400.0, "week": 7 * 86400.0, "month": 31 * 86400.0, "year": 366 * 86400.0}
_ID = re.compile(r"[A-Za-z0-9_-]{12,64}")
# Found well enough by its words: nothing is looked for by its meaning then.
_ENOUGH = 8
_NEAREST = 300
_ALIKE = 0.34
# Beside one that means just what was asked, what merely has to do with it is not what was looked for.
_NEARLY = 0.62

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Query:
    """What is asked for. `chosen`: facet to values, any of which will do. `age`: a key of AGES."""

    text: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    age: str = ""
    favourites: bool = False
    trash: bool = False
    sort: Sort | None = None

    @property
    def order(self) -> Sort:
        """How it is sorted: what fits best, or without words the newest first."""
        if self.sort is None or (self.sort == "best" and not self.text.strip()):
            return "best" if self.text.strip() else "newest"
        return self.sort


@dataclass(frozen=True)
class Found:
    """A page of what was found. `after` asks for the next one (empty: there is none), `total` counts all.

    `mark` is another one as soon as anything in the library is, whoever may see it.
    `counts`: facet to (value, count), the most frequent first; a facet with a choice counts as without it.
    """

    assets: tuple[Asset, ...]
    total: int
    after: str
    mark: str
    counts: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    ages: Mapping[str, int] = field(default_factory=dict)
    favourites: int = 0
    trashed: int = 0


class Finder:
    """Searches for one process. The first search reads the library; `warm` does that beforehand."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        assets: Library,
        shelves: Shelves,
        find_style: entries.FindStyle = STYLES.get,
    ) -> None:
        self._engine, self._settings, self._find_style = engine, settings, find_style
        self._assets, self._shelves = assets, shelves
        self._catalogue = Catalogue(engine)
        self._words: Words | None = None
        self._lock = threading.Lock()

    def find(
        self, visitor: Visitor, query: Query, *, after: str = "", limit: int = PAGE, counted: bool = True
    ) -> Found:
        """One page of what the visitor may see of what is asked for, and counts unless told otherwise."""
        view = self._catalogue.now()
        search = _Search(self, view, visitor, query)
        chosen, keys = search.ordered()
        rows, following = _page(view, chosen, keys, after, limit)
        ids = [view.ids[row] for row in rows]
        there = self._assets.get_many(ids)
        assets = tuple(there[asset_id] for asset_id in ids if asset_id in there)
        counts = search.counts() if counted else {}
        return Found(assets, len(chosen), following, view.mark, **counts)

    def ids(self, visitor: Visitor, query: Query, limit: int) -> list[str]:
        """The ids of what is found, the first `limit` of it."""
        view = self._catalogue.now()
        chosen, keys = _Search(self, view, visitor, query).ordered()
        rows, _ = _page(view, chosen, keys, "", limit)
        return [view.ids[row] for row in rows]

    def mark(self) -> str:
        """What `Found.mark` would be now."""
        return self._catalogue.mark()

    def warm(self) -> None:
        """Read the library, and what questions are read with."""
        self.words(self._catalogue.now())
        units_of("红船 boat")
        _meaning("boat")

    def read_some(self, most: int = 20) -> int:
        """Read assets that have no entry of today's edition; how many there were, at most `most`."""
        with reading(self._engine) as connection:
            ids = entries.unread(connection, most)
        found = {asset.id: _entry(asset, self._find_style) for asset in self._assets.get_many(ids).values()}
        if found:
            with writing(self._engine) as connection:
                entries.rewrite(connection, found)
        return len(found)

    # -- what a search needs ---------------------------------------------------------------------------------

    def words(self, view: View) -> Words:
        """The words of the library, as they are looked up in."""
        with self._lock:
            if self._words is None or self._words.vocabulary is not view.vocabulary or self._words.stale:
                self._words = Words(view.vocabulary)
            return self._words

    def visible(self, view: View, visitor: Visitor, query: Query, *, held: bool = False) -> Mask:
        """What of the library this visitor may see; `held`: of an admin's, what is held back, too."""
        seen: Mask = view.alive & (view.column("trashed") == query.trash)
        standings, owners = view.column("standings"), view.column("owners")
        number = view.vocabulary.known

        def is_(column: NDArray[np.int32], facet: str, value: str) -> Mask:
            found = number(facet, value)
            return np.equal(column, -2 if found is None else found)

        mine = is_(owners, "owner", visitor.owner) if visitor.owner else np.zeros(view.count, bool)
        if not visitor.admin:
            draft = is_(standings, "standing", "draft") & mine
            seen &= is_(standings, "standing", "public") | draft
            # Others' trash is theirs alone.
            if query.trash or not access.sees_all(visitor, self._settings):
                seen &= mine
        elif not held and not query.trash:
            usable = [is_(standings, "standing", standing) for standing in USABLE]
            seen &= np.logical_or.reduce(usable)
        return np.asarray(seen)

    def favourites(self, view: View, visitor: Visitor) -> Mask:
        """What the visitor marked."""
        marked = self._shelves.favourites(visitor)
        found = np.zeros(view.count, bool)
        found[[view.rows[asset_id] for asset_id in marked if asset_id in view.rows]] = True
        return found

    def named(self, view: View, text: str) -> list[int]:
        """The documents that a text names by the id of the asset or of its job."""
        wanted = _ID.findall(text)[:4]
        if not wanted:
            return []
        columns = asset_table.c
        query = sa.select(columns.id).where(sa.or_(columns.id.in_(wanted), columns.job_id.in_(wanted)))
        with reading(self._engine) as connection:
            ids = set(connection.execute(query).scalars())
        return [view.rows[asset_id] for asset_id in ids if asset_id in view.rows]

    def alike(self, view: View, text: str, mask: Mask) -> list[tuple[int, float]]:
        """The documents that mean about the same as a text, and how much so (the cosine)."""
        vector = _meaning(text)
        if vector is None or not mask.any():
            return []
        codes = view.column("codes")
        far = np.bitwise_count(codes ^ code_of(vector)).sum(axis=1, dtype=np.int32)
        far[~mask | ~codes.any(axis=1)] = 10_000
        near = np.argpartition(far, min(_NEAREST, len(far) - 1))[:_NEAREST]
        ids = {view.ids[row]: int(row) for row in near if far[row] < 10_000}
        query = sa.select(entry_table.c.asset_id, entry_table.c.meaning)
        with reading(self._engine) as connection:
            found = connection.execute(query.where(entry_table.c.asset_id.in_(list(ids)))).all()
        own = np.frombuffer(vector, np.int8).astype(np.float32)
        cosines = {
            ids[asset_id]: _cosine(own, np.frombuffer(meaning, np.int8))
            for asset_id, meaning in found
            if meaning
        }
        least = max(_ALIKE, _NEARLY * max(cosines.values(), default=0))
        return [(row, cosine) for row, cosine in cosines.items() if cosine >= least]


class _Search:
    """One search: the masks that its parts cut out of a view."""

    def __init__(self, finder: Finder, view: View, visitor: Visitor, query: Query) -> None:
        self.finder, self.view, self.visitor, self.query = finder, view, visitor, query
        self.seen = finder.visible(view, visitor, query, held=bool(query.chosen.get("standing")))
        self.everything = finder.visible(view, visitor, query, held=True)
        self.by_facet = {facet: self._with(facet, values) for facet, values in query.chosen.items() if values}
        self.since = self._aged(query.age) if query.age in AGES else None
        self.marked = finder.favourites(view, visitor) if query.favourites else None
        self.matched, self.score = self._matched()

    def mask(self, *, without: str = "") -> Mask:
        """What is found; `without` one of its conditions."""
        seen = self.everything if without == "standing" else self.seen
        found = seen & self.matched
        for facet, chosen in self.by_facet.items():
            if facet != without:
                found &= chosen
        if self.since is not None and without != "age":
            found &= self.since
        if self.marked is not None and without != "favourites":
            found &= self.marked
        return found

    def ordered(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The documents that are found, and the keys they are sorted by, greatest first."""
        rows = np.flatnonzero(self.mask())
        order = self.query.order
        if order == "best":
            # Of those that fit alike, the newest.
            keys = self.score[rows].astype(np.float64) + 1e-15 * self.view.column("created")[rows]
        elif order == "longest":
            keys = self.view.column("seconds")[rows].astype(np.float64)
        elif order == "name":
            keys = -self.view.names[1][rows]
        else:
            keys = self.view.column("created")[rows] * (-1 if order == "oldest" else 1)
        return rows, keys

    def counts(self) -> dict[str, Any]:
        """How many there are of each facet's values, ages, and favourites."""
        view, base = self.view, self.mask()
        numbers = view.values_in(base)
        counts: dict[str, tuple[tuple[str, int], ...]] = {}
        per_facet: dict[str, list[tuple[str, int]]] = {facet: [] for facet in FACETS}
        # One that cuts is counted as without it, and so is what an admin may look at besides.
        besides = ("standing",) if self.visitor.admin else ()
        apart = {facet for facet in (*self.by_facet, *besides) if facet in per_facet}
        for at in np.flatnonzero(numbers):
            facet, value = view.vocabulary.values[at]
            if facet in per_facet and facet not in apart:
                per_facet[facet].append((value, int(numbers[at])))
        for facet in apart:
            own = view.values_in(self.mask(without=facet))
            values = [(view.vocabulary.values[at], int(own[at])) for at in np.flatnonzero(own)]
            per_facet[facet] = [(value, count) for (name, value), count in values if name == facet]
        if not self.visitor.admin:
            per_facet.pop("owner")
        for facet, found in per_facet.items():
            chosen = self.query.chosen.get(facet, ())
            best = sorted(found, key=lambda one: (one[0] not in chosen, -one[1], one[0]))
            counts[facet] = tuple(best[: FACETS[facet]])
        ageless = self.mask(without="age")
        ages = {age: int(np.count_nonzero(ageless & self._aged(age))) for age in AGES}
        marked = self.finder.favourites(view, self.visitor) & self.mask(without="favourites")
        return {"counts": counts, "ages": ages, "favourites": int(np.count_nonzero(marked))}

    def _with(self, facet: str, values: Sequence[str]) -> Mask:
        known = [self.view.vocabulary.known(facet, value) for value in values]
        return self.view.with_values([number for number in known if number is not None])

    def _aged(self, age: str) -> Mask:
        return np.asarray(self.view.column("created") > time.time() - AGES[age])

    def _matched(self) -> tuple[Mask, NDArray[np.float32]]:
        """Which documents fit the words, and how well."""
        view, text = self.view, self.query.text
        everything = np.ones(view.count, bool)
        if not text.strip():
            return everything, np.zeros(view.count, np.float32)
        units = units_of(text)
        named = self.finder.named(view, text)
        if not units and not named:
            return ~everything, np.zeros(view.count, np.float32)
        found = match(view, units, self.finder.words(view))
        matched, score = _by_words(found, self.seen)
        if np.count_nonzero(matched & (found.coverage > 0.9)) < _ENOUGH:
            for row, cosine in self.finder.alike(view, text, self.seen):
                matched[row] = True
                score[row] += 0.8 * cosine
        matched[named] = True
        score[named] += 10
        return matched, score


def _entry(asset: Asset, find_style: entries.FindStyle) -> entries.Entry:
    """As `entry_of`; what can't be read is kept as it stands, and not tried again and again."""
    try:
        return entries.entry_of(asset, find_style)
    except Exception:
        log.warning("the texts of %s could not be read", asset.id, exc_info=True)
        return replace(entries.plain_entry(asset), edition=entries.EDITION)


def _by_words(found: Match, seen: Mask) -> tuple[Mask, Floats]:
    """Those that hold about as much of the question as the best do; about half of it at least."""
    best = float(found.coverage[seen].max(initial=0))
    least = max(0.45, 0.72 * best)
    score: Floats = np.round(found.coverage + 0.5 * found.rank, 4).astype(np.float32)
    return found.coverage >= least, score


def _page(
    view: View, rows: NDArray[np.int64], keys: NDArray[np.float64], after: str, limit: int
) -> tuple[NDArray[np.int64], str]:
    """The first `limit` rows by their keys after a place that was given before; the next such place."""
    ties = view.column("ties")[rows]
    if after:
        key, tie = _place(after)
        behind = (keys < key) | ((keys == key) & (ties > tie))
        rows, keys, ties = rows[behind], keys[behind], ties[behind]
    if len(rows) > 4 * limit:
        least = np.partition(keys, len(keys) - limit)[len(keys) - limit]
        kept = keys >= least
        rows, keys, ties, more = rows[kept], keys[kept], ties[kept], True
    else:
        more = len(rows) > limit
    order = np.lexsort((ties, -keys))[:limit]
    last = f"{float(keys[order[-1]])!r}~{int(ties[order[-1]])}" if more and len(order) else ""
    return rows[order], last


def _place(after: str) -> tuple[float, int]:
    key, _, tie = after.partition("~")
    try:
        return float(key), int(tie)
    except (ValueError, OverflowError):
        return float("inf"), 0


def _cosine(one: NDArray[np.float32], other: NDArray[np.int8]) -> float:
    if one.shape != other.shape:
        return 0.0
    second = other.astype(np.float32)
    return float(one @ second / max(float(np.linalg.norm(one) * np.linalg.norm(second)), 1e-6))


@lru_cache(maxsize=512)
def _meaning(text: str) -> bytes | None:
    return entries.meaning_of(text[:200])
