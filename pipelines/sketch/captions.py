"""Words for scenes: a small English and Chinese grammar with synonyms, free word order and filler.

What is not said has its default (see world.DEFAULTS); what differs from it is always said.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from . import lexicon as lex
from .world import ATTRIBUTES, DEFAULTS, NATURES, Scene, sample_scene

LONGEST = 44
"""Most word pieces of a caption: words, Chinese characters and punctuation marks."""

SAY_DEFAULT = 0.4
"""How often an attribute is said although it has its default."""


def caption(scene: Scene, language: str, rng: random.Random) -> str:
    """One sentence that says the scene in "en" or "zh", at most LONGEST pieces long."""
    if language not in ("en", "zh"):
        raise ValueError(f'language must be "en" or "zh", not {language!r}')
    write = _english if language == "en" else _chinese
    text = ""
    for attempt in range(12):
        # Each failed try has less filler and says fewer defaults.
        plain = attempt / 6
        text = write(scene, _said(scene, rng, SAY_DEFAULT * max(0.0, 1 - plain)), rng, max(0.0, 1 - plain))
        if pieces(text) <= LONGEST:
            break
    return text


def plain_caption(scene: Scene, named: frozenset[str], language: str, rng: random.Random) -> str:
    """The caption without filler that says the attributes `named`, and those that differ from the default."""
    default = DEFAULTS[scene.subject]
    said = {name for name, value in default.items() if name in named or getattr(scene, name) != value}
    if scene.subject == "none":
        said = said - {"colour", "action"} | {"backdrop"}
    if scene.colour == "default":
        said.discard("colour")
    write = _english if language == "en" else _chinese
    return write(scene, said, rng, 0.0)


def pieces(text: str) -> int:
    """How many word pieces a tokenizer with every word of `corpus` makes of the text."""
    return len(re.findall(r"[\u4e00-\u9fff]|[A-Za-z0-9]+|[^\sA-Za-z0-9\u4e00-\u9fff]", text))


def corpus(n: int, seed: int) -> Iterator[str]:
    """`n` captions of random scenes, half of them Chinese, to build a vocabulary from."""
    rng = random.Random(seed)
    for k in range(n):
        yield caption(sample_scene(rng), "zh" if k % 2 else "en", rng)


def _said(scene: Scene, rng: random.Random, share: float) -> set[str]:
    """The attributes that the caption names."""
    default = DEFAULTS[scene.subject]
    lone = scene.subject == "none"
    out = set()
    for name, value in default.items():
        if lone and name in ("colour", "action"):
            continue  # a landscape has neither
        if getattr(scene, name) != value or (name != "colour" and rng.random() < share):
            out.add(name)
    if lone and rng.random() < 0.75:
        out.add("backdrop")
    return out


def _pick(rng: random.Random, sayings: tuple[str, ...], share: float = 0.25) -> str:
    """One of the sayings; the first is what most people would write and gets a `share` of its own."""
    return sayings[0] if rng.random() < share else rng.choice(sayings)


# ---- English


def _english(scene: Scene, said: set[str], rng: random.Random, filler: float) -> str:
    def some(table: dict[str, tuple[str, ...]], name: str) -> str:
        return _pick(rng, table[getattr(scene, name)]) if name in said else ""

    style, camera = some(lex.STYLE_EN, "style"), some(lex.CAMERA_EN, "camera")
    weather, time = some(lex.WEATHER_EN, "weather"), some(lex.TIME_EN, "time")
    place = some(lex.PLACE_EN, "backdrop")
    tags = rng.random() < 0.18
    if tags and "backdrop" in said:
        place = rng.choice((place, *lex.PLACE_TAG[scene.backdrop][:2]))
    if scene.subject == "none":
        main, place, time = _view_en(scene, said, rng, place, time)
        act = ""
    else:
        main, act = _noun_en(scene, rng), _act_en(scene, said, rng, tags)
        if act and rng.random() < 0.15 * filler and not re.search("slow|gradual|not|still|rest", act):
            adverb = rng.choice(lex.ADVERB_EN)
            act = f"{adverb} {act}" if not tags and rng.random() < 0.5 else f"{act} {adverb}"
    extras = [part for part in (style, camera) if part]
    if rng.random() < 0.2 * filler:
        extras.append(rng.choice(lex.PRAISE_EN))
    rng.shuffle(extras)
    where = [part for part in (place, time, weather) if part]
    rng.shuffle(where)
    if tags:
        parts = [part for part in (main, act, *where, *extras) if part]
        if rng.random() < 0.5:
            rng.shuffle(parts)
        return _cased(", ".join(parts), rng)
    opening = rng.choice(lex.OPENING_EN) if rng.random() < 0.3 * filler else ""
    front = where.pop(rng.randrange(len(where))) if where and not opening and rng.random() < 0.3 else ""
    core = " ".join(part for part in (opening, main, act, *where) if part)
    lead = extras.pop() if extras and rng.random() < 0.25 else ""
    text = ", ".join(part for part in (lead, front, core, *extras) if part)
    return _cased(text + rng.choice((".", ".", "", "", "", "!")), rng)


def _cased(text: str, rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.45 and text:
        return text[0].upper() + text[1:]
    return text.upper() if draw > 0.96 else text


def _noun_en(scene: Scene, rng: random.Random) -> str:
    pattern = _pick(rng, lex.SUBJECT_EN[scene.subject], 0.4)
    colour = rng.choice(lex.COLOUR_EN[scene.colour])
    if colour and rng.random() < 0.1:
        # "a boat in red"
        noun = pattern.replace("{c}", "") + " in " + colour
    else:
        noun = pattern.replace("{c}", colour + " " if colour else "")
    # "umbrella", "coat" and the like want their own article.
    for word in ("with", "in", "under", "holding", "flying", "on"):
        noun = re.sub(
            rf"\b{word} ((?:[a-z-]+ )*)(umbrella|kite|coat|robe|dress|bow|bicycle|bike)\b",
            lambda m, w=word: f"{w} {_article(m[1] + m[2])} {m[1]}{m[2]}",
            noun,
        )
    if rng.random() < 0.08:
        return noun
    return f"the {noun}" if rng.random() < 0.12 else f"{_article(noun)} {noun}"


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" and not noun.startswith("uni") else "a"


def _act_en(scene: Scene, said: set[str], rng: random.Random, tags: bool) -> str:
    if "action" not in said:
        return ""
    special = lex.SPECIAL_EN.get((scene.subject, scene.action))
    whole = lex.ACT_EN.get(scene.action)
    form = 1 if tags or rng.random() < 0.6 else 0
    if special and rng.random() < 0.5:
        return rng.choice(special)[form]
    if whole and (scene.action not in lex.WAY_EN or rng.random() < 0.5):
        return rng.choice(whole)[form]
    verb = rng.choice(lex.VERBS_EN[NATURES[scene.subject].verb])[form]
    return f"{verb} {_pick(rng, lex.WAY_EN[scene.action])}"


def _view_en(scene: Scene, said: set[str], rng: random.Random, place: str, time: str) -> tuple[str, str, str]:
    """A landscape's noun; a named sight takes the place of place and time."""
    sights = lex.SIGHTS_EN.get((scene.backdrop, scene.time))
    if sights and {"backdrop", "time"} <= said and rng.random() < 0.6:
        return rng.choice(sights), "", ""
    if len(said) > 0 and rng.random() < 0.5:
        if place and rng.random() < 0.6:
            return "the " + rng.choice(lex.PLACE_TAG[scene.backdrop][:2]), "", time
        return "", place, time
    noun = rng.choice(lex.SUBJECT_EN["none"])
    return f"{_article(noun)} {noun}" if noun != "scenery" else noun, place, time


