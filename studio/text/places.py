"""The places of a shot's picture: those that it names, and those of the shot before that hold on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from studio.text.clause import Clause
from studio.text.language import has_han
from studio.text.terms import find, words
from studio.text.told import is_scene

_STRICT = ("water", "land", "sky", "town", "indoors")
_INT_EXT = re.compile(
    r"\b(?:INT|EXT|I/E|EST)\b\.?(?:\s*/\s*(?:INT|EXT)\b\.?)?\s*(?P<place>[^-–—\n]+?)\s*(?=[-–—\n]|$)",
    re.IGNORECASE,
)
_NO_HEADING_PLACE = re.compile(
    r"第.{1,4}[场幕景]|场景?|[\d一二三四五六七八九十]+|内景|外景|内外景|内|外|景|[日夜晨昏晚]|day|night|int|ext|continuous|later|scene",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Earlier:
    """What a story that goes to and fro may come back to.

    `seen_at`: where the shot's subject was when it was last shown; `outside`: the weather that was left when
    the story went indoors; `inside`: what "inside" means.
    """

    seen_at: tuple[str, ...] | None = None
    outside: tuple[str, ...] = ()
    inside: str = ""


def scene_of(around: str) -> list[str]:
    """Places that a scene's heading names: INT. LAMP ROOM - NIGHT, 第一场 外景 公交站 夜."""
    found: list[str] = []
    for line in around.splitlines():
        if not is_scene(line):
            continue
        match = _INT_EXT.search(line)
        parts = re.split(r"[,，/／]", match["place"]) if match else re.split(r"[\s.·:：,，/／、–—-]+", line)
        for part in map(str.strip, parts):
            if part and not _NO_HEADING_PLACE.fullmatch(part) and not find(part, "times", "day", free=True):
                found.append(part)
    return found


def environment_of(
    text: str, clauses: Sequence[Clause], scene: list[str], last: Sequence[str], earlier: Earlier
) -> list[str]:
    named = [place for place in _places(text, clauses) if place.lower() != "inside"]
    if not named and earlier.inside and any("inside" in map(str.lower, c.places) for c in clauses):
        named = [earlier.inside]
    seen_at = earlier.seen_at
    if scene and not named and is_within(scene[0], last):
        return [place for place in last if place in scene or not is_spot(place)]
    if scene:
        return [*scene, *(place for place in named if not is_within(place, scene) and place not in _ANY_ROOM)]
    if any(not is_spot(place) for place in named):
        return named
    if not named and seen_at is None:
        return list(last)
    base = [place for place in (last if seen_at is None else seen_at) if not is_spot(place)]
    base = [place for place in base if is_indoors(place)] or base
    return [*(place for place in base if not is_within(place, named)), *named]


def is_within(place: str, others: Sequence[str]) -> bool:
    low = _CORE.sub("", place.lower()) or place.lower()
    return any(low in other.lower() or other.lower() in place.lower() for other in others)


def _places(text: str, clauses: Sequence[Clause]) -> list[str]:
    """Places in their order: where somebody stands or goes, and listed ones that a clause leads to."""
    found: list[str] = []
    for clause in clauses:
        here = [
            place
            for place in clause.places
            if is_place(place) or (place in clause.ends and _may_be_place(place))
        ]
        if not here or not clause.actions:
            here += [one for one in clause.subjects if is_ground(one) or (clause.named and is_place(one))]
        found += here
    kept: list[str] = []
    for place in sorted(dict.fromkeys(found), key=text.find):
        if not is_within(place, kept):
            kept.append(place)
    return kept


