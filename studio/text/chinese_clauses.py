"""Reading Chinese clauses: subject before the verb, each visible verb with its object, places."""

import re
from collections.abc import Collection

from studio.text.chinese import Word, words_of
from studio.text.chinese_parts import (
    TO_PLACE,
    Read,
    add_place,
    describes,
    destination,
    end_action,
    head_of,
    located,
    relative,
    take_subject,
    to_the_end,
)
from studio.text.clause import Clause
from studio.text.terms import words

# Before a verb they belong to what is done: 把灯笼挂在墙上.
_KEPT = frozenset(("把", "将", "给", "往"))
_GOES = frozenset(("去", "来", "到", "回", "去往", "来自"))
_IS_THERE = frozenset(
    ("有", "已有", "共有", "只有", "还有", "只剩", "剩", "剩下", "没有", "是", "全是", "都是", "就是")
)
_SEES = frozenset(("只见", "看见", "看到", "见", "听见"))
_APPEARS = re.compile(
    r"出现|[走跑飞开驶传飘涌游滚爬跳冲打]来|[冒钻露浮驶飞跑走爬跳]出|浮现|现身|降临|[落下刮响亮升放飘][下起着]"
    r"|[坐站躺停挂蹲趴摆放长亮飘点开住立躲藏睡卧跪倒歪堆晾插贴漂泊]着|铺开|铺着|来了"
)
# Stands there, hangs there: who does it comes into view, but nothing is done.
_STANDS = re.compile(r"[挂放摆长飘亮点开戴穿披铺][着满]")
_COMPARED = frozenset(("一样", "不一样", "不同", "相同", "相似", "似的", "有关", "无关", "差不多"))
# Ends of words for spots: 桥头, 城门口, 街角.
_SPOT = re.compile(
    r"(?:[桥村街巷路枝床船炕田山墙]头|[门洞城巷路谷村街井窗]口|[街墙屋桌床]角|[路河湖海池溪床窗街墙桌岸]边|[屋山树楼]顶|[河湖江]畔)$"
)
_ON_BODY = re.compile(r"[怀手嘴肩头脸眼心身腰背腿脚脖耳睫][\u4e00-\u9fff]?[里上中]$")
_TRIM = " \u3000，,。！？；：、…—“”\"'"


def clauses_of(sentence: str, names: Collection[str]) -> list[Clause]:
    """What each clause of a Chinese sentence shows; clauses that show nothing are left out."""
    if re.search(r"[？?]\W*$", sentence):
        return []  # what is only asked is not seen
    found = []
    for part in re.split(r"[，,；;：:。！!…—～~\n]+", sentence):
        if part.strip():
            clause = _clause(part, names)
            if clause.subjects or clause.actions or clause.places or clause.owner:
                found.append(clause)
    return found


def _clause(text: str, names: Collection[str]) -> Clause:
    read = Read(text, words_of(text, names))
    i = 0
    while i < len(read.words):
        i = _step(read, i)
    end_action(read, len(text))
    named = not read.verbal and not read.veiled and (not read.subjects or read.joined)
    if named:
        take_subject(read)
    if not read.subjects and read.part_of and read.actions:
        read.subjects.append(read.part_of)
    counted = read.subjects and re.search(
        rf"[一两三几][\u4e00-\u9fff]{{1,2}}{re.escape(read.subjects[0])}", text
    )
    return Clause(
        subjects=tuple(dict.fromkeys(read.subjects)),
        owner=read.owner or ("a" if counted else ""),
        actions=tuple(dict.fromkeys(_phrase(text[start:end]) for start, end in read.actions)),
        places=tuple(dict.fromkeys(read.places)),
        appears=read.appears,
        named=named and bool(read.subjects),
        state="" if read.actions else read.state,
    )


def _phrase(action: str) -> str:
    action = re.sub(r"(?:吗|呢|吧|啊|呀|的)+$", "", action.strip(_TRIM))
    return (
        re.sub(r"(?<=[\u4e00-\u9fff])[去来]$", "", action)
        if action[:2] in ("伸手", "弯腰", "起身", "转身")
        else action
    )


def _step(read: Read, i: int) -> int:
    """Read the word at i; returns where to go on."""
    word = read.words[i]
    if word.kind in ("adverb", "dull", "prep") and read.begin is not None and describes(read, i):
        return to_the_end(read, i)
    if word.kind == "verb":
        return _verb(read, i)
    if word.kind == "prep":
        return _preposition(read, i)
    if word.kind in ("dull", "veil"):
        return _dull(read, i)
    if word.kind == "measure" and read.begin is None:
        return _measure(read, i)
    if word.kind == "get" and read.begin is not None:
        end_action(read, len(read.text))
        return len(read.words)
    _nominal(read, i)
    return i + 1


