"""What the `sketch` model reads in free text: the things of its small world, as a caption it was trained on.

So small a model takes a word that it never saw for something else, and draws patterns. So the words it knows
are looked up first, everything else is left out, and the page shows what remained. No torch.
"""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.simplified import simplified

from . import lexicon as lex
from .captions import plain_caption
from .world import ATTRIBUTES, DEFAULTS, Scene

_MORE = Path(__file__).with_name("reading.toml")
_HAN = re.compile(r"[\u3400-\u9fff]")
_COUNTED = re.compile(r"^(?:一[个位名只头条艘叶匹枚列盏朵款瓶辆]|天上的|巨大的|拿着|撑着|骑着|穿)?")
# A person who holds or rides something is drawn as that.
_PROPS = ("woman with umbrella", "child with kite", "hunter with bow", "bicycle", "dancer", "old man")
_COMMA = re.compile(r"[，,]\s*")
_STOP = re.compile(r"\s*(?:[，,。.;；]|$)")
# So far before its subject a colour may stand, in characters.
_NEAR_ZH, _NEAR_EN = 7, 28
_WORN = re.compile(
    r"[^，,。.]{0,4}(?:衣|裙|袍|衫|伞)|\s(?:\w+\s)?(?:coat|dress|robe|clothes|shirt|umbrella|kite)\b"
)
_TABLES: dict[str, tuple[dict[str, tuple[str, ...]], ...]] = {
    "subject": (lex.SUBJECT_EN, lex.SUBJECT_ZH),
    "colour": (lex.COLOUR_EN, lex.COLOUR_ZH),
    "backdrop": (lex.PLACE_EN, lex.PLACE_ZH, lex.PLACE_TAG),
    "time": (lex.TIME_EN, lex.TIME_ZH),
    "weather": (lex.WEATHER_EN, lex.WEATHER_ZH),
    "style": (lex.STYLE_EN, lex.STYLE_ZH),
    "camera": (lex.CAMERA_EN, lex.CAMERA_ZH),
}


@dataclass(frozen=True)
class Reading:
    """What was found: the `scene`, the attributes that the text `said`, and the model's `caption` for it."""

    scene: Scene
    said: frozenset[str]
    caption: str


class _First(random.Random):
    """Always the first of all sayings, as they stand: the caption of a scene is always the same."""

    def random(self) -> float:
        return 0.9

    def choice(self, sayings):  # type: ignore[no-untyped-def]
        return sayings[0]

    def shuffle(self, parts):  # type: ignore[no-untyped-def]
        return None


@dataclass(frozen=True)
class _Found:
    value: str
    start: int
    end: int


def read(prompt: str) -> Reading:
    """Read a prompt in English or Chinese; what it does not say has the world's own default."""
    text = simplified(unicodedata.normalize("NFKC", prompt)).lower()
    language = "zh" if len(_HAN.findall(text)) * 5 >= sum(c.isalpha() for c in text) > 0 else "en"
    found = _found(text)
    subject = _subject(found["subject"])
    said: dict[str, str] = {}
    for sight, (backdrop, time) in _sights().items():
        if re.search(sight, text):
            said |= {"backdrop": backdrop, "time": time}
            break
    for name in ("backdrop", "time", "weather", "style", "camera"):
        if found[name]:
            said[name] = found[name][0].value
    if subject is not None and (colour := _colour(text, found["colour"], subject)):
        said["colour"] = colour
    if subject is not None and (action := _action(text, found, subject.value)):
        said["action"] = action
    who = "none" if subject is None else subject.value
    values = DEFAULTS[who] | said
    if values["backdrop"] == "space":
        values["weather"] = "clear"
    scene = Scene(subject=who, **values)
    named = frozenset(said) | ({"subject"} if subject else frozenset())
    return Reading(scene, named, plain_caption(scene, named, language, _First()))


def _found(text: str) -> dict[str, list[_Found]]:
    """What is said of each attribute, in the text's order; a longer saying hides those within it.

    So the sea of a sea monster is no place, and the flower of a snowflake (雪花) no subject.
    """
    every = {
        name: [
            _Found(value, match.start(), match.end())
            for value, pattern in _patterns(name).items()
            for match in pattern.finditer(text)
        ]
        for name in (*_TABLES, "action", "verb")
    }
    spans = sorted({(f.start, f.end) for found in every.values() for f in found})

    def hidden(one: _Found) -> bool:
        return any(
            start <= one.start and one.end <= end and end - start > one.end - one.start
            for start, end in spans
        )

    return {
        name: sorted((f for f in found if not hidden(f)), key=lambda f: (f.start, f.start - f.end))
        for name, found in every.items()
    }


