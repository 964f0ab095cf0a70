"""Chinese phrases that may name a place: behind 在 or 走进, before 里 or 旁边, subjects and objects."""

import re
from collections.abc import Collection, Sequence
from functools import cache

from studio.text.chinese import Word, words_of
from studio.text.chinese_parts import bare_place
from studio.text.grounds import BROAD, ends_like, is_listed, kinds_of
from studio.text.mention import Mention, flags
from studio.text.segmenter import tagged
from studio.text.terms import words

_LOCATIVE = re.compile(
    r"(?P<in>里面|里边|之中|里|中|内)$|(?P<above>上空|上方)$|(?P<on>上面|之上|上)$|(?P<under>底下|下面|之下|脚下|下|底)$"
    r"|(?P<behind>后面|背后|背面|后)$|(?P<by>旁边|边上|附近|周围|四周|边缘|对面|边|旁|畔|沿)$|(?P<outside>外面|之外|外)$"
    r"|(?P<between>之间|间)$|(?P<at>尽头|深处|中央|中间|前面|门口|那边|前|口|头|顶)$"
)
_NO_LOCATIVE = re.compile(r"(?:房间|时间|空间|一边|世间|石头|木头|砖头|馒头|骨头|枕头|心里|心中|早上|晚上)$")
_ON = frozenset(("measure", "adj", "adverb", "de", "other"))
_VEILS = re.compile(r"没有?|不|想|要是|如果|像|仿佛|好像|似的|打算|希望|听说|曾|以前|梦见")
_LIKENS = re.compile(r"像|仿佛|好似|如同|犹如|宛如|好比|似的")
_LOOKS = re.compile(r"[看望瞧盯瞪指听想]|看见|听见")
_PUTS = re.compile(r"[放搁挂贴插塞装倒扔丢搭埋盖系别揣抱递]")
_GOES_TO = re.compile(r"(?:上下|[上下进出回到过登入])(?P<place>[\u4e00-\u9fff]{1,3})")
_OUTSIDE = frozenset(("外面", "外头", "外边", "里面", "里头"))
_TOWN = re.compile(r"(?P<town>[\u4e00-\u9fff]{1,4}[镇村县市省州乡城])(?:[东南西北中]|[东南西北]?[头边口部])")
_STAYS = re.compile(r"[坐站躺蹲跪趴卧停住靠守睡等藏躲缩倚立]")


@cache
def _lead() -> dict[str, str]:
    """Each preposition, or ending of a verb, to how it leads."""
    return {word: role for role in ("at", "to", "from", "along") for word in words("leading", role, "zh")}


def mentions_zh(sentence: str, names: Collection[str]) -> list[Mention]:
    """Every phrase of a sentence that may name a place, in order."""
    if re.search(r"[？?]\W*$", sentence):
        return []
    listed = _grounded(words_of(sentence, names))
    found: list[Mention] = []
    begin = 0
    for k, word in enumerate([*listed, None]):
        if word is None or word.kind == "stop":
            found += _clause(listed[begin:k], sentence, not begin)
            begin = k + 1
    return found


def _grounded(listed: Sequence[Word]) -> list[Word]:
    """Places that the segmenter cut in two or took for verbs (缝纫|铺, 控制|舱, 晒谷场) as nouns."""
    found: list[Word] = []
    for k, word in enumerate(listed):
        last = found[-1] if found else None
        joined = last.text + word.text if last and last.end == word.start else ""
        after = listed[k + 1].kind if k + 1 < len(listed) else "stop"
        if last and joined and _is_one(last, word, joined, after):
            found[-1] = Word(joined, "noun", last.start, word.end)
        elif word.kind == "verb" and len(word.text) > 2 and is_listed(word.text):
            found.append(Word(word.text, "noun", word.start, word.end))
        elif word.kind == "tail" and last and last.kind == "noun" and is_listed(last.text):
            found.append(Word(word.text, "behind", word.start, word.end))
        else:
            found.append(word)
    return found


def _is_one(last: Word, word: Word, joined: str, after: str) -> bool:
    """Whether two words of the segmenter are one place."""
    if last.name or word.name:
        return False
    if last.kind == "noun" and word.kind == "verb" and len(joined) > 2 and is_listed(joined):
        return True
    if last.kind in ("noun", "dull", "verb", "adj") and word.kind in ("noun", "verb") and is_listed(joined):
        return last.kind != "noun" or word.kind == "verb"
    if len(word.text) != 1 or len(last.text) != 2 or not ends_like(joined) & BROAD:
        return False
    if word.kind == "noun":
        return last.kind in ("dull", "verb")
    return last.kind == "noun" and word.kind == "verb" and after in ("verb", "dull", "de", "behind")


def _clause(listed: Sequence[Word], text: str, first: bool) -> list[Mention]:
    found: list[Mention] = []
    i = 0
    while i < len(listed):
        k = i
        while k < len(listed) and _nominal(listed, k, i):
            k += 1
        if k == i:
            found += _without_noun(listed, i, first)
            i += 1
            continue
        while k < len(listed) and listed[k].kind == "behind" and listed[k].start == listed[k - 1].end:
            k += 1
        start = _first(listed, i, k)
        for begin, end in _pieces(listed, start, k):
            phrase = text[listed[begin].start : listed[end - 1].end]
            if phrase not in words("leading", "never", "zh") and re.search(r"[^\W\d]", phrase):
                found.append(_mention(listed, begin, end, phrase, first))
        i = k
    return found


