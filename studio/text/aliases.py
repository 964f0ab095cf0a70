"""One being under two names: the nouns by which a story also calls somebody whom it names."""

import re
from collections.abc import Collection
from functools import lru_cache

from studio.text.beings import beings
from studio.text.language import HAN, has_han
from studio.text.terms import words
from studio.text.told import unquoted

_THE = r"(?i:an?|the|his|her|their|its|my|our)"
_RUN = r"(?:[\w-]+ ){0,3}[\w-]+"
_SEVERAL = r"(?:an?|another|two|three|four|five|six|several|some|many|other)"
_SEVERAL_ZH = r"(?:[一两三四五六七八九十几另每各这那]+[个只位名条头匹群些]|其他|别的)"


def proper(noun: str, text: str, story: str, names: Collection[str]) -> str:
    """Whose name `noun` stands for in text, a part of story: Cetus for "the monster"; else the noun."""
    low = noun.lower()
    if noun in names:
        return noun
    found = _called(story, tuple(sorted(names)))
    if has_han(noun):
        key = next((key for key in found if noun == key or (noun.endswith(key) and len(key) > 1)), "")
        anew = rf"{_SEVERAL_ZH}[^，。！？]{{0,6}}{re.escape(key)}"
    else:
        last = low.split()[-1]
        key = low if low in found else last if last in found else ""
        anew = rf"\b{_SEVERAL} (?:[\w-]+ ){{0,2}}?{re.escape(key)}\b"
    if not key or (re.search(anew, text, re.IGNORECASE) and found[key] not in text):
        return noun
    return found[key]


@lru_cache(maxsize=8)
def _called(story: str, names: tuple[str, ...]) -> dict[str, str]:
    """Noun to name, where the story says so of one name only."""
    told = unquoted(story)
    found: dict[str, set[str]] = {}
    for name in names:
        for noun in (_chinese if has_han(name) else _english)(name, told):
            found.setdefault(noun, set()).add(name)
    return {noun: next(iter(who)) for noun, who in found.items() if len(who) == 1 and noun not in names}


def _english(name: str, told: str) -> set[str]:
    who = re.escape(name)
    said = (
        rf"\b{_THE} ({_RUN}),? (?:named|called|known as) {who}\b",
        rf"\b{who}, {_THE} ({_RUN})",
        rf"\b{who} (?:is|was) {_THE} ({_RUN})",
        rf"\b{who} the ([\w-]+)",
        rf"\b[Tt]he (?:[\w-]+ )?([\w-]+),? (?:known as )?{who}\b",
    )
    found = {noun for pattern in said for run in re.findall(pattern, told) if (noun := _noun(run))}
    for before in re.findall(rf"([^.!?]*)[.!?]\s+(?:It was|This is|This was) {who}\b", told):
        runs = re.findall(rf"\b{_THE} ({_RUN})", before)
        found |= {noun for run in runs[:1] if (noun := _noun(run))}
    return found


def _noun(run: str) -> str:
    """The first being of a run of words, up to what only tells more of it."""
    listed = beings("en")
    for word in run.lower().split():
        if word in ("of", "with", "in", "who", "and", "on", "from"):
            break
        if word in listed:
            return word
    return ""


def _chinese(name: str, told: str) -> set[str]:
    who = re.escape(name)
    listed = beings("zh")
    found: set[str] = set()
    for match in re.finditer(
        rf"([{HAN}]{{1,6}})(?:，?(?:名叫|叫做|叫作|名为|名字叫|叫|就是))?{who}|他就是{who}", told
    ):
        before = match[1] or ""
        noun = next((before[-k:] for k in range(min(4, len(before)), 0, -1) if before[-k:] in listed), "")
        if len(noun) > 1 or (noun and noun in words("nouns", "animals", "zh")):
            found.add(noun)
    for run in re.findall(rf"{who}是(?:一[个位只条名头匹]|[个位只])([{HAN}]{{1,9}})", told):
        noun = next((run[-k:] for k in range(4, 1, -1) if run[-k:] in listed), "")
        found |= {noun} - {""}
    return found
