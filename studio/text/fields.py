"""What a shot shows by its text: subject, action, environment, time, weather, mood, camera and style."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from studio.text.belief import Belief, placed
from studio.text.chinese_clauses import clauses_of as chinese_clauses
from studio.text.clause import Clause
from studio.text.doers import actions_of, doers_of
from studio.text.english_clauses import clauses_of as english_clauses
from studio.text.framing import camera_in, moods_in, styles_in, unframed
from studio.text.grounds import is_indoors
from studio.text.holding import Setting
from studio.text.language import has_han
from studio.text.names import nameless
from studio.text.places import Shown, nouns_in, scenery_of
from studio.text.setting import setting_of
from studio.text.told import Told, headings_of, told_in
from studio.text.traditional import Own, each, simplified

MAX_PHRASES = 8
MAX_PHRASE = 120

Phrase = Annotated[str, Field(min_length=1, max_length=MAX_PHRASE)]
Phrases = Annotated[tuple[Phrase, ...], Field(max_length=MAX_PHRASES)]


class ShotFields(BaseModel):
    """What a viewer of one shot sees, each field a few short phrases in the words of the text.

    At most MAX_PHRASES phrases of 1 to MAX_PHRASE characters a field; more raise pydantic's ValidationError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Phrases = ()
    action: Phrases = ()
    environment: Phrases = ()
    time: Phrases = ()
    weather: Phrases = ()
    mood: Phrases = ()
    camera: Phrases = ()
    style: Phrases = ()


def fields_of(
    text: str,
    *,
    carry: ShotFields | None = None,
    names: Collection[str] = (),
    heading: str = "",
    before: Sequence[ShotFields] = (),
    story: str = "",
) -> ShotFields:
    """The fields of a shot.

    `carry` is the shot before it (the last of `before`, if not given): its place, time, weather and style
    hold until the text says otherwise, and pronouns mean its subjects. `before` are all earlier shots, oldest
    first: with them a pronoun or a place may be found further back. `names` are the story's known names,
    `story` is its whole text, which tells who is a he and who a she.
    `heading` is what stands over the shot (INT. KITCHEN - NIGHT). Any text will do; one that shows nothing
    gives what carries over.
    """
    past = tuple(before) or ((carry,) if carry else ())
    earlier = [phrase for one in reversed((*past, *((carry,) if carry else ()))) for phrase in _all_of(one)]
    own = Own((text, heading, *earlier, *names, story))
    if own.differs:
        found = fields_of(
            simplified(text),
            carry=carry and each(carry, simplified),
            names=tuple(map(simplified, names)),
            heading=simplified(heading),
            before=[each(one, simplified) for one in before],
            story=simplified(story),
        )
        return each(found, own)
    believed = _sure(past)
    if past and carry:
        past = (*past[:-1], carry)
    return _read(text, past, believed, names, heading, story)[0]


def _all_of(fields: ShotFields) -> list[str]:
    return [phrase for _, phrases in fields for phrase in phrases]


def _read(
    text: str, past: Sequence[ShotFields], believed: Belief, names: Collection[str], heading: str, story: str
) -> tuple[ShotFields, Belief]:
    """The fields of a shot behind the others, and where the story may be by then."""
    last = past[-1] if past else ShotFields()
    told = told_in(text)
    clauses = _clauses(told, names)
    around = "\n".join(part for part in (heading, told.around) if part)
    nouns = nouns_in(_parts(told), names)
    subjects = doers_of(clauses, past, names, " ".join(told.sentences), story, text, nouns)
    told = Told(tuple(nameless(sentence, names) for sentence in told.sentences), told.around)
    settings = [_setting(one) for one in past]
    scenery = scenery_of(_parts(told), around, subjects, names)
    environment, believed = placed(scenery, believed)
    setting = setting_of(told, around, environment, settings, _weather_outside(past))
    whole = " ".join(told.sentences)
    fields = ShotFields(
        subject=_few(subjects, 3),
        action=_few(actions_of(clauses)),
        environment=_few(setting.environment, 4),
        time=_few(setting.time, 4),
        weather=_few(setting.weather, 4),
        mood=_few(moods_in(whole), 4),
        camera=_few(camera_in(told.sentences, around)),
        style=_few((*last.style, *styles_in(told.sentences, around))),
    )
    return fields, believed


