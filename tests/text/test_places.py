"""Where a shot plays, fact by fact: phrases that name a place, and places that hold on."""

import pytest

from studio.text.fields import ShotFields, fields_of
from studio.text.grounds import is_indoors, is_within, kinds_of, size_of
from studio.text.places import scene_of


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Two detectives wait in the press room.", "press room"),
        ("Rain drums on the tin roof of the scrap yard.", "scrap yard"),
        ("A welder walks into a laundromat and sits down.", "laundromat"),
        ("奶奶坐在缝纫铺里缝衣服。", "缝纫铺"),
        ("孩子们在晒谷场上放风筝。", "晒谷场"),
        ("他推开门，走进教室。", "教室"),
    ],
)
def test_compounds_behind_words_of_place_are_places(text: str, place: str) -> None:
    assert any(place in one for one in fields_of(text).environment)


def test_a_place_holds_until_it_is_left() -> None:
    before = ShotFields(subject=("farmer",), environment=("field",))
    assert fields_of("He lifts his hat.", carry=before).environment == ("field",)
    assert fields_of("He walks into the kitchen.", carry=before).environment == ("kitchen",)


def test_kinds_come_from_lists_and_endings() -> None:
    assert kinds_of("修表铺") == {"building"}
    assert "room" in kinds_of("billiard room")
    assert kinds_of("0042") == {"unknown"}
    assert kinds_of("茶寮") == {"building", "guessed"}
    assert is_indoors("厨房")
    assert not is_indoors("草原")
    assert is_within("菜园里", ["菜园"])
    assert not is_within("菜园", ["院子"])


def test_a_new_scene_leaves_the_places_of_the_one_before() -> None:
    before = ShotFields(subject=("Tom",), environment=("LIGHTHOUSE", "STAIRWELL"))
    fields = fields_of("Tom pulls a rusted lever.", carry=before, heading="INT. LAMP ROOM - MOMENTS LATER")
    assert fields.environment == ("LAMP ROOM",)


def test_a_scene_may_name_a_place_within_another() -> None:
    assert scene_of("2. INT. SPACE STATION - CORRIDOR - CONTINUOUS") == ["SPACE STATION", "CORRIDOR"]


def test_weather_light_and_flat_parts_of_a_house_are_kinds_of_their_own() -> None:
    assert size_of("moonlight") == size_of("热浪") == "air"
    assert size_of("kitchen table") == size_of("墙上") == "surface"
    assert size_of("paddies") == "site"
