"""Who acts in a shot: the subjects of its clauses, pronouns put back to whom they mean; and what they do."""

import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import Protocol

from studio.text.beings import Gender, gender_of, is_body, is_unseen, kind_of, plural
from studio.text.clause import Clause
from studio.text.language import has_han
from studio.text.terms import find, words

# 下起了大雪: weather, and nobody's doing.
_FALLS = re.compile(r"[下刮飘起打]起?[着了]?(?:一[阵场])?.{0,3}[雨雪风雾雷]")


class _Past(Protocol):
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


def _me(word: str) -> bool:
    return word.lower() in _both("grammar", "me") | _both("grammar", "we")


def actions_of(clauses: Sequence[Clause]) -> list[str]:
    """Each thing that is seen to be done, in order.

    What sun, rain and winter do counts only if nobody else does anything.
    """
    done = [clause for clause in clauses if clause.actions]
    acted: list[Clause] = []
    weather = False  # 沙暴吞没了工具箱，又吞没了红旗: who does it stands in the clause before
    for clause in done:
        weather = all(map(_is_setting, clause.subjects)) if clause.subjects else weather
        acted += [] if weather else [clause]
    found = dict.fromkeys(action for clause in acted or done for action in clause.actions)
    return [action for action in found if not _FALLS.fullmatch(action)] or list(found)


def doers_of(clauses: Sequence[Clause], past: Sequence[_Past], names: Collection[str]) -> list[str]:
    """Up to three who act; if nobody does, who is described; if nobody is named, those of the shot before."""
    found: list[str] = []
    described: list[str] = []
    known = [list(fields.subject) for fields in past]
    named: list[str] = []
    latest: list[str] = []
    unsaid = _unsaid(clauses, known)
    for clause in clauses:
        if clause.first:
            latest = [] if found else latest
        heads = _heads(clause, [*named, *(found or described)], known, names)
        heads = [head for head in heads if not _only_sets(head, clause)]
        if clause.named:
            named += [head for head in heads if not _same(head, [*found, *named])]
        elif clause.actions or clause.appears:
            if not heads and clause.actions:
                heads = latest or ([] if found else unsaid)
            found += [head for head in heads if not _same(head, found)]
        else:
            described += [head for head in heads if not _same(head, described)]
        latest = heads or latest
    if found:
        found = [*(one for one in named if kind_of(one) != "thing" and not _same(one, found)), *found]
    else:
        found = [*named, *(one for one in described if not _same(one, named))]
    found = _without_setting(found)
    if not found and known and any(clause.actions or clause.subjects for clause in clauses):
        found = known[-1][:1]
    return found[:3]


def _unsaid(clauses: Sequence[Clause], known: list[list[str]]) -> list[str]:
    """The writer of a diary, who is left out: "Woke up at six"."""
    spoken = {word.lower() for clause in clauses for word in (*clause.subjects, clause.owner)}
    first = "我" if "我" in spoken else "I" if spoken & {"i", "my"} else ""
    last = known[-1] if known else []
    return [first] if first and not any(kind_of(one) == "person" for one in last) else []


def _without_setting(found: list[str]) -> list[str]:
    """Rain, mist and the sun stand behind whoever else is there; a place behind what is in it."""
    living = [one for one in found if not _is_setting(one)]
    if not living or len(living) == len(found):
        return found
    return [one for one in found if one in living or one.endswith("风")]


def _is_setting(one: str) -> bool:
    last = one if has_han(one) else one.lower().split()[-1]
    if last[-1] in "点滴花片":
        return False
    if last in ("sun", "moon"):
        return True
    if last.endswith("水"):
        return False  # 雨水流进小溪
    return _covered(last, "weather", ("words",)) or _covered(last, "times", ("season", "months"))


def _only_sets(head: str, clause: Clause) -> bool:
    """Whether a subject only says when it is or what weather: "Winter came", "Rain on the windows"."""
    if head.lower() in ("sun", "moon", "太阳", "月亮", "wind", "风"):
        return False
    if clause.actions and head[-1] in "阳日月光霞点滴花片":
        return False  # 夕阳落到山后: a thing that is seen
    if _covered(head, "times", ("day", "season", "months", "unseen")):
        return True
    return not clause.actions and _covered(head, "weather", ("words",))


def _covered(head: str, name: str, parts: tuple[str, ...]) -> bool:
    return any(one.end - one.start == len(head) for one in find(head, name, *parts, free=True))


def _heads(clause: Clause, here: list[str], known: list[list[str]], names: Collection[str]) -> list[str]:
    heads: list[str] = []
    for subject in clause.subjects:
        if _pronoun(subject):
            heads += _meant(subject, here, known)
        elif is_body(subject, names):
            heads += _owner(subject, clause.owner, here, known)
        elif clause.owner.lower() in ("its", "它") and kind_of(subject) == "thing":
            heads += _meant(clause.owner, here, known)
        elif not is_unseen(subject):
            heads.append(subject)
    return heads


def _owner(part: str, owner: str, here: list[str], known: list[list[str]]) -> list[str]:
    """What a part of the body does, its owner does; "a hand" is nobody's we know."""
    if owner in ("a", "an"):
        return [part]
    if _pronoun(owner):
        return _meant(owner, here, known)
    if owner and not is_unseen(owner):
        return [owner]
    return here[-1:] or (known[-1][:1] if known else [])


def _pronoun(word: str) -> bool:
    low = word.lower()
    return low in _pronouns() or low in _both("grammar", "we")


def _meant(pronoun: str, here: list[str], known: list[list[str]]) -> list[str]:
    """Whom a pronoun means: the last one named that fits, in this shot or in those before."""
    low = pronoun.lower()
    groups = [here[::-1], *([*fields] for fields in reversed(known))]
    if low in _both("grammar", "we"):
        return _we(pronoun, groups)
    if low in _both("grammar", "they"):
        return _they(groups)
    last = [
        one for group in groups for one in group if not _me(one) and not _is_setting(one) and one != "太阳"
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
    people = (one for group in groups for one in group if kind_of(one) == "person" and not _me(one))
    other = next(people, "")
    return [other, "I"] if other and any("I" in group for group in groups) else [pronoun]


def _they(groups: list[list[str]]) -> list[str]:
    for group in groups:
        living = [one for one in group if kind_of(one) != "thing"]
        if len(living) > 1 or (living and plural(living[0])):
            return living[::-1] if group is groups[0] else living
    beings = dict.fromkeys(
        one for group in groups for one in group if kind_of(one) != "thing" and not _me(one)
    )
    known = sorted(beings, key=lambda one: kind_of(one) == "animal")
    if known:
        return known[:2]
    for group in groups:
        if len(group) > 1 or (group and plural(group[0])):
            return group
    return next((group for group in groups if group), [])


def _same(head: str, found: Sequence[str]) -> bool:
    """Whether somebody is there already, perhaps by a fuller name (Moran, Edith Moran; man, old man)."""
    low = head.lower()
    return any(low == one.lower() or low in one.lower().split() for one in found)
