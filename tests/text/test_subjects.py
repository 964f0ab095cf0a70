"""Who acts or is described: what comes into view, one being under two names, far pronouns, odd verbs."""

import pytest

from studio.text.aliases import proper
from studio.text.antecedents import meant
from studio.text.characters import Character, who_is_in
from studio.text.fields import ShotFields, fields_of
from studio.text.mentions import spoken_of


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("旁边的镜子里映出一座青山。", ("青山",)),
        ("街道两边挤满了人。", ("人",)),
        ("看守们喝醉了。", ("看守",)),
        ("露水溅起。", ("露水",)),
        ("老爷爷们 are playing mahjong。", ("老爷爷",)),
        ("The panes burst.", ("panes",)),
        ("Then fog comes up the railway bank.", ("fog",)),
        ("Rows of lettuce float in soft light.", ("lettuce",)),
    ],
)
def test_what_comes_into_view_or_acts_is_found_whatever_the_words_look_like(
    text: str, subject: tuple[str, ...]
) -> None:
    assert fields_of(text).subject == subject


def test_a_noun_means_whom_the_story_names_by_it() -> None:
    story = "In the hall a mouse named Pip slept. A cat came. The mouse ran away."
    assert fields_of("The mouse ran away.", names=("Pip",), story=story).subject == ("Pip",)
    assert proper("mouse", "Another mouse came.", story, ("Pip",)) == "mouse"
    assert proper("和尚", "和尚走了。", "长安有一位和尚，名叫玄奘。和尚走了。", ("玄奘",)) == "玄奘"


def test_a_noun_that_two_names_share_stays_a_noun() -> None:
    story = "A boy named Tom met a boy named Ned. The boy ran."
    assert proper("boy", "The boy ran.", story, ("Tom", "Ned")) == "boy"


def test_a_pronoun_reaches_whom_the_story_spoke_of_though_no_shot_was_about_them() -> None:
    before = (ShotFields(subject=("pigeons",)), ShotFields(subject=("Rain",)))
    story = "Pigeons coo at a tired man on the bench. Rain falls. He wakes."
    assert fields_of("He wakes.", before=before, story=story).subject == ("man",)


def test_rain_is_no_he_though_the_moon_of_a_myth_may_be_a_she() -> None:
    assert meant("He", ["Rain"], [["man"]], "A man sat. Rain fell. He slept.") == ["man"]
    assert meant("She", ["Moon"], [], "The Moon rose. She smiled.") == ["Moon"]


def test_who_was_spoken_of_comes_last_one_first_with_how_long_ago() -> None:
    story = "A girl waved. A dog barked. Nobody came."
    assert spoken_of(story, len(story), ()) == {"dog": 1, "girl": 2}
    assert spoken_of(story, story.index("dog"), ()) == {"girl": 1}


def test_they_are_those_whom_the_shot_speaks_of() -> None:
    marta, boy = Character(id="m", name="Marta"), Character(id="b", name="boy")
    before = ["Marta waves the boy inside."]
    people = [marta, boy]
    assert who_is_in("The fishermen come in, stamping the snow off their boots.", people, before) == ()
    assert who_is_in("Marta walks. The neighbors open their doors.", people, before) == ("m",)
    for text in (
        "They laugh.",
        "Sometimes they sing.",
        "Marta cooks dinner. They eat.",
        "The friends hug. They go.",
    ):
        assert who_is_in(text, people, before) == ("m", "b"), text
    assert who_is_in("村民们提着灯笼，他们走上桥。", people, before) == ()
