"""The places of a shot's picture: those that it names, and those of the shots before that still hold."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from studio.text.grounds import BROAD, core, is_indoors, is_within, kinds_of, size_of
from studio.text.language import has_han
from studio.text.likely import as_cue, clause_around, likely
from studio.text.mention import Mention
from studio.text.places_en import mentions_en
from studio.text.places_zh import mentions_zh
from studio.text.terms import find, table
from studio.text.told import is_scene

_INT_EXT = re.compile(
    r"\b(?:INT|EXT|I/E|EST)\b\.?(?:\s*/\s*(?:INT|EXT)\b\.?)?\s*(?P<place>[^\n]+?)\s*$",
    re.IGNORECASE,
)
_NO_HEADING_PLACE = re.compile(
    r"第.{1,4}[场幕景]|场景?|[\d一二三四五六七八九十]+|内景|外景|内外景|内|外|景|[日夜晨昏晚]|day|night|int|ext|scene"
    r"|continuous|(?:(?:moments?|minutes?|hours?|days?|weeks?|months?|years?|much) )?(?:later|after|earlier)"
    r"|same(?: time)?|flashback|establishing|magic hour|sunset|sunrise|intercut",
    re.IGNORECASE,
)
MOST = 4
# A place held so many shots counts as old.
_OLD = 3.0
# Cues of a phrase that tell of the places before it, too.
_TELLING = ("role_", "led_", "opens", "at_start", "goes", "stays")
# Phrases that are less surely places say nothing about others.
_HARDLY = 0.1


@dataclass(frozen=True)
class Shown:
    """What an earlier shot shows, as far as the places of a later one depend on it."""

    environment: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenery:
    """What a shot says of its places, before any choice: phrases with cues, places of its scene's heading.

    `flags` tell what else the shot says (0 to 1 each).
    """

    mentions: tuple[tuple[Mention, Mapping[str, float]], ...]
    scene: tuple[str, ...]
    subjects: tuple[str, ...]
    flags: Mapping[str, float]


@dataclass(frozen=True)
class Named:
    """A phrase with its cues, and how surely it is a place of the picture (0 to 1)."""

    phrase: str
    cues: Mapping[str, float]
    sure: float


@dataclass(frozen=True)
class Weights:
    """Log odds by cue: for a phrase being a place of the picture, and for a place holding on."""

    named: Mapping[str, float]
    held: Mapping[str, float]


@cache
def weights() -> Weights:
    """Weights of assets/lexicon/placing.toml."""
    listed = table("placing")
    return Weights(listed["named"], listed["held"])


def strength(cues: Mapping[str, float], weight: Mapping[str, float]) -> float:
    """Log odds: above 0 it counts. Cues that were never weighed say nothing."""
    return weight.get("bias", 0.0) + sum(weight.get(name, 0.0) * value for name, value in cues.items())


def _odds_to_share(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def scenery_of(
    parts: Sequence[tuple[str, bool]], around: str, subjects: Sequence[str], names: Collection[str]
) -> Scenery:
    """What a shot says of its places; `parts`: its sentences or pieces of them, and if Chinese."""
    found: list[tuple[Mention, Mapping[str, float]]] = []
    label = "" if is_scene(around) else around
    for k, (text, chinese) in enumerate(parts):
        listed = mentions_zh(text, names) if chinese else mentions_en(text)
        for mention in listed:
            cues = mention.cues("zh" if chinese else "en")
            cues["later_sentence"] = float(k > 0)
            cues["timed"] = float(bool(find(mention.phrase, "times", "day", "season", free=True)))
            found.append((mention, cues))
    for line in label.splitlines():
        chinese, title = has_han(line), line.startswith("《")
        bare = line.strip("《》 ")
        for mention in mentions_zh(bare, names) if chinese else mentions_en(bare):
            shown = replace(mention, role="label")
            cues = shown.cues("zh" if chinese else "en")
            found.append((shown, cues | {"title": float(title), "only_label": float(shown.phrase == bare)}))
    text = " ".join(part for part, _ in parts)
    found = _liked(found, text, label)
    flags = {
        "labelled": float(bool(label.strip())),
        "time": float(bool(find(text, "times", "day", free=True))),
        "short": float(len(text) < (15 if any(chinese for _, chinese in parts) else 40)),
        "nobody": float(not subjects),
        "by_name": float(any(one in names for one in subjects)),
    }
    return Scenery(tuple(found), tuple(scene_of(around)), tuple(subjects), flags)


def _liked(
    found: Sequence[tuple[Mention, Mapping[str, float]]], text: str, label: str
) -> list[tuple[Mention, Mapping[str, float]]]:
    """The phrases with what their meanings, and those of their clauses, say."""
    asked = [
        (one.phrase, clause_around(label if one.role == "label" else text, one.phrase)) for one, _ in found
    ]
    values = map(as_cue, likely("environment", asked))
    return [
        (one, {**cues, "like": value, f"like_{one.role}": value})
        for (one, cues), value in zip(found, values, strict=True)
    ]


def nouns_in(parts: Sequence[tuple[str, bool]], names: Collection[str]) -> list[Mention]:
    """Every noun phrase of a shot and how it stands there, names left out."""
    return [
        mention
        for text, chinese in parts
        for mention in (mentions_zh(text, names) if chinese else mentions_en(text))
    ]


def named_in(scenery: Scenery, past: Sequence[Shown], weight: Mapping[str, float]) -> list[Named]:
    """The phrases that may be places, none twice, in the text's order."""
    found = [
        Named(mention.phrase, cues, _odds_to_share(strength(cues, weight)))
        for mention, cues in named_cues(scenery, past)
    ]
    kept: list[Named] = []
    for one in sorted(found, key=lambda one: -one.sure):
        if one.sure > _HARDLY and not is_within(one.phrase, [other.phrase for other in kept]):
            kept.append(one)
    return [one for one in found if any(one is other for other in kept)]


