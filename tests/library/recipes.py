"""Recipes that look real: the written ones of recipes.toml, and as many made-up ones as asked for."""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

FOLDER = Path(__file__).parent
STYLES = ("none", "ink", "neon", "paper-cut", "watercolour", "mythic", "mono")


@dataclass(frozen=True)
class Written:
    """One recipe: its name among the labels ("" for a made-up one), prompt and style."""

    name: str
    prompt: str
    style: str


def written() -> list[Written]:
    """The recipes of recipes.toml."""
    text = tomllib.loads((FOLDER / "recipes.toml").read_text("utf-8"))["prompts"]
    rows = [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()]
    return [Written(*row) for row in rows]


def queries(name: str) -> list[tuple[str, frozenset[str]]]:
    """The questions of queries.toml with the names of what is meant."""
    text = tomllib.loads((FOLDER / "queries.toml").read_text("utf-8"))[name]
    rows = [line.rpartition("=") for line in text.strip().splitlines()]
    return [(asked.strip(), frozenset(meant.split())) for asked, _, meant in rows]


def made_up(seed: int = 7) -> Iterator[Written]:
    """Recipes without end, the same for the same seed; English, Chinese, some mixed."""
    draw = random.Random(seed)
    parts = tomllib.loads((FOLDER / "recipes.toml").read_text("utf-8"))
    en, zh = (
        {key: [word.strip() for word in words.split(",")] for key, words in parts[language].items()}
        for language in ("en", "zh")
    )
    for number in count():
        a, b = (draw.choice(en[key]) for key in ("who", "thing"))
        scarf, colour = (draw.choice(en["colour"]) for _ in range(2))
        one = (
            f"A {scarf} scarf on a {a} who {draw.choice(en['does'])} a {colour} {b} "
            f"{draw.choice(en['place'])} {draw.choice(en['when'])}, {draw.choice(en['how'])}"
        )
        thing = f"{draw.choice(zh['colour'])}{draw.choice(zh['thing'])}"
        other = (
            f"{draw.choice(zh['when'])}，{draw.choice(zh['who'])}在{draw.choice(zh['place'])}"
            f"{draw.choice(zh['does']).format(thing)}，{draw.choice(zh['how'])}"
        )
        mixed = f"{other}, {draw.choice(en['how'])}, {draw.choice(en['how'])}"
        prompt = (one, other, one, other, mixed)[number % 5]
        yield Written("", prompt, draw.choice(STYLES))
