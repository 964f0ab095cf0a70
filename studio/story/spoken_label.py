"""The spoken label: a film's first narration begins with a sentence that says who made it."""

from studio.story.types import Shot, Story
from studio.words import Language, say


def sentence(language: Language) -> str:
    """What is said."""
    return say("spoken_label", language)


def announced(story: Story) -> Story:
    """The story with the sentence before what is told first, in both languages where there is a translation.

    A story that nobody reads aloud stays as it is.
    """
    first = next((shot for shot in story.shots if shot.text.strip()), None) if story.look.narrate else None
    if first is None:
        return story
    other: Language = "en" if story.language == "zh" else "zh"
    told: dict[str, str] = {"text": _before(first.text, story.language)}
    if first.translation.strip():
        told["translation"] = _before(first.translation, other)
    shots = tuple(_with(shot, told) if shot.id == first.id else shot for shot in story.shots)
    return story.model_copy(update={"shots": shots})


def unannounced(narration: str, language: Language) -> str:
    """A narration without the sentence."""
    return narration.removeprefix(sentence(language)).lstrip()


def _before(text: str, language: Language) -> str:
    return f"{sentence(language)}{'' if language == 'zh' else ' '}{text.strip()}"


def _with(shot: Shot, told: dict[str, str]) -> Shot:
    return shot.model_copy(update=told)
