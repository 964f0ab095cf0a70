"""Proposing a story's characters: names, and protagonists who come back."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from studio.text.beings import beings, kind_of
from studio.text.characters import Character
from studio.text.english import is_plain_word, tokens_of
from studio.text.fields import ShotFields, fields_of
from studio.text.language import HAN, has_han
from studio.text.lines import lines_of
from studio.text.names import uses
from studio.text.portraits import portrait
from studio.text.segmenter import tagged
from studio.text.terms import table, words
from studio.text.told import unquoted

MAX_PROPOSED = 12
_CALLED = re.compile(
    rf"(?:名叫|叫做|叫作|名字叫|名为|唤作|叫)(?P<zh>[{HAN}]{{2,4}}?)(?=的|，|。|、|！|；|,|\s|$)"
    r"|\b(?:named|called)\s+(?P<en>(?:(?:Mr|Mrs|Ms|Dr|Miss|Captain|Uncle|Aunt)\.?\s+)?"
    r"[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)?)"
)
_AFFECTION = re.compile(rf"(?:小|阿|老|大)[{HAN}]{{1,2}}|(?P<twice>[{HAN}])(?P=twice)")
_WEEKDAY = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day")
_NO_NAME_SIGNS = re.compile(r"[的了着是我你他她它们这那什么在有不和与]")


def cast(text: str, shots: Sequence[str]) -> tuple[Character, ...]:
    """Propose at most MAX_PROPOSED characters, those seen in most shots first."""
    told = "\n".join(unquoted(shot) for shot in (shots or (text,)))
    names = _names(text, told)
    fields: list[ShotFields] = []
    for shot in shots or (text,):
        fields.append(fields_of(shot, before=fields, names=names))
    seen = _seen(fields, names, told)
    wanted = [name for name, count in seen.most_common() if count > 1 or name in names]
    return _one_each([portrait(name, told) for name in wanted[:MAX_PROPOSED]])


def _seen(fields: Sequence[ShotFields], names: Sequence[str], told: str) -> Counter[str]:
    """How many shots show each being; a name in a phrase (Queen Cassiopeia) counts as the name."""
    crowds = words("names", "crowds", "zh") | words("names", "crowds", "en")
    seen: Counter[str] = Counter()
    for shot in fields:
        for subject in shot.subject:
            name = next((name for name in names if name.lower() in subject.lower()), "") or _noun(subject)
            if name and name.lower() not in crowds:
                seen[name] += 1
    for name in names:
        if len(uses(told, name)) > 1:
            seen.setdefault(name, 1)
    return seen


def _noun(subject: str) -> str:
    """The plain noun of a being in a subject, a name as it stands, "" for a thing."""
    if kind_of(subject) == "thing":
        return ""
    if has_han(subject):
        core = subject.rsplit("的", 1)[-1]
        return next((core[k:] for k in range(len(core) - 1) if core[k:] in beings("zh")), core)
    parts = subject.split()
    tails = [" ".join(parts[k:]).lower() for k in range(len(parts))]
    noun = next((tail for tail in tails if tail in beings("en")), "")
    if noun or not parts[-1][0].isupper():
        return noun or tails[-1]
    return "" if is_plain_word(tails[-1]) else subject


def _names(text: str, told: str) -> list[str]:
    """Proper names of persons and beings, those said to be called so first."""
    found: dict[str, None] = {}
    for match in _CALLED.finditer(told):
        if match["en"] or _may_be_name(match["zh"]):
            found[match["en"] or match["zh"]] = None
    for line in lines_of(text):
        label = re.sub(r"\s*[（(].*", "", line.label).strip()
        if line.kind == "speaker" and 1 < len(label) <= 20:
            name = label.title() if label.isupper() else label
            if uses(told, name) and kind_of(name) != "thing":
                found[name] = None
    for name in [*_chinese_names(told), *_english_names(told)]:
        if not any(name in other for other in found):
            found[name] = None
    crowds = words("names", "crowds", "zh") | words("names", "crowds", "en")
    return [name for name in found if name.lower() not in crowds and not _is_common_noun(name)]


def _is_common_noun(name: str) -> bool:
    """老师 and fisherman are no names, but 织女 is one."""
    return name.lower() in beings("zh" if has_han(name) else "en") and name not in _mythical()


@cache
def _mythical() -> frozenset[str]:
    return frozenset(word for row in table("myths").values() if row["kind"] == "myth" for word in row["zh"])


def _may_be_name(name: str) -> bool:
    return name not in words("names", "no_names", "zh") and not _NO_NAME_SIGNS.search(name)


def _chinese_names(told: str) -> list[str]:
    if not has_han(told):
        return []
    counts: Counter[str] = Counter()
    for word, tag in tagged(told, guess=True):
        if not 2 <= len(word) <= 4 or not re.fullmatch(f"[{HAN}]+", word) or not _may_be_name(word):
            continue
        if word in _mythical() or tag == "nrt":
            counts[word] += 1
        elif (
            tag == "nr"
            and word[-1] != "子"
            and (word[0] in words("names", "surnames", "zh") or _AFFECTION.match(word))
        ):
            counts[_shorter(word, told)] += 1
    for match in _AFFECTION.finditer(told):
        if _may_be_name(match.group()) and (not _is_word(match.group()) or _is_somebody(match.group(), told)):
            counts[_shorter(match.group(), told)] += 1
    return [name for name in counts if len(uses(told, name)) > 1 and _acts(name, told)]


def _is_somebody(word: str, told: str) -> bool:
    """Whether a common word stands as a name at least twice: 同桌小雨递给我, 和小雨, 小雨说."""
    with_whom = rf"(?:同桌|同学|朋友|[妹弟姐哥]{{2}}|[和跟叫]){word}"
    does = (
        rf"(?:^|[，。！？；“”\s]){word}(?=[说问答喊笑哭跑走拿递抱拉坐站听抬点摇挥跳蹲睡醒推打画写唱把和跟])"
    )
    return len(re.findall(with_whom, told)) + len(re.findall(does, told)) > 1


def _shorter(word: str, told: str) -> str:
    """林夏抱 is 林夏 with a verb: the shorter one that stands more often."""
    short = word[:2]
    return short if len(word) == 3 and told.count(short) > told.count(word) and not _is_word(short) else word


def _is_word(word: str) -> bool:
    parts = tagged(word)
    return len(parts) == 1 and not parts[0][1].startswith("nr")


def _acts(name: str, told: str) -> bool:
    """Whether the name stands where somebody acts or speaks, not only as a thing spoken of."""
    acting = re.findall(rf"(?:^|[，。！？；、\n“”\s]){re.escape(name)}(?=[{HAN}])", told)
    return len(acting) * 2 >= max(1, told.count(name) // 2)


def _english_names(told: str) -> list[str]:
    counts: Counter[str] = Counter()
    for line in told.splitlines():
        run: list[str] = []
        for token in tokens_of(line):
            if token.tag in ("NNP", "NNPS") and re.match("[A-Z]", token.text):
                shouted = token.text.isupper() and len(token.text) > 1
                run.append(token.text.title() if shouted else token.text)
            elif run:
                counts[" ".join(run)] += 1
                run = []
        counts.update([" ".join(run)] if run else [])
    return [name for name, _ in counts.most_common(40) if _is_english_name(name, told)]


def _is_english_name(name: str, told: str) -> bool:
    low, last = name.lower(), name.lower().split()[-1]
    if len(name) < 2:
        return False
    if re.search(rf"\b(?:the|a|an)\s+{re.escape(name)}\b", told) or len(uses(told, name)) < 2:
        return False
    if any({last, low} & words("places", part, "en") for part in ("water", "land", "sky", "town", "indoors")):
        return False
    if last in words("times", "season", "en") | words("times", "months", "en") or _WEEKDAY.fullmatch(last):
        return False
    if (
        " " not in name
        and is_plain_word(low)
        and re.search(rf"(?<![.!?:]\s)(?<!^)\b{re.escape(low)}\b", told)
    ):
        return False
    return bool(re.search(rf"{re.escape(name)}(?:['’]s)?,?\s+[a-z]", told))


def _one_each(found: list[Character]) -> tuple[Character, ...]:
    """Drop a noun that is another character's alias or part of its name."""
    kept: list[Character] = []
    for one in found:
        inside = any(
            one.name != other.name and one.name in other.name for other in found if has_han(one.name)
        )
        inside = inside or any(
            one.name.lower() != other.name.lower()
            and (one.name in (*other.aliases, other.looks) or one.name.lower() in other.name.lower().split())
            for other in found
        )
        if not inside:
            kept.append(one)
    return tuple(kept)
