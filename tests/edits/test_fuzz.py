"""Whatever is typed, a reading comes of it: mixtures of what people wrote never raise."""

import random
import re
from pathlib import Path

from studio.edits import Reading, read_edit
from tests.edits.fit_sense import PEOPLE, people

HERE = Path(__file__).resolve().parent
MIXTURES = 300
SIGNS = (
    ",",
    "，",
    "。",
    "!",
    "?",
    "、",
    " and ",
    "和",
    " ",
    "\n",
    "'",
    '"',
    "(",
    ")",
    "-",
    "的",
    "a",
    "the",
    "",
)


def mixture(chance: random.Random, words: list[str]) -> str:
    """A few words and signs in any order."""
    return "".join(
        sign + chance.choice(words) for sign in chance.choices(SIGNS, k=chance.randint(1, 9))
    ) + chance.choice(SIGNS)


def test_mixtures_of_words_and_signs_are_read_or_asked_about() -> None:
    rows = [row for name in PEOPLE for row in people(name)]
    words = sorted({word for row in rows for word in re.findall(r"[a-z']+|[\u4e00-\u9fff]{1,3}", row.text)})
    chance = random.Random(6)
    for _ in range(MIXTURES):
        text = mixture(chance, words)
        prompt = chance.choice((chance.choice(rows).prompt, mixture(chance, words)))
        assert isinstance(read_edit(text, prompt=prompt), Reading), (text, prompt)
