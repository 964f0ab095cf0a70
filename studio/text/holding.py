"""What of a shot's time and weather holds on in the next one: its cues, weighed and added up."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.text.grounds import is_indoors
from studio.text.terms import pattern_of, table
from studio.text.told import is_scene

_HEAD = r"(?:^|[。！？；\n”.!?;]\s*)"
_START = rf"(?:{_HEAD}|[，,]\s*)"
_FIGURE = "[几数一二三四五六七八九十百千万两\\d]+"
_NEW_DAY = re.compile(
    rf"{_START}(?:到了?|在)?(?:第[二三四五六七八九十\d]+天|次日|翌日|隔天|转天|有一天|一天|这一?天|那一?天|某天|有一次|有一回|[\u4e00-\u9fff]{2}那天|上个?星期|上周|昨[天日]|前天)"
    rf"|{_FIGURE}(?:天|日|周|个?星期)(?:之?后|以后|过去)"
    r"|\b(?:next|following|one|another) (?:day|morning|night|evening|week)\b"
    r"|\b(?:days?|weeks?) (?:later|passed|went by)\b|\b(?:for|after) (?:\w+ )?(?:days|weeks)\b",
    re.IGNORECASE,
)
_NEXT_DAY = re.compile(
    r"第[二三四五六七八九十\d]+[天日]|次日|翌日|隔天|转天|第二[天日]"
    r"|[些几]个?(?:天|日子|星期|礼拜)|有一[天次回]|昨[天日晚夜]"
    rf"|{_FIGURE}(?:天|日|周|个?星期|夜)(?:之?后|以后|过去)"
    r"|一夜过去|一觉(?:睡到|醒来)|天[又]?(?:蒙蒙|刚刚?|快|渐渐|终于)?亮"
    r"|\b(?:next|following|another) (?:day|morning|night|evening|week)\b"
    r"|\b(?:days?|weeks?|nights?) (?:later|passed|went by)\b"
    r"|\b(?:by|in the|came the|came) (?:morning|dawn)\b",
    re.IGNORECASE,
)
_NEW_YEAR = re.compile(
    rf"许?多年(?:之?后|以后|过去)|{_HEAD}(?:去年|前年|如今|后来|现在|从前|很久以前|多年前|多少年了?)"
    r"|(?:公元前?|[一二12])[一二三四五六七八九〇零\d]{2,3}年|[百千万]多?年"
    rf"|{_FIGURE}(?:年|个月|个?世纪)(?:之?后|以后|过去|前)"
    r"|\b(?:months?|years?|centur(?:y|ies)) (?:later|passed|went by|ago)\b"
    r"|\b(?:for|after) (?:\w+ ){0,3}(?:months|years|centuries)\b|\bonce upon\b|\blong ago\b"
    r"|\b(?:in|of) (?:1\d|20)\d\d\b|(?:^|[.!?] )(?:Today|Nowadays|These days|To this day)\b"
    r"|\b(?:on|from|until) (?:the )?\d{1,2}(?:st|nd|rd|th)? (?:of )?"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
    re.IGNORECASE,
)


_DATED = re.compile(
    r"\d{1,2}月\d{1,2}[日号]|[一二三四五六七八九十]月[一二三四五六七八九十廿]{1,3}[日号]|星期[一二三四五六日天]"
    r"|周[一二三四五六日](?![\u4e00-\u9fff])"
    r"|第[一二三四五六七八九十\d]+[天日]|\bDay (?:\d|one|two|three|four|five|six)"
    r"|\d{1,2}(?:st|nd|rd|th)?,? (?:of )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? \d{1,2}\b"
    r"|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
)
_CARD = re.compile(
    r"[黑白纯]\w{0,2}(?:底|背景|屏|场)|标志|车标|品牌名|logo|字幕"
    r"|(?:white|black|blank|plain) (?:screen|background|marble|plinth)|title card|end card",
    re.IGNORECASE,
)
_OPENING = re.compile(r"窗|外面|屋外|门外|\b(?:windows?|outside|outdoors|porch|doorway)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Setting:
    """Where and when a shot plays, and in what weather."""

    environment: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    weather: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """A word of the shots before that may hold on, with its cues, each 0 to about 2."""

    word: str
    cues: Mapping[str, float]


@dataclass(frozen=True)
class Turn:
    """From the shots before (`past`) to the next: what that says of all that may hold on."""

    past: Sequence[Setting]
    cues: dict[str, float]

    def age(self, lists: Sequence[Sequence[str]], word: str) -> dict[str, float]:
        """For how many shots a word has held, as a cue."""
        count = 0
        for words in reversed(lists):
            if word not in words:
                break
            count += 1
        return {"age": math.log1p(count), "long_ago": float(count > 4)}

    def begun_inside(self, word: str) -> bool:
        """Whether weather was named in a shot under a roof: rain against the window."""
        first = next((past for past in self.past if word in past.weather), None)
        return first is not None and any(map(is_roofed, first.environment))


def turn_to(text: str, around: str, environment: Sequence[str], scene: str, past: Sequence[Setting]) -> Turn:
    """The turn from the shots before to one with this text; `scene` is a new place that its heading names."""
    last = past[-1].environment if past else ()
    inside, was_inside = any(map(is_roofed, environment)), any(map(is_roofed, last))
    flags = {
        "new_day": _NEW_DAY.search(text) is not None,
        "next_day": _NEXT_DAY.search(text) is not None,
        "new_year": _NEW_YEAR.search(text) is not None,
        "new_scene": bool(scene),
        "labelled": bool(around),
        "labelled_scene": bool(around) and is_scene(around) and not scene,
        "dated": _DATED.search(around) is not None,
        "card": _CARD.search(text) is not None,
        "inside": inside,
        "goes_in": inside and not was_inside,
        "goes_out": was_inside and not inside,
        "same_place": set(environment) == set(last),
        "new_place": not set(environment) & set(last),
        "nowhere": not environment,
        "window": _OPENING.search(text) is not None,
        "furnished": any(pattern_of("weather", "furnished", script).search(text) for script in ("zh", "en")),
    }
    return Turn(past, {name: float(flag) for name, flag in flags.items()})


def dated_heading(heading: str) -> bool:
    """Whether a heading is the date over a diary's day."""
    return _DATED.search(heading) is not None


def is_roofed(place: str) -> bool:
    """Whether no weather reaches a place."""
    return is_indoors(place) or any(
        pattern_of("weather", "roofs", script).search(place) for script in ("zh", "en")
    )


def strength(cues: Mapping[str, float], weight: Mapping[str, float]) -> float:
    """Log odds that a word holds on: above 0 it does."""
    return weight["bias"] + sum(weight.get(name, 0.0) * value for name, value in cues.items())


def kept(found: Sequence[Held], field: str) -> list[str]:
    """The words of a field that hold on."""
    weight: Mapping[str, float] = table("holding")[field]
    return [one.word for one in found if strength(one.cues, weight) > 0]
