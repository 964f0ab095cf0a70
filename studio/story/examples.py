"""Stories to start from, from assets/examples/stories: myths, lessons, advertising scripts."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from studio.media.timeline import Move, TransitionKind
from studio.story.problems import StoryProblem
from studio.story.types import Look, Shot, Story
from studio.story.writing import CHARACTERS, read
from studio.text.characters import Character
from studio.text.fields import ShotFields
from studio.words import Language

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "examples" / "stories"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Person(_Data):
    name: str
    aliases: tuple[str, ...] = ()
    looks: str = ""
    age: str = ""
    clothing: str = ""


class _Told(_Data):
    """A shot: `show` are its fields, `characters` names of who is in it, where the text tells otherwise."""

    text: str
    translation: str
    move: Move = "none"
    transition: TransitionKind | None = None
    show: ShotFields | None = None
    characters: tuple[str, ...] | None = None


class StoryExample(_Data):
    """One story to start from: `name` is its file's, `title` what it is called in each language.

    `cover` is the number of the shot that its card shows (`python -m studio.covers` draws it).
    """

    name: str
    kind: Literal["myth", "lesson", "advert"]
    language: Language
    title: dict[Language, str]
    look: Look = Look()
    cover: int = 1
    variables: dict[str, str] = {}
    character: tuple[_Person, ...] = ()
    shot: tuple[_Told, ...]

    def story(self) -> Story:
        """The story, its shots read: what each shows, and who is in it."""
        people = tuple(
            Character(id=f"{self.name[:1]}-{number}", **person.model_dump())
            for number, person in enumerate(self.character, 1)
        )
        space = "" if self.language == "zh" else " "
        story = Story(
            title=self.title[self.language],
            language=self.language,
            text=space.join(shot.text for shot in self.shot),
            characters=people,
            variables=self.variables,
            look=self.look,
        )
        shots: list[Shot] = []
        for number, told in enumerate(self.shot, 1):
            shot = Shot(
                id=f"{self.name[:1]}-{number}",
                text=told.text,
                origin=told.text,
                translation=told.translation,
                move=told.move,
                transition=told.transition,
                fields=told.show or ShotFields(),
                edited=_by_hand(told),
                characters=tuple(one.id for one in people if one.name in (told.characters or ())),
            )
            shots.append(read(story, shot, shots))
        return story.model_copy(update={"shots": tuple(shots)})


def _by_hand(told: _Told) -> tuple[str, ...]:
    fields = tuple(told.show.model_fields_set) if told.show else ()
    return tuple(sorted(fields)) + ((CHARACTERS,) if told.characters is not None else ())


@cache
def story_examples() -> tuple[StoryExample, ...]:
    """The examples in the order the page shows them."""
    return tuple(
        StoryExample(name=path.stem, **tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("*.toml"))
    )


@cache
def example_story(name: str) -> Story:
    """The story of the example of that name; StoryProblem "example_unknown"."""
    for example in story_examples():
        if example.name == name:
            return example.story()
    allowed = ", ".join(example.name for example in story_examples())
    raise StoryProblem("example_unknown", value=str(name)[:40], allowed=allowed)
