"""A wish read by a language model: the same structure as the rules give, each part checked, or the rules."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pipelines.request import MAX_PROMPT, Notice
from studio.edits.changes import all_changes
from studio.edits.clauses import MAX_TEXT
from studio.edits.intents import INTENTS, intents
from studio.edits.operations import Clip
from studio.edits.reading import MOST_WISHES, read_wishes
from studio.edits.types import Amount, Change, PromptChange, Reading, Wish
from studio.text.llm import LlmClient, LlmProblem, PlainText, ask
from studio.text.llm_story import instructions
from studio.text.rewrite import comes_from, diff

_Words = Annotated[PlainText, Field(max_length=200)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    intent: Annotated[str, Field(max_length=40)]
    target: _Words = ""
    value: _Words = ""
    sign: Annotated[int, Field(ge=-1, le=1)] = 0
    strength: Annotated[float, Field(ge=0.25, le=3)] = 1.0


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    wishes: Annotated[tuple[_Told, ...], Field(max_length=MOST_WISHES)] = ()
    prompt: Annotated[PlainText, Field(max_length=MAX_PROMPT)] | None = None


def read_with_model(text: str, clip: Clip, client: LlmClient) -> Reading:
    """As `read_wishes`, by the model; where it fails, by the rules, with the notice "llm_failed_rules_used".

    An intent that there is not, or a prompt that says something else altogether, counts as failed.
    """
    data = {
        "wish": text[:MAX_TEXT],
        "prompt": clip.prompt,
        "intents": {name: intent.means for name, intent in intents().items()},
    }
    try:
        told = ask(client, instructions=instructions("edit", "en"), data=data, answer=_Answer)
        return _reading(told, text, clip, client)
    except LlmProblem as problem:
        found = read_wishes(text, clip)
        notice = Notice("llm_failed_rules_used", {"reason": problem.notice})
        return Reading(
            found.wishes,
            found.changes,
            found.alternatives,
            found.guesses,
            (*found.notices, notice),
            found.source,
        )


def _reading(told: _Answer, text: str, clip: Clip, client: LlmClient) -> Reading:
    if any(one.intent not in INTENTS for one in told.wishes):
        raise LlmProblem("llm_bad_answer", client)
    if not told.wishes:
        # What it does not understand, the rules may: they are asked before the person is.
        return read_wishes(text, clip)
    wishes = tuple(_wish(one, text) for one in told.wishes)
    found = all_changes(wishes, clip)
    after = (told.prompt or "").strip()
    changes = found.changes
    if after and after != clip.prompt and any(isinstance(one, PromptChange) for one in changes):
        if not comes_from(after, clip.prompt):
            raise LlmProblem("llm_bad_answer", client)
        changes = _with_prompt(changes, after, clip)
    return Reading(wishes, changes, found.alternatives, (), found.notices, "llm")


def _wish(told: _Told, text: str) -> Wish:
    steps = (0.5, 1.0, 2.0)
    strength = min(steps, key=lambda step: abs(step - told.strength))
    amount = Amount(told.sign, strength)
    return Wish(told.intent, told.value or text, told.target, told.value, amount)


def _with_prompt(changes: tuple[Change, ...], after: str, clip: Clip) -> tuple[Change, ...]:
    """The changes, those of the prompt as the one that the model wrote."""
    first = next(one for one in changes if isinstance(one, PromptChange))
    whole = PromptChange(first.wish, clip.prompt, after, diff(clip.prompt, after))
    kept = [one for one in changes if not isinstance(one, PromptChange) or one is first]
    return tuple(whole if one is first else one for one in kept)
