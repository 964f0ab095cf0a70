"""Every edit of a story by name: pure, (story, values) -> another story. What can't be is a StoryProblem."""

import inspect
from collections.abc import Callable
from functools import wraps
from types import MappingProxyType
from typing import Any

from pipelines.models import MODELS
from studio.media.music import MOODS
from studio.story import shot_edits, writing
from studio.story.exchange import known_music
from studio.story.problems import StoryProblem, changed
from studio.story.prompts import bare_prompt, seed_of, style_of
from studio.story.types import Shot, Story
from studio.story.writing import CHARACTERS, MAX_CHARACTERS, new_id
from studio.styles import STYLES
from studio.text.characters import Character, rename, who_is_in
from studio.text.fields import ShotFields
from studio.voice.voices import VOICES

Edit = Callable[..., Story]


def edit(story: Story, name: str, /, **values: Any) -> Story:
    """The story after the edit of that name; StoryProblem if there is none, or if its values can't be."""
    found = EDITS.get(name)
    if found is None:
        raise StoryProblem("edit_unknown", value=str(name)[:40])
    try:
        inspect.signature(found).bind(story, **values)
    except TypeError as error:
        raise StoryProblem("edit_wrong", value=name) from error
    return found(story, **values)


def set_title(story: Story, *, title: str) -> Story:
    """The story's title, which is also the film's."""
    return changed(story, title=title.strip() if isinstance(title, str) else title)


def set_variable(story: Story, *, name: str, value: str) -> Story:
    """What stands for {name} from now on; an empty value takes it away."""
    value = value.strip() if isinstance(value, str) else value
    others = {known: text for known, text in story.variables.items() if known != name}
    return changed(story, variables=others | ({name: value} if value else {}))


def update_look(story: Story, **values: Any) -> Story:
    """How the whole film shall be: the values of Look. `music` is a mood, or an upload's place."""
    if "music" in values and "music_name" not in values and values["music"] != story.look.music:
        values |= {"music_name": ""}
    look = changed(story.look, **values)
    own = look.own_style
    chosen = STYLES if own is None or own.name != look.style else (*STYLES, own.name)
    for name, table, empty in (("style", chosen, "none"), ("model", MODELS, ""), ("voice", VOICES, "")):
        value = getattr(look, name)
        if name in values and value != empty and value not in table:
            allowed = ", ".join(table)
            raise StoryProblem("choice_unknown", field=name, value=value[:40], allowed=allowed)
    if "music" in values and look.music and not known_music(look.music) and "/" not in look.music:
        raise StoryProblem("choice_unknown", field="music", value=look.music[:40], allowed=", ".join(MOODS))
    return story.model_copy(update={"look": look})


def set_character(story: Story, *, id: str | None = None, **values: Any) -> Story:
    """A character with other values (name, looks, age, clothing, aliases), or a new one without an id.

    Shots that name it hold it from now on. Another name does not change the texts: `rename_character` does.
    """
    old = None if id is None else _character(story, id)
    if old is None and len(story.characters) >= MAX_CHARACTERS:
        raise StoryProblem("list_too_long", field=CHARACTERS, high=MAX_CHARACTERS)
    values = {name: _tidy(value) for name, value in values.items()}
    if not (values.get("name", old.name if old else "") or ""):
        raise StoryProblem("character_nameless")
    person = changed(old or Character(id=new_id(), name="-"), **values)
    found = _with(story, person)
    called = (person.name, person.aliases)
    return found if old and called == (old.name, old.aliases) else _placed(found, person.id)


def remove_character(story: Story, *, id: str) -> Story:
    """The story without a character; the texts keep the name."""
    _character(story, id)
    shots = tuple(
        shot.model_copy(update={CHARACTERS: tuple(one for one in shot.characters if one != id)})
        for shot in story.shots
    )
    left = tuple(person for person in story.characters if person.id != id)
    return story.model_copy(update={CHARACTERS: left, "shots": shots})


def rename_character(story: Story, *, id: str, name: str) -> Story:
    """Another name for a character wherever the story uses it as a name; its looks stay word for word."""
    old = _character(story, id)
    name = _tidy(name)
    if not name:
        raise StoryProblem("character_nameless")
    if name == old.name:
        return story
    found = _with(story, changed(old, name=name))
    people = tuple(
        person.model_copy(update={"looks": rename(person.looks, old.name, name)})
        for person in found.characters
    )
    return changed(
        found,
        title=rename(story.title, old.name, name)[:120],
        found_title=rename(story.found_title, old.name, name)[:120],
        text=rename(story.text, old.name, name),
        shots=tuple(_renamed(shot, old, name) for shot in found.shots),
        characters=people,
    )


