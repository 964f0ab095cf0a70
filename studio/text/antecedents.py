"""Whom a pronoun of a story means: the last one named that fits."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Protocol

from studio.text.beings import Gender, gender_of, is_body, kind_of, plural
from studio.text.language import has_han
from studio.text.terms import find, table, words

# How many shots back a pronoun reaches.
_REACH = 12
# In how many characters behind a word a pronoun may speak of it.
_NEAR = 70
_PRONOUN = re.compile(r"\b(?:he|him|his|she|her|it|its)\b|[他她它](?!们)", re.IGNORECASE)
# They may be somebody in a myth.
_SKY = re.compile(r"(?:sun|moon|[日月阳]|月亮)$", re.IGNORECASE)


class Past(Protocol):
    """The fields of an earlier shot, as far as pronouns need them."""

    @property
    def subject(self) -> tuple[str, ...]: ...


@cache
def _pronouns() -> dict[str, Gender]:
    """Every pronoun of a third person, and whom it may mean."""
    genders: dict[str, Gender] = {
        "he": "male",
        "she": "female",
        "it": "thing",
        "they": "any",
        "oneself": "any",
    }
    return {word: gender for part, gender in genders.items() for word in _both("grammar", part)}


def _both(name: str, part: str) -> frozenset[str]:
    return words(name, part, "zh") | words(name, part, "en")


def is_me(word: str) -> bool:
    """Whether a word means who tells the story."""
    return word.lower() in _both("grammar", "me") | _both("grammar", "we")


def is_pronoun(word: str) -> bool:
    """Whether a word is a pronoun of the third person, or "we"."""
    low = word.lower()
    return low in _pronouns() or low in _both("grammar", "we")


def is_setting(one: str) -> bool:
    """Whether a subject is only weather or a time of year: rain, winter, the sun."""
    last = one if has_han(one) else one.lower().split()[-1]
    if last[-1] in "点滴花片":
        return False
    if last in ("sun", "moon"):
        return True
    if last.endswith("水"):
        return False  # 雨水流进小溪
    parts = (("weather", ("words",)), ("times", ("season", "months")))
    return any(
        found.end - found.start == len(last)
        for name, of in parts
        for found in find(last, name, *of, free=True)
    )


def same(head: str, found: Sequence[str]) -> bool:
    """Whether somebody is there already, perhaps by a fuller name (Moran, Edith Moran; man, old man)."""
    low = head.lower()
    return any(low == one.lower() or low in one.lower().split() for one in found)


def meant(
    pronoun: str,
    here: list[str],
    known: list[list[str]],
    story: str = "",
    spoken: Mapping[str, int] = MappingProxyType({}),
) -> list[str]:
    """Whom a pronoun means: who fits best of this shot (`here`) and those before (`known`, oldest first).

    `story` is the text of the story, which tells that somebody is a he or a she. `spoken`: whom it spoke of
    before the pronoun, and how many sentences ago.
    """
    low = pronoun.lower()
    groups = [here[::-1], *([*fields] for fields in reversed(known))]
    if low in _both("grammar", "we"):
        return [pronoun]
    if low in _both("grammar", "they"):
        return _they(groups)
    wanted = _pronouns()[low]
    found = antecedents(pronoun, here, known, story, spoken)
    if wanted == "any":
        last = [one for group in groups for one in group if not is_me(one) and not is_setting(one)]
        return last[:1]
    return _best(found, table("doers")["antecedents"])


@dataclass
class Candidate:
    """Somebody or something with the cues for what it is looked for, each 0 to about 2."""

    word: str
    cues: dict[str, float] = field(default_factory=dict)
    # Numbers of the clauses in which it is a subject, and of those in which it acts.
    told: set[int] = field(default_factory=set)
    acts: set[int] = field(default_factory=set)


def strength(one: Candidate, weight: Mapping[str, float]) -> float:
    """Log odds by these weights."""
    return weight["bias"] + sum(weight.get(name, 0.0) * value for name, value in one.cues.items())


def antecedents(
    pronoun: str,
    here: list[str],
    known: list[list[str]],
    story: str = "",
    spoken: Mapping[str, int] = MappingProxyType({}),
) -> list[Candidate]:
    """Everybody whom he, she or it may mean, the last one named first, with the cues for it."""
    wanted = _pronouns()[pronoun.lower()]
    groups = [here[::-1], *reversed(known[-_REACH:])]
    found: dict[str, Candidate] = {}

    def note(word: str, **cues: float) -> None:
        if is_me(word) or word in found or is_body(word):
            return
        if wanted in ("male", "female") and is_setting(word) and not _SKY.search(word):
            return  # Rain falls. He wakes.
        said = next(
            (ago for other, ago in spoken.items() if same(other, [word]) or same(word, [other])), None
        )
        found[word] = Candidate(
            word,
            {
                **cues,
                "often": math.log1p(sum(word in other for other in known)),
                "crowd": float(word.lower() in _both("names", "crowds")),
                "setting": float(is_setting(word)),
                "plural": float(plural(word) and not word[:1].isupper()),
                "unspoken": float(said is None),
                "far": math.log1p(min(8, said or 0)),
                **_fit(word, wanted, has_han(pronoun)),
                **_heard(word, wanted, story),
            },
        )

    for ago, group in enumerate(groups):
        for place, word in enumerate(group):
            note(
                word,
                ago=math.log1p(ago),
                here=float(not ago),
                last_here=float(not ago and not place),
                first=float(ago > 0 and not place),
            )
    for word in spoken:
        if not same(word, list(found)):
            note(word, only_spoken=1.0)
    return list(found.values())


def _fit(word: str, wanted: Gender, chinese: bool) -> dict[str, float]:
    """How what is known of a being goes with a pronoun."""
    kind, gender = kind_of(word), gender_of(word)
    if wanted == "thing":
        return {
            "it_person": float(kind == "person" and gender != "any"),
            "it_any": float(kind == "person"),
            "it_animal": float(kind == "animal"),
        }
    return {
        "fits": float(gender == wanted),
        "differs": float(gender in ("male", "female") and gender != wanted),
        "one_thing": float(kind == "thing"),
        "one_animal": float(kind == "animal"),
        "no_person": float(chinese and kind != "person"),  # 他 and 她 are written otherwise than 它
        "one_name": float(gender == "any" and kind == "person"),
    }


def _heard(word: str, wanted: Gender, story: str) -> dict[str, float]:
    """How the pronouns that follow a word in the story go with this one."""
    votes = _votes(story, word)
    said = sum(votes.values())
    if not said:
        return {}
    share = votes.get(wanted, 0) / said
    sure = min(1.0, said / 3)
    return {"heard": share * sure, "unheard": (1 - share) * sure, "heard_so": float(share > 0.5)}


@lru_cache(maxsize=1024)
def _votes(story: str, word: str) -> dict[Gender, int]:
    """How often the first pronoun behind a word is he, she or it."""
    edge = "" if has_han(word) else r"\b"
    votes: dict[Gender, int] = {}
    for match in re.finditer(f"{edge}{re.escape(word)}{edge}", story, re.IGNORECASE):
        if pronoun := _PRONOUN.search(story, match.end(), match.end() + _NEAR):
            gender = _pronouns()[pronoun.group().lower()]
            votes[gender] = votes.get(gender, 0) + 1
    return votes


def _best(found: Sequence[Candidate], weight: Mapping[str, float]) -> list[str]:
    return [max(found, key=lambda one: strength(one, weight)).word] if found else []


def _they(groups: list[list[str]]) -> list[str]:
    for group in groups:
        living = [one for one in group if kind_of(one) != "thing"]
        if len(living) > 1 or (living and plural(living[0])):
            return living[::-1] if group is groups[0] else living
    beings = dict.fromkeys(
        one for group in groups for one in group if kind_of(one) != "thing" and not is_me(one)
    )
    known = sorted(beings, key=lambda one: kind_of(one) == "animal")
    if known:
        return known[:2]
    for group in groups:
        if len(group) > 1 or (group and plural(group[0])):
            return group
    return next((group for group in groups if group), [])