# ---- Chinese


def _chinese(scene: Scene, said: set[str], rng: random.Random, filler: float) -> str:
    def some(table: dict[str, tuple[str, ...]], name: str) -> str:
        return _pick(rng, table[getattr(scene, name)]) if name in said else ""

    style, camera = some(lex.STYLE_ZH, "style"), some(lex.CAMERA_ZH, "camera")
    weather, time = some(lex.WEATHER_ZH, "weather"), some(lex.TIME_ZH, "time")
    place = some(lex.PLACE_ZH, "backdrop")
    if scene.subject == "none":
        main, place, time = _view_zh(scene, said, rng, place, time)
        act = ""
    else:
        main, act = _noun_zh(scene, rng), _act_zh(scene, said, rng)
        if act and rng.random() < 0.2 * filler and act[0] in "向往朝从":
            act = rng.choice(lex.ADVERB_ZH) + act
    comma = rng.choice(("，", "，", ",", ", "))
    extras = [part for part in (style, camera) if part]
    if rng.random() < 0.2 * filler:
        extras.append(rng.choice(lex.PRAISE_ZH))
    rng.shuffle(extras)
    opening = rng.choice(lex.OPENING_ZH) if rng.random() < 0.3 * filler else ""
    shape = rng.random()
    where = _where_zh(place, time, rng)
    if shape < 0.18:
        parts = [part for part in (main, act, place, time, weather, *extras) if part]
        if rng.random() < 0.5:
            rng.shuffle(parts)
        return comma.join(parts)
    if shape < 0.6 or not main:
        # "夜晚的海上，一只小船向左航行"
        parts = [opening, where, weather] if rng.random() < 0.7 else [opening, weather, where]
        parts += [main + act]
    else:
        # "一只小船在夜晚的海上向左航行"
        joined = f"{main}在{where}{act}" if where and place else f"{where}{comma if where else ''}{main}{act}"
        parts = [opening + (rng.choice(("：", ":", comma)) if opening and rng.random() < 0.5 else ""), ""]
        parts = (
            ["".join(parts) + joined, weather] if rng.random() < 0.6 else [weather, "".join(parts) + joined]
        )
    lead = [extras.pop()] if extras and rng.random() < 0.25 else []
    text = comma.join(part for part in (*lead, *parts, *extras) if part)
    return text + rng.choice(("。", "", "", ".", "！"))


