"""What a noun or a name speaks of: she, he, an animal, a thing; several or one; nobody."""

from collections.abc import Collection
from functools import cache
from typing import Literal

from studio.text.language import has_han
from studio.text.segmenter import cut_around, is_name
from studio.text.terms import table, words

Gender = Literal["female", "male", "thing", "any"]

_SEVERAL_ZH = ("们", "群", "夫妇", "夫妻", "情侣", "兄弟", "姐妹", "父子", "母女", "队员", "家人", "众人")
_ONE_MEN = frozenset(
    [
        "omen",
        "specimen",
        "abdomen",
        "regimen",
        "stamen",
        "ramen",
        "amen",
        "yemen",
        "carmen",
        "cyclamen",
        "dolmen",
        "hymen",
        "rumen",
        "acumen",
        "bitumen",
        "albumen",
        "bremen",
        "turkmen",
    ]
)
_SEVERAL_EN = frozenset(
    (
        "people",
        "children",
        "crew",
        "crowd",
        "couple",
        "family",
        "twins",
        "mice",
        "geese",
        "wolves",
    )
)


def gender_of(word: str) -> Gender:
    """Of whom or what a noun speaks; names and beings of unknown sex are "any"."""
    if _listed(word, "female") or _named(word, "female") or (len(word) > 1 and word[0] == "女"):
        return "female"
    if _listed(word, "male") or _named(word, "male") or (len(word) > 1 and word[0] == "男"):
        return "male"
    if _listed(word, "people") or _listed(word, "animals") or _is_somebody(word):
        return "any"
    if has_han(word):
        return "thing" if _common(word) else "any"
    return "any" if word[:1].isupper() else "thing"


def kind_of(word: str) -> Literal["person", "animal", "thing"]:
    """What a noun or name is; names without a listed noun in them count as persons."""
    if _listed(word, "animals"):
        return "animal"
    return "thing" if gender_of(word) == "thing" else "person"


def plural(word: str) -> bool:
    """Whether a noun speaks of several."""
    if has_han(word):
        return word.endswith(_SEVERAL_ZH)
    low = word.lower().split()[-1] if word.split() else ""
    if low.endswith("men"):
        return low not in _ONE_MEN
    return low in _SEVERAL_EN or (low.endswith("s") and not low.endswith("ss"))


def is_body(word: str, names: Collection[str] = ()) -> bool:
    """Whether a noun is a part of a body, or what somebody wears; a known name is not."""
    if word in names:
        return False
    if has_han(word):
        listed = words("nouns", "body", "zh")
        several = [part for part in listed if len(part) > 1]
        return word in listed or any(word.startswith(part) or word.endswith(part) for part in several)
    low = word.lower()
    return low in words("nouns", "body", "en") or low.split()[-1] in words("nouns", "body", "en")


def is_unseen(word: str) -> bool:
    """Whether a noun means nothing that a camera sees (time, 友谊), or nobody (you, 什么)."""
    low = word.lower()
    if not low or low in words("names", "nobody", "en") | words("names", "nobody", "zh"):
        return True
    if has_han(word):
        listed = words("nouns", "unseen", "zh") | words("times", "unseen", "zh")
        return word in listed or word[-2:] in listed
    listed = words("nouns", "unseen", "en")
    last = low.split()[-1]
    return last in listed or last.removesuffix("s") in listed


@cache
def beings(script: Literal["zh", "en"]) -> frozenset[str]:
    """Nouns for people and animals."""
    return words("nouns", "people", script) | words("nouns", "animals", script)


def _named(word: str, gender: Literal["female", "male"]) -> bool:
    """Whether a name is one of her or him."""
    if has_han(word):
        name = 2 <= len(word) <= 3 and not _listed(word, "people") and not _listed(word, "animals")
        return name and not _common(word) and word[-1] in words("names", gender, "zh")
    return word[:1].isupper() and word.split()[0].lower() in words("names", gender, "en")


def _common(word: str) -> bool:
    return (cut_around(word, 0, len(word))[2] or len(word) > 3) and not is_name(word)


def _is_somebody(word: str) -> bool:
    """外卖员 by its end; 随从堂邑父, a name behind who it is, by its beginning."""
    if not has_han(word) or len(word) < 2:
        return False
    listed = words("nouns", "people", "zh")
    titled = len(word) in (4, 5) and word[:2] in listed and word[-2:] not in words("nouns", "body", "zh")
    return titled or word[-1] in table("nouns")["people"]["endings"].split()


def _listed(word: str, part: str) -> bool:
    """Whether the word, or what it ends with, stands in a list of nouns."""
    if has_han(word):
        listed = words("nouns", part, "zh")
        return any(word[k:] in listed for k in range(len(word)))
    listed = words("nouns", part, "en")
    low = word.lower()
    last = low.split()[-1] if low.split() else ""
    return low in listed or last in listed or last.removesuffix("s") in listed
