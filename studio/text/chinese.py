"""The part that each Chinese word plays in its clause, from our own lists first, then from the segmenter."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from studio.text.english import tokens_of
from studio.text.segmenter import cut, heads, tagged, weak_heads
from studio.text.terms import words

# place: 海边. verb: one that a camera sees; tail: its ending; dull: a verb that shows nothing; veil: not,
# would.
# behind: a word of place behind its noun. de: 的. get: 得. stop: punctuation.
Kind = Literal[
    "noun", "adj", "measure", "pronoun", "time", "place", "verb", "tail", "dull", "veil",
    "prep", "adverb", "conj", "behind", "de", "get", "stop", "other",
]  # fmt: skip

_MEASURE = re.compile(
    r"(?:[一二两三四五六七八九十百千万几\d]+|数[十百千万]|许多|无数|多少|半(?=[个天块张边])|每)[\u4e00-\u9fff]{0,2}"
)
_PLACE_WORD = re.compile(r"[\u4e00-\u9fff]{1,3}[上里中下边旁外内前后间畔]")
# 舞龙 in 舞龙队员 is no verb: verbs with one of these as their object stand before who does it for a living.
_OBJECTS = frozenset("龙狮路夜鱼猎船山雪牧车茶布琴鼓舞花灯海画歌戏球棋水煤矿塔")
_FIXED: dict[str, Kind] = {
    "的": "de",
    "看看": "dull",
    "试试": "dull",
    "叫": "prep",
    **dict.fromkeys("地之着了过吗呢吧啊呀们", "other"),
}
# Counting words that stand beside 一, 这, 那, or between a verb and its object.
_COUNTS = frozenset("个只条位名块朵颗片棵座张把根匹粒滴双对群堆盏辆艘架间扇幅首支枝件套家所栋幢顶道排束截")
_POINTED = re.compile(rf"[这那哪每某]一?[{''.join(sorted(_COUNTS))}]")
_POSTURE = frozenset("光低红昂歪侧斜闭睁咧张仰沉板绷弓佝挺噘眯扭耷眨赤")
_DAY = re.compile(r"[今明昨前后当这那][天日晚晨夜].{0,2}")
_AND_SO = re.compile(r"一[\u4e00-\u9fff]一[\u4e00-\u9fff]")
# 哈哈大笑, 相视而笑; 点点头; 吞了下去.
_LOUDLY = re.compile(
    r"[\u4e00-\u9fff]{1,2}大[笑哭叫喊跳闹吼]|.*[而一][笑泣跃跳]|一[跃拥]而.|([点摆摇拍挥招揉眨擦搓])\1."
    r"|[光低红昂歪侧斜闭睁咧张仰沉板绷弓挺噘眯扭耷眨赤][着起][头脸脚手眼嘴腰身背膀]"
)
_SEEING = ("看见", "看到", "听见", "听到", "闻到", "望见")
_TRADES = tuple("人者员师匠机器")
# Last characters of things that the segmenter takes for verbs or sayings: 洒水车, 应急灯, 通道.
_THINGS = frozenset(
    "车灯船机器桥楼塔门窗炉锅壶杯瓶盒箱包帽鞋衣裤裙伞刀枪剑旗鼓琴笔纸书画信牌板柜椅桌床路道河湖山树花草果饭菜汤茶酒店馆厂园室站台屋棚"
)
_SIDES = frozenset("巅上下间中外内顶滨畔旁侧端")
_NOUN_ENDS = ("声", "的人", "的孩子")


@dataclass(frozen=True)
class Word:
    """text[start:end] of the clause it was cut from. `name`: somebody's name."""

    text: str
    kind: Kind
    start: int
    end: int
    name: bool = False


@dataclass(frozen=True)
class _Here:
    """A word with what stands around it."""

    text: str
    tag: str
    found: list[Word]
    following: str
    second: str

    @property
    def after(self) -> Kind:
        return self.found[-1].kind if self.found else "stop"

    @property
    def bound(self) -> bool:
        """Whether an ending of a verb follows."""
        if self.following in ("上", "下", "中", "里", "前", "后") and self.after in ("noun", "measure"):
            several = len(self.second) > 1 and self.second not in words("verbs", "seen", "zh")
            return several or self.second in ("黑", "白", "红", "了")
        return self.following in words("verbs", "tails", "zh") - {"得"} or self.following[:1] in (
            "着",
            "了",
            "过",
        )


