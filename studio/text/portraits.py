"""What a story's text says of a character: age, looks, clothes, and by what other words it is called."""

import re
from dataclasses import dataclass
from functools import cache
from zlib import crc32

from studio.text.beings import beings
from studio.text.characters import MAX_ALIASES, MAX_LOOKS, MAX_NAME, Character
from studio.text.chinese import words_of
from studio.text.english import tokens_of
from studio.text.language import has_han
from studio.text.names import uses
from studio.text.terms import words

_SENTENCE = re.compile(r"(?<=[。！？!?\n])|(?<=[.])\s+")

_AGE_ZH = r"(?P<age>[\d一二三四五六七八九十两几]{1,4}多?岁)"
_WEARS_ZH = re.compile(r"(?:身穿|穿着|身着|穿(?!上|过)|戴着|戴(?!上)|披着|系着|围着)[^，。；！？,、]{2,16}")
_HAS_ZH = re.compile(r"(?:留着|扎着|梳着|长着|拄着|背着|满头)[^，。；！？,、]{2,12}")
_IS_ZH = re.compile(
    rf"[，,]?(?:是|就是)?(?:一?[个位名只条])?(?:{_AGE_ZH}的?)?(?P<adj>[\u4e00-\u9fff]{{1,6}}的)?(?P<noun>[\u4e00-\u9fff]{{2,5}}?)(?=[，。！？；,\n]|$)"
)
# From here on somebody else is looked at.
_OTHERS_ZH = re.compile(r"看见|看到|遇见|遇到|碰到|望着|看着|发现|对着|朝着|跟着|[给把被让向对和跟]")

_FEW = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_TENS = "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
_ONES = "|".join(_FEW.split()[:8])
_YEARS = rf"(?:\d{{1,3}}|(?:{'|'.join(f'{_FEW} {_TENS}'.split())})(?:[- ](?:one|{_ONES}))?)"
_OLD = re.compile(rf"\b{_YEARS}[- ]years?[- ]old\b", re.IGNORECASE)
_AGE_BEHIND = re.compile(
    rf"\s*[,(]\s*(?:aged?\s+)?(\d{{1,2}}s?)\b|\s+(?:is|was|turned)\s+({_YEARS})\b(?![- ])", re.IGNORECASE
)
_ARTICLE = r"(?:an?|the|her|his|their|my)"
_CALLED = re.compile(
    rf"\b{_ARTICLE}\s+((?:(?!{_ARTICLE}\b)[a-z-]+\s+){{0,3}}?[a-z-]+)\s*,?\s+(?:named|called)\s+$"
)
_APPOSED = re.compile(rf"(?:,|\s+(?:is|was))\s+{_ARTICLE}\s+((?:[a-z-]+\s+){{0,4}}[a-z-]+)")
_OPENING = re.compile(
    r"^\W*(?:wearing|dressed in|clad in|in)\s+(?P<what>[^,]{3,50}),\s*(?:the |an? )?(?:\w+ ){0,2}$",
    re.IGNORECASE,
)
_NO_LOOKS = frozenset(
    (
        *(
            "only",
            "first",
            "last",
            "same",
            "other",
            "next",
            "own",
            "many",
            "few",
            "several",
            "whole",
            "single",
        ),
        *("new", "second", "third", "more", "most"),
    )
)


@dataclass(frozen=True)
class _Said:
    """What one sentence says of somebody."""

    age: str = ""
    clothing: str = ""
    features: tuple[str, ...] = ()
    noun: str = ""


def portrait(name: str, told: str) -> Character:
    """The character of that name, filled in from the first sentences that tell of it."""
    near = [part for part in _SENTENCE.split(told) if part and _where(name, part) >= 0][:6]
    read = [(_chinese if has_han(name) else _english)(name, part) for part in near]
    noun = next((said.noun for said in read if said.noun), "")
    looks = dict.fromkeys([noun, *(feature for said in read for feature in said.features)])
    called = [*([noun] if noun and _alone(noun, told) else []), *_shorter_names(name, told)]
    return Character(
        id=f"c{crc32(name.encode()):08x}",
        name=name[:MAX_NAME],
        age=next((said.age for said in read if said.age), "")[:MAX_NAME],
        clothing=next((said.clothing for said in read if said.clothing), "")[:MAX_LOOKS],
        looks=("，" if has_han(name) else ", ").join(filter(None, looks))[:MAX_LOOKS],
        aliases=tuple(dict.fromkeys(called))[:MAX_ALIASES],
    )


def _where(name: str, part: str) -> int:
    if has_han(name) or name[:1].isupper():
        places = uses(part, name)
        return places[0][0] if places else -1
    match = re.search(rf"\b{re.escape(name)}\b", part, re.IGNORECASE)
    return match.start() if match else -1


def _shorter_names(name: str, told: str) -> list[str]:
    """Parts of a name that stand for it elsewhere: Ahab of Captain Ahab, 小雨 of 林小雨."""
    if has_han(name):
        parts = [name[1:]] if len(name) == 3 else []
    else:
        listed = words("nouns", "people", "en")
        parts = [part for part in name.split() if len(part) > 2 and part.lower() not in listed]
        parts = parts if " " in name else []
    left = told.replace(name, " ")
    return [part for part in parts if part != name and uses(left, part)]


