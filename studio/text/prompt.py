"""The standard prompt: a shot's fields put together in one sentence, the same way every time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from studio.text.characters import Character
from studio.text.fields import ShotFields
from studio.text.language import TextLanguage, has_han
from studio.text.lexicon import Hint
from studio.text.terms import words

MAX_PROMPT = 2000
# Longer descriptions stand behind subject, action and place: the sketch model reads 48 tokens.
_SHORT_ZH, _SHORT_EN = 40, 120
_ENDS = " \t\n，,。.;；、：:！!？?…—–-"
_NARRATOR = {
    "我": "一个人",
    "我们": "几个人",
    "i": "a person",
    "we": "a few people",
    "me": "a person",
    "us": "a few people",
}
_AT = frozenset(
    [
        "dawn",
        "dusk",
        "night",
        "noon",
        "midnight",
        "midday",
        "sunset",
        "sunrise",
        "daybreak",
        "nightfall",
        "sundown",
        "twilight",
        "bedtime",
        "lunch",
    ]
)
_IN_THE = frozenset(
    [
        "morning",
        "afternoon",
        "evening",
        "rain",
        "snow",
        "fog",
        "mist",
        "storm",
        "thunderstorm",
        "drizzle",
        "blizzard",
        "wind",
        "sun",
        "sunshine",
        "haze",
        "daytime",
    ]
)
_IN = frozenset(
    [
        "spring",
        "summer",
        "autumn",
        "fall",
        "winter",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ]
)
_ON = re.compile(
    r"(?:sea|ocean|beach|shore|coast|bridge|street|road|roof|rooftop|hill|hillside|mountain|stage|deck|island|river|lake|path|lawn|grass|cliff|cliffs|pier|platform|square|ice|rock|rocks|moon|ground|bench|table|ledge|balcony|porch|stairs|floor|quay|sand|dock|summit|peak)$"
)
_HAS_PREPOSITION = re.compile(
    r"(?:in|on|at|by|under|over|inside|outside|behind|near|above|below|beneath|between|among|through|across"
    r"|before|after|during|the deep)\b",
    re.IGNORECASE,
)
_LOCALIZED = re.compile(
    r"(?:[上里中下边旁外内前后间畔口岸顶角脚处侧头尾面]|之[上下中间]|深处|附近|四周|地方)$"
)
_ON_ZH = re.compile(
    r"(?:[海河湖江街路桥山坡台场原滩岛田]|草地|雪地|沙漠|屋顶|甲板|广场|街道|草坪|田野|大地|地面|月球|火星|石头|礁石|荷叶|叶子|青石板)$"
)


@dataclass(frozen=True)
class _Part:
    """A piece of the prompt; the highest `weakness` is dropped first where there is no room."""

    text: str
    weakness: int


def assemble(
    fields: ShotFields,
    *,
    characters: Sequence[Character],
    language: TextLanguage,
    hints: Sequence[Hint] = (),
    style_words: str = "",
    palette: str = "",
) -> str:
    """One sentence between commas: who, with each character's description word for word, what, where, when
    and in what weather, what vague words look like, framing, mood, style.

    At most MAX_PROMPT characters: the weakest parts are left out, and no word is cut. Nothing is said twice.
    Empty fields and no characters give "".
    """
    chinese = language == "zh" or (
        language == "mixed" and any(map(has_han, (*fields.subject, *fields.action)))
    )
    described = [character.description("zh" if chinese else "en") for character in characters]
    core = _core(fields, characters, described, chinese)
    parts = [
        *core,
        *(_Part(phrase, 4) for phrase in _times(fields, chinese)),
        *(_Part(phrase, 8) for phrase in _looks(fields, hints)),
        *(_Part(phrase, 5) for phrase in fields.camera),
        *(_Part(phrase, 7) for phrase in _mood(fields.mood, chinese)),
        *(_Part(phrase, 6) for phrase in fields.style),
        *(_Part(phrase, 6) for phrase in _phrases(style_words)),
        *(_Part(phrase, 7) for phrase in _phrases(palette)),
    ]
    return _within(_once(parts, described), "，" if chinese else ", ", described)


def _core(
    fields: ShotFields, characters: Sequence[Character], described: list[str], chinese: bool
) -> list[_Part]:
    """Who, what and where. A short description stands in the name's place, a long one behind all three."""
    short = sum(map(len, described)) <= (_SHORT_ZH if chinese else _SHORT_EN)
    subjects: list[str] = []
    left = dict(zip((character.id for character in characters), described, strict=True))
    for subject in fields.subject:
        who = next((c for c in characters if c.id in left and _names(c, subject)), None)
        if who is None:
            subjects.append(_plain_subject(subject, chinese))
        elif short:
            subjects.append(left.pop(who.id))
        else:
            subjects.append(who.name)
    if short:
        subjects += left.values()
        left = {}
    actions = list(fields.action)
    places = _places(fields, chinese)
    if len(subjects) == 1 and actions and subjects[0] not in described and len(actions[0]) < 80:
        joined = (
            subjects[0]
            + ("" if chinese and has_han(subjects[0][-1]) and has_han(actions[0][0]) else " ")
            + actions[0]
        )
        head = [_Part(joined, 1)]
        actions = actions[1:]
    else:
        head = [_Part(subject, 1) for subject in subjects]
    return [
        *head,
        *(_Part(action, 2 + (k > 1)) for k, action in enumerate(actions)),
        *(_Part(place, 3) for place in places),
        *(_Part(text, 0) for text in left.values()),
    ]