def _where_zh(place: str, time: str, rng: random.Random) -> str:
    if place and time:
        if time.endswith(("下", "中")) or rng.random() < 0.25:
            return rng.choice((f"{time}{place}", f"{time}的{place}"))
        return f"{time}的{place}"
    return place or time


def _noun_zh(scene: Scene, rng: random.Random) -> str:
    pattern = _pick(rng, lex.SUBJECT_ZH[scene.subject], 0.3)
    return pattern.replace("{c}", rng.choice(lex.COLOUR_ZH[scene.colour]))


def _act_zh(scene: Scene, said: set[str], rng: random.Random) -> str:
    if "action" not in said:
        return ""
    special = lex.SPECIAL_ZH.get((scene.subject, scene.action))
    if special and rng.random() < 0.55:
        return rng.choice(special)
    if scene.action in lex.ACT_ZH:
        return rng.choice(lex.ACT_ZH[scene.action])
    verb = _pick(rng, lex.VERBS_ZH[NATURES[scene.subject].verb])
    if rng.random() < 0.15 and verb in ("走", "跑", "飞", "游", "开", "驶", "飘", "航行"):
        side = {"right": "右边", "left": "左边", "up": "上方", "down": "下方"}[scene.action]
        return f"{verb}向{side}"
    return _pick(rng, lex.WAY_ZH[scene.action]).replace("{v}", verb)


def _view_zh(scene: Scene, said: set[str], rng: random.Random, place: str, time: str) -> tuple[str, str, str]:
    sights = lex.SIGHTS_ZH.get((scene.backdrop, scene.time))
    if sights and {"backdrop", "time"} <= said and rng.random() < 0.6:
        return rng.choice(sights), "", ""
    if said and rng.random() < 0.5:
        if place and rng.random() < 0.6:
            return lex.PLACE_TAG[scene.backdrop][2], "", time
        return "", place, time
    return rng.choice(lex.SUBJECT_ZH["none"]), place, time


# ---- The list for the page


def words() -> dict[str, list[dict[str, str]]]:
    """What the model knows, for people: per attribute the values' names in both languages."""
    tables = {
        "subject": (lex.SUBJECT_EN, lex.SUBJECT_ZH),
        "colour": (lex.COLOUR_EN, lex.COLOUR_ZH),
        "backdrop": (lex.PLACE_EN, lex.PLACE_ZH),
        "time": (lex.TIME_EN, lex.TIME_ZH),
        "weather": (lex.WEATHER_EN, lex.WEATHER_ZH),
        "style": (lex.STYLE_EN, lex.STYLE_ZH),
        "camera": (lex.CAMERA_EN, lex.CAMERA_ZH),
    }
    names = {
        "subject": "subjects",
        "colour": "colours",
        "backdrop": "backdrops",
        "time": "times",
        "weather": "weathers",
        "style": "styles",
        "camera": "cameras",
    }
    out: dict[str, list[dict[str, str]]] = {}
    for attribute, (english, chinese) in tables.items():
        out[names[attribute]] = [
            {"value": value, "en": english[value][0].replace("{c}", ""), "zh": _plain(chinese[value][0])}
            for value in ATTRIBUTES[attribute]
            if value not in ("default", "none")
        ]
    ways = {
        "left": ("moving left", "向左移动"),
        "right": ("moving right", "向右移动"),
        "up": ("rising", "上升"),
        "down": ("coming down", "下降"),
        "stand": ("standing still", "静止不动"),
        "grow": ("growing", "变大"),
        "fade_in": ("fading in", "渐渐出现"),
    }
    out["actions"] = [{"value": value, "en": en, "zh": zh} for value, (en, zh) in ways.items()]
    return out


def _plain(text: str) -> str:
    return re.sub(r"^一[个只条位艘匹头枚辆列盏朵名]", "", text.replace("{c}", ""))


def write_words(path: Path) -> None:
    """Write `words()` as JSON for the page."""
    path.write_text(json.dumps(words(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
