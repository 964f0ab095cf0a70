"""What a story's text says of a character: age, looks, clothes, and by what noun it is called."""

import re
from functools import cache
from zlib import crc32

from studio.text.beings import beings
from studio.text.characters import MAX_LOOKS, MAX_NAME, Character
from studio.text.language import has_han
from studio.text.names import uses
from studio.text.terms import words

_SENTENCE = re.compile(r"(?<=[。！？!?\n])|(?<=[.])\s+")
_AGE_ZH = r"(?P<age>[\d一二三四五六七八九十两几]{1,4}多?岁)"
_WEARS_ZH = re.compile(
    r"(?:身穿|穿着|身着|穿(?!上|过)|戴着|戴(?!上)|披着|系着|围着)[^，。；！？,、的]{2,12}(?:的[^，。；！？,、]{1,5})?"
)
_WORN_BY = re.compile(r"的(?:[^的]*(?:人|孩|生|娘|子|爷|奶|女|男|师|夫|姑))?[^的]{0,4}$")
_HAS_ZH = re.compile(r"(?:留着|扎着|梳着|长着|拄着|背着|满头)[^，。；！？,、]{2,10}")
_YEARS = "(?:five|six|seven|eight|nine|ten|eleven|twelve|thirteen|\\d{1,2})"
_AGE_BEFORE = re.compile(rf"\b{_YEARS}[- ]years?[- ]old\b", re.IGNORECASE)
_AGE_BEHIND = re.compile(r"\s*[,(]\s*(?:aged?\s+)?(\d{1,2}s?)\b")
_ARTICLE = r"(?:an?|the|her|his|their|my)"
_CALLED = re.compile(rf"\b{_ARTICLE}\s+((?:[a-z-]+\s+){{0,2}}?[a-z-]+)\s*,?\s+(?:named|called)\s+$")
_APPOSED = re.compile(r",\s+an?\s+((?:[a-z-]+\s+){0,2}?[a-z-]+)\b")


def portrait(name: str, told: str) -> Character:
    """The character of that name, filled in from the first sentences that tell of it."""
    near = [part for part in _SENTENCE.split(told) if part and _where(name, part) >= 0][:6]
    read = [(_chinese if has_han(name) else _english)(name, part) for part in near]
    noun = next((found for *_, found in read if found), "")
    looks = dict.fromkeys([noun, *(feature for _, _, features, _ in read for feature in features)])
    return Character(
        id=f"c{crc32(name.encode()):08x}",
        name=name[:MAX_NAME],
        age=next((age for age, *_ in read if age), ""),
        clothing=next((clothing for _, clothing, *_ in read if clothing), "")[:MAX_LOOKS],
        looks=("，" if has_han(name) else ", ").join(filter(None, looks))[:MAX_LOOKS],
        aliases=(noun,) if noun and _alone(noun, told) else (),
    )


def _where(name: str, part: str) -> int:
    if has_han(name) or name[:1].isupper():
        places = uses(part, name)
        return places[0][0] if places else -1
    match = re.search(rf"\b{re.escape(name)}\b", part, re.IGNORECASE)
    return match.start() if match else -1


def _chinese(name: str, part: str) -> tuple[str, str, list[str], str]:
    """(age, clothing, features, noun) from one sentence."""
    at = _where(name, part)
    window = part[max(0, at - 16) : at + len(name) + 24]
    before = re.search(rf"{_AGE_ZH}的?[\u4e00-\u9fff]{{0,3}}$", part[:at])
    age = before or re.match(rf"[，,（(]?(?:今年|已经|才|刚满|刚)?{_AGE_ZH}", part[at + len(name) :])
    worn = _WEARS_ZH.search(window)
    noun = next(
        (part[at - k : at] for k in range(min(6, at), 1, -1) if part[at - k : at] in beings("zh")), ""
    )
    clothing = _WORN_BY.sub("", worn.group()) if worn else ""
    return age["age"] if age else "", clothing, _HAS_ZH.findall(window), noun


def _english(name: str, part: str) -> tuple[str, str, list[str], str]:
    at = _where(name, part)
    before, behind = part[:at], part[at + len(name) :]
    window = part[max(0, at - 30) : at + len(name) + 60]
    aged = _AGE_BEHIND.match(behind)
    old = _AGE_BEFORE.search(before[-28:])
    age = aged.group(1) if aged else old.group() if old else ""
    worn = _wears().search(window)
    clothing = worn["what"] if worn else ""
    return age, clothing, [match["what"] for match in _has().finditer(window)], _noun(before, behind)


def _noun(before: str, behind: str) -> str:
    """mouse in "a mouse named Pip", queen in "Pip, a young queen"."""
    for match in (_CALLED.search(before), _APPOSED.match(behind)):
        if match and match.group(1).split()[-1] in beings("en"):
            return match.group(1)
    return ""


@cache
def _wears() -> re.Pattern[str]:
    clothes = "|".join(sorted(words("names", "clothes", "en")))
    return re.compile(
        r"\b(?:wearing|wears|wore|dressed in|clad in|in)\s+"
        rf"(?P<what>(?:an?|his|her|their|the)\s+(?:[\w-]+\s+){{0,3}}?(?:{clothes}))\b"
    )


@cache
def _has() -> re.Pattern[str]:
    features = "|".join(sorted(words("names", "features", "en")))
    return re.compile(rf"\bwith\s+(?P<what>(?:an?\s+|his\s+|her\s+)?(?:[\w-]+\s+){{1,3}}?(?:{features}))\b")


def _alone(noun: str, told: str) -> bool:
    """Whether the noun can stand for the name: it comes again, and never as one of several."""
    if has_han(noun):
        return told.count(noun) > 1 and not re.search(rf"[两三四五几群另][^，。]{{0,2}}{noun}", told)
    again = re.findall(rf"\bthe {re.escape(noun)}\b", told, re.IGNORECASE)
    return bool(again) and not re.search(rf"\b(?:another|other|two|three|many) {re.escape(noun)}", told)