def words_of(text: str, names: Collection[str] = ()) -> list[Word]:
    """The words of a Chinese clause, each with its kind. Names and Latin words are kept whole."""
    raw = cut(text, names)
    found: list[Word] = []
    at = 0
    for i, (word, tag) in enumerate(raw):
        if tag == "eng" and word.startswith("and ") and found:
            found.append(Word("and", "conj", at, at + 3))
            at, word, tag = at + 4, word[4:], "name" if word[4:] in names else tag
        if word.strip():
            behind = [part[0] for part in raw[i + 1 : i + 3]] + ["", ""]
            here = _Here(word, tag, found, behind[0], behind[1])
            found.append(Word(word, _kind(here), at, at + len(word), tag == "name"))
        at += len(word)
    return found


def _kind(here: _Here) -> Kind:
    for rule in (_by_form, _by_place, _by_list):
        if kind := rule(here):
            return kind
    return _by_tag(here)


def _by_form(here: _Here) -> Kind | None:
    """Signs, names, Latin words, times; endings that follow a verb."""
    word = here.text
    if word in words("grammar", "time_ends", "zh") or (_DAY.fullmatch(word) and here.tag != "name"):
        return "time"
    if here.tag == "eng" and here.after in ("noun", "pronoun", "other") and _is_english_verb(here):
        return "verb"  # 老爷爷们 are playing mahjong
    if here.tag in ("name", "eng"):
        return "adverb" if word.lower() in words("grammar", "adverbs", "zh") else "noun"
    if not re.search(r"\w", word):
        return "conj" if word == "、" else "stop"
    if word.endswith(("的一声", "地一声")):
        return "adverb"
    if here.following == "地" and here.second[:1] not in ("边", "里", "上") and here.tag[0] in "nadvi":
        return "adverb"  # 小心地
    if word in ("一口气", "一口", "一眼") and here.after in ("verb", "tail"):
        return "measure"
    if word == "一个人" and here.after in ("noun", "pronoun"):
        return "adverb"
    if (word == "之" and here.following in _SIDES) or (
        word in _SIDES and here.found and here.found[-1].text == "之"
    ):
        return "behind"  # 雪山之巅
    if len(word) > 2 and word[-1] == "地" and here.tag in ("z", "d", "ad"):
        return "adverb"  # 重重地
    if len(word) > 2 and word[-1] == "地" and tagged(word[:-1])[0] == (word[:-1], "a"):
        return "adverb"  # 剧烈地
    if _POINTED.fullmatch(word) and here.tag[0] != "v":
        return "measure"
    if word == "正在" and here.following not in words("verbs", "seen", "zh") and _is_spot(here):
        return "prep"  # 正在门口
    if here.following.startswith("们") and here.tag[0] in "nvir":
        return "noun"  # 看守们
    if (
        here.after == "de"
        and len(word) == 2
        and word[0] in words("nouns", "body", "zh")
        and word[1] in "上下里"
    ):
        return "place"  # 蛹的背上
    if word == "得":
        return "get" if here.after in ("verb", "tail", "adj", "dull") else "other"
    if word in words("grammar", "pronouns", "zh"):
        return "pronoun"
    if word in words("grammar", "pointing", "zh"):
        return "measure"
    if here.after in ("verb", "tail") and _is_tail(here):
        return "tail"
    return None


def _is_english_verb(here: _Here) -> bool:
    """Whether English words behind a Chinese subject tell what it does."""
    if any(word.kind in ("verb", "dull", "prep") for word in here.found):
        return False
    first = tokens_of(f"They {here.text}")[1:2]
    return bool(first) and first[0].tag in ("VBP", "VBD", "VBZ") and first[0].text.islower()


def _is_spot(here: _Here) -> bool:
    following, second = here.following, here.second
    listed = words("nouns", "spots", "zh")
    return (
        following in listed
        or second[:1] in tuple("上里中下边旁外内前后")
        or _PLACE_WORD.fullmatch(following) is not None
    )


def _is_tail(here: _Here) -> bool:
    word, before = here.text, here.found[-1]
    if before.text[-1] in "在向往" and word not in ("了", "一起"):
        return False  # 照在满是泥沙的 …
    if len(word) == 2 and word[0] in "回进出上下" and word[1] in "家门屋楼" and len(before.text) == 1:
        return before.kind == "verb"  # 捧回家
    if word in ("向", "往") and len(before.text) > 1:
        return False  # 转身向 … 跑去
    if word == "在" and len(before.text) == 2 and before.text[1] in "身头腰手":
        return False  # 转身在黑板上画
    if word == "一起" and before.text == "在":
        return True
    if word in ("看", "望") and before.kind == "verb" and len(before.text) > 1 and not here.following:
        return True  # 回头看
    if word == "一" and here.following in ("看", "望", "瞧", "笑", "跳", "转", "听"):
        return True
    verb = next((other for other in reversed(here.found) if other.kind == "verb"), None)
    again = before.kind == "tail" and before.text in ("一", "了") and verb is not None
    if again and (word[0] == verb.text[0] or (before.text == "一" and len(word) == 1)):  # type: ignore[union-attr]
        return True  # 推了推, 抬头一看
    return word in words("verbs", "tails", "zh") or word in ("着", "了", "过")


