"""When a shot plays and in what weather: what its text names, and what still holds from the shot before."""

import re
from collections.abc import Sequence

from studio.text.framing import longest
from studio.text.holding import Held, Turn, dated_heading, kept
from studio.text.terms import SCRIPTS, find, pattern_of, table

_SETS = (
    r"(?:had |has |was |is |were )?(?:just |already |barely )?(?:set|sets|setting|rose|rises|risen|rising"
    r"|went down"
    r"|gone down|goes down|going down|came up|comes up|come up|coming up|sank|sinks|sinking|dipped|low)"
)
_SUN = re.compile(
    r"(?:太阳|日头|红日|夕阳)(?:一|刚刚?|还没|快|已经|渐渐|慢慢|终于|就|正|才|从[^，。]{1,8})*(?:要)?"
    r"(?:出来|升起来?|升高|下山|落山|落下山|西斜|偏西|西沉|出山|露头|冒出来)"
    r"|天(?:色)?(?:还没|刚刚?|快|蒙蒙|麻麻|灰蒙蒙|已经|渐渐|微微|完全|一|将|大|全|早)*(?:亮|黑)(?![色白乎])(?:了|透|下来)?"
    r"|天边?(?:泛|发)(?:白|起鱼肚白)|傍黑|擦黑"
    rf"|(?:(?<=as )|(?<=when )|(?<=until )|(?<=before )|(?<=after )|(?<=once ))the sun {_SETS}\b",
    re.IGNORECASE,
)
_SUN_TELLS = re.compile(rf"\b(?:sun|moon) {_SETS}\b", re.IGNORECASE)
_DATE = re.compile(r"\d{1,2}(?:st|nd|rd|th)? (?:of )?$")
_DATE_BEHIND = re.compile(r" \d{1,2}(?:st|nd|rd|th)?\b(?!\d)")
_SCENE_TIME = re.compile(
    r"(?:^|[\s\-–—.·，,])(?P<day>日|夜|晨|昏|DAY|NIGHT|DAWN|DUSK|MORNING|EVENING|AFTERNOON)"
    r"(?=\s*$|\s*[（(]|[\s/／·.，,]+[内外])",
    re.IGNORECASE | re.MULTILINE,
)
# A time of day before what happens then (07:40 …); from 0:00 on, figures count a film's seconds.
_HOUR = re.compile(r"^\W*(?P<hour>(?:0?[5-9]|1\d|2[0-3])[:：][0-5]\d)(?!\s*[-–—~至到:：]|\d)", re.MULTILINE)
_MONTH_OF_A_DATE = re.compile(r"[一二三四五六七八九十廿\d]{1,3}[日号]")
_SIMILE = re.compile(
    r"(?:像|如|好像|仿佛|如同|宛如)[^，。；]{1,12}(?:一样|似的|一般|般)?"
    r"|\bas \w+ as (?:an? |the )?\w+(?: \w+)?|\blike (?:an? |the )?\w+",
    re.IGNORECASE,
)
_THOUGHT = re.compile(
    r"(?:想着|想起|想到|希望|盼望|盼着|喜欢|梦见|听说|据说|比得上|提醒|将(?=持续|于|在|会|到))[^。！？\n]*"
    r"|\b(?:thought|thinks?|remember(?:s|ed)?|likes|liked|loves?|loved|wish(?:es|ed)?|hop(?:es?|ed)"
    r"|dream(?:s|t|ed)?|wonder(?:s|ed)?|wait(?:s|ed|ing)? for|will|if)\b[^.!?;\n]*",
    re.IGNORECASE,
)
_SUN_SHINES = re.compile(
    r"\bsun (?:is|was|came|comes|shines?|shone|beats?|blaze[sd]?|pours?|streams?)\b"
    r"(?! (?:set|down|gone|low|rising|setting))"
)
_TITLE = re.compile(r"^《.*》$", re.MULTILINE)
_LIGHTS = frozenset(("夕阳", "落日", "暮色", "夜色", "夕照", "白昼", "白日"))
_GO_TOGETHER = frozenset(("wind", "cold", "thunder"))
_LATE = ("傍晚", "黄昏", "晚", "夜", "日落", "夕", "evening", "dusk", "sunset", "night", "twilight")


def thoughts_out(text: str) -> str:
    """The text without what is only thought of, liked or foretold: no time or weather of the shot."""
    return _THOUGHT.sub(" ", text)


def time_of(text: str, around: str, turn: Turn, headed_scene: bool) -> list[str]:
    """Season or festival, and time of day: those named, and those of the shot before that hold on."""
    day, season = _named(text)
    loose = [m.group() for m in _SUN.finditer(text)]
    clock = [m["time"] for script in SCRIPTS for m in pattern_of("times", "clock", script).finditer(text)]
    hours = [m["hour"] for m in _HOUR.finditer(around)] if not clock else []
    headed = _named(around)[0] or hours or [m["day"] for m in _SCENE_TIME.finditer(around)]
    if headed_scene and headed and not day:
        loose = []
    day = _without_lights(longest([*day, *loose, *clock])) or headed
    season = season or _named(around)[1]
    last = turn.past[-1].time if turn.past else ()
    shines = _SUN_SHINES.search(text) is not None
    found: list[Held] = []
    for word in last:
        lasting = _is_season(word)
        if season if lasting else day or season or (shines and _is_dark(word)):
            continue
        own = {
            "season": lasting,
            "day_named": lasting and bool(day),
            "night": not lasting and _is_late(word),
            "sun": not lasting and shines,
            "new_day_of_season": lasting and turn.cues["new_day"] > 0,
        }
        age = turn.age([past.time for past in turn.past], word)
        found.append(Held(word, turn.cues | age | {name: float(flag) for name, flag in own.items()}))
    held = kept(found, "time")
    phases = {_phase(word) for word in held if not _is_season(word)}
    if not day:
        signs = [f.word for f in find(text, "times", "signs")] + _SUN_TELLS.findall(text)
        day = [word for word in signs if _phase(word) not in phases][:1]
    held_season = [word for word in held if _is_season(word)]
    return [*(season or held_season), *(day or [word for word in held if word not in held_season])]