def _weather_outside(past: Sequence[ShotFields]) -> tuple[str, ...]:
    """The weather left behind when the story went indoors, if it is the same time of day still."""
    for fields in reversed(past):
        if fields.time != past[-1].time:
            return ()
        if not any(map(is_indoors, fields.environment)):
            return fields.weather
    return ()


def _setting(fields: ShotFields) -> Setting:
    return Setting(fields.environment, fields.time, fields.weather)


def _clauses(told: Told, names: Collection[str]) -> list[Clause]:
    found: list[Clause] = []
    for part, chinese in _parts(told):
        read = chinese_clauses(part, names) if chinese else english_clauses(part, names)
        found += [replace(clause, first=not k) for k, clause in enumerate(read)]
    return found


def _parts(told: Told) -> list[tuple[str, bool]]:
    """The sentences, each cut where its language changes, and whether a part is Chinese."""
    return [part for sentence in told.sentences for part in _by_script(unframed(sentence))]


def _by_script(sentence: str) -> list[tuple[str, bool]]:
    """A sentence, cut where clauses with Chinese in them and clauses without follow each other."""
    if not has_han(sentence):
        return [(sentence, False)]
    runs: list[tuple[str, bool]] = []
    for part in re.findall(r"[^，,；;。！？!?]+[，,；;。！？!?]*", sentence):
        chinese = has_han(part)
        latin = len(re.findall(r"[A-Za-z]+", part))
        if not chinese and latin < 3 and not runs:
            chinese = True
        if runs and runs[-1][1] == chinese:
            runs[-1] = (runs[-1][0] + part, chinese)
        else:
            runs.append((part, chinese))
    return runs


def _few(phrases: Sequence[str], most: int = MAX_PHRASES) -> tuple[str, ...]:
    """The first phrases, tidied, none twice in any case, none too long."""
    kept: dict[str, str] = {}
    for phrase in phrases:
        tidy = " ".join(phrase.split()).strip(" ，,。.;；:：、!！?？")[:MAX_PHRASE].strip()
        if tidy:
            kept.setdefault(tidy.casefold(), tidy)
    return tuple(kept.values())[:most]


def fields_of_story(
    text: str,
    spans: Sequence[tuple[int, int]],
    *,
    names: Collection[str] = (),
    given: Sequence[Mapping[str, Phrases]] = (),
) -> tuple[ShotFields, ...]:
    """The fields of every shot text[start:end] of a story, in order.

    Better than one by one: headings and labels between the shots count (a scene's heading for all its shots),
    and pronouns and places are looked for in the whole story before. `given`, for each shot, are fields that
    are known, written by hand say: they stand, and the shots behind are read with them.
    """
    own = _owns(text, spans, given)
    text, names = simplified(text), tuple(map(simplified, names))
    known = [{name: tuple(map(simplified, phrases)) for name, phrases in one.items()} for one in given]
    found: list[ShotFields] = []
    believed = Belief()
    for k, ((start, end), heading) in enumerate(zip(spans, headings_of(text, spans), strict=True)):
        read, believed = _read(text[start:end], found, believed, names, heading, text)
        fields = read.model_copy(update=known[k]) if k < len(known) else read
        found.append(fields)
        if (fields.subject, fields.environment) != (read.subject, read.environment):
            believed = _sure(found)
    return tuple(map(each, found, own)) if own else tuple(found)


def _owns(text: str, spans: Sequence[tuple[int, int]], given: Sequence[Mapping[str, Phrases]]) -> list[Own]:
    """For each shot what gives its phrases back as they were written; none if all is simplified already."""
    phrases = [phrase for one in given for phrases in one.values() for phrase in phrases]
    if not Own((text, *phrases)).differs:
        return []
    return [Own((text[start:end], text, *phrases)) for start, end in spans]


def _sure(past: Sequence[ShotFields]) -> Belief:
    """One way only that the story has gone."""
    return Belief(((1.0, tuple(Shown(one.environment, one.subject) for one in past)),))
