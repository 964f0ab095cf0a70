"""A story split into shots, by rules alone."""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.request import Notice
from studio.text.borders import Told, meant, strength, weights
from studio.text.language import HAN, TextLanguage, language_of
from studio.text.layout import layout_of
from studio.text.problems import TextProblem
from studio.text.traditional import Own, simplified
from studio.text.units import Unit, units_of

LONGEST_STORY = 12_000
MOST_SHOTS = 24


@dataclass(frozen=True)
class ShotDraft:
    """One shot: it shows the story's text[start:end], less headings and labels.

    `text` is what a narrator reads, `heading` the scene or chapter that it stands under, or "".
    """

    start: int
    end: int
    text: str
    heading: str = ""


@dataclass(frozen=True)
class StoryDraft:
    """A story as it was split: 1 to 24 shots in order, and what a person should know about it."""

    title: str
    language: TextLanguage
    shots: tuple[ShotDraft, ...]
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class _Run:
    """Units that are one shot; `strength` is how surely it begins there."""

    units: tuple[Unit, ...]
    strength: float


def split_story(text: str) -> StoryDraft:
    """Split a story into shots.

    A shot begins where place, time, subject or visible action changes; a line of verse, a list item and a
    numbered shot is one each. Offsets are those of `text` as given. Raises TextProblem "story_empty" for a
    text without words, "story_too_long" for more than 12,000 characters.
    """
    if len(text) > LONGEST_STORY:
        raise TextProblem(Notice("story_too_long", {"count": len(text), "high": LONGEST_STORY}))
    # Punctuation alone tells nothing; a picture sign may.
    if not any(sign.isalnum() or unicodedata.category(sign) == "So" for sign in text):
        raise TextProblem(Notice("story_empty"))
    own, plain = Own((text,)), simplified(text)
    layout = layout_of(plain)
    units = units_of(plain, layout.passages)
    if not units:
        return _one_shot(text)
    runs = _runs(units, meant(plain, units))
    notices = []
    if len(runs) > MOST_SHOTS:
        notices.append(Notice("story_many_shots", {"count": len(runs), "high": MOST_SHOTS}))
        runs = _fewer(runs)
    if not any(unit.signs.shows for unit in units):
        notices.append(Notice("story_abstract"))
        runs = _joined_where_unsure(runs)
    shots = tuple(_shot(text, run, own) for run in runs)
    return StoryDraft(own(layout.title), language_of(text), shots, tuple(notices))


def _joined_where_unsure(runs: list[_Run]) -> list[_Run]:
    """Only the shots that the layout asks for."""
    found = runs[:1]
    for run in runs[1:]:
        if run.units[0].opens:
            found.append(run)
        else:
            found[-1] = replace(found[-1], units=found[-1].units + run.units)
    return found


def _one_shot(text: str) -> StoryDraft:
    """A text that is nothing but a heading or emoji: it is shown as it is."""
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    shot = ShotDraft(start, end, _tidy(text[start:end].lstrip("# ")))
    return StoryDraft("", language_of(text), (shot,), (Notice("story_abstract"),))


def _runs(units: list[Unit], further: Sequence[float]) -> list[_Run]:
    weight = weights()
    told = Told(units)
    groups: list[list[Unit]] = []
    strengths: list[float] = []
    opening = 0
    for i, unit in enumerate(units):
        sure = unit.sure
        if not unit.opens and groups:
            sure = -math.inf if unit.said else strength(told.cues(i, opening), weight) + further[i]
        if not groups or unit.opens or sure > 0:
            opening = i
            groups.append([unit])
            strengths.append(sure)
        else:
            groups[-1].append(unit)
    return [_Run(tuple(group), sure) for group, sure in zip(groups, strengths, strict=True)]


def _fewer(runs: list[_Run]) -> list[_Run]:
    """Join shots over the weakest borders, short neighbours first, until there are no more than 24."""
    runs = list(runs)
    lengths = [sum(unit.signs.length for unit in run.units) for run in runs]
    # costs[i] is that of the border between i and i + 1.
    costs = [_cost(runs[i + 1], lengths[i], lengths[i + 1]) for i in range(len(runs) - 1)]
    while len(runs) > MOST_SHOTS:
        i = costs.index(min(costs))
        runs[i] = replace(runs[i], units=runs[i].units + runs[i + 1].units)
        lengths[i] += lengths[i + 1]
        del runs[i + 1], lengths[i + 1], costs[i]
        for k in (i - 1, i):
            if 0 <= k < len(costs):
                costs[k] = _cost(runs[k + 1], lengths[k], lengths[k + 1])
    return runs


def _cost(run: _Run, before: int, length: int) -> float:
    """What is lost if a shot joins the one before it."""
    return run.strength + math.log1p(before + length)


def _shot(text: str, run: _Run, own: Own) -> ShotDraft:
    first, last = run.units[0], run.units[-1]
    told = " ".join(_tidy(text[unit.start : unit.end]) for unit in run.units)
    end = first.start + len(text[first.start : last.end].rstrip())
    return ShotDraft(first.start, end, _closed_up(told), own(first.heading))


def _tidy(text: str) -> str:
    """Text as it is read aloud: single spaces, no marks of Markdown."""
    text = re.sub(r"!?\[([^\[\]]{1,200})\]\([^)\s]{1,400}\)", r"\1", text)
    text = re.sub(r"(\*\*|__|`)(?=\S)(.{1,200}?)(?<=\S)\1", r"\2", text)
    return _closed_up(re.sub(r"\s+", " ", text).strip())


def _closed_up(text: str) -> str:
    """No space between Chinese sentences and their signs."""
    signs = "。！？；，、：…”’」』）】"
    return re.sub(rf"(?<=[{signs}]) (?=[{HAN}“‘「『（【])", "", text)