def _names(character: Character, subject: str) -> bool:
    low = subject.lower()
    return any(
        low == name.lower() or (len(name) > 1 and name.lower() in low)
        for name in (character.name, *character.aliases)
    )


def _plain_subject(subject: str, chinese: bool) -> str:
    if subject.lower() in _NARRATOR:
        return _NARRATOR[subject.lower()]
    if chinese or has_han(subject) or not subject[0].islower():
        return subject
    last = subject.split()[-1]
    several = last.endswith("s") and not last.endswith("ss")
    listed = words("nouns", "people", "en") | words("nouns", "animals", "en")
    if (
        several
        or not (last in listed or len(subject.split()) > 1)
        or last in ("people", "men", "women", "children", "water", "light", "smoke", "steam", "snow", "rain")
    ):
        return subject
    return f"{'an' if subject[0] in 'aeiou' else 'a'} {subject}"


def _places(fields: ShotFields, chinese: bool) -> list[str]:
    done = " ".join((*fields.action, *fields.subject)).lower()
    found = []
    for place in fields.environment:
        if place.lower() in done:
            continue
        if has_han(place):
            found.append(_place_zh(place))
        else:
            found.append(_place_en(place) if not chinese else place)
    return found


def _place_zh(place: str) -> str:
    if place.startswith("在") or re.search(r"[A-Za-z]", place):
        return place
    return f"在{place}" if _LOCALIZED.search(place) else f"在{place}{'上' if _ON_ZH.search(place) else '里'}"


def _place_en(place: str) -> str:
    if _HAS_PREPOSITION.match(place):
        return place
    article = (
        ""
        if (place[:1].isupper() and not place.isupper())
        or place.lower().startswith(("the ", "a ", "an ", "his ", "her "))
        else "the "
    )
    plain = place.lower() if place.isupper() and len(place) > 3 else place
    if plain.lower() in ("home", "outside", "inside", "indoors", "outdoors", "downtown"):
        return "at home" if plain.lower() == "home" else plain
    return f"{'on' if _ON.search(plain.lower()) else 'in'} {article}{plain}"


def _times(fields: ShotFields, chinese: bool) -> list[str]:
    if chinese:
        return [*fields.time, *fields.weather]
    return [*(_time_en(phrase) for phrase in fields.time), *(_time_en(phrase) for phrase in fields.weather)]


def _time_en(phrase: str) -> str:
    low = phrase.lower()
    if low in _AT:
        return f"at {low}"
    if low in _IN_THE:
        return f"in the {low}"
    return f"in {phrase}" if low in _IN else phrase


def _mood(moods: Sequence[str], chinese: bool) -> list[str]:
    if chinese:
        return [f"{mood}的气氛" if len(mood) <= 4 and has_han(mood) else mood for mood in moods]
    return [f"{mood} mood" if " " not in mood else mood for mood in moods]


def _looks(fields: ShotFields, hints: Sequence[Hint]) -> list[str]:
    return [phrase for hint in hints for phrase in _phrases(hint.looks)]


def _phrases(text: str) -> list[str]:
    return [phrase for part in re.split(r"[，,;；、\n]+", text) if (phrase := part.strip(_ENDS))]


def _once(parts: Sequence[_Part], described: Sequence[str]) -> list[_Part]:
    """Tidy parts; one that another says already is left out."""
    kept: list[_Part] = []
    for part in parts:
        text = part.text if part.text in described else _tidy(part.text)
        low = text.casefold()
        if not text or any(_says(other.text.casefold(), low) for other in kept):
            continue
        kept.append(_Part(text, part.weakness))
    return kept


def _says(whole: str, part: str) -> bool:
    if has_han(part):
        return part in whole
    return bool(re.search(rf"(?<![\w-]){re.escape(part)}(?![\w-])", whole))


def _tidy(text: str) -> str:
    text = re.sub(
        r"[。.！!？?；;：:，,、…\s]*[\n，,。；;！!？?、][，,。；;！!？?、\s]*",
        lambda m: "，" if has_han(text) else ", ",
        text.strip(_ENDS),
    )
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"\b(\w+)( \1\b)+", r"\1", text, flags=re.IGNORECASE).strip(_ENDS)


def _within(parts: list[_Part], comma: str, described: Sequence[str]) -> str:
    left = list(parts)
    while left and len(comma.join(part.text for part in left)) > MAX_PROMPT:
        if len(left) == 1:
            return _cut(left[0].text)
        weakest = max(part.weakness for part in left)
        at = max(k for k, part in enumerate(left) if part.weakness == weakest)
        if weakest == 0:
            return _cut(comma.join(part.text for part in left))
        del left[at]
    return comma.join(part.text for part in left)


def _cut(text: str) -> str:
    """The text up to a border between words, at most MAX_PROMPT characters."""
    if len(text) <= MAX_PROMPT:
        return text
    cut = text[: MAX_PROMPT + 1]
    at = max(cut.rfind(mark) for mark in "，,、；; ")
    return (cut[:at] if at > MAX_PROMPT // 2 else cut[:MAX_PROMPT]).rstrip(_ENDS)