def _by_place(here: _Here) -> Kind | None:
    """Words that are verbs, words of place or prepositions by what stands beside them."""
    word, after, following = here.text, here.after, here.following
    going = following.startswith(("着", "了", "过"))
    body = words("nouns", "body", "zh") | {"膀子"}
    if word in _POSTURE and following == "着" and (here.second[:1] in body or here.second in body):
        return "verb"  # 光着脚
    if word == "下" and following in ("进", "入", "到"):
        return "verb"  # 把面下进锅里
    counted = after == "measure" or here.tag == "q" or word == "个"
    if (
        word in _COUNTS
        and counted
        and not (word == "把" and here.found[-1].text[-1] in _COUNTS | {"节"})
        and after in ("measure", "dull", "verb", "tail")
        and re.match(r"\w", following)
    ):
        return "measure"
    if word in ("下", "声", "遍", "趟", "阵") and after == "measure":
        return "measure"  # 敲了第一下
    if (
        word == "新"
        and following[:1] in heads() | weak_heads()
        and (here.second + following[1:])[:1] in ("了", "着")
    ):
        return "adverb"  # 新开了一家
    if word == "顶" and after == "noun":
        return "behind"
    if word in words("places", "behind", "zh") and after in ("noun", "pronoun", "place") and not going:
        return "behind"
    if word == "下" and following == "得" and here.found and here.found[-1].text[-1:] in tuple("雨雪雾霜"):
        return "verb"
    if word == "跟" and following[:1] in ("在", "着", "上", "随"):
        return "verb"
    arrives = word in ("到", "来", "上", "下", "进", "出", "回", "过") and following == "了"
    if arrives and after in ("noun", "pronoun", "adverb"):
        return "verb"
    if word in ("给", "比", "叫") and (following in ("了", "着", "起来") or (word == "叫" and not following)):
        return "verb"
    if word == "地" and (following[:1] in ("边", "里", "上", "头") or here.second[:1] in ("边", "里", "上")):
        return "noun"
    if word in ("往前", "往后", "往回", "往上", "往下", "向前", "向后", "向上", "向下", "朝前"):
        return "adverb"
    if _MEASURE.fullmatch(following) and after == "measure" and word == "又":
        return "measure"  # 一座又一座
    if word in ("一样", "似的", "一般") and here.found:
        return "stop"
    return None


def _is_state(word: str) -> bool:
    """Whether a word tells how something is: 金黄, 圆圆, 亮晶晶."""
    doubled = 2 <= len(word) <= 3 and word[-1] == word[-2]
    return word in words("grammar", "adjectives", "zh") or (
        doubled and word[0] in words("grammar", "small_adjectives", "zh")
    )


def _by_list(here: _Here) -> Kind | None:
    word = here.text
    if word in _FIXED:
        return _FIXED[word]
    if word in words("verbs", "veils", "zh"):
        return "adverb" if word in ("能", "可以") and here.following in _SEEING else "veil"
    if re.fullmatch("越.越.", word):
        return "verb" if word[1] in heads() else "adj"
    if re.fullmatch(r"(.)来\1去|一(.)一\2", word):
        return "verb" if here.tag == "v" else "adj"
    if word in words("moods", "words", "zh") or _is_state(word):
        return "adj"
    if word in words("grammar", "adverbs", "zh"):
        return "adverb"
    if word in words("nouns", "no_verbs", "zh") or (word.endswith(_NOUN_ENDS) and len(word) > 2):
        return "noun"
    if word in words("nouns", "people", "zh"):
        return "noun"
    seen = words("verbs", "seen", "zh")
    trade = len(word) == 2 and word[1] in _OBJECTS and here.after in ("stop", "measure")
    if trade and here.following in words("nouns", "people", "zh"):
        return "noun"
    if (
        len(word) > 2
        and word.endswith(_TRADES)
        and word not in seen
        and here.tag[0] in "nil"
        and word[-2] not in "无"
    ):
        return "noun"  # 敲钟人
    if _LOUDLY.fullmatch(word) or (
        len(word) == 3 and word[1] in "了着" and word[0] in heads() | weak_heads()
    ):
        return "verb"
    if len(word) == 2 and word[0] == "小" and here.tag == "z":
        return "noun"  # 小胖
    if word in seen or any(word[:k] in seen for k in range(2, len(word))):
        return "verb"
    ends = len(word) == 2 and word[1] in "上下" and word[0] in heads() | weak_heads()
    if ends and _MEASURE.fullmatch(here.following):
        return "verb"
    if word in words("grammar", "prepositions", "zh"):
        return "prep"
    if word in words("grammar", "conjunctions", "zh"):
        return "conj"
    return "dull" if word in words("verbs", "unseen", "zh") else None


