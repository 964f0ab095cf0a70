"""Slips of the finger in English wishes: brigther is brighter. Only words that nobody knows are looked at."""

import re
from functools import cache

from studio.edits.concepts import words
from studio.text.english import verb_forms

_SHORTEST = 4
_WORD = re.compile(r"(?<![\w'-])[a-z]{4,}(?![\w'-])")


def mended(text: str, prompt: str) -> str:
    """The text (small letters) with words that are nearly one of ours, or of the prompt's, as that one."""
    own = frozenset(re.findall(r"[a-z]{4,}", prompt.lower()))
    return _WORD.sub(lambda found: _mended(found.group(), own), text)


def _mended(word: str, own: frozenset[str]) -> str:
    if word in _ours() or word in own or word in verb_forms() or _known(word):
        return word
    near = [one for one in (*own, *sorted(_ours())) if abs(len(one) - len(word)) <= 1 and _slip(word, one)]
    return near[0] if near else word


@cache
def _ours() -> frozenset[str]:
    listed = (one for row in words().values() for entry in row["en"] for one in entry.split())
    return frozenset(one for one in listed if one.isalpha() and len(one) >= _SHORTEST)


@cache
def _lexicon() -> frozenset[str]:
    from hibari.g2p import _load_json

    return frozenset(_load_json("lexicon_us_gold.json.gz")) | frozenset(_load_json("lexicon_gb_gold.json.gz"))


def _known(word: str) -> bool:
    """Whether it is an English word, in this form or without its ending."""
    stems = (
        word,
        word.removesuffix("s"),
        word.removesuffix("es"),
        word.removesuffix("ed"),
        word.removesuffix("ing"),
    )
    return any(stem in _lexicon() or stem.capitalize() in _lexicon() for stem in stems)


def _slip(word: str, meant: str) -> bool:
    """Whether one letter is wrong, too much, missing, or two neighbours changed places."""
    if len(word) == len(meant):
        wrong = [at for at, (one, other) in enumerate(zip(word, meant, strict=True)) if one != other]
        if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
            return word[wrong[0]] == meant[wrong[1]] and word[wrong[1]] == meant[wrong[0]]
        return len(wrong) == 1
    longer, shorter = (word, meant) if len(word) > len(meant) else (meant, word)
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
