"""Parts of a Chinese clause while it is read: its subject, places, and what only describes a noun."""

import re
from dataclasses import dataclass, field

from studio.text.chinese import Word
from studio.text.terms import table, words

# Endings of verbs behind which a place stands.
TO_PLACE = frozenset(("在", "到", "进", "向", "往", "上", "入", "过", "下", "出", "回", "离"))
_RELATIVE_REACH = 8


@dataclass
class Read:
    """A clause while it is read."""

    text: str
    words: list[Word]
    noun: list[Word] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    owner: str = ""
    actions: list[tuple[int, int]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    begin: int | None = None  # where the action that is being read begins
    kept: int | None = None  # where 把 … before a verb begins
    veiled: bool = False
    located: bool = False
    joined: bool = False
    on_body: bool = False
    part_of: str = ""  # whose body the place is that stands before the verb: 蛹 in 蛹的背上
    appears: bool = False
    verbal: bool = False

    @property
    def state(self) -> str:
        """What tells of the subject where nothing is seen to be done."""
        for word in self.words:
            if word.kind == "dull" and word.text not in ("看看", "试试"):
                return _kind_of_verb(word.text)
            if word.kind in ("adj", "veil", "verb"):
                return {"adj": "state", "veil": "mind", "verb": "verb"}[word.kind]
        return ""

    def kind(self, i: int) -> str:
        """Kind of the word at i, "" behind the last one."""
        return self.words[i].kind if 0 <= i < len(self.words) else ""


def _kind_of_verb(verb: str) -> str:
    if verb in ("是", "就是", "全是", "都是", "像", "变成", "成为"):
        return "be"
    if "有" in verb or verb[0] in "剩没":
        return "have"
    if verb in words("grammar", "says", "zh") or verb in words("verbs", "watching", "zh"):
        return "say"
    return "mind" if verb in words("verbs", "unseen", "zh") else "verb"


def end_action(read: Read, end: int) -> None:
    """The action that is being read goes up to `end`."""
    if read.begin is not None:
        read.actions.append((read.begin, end))
    read.begin = None


def take_subject(read: Read) -> None:
    """The nouns read so far are who acts."""
    if head := head_of(read.noun):
        read.subjects.append(head)
    read.noun = []


def head_of(nouns: list[Word]) -> str:
    """The noun that a run of words ends with: a name alone, else the run in one piece."""
    for word in reversed(nouns):
        if word.name:
            return word.text
    run: list[Word] = []
    for word in reversed(nouns):
        if run and (word.end != run[-1].start or "pronoun" in (word.kind, run[-1].kind)):
            break
        run.append(word)
    text = "".join(word.text for word in reversed(run))
    return re.sub(r"^(?:the|a|an)\s+", "", text.strip(), flags=re.IGNORECASE)


def add_place(read: Read, nouns: list[Word], behind: Word | None) -> None:
    """Note a place: the noun with its word of place."""
    if nouns and not nouns[-1].name:
        nouns = [word for word in nouns if not word.name]  # 小树苗头顶: the name is no place
    head = head_of(nouns)
    if read.veiled or not head or nouns[-1].kind == "pronoun":
        return
    end = behind.end if behind and behind.start == nouns[-1].end else nouns[-1].end
    read.places.append(bare_place(read.text[max(0, nouns[-1].end - len(head)) : end]))


def bare_place(place: str) -> str:
    """菜园 of 菜园里; short ones and those that mean more than their noun (树下, 河边) stay whole."""
    return place[:-1] if len(place) > 2 and place[-1] in "里中内上" else place


def located(read: Read, i: int) -> None:
    """A word of place behind a noun: the noun is where, not who."""
    if read.noun and read.begin is None and _is_body(read.noun[-1].text):
        read.part_of = read.owner
        read.on_body = True
    elif read.noun:
        if read.noun[-1].text not in ("天上", "天边", "空中", "半空"):
            add_place(read, read.noun, read.words[i])
        if read.begin is None:
            read.located = True
    elif read.begin is None and len(read.words[i].text) > 1 and not read.subjects:
        read.located = True  # 里面蜷着一个女孩
    read.noun = []


def destination(read: Read, i: int, ends: bool) -> int:
    """Read the place behind 走进, 站在 … from word i on; returns where to go on."""
    start = i
    nouns: list[Word] = []
    while i < len(read.words):
        word = read.words[i]
        if word.kind in ("verb", "dull") and (jump := relative(read, i)):
            nouns, i = [], jump
            continue
        if word.text == "最" and i == start:
            i = start = i + 1
            continue
        if word.kind not in (
            "behind",
            "place",
            "de",
            "measure",
            "noun",
            "pronoun",
            "adj",
            "time",
            "other",
            "conj",
        ):
            break
        i += 1
        if word.kind in ("behind", "place"):
            nouns = [*nouns, word] if word.kind == "place" else nouns
            if read.kind(i) != "de":
                break
        elif word.kind == "other":
            continue
        elif word.kind == "de":
            before = read.words[i - 2]
            if nouns and (before.kind in ("behind", "place") or (ends and before.kind == "noun")):
                # 桥头的伞摊后面: both are where it is.
                add_place(read, nouns, before if before.kind == "behind" else None)
            nouns = []
        else:
            nouns = [] if word.kind == "measure" else [*nouns, word]
    if i > start and nouns:
        add_place(read, nouns, read.words[i - 1] if read.words[i - 1].kind == "behind" else None)
    return i


def relative(read: Read, i: int) -> int:
    """If the verb at i only describes a noun (背书包的男孩), the place of that noun; else 0."""
    listed = read.words
    if read.kind(i) not in ("verb", "dull", "veil", "adverb"):
        return 0
    de = _de_after(listed, i)
    if de < 0 or read.kind(de + 1) not in ("noun", "adj", "measure", "pronoun", "time", "place"):
        return 0
    between = {word.kind for word in listed[i + 1 : de]}
    if between <= {"tail", "other", "adverb"} and listed[i].kind in ("verb", "dull"):
        return de + 1
    if between <= {"tail", "adj", "other", "adverb"}:
        return 0
    before = listed[i - 1] if i else None
    if before and (
        before.kind in ("measure", "prep")
        or before.text == "满"
        or (before.kind in ("tail", "verb") and before.text[-1] in TO_PLACE)
    ):
        return de + 1
    later = any(word.kind == "verb" for word in listed[de + 1 :])
    head = next((word.text for word in listed[de + 1 :] if word.kind == "noun"), "")
    return de + 1 if not read.noun and not read.subjects and later and _lives(head) else 0


def describes(read: Read, i: int) -> bool:
    """Whether the words from i on only tell more of the action's object: 踩下人类在火星上的第一个脚印."""
    listed = read.words
    de = max((k for k in range(i, len(listed)) if listed[k].kind == "de"), default=-1)
    if de < 0 or read.kind(de - 1) not in ("verb", "dull", "tail", "behind", "place") or de == i:
        return False
    if any(word.kind in ("stop", "veil", "get") for word in listed[i:]) or read.kind(de + 1) == "time":
        return False
    acts = [k for k in range(i, de) if listed[k].kind == "verb" and read.kind(k + 1) == "tail"]
    if any(k + 1 < de - 1 for k in acts) or any(word.text in TO_PLACE for word in listed[i + 1 : de - 1]):
        return False
    return all(
        word.kind in ("noun", "adj", "measure", "conj", "other", "adverb") for word in listed[de + 1 :]
    )


def to_the_end(read: Read, i: int) -> int:
    """The action goes on to the end of its clause; the places in it are noted."""
    for k in range(i + 1, len(read.words)):
        if read.kind(k) == "behind" and read.kind(k - 1) == "noun":
            add_place(read, [read.words[k - 1]], read.words[k])
    end_action(read, len(read.text))
    read.noun = []
    return len(read.words)


def _lives(noun: str) -> bool:
    listed = words("nouns", "people", "zh") | words("nouns", "animals", "zh")
    return noun in listed or (bool(noun) and noun[-1] in table("nouns")["people"]["endings"])


def _is_body(text: str) -> bool:
    listed = words("nouns", "body", "zh")
    return text in listed or text[:-1] in listed


def _de_after(listed: list[Word], i: int) -> int:
    """The 的 that belongs to the verb at i, before any other verb; -1 if there is none."""
    nouns = False
    for k in range(i + 1, min(len(listed), i + _RELATIVE_REACH)):
        if listed[k].kind == "de":
            return k
        if nouns and listed[k].text in ("被", "把", "将", "给", "让"):
            return -1  # 七名徒步爱好者被困在河中央的巨石上
        nouns = nouns or listed[k].kind == "noun"
        if listed[k].kind in ("verb", "stop") or (listed[k].kind == "prep" and listed[i].kind != "adverb"):
            return -1
    return -1
