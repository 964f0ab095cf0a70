"""What kind of ground a noun is: building, room, way, land, water, sky, part of a house …"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from studio.text.language import has_han
from studio.text.senses import guessed_kind
from studio.text.terms import table, words

# Kinds of assets/lexicon/grounds.toml, and those that are only known from elsewhere.
KINDS = (
    "settlement", "building", "room", "way", "land", "water", "sky", "vehicle", "part", "stuff", "thing",
    "surface", "air",
    "named", "backdrop", "being", "body", "unseen", "guessed", "unknown",
)  # fmt: skip
# A shot may play in them and nowhere else; the others stand beside a place.
BROAD = frozenset(
    ("settlement", "building", "room", "way", "land", "water", "sky", "vehicle", "named", "backdrop")
)
_SIZES = (
    ("sky", "sky"), ("part", "spot"), ("surface", "surface"), ("stuff", "stuff"), ("air", "air"),
    ("thing", "thing"),
)  # fmt: skip
_UNKNOWN = frozenset(("unknown",))
# Nouns come again and again in a story.
_REMEMBERED = 4096
_CORE = re.compile(
    r"(?:上面|下面|里面|外面|前面|后面|对面|背后|旁边|深处|中央|中间|那边|这边|边上|边缘|尽头|底下|上|下|里|中|内|外|前|后|边|旁|间|畔|底)$"
)


@lru_cache(maxsize=_REMEMBERED)
def kinds_of(noun: str) -> frozenset[str]:
    """Every kind that a noun may be by our lists, else by its ending; "unknown" if nothing tells.

    With "guessed" stands a kind that only the noun's meaning tells.
    """
    found = _kinds_zh(noun) if has_han(noun) else _kinds_en(noun.lower())
    if found != _UNKNOWN or not re.search(r"[^\W\d_]", noun):
        return found
    kind = guessed_kind(noun.lower())
    return frozenset((kind, "guessed")) if kind else found


@lru_cache(maxsize=_REMEMBERED)
def size_of(noun: str) -> str:
    """ "site": a whole place; "sky"; "spot" of a house; "stuff" to lie in; "surface", "air", "thing"."""
    kinds = kinds_of(noun)
    if kinds & (BROAD - {"sky"}):
        return "site" if not kinds & {"part", "surface", "stuff", "thing"} else "mixed"
    for kind, size in _SIZES:
        if kind in kinds:
            return size
    return "unknown" if "unknown" in kinds else "other"


def is_listed(noun: str) -> bool:
    """Whether our lists hold this very word as a whole place."""
    return bool(listed_words("zh" if has_han(noun) else "en").get(noun, frozenset()) & BROAD)


@lru_cache(maxsize=_REMEMBERED)
def is_indoors(noun: str) -> bool:
    """Whether a place has a roof."""
    if noun.lower().startswith(("inside", "indoors")):
        return True
    listed = words("nouns", "indoors", "zh" if has_han(noun) else "en")
    return any(form in listed for form in _tails(noun)) or "room" in kinds_of(noun)


def is_within(place: str, others: Sequence[str]) -> bool:
    """Whether one of the others holds this place's words, or the other way round."""
    low = core(place.lower())
    return any(low in other.lower() or core(other.lower()) in place.lower() for other in others)


def core(place: str) -> str:
    """A Chinese noun without its word of place: 菜园 of 菜园里."""
    return (_CORE.sub("", place) or place) if has_han(place) else place


def _tails(noun: str) -> list[str]:
    """A noun and what it ends with, longest first, in the singular too."""
    if has_han(noun):
        forms = dict.fromkeys((noun, core(noun)))
        return [form[k:] for form in forms for k in range(max(1, len(form) - 1))]
    split = noun.lower().replace("-", " ").split()
    tails = [" ".join(split[k:]) for k in range(len(split))]
    endings = (("", ""), ("s", ""), ("es", ""), ("ies", "y"))
    return [tail.removesuffix(end) + new for tail in tails for end, new in endings if tail.endswith(end)]


@cache
def listed_words(script: str) -> dict[str, frozenset[str]]:
    """Every listed word of a language ("zh", "en") to its kinds."""
    script_of = "zh" if script == "zh" else "en"
    found: dict[str, set[str]] = {}
    for kind in table("grounds"):
        for word in words("grounds", kind, script_of):
            found.setdefault(word, set()).add(kind)
    for kind, part in (("being", "people"), ("being", "animals"), ("body", "body"), ("unseen", "unseen")):
        for word in words("nouns", part, script_of):
            found.setdefault(word, set()).add(kind)
    return {word: frozenset(kinds) for word, kinds in found.items()}


@cache
def _ends(script: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, row in table("grounds").items():
        for end in re.split(r"[,\s]+", row[f"{script}_ends"]) if f"{script}_ends" in row else ():
            if end:
                found.setdefault(end, kind)
    return found


def _kinds_zh(noun: str) -> frozenset[str]:
    listed = listed_words("zh")
    for tail in _tails(noun):
        if tail in listed and (len(tail) > 1 or tail == noun or tail == core(noun)):
            return listed[tail]
    return ends_like(core(noun)) or _UNKNOWN


def ends_like(noun: str) -> frozenset[str]:
    """The kind of a Chinese noun by its last character alone: 舱, 场, 站."""
    kind = _ends("zh").get(noun[-1:]) if len(noun) > 1 else None
    return frozenset((kind,)) if kind else frozenset()


def _kinds_en(noun: str) -> frozenset[str]:
    listed = listed_words("en")
    for tail in _tails(noun):
        if tail in listed:
            return listed[tail]
    last = noun.split()[-1] if noun.split() else ""
    bare = last.removesuffix("s")
    for end, kind in _ends("en").items():
        if len(bare) > len(end) + 2 and bare.endswith(end):
            return frozenset((kind,))
    return _UNKNOWN