def _without_lights(day: list[str]) -> list[str]:
    """Times of day less the light by which one shows that is named too: 傍晚 says more than 夕阳."""
    return [word for word in day if word not in _LIGHTS or len(day) == 1]


def _named(text: str) -> tuple[list[str], list[str]]:
    """(times of day, seasons and festivals) that a text names; "winter night" gives both."""
    times = find(text, "times", "day", "season")
    found = [f.word for f in times]
    day = [word for word in found if not _is_season(word)]
    season = [f.word for f in times if _is_season(f.word) and not _MONTH_OF_A_DATE.match(text, f.end)]
    season += [f.word for word in day if " " in word for f in find(word, "times", "season")]
    for one in find(text, "times", "months"):
        # A month with a day's figure is a date and does not show.
        if text[: one.start].lower().endswith(("since ", "自从", "从")):
            continue
        dated = _DATE.search(text[: one.start]) or _DATE_BEHIND.match(text, one.end)
        if one.word[0].isupper() and not dated:
            season.append(one.word)
    return day, longest(season)


def weather_of(text: str, around: str, time: Sequence[str], turn: Turn, outside: Sequence[str]) -> list[str]:
    """Weather by its words, one of a kind, and what holds on of the shot before or the last one `outside`."""
    named, over = _weather_named(text, around)
    last = turn.past[-1].weather if turn.past else ()
    kinds = set(map(_kind, named))
    found: list[Held] = []
    before = turn.past[-1].time if turn.past else ()
    changed = bool(turn.past) and list(time) != list(before)
    for word in dict.fromkeys((*last, *outside)):
        kind = _kind(word)
        # No rain lasts from one year to another.
        if kind in kinds or kind in over or turn.cues["new_year"]:
            continue
        own = {
            "over": bool(over),
            "named_too": bool(named),
            "contrary": _contrary(kind, kinds),
            "moment": word.lower() in _moments(),
            "time_changed": changed,
            "dawned": _dawned(before, time),
            "time_begun": changed and not before,
            "wind_elsewhere": kind == "wind" and turn.cues["new_place"] > 0,
            "left_outside": word not in last,
            "begun_inside": turn.begun_inside(word),
        }
        age = turn.age([past.weather for past in turn.past], word)
        found.append(Held(word, turn.cues | age | {name: float(flag) for name, flag in own.items()}))
    return _one_a_kind([*kept(found, "weather"), *named])


def _weather_named(text: str, around: str) -> tuple[list[str], set[str]]:
    """Weather that a text names, else its heading, and the kinds of which it says that they are over."""
    plain = _SIMILE.sub(lambda m: " " * len(m.group()), text)
    over: set[str] = set()
    for script in SCRIPTS:
        for end in pattern_of("weather", "over", script).finditer(plain):
            plain = plain[: end.start()] + " " * len(end.group()) + plain[end.end() :]
            over.add(_kind(end.group()))
    named = [(f.start, f.word) for f in find(plain, "weather", "words")]
    named += [(f.start, f.word) for f in find(plain, "weather", "patterns", free=True)]
    words = longest([word for _, word in sorted(named)])
    titled = around if dated_heading(around) else _TITLE.sub("", around)
    headed = [f.word for f in find(titled, "weather", "words")]
    headed += [f.word for f in find(titled, "weather", "patterns", free=True) if not headed]
    # A diary's date tells of the whole day, a scene's heading only what the scene itself leaves open.
    return _one_a_kind([*words, *headed] if dated_heading(around) else words or headed), over


def _contrary(kind: str, named: set[str]) -> bool:
    """Whether weather of a kind is over where these kinds are named: no fog in the rain."""
    return kind not in _GO_TOGETHER and bool(named - _GO_TOGETHER)


def _moments() -> frozenset[str]:
    return frozenset(table("weather")["families"]["moment"].split())


def _phase(word: str) -> str:
    """Which part of the day a word means: morning, evening, night, or "" for broad daylight."""
    phases = table("times")["phases"]
    return next((name for name, signs in phases.items() if re.search(signs, word, re.IGNORECASE)), "")


def _dawned(before: Sequence[str], time: Sequence[str]) -> bool:
    """Whether a new day has begun: evening or night before, morning now."""
    then, now = set(map(_phase, before)), set(map(_phase, time))
    return bool(then & {"evening", "night"}) and "morning" in now and "night" not in now


def _is_dark(word: str) -> bool:
    return _phase(word) == "night"


def _is_late(word: str) -> bool:
    return any(sign in word.lower() for sign in _LATE)


def _kind(word: str) -> str:
    """The kind of weather a word speaks of; the word itself if it is of none."""
    families = table("weather")["families"]
    for kind, signs in families["zh"].items():
        if any(sign in word for sign in signs):
            return str(kind)
    for kind, stems in families["en"].items():
        if any(stem in word.lower() for stem in stems.split()):
            return str(kind)
    return word


def _one_a_kind(found: Sequence[str]) -> list[str]:
    kept: dict[str, str] = {}
    for word in found:
        kept.setdefault(_kind(word), word)
    return list(kept.values())


def _is_season(word: str) -> bool:
    return bool(find(word, "times", "season", "months", free=True)) and not find(
        word, "times", "day", free=True
    )
