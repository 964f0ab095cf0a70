"""Every sentence people read, in both languages, from `assets/words`."""

import locale
import re
import tomllib
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal

from pipelines.request import Notice

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
FOLDER = Path(__file__).resolve().parent.parent / "assets" / "words"

# How the last two of several alternatives are joined, and the others before them.
_JOINS: dict[Language, tuple[str, str]] = {"zh": ("、", " 或 "), "en": (", ", " or ")}
# Values that hold several alternatives, and those that have words of their own, by their section.
_LISTS = ("allowed", "nearest")
_WORDED = {
    "field": "field",
    "stage": "stage",
    "state": "state",
    "category": "category",
    "tier": "tier",
    "runs": "tier",
}
# The files of a language: what anybody says, the page, the review room.
_PARTS = ("", "page.", "room.")
_AI = re.compile(r"(?<![A-Za-z])AI(?![A-Za-z])|人工智[能慧]")
_MADE = re.compile(r"生成|合成|(?<![A-Za-z])generated(?![A-Za-z])", re.IGNORECASE)


def named(asked: str | None) -> Language | None:
    """The language that an address or a form names; None for any other."""
    return next((one for one in LANGUAGES if one == asked), None)


def say(notice: Notice | str, language: Language, **values: Any) -> str:
    """A notice (or the code of one, with its values) as a sentence of plain text in the reader's language.

    What is not known falls back to English, then to a general sentence: telling people that something is
    wrong must never be what goes wrong.
    """
    code, known = (notice, {}) if isinstance(notice, str) else (notice.code, notice.values)
    known = {**known, **values}
    code = _closer(code, known)
    return (
        _filled("notice", code, language, known)
        or _filled("notice", code, "en", known)
        or _filled("notice", "field_invalid" if "field" in known else "generic", language, known)
        or "Something went wrong."
    )


def page(key: str, language: Language, **values: Any) -> str:
    """A text of the page; the key itself if there is none, so that a missing one is seen and found."""
    return _filled("page", key, language, values) or _filled("page", key, "en", values) or key


def room(language: Language) -> dict[str, str]:
    """All texts of the review room, for its page."""
    return book("en")["room"] | book(language)["room"]


def share(language: Language) -> dict[str, str]:
    """All texts of the dialog that shares something for review."""
    return book("en")["share"] | book(language)["share"]


def field(name: str, language: Language) -> str:
    """What a form's field is called on the page."""
    return _text("field", name, language)


def stage(name: str, language: Language) -> str:
    """What a running job is doing."""
    return _text("stage", name, language)


def state(name: str, language: Language) -> str:
    """The state of a job in one word."""
    return _text("state", name, language)


def category(name: str, language: Language) -> str:
    """What a category of the checks is called."""
    return _text("category", name, language)


def tier(name: str, language: Language) -> str:
    """What a speed tier is called."""
    return _text("tier", name, language)


def door(key: str, language: Language) -> str:
    """A text of the pages around the studio's own: password, admin, refusal."""
    return _text("door", key, language)


def terminal(key: str, language: Language, **values: Any) -> str:
    """A line that the programs print where they were started."""
    return _filled("terminal", key, language, values) or key


def terminal_language() -> Language:
    """The language of the person at the terminal."""
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def says_made_by_ai(text: str) -> bool:
    """Whether a label says what it must: AI (or 人工智能) and 生成, 合成 or generated."""
    return bool(_AI.search(text) and _MADE.search(text))


def duration(seconds: float, language: Language) -> str:
    """A length of time as people say it: "40 s", "3 min", "1 h 20 min"; rounded to what they can use."""
    whole = max(1, round(seconds))
    if whole < 90:
        return _filled("unit", "seconds", language, {"count": whole if whole < 20 else round(whole / 5) * 5})
    minutes = round(whole / 60)
    if minutes < 90:
        return _filled("unit", "minutes", language, {"count": minutes})
    return _filled("unit", "hours", language, {"hours": minutes // 60, "count": minutes % 60})


@cache
def book(language: Language) -> dict[str, dict[str, str]]:
    """All texts of a language, by section; those of the page and the review room have files of their own."""
    texts: dict[str, dict[str, str]] = {}
    for path in (FOLDER / f"{part}{language}.toml" for part in _PARTS):
        texts |= tomllib.loads(path.read_text(encoding="utf-8"))
    return texts


def _text(section: str, name: str, language: Language) -> str:
    return book(language).get(section, {}).get(name) or book("en").get(section, {}).get(name) or name


def _closer(code: str, values: dict[str, Any]) -> str:
    """The code of a closer sentence where the values allow one: 82 frames are too many, 80 are not 4n+1."""
    if code == "frames_rule":
        try:
            frames, low, high = (int(values[name]) for name in ("value", "low", "high"))
        except (KeyError, TypeError, ValueError):
            return code
        return "frames_over" if frames > high else "frames_under" if frames < low else code
    return "internal_reference" if code == "internal" and "reference" in values else code


def _filled(section: str, key: str, language: Language, values: dict[str, Any]) -> str:
    """The text with its values in it (KEY_1 where the count is 1); empty if it or a value is missing."""
    texts = book(language).get(section, {})
    template = texts.get(f"{key}_1" if values.get("count") == 1 else key, texts.get(key))
    if template is None:
        return ""
    names = {name for _, name, _, _ in Formatter().parse(template) if name}
    if not names <= values.keys():
        return ""
    text = template.format_map({name: _shown(name, values[name], language) for name in names})
    # "prompt" inside a sentence, "Prompt" at its start.
    return text[:1].upper() + text[1:] if template.startswith("{field}") else text


def _shown(name: str, value: Any, language: Language) -> str:
    if isinstance(value, Notice):
        return say(value, language)
    if isinstance(value, float):
        return f"{value:.10g}"
    if name in _LISTS:
        parts = value if isinstance(value, list | tuple) else str(value).replace(" / ", ", ").split(", ")
        return _joined([str(part) for part in parts], language)
    if name in _WORDED:
        return _joined([_text(_WORDED[name], part, language) for part in str(value).split(", ")], language)
    return str(value)


def _joined(parts: list[str], language: Language) -> str:
    comma, last = _JOINS[language]
    return comma.join(parts[:-1]) + last + parts[-1] if len(parts) > 1 else parts[0]