def _by_tag(here: _Here) -> Kind:
    word, tag, after = here.text, here.tag, here.after
    if word in words("places", "behind", "zh") and after in ("behind", "de"):
        return "behind"
    if len(word) == 1 and here.bound and _shows(here):
        return "verb"
    if len(word) == 1 and word in weak_heads() and after in ("noun", "adj", "measure", "de"):
        return "noun"
    if re.fullmatch("[门窗路巷村洞井街山谷港校院][口前边后外]", word):
        return "place"
    if any(word in words("places", part, "zh") for part in ("water", "land", "sky", "town", "indoors")):
        return "place" if word[-1] in "上里中下边旁外内前后" else "noun"
    if word[-1] in "上下" and word[0] in heads() | weak_heads() and after == "adverb" and len(word) == 2:
        return "verb"  # 重重地关上
    placed = tag in ("s", "f", "n", "ns", "nz") and word not in words("grammar", "no_place", "zh")
    if placed and len(word) > 1 and (_PLACE_WORD.fullmatch(word) or word in words("nouns", "spots", "zh")):
        return "place"
    if _AND_SO.fullmatch(word) and word[1] not in heads():
        return "adverb"  # 一左一右
    if (
        tag == "m"
        or (tag == "q" and after == "measure" and len(word) == 1)
        or (_MEASURE.fullmatch(word) and tag[0] != "n")
    ):
        return "measure" if len(word) > 1 or here.following not in heads() else "adverb"
    if tag in ("t", "tg"):
        return "time"
    if tag == "q" and after == "de":
        return "noun"  # 密密麻麻的根
    counted = after == "measure" and here.found[-1].text in ("个", "一个", "一声", "一阵")
    if counted and len(word) == 2 and not re.match(r"\w", here.following):
        return "noun"  # 打了个喷嚏
    if _shows(here):
        return "verb"
    if tag in ("d", "ad", "df", "o"):
        return "adverb"
    if word in words("grammar", "small_adjectives", "zh") or tag in ("a", "z", "b", "ag", "an"):
        return "adj"
    if tag[0] == "v" or tag in ("i", "l"):
        return "noun" if _is_object(here) or (word[-1] in _THINGS and len(word) > 1) else "dull"
    if tag in ("f", "s") and word in words("places", "behind", "zh"):
        return "behind"
    return "other" if tag in ("p", "c", "u", "y", "e", "uj", "uz", "ul", "ug", "ud", "uv") else "noun"


def _is_object(here: _Here) -> bool:
    """Whether what the segmenter takes for a verb is an object: 抬着担架, 鞠了一躬."""
    last = here.found[-1] if here.found else None
    ends = not re.match(r"\w", here.following)
    if last is None or here.tag in ("i", "l"):
        return False
    if last.kind == "measure" and (ends or here.tag == "vn"):
        return True
    if last.kind == "tail" and last.text == "着" and len(here.text) == 2:
        return True
    return len(here.text) == 1 and here.tag == "vn" and last.kind == "noun"


def _shows(here: _Here) -> bool:
    """Whether a word that no list holds is a verb that a camera sees, by its first character."""
    word, tag, after = here.text, here.tag, here.after
    head, rest = word[0], word[1:]
    if len(word) == 1:
        if head in weak_heads():
            return here.bound and after not in ("adj", "measure", "de")
        if tag[0] == "v" and here.bound and head not in heads() and here.following != "了":
            return after != "adj" and head not in words("verbs", "unseen", "zh")
        return head in heads() and (
            here.bound or (after not in ("adj", "de", "measure") and tag[0] in "vnzugpq")
        )
    if tag in ("a", "ad", "an", "z", "b"):
        return False
    if len(word) == 2 and head == rest and head in heads():
        return True
    tails = words("verbs", "tails", "zh")
    ending = (
        rest in tails
        or rest in ("着", "了", "过", "一" + head, "了" + head)
        or (rest[:1] == "了" and rest[1:] in tails)
    )
    if ending and rest[:1] == "了":
        return True  # 吞了下去
    if head in heads() and (ending or (tag[0] == "v" and len(word) <= 4)):
        return True
    return head in weak_heads() and ending and tag[0] == "v"