def _nominal(read: Read, i: int) -> None:
    """Nouns and what stands around them."""
    word = read.words[i]
    before_verb = read.begin is None and not read.verbal
    if (
        word.kind == "noun"
        and before_verb
        and _SPOT.search(word.text)
        and not read.noun
        and _holds(read, i + 1)
    ):
        read.noun.append(word)
        located(read, i)
    elif word.kind in ("noun", "pronoun"):
        read.noun.append(word)
    elif word.kind == "time":
        if word.text in words("grammar", "time_ends", "zh"):
            end_action(read, word.start - (read.kind(i - 1) == "de"))  # 擦衬衫的时候
        read.noun = []
    elif word.kind in ("place", "behind"):
        read.noun += [word] if word.kind == "place" else []
        located(read, i)
    elif word.kind == "stop":
        read.veiled, read.noun = False, []  # 像 … 一样 is over
    elif word.kind == "de":
        if read.noun and not read.verbal:
            read.owner = head_of(read.noun)
        if read.noun and read.noun[-1].kind == "noun":
            add_place(read, read.noun, None)
        if read.begin is None:
            read.noun = []
    elif word.kind == "adj":
        if read.kind(i + 1) == "de":
            read.noun = []  # 豆大的雨点
        elif read.kind(i + 1) in ("noun", "adj", "place") and len(word.text) == 1:
            read.noun.append(word)
        elif read.noun and before_verb:
            take_subject(read)
    elif word.kind == "adverb":
        end_action(read, word.start)
        if read.noun and before_verb:
            take_subject(read)
    elif word.text in ("、", "and") and read.noun and read.begin is None:
        take_subject(read)


def _holds(read: Read, i: int) -> bool:
    """Whether a verb follows that tells what is there: 桥头歪着一辆骡车, 枝头挂满了小棒子."""
    if read.kind(i) != "verb":
        return False
    after = i + 1
    while read.kind(after) == "tail":
        after += 1
    run = read.text[read.words[i].start : read.words[after - 1].end]
    return run[-1] in "着满" or (
        (run[-1] == "了" and run[:-1][-1] in "来满多")
        and read.kind(after)
        in (
            "measure",
            "adj",
            "noun",
        )
    )


def _measure(read: Read, i: int) -> int:
    if jump := relative(read, i + 1):
        return jump
    following = read.words[i + 1].text if i + 1 < len(read.words) else ""
    if following == "人" and read.noun and (read.noun[-1].kind == "pronoun" or read.noun[-1].name):
        return i + 2  # 我一个人
    if read.noun and not read.verbal and not read.subjects:
        take_subject(read)
    read.noun = []
    return i + 1


def _verb(read: Read, i: int) -> int:
    before = read.words[i - 1].text[-1] if read.kind(i - 1) in ("tail", "verb") else ""
    may_describe = read.begin is None or read.noun or before in TO_PLACE or read.kind(i - 1) == "measure"
    if may_describe and (jump := relative(read, i)):
        return jump
    if not i and read.kind(1) == "de" and read.kind(2) in ("adverb", "prep", "verb"):
        read.noun = [read.words[0]]
        return 2  # 舞狮的忽然朝镜头扑过来
    word = read.words[i]
    start = read.kept if read.kept is not None else word.start
    end_action(read, start)
    if not read.verbal:
        take_subject(read)
    read.noun, read.verbal, read.kept = [], True, None
    tail = i + 1
    while read.kind(tail) == "tail":
        tail += 1
    if read.veiled:
        return tail
    read.begin = start
    whole = read.text[word.start : read.words[tail - 1].end]
    if _watches(word.text, whole):
        end_action(read, len(read.text))
        return len(read.words)
    if read.located and not read.subjects and not read.owner and _is_new(read, tail, whole):
        return _appearing(read, tail)  # 茶汤里映出一座青山
    if (read.located or read.on_body) and _STANDS.search(whole):
        read.begin = None
    comes = read.located or read.kind(tail) == "measure"
    if comes and not read.subjects and not read.owner and not read.on_body and _APPEARS.search(whole):
        return _appearing(read, tail)
    if read.kind(tail) and (
        whole.rstrip("了着")[-1:] in TO_PLACE
        or (whole[0] in "到进过穿越翻离照晒洒笼罩映" and whole[:2] not in ("穿着", "穿上"))
    ):
        return destination(read, tail, word.text[0] in words("grammar", "stays_or_goes", "zh"))
    return tail


def _is_new(read: Read, tail: int, whole: str) -> bool:
    """Whether what stands behind the verb at a place is there or comes: a thing, and nothing done to it."""
    if _ON_BODY.search(read.text[: read.words[tail - 1].start].removesuffix(whole[:1])):
        return False  # 怀里抱着头盔
    if len(whole) < 2 or not re.search(r"(?:[着满出]|满了|[来去]了?|起了?)$", whole):
        return False
    if whole[-1] in "着了" and read.kind(tail) not in ("measure", "adj", "noun"):
        return False
    behind = [read.kind(k) for k in range(tail, len(read.words))]
    return (
        behind[:1] in (["measure"], ["adj"], ["noun"], ["adverb"])
        and "noun" in behind
        and ("verb" not in behind or "de" in behind)
    )


def _watches(verb: str, whole: str) -> bool:
    watching = words("verbs", "watching", "zh")
    return verb in watching or whole in watching


