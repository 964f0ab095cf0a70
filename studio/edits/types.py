"""What a wish is read as: intents with their slots, and the changes that come of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipelines.request import Notice
from studio.media.retouch import Operation
from studio.text.rewrite import DiffPart

Source = Literal["rules", "meaning", "llm"]


@dataclass(frozen=True)
class Amount:
    """How much. `sign`: +1 more, -1 less, 0 neither; `strength`: 0.5 a bit, 1, 2 much.

    `factor`: told outright ("twice" 2.0, "30 %" more 1.3); None if it was not.
    """

    sign: int = 0
    strength: float = 1.0
    factor: float | None = None


@dataclass(frozen=True)
class Wish:
    """One thing that is asked for. `target`: the thing in the picture it is about ("" the whole), `value`:
    what it shall be or do, both in the words of the wish; `text`: the piece of the wish it was read from.
    """

    intent: str
    text: str
    target: str = ""
    value: str = ""
    amount: Amount = Amount()


@dataclass(frozen=True)
class PromptChange:
    """The prompt before and after one wish, and how they differ."""

    wish: Wish
    before: str
    after: str
    diff: tuple[DiffPart, ...]


@dataclass(frozen=True)
class SettingsChange:
    """Fields of the form as they shall be, by name; `before` as they were, where that is known.

    Needs a new rendering, with the same seed unless `seed` is among the fields.
    """

    wish: Wish
    after: Mapping[str, Any]
    before: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MediaChange:
    """Something that is done to the finished file."""

    wish: Wish
    operation: Operation


Change = PromptChange | SettingsChange | MediaChange


@dataclass(frozen=True)
class Reading:
    """What a wish was read as.

    `changes` in the order in which they are made; a wish that can't be done here has none and a notice.
    `guesses` are intents to choose from where nothing sure was understood. `alternatives` are other ways to
    do the same: a crop instead of a new rendering.
    """

    wishes: tuple[Wish, ...] = ()
    changes: tuple[Change, ...] = ()
    alternatives: tuple[Change, ...] = ()
    guesses: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    source: Source = "rules"

    @property
    def intents(self) -> tuple[str, ...]:
        """The names of what is wished for, in the order said (the table: assets/edits/intents.toml)."""
        return tuple(wish.intent for wish in self.wishes)

    @property
    def asks_back(self) -> bool:
        """Whether nothing sure was understood: the person is asked."""
        return not self.wishes

    @property
    def prompt(self) -> str | None:
        """The prompt after all changes; None if it stays as it is."""
        texts = [change.after for change in self.changes if isinstance(change, PromptChange)]
        return texts[-1] if texts else None

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of the form that change."""
        found: dict[str, Any] = {}
        for change in self.changes:
            if isinstance(change, SettingsChange):
                found.update(change.after)
        return found

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What is done to the finished file, in order."""
        return tuple(change.operation for change in self.changes if isinstance(change, MediaChange))

    @property
    def renders(self) -> bool:
        """Whether a new rendering is needed."""
        return self.prompt is not None or bool(self.settings)