def named_cues(scenery: Scenery, past: Sequence[Shown]) -> list[tuple[Mention, dict[str, float]]]:
    """The phrases of a shot with all their cues, those that depend on the others and on earlier shots too."""
    last = past[-1].environment if past else ()
    earlier = [place for shown in past[:-1] for place in shown.environment]
    broad = [
        k
        for k, (mention, _) in enumerate(scenery.mentions)
        if kinds_of(mention.phrase) & BROAD and mention.role not in ("subject", "object", "with", "of")
    ]
    broad_before = any(size_of(place) in ("site", "mixed") for place in last)
    acting = [one.lower() for one in scenery.subjects]
    found = []
    for k, (mention, cues) in enumerate(scenery.mentions):
        low = mention.phrase.lower()
        size = size_of(mention.phrase)
        extra = {
            f"{size}_after_broad": float(broad_before),
            f"{size}_rival": float(any(other != k for other in broad)),
            "rival": float(any(other != k for other in broad)),
            "rival_spot": float(any(other != k for other in broad) and not kinds_of(mention.phrase) & BROAD),
            "nth": min(k, 6) / 3,
            "known": float(is_within(mention.phrase, last)),
            "kin": float(_kin(mention.phrase, last)),
            "kin_fresh": float(_kin(mention.phrase, last) and not is_within(mention.phrase, last)),
            "known_earlier": float(is_within(mention.phrase, earlier)),
            "in_scene": float(is_within(mention.phrase, scenery.scene)),
            "scene": float(bool(scenery.scene)),
            "first_shot": float(not past),
            "acts": float(low in acting),
            "nobody": scenery.flags["nobody"],
            "labelled": scenery.flags["labelled"],
        }
        found.append((mention, {**cues, **extra}))
    return found


def held_in(
    scenery: Scenery, past: Sequence[Shown], named: Sequence[Named], weight: Mapping[str, float]
) -> list[Named]:
    """Places that may hold on, and how surely each does."""
    offered = held_cues(scenery, past, named)
    return [Named(place, cues, _odds_to_share(strength(cues, weight))) for place, cues in offered]


def held_cues(
    scenery: Scenery, past: Sequence[Shown], named: Sequence[Named]
) -> list[tuple[str, dict[str, float]]]:
    """Places that may hold on - of the scene, of the shot before - with cues."""
    last = past[-1].environment if past else ()
    offered = _offered(scenery, past)
    shot = _shot_cues(scenery, past, named)
    found = []
    for k, (place, source) in enumerate(offered):
        kinds = kinds_of(place)
        size = "broad" if kinds & BROAD else "spot"
        roof = "in" if is_indoors(place) else "out"
        seen = _seen(place, scenery.subjects, past)
        own = {
            source: 1.0,
            f"{source}_{size}": 1.0,
            f"{source}_{roof}": 1.0,
            f"{source}_first": float(not k),
            "age": math.log1p(_age(place, past)) / _OLD,
            "many": len(last) / 3,
            f"{source}_often": _often(place, past),
            f"{source}_size_{size_of(place)}": 1.0,
            f"{source}_{seen}": 1.0,
            f"{source}_{seen}_named_none": shot["named_none"],
            "scene_other": float(source == "last" and bool(scenery.scene)),
            **{f"kind_{kind}": 1.0 for kind in kinds},
        }
        pairs = {f"{source}_{name}": value for name, value in shot.items()}
        pairs |= {f"{size}_{name}": value for name, value in shot.items()}
        pairs |= {f"{roof}_{name}": value for name, value in shot.items() if name.startswith("named")}
        found.append((place, {**own, **pairs}))
    return found


