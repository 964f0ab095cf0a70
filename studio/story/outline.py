"""What each shot of a story comes to: its prompt, its length, its takes. Worked out once a revision."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pipelines.request import GenerationRequest, Notice
from studio.story import plan
from studio.story.film_plan import key_of
from studio.story.problems import StoryProblem
from studio.story.prompts import hints_of, shot_prompt
from studio.story.types import Level, Shot, Story
from studio.story.variables import filled
from studio.text.lexicon import Hint

LEVELS: tuple[Level, ...] = ("animatic", "film")


@dataclass(frozen=True)
class ShotOutline:
    """What one shot comes to. `requests` by level: empty for a shot that shows a file, or nothing yet."""

    shot: Shot
    number: int
    prompt: str
    hints: tuple[Hint, ...]
    seconds: float
    requests: Mapping[Level, tuple[GenerationRequest, ...]]
    notices: tuple[Notice, ...]

    @cached_property
    def keys(self) -> dict[Level, tuple[str, ...]]:
        """The keys of its requests."""
        return {level: tuple(map(key_of, requests)) for level, requests in self.requests.items()}

    def is_current(self, key: str, seed: int) -> bool:
        """Whether a take of that key and seed shows what the shot is now."""
        if any(key in keys for keys in self.keys.values()):
            return True
        firsts = [requests[0] for requests in self.requests.values() if requests]
        return any(key == key_of(first.model_copy(update={"seed": seed})) for first in firsts)


def outline(
    story: Story, default_model: str, befores: Mapping[str, str] | None = None
) -> tuple[ShotOutline, ...]:
    """The shots of a story, in order; `befores` are the pictures that shots go on from, as far as known."""
    story, known = filled(story), befores or {}
    return tuple(
        _outlined(story, shot, number, default_model, known.get(shot.id, ""))
        for number, shot in enumerate(story.shots, 1)
    )


def _outlined(story: Story, shot: Shot, number: int, default_model: str, before: str) -> ShotOutline:
    try:
        requests = {level: plan.shot_requests(story, shot, level, default_model, before) for level in LEVELS}
        notices = plan.notices_of(story, shot, default_model)
    except StoryProblem as problem:
        requests, notices = dict.fromkeys(LEVELS, ()), (problem.notice,)
    return ShotOutline(
        shot=shot,
        number=number,
        prompt=shot_prompt(story, shot),
        hints=hints_of(story, shot),
        seconds=plan.shot_seconds(story, shot),
        requests=requests,
        notices=notices,
    )
