"""Rules for wishes about things in the picture: what is added, taken away, changed, or does something."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache

from studio.edits.amounts import amount_of
from studio.edits.clauses import Clause
from studio.edits.concepts import pattern
from studio.edits.intents import FOLDER
from studio.edits.types import Amount, Wish
from studio.text.english import verb_forms
from studio.text.language import HAN

_WHOLE_OLD = re.compile(
    r"(?:the |this |that |whole |entire )?(?:it|this|that|everything|picture|video|clip"
        r"|scene|image|film|movie|画面|视频|片子|整体|整个|它|这个?|场景|全部|时间|天气|季节|风格|画风|颜色|色调|气氛|氛围|光线?"
        r"|style|time(?: of day)?|weather|season|mood|lighting|light|look|colou?rs?|镜头|视角"
        r"|camera|shot)"
)  # fmt: skip
_BACKGROUND = re.compile(
    r"(?:the )?(?:background|backdrop|location|setting|place|environment|surroundings"
    r"|scenery)|背景|地点|环境|场地|外景|景色"
)
_CONCEPT_VALUES = ("time", "season", "weather", "style", "light", "mood", "format", "camera")
# Words for the whole picture that tell of a thing how it looks.
_SCENE = ("style", "time", "season", "light", "camera", "text", "sound", "format")
_LOOKING = (
    "sharpness_more", "sharpness_less", "brightness_more", "brightness_less",
    "saturation_more", "saturation_less", "warmth_more", "warmth_less", "contrast_more",
)  # fmt: skip
_BARE_VERB = re.compile(
    r"(?:^|\b)(?:make|let|have|get|stop|tell) (?P<who>(?:the |an? |that |this |his |her "
    r"|those |these )?[a-z' -]+?) (?P<verb>[a-z]+)(?: .*)?$"
)
_SUBJECT_VERB = re.compile(
    r"^(?P<who>(?:the |an? |that |this |his |her )?[a-z' -]+?) (?:should|must|shall|could"
    r"|needs to|has to|can|to|starts? to|starts?|is|are|keeps?) (?:be |not |also |then "
    r"|slowly |quickly )*(?P<verb>[a-z]+)\b"
)


@cache
def _replaces() -> tuple[re.Pattern[str], ...]:
    """How it is said that one thing shall become another: each names `old`, `new`, or both."""
    rows = tomllib.loads((FOLDER / "replaced.toml").read_text(encoding="utf-8"))
    english = r"(?:(?:the|an?|some|that|this|his|her|its|their|those|these|my|our) )?[a-z][a-z' -]*?"
    names = {"en": english, "zh": rf"[{HAN}a-z ]+?"}
    counts = {"en": "", "zh": "(?:一?[只个条座棵朵匹头位片块艘把盏辆张件])?"}

    def compiled(row: str, script: str) -> re.Pattern[str]:
        row = re.sub(r"(?<!P)<(old|new)>", lambda name: f"(?P<{name[1]}>{names[script]})", row)
        return re.compile(row.replace("<a>", counts[script]))

    return tuple(compiled(row, script) for script in names for row in rows[script])


def replaced(clause: Clause) -> Sequence[Wish]:
    """One thing for another; by what comes instead it may be a colour, a place, a time …"""
    if clause.has("undo", "again") or (clause.has("trim_what") and clause.has("seconds")):
        return ()
    for expression in _replaces():
        if found := expression.search(clause.text):
            parts = found.groupdict()
            if wish := _instead(clause, (parts.get("old") or "").strip(), (parts.get("new") or "").strip()):
                return (wish,)
    return ()


def _instead(clause: Clause, old: str, new: str) -> Wish | None:
    """What it is that changes, by the old thing and the new one; None if that is no replacement."""
    if not new or len(new) > 60:
        return None
    value, before = Clause(new, clause.prompt), Clause(old, clause.prompt)
    if old and _BACKGROUND.fullmatch(re.sub(r"^把|^将", "", old)):
        if value.has("colour") and not value.things:
            return Wish("colour", clause.text, old, value=new)
        only = [name for name in ("time", "season", "weather", "style") if value.has(name)]
        return Wish(only[0] if only and not value.things else "place", clause.text, old, value=new)
    bare = re.sub(r"^把|^将|的$", "", old)
    if value.things and bare in (
        "",
        "it",
        "this",
        "that",
        "它",
        "这个",
        "那个",
        "主角",
        "主体",
        "the subject",
    ):
        return Wish("replace", clause.text, "", value=new) if not value.has("colour", *_SCENE) else None
    if value.things and bare in ("画面", "场景", "scene", "the scene"):
        return Wish("place", clause.text, value=new)
    whole = not old or bool(_WHOLE_OLD.fullmatch(re.sub(r"^把|^将|的$", "", old)))
    if not value.things:
        if value.has("colour") and before.things:
            return Wish("colour", clause.text, _named(before, old), value=new)
        return None
    if whole:
        return None
    if before.has("time", "season", "weather") and not before.things:
        found = next((name for name in ("time", "season", "weather") if value.has(name)), None)
        if found:
            return Wish(found, clause.text, value=new)
    if value.has("colour") and not _new_thing(value, before):
        return Wish("colour", clause.text, _named(before, old), value=new)
    if before.has("motion") and value.has("motion") and not clause.says(r"turn|transform|变"):
        return Wish("action", clause.text, before.thing, value=new)
    if value.has("number") and value.thing and value.thing.rstrip("s") in old:
        return Wish("count", clause.text, value.thing, value=new)
    if not old:
        return None if not clause.says("instead") else Wish("replace", clause.text, "", value=new)
    return Wish("replace", clause.text, _named(before, old), value=new)


def _new_thing(value: Clause, before: Clause) -> bool:
    """Whether the value names another thing besides its colour."""
    return any(thing not in before.text and not pattern("colour").fullmatch(thing) for thing in value.things)


def _named(clause: Clause, text: str) -> str:
    return clause.thing or re.sub(r"^(?:把|将|让)", "", text)


def about_things(clause: Clause) -> Sequence[Wish]:
    """What is asked of a thing that is named; nothing where none is."""
    things = clause.things
    if not things:
        return _of_the_subject(clause)
    intent = _intent(clause)
    if intent is None:
        return ()
    thing = _after_the_verb(clause) if intent == "add" else things[0]
    amount = amount_of(clause, _measured(clause)) if intent in ("attribute", "action", "count") else Amount()
    return (Wish(intent, clause.text, thing, value=_value(clause, intent), amount=amount),)


def _after_the_verb(clause: Clause) -> str:
    """What is added stands behind the word for it: 天上加一只鸟."""
    first = clause.marks("add")
    behind = [thing for thing in clause.things if first and clause.text.find(thing) >= first[0].start]
    return (behind or clause.things)[0]


def _of_the_subject(clause: Clause) -> Sequence[Wish]:
    """ "Make it red", "let it run", "wearing a hat": about whatever the clip is about."""
    if clause.has("colour"):
        other = clause.has("saturation", "too", "warmth", "light", "more", "less", "little")
        if not other and not clause.says(r"(?:er|ish)\b|偏|一[点些]|调|black and white|黑白"):
            return (Wish("colour", clause.text, value=clause.word("colour")),)
    if clause.says(r"\bwear|\bdressed|[穿戴]"):
        return (Wish("attribute", clause.text, value=clause.text),)
    if _acts(clause) and not clause.has(
        "speed_more", "speed_less", "length", "remove", "light", "camera", "chat"
    ):
        return (Wish("action", clause.text, value=clause.word("motion")),)
    return ()


def _acts(clause: Clause) -> bool:
    if not clause.has("motion"):
        return False
    if clause.chinese:
        return not clause.has("brightness", "loop", "reverse", "fade") and clause.word("motion") not in (
            "动",
            "停",
            "开",
            "看着",
        )
    return clause.says(
        r"\b(?:make|let|have) (?:it|this|that|everything)\b|^(?:running|walking|flying|jumping"
        r"|smiling|dancing|swimming|waving|sleeping|sitting|standing)"
    )


def _intent(clause: Clause) -> str | None:
    text = clause.text
    dressed = clause.says(
        r"\bwear|\bdressed in|\bwith (?:a|an|his|her) (?:\w+ )?(?:hat|beard|scarf|coat|smile"
        r"|crown|cape|dress|moustache|ponytail|glasses) ?(?:on)?\b|[穿戴披留]着?|\bgive (?:him"
        r"|her|them|the (?!scene|picture|video|image|clip|background)\w+)\b|\bput (?:an? "
        r")?\w+ on (?:him|her|it|them|his \w+|her \w+)$|给.{1,6}(?:穿|戴|加|换|披)"
    )
    if clause.has("remove") and not clause.says(r"^(?:don't|do not) remove"):
        return "remove"
    moving = _does(clause)
    if dressed and not clause.has("remove_weak"):
        return "attribute" if not (clause.has("colour") and clause.says(r"换成|改成|change")) else "colour"
    many = clause.says(r"(?:so|that|too) (?:many|much)|那么多|太多|这么多|no more than")
    if clause.has("remove_weak") and not moving and not many:
        looks = clause.says(r"不要(?:那么|这么|太)|not (?:so|that|too)|don't want .* (?:so|too|that) ")
        return "attribute" if looks else "remove"
    adds = _adds(clause) or clause.says(r"^一[只个条座棵朵匹头位片块艘把盏辆架](?!样|点)[^ ]{1,6}$")
    if adds and not moving:
        return "add"
    if _counts(clause) and not (moving and not adds):
        return "count"
    if moving:
        return "action"
    if adds:
        return "add"
    if clause.has("colour") and not clause.says(r"gold(?:en)? (?:light|hour)"):
        measure = clause.says(r"colou?rs?\b|颜色|色彩") and not pattern("colour").search(
            re.sub(r"colou?rs?|颜色", "", text)
        )
        faded = measure and clause.has(
            "brightness_more", "brightness_less", "saturation_more", "saturation_less"
        )
        return "attribute" if faded else "colour"
    if clause.has("looks", "mood", "speed_more", "speed_less", *_LOOKING):
        if clause.has("speed_more", "speed_less") and not clause.has("looks"):
            return "action"
        return "attribute"
    if (
        clause.has("place")
        or clause.says(r"^(?:in|at|on|inside|under)\b|^在|[里上中]$")
        or clause.says(r"(?:换|搬|移|放|改|去)到")
    ):
        return None
    if clause.has("more", "less") and not clause.has("light", "camera", "camera_weak"):
        return "count" if not clause.chinese and clause.says(r"\b(?:more|less)\b") else "attribute"
    return "add" if clause.says(r"^(?:some|an?|another) ") else None


def _adds(clause: Clause) -> bool:
    if not clause.has("add"):
        return False
    if clause.chinese:
        return not clause.says(r"加(?:快|速|强|大|深|长|亮|粗|宽|高)") or clause.says(r"加[一个只条点些]")
    return not (clause.says("instead") and clause.says(r"^(?:have|want|should|needs) "))


def _counts(clause: Clause) -> bool:
    if clause.chinese:
        return (
            clause.says(
                rf"(?:[两二三四五六七八九十几\d]+|一)[只个条座棵朵匹头位片块艘把盏辆架群名]|[{HAN}]{{1,8}}(?:再|更)?(?:多|少)(?:一?[点些]"
                rf"|了|几)|(?:多|少)(?:一?[点些几]|来)|太[多少]|很多|许多|好多|成群|一群|只[要有留]一|数量|单独一|更[多少]|不够多|[双]"
            )
            and not clause.says("一点$|一些$")
        ) or clause.says(r"(?:多|少)(?:一?[点些])|太[多少]|数量")
    return clause.says(
        r"\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|\d+|dozens?|several|many"
        r"|fewer|a few|couple|hundreds|thousands|lots of|a lot of|group of|flock of|herd "
        r"of|crowd of|countless|numerous|multiple|too many|not enough|only one|just one|single"
        r"|twice as many|pair of|double the number)\b(?! (?:seconds?|secs?|times|percent"
        r"|degrees|%))"
    ) or (
        clause.says(
            r"\b(?:more|less|additional|extra) (?:of (?:the|those|these) )?(?:\w+ )?[a-z]+(?: "
            r"(?:in|on|at|around|behind|over|near|under|everywhere)\b.*)?$"
        )
        and not clause.has("looks", "mood", "colour", "light", "motion", *_LOOKING)
    )


def _does(clause: Clause) -> bool:
    """Whether a thing does something in the clause: by its words, or by a verb that no list of ours has."""
    if clause.chinese:
        found = clause.marks("motion")
        if not found or clause.says(r"^(?:加|去掉|删|移除|添)"):
            return False
        at = clause.text.find(clause.thing)
        behind = any(mark.start >= at for mark in found) if at >= 0 else True
        return behind and not clause.says(
            r"(?:跑|飞|走|坐|站|跳|游|笑|开|奔跑|飞翔|行走)着?的[^ ]{1,4}"
            r"(?:换|改|去掉|删|变|红|多|少|大|小)"
        )
    found = clause.marks("motion")
    if found:
        at = clause.text.find(clause.thing)
        first = found[0]
        led = (
            clause.says(
                r"^(?:make|let|have|get|stop|i want|don't let|do not let|no)\b|\b(?:should|must|to"
                r"|is|are|keep|start)\b"
            )
            or first.start > at
        )
        modifies = clause.says(
            rf"\b(?:{'|'.join(re.escape(m.word) for m in found)}) {re.escape(clause.thing.split()[-1])}\b"
        )
        return bool(
            led and not modifies and not clause.says(r"^(?:add|put|remove|with|without|two|three|more)\b")
        ) or (first.start > at >= 0 and not clause.has("add", "remove"))
    for expression in (_BARE_VERB, _SUBJECT_VERB):
        if (verb := expression.search(clause.text)) and _is_verb(verb["verb"], clause):
            return True
    return False


def _is_verb(word: str, clause: Clause) -> bool:
    listed = word in verb_forms() and not clause.has("remove")
    other = Clause(word).has(
        "looks",
        "colour",
        "mood",
        "make",
        "whole",
        "more",
        "less",
        "brightness_more",
        "brightness_less",
        "add",
    )
    return listed and not other


def _measured(clause: Clause) -> str:
    """By which words the clause says more or less."""
    for name in ("brightness", "speed", "saturation", "sharpness"):
        if clause.has(f"{name}_more", f"{name}_less"):
            return name
    return ""


def _value(clause: Clause, intent: str) -> str:
    if intent == "colour":
        return clause.word("colour")
    if intent == "action":
        return clause.word("motion") or clause.word("speed_more", "speed_less")
    if intent == "count":
        return clause.word("number")
    if intent == "attribute":
        return _quality(clause)
    return ""


def _quality(clause: Clause) -> str:
    """The word for how the thing shall be: not one that is part of its name, as 老 is of 老虎."""
    names = ("looks", "mood", "speed_more", "speed_less", *_LOOKING)
    at = clause.text.find(clause.thing)
    end = at + len(clause.thing)
    found = clause.marks(*names)
    outside = [mark for mark in found if at < 0 or mark.end <= at or mark.start >= end]
    compared = [mark for mark in found if re.search(r"er$|^(?:more|less) ", mark.word)]
    chosen = compared or outside or ([] if clause.chinese else found)
    return chosen[0].word if chosen else ""
