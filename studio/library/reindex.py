"""The library made again from its files alone, when the database is lost or lags behind them.

What a file's card tells (`studio.library.cards`) comes back as it was. A film of ours without its card comes
back held: its own comment tells what it shows, but neither whose it is nor who may see it. Nothing of a
stranger's is taken. Only what is not there is added, each asset in a transaction of its own, so that it may
be stopped at any time and asked for again, beside a running studio too.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy import Connection, Engine

from pipelines.request import Notice
from studio.archive import Archive, digest
from studio.db import reading, utc_now, writing
from studio.library import entry
from studio.library.cards import PROJECTS, CardError, Rows, read_card
from studio.library.store import Library
from studio.library.tables import asset_table, film_clip_table, project_table, tick
from studio.library.types import Asset, AssetKind, Standing, card_place
from studio.media import probe
from studio.media.ffmpeg import MediaError
from studio.media.probe import POSTER_SIDE, thumbnail
from studio.recipe import Recipe
from studio.trust import ledger
from studio.trust.aigc import Aigc, is_ours, read_aigc

FOLDERS = ("media", "quarantine")

# known: it is in the database. restored: as its card tells. held: without a card, or with another film than
# it had. foreign: not made here, left alone. broken: a film of ours that can't be read.
Outcome = Literal["known", "restored", "held", "foreign", "broken"]


@dataclass(frozen=True)
class Found:
    """What became of one film of the folders."""

    place: str
    outcome: Outcome


def reindex(engine: Engine, assets: Library, key: bytes) -> Iterator[Found]:
    """Go through the folders and add what the database lacks; tells of each film as it is done."""
    home = assets.home
    with writing(engine) as connection:
        _note_loss(connection, home, key)
        _projects(connection, assets.archive, key)
    links: list[dict[str, Any]] = []
    for place in assets.archive.places(*FOLDERS):
        if place.endswith(".mp4"):
            outcome, rows = _film(engine, assets, place, key)
            links += rows.get(film_clip_table.name, [])
            yield Found(place, outcome)
    # Which clips a film was cut from: only now is every clip there that will be.
    with writing(engine) as connection:
        _link(connection, links)
    ledger.note_last(engine, home)


def _film(engine: Engine, assets: Library, place: str, key: bytes) -> tuple[Outcome, Rows]:
    asset_id, path = PurePosixPath(place).stem, assets.archive.path(place)
    with reading(engine) as connection:
        there = assets.read(connection, asset_id) is not None
    try:
        rows = read_card(assets.archive.path(card_place(place)), key)
    except (CardError, OSError):
        rows = {}
    if there:
        return "known", rows
    own = next(iter(rows.get(asset_table.name, [])), {})
    if own.get("id") == asset_id and own.get("path") == place:
        return _restore(engine, assets, rows, own, key), rows
    try:
        label = read_aigc(path)
        if not isinstance(label, Aigc) or label.ProduceID != asset_id or not is_ours(label, key):
            return "foreign", {}
        asset = _from_comment(path, place, asset_id)
    except MediaError:
        return "broken", {}
    with writing(engine) as connection:
        assets.add(asset, connection)
        _note(connection, asset, key)
    _picture(assets, asset.thumbnail, path)
    return "held", {}


def _restore(engine: Engine, assets: Library, rows: Rows, own: dict[str, Any], key: bytes) -> Outcome:
    """An asset as its card tells it; held if the film is not the one that the card was written for."""
    path = assets.archive.path(own["path"])
    changed = digest(path) != own["sha256"]
    if changed:
        standing: Standing = "blocked" if own["standing"] == "blocked" else "held"
        own = own | {"standing": standing, "reasons": [{"code": "file_changed", "values": {}}]}
    with writing(engine) as connection:
        connection.execute(sa.insert(asset_table).values(**own, revision=tick(connection)))
        for name, found in rows.items():
            table = asset_table.metadata.tables[name]
            if table not in (asset_table, film_clip_table):
                _add_missing(connection, table, found)
        restored = assets.read(connection, own["id"])
        assert restored is not None
        entry.write(connection, restored.id, entry.plain_entry(restored))
        _note(connection, restored, key)
    _picture(assets, own["thumbnail"], path)
    return "held" if changed else "restored"


def _from_comment(path: Path, place: str, asset_id: str) -> Asset:
    """What a film without a card tells of itself. MediaError if it can't be read."""
    facts, told = probe.probe(path), _comment(path)
    try:
        recipe = Recipe.model_validate(told)
    except ValidationError:
        recipe = None
    kinds: dict[Any, AssetKind] = {"film": "film", "grid": "grid", "edit": "edit"}
    plan = told.get("plan")
    title = str(told.get("title") or (plan.get("title") if isinstance(plan, dict) else "") or "")
    return Asset(
        id=asset_id,
        job_id=str(told.get("job") or f"lost-{asset_id}")[:64],
        owner="",
        path=place,
        thumbnail=place.removesuffix(".mp4") + ".webp",
        request=None if recipe is None else recipe.request,
        form={} if recipe is None else recipe.form,
        model="" if recipe is None else recipe.request.model,
        model_revision="" if recipe is None else recipe.model_revision,
        width=facts.width,
        height=facts.height,
        seconds=facts.seconds,
        fps=round(facts.fps),
        frames=facts.frames,
        bytes=path.stat().st_size,
        sha256=digest(path),
        render_seconds=0.0,
        created=utc_now(),
        kind=kinds.get(told.get("kind"), "clip"),
        title=title[:200],
        standing="blocked" if place.startswith("quarantine/") else "held",
        reasons=(Notice("file_without_card"),),
    )


def _comment(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(probe.comment(path))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _picture(assets: Library, place: str, film: Path) -> None:
    """Make the still picture again if it is gone."""
    if assets.archive.exists(place):
        return
    still = film.with_suffix(".webp.part")
    try:
        still.write_bytes(thumbnail(film, side=POSTER_SIDE))
        assets.archive.put(still, place)
    except (MediaError, OSError):
        still.unlink(missing_ok=True)


def _projects(connection: Connection, archive: Archive, key: bytes) -> None:
    try:
        rows = read_card(archive.path(PROJECTS), key)
    except (CardError, OSError):
        return
    _add_missing(connection, project_table, rows.get(project_table.name, []))


def _link(connection: Connection, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        both = set(row.values())
        there = sa.select(sa.func.count()).where(asset_table.c.id.in_(both))
        if connection.execute(there).scalar_one() == len(both):
            _add_missing(connection, film_clip_table, [row])


def _add_missing(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        same = [column == row[column.name] for column in table.primary_key.columns]
        if connection.execute(sa.select(sa.func.count()).select_from(table).where(*same)).scalar_one() == 0:
            connection.execute(sa.insert(table).values(**row))


def _note(connection: Connection, asset: Asset, key: bytes) -> None:
    facts = {"standing": asset.standing, "sha256": asset.sha256}
    ledger.append(connection, "restored", asset.id, key=key, facts=facts)


def _note_loss(connection: Connection, home: Path, key: bytes) -> None:
    """Where the ledger is empty and a note tells of an older one, the new one begins by saying so."""
    lost = ledger.noted(home)
    first = sa.select(ledger.ledger_table.c.number).limit(1)
    if lost and lost[0] and connection.execute(first).first() is None:
        facts = {"lost_entries": lost[0], "last_mac": lost[1]}
        ledger.append(connection, "restored", "ledger", key=key, facts=facts)