def _subject(found: list[_Found]) -> _Found | None:
    """Who or what is first; somebody with an umbrella, a kite, a bow … is drawn with it."""
    found = [f for f in found if f.value != "none"]
    if not found:
        return None
    first = found[0]
    if first.value == "person":
        first = next((f for f in found if f.value in _PROPS and f.start - first.end < 40), first)
    again = [f.end for f in found if f.value == first.value and 0 <= f.start - first.end < 14]
    return _Found(first.value, first.start, max(again, default=first.end))


def _colour(text: str, colours: list[_Found], subject: _Found) -> str | None:
    """The colour that stands right before the subject, or that of what a person wears."""
    han = bool(_HAN.match(text[subject.start : subject.start + 1]))
    near = _NEAR_ZH if han else _NEAR_EN
    colours = [f for f in colours if f.value != "default"]
    before = [f for f in colours if subject.start - near <= f.start and f.end <= subject.end]
    inside = [f for f in before if not re.search(r"[，,。.;；、]", text[f.end : max(f.end, subject.start)])]
    if inside:
        return inside[-1].value
    after = [f for f in colours if f.start >= subject.end]
    worn = [
        f
        for f in after
        if _WORN.match(text[f.end : f.end + 24])
        or text[subject.end : f.start] == " in "
        # "horse, white, runs": a phrase of its own behind it.
        or (_COMMA.fullmatch(text[subject.end : f.start]) and _STOP.match(text[f.end :]))
    ]
    return worn[0].value if worn else None


def _action(text: str, found: dict[str, list[_Found]], subject: str) -> str | None:
    """What it does: what only this subject does, then a way or an act, then what a verb suggests."""
    special = [
        _Found(action, match.start(), match.end())
        for (who, action), pattern in _specials().items()
        if who == subject
        for match in pattern.finditer(text)
    ]
    ways = [f for f in found["action"] if f.value in lex.WAY_EN]
    said = ways or sorted(special, key=lambda f: f.start) or found["action"] or found["verb"]
    return said[0].value if said else None


@cache
def _patterns(name: str) -> dict[str, re.Pattern[str]]:
    """One pattern a value, made of every saying of the lexicon and of reading.toml."""
    sayings: dict[str, set[str]] = {
        value: set() for value in ATTRIBUTES["action" if name == "verb" else name]
    }
    for table in _TABLES.get(name, ()):
        for value, words in table.items():
            sayings[value] |= {_bare(word) for word in words}
    if name == "action":
        for value, words in (*lex.WAY_ZH.items(), *lex.ACT_ZH.items()):
            sayings[value] |= {word.replace("{v}", "") for word in words}
        for value, words in lex.WAY_EN.items():
            sayings[value] |= {
                word for word in words if value in ("up", "down") or " " in word or word.endswith("ward")
            }
        for value, forms in lex.ACT_EN.items():
            sayings[value] |= {form for pair in forms for form in pair}
    for value, words in tomllib.loads(_MORE.read_text(encoding="utf-8")).get(name, {}).items():
        sayings[value] |= set(words)
    patterns = {value: _pattern(words) for value, words in sayings.items() if words - {""}}
    if name == "action":
        for way in ("left", "right"):
            # "sails left": the word alone means other things, too.
            verb = rf"\b(?!pans|panning|camera)[a-z]+(?:s|ing) (?:\w+ly )?{way}\b"
            patterns[way] = re.compile(f"{patterns[way].pattern}|{verb}")
    return patterns


@cache
def _specials() -> dict[tuple[str, str], re.Pattern[str]]:
    """What only one subject does: the whale jumps out of the water."""
    both: dict[tuple[str, str], set[str]] = {}
    for key, forms in lex.SPECIAL_EN.items():
        both.setdefault(key, set()).update(form for pair in forms for form in pair)
    for key, words in lex.SPECIAL_ZH.items():
        both.setdefault(key, set()).update(words)
    return {key: _pattern(words) for key, words in both.items()}


@cache
def _sights() -> dict[str, tuple[str, str]]:
    """Landscapes with a name of their own."""
    tables = (lex.SIGHTS_EN, lex.SIGHTS_ZH)
    return {re.escape(word): place for table in tables for place, words in table.items() for word in words}


def _bare(saying: str) -> str:
    """A noun without its colour's place, measure word and article."""
    return _COUNTED.sub("", saying.replace("{c} ", "").replace("{c}", "")).strip()


def _pattern(words: set[str]) -> re.Pattern[str]:
    """Any of the words; Latin ones only as whole words, with a plural s."""
    ordered = sorted((word for word in words if word), key=len, reverse=True)
    parts = [re.escape(w) if _HAN.search(w) else rf"\b{re.escape(w)}(?:s|es)?\b" for w in ordered]
    return re.compile("|".join(parts))