def _offered(scenery: Scenery, past: Sequence[Shown]) -> list[tuple[str, str]]:
    """Places that may hold on and where each comes from; a new scene leaves all that was before it."""
    found = [(place, "scene") for place in scenery.scene]
    last = past[-1].environment if past else ()
    if scenery.scene and not all(is_within(place, last) for place in scenery.scene):
        return found
    return found + [(place, "last") for place in last if not is_within(place, scenery.scene)]


def _often(place: str, past: Sequence[Shown]) -> float:
    """The share of the shots before that had the place."""
    return sum(is_within(place, shown.environment) for shown in past) / (len(past) + 1)


def _seen(place: str, subjects: Sequence[str], past: Sequence[Shown]) -> str:
    """Whether those who act were last seen at the place, elsewhere or nowhere."""
    for subject in subjects:
        for shown in reversed(past):
            if subject in shown.subjects:
                return "seen_here" if place in shown.environment else "seen_elsewhere"
    return "unseen"


def _shot_cues(scenery: Scenery, past: Sequence[Shown], named: Sequence[Named]) -> dict[str, float]:
    """What the shot says for or against any place of the shots before."""
    last = past[-1] if past else Shown()
    same = any(one in last.subjects for one in scenery.subjects)
    found = {
        "any": 1.0,
        "same": float(same),
        "someone": float(bool(scenery.subjects) and not same),
        **scenery.flags,
    }
    surest: dict[str, float] = {}
    for one in named:
        again = is_within(one.phrase, last.environment)
        size = size_of(one.phrase)
        says = ["any", size, "again" if again else "fresh", f"{size}_again" if again else f"{size}_fresh"]
        says += ["in" if is_indoors(one.phrase) else "out", *kinds_of(one.phrase)]
        says += [cue for cue in one.cues if cue.startswith(_TELLING)]
        for name in says:
            surest[name] = max(surest.get(name, 0.0), one.sure)
    found |= {f"named_{name}": value for name, value in surest.items()}
    none = 1 - surest.get("any", 0.0)
    found |= {"named_none": none, "someone_none": found["someone"] * none, "same_none": found["same"] * none}
    found["named_sum"] = sum(one.sure for one in named) / 2
    return found


def left_at(subjects: Sequence[str], past: Sequence[Shown]) -> tuple[str, ...]:
    """The rooms where one who acts was seen last, if one shot only looked outdoors since."""
    if len(past) < 2 or any(subject in past[-1].subjects for subject in subjects):
        return ()
    rooms = past[-2].environment
    looked = not any(map(is_indoors, past[-1].environment)) and all(map(is_indoors, rooms))
    return rooms if looked and any(subject in past[-2].subjects for subject in subjects) else ()


def _kin(place: str, others: Sequence[str]) -> bool:
    """Whether another place is of the same sort by its last word: 伞摊 and 摊子, shed and calving shed."""
    return any(_last(core(place)) == _last(core(other)) for other in others)


def _last(place: str) -> str:
    return place.removesuffix("子")[-1:] if has_han(place) else place.lower().split()[-1].removesuffix("s")


def _age(place: str, past: Sequence[Shown]) -> int:
    """How many shots in a row before this one had the place."""
    age = 0
    for shown in reversed(past):
        if place not in shown.environment:
            break
        age += 1
    return age


def scene_of(around: str) -> list[str]:
    """Places that a scene's heading names: INT. LAMP ROOM - NIGHT, 第一场 外景 公交站 夜."""
    found: list[str] = []
    for line in around.splitlines():
        if not is_scene(line):
            continue
        match = _INT_EXT.search(line)
        parts = (
            re.split(r"[,，/／]|\s[-–—]+\s", match["place"])
            if match
            else re.split(r"[\s.·:：,，/／、–—-]+", line)
        )
        for part in map(str.strip, parts):
            other = _NO_HEADING_PLACE.fullmatch(part) or find(part, "times", "day", free=True)
            if part and not other and "air" not in kinds_of(part):
                found.append(part)
    return found
