"""What can be taken back: the stories as they were before the last edits, as long as this process runs."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from studio.story.types import Story

# Edits that change more than one value; typing is taken back where it is typed.
UNDOABLE = (
    "add_shot",
    "approve_all",
    "delete_shot",
    "merge_shots",
    "move_shot",
    "remove_character",
    "remove_source",
    "rename_character",
    "reset_prompt",
    "split_shot",
    "translate",
    "write",
)
_STEPS = 20
_STORIES = 100


@dataclass(frozen=True)
class Before:
    """A story before an edit, and the revision that the edit made."""

    story: Story
    edit: str
    revision: int


class Undo:
    """The last edits of the stories that were changed last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, list[Before]] = OrderedDict()
        self._lock = Lock()

    def note(self, story_id: str, before: Before) -> None:
        """Remember how a story was before an edit."""
        with self._lock:
            steps = self._kept.pop(story_id, [])
            self._kept[story_id] = [*steps, before][-_STEPS:]
            while len(self._kept) > _STORIES:
                self._kept.popitem(last=False)

    def take(self, story_id: str, revision: int) -> Before | None:
        """The story before its last edit, if nothing was changed since; it is forgotten then."""
        with self._lock:
            steps = self._kept.get(story_id, [])
            if not steps or steps[-1].revision != revision:
                return None
            return steps.pop()

    def last(self, story_id: str, revision: int) -> str:
        """Which edit would be taken back now; empty if there is none."""
        with self._lock:
            steps = self._kept.get(story_id, [])
            return steps[-1].edit if steps and steps[-1].revision == revision else ""
