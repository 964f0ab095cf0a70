"""Chinese phrases that may name a place: behind 在 or 走进, before 里 or 旁边, subjects and objects."""

import re
from collections.abc import Collection, Sequence
from functools import cache

from studio.text.chinese import Word, words_of
from studio.text.chinese_parts import bare_place
from studio.text.grounds import is_listed
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
    """Places that the segmenter cut in two or took for verbs (缝纫|铺, 晒谷场) as nouns."""
    found: list[Word] = []
    for word in listed:
        last = found[-1] if found else None
        joined = last.text + word.text if last and last.end == word.start and last.kind == "noun" else ""
        if last and joined and word.kind == "verb" and len(joined) > 2 and is_listed(joined):
            found[-1] = Word(joined, "noun", last.start, word.end)
        elif word.kind == "verb" and len(word.text) > 2 and is_listed(word.text):
            found.append(Word(word.text, "noun", word.start, word.end))
        elif word.kind == "tail" and last and last.kind == "noun" and is_listed(last.text):
            found.append(Word(word.text, "behind", word.start, word.end))
        else:
            found.append(word)
    return found


def _clause(listed: Sequence[Word], text: str, first: bool) -> list[Mention]:
    found: list[Mention] = []
    i = 0
    while i < len(listed):
        k = i
        while k < len(listed) and _nominal(listed, k, i):
            k += 1
        if k == i:
            i += 1
            continue
        while k < len(listed) and listed[k].kind == "behind" and listed[k].start == listed[k - 1].end:
            k += 1
        start = _first(listed, i, k)
        phrase = text[listed[start].start : listed[k - 1].end]
        if phrase not in words("leading", "never", "zh") and re.search(r"[^\W\d]", phrase):
            found.append(_mention(listed, start, k, phrase, first))
        i = k
    return found


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
