"""Edits of single shots: pure, (story, values) -> another story. What can't be is a StoryProblem."""

import re
from collections.abc import Mapping
from typing import Any

from studio.story import writing
from studio.story.problems import StoryProblem, changed
from studio.story.prompts import bare_prompt
from studio.story.types import MAX_SHOTS, Shot, Source, Story
from studio.story.writing import CHARACTERS, new_id
from studio.text.fields import MAX_PHRASES, ShotFields
from studio.text.language import HAN
from studio.text.sentences import sentences

_SHOT_VALUES = frozenset(
    (
        "text",
        "translation",
        "title",
        "prompt",
        "characters",
        "seconds",
        "move",
        "transition",
        "seed",
        "continues",
    )
)
_LONGEST_SHOT = 30.0


def add_shot(story: Story, *, after: str | None = None, text: str = "") -> Story:
    """A new shot behind another one, or as the first."""
    _room(story)
    place = 0 if after is None else _index(story, after) + 1
    shot = changed(Shot(id=new_id()), text=text)
    return _with(story, place, place, writing.read(story, shot, story.shots[:place]))


def split_shot(story: Story, *, shot_id: str, at: int | None = None) -> Story:
    """Two shots of one: `at` counts the text's characters; None: between the two sentences in the middle.

    The first part keeps the id and the takes.
    """
    _room(story)
    place = _index(story, shot_id)
    shot = story.shots[place]
    at = _middle(shot.text) if at is None else at
    if isinstance(at, bool) or not isinstance(at, int) or not 0 < at < len(shot.text):
        raise StoryProblem("shot_split_where", number=place + 1)
    texts = shot.text[:at].strip(), shot.text[at:].strip()
    if not all(texts):
        raise StoryProblem("shot_split_where", number=place + 1)
    cut = _middle(shot.translation, at / len(shot.text)) or len(shot.translation)
    told = shot.translation[:cut].strip(), shot.translation[cut:].strip()
    half = {"text": texts[0], "translation": told[0], "transition": None, "seconds": None}
    first = writing.read(story, shot.model_copy(update=half), story.shots[:place])
    other = Shot(id=new_id(), text=texts[1], translation=told[1], move=shot.move, transition=shot.transition)
    second = writing.read(story, other, (*story.shots[:place], first))
    return _with(story, place, place + 1, first, second)


def merge_shots(story: Story, *, shot_id: str) -> Story:
    """A shot and the next one as one, with the first one's id and takes."""
    place = _index(story, shot_id)
    if place + 1 == len(story.shots):
        raise StoryProblem("shot_is_last", number=place + 1)
    shot, follower = story.shots[place : place + 2]
    lengths = (shot.seconds, follower.seconds)
    prompts = [prompt for prompt in (shot.prompt, follower.prompt) if prompt]
    merged = changed(
        shot,
        text=_joined(shot.text, follower.text),
        translation=_joined(shot.translation, follower.translation),
        origin=_joined(shot.origin, follower.origin),
        title=shot.title or follower.title,
        prompt=prompts[0] if prompts else None,
        seconds=min(_LONGEST_SHOT, sum(filter(None, lengths))) if all(lengths) else None,
        transition=follower.transition,
        source=shot.source or follower.source,
        edited=tuple(dict.fromkeys((*shot.edited, *follower.edited))),
        fields=_both(shot.fields, follower.fields),
        characters=tuple(dict.fromkeys((*shot.characters, *follower.characters))),
    )
    return _with(story, place, place + 2, writing.read(story, merged, story.shots[:place]))


def move_shot(story: Story, *, shot_id: str, to: int) -> Story:
    """The shot as number `to`, counted from 0, in the new order."""
    place = _index(story, shot_id)
    if isinstance(to, bool) or not isinstance(to, int) or not 0 <= to < len(story.shots):
        raise StoryProblem("shot_move_where", high=len(story.shots))
    shots = list(story.shots)
    shots.insert(to, shots.pop(place))
    return story.model_copy(update={"shots": tuple(shots)})


def delete_shot(story: Story, *, shot_id: str) -> Story:
    """The story without a shot; its takes stay in the library."""
    place = _index(story, shot_id)
    return _with(story, place, place + 1)


def update_shot(story: Story, *, shot_id: str, **values: Any) -> Story:
    """A shot with other values, of those in _SHOT_VALUES.

    An empty prompt is one that is assembled. A new text is read anew, but for what was edited by hand.
    """
    place = _index(story, shot_id)
    for name in values:
        if name not in _SHOT_VALUES:
            raise StoryProblem("field_unknown", field=str(name)[:40])
    if isinstance(values.get("prompt"), str) and not values["prompt"].strip():
        values["prompt"] = None
    if "prompt" in values:
        values["original"] = None
    shot = changed(story.shots[place], **values)
    if CHARACTERS in values:
        known = {person.id for person in story.characters}
        if not known.issuperset(shot.characters):
            raise StoryProblem("character_unknown")
        shot = _by_hand(shot, CHARACTERS)
    if shot.text != story.shots[place].text:
        shot = writing.read(story, shot, story.shots[:place])
    return _with(story, place, place + 1, shot)