def approve_all(story: Story, *, yes: bool = True) -> Story:
    """Every shot to be made at full quality, or none."""
    shots = tuple(changed(shot, approved=yes) for shot in story.shots)
    return story.model_copy(update={"shots": shots})


def _character(story: Story, id: str) -> Character:
    found = next((person for person in story.characters if person.id == id), None)
    if found is None:
        raise StoryProblem("character_unknown")
    return found


def _with(story: Story, person: Character) -> Story:
    """The story with a character that is new or changed."""
    if any(other.name == person.name for other in story.characters if other.id != person.id):
        raise StoryProblem("character_twice", value=person.name[:40])
    others = tuple(person if other.id == person.id else other for other in story.characters)
    people = others if person in others else (*others, person)
    return story.model_copy(update={CHARACTERS: people})


def _tidy(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _placed(story: Story, person: str) -> Story:
    """The story whose shots hold a character where their texts name it, but for shots set by hand."""
    shots = []
    for place, shot in enumerate(story.shots):
        named = who_is_in(shot.text, story.characters, [other.text for other in story.shots[:place]])
        if CHARACTERS not in shot.edited and (person in named) != (person in shot.characters):
            people = tuple(one for one in shot.characters if one != person)
            people = (*people, person) if person in named else people
            shot = shot.model_copy(update={CHARACTERS: people})
        shots.append(shot)
    return story.model_copy(update={"shots": tuple(shots)})


def _renamed(shot: Shot, old: Character, name: str) -> Shot:
    """The shot with the new name. A name in the other language is one of the aliases: it gives way there."""
    texts = {part: rename(getattr(shot, part), old.name, name) for part in ("text", "origin", "title")}
    told = shot.translation
    for called in (old.name, *(alias for alias in old.aliases if not alias[:1].islower())):
        told = rename(told, called, name)
    fields = {
        part: tuple(rename(phrase, old.name, name) for phrase in getattr(shot.fields, part))
        for part in ShotFields.model_fields
    }
    prompt = None if shot.prompt is None else rename(shot.prompt, old.name, name)
    fields_found = shot.fields.model_copy(update=fields)
    return changed(shot, **texts, translation=told, prompt=prompt, fields=fields_found)


def _true_to_sight(edit: Edit) -> Edit:
    """A shot that looks different now is no longer what somebody approved, nor what the chosen take shows."""

    @wraps(edit)
    def edited(story: Story, *given: Any, **values: Any) -> Story:
        found = edit(story, *given, **values)
        before = {shot.id: shot for shot in story.shots}
        shots = tuple(_still_true(story, before.get(shot.id), found, shot) for shot in found.shots)
        return found if shots == found.shots else found.model_copy(update={"shots": shots})

    return edited


def _still_true(before: Story, old: Shot | None, after: Story, shot: Shot) -> Shot:
    if old is None or not (shot.approved or shot.take):
        return shot
    if _picture(before, old) != _picture(after, shot):
        return shot.model_copy(update={"approved": False, "take": None})
    # The same picture made otherwise: approved all the same, but not in a take of the old kind.
    return shot if _making(before, old) == _making(after, shot) else shot.model_copy(update={"take": None})


def _picture(story: Story, shot: Shot) -> tuple[object, ...]:
    return bare_prompt(story, shot), style_of(story), seed_of(story, shot), shot.source


def _making(story: Story, shot: Shot) -> tuple[object, ...]:
    return story.look.model, story.look.quality, story.look.format, story.look.height, shot.seconds


_CHANGES: tuple[Edit, ...] = (
    writing.write,
    shot_edits.add_shot,
    shot_edits.split_shot,
    shot_edits.merge_shots,
    shot_edits.move_shot,
    shot_edits.delete_shot,
    shot_edits.update_shot,
    shot_edits.update_fields,
    shot_edits.reset_prompt,
    shot_edits.translate,
    shot_edits.accept_rewrite,
    shot_edits.undo_rewrite,
    shot_edits.trim_source,
    shot_edits.remove_source,
    set_title,
    set_variable,
    update_look,
    set_character,
    remove_character,
    rename_character,
)
_CHOICES: tuple[Edit, ...] = (shot_edits.approve, approve_all, shot_edits.choose_take)
EDITS: MappingProxyType[str, Edit] = MappingProxyType(
    {edit.__name__: _true_to_sight(edit) for edit in _CHANGES} | {edit.__name__: edit for edit in _CHOICES}
)
"""Every edit that a person may make, by name."""

write_as_read: Edit = _true_to_sight(writing.write_as_read)
"""As the edit "write", of a text that was read already: by a model, say."""
