"""What a model is asked for in words: a shot's fields, its characters, the story's style, alike each time."""

from functools import lru_cache
from zlib import crc32

from pipelines.request import MAX_PROMPT, MAX_SEED
from studio import styles
from studio.story.types import Look, Shot, Story
from studio.story.variables import fill
from studio.styles import STYLES, Style
from studio.text.characters import Character
from studio.text.fields import ShotFields
from studio.text.lexicon import Hint, visible
from studio.text.prompt import assemble
from studio.words import Language

_REMEMBERED = 2048
_STOPS = " \n\t，,、；;。．."


def shot_prompt(story: Story, shot: Shot) -> str:
    """The whole prompt of a shot in the story's style; empty if the shot shows nothing yet.

    It holds the description of each of its characters word for word, also when the rest was written by hand.
    """
    bare = bare_prompt(story, shot)
    return styles.apply(style_of(story), prompt=bare)["prompt"] if bare else ""


def bare_prompt(story: Story, shot: Shot) -> str:
    """The prompt before the style is put to it, at most as long as leaves room for the style."""
    room = styles.room_for_prompt(style_of(story), MAX_PROMPT)
    context = (story.language, story.characters, story.look.palette, room)
    return _bare_prompt(shot, *context, tuple(story.variables.items()))


def hints_of(story: Story, shot: Shot) -> tuple[Hint, ...]:
    """The vague words of a shot's text, and how each looks; the story's characters look as it says."""
    return _hints(fill(shot.text, story.variables), story.language, story.characters)


def characters_of(story: Story, shot: Shot) -> tuple[Character, ...]:
    """The characters that a shot shows, in the story's order."""
    return tuple(character for character in story.characters if character.id in shot.characters)


def style_of(story: Story) -> Style:
    """The story's style, an own one as it was when it was chosen; one that is not here counts as none."""
    return chosen_style(story.look)


def chosen_style(look: Look) -> Style:
    """The style that a story's look names."""
    own = look.own_style
    return own if own is not None and own.name == look.style else STYLES.get(look.style, STYLES["none"])


def seed_of(story: Story, shot: Shot) -> int:
    """The shot's own seed, or its place in the story's family."""
    if shot.seed is not None:
        return shot.seed
    return (story.look.seed + crc32(shot.id.encode())) % (MAX_SEED + 1)


# An edit changes one shot of many, and a page asks for all of them each time.
@lru_cache(maxsize=_REMEMBERED)
def _bare_prompt(
    shot: Shot,
    language: Language,
    characters: tuple[Character, ...],
    palette: str,
    room: int,
    variables: tuple[tuple[str, str], ...],
) -> str:
    values = dict(variables)
    people = tuple(character for character in characters if character.id in shot.characters)
    if shot.prompt is not None:
        text = _by_hand(shot.prompt, people, palette, language)
    elif shot.fields == ShotFields() and not people:
        text = shot.text
    else:
        hints = _hints(fill(shot.text, values), language, characters)
        text = assemble(shot.fields, characters=people, language=language, hints=hints, palette=palette)
    return _within(fill(text, values).strip(), room)


@lru_cache(maxsize=_REMEMBERED)
def _hints(text: str, language: Language, characters: tuple[Character, ...]) -> tuple[Hint, ...]:
    names = {name for person in characters for name in (person.name, *person.aliases)}
    return tuple(hint for hint in visible(text, language) if hint.word not in names)


def _by_hand(prompt: str, people: tuple[Character, ...], palette: str, language: Language) -> str:
    described = [character.description(language) for character in people]
    more = [text for text in (*described, palette) if text and text not in prompt]
    comma = "，" if language == "zh" else ", "
    return comma.join(part for part in (prompt.strip().rstrip(_STOPS), *more) if part)


def _within(text: str, room: int) -> str:
    """The text, cut between two of its parts if it is too long."""
    if len(text) <= room:
        return text
    cut = text[: room + 1]
    borders = [cut.rfind(mark) for mark in "，,。.、；; "]
    return cut[: max(borders)].rstrip(_STOPS) if max(borders) > room // 2 else text[:room]
