"""Reading a Chinese sentence: words and their kinds come from the segmenter, what they mean from the cues."""

import re
from functools import cache

import rjieba

from studio.text.cues import cues_zh
from studio.text.language import HAN
from studio.text.signs import Signs, SubjectKind

Word = tuple[str, str]

# How many words behind "not" or "want" a verb is still not seen.
_VEIL = 3
_NUMBER = r"一二两三四五六七八九十百千万几数好多许半\d"
_FRESH = re.compile(
    rf"[{_NUMBER}][{HAN}]?(?:[只条个位名头匹辆艘架座棵朵片块张把道束群队阵场团颗粒盏扇面根支杯碗件身双对滴缕股轮枚串排行列层堆]|下子)"
)
_EXISTS = re.compile(
    rf"^[{HAN}]{{1,10}}(?:[里上下中边前后外口处间头底面村城海山]|后面|前面|旁边)[^，。]{{0,2}}"
    r"(?:有|是|[站坐住躺停放挂摆长开蹲趴立]着)[一两三几许很个]|^(?:有|从前|很久)"
)
_VERB_AND_ENDING = re.compile(rf"[{HAN}][着过开起下上进出住]")
# Kinds under which the segmenter also files verbs.
_DOUBTFUL = ("uz", "ud", "ug", "t", "nr", "zg", "n", "p", "f", "q", "d")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    zh = cues_zh()
    lead = "(?:而|可是|可|但是|但|就在|直到|等到|到了|到|在|从|每到|每|这|那|又|只见)?"
    times = "|".join([zh.either("time"), *zh.time_patterns])
    spot = f"{zh.either('place_words')}|[{HAN}][里上下中旁前后外边顶底口岸畔]"
    return {
        "time": re.compile(f"{lead}(?:{times})|[^，。]{{2,16}}(?:的时候|时|之后|以后|后|之前|那天|那年)，"),
        "sudden": re.compile(f"(?:^|[，。；、—…])[{HAN}]{{0,6}}?(?:{zh.either('sudden')})"),
        "remark": re.compile(f"(?:{zh.either('remark')})"),
        "go": re.compile(zh.either("go")),
        "place": re.compile(
            f"(?:在|到|来到|到了|从|沿着|顺着|走进|远处|不远处|半路)?[{HAN}]{{0,8}}?(?:{spot})(?:的|，|里|上|边|下|中|$)"
        ),
    }


@cache
def _heads() -> frozenset[str]:
    return frozenset("".join(cues_zh()["visible_heads"]))


def read_zh(told: str, spoken: float, length: int) -> Signs:
    """The signs of a sentence without its quotations; `spoken` and `length` as in Signs."""
    pattern, zh = _patterns(), cues_zh()
    told = told.strip(" \u3000，,—…·")
    words = [(word, kind) for word, kind in rjieba.tag(told) if word.strip()]
    actions, states = _verbs(words, spoken)
    subject, kind = _subject(words)
    first_clause, comma, _ = told.partition("，")
    return Signs(
        length=length,
        chinese=True,
        spoken=spoken,
        subject=subject,
        subject_kind=kind,
        actions=tuple(actions),
        states=states,
        nouns=frozenset(
            w for w, k in words if k[0] == "n" and w not in zh["unseen"] and w not in zh["visible"]
        ),
        time=bool(pattern["time"].match(told)),
        place=bool(pattern["place"].match(first_clause + comma if comma else told[:10])),
        sudden=bool(pattern["sudden"].search(told)),
        remark=bool(pattern["remark"].match(told)),
        goes=bool(pattern["go"].search(told)),
        fresh=bool(_FRESH.search(told[:24])),
        reacts=bool(actions) and all(a in zh["reactions"] for a in actions),
        exists=bool(_EXISTS.search(told)),
    )


def _sees(word: str, kind: str) -> bool | None:
    """True: a camera sees this verb; False: it does not; None: no verb."""
    zh = cues_zh()
    if word in zh["visible"]:
        return True
    if word in zh["inner"] or word in zh["speech"]:
        return False
    if len(word) > 1 and not rjieba.has_word(word):
        # The segmenter made this word up: what it swallowed may be a verb (面端, 往桥).
        return True if kind != "nr" and any(sign in _heads() for sign in word) else None
    if len(word) > 4 or (kind[0] != "v" and kind not in _DOUBTFUL):
        return None
    if kind[0] == "v":
        bare = re.sub(r"^一|[了着过]$", "", word)
        return True if bare[:1] in _heads() or bare[-1:] in tuple("出进上下起来去") else None
    return True if _VERB_AND_ENDING.fullmatch(word) and word[0] in _heads() else None


def _verbs(words: list[Word], spoken: float) -> tuple[list[str], int]:
    """Verbs that are seen, and the number of those that are not: not done, only wished, or of the mind."""
    zh = cues_zh()
    actions: list[str] = []
    states = veiled = 0
    for word, kind in words:
        if word in zh["denials"]:
            veiled = _VEIL
        elif word in zh["wishes"]:
            veiled = _VEIL
            states += 1
        elif kind == "x":
            veiled = 0
        else:
            seen = True if word in zh["shouts"] and not spoken else _sees(word, kind)
            if seen and not veiled:
                actions.append(word.rstrip("着了过"))
            elif seen is False:
                states += 1
            veiled = max(0, veiled - 1)
    return actions, states


def _subject(words: list[Word]) -> tuple[str, SubjectKind]:
    """Head of the first noun phrase before a verb, and its kind."""
    zh = cues_zh()
    head = ""
    inside = False  # in a phrase of place or time: 在 …, 从 …
    for word, kind in words:
        if kind == "x":
            if head and not inside and word in "，,：:。！？":
                break
            inside = False
            head = "" if word in "，," else head
        elif word in zh["pronouns"] or word in zh["speakers"]:
            head = head if inside else word
        elif kind == "p" or word in zh["into_phrase"]:
            if head:
                break
            inside = True
        elif kind in ("f", "s"):
            head, inside = ("" if kind == "f" else head), False
        elif kind[0] == "t":
            continue
        elif kind == "uj":
            head, inside = "", False
        elif kind[0] == "n" and not _sees(word, kind):
            head = head if inside else word
        elif not inside and (kind[0] == "v" or (head and _sees(word, kind))):
            break
    if not head:
        return "", "none"
    if head in zh["pronouns"] or head in zh["speakers"]:
        return head, "pronoun"
    return head, "unseen" if head in zh["unseen"] else "named"
