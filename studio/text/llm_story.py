"""A story split by a language model: the same result as the rules give, checked; else the rules themselves.

The model only says where shots begin and what each shows: the words stay those of the story.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal
from zlib import crc32

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipelines.request import Notice
from studio.settings import Settings
from studio.text.characters import MAX_ALIASES, MAX_LOOKS, MAX_NAME, Character
from studio.text.fields import MAX_PHRASE, MAX_PHRASES, ShotFields
from studio.text.language import HAN, has_han, language_of
from studio.text.layout import Passage, layout_of
from studio.text.llm import LlmClient, LlmProblem, PlainText, ask, configured
from studio.text.shots import MOST_SHOTS, ShotDraft, StoryDraft, split_story
from studio.text.traditional import Own, simplified

MAX_CHARACTERS = 12
MAX_TRANSLATION = 1000
# A longer story's translations take longer than anybody waits; `translate` makes them one by one.
TRANSLATED_TO = 3000

_FOLDER = Path(__file__).resolve().parent.parent.parent / "assets" / "instructions"
_REMEMBERED = 32

Target = Literal["zh", "en"]


@dataclass(frozen=True)
class ShotReading:
    """What the model read in a shot; `characters` are ids, `translation` is in the other language, or ""."""

    fields: ShotFields
    characters: tuple[str, ...] = ()
    translation: str = ""


@dataclass(frozen=True)
class StoryReading:
    """A story as it was split. `shots` stand beside `draft.shots`; by the rules they are empty: read each."""

    draft: StoryDraft
    shots: tuple[ShotReading, ...] = ()
    characters: tuple[Character, ...] = ()
    source: Literal["rules", "llm"] = "rules"


Front = Callable[[str], StoryReading]


def front(settings: Settings) -> Front:
    """How this studio splits stories: `split` by the model of the settings, each text asked about once."""
    client = configured(settings)
    known: OrderedDict[str, StoryReading] = OrderedDict()
    lock = Lock()

    def read(text: str) -> StoryReading:
        with lock:
            found = known.get(text)
        if found is None:
            found = split(text, client)
            if found.source == "llm":
                with lock:
                    known[text] = found
                    while len(known) > _REMEMBERED:
                        known.popitem(last=False)
        return found

    return read


def split(text: str, client: LlmClient | None = None) -> StoryReading:
    """The story's shots with what each shows, by the model, else by the rules.

    Whatever goes wrong with the model is a notice "llm_failed_rules_used" of the draft. Raises TextProblem as
    `split_story` does.
    """
    rules = split_story(text)
    if client is None:
        return StoryReading(rules)
    try:
        return _asked(text, rules, client)
    except LlmProblem as problem:
        told = Notice("llm_failed_rules_used", {"reason": problem.notice})
        return StoryReading(replace(rules, notices=(*rules.notices, told)))


def translate(shots: Sequence[str], to: Target, client: LlmClient) -> list[str]:
    """Each shot's text in the other language, for subtitles, in the same order. Raises LlmProblem."""
    texts = list(shots)
    if not texts:
        return []
    data = {"to": "Chinese" if to == "zh" else "English", "texts": texts}
    found = ask(client, instructions=instructions("translate", "en"), data=data, answer=_Translations)
    if len(found.texts) != len(texts) or not all(
        _is_in(to, told, said) for told, said in zip(found.texts, texts, strict=True)
    ):
        raise LlmProblem("llm_bad_answer", client)
    return list(found.texts)


@cache
def instructions(name: str, language: Target) -> str:
    """What the model is told to do: assets/instructions/{name}.{language}.txt."""
    return (_FOLDER / f"{name}.{language}.txt").read_text(encoding="utf-8").strip()


# -- what the model may answer -----------------------------------------------------------------------------


def _few(most: int) -> BeforeValidator:
    """A list cut to its first `most` items, empty ones left out; one text alone is a list of one."""

    def few(given: Any) -> Any:
        items = [given] if isinstance(given, str) else given
        if not isinstance(items, list):
            return items or []
        return [item for item in items if not (isinstance(item, str) and not item.strip())][:most]

    return BeforeValidator(few)