def update_fields(story: Story, *, shot_id: str, field: str, values: list[str] | tuple[str, ...]) -> Story:
    """One field of what a shot shows, written by hand: it stays when the text changes."""
    place = _index(story, shot_id)
    if field not in ShotFields.model_fields:
        raise StoryProblem("field_unknown", field=str(field)[:40])
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise StoryProblem("text_needed", field=field)
    phrases = tuple(dict.fromkeys(value.strip() for value in values if value.strip()))
    if not all(phrase.isprintable() for phrase in phrases):
        raise StoryProblem("text_control", field=field)
    shot = story.shots[place]
    fields = changed(shot.fields, **{field: phrases})
    return _with(story, place, place + 1, _by_hand(shot.model_copy(update={"fields": fields}), field))


def reset_prompt(story: Story, *, shot_id: str) -> Story:
    """The prompt assembled again, from fields read from the text again."""
    place = _index(story, shot_id)
    shot = story.shots[place].model_copy(update={"prompt": None, "original": None, "edited": ()})
    return _with(story, place, place + 1, writing.read(story, shot, story.shots[:place]))


def translate(story: Story, *, texts: Mapping[str, str]) -> Story:
    """Translations, by shot id, for the shots that have none."""
    if not isinstance(texts, Mapping):
        raise StoryProblem("edit_wrong", value="translate")
    shots = (
        changed(shot, translation=texts[shot.id])
        if shot.id in texts and not shot.translation.strip()
        else shot
        for shot in story.shots
    )
    return story.model_copy(update={"shots": tuple(shots)})


def accept_rewrite(story: Story, *, shot_id: str, original: str, rewritten: str) -> Story:
    """A prompt that was made better, and the one it was made from: both are kept."""
    place = _index(story, shot_id)
    if not isinstance(rewritten, str) or not rewritten.strip():
        raise StoryProblem("prompt_empty", field="prompt")
    shot = changed(story.shots[place], prompt=rewritten.strip(), original=original)
    return _with(story, place, place + 1, shot)


def undo_rewrite(story: Story, *, shot_id: str) -> Story:
    """The prompt as it was before it was made better: written by hand, or assembled."""
    place = _index(story, shot_id)
    shot = story.shots[place]
    if shot.original is None:
        return story
    assembled = shot.model_copy(update={"prompt": None, "original": None})
    own = bare_prompt(story.model_copy(update={"variables": {}}), assembled) != shot.original
    return _with(
        story, place, place + 1, assembled.model_copy(update={"prompt": shot.original if own else None})
    )


def trim_source(story: Story, *, shot_id: str, start: float, seconds: float | None = None) -> Story:
    """The stretch that is shown of a shot's own file."""
    place = _index(story, shot_id)
    shot = story.shots[place]
    if shot.source is None:
        raise StoryProblem("shot_no_source", number=place + 1)
    source = changed(shot.source, start=start, seconds=seconds)
    return _with(story, place, place + 1, shot.model_copy(update={"source": source}))


def remove_source(story: Story, *, shot_id: str) -> Story:
    """A shot that is generated again instead of showing a file."""
    place = _index(story, shot_id)
    return _with(story, place, place + 1, story.shots[place].model_copy(update={"source": None}))


def with_source(story: Story, shot_id: str, source: Source) -> Story:
    """A shot that shows a file; not among EDITS, since a place on the disk never comes from a person."""
    place = _index(story, shot_id)
    return _with(story, place, place + 1, story.shots[place].model_copy(update={"source": source}))


def approve(story: Story, *, shot_id: str, yes: bool = True) -> Story:
    """Whether a shot is to be made at full quality."""
    place = _index(story, shot_id)
    return _with(story, place, place + 1, changed(story.shots[place], approved=yes))


def choose_take(story: Story, *, shot_id: str, asset_id: str | None, seed: int | None = None) -> Story:
    """The take that the film uses, and its seed for what is made of the shot from now on; None: the best."""
    place = _index(story, shot_id)
    shot = changed(story.shots[place], take=asset_id or None)
    return _with(story, place, place + 1, shot if seed is None else changed(shot, seed=seed))


def _index(story: Story, shot_id: str) -> int:
    place = next((place for place, shot in enumerate(story.shots) if shot.id == shot_id), None)
    if place is None:
        raise StoryProblem("shot_unknown")
    return place


def _room(story: Story) -> None:
    if len(story.shots) >= MAX_SHOTS:
        raise StoryProblem("story_full", high=MAX_SHOTS)


def _with(story: Story, start: int, end: int, *shots: Shot) -> Story:
    """The story with these shots instead of those from `start` to before `end`."""
    return story.model_copy(update={"shots": (*story.shots[:start], *shots, *story.shots[end:])})


def _by_hand(shot: Shot, name: str) -> Shot:
    return shot.model_copy(update={"edited": tuple(dict.fromkeys((*shot.edited, name)))})


def _both(one: ShotFields, other: ShotFields) -> ShotFields:
    names = ShotFields.model_fields
    found = {name: tuple(dict.fromkeys((*getattr(one, name), *getattr(other, name)))) for name in names}
    return ShotFields(**{name: phrases[:MAX_PHRASES] for name, phrases in found.items()})


def _middle(text: str, share: float = 0.5) -> int:
    """Where a sentence ends nearest to a share of the text; 0 if it is one sentence only."""
    ends = [end for _, end in sentences(text) if end < len(text.rstrip())]
    return min(ends, key=lambda end: abs(end - share * len(text)), default=0)


def _joined(one: str, other: str) -> str:
    one, other = one.strip(), other.strip()
    close = re.search(f"[{HAN}。！？，；”」…]$", one) is not None
    return one + ("" if close or not one or not other else " ") + other
