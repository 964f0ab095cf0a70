"""What shall be done to one clip, as a document: made of a reading, sent by a page, kept with the job."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from pipelines.request import MAX_PROMPT
from studio.edits.clauses import MAX_TEXT
from studio.edits.types import Change, MediaChange, PromptChange, Reading, SettingsChange
from studio.media.retouch import MOST_OPERATIONS, Operation

SettingName = Literal[
    "style", "seconds", "size", "quality", "guidance_scale", "seed", "negative_prompt", "num_inference_steps"
]
SETTINGS: tuple[SettingName, ...] = get_args(SettingName)


class EditPlan(BaseModel):
    """One edit. `prompt` None: as it was; a setting of None is left to the studio (another seed).

    Whoever sends one may ask for the same by hand: it is validated, not trusted. Raises ValidationError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wish: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    intents: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=12)] = ()
    prompt: Annotated[str, Field(min_length=1, max_length=MAX_PROMPT)] | None = None
    settings: dict[SettingName, Annotated[str, Field(max_length=MAX_PROMPT)] | float | None] = {}
    operations: Annotated[tuple[Operation, ...], Field(max_length=MOST_OPERATIONS)] = ()

    @property
    def renders(self) -> bool:
        """Whether the clip is rendered anew."""
        return self.prompt is not None or bool(self.settings)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.renders and not self.operations


def plan_of(reading: Reading, wish: str) -> EditPlan:
    """What a reading comes to."""
    return EditPlan(
        wish=wish[:MAX_TEXT],
        intents=reading.intents,
        prompt=reading.prompt,
        settings=_known(reading.settings),
        operations=reading.operations[:MOST_OPERATIONS],
    )


def plan_of_change(change: Change, wish: str) -> EditPlan:
    """What one change comes to: another way to do what was wished."""
    told: dict[str, Any] = {"wish": wish[:MAX_TEXT], "intents": (change.wish.intent,)}
    match change:
        case PromptChange():
            told["prompt"] = change.after
        case SettingsChange():
            told["settings"] = _known(dict(change.after))
        case MediaChange():
            told["operations"] = (change.operation,)
    return EditPlan(**told)


def _known(settings: dict[str, Any]) -> dict[Any, Any]:
    return {name: value for name, value in settings.items() if name in SETTINGS}
