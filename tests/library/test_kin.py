"""What an asset has to do with others: only what a visitor may see, and by what it looks like."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from studio.access import Visitor
from studio.core import Studio
from studio.db import utc_now, writing
from studio.edit_tables import edit_table
from studio.library import Asset
from studio.library.looks import LENGTH, look_of
from studio.settings import Settings
from tests.library.kit import clip, keep

ANN, BOB = Visitor("ann", False), Visitor("bob", False)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(Settings(studio_home=tmp_path / "home", host="0.0.0.0", access_password="secret"))


def _keep(studio: Studio, asset: Asset, colour: str = "red", at: int = 0) -> Asset:
    """An asset whose picture is a square of a colour before a dark ground."""
    kept = keep(studio.assets, studio.settings.studio_home, asset)
    picture = Image.new("RGB", (320, 192), "#101418")
    picture.paste(Image.new("RGB", (96, 96), colour), (at, 48))
    picture.save(studio.assets.thumbnail_file(kept))
    return kept


def test_lineage_goes_both_ways_and_leaves_out_what_may_not_be_seen(studio: Studio) -> None:
    old, new = _keep(studio, clip("a boat")), _keep(studio, clip("a red boat"))
    hidden = _keep(studio, clip("a whale", standing="draft"))
    film = clip("Sea", kind="film", title="Sea", request=None)
    studio.assets.add(film, clips=[old.id, hidden.id])
    row = {"job_id": new.job_id, "source_id": old.id, "wish": "make it red", "intents": [], "operations": []}
    with writing(studio.engine) as connection:
        connection.execute(sa.insert(edit_table).values(**row, created=utc_now()))
    family = studio.family
    assert [one.id for one in family.kin(ANN, film).parts] == [old.id, hidden.id]
    assert [one.id for one in family.kin(BOB, film).parts] == [old.id], "a draft is its owner's"
    kin = family.kin(BOB, old)
    assert ([one.id for one in kin.used_in], [one.asset.id for one in kin.edits]) == ([film.id], [new.id])
    source = family.kin(BOB, new).source
    assert source is not None
    assert (source.asset.id, source.wish) == (old.id, "make it red")
    studio.shelves.trash(ANN, [old.id])
    assert not family.kin(BOB, new)
    studio.assets.delete(old.id)
    assert not family.kin(BOB, new)


def test_what_looks_alike_is_near_and_nothing_else(studio: Studio) -> None:
    one, same, elsewhere = (_keep(studio, clip("a"), "red", at) for at in (0, 16, 224))
    blue = _keep(studio, clip("b"), "#2040ff")
    _keep(studio, clip("c", standing="held"), "red")
    broken = _keep(studio, clip("d"))
    studio.assets.thumbnail_file(broken).write_bytes(b"no picture")
    assert studio.family.alike(BOB, one) == [], "nobody has looked yet"
    while studio.upkeep.once():
        pass
    near = [asset.id for asset in studio.family.alike(BOB, one)]
    assert near[0] == same.id
    assert {blue.id, elsewhere.id}.isdisjoint(near[:1])
    assert studio.family.alike(BOB, broken) == []
    assert {asset.standing for asset in studio.family.alike(BOB, one)} <= {"public"}


def test_a_look_is_told_by_colour_and_place(tmp_path: Path) -> None:
    looks = []
    for number, (colour, at) in enumerate((("red", 0), ("red", 224), ("#2040ff", 0))):
        picture = Image.new("RGB", (320, 192), "black")
        picture.paste(Image.new("RGB", (96, 96), colour), (at, 48))
        picture.save(tmp_path / f"{number}.webp")
        looks.append(look_of(tmp_path / f"{number}.webp").astype(int))
    assert looks[0].shape == (LENGTH,)
    assert all(abs(looks[0] - other).sum() > 200 for other in looks[1:])
    (tmp_path / "text.webp").write_bytes(b"no picture")
    with pytest.raises(OSError, match="identify"):
        look_of(tmp_path / "text.webp")
