"""The standard prompt: a shot's fields put together in one sentence, the same way every time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from studio.text.beings import beings, plural
from studio.text.characters import Character
from studio.text.fields import ShotFields
from studio.text.language import TextLanguage, has_han
from studio.text.lexicon import Hint
from studio.text.terms import words
from studio.text.traditional import simplified

MAX_PROMPT = 2000
# Longer descriptions stand behind subject, action and place: the sketch model reads 48 tokens.
_SHORT_ZH, _SHORT_EN = 40, 120
_ENDS = " \t\n，,。.;；、：:！!？?…—–-"
# Who tells the story has no look; somebody of no particular kind has.
_NARRATOR = {"我": "一个人", "我们": "几个人", "i": "a person", "we": "a few people"}
# What a person may have typed before a noun; an article more would be one too many.
_DETERMINED = re.compile(
    r"(?:the|an?|his|her|its|their|my|our|your|this|that|these|those|some|each|every|no|one|two|three|\d+)\s",
    re.IGNORECASE,
)
_VOWEL_SOUND = re.compile(r"(?!uni(?!n)|us[aeu]|eu|one\b|ufo)[aeiou]|hour|heir|honest")
_HAS_PREPOSITION = re.compile(
    r"(?:in|on|at|by|under|over|inside|outside|behind|near|above|below|beneath|between|among|through|across"
    r"|before|after|during|the deep)\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|midnight|\d{1,2}(?:[:.]\d\d)?)"
    r"(?:[- ](?:thirty|fifteen|forty-five|sharp))?(?: o['’]clock)?(?: ?[ap]\.?m\.?)?"
    r"(?: in the \w+| at night)?|(?:half|(?:a )?quarter|five|ten|twenty|twenty-five) (?:past|to) \w+"
)
_LOCALIZED = re.compile(
    r"(?:[上里中下边旁外内前后间畔口岸顶角脚处侧头尾面]|之[上下中间]|深处|附近|四周|地方)$"
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
    han = any(map(has_han, (*fields.subject, *fields.action)))
    chinese = language == "zh" or (language == "mixed" and han)
    described = [character.description("zh" if chinese else "en") for character in characters]
    core = _core(fields, characters, described, chinese)
    parts = [
        *core,
        *(_Part(phrase, 4) for phrase in _times(fields, chinese)),
        *(_Part(phrase, 8) for phrase in _looks(hints)),
        *(_Part(phrase, 5) for phrase in fields.camera),
        *(_Part(phrase, 7) for phrase in _mood(fields.mood, chinese)),
        *(_Part(phrase, 6) for phrase in fields.style),
        *(_Part(phrase, 6) for phrase in _phrases(style_words)),
        *(_Part(phrase, 7) for phrase in _phrases(palette)),
    ]
    return _within(_once(parts, described), "，" if chinese else ", ")


def _core(
    fields: ShotFields, characters: Sequence[Character], described: list[str], chinese: bool
) -> list[_Part]:
    """Who, what and where. A short description stands in the name's place, a long one behind all three."""
    short = sum(map(len, described)) <= (_SHORT_ZH if chinese else _SHORT_EN)
    left = dict(zip((character.id for character in characters), described, strict=True))
    subjects: list[str] = []
    for subject in fields.subject:
        who = next((c for c in characters if c.id in left and _names(c, subject)), None)
        if who is None:
            subjects.append(_plain_subject(subject, chinese))
        else:
            subjects.append(left.pop(who.id) if short else who.name)
    if short:
        subjects += left.values()
        left = {}
    return [
        *_done(subjects, list(fields.action), described),
        *(_Part(place, 3) for place in _places(fields, chinese)),
        *(_Part(text, 0) for text in left.values()),
    ]


def _done(subjects: list[str], actions: list[str], described: list[str]) -> list[_Part]:
    """Who does what: each beside what it does, where there are as many of both."""
    parts: list[_Part] = []
    if len(subjects) == 1 or len(subjects) == len(actions):
        for subject in subjects:
            action = actions.pop(0) if actions else ""
            if subject in described or not action:
                parts += [_Part(subject, 1), _Part(action, 1)]
            else:
                space = "" if has_han(subject[-1]) and has_han(action[0]) else " "
                parts.append(_Part(f"{subject}{space}{action}", 1))
    else:
        parts += [_Part(subject, 1) for subject in subjects]
    return [*parts, *(_Part(action, 2 + (k > 1)) for k, action in enumerate(actions))]


def _names(character: Character, subject: str) -> bool:
    low = subject.lower()
    return any(
        low == name.lower() or (len(name) > 1 and name.lower() in low)
        for name in (character.name, *character.aliases)
    )


def _plain_subject(subject: str, chinese: bool) -> str:
    if (one := simplified(subject.lower())) in _NARRATOR:
        return _NARRATOR[one]
    if subject.isupper() and len(subject) > 1:
        subject = subject.title()
    if chinese or has_han(subject) or not subject[0].islower() or _DETERMINED.match(subject):
        return subject
    last = subject.split()[-1]
    counted = last in beings("en") or len(subject.split()) > 1
    if plural(subject) or not counted or last in ("water", "light", "smoke", "steam", "snow", "rain", "sand"):
        return subject
    return f"{'an' if _VOWEL_SOUND.match(subject) else 'a'} {subject}"


def _places(fields: ShotFields, chinese: bool) -> list[str]:
    done = " ".join((*fields.action, *fields.subject)).lower()
    new = [place for place in fields.environment if place.lower() not in done]
    return [_place_zh(place) if has_han(place) else place if chinese else _place_en(place) for place in new]


def _place_zh(place: str) -> str:
    if place.startswith("在") or re.search(r"[A-Za-z]", place):
        return place
    plain = simplified(place)
    if _LOCALIZED.search(plain):
        return f"在{place}"
    return f"在{place}{'上' if plain.endswith(tuple(words('grammar', 'on_places', 'zh'))) else '里'}"


def _place_en(place: str) -> str:
    plain = place.lower() if place.isupper() and len(place) > 3 else place
    low = plain.lower()
    if _HAS_PREPOSITION.match(plain) or low in ("outdoors", "indoors", "downtown", "upstairs", "downstairs"):
        return plain
    if low == "home":
        return "at home"
    named = plain[0].isupper() and not plain.isupper()
    article = "" if named or re.match(r"(?:the|an?|his|her|their|my|its)\b", low) else "the "
    return f"{'on' if low.split()[-1] in words('grammar', 'on_places', 'en') else 'in'} {article}{plain}"


def _times(fields: ShotFields, chinese: bool) -> list[str]:
    named = [*fields.time, *fields.weather]
    return named if chinese else [_time_en(phrase) for phrase in named]


def _time_en(phrase: str) -> str:
    low = phrase.lower()
    for listed, before in (("at_times", "at"), ("in_the_times", "in the"), ("in_times", "in")):
        if low in words("grammar", listed, "en"):
            return f"{before} {phrase if listed == 'in_times' else low}"
    if _CLOCK.fullmatch(low):
        return f"at {low}"
    feels = re.fullmatch(r"(?:rain|snow|fogg|storm|wind|mist|sunn|cloud|haz)y", low)
    return f"{low} weather" if feels else phrase


def _mood(moods: Sequence[str], chinese: bool) -> list[str]:
    if chinese:
        return [f"{mood}的气氛" if len(mood) <= 4 and has_han(mood) else mood for mood in moods]
    return [mood if " " in mood or mood.endswith("ly") else f"{mood} mood" for mood in moods]


def _looks(hints: Sequence[Hint]) -> list[str]:
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


def _within(parts: list[_Part], comma: str) -> str:
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
