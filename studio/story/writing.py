"""A text becomes shots; written again, the shots whose text stayed keep what was done to them by hand."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Any

from studio.story.problems import StoryProblem
from studio.story.titles import told_title
from studio.story.types import MAX_SHOT_TEXT, MAX_SHOTS, Shot, Story
from studio.story.variables import masked, masks_in, unmasked
from studio.styles import written_in
from studio.text.characters import Character, find_characters, who_is_in
from studio.text.fields import ShotFields, fields_of, fields_of_story
from studio.text.llm_story import ShotReading, StoryReading
from studio.text.problems import TextProblem
from studio.text.sentences import sentences
from studio.text.shots import ShotDraft, StoryDraft, split_story
from studio.text.told import around_shots, untitled
from studio.words import Language

CHARACTERS = "characters"
MAX_CHARACTERS = 24
_ALIKE = 0.5


def write(story: Story, *, text: str) -> Story:
    """The story of this text, read by the rules. Raises StoryProblem for a text that can't become one."""
    return write_as_read(story, text, StoryReading(drafted(text)))


def write_as_read(story: Story, text: str, reading: StoryReading) -> Story:
    """The story of this text as it was read, by the rules or by a model.

    A shot whose text stayed is kept as it is; one that is much alike keeps its id, its takes and what was
    edited by hand. Characters that were there stay, unless the whole text is another one.
    """
    draft = reading.draft
    parts = _short_enough(text, draft.shots, reading.shots)
    pairs = _paired(story.shots, [part for part, _ in parts])
    stays = any(_origin(old) == new.text for old, new in pairs if old)
    people, ids = _people(story.characters if stays else (), reading, text)
    written = story.model_copy(
        update={
            "language": _language(draft, text),
            "text": text,
            "characters": people,
        }
    )
    spans = [(part.start, part.end) for part, _ in parts]
    around = around_shots(text, spans)
    shots: list[Shot] = []
    unread: set[int] = set()
    above = ""
    for (old, new), (_, found), over in zip(pairs, parts, around, strict=True):
        heading = new.heading[:120] if new.heading != above else ""
        above = new.heading
        over = over[:MAX_SHOT_TEXT]
        if old and _origin(old) == new.text and untitled(old.around) == untitled(over):
            shots.append(old)
            continue
        fresh = old or Shot(id=new_id(), title=heading)
        told = fresh.model_copy(update={"text": new.text, "origin": new.text, "around": over})
        if not found:
            unread.add(len(shots))
        shots.append(_as_read(told, found, ids) if found else told)
    whole = written.model_copy(update={"shots": _read_as_story(written, shots, spans, unread)})
    named = told_title(whole, draft.title)
    title = story.title if _own_title(story) else named
    return whole.model_copy(update={"found_title": named, "title": title})


@lru_cache(maxsize=8)
def drafted(text: str) -> StoryDraft:
    """The text split into shots by the rules; StoryProblem if that can't be done."""
    with text_problems(text):
        return split_story(text)


@contextmanager
def text_problems(text: str) -> Iterator[None]:
    """What is wrong with a text, as a StoryProblem."""
    if not text.strip():
        raise StoryProblem("story_empty")
    try:
        yield
    except TextProblem as error:
        raise StoryProblem(error.notice.code, **error.notice.values) from error


def read(story: Story, shot: Shot, before: Sequence[Shot]) -> Shot:
    """The shot with the fields and characters that its text tells, but for those edited by hand."""
    past = [other.fields for other in before]
    text = masked(shot.text)
    whole = masked(story.text or " ".join(other.text for other in story.shots))
    around = masked(shot.around or shot.title)
    found = fields_of(text, names=_names(story, text), heading=around, before=past, story=whole)
    return _with_fields(story, shot, found, before)


def _read_as_story(
    story: Story, shots: Sequence[Shot], spans: Sequence[tuple[int, int]], unread: Collection[int]
) -> tuple[Shot, ...]:
    """The shots, those of these places with what the story's text[start:end] of them tells as parts of it."""
    if not unread:
        return tuple(shots)
    text = masked(story.text)
    places = [(len(masked(story.text[:start])), len(masked(story.text[:end]))) for start, end in spans]
    given = [
        {
            name: tuple(map(masked, phrases))
            for name, phrases in shot.fields
            if k not in unread or name in shot.edited
        }
        for k, shot in enumerate(shots)
    ]
    found = fields_of_story(text, places, names=_names(story, text), given=given)
    return tuple(
        _with_fields(story, shot, fields, shots[:k]) if k in unread else shot
        for k, (shot, fields) in enumerate(zip(shots, found, strict=True))
    )


def _names(story: Story, text: str) -> tuple[str, ...]:
    """The names that a masked text may hold: of characters and variables."""
    names = (name for person in story.characters for name in (person.name, *person.aliases))
    return (*map(masked, names), *masks_in(text))