_Phrases = Annotated[list[Annotated[PlainText, Field(max_length=MAX_PHRASE)]], _few(MAX_PHRASES)]
_Name = Annotated[PlainText, Field(max_length=MAX_NAME)]
_Looks = Annotated[PlainText, Field(max_length=MAX_LOOKS)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Shot(_Part):
    begins: Annotated[PlainText, Field(min_length=1, max_length=400)]
    subject: _Phrases = []
    action: _Phrases = []
    environment: _Phrases = []
    time: _Phrases = []
    weather: _Phrases = []
    mood: _Phrases = []
    camera: _Phrases = []
    style: _Phrases = []
    characters: Annotated[list[_Name], _few(MAX_CHARACTERS)] = []
    translation: Annotated[PlainText, Field(max_length=MAX_TRANSLATION)] = ""


class _Person(_Part):
    name: _Name
    aliases: Annotated[list[_Name], _few(MAX_ALIASES)] = []
    age: _Name = ""
    looks: _Looks = ""
    clothing: _Looks = ""


class _Story(_Part):
    shots: Annotated[list[_Shot], Field(min_length=1, max_length=MOST_SHOTS)]
    characters: Annotated[list[_Person], _few(MAX_CHARACTERS)] = []


class _Translations(_Part):
    texts: Annotated[
        list[Annotated[PlainText, Field(min_length=1, max_length=MAX_TRANSLATION)]],
        Field(max_length=MOST_SHOTS),
    ]


# -- what is made of it ------------------------------------------------------------------------------------


def _asked(text: str, rules: StoryDraft, client: LlmClient) -> StoryReading:
    own: Target = "en" if rules.language == "en" else "zh"
    other: Target = "zh" if own == "en" else "en"
    wanted = ("Chinese" if other == "zh" else "English") if len(text) <= TRANSLATED_TO else "none"
    data = {"story": text, "translate_to": wanted}
    found = ask(client, instructions=instructions("story", own), data=data, answer=_Story)
    cast = _people(found.characters, text)
    placed = _placed(text, found.shots, client)
    shots = tuple(_reading(shot, cast, other, draft.text) for draft, shot in placed)
    draft = StoryDraft(rules.title, rules.language, tuple(draft for draft, _ in placed))
    return StoryReading(draft, shots, tuple(cast), "llm")


def _reading(shot: _Shot, cast: Sequence[Character], other: Target, text: str) -> ShotReading:
    fields = ShotFields(
        **{name: tuple(filter(None, dict.fromkeys(getattr(shot, name)))) for name in ShotFields.model_fields}
    )
    named = {name.casefold() for name in shot.characters}
    people = tuple(
        person.id for person in cast if named & {name.casefold() for name in (person.name, *person.aliases)}
    )
    return ShotReading(fields, people, shot.translation if _is_in(other, shot.translation, text) else "")


def _placed(text: str, shots: Sequence[_Shot], client: LlmClient) -> list[tuple[ShotDraft, _Shot]]:
    """Each shot from where its first words stand to where the next one begins; nothing told is left out.

    LlmProblem where the words don't stand in the story in that order.
    """
    letters, places = _folded(text)
    begins: list[int] = []
    at = 0
    for shot in shots:
        words, _ = _folded(shot.begins)
        found = letters.find(words, at) if words else -1
        if found < 0 or _inside_word(text, places[found]):
            raise LlmProblem("llm_bad_answer", client)
        begins.append(places[found])
        at = found + len(words)
    own = Own((text,))
    passages = layout_of(simplified(text)).passages or (Passage("prose", 0, len(text)),)
    begins[0] = min(begins[0], passages[0].start)
    placed = []
    for (start, end), shot in zip(pairwise([*begins, len(text)]), shots, strict=True):
        draft = _draft(text, passages, start, end)
        if draft:
            placed.append((replace(draft, heading=own(draft.heading)), shot))
    if not placed:
        raise LlmProblem("llm_bad_answer", client)
    return placed


def _draft(text: str, passages: Sequence[Passage], start: int, end: int) -> ShotDraft | None:
    """What is told between two places; None if that is nothing but headings."""
    pieces = []
    for passage in passages:
        first, last = max(start, passage.start), min(end, passage.end)
        while first < last and text[first].isspace():
            first += 1
        while first < last and text[last - 1].isspace():
            last -= 1
        if first < last:
            pieces.append((first, last, passage.heading))
    if not pieces:
        return None
    told = _aloud(" ".join(text[first:last] for first, last, _ in pieces))
    return ShotDraft(pieces[0][0], pieces[-1][1], told, pieces[0][2])


def _aloud(text: str) -> str:
    """Text on one line, without marks of Markdown, and without spaces between Chinese sentences."""
    text = re.sub(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1", r"\2", " ".join(text.split()))
    return re.sub(rf"(?<=[。！？；，、：…”’」』）】]) (?=[{HAN}“‘「『（【])", "", text)


def _folded(text: str) -> tuple[str, list[int]]:
    """Letters and figures alone, in lower case, and where each stands: models tidy quotes and spaces."""
    kept = [(c.lower(), at) for at, c in enumerate(text) if c.isalnum()]
    return "".join(c[0] for c, _ in kept), [at for _, at in kept]


def _inside_word(text: str, at: int) -> bool:
    before = text[at - 1 : at]
    return before.isalnum() and text[at].isalnum() and not has_han(before + text[at])


def _people(found: Sequence[_Person], text: str) -> list[Character]:
    """The characters whose names the story really uses, none twice."""
    low = text.casefold()
    kept: dict[str, Character] = {}
    for person in found:
        name = person.name.strip()
        if not name or name.casefold() not in low or name.casefold() in kept:
            continue
        aliases = [one for one in person.aliases if one and one != name and one.casefold() in low]
        kept[name.casefold()] = Character(
            id=f"c{crc32(name.encode()):08x}",
            name=name,
            looks=person.looks,
            age=person.age,
            clothing=person.clothing,
            aliases=tuple(dict.fromkeys(aliases)),
        )
    return list(kept.values())


def _is_in(language: Target, translated: str, text: str) -> bool:
    """Whether a translation is in that language; names and figures may stay as they are."""
    if not translated or len(translated) > 40 + 6 * len(text):
        return False
    return has_han(translated) if language == "zh" else language_of(translated) == "en"
