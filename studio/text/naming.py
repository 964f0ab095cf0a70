"""Finding the proper names that a story's text uses for persons and beings."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

from studio.text.beings import beings, kind_of
from studio.text.english import is_plain_word, tokens_of
from studio.text.language import HAN, has_han
from studio.text.lines import lines_of
from studio.text.names import uses
from studio.text.segmenter import heads, tagged, weak_heads
from studio.text.terms import table, words

_CALLED = re.compile(
    rf"(?:名叫|叫做|叫作|名字叫|名为|唤作|叫)(?P<zh>[{HAN}]{{2,4}}?)(?=的|，|。|、|！|；|,|\s|$)"
    r"|\b(?:named|called)\s+(?P<en>(?:(?:Mr|Mrs|Ms|Dr|Miss|Captain|Uncle|Aunt)\.?\s+)?"
    r"[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)?)"
)
_AFFECTION = re.compile(rf"(?:小|阿|老)[{HAN}]{{1,2}}|(?P<twice>[{HAN}])(?P=twice)")
_DESCRIBING = frozenset(("old", "young", "little", "poor", "dear", "big", "small"))
_TITLES = frozenset(
    (
        *("mr", "mrs", "ms", "miss", "dr", "doctor", "captain", "uncle", "aunt", "auntie", "queen", "king"),
        *("prince", "princess", "professor", "sir", "lady", "lord", "father", "sister", "brother", "grandma"),
        *("grandpa", "granny", "saint", "chef", "officer", "sergeant", "detective"),
    )
)
# Family names that are common words too.
_COMMON_SURNAMES = frozenset("白黄金高马牛石江林叶温方向上万成安路左盛关任单戴尚田谷宁易花云水乐常时于")
_PERSONS_DO = "说问答喊笑哭坐站拿抱推握看听想点摇走跑抬低"
_BEHIND_NAMES = frozenset("的在和与把被从向对也又正就已一刚却还便跟拿说问喊笑")
_WEEKDAY = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day")
_NO_NAME_SIGNS = re.compile(r"[的了着是我你他她它们这那什么在有不和与]")


def names_in(text: str, told: str) -> list[str]:
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
    """Chinese names of gods, heroes and beasts that stories tell of."""
    rows = [row for row in table("myths").values() if row["kind"] == "myth" and row.get("being", True)]
    return frozenset(word for row in rows for word in row["zh"])


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
        elif tag == "nr" and word[-1] != "子" and _AFFECTION.match(word):
            counts[_shorter(word, told)] += 1
    for match in _AFFECTION.finditer(told):
        word = match.group() if _may_be_name(match.group()) else match.group()[:2]
        word = _shorter(word, told)
        if _may_be_name(word) and (not _is_word(word) or _is_somebody(word, told)):
            counts[word] += 1
    full = [*_full_names(told), *_called_after(told)]
    # Who is known from myths is somebody at the first mention.
    enough = [name for name in counts if name in _mythical() or len(uses(told, name)) > 1]
    often = [name for name in enough if _acts(name, told)]
    return [*full, *(name for name in often if not any(name in other for other in full))]


def _full_names(told: str) -> list[str]:
    """Family names with given ones, where somebody acts: 陈野 in 队长陈野拍着球."""
    found: dict[str, bool] = {}
    for match in _family().finditer(told):
        name, acts = _given(match["name"], told[match.end() : match.end() + 8], bool(match["who"]))
        if name and _may_be_name(name) and (match["who"] or acts):
            common = name[0] in _COMMON_SURNAMES
            sure = (bool(match["who"]) and name[0] not in heads()) or (len(name) > 2 and not common)
            found[name] = found.get(name, False) or sure
            if common and not sure and not re.search(rf"{name}[^，。！？]{{0,3}}[{_PERSONS_DO}]", told):
                del found[name]
    kept = [name for name, sure in found.items() if sure or (_guessed(name) and len(uses(told, name)) > 1)]
    return [name for name in kept if not any(name != long and long.startswith(name) for long in kept)]


def _called_after(told: str) -> list[str]:
    """小翠 in 女儿小翠端着: a pet name behind who it is."""
    kin = "|".join(sorted(words("nouns", "people", "zh"), key=len, reverse=True))
    found = re.findall(rf"(?:{kin})([小阿老][{HAN}])(?=[{HAN}])", told)
    return [name for name in dict.fromkeys(found) if _may_be_name(name) and not _is_word(name)]


@cache
def _family() -> re.Pattern[str]:
    titles = sorted(words("nouns", "people", "zh"), key=len, reverse=True)
    surnames = "|".join(sorted(words("names", "surnames", "zh"), key=len, reverse=True))
    return re.compile(
        rf"(?:^|[，。！？；：、\n“”\s]|(?P<who>{'|'.join(titles)}|岁的|[叫是]))(?P<name>(?:{surnames})[{HAN}]{{1,2}})",
        re.MULTILINE,
    )


def _given(run: str, behind: str, who: bool) -> tuple[str, bool]:
    """The name that a run of characters begins with, and whether something is done behind it."""
    verbs = heads() | weak_heads() | _BEHIND_NAMES
    # 方婷专程: the third character begins a word of its own.
    ends = run[2:3] in verbs or len((tagged(run[2:] + behind) or [("", "")])[0][0]) > len(run[2:])
    for length in (2, 3) if ends else (3, 2):
        name, rest = run[:length], run[length:] + behind
        if len(name) == length and not _is_other_word(name, who):
            return name, rest[:1] in verbs
    return "", False


def _is_other_word(name: str, who: bool = False) -> bool:
    """Whether the characters are, or begin with, another word: 高楼, 白云, 张开嘴. `who`: behind a title."""
    if name[1:] in words("nouns", "people", "zh"):
        return False  # 李老师
    parts = tagged(name)
    if len(parts) == 1 and parts[0][1] not in ("nr", "nrt", "tg", "a", "z", *(("ns", "nz") if who else ())):
        return True
    inner = tagged(name[:2])
    if len(name) == 3 and len(inner) == 1 and inner[0][1] != "nr" and inner[0][1][0] in "nvadstf":
        return True
    last = name[-1]
    return (
        last in beings("zh")
        or last in "子儿头上下里的了着"
        or tagged(last)[0][1] in ("f", "q") + (() if last in "一二三四五六七八九" else ("m",))
    )


def _guessed(name: str) -> bool:
    return any(word == name and tag == "nr" for word, tag in tagged(name, guess=True))


def _is_somebody(word: str, told: str) -> bool:
    """Whether a common word stands as a name at least twice: 同桌小雨递给我, 和小雨, 小雨说."""
    with_whom = rf"(?:同桌|同学|朋友|[妹弟姐哥]{{2}}|[和跟叫]){word}"
    does = (
        rf"(?:^|[，。！？；“”\s]){word}(?=[说问答喊笑哭跑走拿递抱拉坐站听抬点摇挥跳蹲睡醒推打画写唱把和跟])"
    )
    if len(re.findall(with_whom, told)) + len(re.findall(does, told)) > 1:
        return True
    # 老许, 豆豆: words that no dictionary has as the nouns that they look like.
    odd = word[0] == word[-1] or tagged(word)[0][1][0] != "n"
    acts = "".join(sorted(heads() | weak_heads() | _BEHIND_NAMES)) + "是忽突"
    return odd and len(re.findall(rf"(?:^|[，。！？；“”\s]){word}(?=[{acts}])", told)) > 1


def _shorter(word: str, told: str) -> str:
    """林夏抱 is 林夏 with a verb: the shorter one that stands more often."""
    short = word[:2]
    if len(word) < 3 or told.count(short) <= told.count(word):
        return word
    return short if not _is_word(short) or _is_somebody(short, told) else word


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
                counts[_called(run)] += 1
                run = []
        counts.update([_called(run)] if run else [])
    return [name for name, _ in counts.most_common(40) if name and _is_english_name(name, told)]


def _called(run: Iterable[str]) -> str:
    """Without what only describes: Tom of Old Tom."""
    parts = list(run)
    return " ".join(parts[1:] if len(parts) > 1 and parts[0].lower() in _DESCRIBING else parts)


def _is_english_name(name: str, told: str) -> bool:
    low, last = name.lower(), name.lower().split()[-1]
    if len(name) < 2:
        return False
    known = low.split()[0] in words("names", "female", "en") | words("names", "male", "en")
    if re.search(rf"\b(?:the|a|an)\s+{re.escape(name)}\b", told):
        return False
    if len(uses(told, name)) < (1 if known or _is_introduced(name, told) else 2):
        return False
    if any({last, low} & words("places", part, "en") for part in ("water", "land", "sky", "town", "indoors")):
        return False
    if last in words("times", "season", "en") | words("times", "months", "en") or _WEEKDAY.fullmatch(last):
        return False
    if (
        " " not in name
        and is_plain_word(low)
        and not known
        and re.search(rf"(?<![.!?:]\s)(?<!^)\b{re.escape(low)}\b", told)
    ):
        return False
    return bool(re.search(rf"{re.escape(name)}(?:['’]s)?,?\s*[a-z{HAN}]", told))


def _is_introduced(name: str, told: str) -> bool:
    """Whether the text says who it is: "her brother Nils", "Nils, a fisherman", "Captain Nils"."""
    if name.split()[0].rstrip(".").lower() in _TITLES:
        return True
    before = re.search(rf"\b(?:his|her|their|my|the|old) ((?:[a-z-]+ )?[a-z-]+),? {re.escape(name)}\b", told)
    behind = re.search(
        rf"\b{re.escape(name)}, (?:an?|the|his|her|their|my) ((?:[a-z-]+ ){{0,3}}[a-z-]+)", told
    )
    said = " ".join(match[1] for match in (before, behind) if match)
    return any(word in beings("en") for word in said.split())