def _appearing(read: Read, i: int) -> int:
    """What follows the verb is what comes into view: 飞来一只大鸟."""
    while read.kind(i) in ("measure", "adj", "de", "noun", "pronoun", "other", "conj", "dull", "verb"):
        word = read.words[i]
        if word.kind in ("dull", "verb") and not describes(read, i):
            break
        if word.kind in ("de", "dull", "verb"):
            read.noun = []
        elif word.kind in ("noun", "pronoun") or (word.kind == "adj" and len(word.text) == 1):
            read.noun.append(word)
        i += 1
    if read.noun:
        take_subject(read)
        read.appears = True
    return i


def _preposition(read: Read, i: int) -> int:
    word = read.words[i]
    joins = word.text in words("grammar", "joining", "zh") and read.noun and read.begin is None
    if joins and not any(other.text in _COMPARED for other in read.words[i:]):
        take_subject(read)  # 和 between two nouns: both act
        read.joined = True
        return i + 1
    if word.text in ("让", "叫", "使"):
        return _causes(read, i)
    if read.begin is None and read.noun and not read.verbal:
        take_subject(read)
    end_action(read, word.start)
    if word.text in _KEPT:
        read.kept = word.start
    return _object(read, i + 1, word.text in words("grammar", "leading", "zh"))


def _causes(read: Read, i: int) -> int:
    behind = read.words[i + 1] if i + 1 < len(read.words) else None
    if read.words[i].text == "叫" and behind and behind.name:
        read.noun = [behind]  # 一个叫夸父的
        take_subject(read)
        read.appears = True
        return i + 2
    take_subject(read)
    read.veiled = True
    return i + 1 + (behind is not None and behind.text == "人")


def _object(read: Read, i: int, leads: bool) -> int:
    """Past the noun of a preposition; `leads`: it is where we are."""
    nouns: list[Word] = []
    behind: Word | None = None
    while i < len(read.words):
        here = read.words[i]
        if here.kind in ("verb", "dull"):
            jump = relative(read, i)
            if not jump:
                break
            nouns, i = [], jump
            continue
        if here.kind in ("prep", "adverb", "dull", "veil", "stop"):
            break
        i += 1
        if here.kind in ("behind", "place"):
            behind = here if here.kind == "behind" else behind
            nouns += [here] if here.kind == "place" else []
            if read.kind(i) not in ("de", "behind"):
                break
        elif here.kind == "de":
            if behind and nouns and leads:
                add_place(read, nouns, behind)
            nouns, behind = [], None
        elif here.kind in ("noun", "pronoun") or (here.kind == "adj" and len(here.text) == 1):
            nouns.append(here)
    if nouns and leads:
        add_place(read, nouns, behind)
    return i


def _dull(read: Read, i: int) -> int:
    """A verb that shows nothing: what stands before it is still the subject."""
    word = read.words[i]
    if read.begin is None and (jump := relative(read, i)):
        return jump
    if _is_doer(read, i):
        read.noun = [word]
        return i + 1
    end_action(read, word.start)
    if word.kind == "veil":
        if not read.verbal:
            take_subject(read)
        read.veiled, read.noun = True, []
        if word.text == "没有" and i and read.words[i - 1].text == "也":
            read.places = []  # 水里也没有月亮
        return i + 1
    sees_somebody = word.text in _SEES and read.kind(i + 1) == "pronoun"
    if word.text in _IS_THERE | _SEES | _GOES and not sees_somebody:
        return _there(read, i)
    if not read.verbal:
        take_subject(read)
    read.noun = []
    if word.text in ("住", "住在", "住着", "位于", "坐落") and read.words[i + 1 : i + 2]:
        read.verbal = True
        return destination(read, i + 1 + (read.words[i + 1].text == "在"), True)
    if word.text in words("grammar", "says", "zh"):
        read.verbal = True
        return len(read.words)
    read.verbal = word.text not in ("引得", "使", "令")
    return i + 1


def _is_doer(read: Read, i: int) -> bool:
    """Whether what the segmenter takes for a verb is who acts: 露水 in 露水溅起."""
    word = read.words[i]
    if word.kind != "dull" or len(word.text) != 2 or read.noun or read.subjects or read.verbal:
        return False
    if word.text in words("verbs", "unseen", "zh") or word.text[0] in "没不未别要想能会把将被":
        return False
    opens = not i or read.kind(i - 1) in ("time", "stop")
    return opens and (
        read.kind(i + 1) == "verb" or (read.kind(i + 1), read.kind(i + 2)) == ("adverb", "verb")
    )


def _there(read: Read, i: int) -> int:
    """Being, being there, seeing, going: what follows is who is there, or where."""
    word = read.words[i]
    if read.noun and not read.verbal and word.text not in _SEES | {"有", "还有", "只有"}:
        take_subject(read)
    read.noun = []
    i += 1
    while read.kind(i) in ("tail", "other"):
        i += 1
    if word.text in _GOES:
        return destination(read, i, True)
    if word.text in _SEES - {"只见"} and not any(
        other.kind in ("verb", "prep", "dull") for other in read.words[i:]
    ):
        return len(read.words)
    return i
