"""Whoever looks for a clip finds it: labelled questions over five hundred recipes, and hostile ones."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from studio.access import Visitor
from studio.core import Studio
from studio.db import writing
from studio.library.finder import Query
from studio.settings import Settings
from tests.library.kit import clip
from tests.library.recipes import made_up, queries, written

RECIPES = 500
ADMIN = Visitor("ann", True)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, dict[str, str]]]:
    """Five hundred recipes, the written ones read, the rest as they stand; and which asset is which."""
    home: Path = tmp_path_factory.mktemp("queries")
    made = Studio(Settings(studio_home=home))
    names: dict[str, str] = {}
    recipes = [*written(), *islice(made_up(), RECIPES - len(written()))]
    with writing(made.engine) as connection:
        for number, recipe in enumerate(recipes):
            asset = clip(recipe.prompt, recipe.style, age=number)
            made.assets.add(asset, connection)
            names[asset.id] = recipe.name
    assert made.finder.read_some(len(written())) == len(written())
    yield made, names
    made.engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("part", ["tuned", "held_out"])
def test_what_is_meant_is_among_the_first_five(studio: tuple[Studio, dict[str, str]], part: str) -> None:
    library, names = studio
    missed = []
    for text, meant in queries(part):
        found = library.finder.find(ADMIN, Query(text)).assets[:5]
        if not meant & {names[asset.id] for asset in found}:
            missed.append((text, [asset.asked for asset in found]))
    assert len(missed) <= 0.05 * len(queries(part)), missed


SMALL = (
    *(
        "a red boat at sea at sunset",
        "a red boat at night under the stars",
        "a white fox walking in the snow",
    ),
    *("a golden dragon above the clouds", "rain on a city street at night", "a cat at the window"),
    *(
        "the moon above the mountains",
        "一只小船在海上",
        "一条龙在云中飞",
        "夜里的城市",
        "a house in the forest",
    ),
)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Studio]:
    """A library of eleven clips, read."""
    made = Studio(Settings(studio_home=tmp_path))
    for number, prompt in enumerate(SMALL):
        made.assets.add(clip(prompt, age=number))
    assert made.finder.read_some(len(SMALL)) == len(SMALL)
    yield made
    made.engine.dispose()


def test_words_that_say_nothing_find_nothing_beside_those_that_do(small: Studio) -> None:
    def found(text: str) -> list[str]:
        return [asset.asked for asset in small.finder.find(ADMIN, Query(text)).assets]

    assert found("the red boat at night") == found("red boat night")
    assert found("the red boat at night")[:2] == [SMALL[1], SMALL[0]]
    assert len(found("the red boat at night")) <= 3
    assert found("the dragon") == found("dragon") == [SMALL[3], SMALL[8]]
    assert found("can you show me the cat that we made") == [SMALL[5]]
    assert found("你们有没有它在海上的小船")[:1] == [SMALL[7]]
    assert len(found("你们有没有它在海上的小船")) < len(SMALL) / 2


HOSTILE = (
    *(
        '"',
        "'",
        '" OR 1=1 --',
        "NEAR(a b)",
        "title:boat AND NOT (",
        "boat*",
        "%_%",
        "\\",
        "*",
        "-",
        "^$",
        "{}[]",
    ),
    *(
        "x" * 10_000,
        "红" * 10_000,
        "🐉🔥",
        "👩‍🚀 astronaut",
        "\u202eboat",
        "\ud800",
        "\x00",
        " ",
        "a b c " * 90,
    ),
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_question_breaks_the_search(studio: tuple[Studio, dict[str, str]], text: str) -> None:
    found = studio[0].finder.find(ADMIN, Query(text))
    assert found.total <= RECIPES
    assert len(found.assets) <= found.total


def test_a_nonsense_word_finds_nothing_and_an_emoji_does_no_harm(
    studio: tuple[Studio, dict[str, str]],
) -> None:
    find = studio[0].finder.find
    assert find(ADMIN, Query("qzxwvkj")).total == 0
    assert "astronaut" in find(ADMIN, Query("👩‍🚀 astronaut mars")).assets[0].asked


def test_what_is_typed_narrows_as_it_grows(studio: tuple[Studio, dict[str, str]]) -> None:
    find = studio[0].finder.find
    totals = [find(ADMIN, Query("lighthouse"[:end])).total for end in (2, 4, 7)]
    assert totals[0] >= totals[1] >= totals[2] >= 1
