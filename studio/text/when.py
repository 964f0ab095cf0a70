"""When a shot plays and in what weather: what its text names, and what still holds from the shot before."""

import re
from collections.abc import Sequence

from studio.text.framing import longest
from studio.text.terms import find, pattern_of, table

_HOUR = "(?:\\d{1,2}(?::\\d\\d)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_DIGIT = "[\\d一二三四五六七八九十两]{1,3}"
_CLOCK = re.compile(
    rf"(?<!指着)(?:[今昨当][晚早夜]|早上|清晨|上午|中午|下午|傍晚|晚上|凌晨|深夜|夜里|午夜)?"
    rf"{_DIGIT}点(?:[半整钟]|[一三]刻|{_DIGIT}分)?(?=[，。、 ]|$)"
    rf"|\b(?:at|by|around|until|before|after) (?:half past |quarter (?:past|to) )?(?P<en>{_HOUR}"
    r"(?: (?:o'clock|in the (?:morning|afternoon|evening)))?(?: ?[ap]\.m\.| ?[ap]m\b)?)"
    r"(?=[,.;!]|$| and| because| the| we| he| she| i\b)",
    re.IGNORECASE,
)
_RISES = "(?:set|sets|rose|rises|went down|goes down|came up|comes up)"
_SUN = re.compile(
    r"太阳(?:刚|还没|快|已经|渐渐|慢慢)?(?:要)?(?:出来|升起|下山|落山|西斜|偏西|出山)"
    r"|天(?:还没|刚|快|蒙蒙|已经|渐渐|微微|完全)*(?:亮|黑)(?:了|透)?"
    rf"|(?<=as )the sun {_RISES}|(?<=when )the sun {_RISES}",
    re.IGNORECASE,
)
_HEAD = r"(?:^|[。！？；\n”.!?;]\s*)"
_START = rf"(?:{_HEAD}|[，,]\s*)"
_FIGURE = "[几数一二三四五六七八九十百千万两\\d]+"
_NEW_DAY = re.compile(
    rf"{_START}(?:到了?|在)?(?:第[二三四五六七八九十\d]+天|次日|翌日|隔天|转天|有一天|一天|这天|那天|某天|有一次|有一回|[\u4e00-\u9fff]{2}那天|上个?星期|上周|昨[天日]|前天)"
    rf"|{_FIGURE}(?:天|日|周|个?星期)(?:之?后|以后|过去)"
    r"|\b(?:next|following|one|another) (?:day|morning|night|evening|week)\b"
    r"|\b(?:days?|weeks?) (?:later|passed|went by)\b|\b(?:for|after) (?:\w+ )?(?:days|weeks)\b",
    re.IGNORECASE,
)
_NEW_YEAR = re.compile(
    rf"许?多年(?:之?后|以后)|{_HEAD}(?:去年|前年|如今|从前|很久以前|多年前|多少年了?)"
    rf"|{_FIGURE}(?:年|个月|个?世纪)(?:之?后|以后|过去|前)"
    r"|\b(?:months?|years?|centur(?:y|ies)) (?:later|passed|went by|ago)\b"
    r"|\b(?:for|after) (?:\w+ )?(?:months|years)\b|\bonce upon\b|\blong ago\b"
    r"|\b(?:on|from|until) (?:the )?\d{1,2}(?:st|nd|rd|th)? (?:of )?"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{1,2}(?:st|nd|rd|th)? (?:of )?$")
_DATE_BEHIND = re.compile(r" \d{1,2}(?:st|nd|rd|th)?\b(?!\d)")
_SCENE_TIME = re.compile(
    r"(?:^|[\s\-–—.·，,])(?P<day>日|夜|晨|昏|DAY|NIGHT|DAWN|DUSK|MORNING|EVENING|AFTERNOON)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_SIMILE = re.compile(
    r"(?:像|如|好像|仿佛|如同|宛如)[^，。；]{1,12}(?:一样|似的|一般|般)?"
    r"|\bas \w+ as (?:an? |the )?\w+(?: \w+)?|\blike (?:an? |the )?\w+",
    re.IGNORECASE,
)
_FEELS = re.compile(
    r"天(?:气)?(?:特别|很|真|非常|越来越|太|又|有点|格外|十分|更)*(?P<zh>[热冷凉]|闷热|炎热|寒冷|凉爽|暖和)"
    r"|\b(?P<en>sun) (?:is|was|came|comes|shines?|shone|beats?|blaze[sd]?|pours?|streams?)\b"
    r"(?! (?:set|down|gone|low|rising|setting))"
)
_THOUGHT = re.compile(
    r"(?:想着|想起|想到|希望|记得|盼望|盼着|喜欢|梦见|听说|据说|比得上|提醒|将(?=持续|于|在|会|到))[^。！？\n]*"
    r"|\b(?:thought|thinks?|remember(?:s|ed)?|likes|liked|loves?|loved|wish(?:es|ed)?|hop(?:es?|ed)"
    r"|dream(?:s|t|ed)?|wonder(?:s|ed)?|will|if)\b[^.!?;\n]*",
    re.IGNORECASE,
)
_LATE = ("傍晚", "黄昏", "晚", "夜", "日落", "夕", "evening", "dusk", "sunset", "night", "twilight")


def thoughts_out(text: str) -> str:
    """The text without what is only thought of, liked or foretold: no time or weather of the shot."""
    return _THOUGHT.sub(" ", text)


def time_of(text: str, around: str, scene: bool, last: Sequence[str]) -> list[str]:
    """Season or festival, and time of day. Each holds until it changes; a new day ends the latter."""
    day, season = _named(text)
    loose = [m.group() for m in _SUN.finditer(text)]
    clock = [m["en"] or m.group() for m in _CLOCK.finditer(text)]
    headed = _named(around)[0] or [m["day"] for m in _SCENE_TIME.finditer(around)]
    if scene and headed and not day:
        loose = []
    day = longest([*day, *loose, *clock]) or headed
    season = season or (_named(around)[1] if scene else [])
    year = bool(_NEW_YEAR.search(text))
    up = any(m["en"] for m in _FEELS.finditer(text))
    held_day = [word for word in last if not _is_season(word)]
    if year or season or up or _NEW_DAY.search(text):
        held_day = []
    held_season = [] if year else [word for word in last if _is_season(word)]
    return [*(season or held_season), *(day or held_day)]


def _named(text: str) -> tuple[list[str], list[str]]:
    """(times of day, seasons and festivals) that a text names; "winter night" gives both."""
    found = [f.word for f in find(text, "times", "day", "season")]
    day = [word for word in found if not _is_season(word)]
    season = [word for word in found if _is_season(word)]
    season += [f.word for word in day if " " in word for f in find(word, "times", "season")]
    for one in find(text, "times", "months"):
        # A month with a day's figure is a date and does not show.
        dated = _DATE.search(text[: one.start]) or _DATE_BEHIND.match(text, one.end)
        if one.word[0].isupper() and not dated:
            season.append(one.word)
    return day, longest(season)


def weather_of(
    text: str, around: str, last: Sequence[str], *, time: Sequence[str], ended: bool, moved: bool
) -> list[str]:
    """Weather by its words, one of a kind. `ended`: a new day or a roof ends what held; wind does not follow
    those who `moved` on, and the sun does not shine into the evening.
    """
    plain = _SIMILE.sub(lambda m: " " * len(m.group()), text)
    over = pattern_of("weather", "over", "zh").search(plain) or pattern_of("weather", "over", "en").search(
        plain
    )
    if over:
        plain = plain[: over.start()] + " " * len(over.group()) + plain[over.end() :]
    named = [f.word for f in find(plain, "weather", "words")]
    named += [m["zh"] or m["en"] for m in _FEELS.finditer(plain)]
    named = _one_a_kind(longest(named) or [f.word for f in find(around, "weather", "words")])
    if ended or over or _NEW_DAY.search(text) or _NEW_YEAR.search(text):
        return named
    late = any(sign in word.lower() for word in time for sign in _LATE)
    left = {"wind"} if moved else set[str]()
    left |= {"sun"} if late else set()
    held = [word for word in last if word.lower() not in _moments() and _kind(word) not in left]
    if all(word.lower() in _moments() or _kind(word) == "wind" for word in named):
        return _one_a_kind([*held, *named])
    return named


def _moments() -> frozenset[str]:
    return frozenset(table("weather")["families"]["moment"].split())


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