def _chinese(name: str, part: str) -> _Said:
    at = _where(name, part)
    before, behind = part[:at], part[at + len(name) :]
    aged = re.search(rf"{_AGE_ZH}的?[\u4e00-\u9fff]{{0,3}}$", before)
    aged = aged or re.match(rf"[，,（(]?(?:今年|已经|才|刚满|刚|是一?[个位名]?)?{_AGE_ZH}", behind)
    what = _IS_ZH.match(behind)
    is_one = what is not None and what["noun"] in beings("zh") and (behind[:1] in "是就" or bool(what["age"]))
    noun = next((before[-k:] for k in range(min(6, at), 1, -1) if before[-k:] in beings("zh")), "")
    own = behind[: other.start()] if (other := _OTHERS_ZH.search(behind[:40])) else behind[:40]
    told = f"{_describing(before)}{name}{own}"
    worn, has = _WEARS_ZH.search(told), _HAS_ZH.search(told)
    like = _adjectives(before)
    return _Said(
        age=aged["age"] if aged else (what["age"] or "") if what and is_one else "",
        clothing=_until_verb(worn.group(), name) if worn else "",
        features=tuple(filter(None, (like, _until_verb(has.group(), name) if has else ""))),
        noun=what["noun"] if what and is_one else noun,
    )


def _describing(before: str) -> str:
    """What stands before a name up to the last comma, if it belongs to it: 穿红裙子的小女孩."""
    last = re.split(r"[，。！？；\s]", before)[-1]
    return last if re.search(r"的[\u4e00-\u9fff]{0,4}$", last) else ""


def _until_verb(run: str, name: str) -> str:
    """穿着拖鞋 of 穿着拖鞋跑下楼; without the name that it describes."""
    run = run.split(name)[0]
    listed = words_of(run)
    for k, word in enumerate(listed[1:], start=1):
        if word.kind in ("verb", "prep", "dull", "adverb") and listed[k - 1].kind in (
            "noun",
            "place",
            "tail",
        ):
            run = run[: word.start]
            break
    return (
        re.sub(r"的(?:[\u4e00-\u9fff]{0,4})$", "", run) if re.search(r"的[\u4e00-\u9fff]{0,2}$", run) else run
    )


def _adjectives(before: str) -> str:
    """年轻 in 一个年轻的渔夫."""
    match = re.search(r"(?:^|[，。！？；\s个位名只条头匹那这])([\u4e00-\u9fff]{1,6})的$", before)
    if not match:
        return ""
    kinds = [word.kind for word in words_of(match[1])]
    return match[1] if len(match[1]) > 1 and set(kinds) == {"adj"} else ""


def _english(name: str, part: str) -> _Said:
    at = _where(name, part)
    before, behind = part[:at], part[at + len(name) :]
    phrase, noun = _noun_phrase(before, behind)
    aged = _AGE_BEHIND.match(behind)
    old = _OLD.search(before[-28:]) or _OLD.search(phrase)
    age = (aged[1] or aged[2]) if aged else old.group() if old else ""
    noun = " ".join(_OLD.sub("", noun).split())
    window = behind[:80]
    worn, opening = _wears().search(window), _OPENING.search(before)
    clothing = worn["what"] if worn and _own(window[: worn.start()], noun) else ""
    has = [m["what"] for m in _has().finditer(window) if _own(window[: m.start()], noun)]
    # "with his nose against the glass" tells of no look.
    features = [what for what in has if not re.fullmatch(r"(?:his|her|its|their|the) \S+", what)]
    return _Said(
        age, clothing or (opening["what"] if opening else ""), (*_described(name, before), *features), noun
    )


def _own(between: str, noun: str) -> bool:
    """Whether nobody else is named before what is worn: not in "Rose waves to a man in a hat"."""
    others = [word for word in re.findall(r"[A-Za-z'-]+", between) if word not in noun.split()]
    return not any(word.lower() in beings("en") or word[:1].isupper() for word in others)


def _noun_phrase(before: str, behind: str) -> tuple[str, str]:
    """(all that is said, up to its noun) of "a mouse named Pip", "Pip, a young queen"."""
    if (match := _CALLED.search(before)) and match[1].split()[-1] in beings("en"):
        return match[1], match[1]
    if match := _APPOSED.match(behind):
        parts = match[1].split()
        for k in range(1, len(parts) + 1):
            if parts[k - 1] in beings("en"):
                return match[1], " ".join(parts[:k])
    return "", ""


def _described(name: str, before: str) -> tuple[str, ...]:
    """Adjectives before a noun: young in "a young fisherman"."""
    match = re.search(r"\b(?:an?|the|one)\s+((?:[a-z-]+,?\s+){1,3})$", before, re.IGNORECASE)
    if not match or name[:1].isupper():
        return ()
    tokens = tokens_of(f"the {match[1]}{name}")[1:-1]
    kept = [token.text for token in tokens if token.tag == "JJ" and token.low not in _NO_LOOKS]
    return (" ".join(kept),) if kept else ()


@cache
def _wears() -> re.Pattern[str]:
    clothes = "|".join(sorted(words("names", "clothes", "en")))
    return re.compile(
        r"\b(?:wearing|wears|wore|dressed in|clad in|in)\s+"
        rf"(?P<what>(?:(?:an?|his|her|their|the)\s+)?(?:[\w-]+\s+){{0,3}}?(?:{clothes}))\b"
    )


@cache
def _has() -> re.Pattern[str]:
    features = "|".join(sorted(words("names", "features", "en")))
    return re.compile(
        rf"\b(?:with|has|had)\s+(?P<what>(?:an?\s+|his\s+|her\s+)?(?:[\w-]+\s+){{0,3}}?(?:{features}))\b"
    )


def _alone(noun: str, told: str) -> bool:
    """Whether the noun can stand for the name: it comes again, and never as one of several."""
    if has_han(noun):
        return told.count(noun) > 1 and not re.search(rf"[两三四五几群另][^，。]{{0,2}}{noun}", told)
    again = re.findall(rf"\bthe {re.escape(noun)}\b", told, re.IGNORECASE)
    return bool(again) and not re.search(rf"\b(?:another|other|two|three|many) {re.escape(noun)}", told)