def _without_noun(listed: Sequence[Word], i: int, first: bool) -> list[Mention]:
    """Places in words that are no nouns: 外面, 黑暗里, 上山."""
    word = listed[i]
    if word.kind == "behind" and word.text in _OUTSIDE:
        return [_mention(listed, i, i + 1, word.text, first)]
    if word.kind == "adj" and len(word.text) > 1 and i + 1 < len(listed) and listed[i + 1].kind == "behind":
        return [_mention(listed, i, i + 2, word.text + listed[i + 1].text, first)]
    went = _GOES_TO.fullmatch(word.text) if word.kind == "verb" else None
    if went and is_listed(went["place"]):
        mention = _mention(listed, i, i + 1, went["place"], first)
        return [Mention(mention.phrase, "to", {**mention.flags, "in_verb": 1.0})]
    return []


def _pieces(listed: Sequence[Word], i: int, k: int) -> list[tuple[int, int]]:
    """A run of nouns, cut behind the place that it begins with: 院子|人, 草坪|仪式."""
    whole = "".join(word.text for word in listed[i:k])
    if kinds_of(whole) & (BROAD | {"part", "surface"}) or listed[k - 1].kind in ("behind", "place"):
        return [(i, k)]
    for end in range(k - 1, i, -1):
        head = "".join(word.text for word in listed[i:end])
        if listed[end - 1].kind == "place" or kinds_of(head) & BROAD or (len(head) > 1 and _locative(head)):
            return [(i, end), (end, k)]
    return [(i, k)]


def _nominal(listed: Sequence[Word], k: int, start: int) -> bool:
    word = listed[k]
    if not re.search(r"\w", word.text):
        return False
    if k > start and word.start != listed[k - 1].end:
        return False
    if word.kind in ("noun", "place"):
        return not word.name
    small = word.kind == "adj" and len(word.text) == 1
    return small and k + 1 < len(listed) and listed[k + 1].kind in ("noun", "place")


def _first(listed: Sequence[Word], i: int, k: int) -> int:
    """Without the adjective in front."""
    return i + 1 if listed[i].kind == "adj" and i + 1 < k else i


def _mention(listed: Sequence[Word], i: int, k: int, phrase: str, first: bool) -> Mention:
    lead, verb = _led(listed, i)
    if town := _TOWN.fullmatch(phrase):
        phrase = town["town"]
    place = "" if _NO_LOCATIVE.search(phrase) else _locative(phrase)
    after = listed[k] if k < len(listed) else None
    before = "".join(word.text for word in listed[:i])
    acts = [word for word in listed[:i] if word.kind == "verb"]
    kinds = {word.kind for word in listed}
    modifies = after is not None and after.kind == "de"
    if place:
        role = place
    elif lead:
        role = lead
    elif not kinds & {"verb", "dull"}:
        role = "alone"
    else:
        role = "object" if any(word.kind in ("verb", "dull") for word in listed[:i]) else "subject"
    return Mention(
        bare_place(phrase),
        role,
        flags(
            (
                f"led_{lead}" if lead else "unled",
                "placed" if place else "",
                "modifies" if modifies else "",
                "opens" if i == 0 and first else "",
                "opens_clause" if i == 0 and not first else "",
                "before_verb" if not acts else "",
                "ends_clause" if after is None else "",
                "has_follows" if after is not None and after.text in ("有", "是", "只有", "就是") else "",
                "veiled" if _VEILS.search(before) else "",
                "simile" if _LIKENS.search(before) else "",
                "looks" if verb and _LOOKS.match(verb) else "",
                "puts" if verb and _PUTS.match(verb) else "",
                "stays" if verb and _STAYS.match(verb) else "",
                "goes" if verb and verb[0] in words("grammar", "stays_or_goes", "zh") else "",
                "counted" if i and listed[i - 1].kind == "measure" else "",
                "owned" if i and listed[i - 1].kind == "de" else "",
                "kept" if "把" in before or "将" in before else "",
                "place_name" if tagged(phrase)[-1][1] == "ns" else "",
                "latin" if re.match(r"[A-Za-z]", phrase) else "",
                "single" if len(phrase) == 1 else "",
                "behind_place" if phrase[-1:] in "口头角" else "",
            )
        ),
    )


def _locative(phrase: str) -> str:
    match = _LOCATIVE.search(phrase)
    return str(match.lastgroup) if match and len(phrase) > len(match.group()) else ""


def _led(listed: Sequence[Word], i: int) -> tuple[str, str]:
    """What leads to the noun at i, and the verb that does, past what only describes the noun."""
    k = i - 1
    while k >= 0 and (
        listed[k].kind in _ON
        or (
            k + 1 < i
            and listed[k + 1].kind == "de"
            and listed[k].kind in ("noun", "place", "behind", "pronoun")
        )
        or (listed[k].kind == "noun" and listed[k + 1].kind in ("behind", "noun"))
    ):
        if listed[k].kind == "other" and listed[k].text not in ("了", "着", "过"):
            break
        k -= 1
    if k < 0:
        return "", ""
    word = listed[k]
    verb = next((other.text for other in reversed(listed[: k + 1]) if other.kind == "verb"), "")
    if word.kind in ("prep", "verb", "tail", "dull", "behind", "other"):
        text = word.text.rstrip("了着")
        lead = _lead().get(text) or (_lead().get(text[-1:]) if word.kind in ("verb", "tail") else None)
        return lead or "", verb
    return "", verb
