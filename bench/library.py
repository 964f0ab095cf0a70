"""Is the library quick with 100,000 assets? Searching, the first page of its tab, bulk changes.

python -m bench.library [--assets 100000]
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from studio.access import Visitor
from studio.core import Studio
from studio.db import utc_now, writing
from studio.library import Asset, asset_table
from studio.library.entry import Entry, entry_of
from studio.library.finder import Query
from studio.library.tables import entry_table
from studio.settings import Settings
from tests.library.kit import clip
from tests.library.recipes import made_up, queries, written

ASSETS = 100_000
# So many different recipes are read; the rest are these again, with a seed, an owner and a day of their own.
READ = 1500
ADMIN = Visitor("ann", True)


def fill(studio: Studio, count: int) -> None:
    """`count` assets over three years, of nine owners and twelve projects."""
    draw = random.Random(3)
    projects = [studio.projects.create(ADMIN, f"Project {number}").id for number in range(12)]
    recipes = [*written(), *islice(made_up(), READ - len(written()))]
    read: list[tuple[Asset, Entry]] = []
    for recipe in recipes:
        asset = clip(recipe.prompt, recipe.style)
        read.append((asset, entry_of(asset)))
    now = utc_now()
    with writing(studio.engine) as connection:
        studio.assets.add(read[0][0], connection)
        for values in _rows(studio, read, count, draw, projects, now):
            connection.execute(sa.insert(asset_table), [asset for asset, _ in values])
            connection.execute(sa.insert(entry_table), [entry for _, entry in values])


def _rows(studio, read, count, draw, projects, now) -> Iterator[list[tuple[dict, dict]]]:
    columns = [name for name in Asset.__dataclass_fields__ if name not in ("request", "plan", "reasons")]
    for start in range(0, count, 5000):
        rows = []
        for number in range(start, min(count, start + 5000)):
            asset, entry = read[number % len(read)] if number < len(read) else draw.choice(read)
            asset = replace(
                asset,
                id=f"bench-{number:06}-{draw.getrandbits(40):x}",
                job_id=f"job-{number:06}-{draw.getrandbits(40):x}",
                owner=draw.choice(("ann", "bob", "cy", "dee", "eve", "fay", "gil", "hal", "ida")),
                created=now - timedelta(minutes=draw.random() * 1_500_000),
                seconds=draw.choice((2.0, 3.0, 5.0)),
                project_id=draw.choice((*projects, None)),
                standing=draw.choices(("public", "draft", "held"), (90, 8, 2))[0],
            )
            values = {name: getattr(asset, name) for name in columns}
            values |= {"request": asset.request.model_dump(mode="json"), "revision": 1}
            facets = "\n".join(f"{facet}\t{value}" for facet, value in entry.facets)
            words = {"asset_id": asset.id, "edition": 1, "name": entry.name, "words": entry.words}
            rows.append((values, words | {"facets": facets, "meaning": entry.meaning}))
        yield rows


def timed(what: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock, and of this process's own work: on a busy machine the clock says more."""
    began, worked = time.perf_counter(), time.process_time()
    what()
    return 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - worked)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=ASSETS)
    count = parser.parse_args().assets
    with tempfile.TemporaryDirectory(prefix="bench-library-") as home:
        studio = Studio(Settings(studio_home=Path(home)))
        for name, does in (("filling", lambda: fill(studio, count)), ("reading it all", studio.finder.warm)):
            clock, own = timed(does)
            print(f"{name:34}{clock / 1000:8.1f} s {own / 1000:11.1f} s own  ({count} assets)")
        _search(studio)
        _change(studio)


def _search(studio: Studio) -> None:
    asked = [text for part in ("tuned", "held_out") for text, _ in queries(part)]
    # As it is typed: each beginning of a question is one, too.
    typed = [text[:end] for text in asked for end in range(1, len(text) + 1, 3)]
    find = studio.finder.find
    cases: dict[str, list[Callable[[], object]]] = {
        "first page, no words": [lambda: find(ADMIN, Query())] * 20,
        "search, words alone": [lambda q=q: find(ADMIN, Query(q), counted=False) for q in asked * 3],
        "search with all counts": [lambda q=q: find(ADMIN, Query(q)) for q in asked * 3],
        "search as it is typed": [lambda q=q: find(ADMIN, Query(q)) for q in typed],
        "two facets and words": [
            lambda q=q: find(ADMIN, Query(q, {"style": ("ink", "mono"), "kind": ("clip",)})) for q in asked
        ],
        "as somebody who is no admin": [lambda q=q: find(Visitor("bob", False), Query(q)) for q in asked],
        "page 2 by its key": [lambda: find(ADMIN, Query(), after=find(ADMIN, Query()).after)] * 10,
    }
    for name, does in cases.items():
        found = [timed(one) for one in does]
        clock, own = (sorted(column) for column in zip(*found, strict=True))
        p95 = int(0.95 * (len(found) - 1))
        told = f"{statistics.median(clock):8.1f} ms {clock[p95]:8.1f} ms p95"
        print(f"{name:34}{told}   own {statistics.median(own):6.1f} ms {own[p95]:6.1f} ms p95")


def _change(studio: Studio) -> None:
    ids = studio.finder.ids(ADMIN, Query(), 10_000)
    shelves, find = studio.shelves, studio.finder.find
    changes: dict[str, Callable[[], object]] = {
        "tag": lambda: shelves.tag(ADMIN, ids, "spring campaign"),
        "untag": lambda: shelves.untag(ADMIN, ids, "spring campaign"),
        "move": lambda: shelves.move(ADMIN, ids, studio.projects.list(ADMIN)[0].id),
        "favourite": lambda: shelves.favourite(ADMIN, ids),
        "to the trash": lambda: shelves.trash(ADMIN, ids),
        "restore": lambda: shelves.restore(ADMIN, ids),
    }
    for name, does in changes.items():
        (clock, own), (after, _) = timed(does), timed(lambda: find(ADMIN, Query()))
        told = f"{clock:8.1f} ms {own:8.1f} ms own {after:8.1f} ms"
        print(f"{f'{name}, {len(ids)} at once':34}{told} for the search after it")
    print(f"{'storage used':34}{timed(lambda: shelves.usage(ADMIN))[0]:8.1f} ms")


if __name__ == "__main__":
    main()
