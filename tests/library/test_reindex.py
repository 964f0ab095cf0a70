"""The library made again from its files: with their cards as it was; without, held, if it is ours at all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from studio.access import Visitor
from studio.archive import Folder, digest
from studio.core import Studio
from studio.db import reading, utc_now, writing
from studio.edit_tables import edit_table
from studio.exporting import Exporter
from studio.library import Asset, new_id, places
from studio.library.cards import CardError, Cards, card_place, read_card
from studio.library.finder import Query
from studio.library.reindex import reindex
from studio.library.tables import favourite_table, film_clip_table, project_table, tag_table
from studio.media.clip import write_clip
from studio.recipe import Recipe
from studio.settings import Settings
from studio.trust import ledger
from studio.trust.exports import export_table
from tests.queue_kit import REPOSITORY, small
from tests.seal_kit import finished

ANN = Visitor("ann", True)
KEPT = (project_table, tag_table, favourite_table, film_clip_table, edit_table, export_table)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(Settings(studio_home=tmp_path / "home"))


def _keep(studio: Studio, content: bytes = b"a film", clips: tuple[str, ...] = (), **values: Any) -> Asset:
    """An asset as it is published, its file some bytes."""
    asset_id = new_id()
    place, still = places(asset_id, ".webp", blocked=values.get("standing") == "blocked")
    for at in (place, still):
        path = studio.settings.studio_home / at
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    request = small(str(values.pop("prompt", "a boat")))
    facts: dict[str, Any] = {
        "id": asset_id, "job_id": f"job-{asset_id}", "owner": "ann", "path": place, "thumbnail": still,
        "request": request, "form": {"prompt": request.prompt}, "model": "sketch", "model_revision": "abc",
        "width": 320, "height": 192, "seconds": 1.5, "fps": 8, "frames": 12, "bytes": len(content),
        "sha256": digest(path), "render_seconds": 2.25, "created": utc_now(),
    }  # fmt: skip
    asset = Asset(**facts | values)
    with writing(studio.engine) as connection:
        studio.assets.add(asset, connection, clips=clips)
        finished(asset_id).keep(connection, asset)
    return asset


def _cards(studio: Studio) -> Cards:
    return Cards(studio.engine, studio.assets.archive, studio.settings.tmp, _key(studio))


def _key(studio: Studio) -> bytes:
    return studio.settings.sealing_key()


def _lose_database(studio: Studio) -> Studio:
    """The same home, and an empty database."""
    studio.engine.dispose()
    for path in studio.settings.studio_home.glob("studio.db*"):
        path.unlink()
    return Studio(studio.settings)


def _rows(studio: Studio) -> dict[str, list[Any]]:
    with reading(studio.engine) as connection:
        return {table.name: sorted(map(repr, connection.execute(sa.select(table)).all())) for table in KEPT}


def _outcomes(studio: Studio) -> list[str]:
    return sorted(found.outcome for found in reindex(studio.engine, studio.assets, _key(studio)))


def test_a_lost_database_is_made_again_from_the_files_and_is_the_same(studio: Studio) -> None:
    red, blue = _keep(studio, prompt="a red boat at night"), _keep(studio, prompt="夜晚的蓝鲸")
    film = _keep(studio, kind="film", title="鲸与船", request=None, clips=(red.id, blue.id))
    held = _keep(studio, standing="held")
    blocked = _keep(studio, standing="blocked")
    trashed = _keep(studio)
    project = studio.projects.create(ANN, "Harbour")
    studio.projects.create(ANN, "empty")
    studio.shelves.move(ANN, [red.id], project.id)
    studio.shelves.tag(ANN, [red.id, film.id], "spring")
    studio.shelves.favourite(ANN, [blue.id])
    studio.shelves.trash(ANN, [trashed.id])
    edit = {"job_id": blue.job_id, "source_id": red.id, "wish": "as a whale", "intents": [], "operations": []}
    with writing(studio.engine) as connection:
        connection.execute(sa.insert(edit_table).values(**edit, created=utc_now()))
    assert _cards(studio).follow() == 6
    before, rows = {asset.id: asset for asset in studio.assets.every()}, _rows(studio)

    again = _lose_database(studio)
    assert list(again.assets.every()) == []
    assert _outcomes(again) == ["restored"] * 6
    assert {asset.id: asset for asset in again.assets.every()} == before
    assert _rows(again) == rows
    assert again.assets.clips_of(film.id) == studio.assets.clips_of(film.id)
    assert [asset.id for asset in again.finder.find(ANN, Query("red boat")).assets] == [red.id]
    assert {asset.id for asset in again.assets.held()} == {held.id, blocked.id}

    assert _outcomes(again) == ["known"] * 6, "a second time nothing is left to do"
    assert _cards(again).follow() == 0, "every card is as it was"
    entries, fault = ledger.verify(again.engine, key=_key(again), home=again.settings.studio_home)
    assert (entries, fault) == (6, None)


def test_the_new_ledger_begins_with_the_loss_of_the_old_one(studio: Studio) -> None:
    asset = _keep(studio)
    _cards(studio).follow()
    ledger.note_last(studio.engine, studio.settings.studio_home)
    lost = ledger.noted(studio.settings.studio_home)
    again = _lose_database(studio)
    _outcomes(again)
    with reading(again.engine) as connection:
        told = ledger.of_subject(connection, "ledger")[0]
        assert [entry.event for entry in ledger.of_subject(connection, asset.id)] == ["restored"]
    assert lost is not None
    assert (told.number, told.facts["lost_entries"]) == (1, lost[0])
    assert ledger.verify(again.engine, key=_key(again), home=again.settings.studio_home) == (2, None)


def test_cards_follow_what_is_changed(studio: Studio) -> None:
    asset, cards = _keep(studio), _cards(studio)
    assert (cards.follow(), cards.follow()) == (1, 0)
    card = studio.assets.archive.path(card_place(asset.path))
    studio.shelves.tag(ANN, [asset.id], "spring")
    studio.shelves.favourite(ANN, [asset.id])
    assert cards.follow() == 1
    rows = read_card(card, _key(studio))
    assert [row["tag"] for row in rows["asset_tag"]] == ["spring"]
    assert [row["owner"] for row in rows["favourite"]] == ["ann"]
    assert studio.assets.delete(asset.id)
    assert not card.exists()
    assert cards.follow() == 0


def test_a_studio_that_starts_again_writes_only_cards_that_changed_or_are_missing(studio: Studio) -> None:
    first, second, third = (_keep(studio) for _ in range(3))
    assert _cards(studio).follow() == 3
    spoilt = studio.assets.archive.path(card_place(first.path))
    spoilt.write_text("as it was left", "utf-8")
    studio.assets.archive.remove(card_place(second.path))
    studio.shelves.tag(ANN, [third.id], "spring")
    assert _cards(studio).follow() == 2
    assert spoilt.read_text("utf-8") == "as it was left", "it was not looked at"
    assert studio.assets.archive.exists(card_place(second.path))
    assert _cards(studio).follow() == 0


def test_cards_of_another_key_are_written_anew(studio: Studio) -> None:
    asset = _keep(studio)
    _cards(studio).follow()
    other = b"another key" * 3
    cards = Cards(studio.engine, studio.assets.archive, studio.settings.tmp, other)
    assert cards.follow() == 1
    assert read_card(studio.assets.archive.path(card_place(asset.path)), other)["asset"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace('"public"', '"draft"'),
        lambda text: text.replace('"ann"', '"bob"'),
        lambda text: text[:-40],
        lambda text: "[" * 100_000,
        lambda text: "{}",
        lambda text: json.dumps({"card": {"rows": {"job": []}}, "mac": ""}),
    ],
)
def test_a_card_that_was_changed_is_no_card(studio: Studio, spoil: Any) -> None:
    asset = _keep(studio)
    _cards(studio).follow()
    card = studio.assets.archive.path(card_place(asset.path))
    card.write_text(spoil(card.read_text("utf-8")), "utf-8")
    with pytest.raises(CardError):
        read_card(card, _key(studio))
    again = _lose_database(studio)
    assert _outcomes(again) == ["broken"], "nor does its film tell anything: it is no film"
    assert list(again.assets.every()) == []


def test_a_card_of_another_film_opens_nothing(studio: Studio) -> None:
    """Somebody lays the card of an open clip beside one in quarantine."""
    public, blocked = _keep(studio), _keep(studio, b"never to be seen", standing="blocked")
    _cards(studio).follow()
    archive = studio.assets.archive
    own = archive.path(card_place(public.path))
    archive.path(card_place(blocked.path)).write_text(own.read_text("utf-8"), "utf-8")
    archive.path(public.path).write_bytes(b"never to be seen")
    again = _lose_database(studio)
    assert _outcomes(again) == ["broken", "held"]
    (found,) = again.assets.every()
    assert (found.id, found.standing, found.reasons[0].code) == (public.id, "held", "file_changed")


@pytest.mark.slow
def test_a_film_of_ours_without_its_card_comes_back_held_and_a_strangers_not_at_all(studio: Studio) -> None:
    exporter, asset_id = Exporter(studio.settings, studio.engine), new_id()
    begun = exporter.begin(asset_id, "clip")
    request = small("a boat at sea")
    recipe = Recipe(request=request, form={"prompt": "a boat", "style": "ink"}, job="job-1").text()
    place, still = places(asset_id, ".webp")
    path = studio.assets.archive.path(place)
    path.parent.mkdir(parents=True)
    frames = [np.full((192, 320, 3), 40 + 9 * at, np.uint8) for at in range(9)]
    told = {"comment": begun.comment(recipe), "tags": begun.tags, "label": begun.label}
    write_clip(frames, path=path, fps=8, expected_frames=9, mark=begun.mark_frames(), **told)
    exporter.finish(begun, path, model="sketch", revision="abc", prompt="a boat")
    stranger = path.with_name("stranger.mp4")
    write_clip(frames, path=stranger, fps=8, expected_frames=9, comment="{}", label=begun.label)
    copy = path.with_name("copy.mp4")
    copy.write_bytes(path.read_bytes())

    assert _outcomes(studio) == ["foreign", "foreign", "held"]
    (found,) = studio.assets.every()
    assert (found.id, found.standing, found.owner) == (asset_id, "held", "")
    assert found.request == request
    assert found.form == {"prompt": "a boat", "style": "ink"}
    assert found.reasons[0].code == "file_without_card"
    assert studio.assets.archive.exists(still), "its picture was made again"
    assert stranger.exists()


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_where_it_was(studio: Studio) -> None:
    for _ in range(60):
        _keep(studio)
    _cards(studio).follow()
    before = {asset.id: asset for asset in studio.assets.every()}
    again = _lose_database(studio)
    again.engine.dispose()
    env = {**os.environ, "STUDIO_HOME": str(studio.settings.studio_home)}
    command = [sys.executable, "-m", "studio.library", "reindex"]
    killed = subprocess.Popen(command, env=env, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    for _ in range(7):
        killed.stdout.readline()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    done = len(list(again.assets.every()))
    assert 0 < done < 60
    whole = subprocess.run(command, env=env, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert f"{60 - done} " in whole.stdout.splitlines()[-1]
    assert {asset.id: asset for asset in again.assets.every()} == before


@pytest.mark.slow
def test_verify_tells_what_is_gone_or_changed(studio: Studio) -> None:
    gone, changed, _ = (_keep(studio) for _ in range(3))
    studio.assets.file(gone).unlink()
    studio.assets.file(changed).write_bytes(b"other")
    env = {**os.environ, "STUDIO_HOME": str(studio.settings.studio_home), "LC_ALL": "C"}
    command = [sys.executable, "-m", "studio.library", "verify"]
    told = subprocess.run(command, env=env, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert f"{gone.path}: gone" in told.stdout
    assert f"{changed.path}: changed since it was made" in told.stdout
    assert "3 files looked at, 2 of them" in told.stdout


def test_a_folder_keeps_files_whole_and_by_safe_places_only(tmp_path: Path) -> None:
    folder, source = Folder(tmp_path / "home"), tmp_path / "film"
    source.write_bytes(b"film")
    folder.put(source, "media/2026/11/a.mp4")
    assert not source.exists()
    assert folder.exists("media/2026/11/a.mp4")
    assert list(folder.places("media", "quarantine")) == ["media/2026/11/a.mp4"]
    for place in ("", "/etc/passwd", "../film", "media/../../film"):
        with pytest.raises(ValueError, match="no place of ours"):
            folder.path(place)
    folder.remove("media/2026/11/a.mp4")
    folder.remove("media/2026/11/a.mp4")
    assert list(folder.places("media")) == []
