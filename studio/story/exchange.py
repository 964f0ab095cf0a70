"""A story as a file to keep or hand on, and back. What comes in is not trusted."""

import json
from typing import Any, NoReturn

from pydantic import ValidationError

from studio.media.music import MOODS, beds
from studio.story.problems import StoryProblem, problem
from studio.story.types import Look, Shot, Story
from studio.story.writing import new_id
from studio.text.characters import Character

MAX_BYTES = 1_000_000
STUDIO = "wan-studio"
KIND = "story"


def export_json(story: Story) -> str:
    """The story as JSON, but for its takes and files: those belong to this studio."""
    document = {"studio": STUDIO, "kind": KIND, "story": _alone(story).model_dump(mode="json")}
    return json.dumps(document, ensure_ascii=False, indent=1)


def import_json(text: str) -> Story:
    """The story of an exported file, without takes, approvals and files.

    Raises StoryProblem: "story_file_big", "story_file_bad" (no JSON), "story_file_other" (not ours), or what
    is wrong with a value.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise StoryProblem("story_file_big", high=MAX_BYTES // 1_000_000)
    try:
        found = json.loads(text.removeprefix("\ufeff"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise StoryProblem("story_file_bad") from error
    if not isinstance(found, dict) or found.get("studio") != STUDIO or found.get("kind") != KIND:
        raise StoryProblem("story_file_other")
    try:
        story = Story.model_validate(found.get("story"))
    except ValidationError as error:
        raise problem(error) from error
    return _own_ids(_alone(story))


def known_music(name: str) -> bool:
    """Whether this is a mood or one of the studio's own music beds."""
    return name in MOODS or any(name == bed.name for bed in beds())


def _alone(story: Story) -> Story:
    """The story without what only exists here: takes, what was approved of them, files."""
    gone: dict[str, Any] = {"take": None, "approved": False, "source": None}
    shots = tuple(shot.model_copy(update=gone) for shot in story.shots)
    return story.model_copy(update={"shots": shots, "look": _without_files(story.look)})


def _without_files(look: Look) -> Look:
    music = look.music if known_music(look.music) else ""
    name = look.music_name if music else ""
    return look.model_copy(update={"logo": "", "music": music, "music_name": name})


def _own_ids(story: Story) -> Story:
    """The story in which no two shots and no two characters share an id, and shots hold known characters.

    Ids that are right stay: a shot's seed comes from its id, and so the same story makes the same film.
    """
    people: list[Character] = []
    for person in story.characters:
        twice = any(person.id == other.id for other in people)
        people.append(person.model_copy(update={"id": new_id()}) if twice else person)
    known = {person.id for person in people}
    shots: list[Shot] = []
    for shot in story.shots:
        twice = any(shot.id == other.id for other in shots)
        update: dict[str, Any] = {"id": new_id()} if twice else {}
        update["characters"] = tuple(dict.fromkeys(one for one in shot.characters if one in known))
        shots.append(shot.model_copy(update=update))
    return story.model_copy(update={"characters": tuple(people), "shots": tuple(shots)})


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