def _with_fields(story: Story, shot: Shot, found: ShotFields, before: Sequence[Shot]) -> Shot:
    """The shot with what was found in its masked text, but for what was edited by hand."""
    fields = {name: tuple(map(unmasked, phrases)) for name, phrases in found}
    fields |= {name: phrases for name, phrases in shot.fields if name in shot.edited}
    people = shot.characters
    if CHARACTERS not in shot.edited:
        people = who_is_in(shot.text, story.characters, [other.text for other in before])
    return shot.model_copy(update={"fields": found.model_copy(update=fields), "characters": people})


def new_id() -> str:
    """An id that no other shot or character of the story has."""
    return f"s{secrets.token_hex(4)}"


def _as_read(shot: Shot, found: ShotReading, ids: Mapping[str, str]) -> Shot:
    """The shot with what a model read in it, but for what was edited by hand."""
    kept = {name: getattr(shot.fields, name) for name in shot.edited if name in ShotFields.model_fields}
    update: dict[str, Any] = {"fields": found.fields.model_copy(update=kept)}
    update["translation"] = shot.translation or found.translation
    if CHARACTERS not in shot.edited:
        update["characters"] = tuple(ids[one] for one in found.characters if one in ids)
    return shot.model_copy(update=update)


def _short_enough(
    text: str, drafts: Sequence[ShotDraft], readings: Sequence[ShotReading]
) -> list[tuple[ShotDraft, ShotReading | None]]:
    """The shots with what was read in them; those too long for one are cut between sentences, unread."""
    parts: list[tuple[ShotDraft, ShotReading | None]] = []
    for draft, found in zip_longest(drafts, readings[: len(drafts)]):
        if len(draft.text) <= MAX_SHOT_TEXT:
            parts.append((draft, found))
        else:
            parts += [(part, None) for part in _cut(text, draft)]
    if len(parts) > MAX_SHOTS:
        raise StoryProblem("story_full", high=MAX_SHOTS)
    return parts


def _cut(text: str, draft: ShotDraft) -> list[ShotDraft]:
    """A draft of the text as several that are short enough, between sentences where there are any."""
    begin = 0
    told: list[str] = []
    ends = [end for _, end in sentences(draft.text) if end < len(draft.text)]
    while len(draft.text) - begin > MAX_SHOT_TEXT:
        within = [end for end in ends if begin < end <= begin + MAX_SHOT_TEXT]
        end = within[-1] if within else begin + MAX_SHOT_TEXT
        told.append(draft.text[begin:end].strip())
        begin = end
    told.append(draft.text[begin:].strip())
    starts = [draft.start]
    for part in told[1:]:
        # What is read aloud is tidier than the text, so only its first words are looked for.
        at = text.find(part[:12], starts[-1], draft.end)
        starts.append(at if at >= 0 else starts[-1])
    borders = pairwise([*starts, draft.end])
    return [replace(draft, start=a, end=b, text=part) for part, (a, b) in zip(told, borders, strict=True)]


def _paired(old: Sequence[Shot], new: Sequence[ShotDraft]) -> list[tuple[Shot | None, ShotDraft]]:
    """Each new shot and the old one that it continues: of the same text, else of a text much alike."""
    left = list(old)
    same: list[Shot | None] = []
    for draft in new:
        found = next((shot for shot in left if _origin(shot) == draft.text), None)
        if found:
            left.remove(found)
        same.append(found)
    pairs = []
    for draft, found in zip(new, same, strict=True):
        alike = found or max(left, key=lambda shot: _likeness(shot, draft), default=None)
        if alike and not found:
            alike = alike if _likeness(alike, draft) >= _ALIKE else None
            if alike:
                left.remove(alike)
        pairs.append((alike, draft))
    return pairs


def _origin(shot: Shot) -> str:
    return shot.origin or shot.text


def _likeness(shot: Shot, draft: ShotDraft) -> float:
    return SequenceMatcher(None, _origin(shot), draft.text, autojunk=False).ratio()


def _people(
    known: tuple[Character, ...], reading: StoryReading, text: str
) -> tuple[tuple[Character, ...], dict[str, str]]:
    """The known characters and those that the text tells of besides; and whom the reading's ids mean here."""
    draft = reading.draft
    found = reading.characters
    if reading.source == "rules":
        found = find_characters(text, [shot.text for shot in draft.shots])
    people, ids = list(known), {}
    for person in found:
        names = {person.name, *person.aliases}
        same = next((one for one in known if not names.isdisjoint((one.name, *one.aliases))), None)
        if same is None:
            taken = any(person.id == one.id for one in people)
            same = person.model_copy(update={"id": new_id()}) if taken else person
            people.append(same)
        ids[person.id] = same.id
    return tuple(people[:MAX_CHARACTERS]), ids


def _language(draft: StoryDraft, text: str) -> Language:
    return written_in(text) if draft.language == "mixed" else draft.language


def _own_title(story: Story) -> bool:
    """Whether a person gave the story its title; those cut from its text once ended with an ellipsis."""
    return bool(story.title) and story.title != story.found_title and not story.title.endswith("…")
