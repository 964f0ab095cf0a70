"""Finding: who sees what, what is counted, how it is sorted and paged, and that changes show at once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from studio.access import Visitor
from studio.core import Studio
from studio.db import reading, utc_now, writing
from studio.exporting import Exporter
from studio.library import Asset, asset_table
from studio.library.finder import Finder, Query
from studio.library.tables import entry_table
from studio.refusal import Refused
from studio.settings import Settings
from studio.trust import ledger
from tests.library.kit import clip, keep
from tests.postgres import Postgres

ADMIN, ANN, BOB = Visitor("root", True), Visitor("ann", False), Visitor("bob", False)


@pytest.fixture(params=["sqlite", "postgres"])
def studio(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Studio]:
    url = f"sqlite:///{tmp_path / 'studio.db'}"
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.url(server.create())
    made = Studio(Settings(studio_home=tmp_path, database_url=url))
    yield made
    made.engine.dispose()


def _add(studio: Studio, *prompts: str, **changes: Any) -> list[Asset]:
    made = [clip(prompt, **{"age": 10.0 * at} | changes) for at, prompt in enumerate(prompts)]
    for asset in made:
        studio.assets.add(asset)
    return made


def _ids(studio: Studio, visitor: Visitor, query: Query = Query()) -> list[str]:  # noqa: B008
    return [asset.id for asset in studio.finder.find(visitor, query).assets]


def test_a_clip_is_found_in_the_moment_it_is_kept(studio: Studio) -> None:
    assert _ids(studio, ADMIN, Query("boat")) == []
    (boat,) = _add(studio, "A red boat at night")
    for text in ("boats", "RED boa", "夜 boat", boat.id, boat.job_id, str(boat.form["seed"]), "sketch boat"):
        assert _ids(studio, ADMIN, Query(text)) == [boat.id], text
    (fox,) = _add(studio, "雪地里的小狐狸")
    for text in ("雪狐狸", "小狐貍", "fox in snow", "狐"):
        assert _ids(studio, ADMIN, Query(text))[:1] == [fox.id], text


def test_what_one_may_not_see_is_neither_found_nor_counted(studio: Studio) -> None:
    made = {
        standing: _add(studio, "a boat", standing=standing)[0].id
        for standing in ("public", "draft", "held", "blocked", "rejected")
    }
    for visitor, seen in ((BOB, {"public"}), (ANN, {"public", "draft"}), (ADMIN, {"public", "draft"})):
        found = studio.finder.find(visitor, Query("boat"))
        assert {asset.standing for asset in found.assets} == seen
        assert found.total == len(seen)
        assert dict(found.counts["kind"]) == {"clip": len(seen)}
        for text in made.values():
            assert set(_ids(studio, visitor, Query(text))) <= {made[standing] for standing in seen}
    for standing in ("held", "blocked", "rejected"):
        chosen = Query(chosen={"standing": (standing,)})
        assert _ids(studio, ADMIN, chosen) == [made[standing]]
        assert _ids(studio, ANN, chosen) == []
    assert dict(studio.finder.find(ADMIN, Query()).counts["standing"])["held"] == 1
    assert set(dict(studio.finder.find(ANN, Query()).counts["standing"])) == {"public", "draft"}
    assert "owner" not in studio.finder.find(ANN, Query()).counts


def test_in_an_open_demo_lists_hold_ones_own_alone(tmp_path: Path) -> None:
    studio = Studio(Settings(studio_home=tmp_path, open_demo=True, host="0.0.0.0"))
    (mine,), _ = _add(studio, "a boat"), _add(studio, "a boat", owner="bob")
    assert _ids(studio, ANN) == [mine.id]
    assert len(_ids(studio, ADMIN)) == 2


def test_facets_narrow_and_count_as_they_should(studio: Studio) -> None:
    for prompt, style in (("大海上的小船", "ink"), ("a city street", "ink"), ("a boat at sea", "mono")):
        studio.assets.add(clip(prompt, style))
    assert studio.finder.read_some() == 3
    found = studio.finder.find(ADMIN, Query(chosen={"style": ("ink",)}))
    assert found.total == 2
    assert dict(found.counts["style"]) == {"ink": 2, "mono": 1}, "as without the choice"
    assert dict(found.counts["scene"]) == {"sea": 1, "city": 1}
    both = Query(chosen={"style": ("ink", "mono"), "scene": ("sea",)})
    assert studio.finder.find(ADMIN, both).total == 2
    assert studio.finder.find(ADMIN, Query(chosen={"style": ("no such style",)})).total == 0


def test_order_and_pages_hold_while_things_change(studio: Studio) -> None:
    made = _add(studio, *(f"clip {chr(97 + at)}" for at in range(9)))
    ids = [asset.id for asset in made]
    assert _ids(studio, ADMIN) == ids
    assert _ids(studio, ADMIN, Query(sort="oldest")) == ids[::-1]
    assert _ids(studio, ADMIN, Query(sort="name")) == ids
    _add(studio, "a long one", seconds=60.0, age=999.0)
    assert studio.finder.find(ADMIN, Query(sort="longest")).assets[0].seconds == 60
    first = studio.finder.find(ADMIN, Query(), limit=4)
    (newest,) = _add(studio, "newer than all", age=-5.0)
    studio.assets.delete(ids[1])
    second = studio.finder.find(ADMIN, Query(), limit=4, after=first.after)
    assert [asset.id for asset in second.assets] == ids[4:8], "nothing twice, nothing left out"
    assert _ids(studio, ADMIN)[0] == newest.id


def test_bulk_changes_are_ones_own_alone_and_show_at_once(studio: Studio) -> None:
    mine, theirs = _add(studio, "a boat"), _add(studio, "a boat", owner="bob")
    ids = [asset.id for asset in (*mine, *theirs)]
    done = studio.shelves.tag(ANN, ids, " #spring, ")
    assert (done.changed, done.others) == (1, 1)
    assert studio.shelves.tags_of(ids[0]) == ["spring"]
    assert _ids(studio, BOB, Query("spring")) == [ids[0]]
    assert studio.shelves.favourite(BOB, ids).changed == 2
    assert studio.finder.find(BOB, Query(favourites=True)).total == 2
    assert studio.finder.find(ANN, Query()).favourites == 0
    project = studio.projects.create(ANN, "Spring")
    assert studio.shelves.move(ANN, ids, project.id).changed == 1
    assert _ids(studio, BOB, Query(chosen={"project": (project.id,)})) == [ids[0]]
    assert studio.shelves.untag(ANN, ids, "spring").changed == 1
    assert _ids(studio, BOB, Query("spring")) == []
    with pytest.raises(Refused):
        studio.shelves.move(ANN, ids, "no such project")


def test_several_tags_are_given_with_commas_between_or_none(studio: Studio) -> None:
    (boat,) = _add(studio, "a boat")
    studio.shelves.tag(ANN, [boat.id], "sea, #night，harbour、 sea ,")
    assert sorted(studio.shelves.tags_of(boat.id)) == ["harbour", "night", "sea"]
    for bad in (" , ，", "fine, " + "x" * 41):
        with pytest.raises(Refused):
            studio.shelves.tag(ANN, [boat.id], bad)
    assert len(studio.shelves.tags_of(boat.id)) == 3


def test_what_lies_in_the_trash_is_found_there_alone_and_comes_back_whole(studio: Studio) -> None:
    (boat,) = _add(studio, "a boat")
    studio.shelves.tag(ANN, [boat.id], "sea")
    assert studio.shelves.trash(ANN, [boat.id]).changed == 1
    for query in (Query(), Query("boat"), Query(boat.id), Query(chosen={"tag": ("sea",)})):
        assert _ids(studio, ANN, query) == []
    assert _ids(studio, ANN, Query(trash=True)) == [boat.id]
    assert _ids(studio, BOB, Query(trash=True)) == []
    assert studio.library(ANN) == []
    with pytest.raises(Refused):
        studio.asset(BOB, boat.id)
    assert studio.shelves.restore(ANN, [boat.id]).changed == 1
    assert _ids(studio, BOB, Query("sea boat")) == [boat.id]


def test_the_trash_is_swept_after_thirty_days_with_an_entry_in_the_ledger(
    studio: Studio, tmp_path: Path
) -> None:
    old, young = (keep(studio.assets, tmp_path, clip("a boat")) for _ in range(2))
    studio.shelves.trash(ANN, [old.id, young.id])
    with writing(studio.engine) as connection:
        row = asset_table.c.id == old.id
        connection.execute(sa.update(asset_table).where(row).values(trashed=utc_now() - timedelta(days=31)))
    assert studio.shelves.sweep() == 1
    assert not studio.assets.file(old).exists()
    assert studio.assets.exists(young)
    assert _ids(studio, ANN, Query(trash=True)) == [young.id]
    with reading(studio.engine) as connection:
        assert [entry.event for entry in ledger.of_subject(connection, old.id)] == ["deleted"]


def test_a_deletion_without_its_entry_does_not_happen(studio: Studio, tmp_path: Path) -> None:
    boat = keep(studio.assets, tmp_path, clip("a boat"))

    def fails(_: Any) -> None:
        raise RuntimeError("the ledger can't be written")

    with pytest.raises(RuntimeError):
        studio.assets.delete(boat.id, fails)
    assert studio.assets.get(boat.id) is not None


def test_a_project_may_be_stricter_than_the_rules_or_freer(studio: Studio) -> None:
    project = studio.projects.create(ANN, "  Spring   campaign ")
    assert project.name == "Spring campaign"
    with pytest.raises(Refused):
        studio.projects.set_publish(ANN, project.id, "at_once")
    studio.projects.set_publish(ADMIN, project.id, "after_review")
    assert studio.reviews.policy().publish == "at_once"
    assert studio.reviews.policy(project.id).publish == "after_review"
    assert not studio.shows_previews(ANN, project.id)
    exporter = Exporter(studio.settings, studio.engine)
    assert exporter.begin("one", "clip", project=project.id).rules.publish == "after_review"
    assert exporter.begin("two", "clip", project="no such").rules.publish == "at_once"
    job = studio.generate(ANN, prompt="a boat", project=project.id, seed=1)
    assert studio.job(ANN, job).job.form["project"] == project.id
    lost = studio.generate(ANN, prompt="a boat", project="deleted", seed=1)
    assert "project" not in studio.job(ANN, lost).job.form
    (boat,) = _add(studio, "a boat")
    assert boat.project_id is None
    kept = clip("a boat", form={"prompt": "a boat", "project": project.id})
    studio.assets.add(kept)
    assert studio.asset(ANN, kept.id).project_id == project.id


def test_an_asset_of_an_older_studio_is_found_before_and_after_it_is_read(studio: Studio) -> None:
    (boat,) = _add(studio, "孙悟空驾着小船")
    with writing(studio.engine) as connection:
        connection.execute(sa.delete(entry_table))
    for _ in range(2):
        assert _ids(studio, ADMIN, Query("孙悟空")) == [boat.id]
        studio.finder.read_some()
    assert _ids(studio, ADMIN, Query("sun wukong")) == [boat.id]
    assert studio.finder.read_some() == 0


def test_many_small_changes_leave_the_same_library_as_one_reading(studio: Studio) -> None:
    made = _add(studio, *(f"a boat number {at}" for at in range(12)))
    for asset in made:
        studio.finder.find(ADMIN, Query())
        studio.shelves.tag(ADMIN, [asset.id], "again")
    fresh = Finder(studio.engine, studio.settings, studio.assets, studio.shelves)
    for query in (Query(), Query("boat"), Query("number 7"), Query(chosen={"tag": ("again",)})):
        one, other = studio.finder.find(ADMIN, query), fresh.find(ADMIN, query)
        assert [asset.id for asset in one.assets] == [asset.id for asset in other.assets]
        assert one.counts == other.counts


def test_storage_is_told_by_project_and_owner_as_far_as_one_may_know(studio: Studio) -> None:
    _add(studio, "a boat", bytes=5_000_000_000)
    _add(studio, "a fox", owner="bob", bytes=1)
    usage = studio.shelves.usage(ADMIN)
    assert (usage.total, usage.count, usage.by_owner) == (5_000_000_001, 2, {"ann": 5_000_000_000, "bob": 1})
    assert 0 < usage.free < usage.disk
