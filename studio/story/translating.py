"""What the subtitles of a second language lack, written by a language model."""

from studio.story.types import MAX_SHOT_TEXT, Story
from studio.story.variables import masked, masks_in
from studio.text.llm import LlmClient
from studio.text.llm_story import translate
from studio.words import Language

# So many at once: a person waits for the answer.
_TOGETHER = 8


def untranslated(story: Story) -> dict[str, str]:
    """The texts, by shot id, that the subtitles of the story's other language lack."""
    return {
        shot.id: shot.text.strip()
        for shot in story.shots
        if shot.text.strip() and not shot.translation.strip()
    }


def other_language(story: Story) -> Language:
    """The language that a shot's translation is in."""
    return "en" if story.language == "zh" else "zh"


def translations(story: Story, client: LlmClient) -> dict[str, str]:
    """Translations of what is untranslated, by shot id. Raises LlmProblem.

    One that lost a {variable} of its text, or is too long for a shot, is left out.
    """
    left = list(untranslated(story).items())
    found: dict[str, str] = {}
    for start in range(0, len(left), _TOGETHER):
        some = left[start : start + _TOGETHER]
        told = translate([text for _, text in some], other_language(story), client)
        for (shot_id, text), answer in zip(some, told, strict=True):
            same = sorted(masks_in(masked(text))) == sorted(masks_in(masked(answer)))
            if same and len(answer) <= MAX_SHOT_TEXT:
                found[shot_id] = answer
    return found
