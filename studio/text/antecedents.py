"""Whom a pronoun of a story means: the last one named that fits."""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

from studio.text.beings import Gender, gender_of, kind_of, plural
from studio.text.language import has_han
from studio.text.terms import find, words


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
        found.end - found.start == len(last) for name, of in parts for found in find(last, name, *of, free=True)
    )


def same(head: str, found: Sequence[str]) -> bool:
    """Whether somebody is there already, perhaps by a fuller name (Moran, Edith Moran; man, old man)."""
    low = head.lower()
    return any(low == one.lower() or low in one.lower().split() for one in found)


def meant(pronoun: str, here: list[str], known: list[list[str]]) -> list[str]:
    """Whom a pronoun means: the last one named that fits, in this shot or in those before."""
    low = pronoun.lower()
    groups = [here[::-1], *([*fields] for fields in reversed(known))]
    if low in _both("grammar", "we"):
        return _we(pronoun, groups)
    if low in _both("grammar", "they"):
        return _they(groups)
    last = [
        one for group in groups for one in group if not is_me(one) and not is_setting(one) and one != "太阳"
    ]
    last.sort(key=lambda one: one.lower() in _both("names", "crowds"))  # somebody in particular comes first
    wanted = _pronouns()[low]
    if wanted == "any":
        return last[:1]
    animals = [one for one in last if kind_of(one) == "animal"]
    if wanted == "thing":
        near = next((group for group in groups if group), [])
        things = [one for one in last if kind_of(one) != "person"]
        return ([one for one in near if one in animals] or things or last)[:1]
    fitting = (one for one in last if kind_of(one) == "person" and gender_of(one) in (wanted, "any"))
    return [one for one in (next(fitting, ""),) if one] or animals[:1] or last[:1]


def _we(pronoun: str, groups: list[list[str]]) -> list[str]:
    if has_han(pronoun):
        return [pronoun]
    people = (one for group in groups for one in group if kind_of(one) == "person" and not is_me(one))
    other = next(people, "")
    return [other, "I"] if other and any("I" in group for group in groups) else [pronoun]


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