# Words for being inside of what the heading names already.
_ANY_ROOM = frozenset(
    [
        "车里",
        "车内",
        "屋里",
        "屋内",
        "房间里",
        "房里",
        "船上",
        "家里",
        "室内",
        "店里",
        "inside",
        "outside",
        "indoors",
    ]
)
_NOT_THERE = frozenset(
    (
        "现场",
        "立场",
        "市场价",
        "月亮",
        "国家",
        "质地",
        "目的",
        "心地",
        "本地",
        "外地",
        "当地",
        "beside",
        "inside",
        "outside",
        "island",
        "always",
        "highway",
        "sideways",
        "outline",
        "headline",
        "deadline",
        "mushroom",
        "passport",
        "support",
        "report",
        "airport",
        "transport",
        "sport",
        "broom",
        "groom",
        "thousand",
        "works",
        "fireworks",
        "network",
        "runway",
        "away",
        "anyway",
        "halfway",
        "friendship",
        "worship",
    )
)
_CORE = re.compile(
    r"(?:上面|下面|里面|外面|前面|后面|对面|背后|旁边|深处|中央|中间|那边|这边|边上|上|下|里|中|内|外|前|后|边|旁)$"
)


def is_place(noun: str) -> bool:
    """Whether a noun names a place, by what it ends with."""
    if noun.lower().startswith(("inside", "outside", "aboard")):
        return True
    if _no_place(noun):
        return False
    return is_spot(noun) or _ends_in(noun, "places", _STRICT) or _ends_like_a_place(noun)


def _ends_like_a_place(noun: str) -> bool:
    core = _CORE.sub("", noun)
    if has_han(core):
        return len(core) > 1 and core[-1] in words("places", "endings", "zh") and core not in _NOT_THERE
    last = noun.lower().split()[-1] if noun.split() else ""
    return len(last) > 5 and last not in _NOT_THERE and last.endswith(tuple(words("places", "endings", "en")))


def is_ground(noun: str) -> bool:
    """Whether a subject is itself the place that is shown: a street, a beach, fields."""
    last = noun.split()[-1].lower() if noun.split() else ""
    if last in (
        "water",
        "waves",
        "rock",
        "rocks",
        "grass",
        "snow",
        "sand",
        "earth",
        "star",
        "stars",
        "moon",
        "ice",
        "spring",
        "soil",
        "leaves",
        "sky",
    ):
        return False
    if _no_place(noun) or is_indoors(noun) or _ends_in(noun, "nouns", ("people",)):
        return False
    return _ends_in(noun, "places", ("water", "land", "town"))


def _no_place(noun: str) -> bool:
    if has_han(noun):
        listed = words("nouns", "no_places", "zh")
        core = _CORE.sub("", noun)
        return noun in listed or (len(core) > 1 and core in listed)
    return _ends_in(noun, "nouns", ("no_places",))


def _may_be_place(noun: str) -> bool:
    """Whether something that no list holds may pass for a place: no being, no part of a body."""
    if _no_place(noun) or _ends_in(noun, "nouns", ("people", "animals", "body", "unseen")):
        return False
    if has_han(noun):
        return not re.search(r"(?:旁边|身边|面前|前面|后面|前|后)$", noun)
    return noun[:1].isupper()


def is_spot(place: str) -> bool:
    """Whether a place is but a part of a larger one (window, 门口)."""
    return _ends_in(place, "nouns", ("spots",))


def is_indoors(place: str) -> bool:
    """Whether a place has a roof."""
    return _ends_in(place, "nouns", ("indoors",))


def _ends_in(noun: str, name: str, parts: tuple[str, ...]) -> bool:
    """Whether a noun is, or ends with, a word of these lists; a word of place behind it does not count."""
    if has_han(noun):
        listed = frozenset[str]().union(*(words(name, part, "zh") for part in parts))
        core = _CORE.sub("", noun)
        return any(form[k:] in listed for form in (noun, core) if form for k in range(max(1, len(form) - 1)))
    listed = frozenset[str]().union(*(words(name, part, "en") for part in parts))
    words_in = noun.lower().split()
    tails = [" ".join(words_in[k:]) for k in range(len(words_in))]
    return any(
        form in listed or form.removesuffix("s") in listed or form.removesuffix("es") in listed
        for form in tails
    )
