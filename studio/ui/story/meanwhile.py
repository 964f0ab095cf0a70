"""What somebody else wrote into a field while this page changed it: it is told, never lost in silence."""

from collections.abc import Mapping
from typing import Any

from studio.story.types import Story

# So much of a text is told: enough to find it again, or to write it down.
_TOLD = 600


def theirs(story: Story, edit: str, values: Mapping[str, Any], was: str | None) -> str:
    """What a field of the story holds, if that is neither what the page showed nor what it sends; else empty.

    `story` is as it was before the edit; `was` is what stood in the page's field before somebody typed there.
    """
    if was is None:
        return ""
    found = _held(story, edit, values)
    if found is None:
        return ""
    name, held = found
    sent = values.get(name)
    known = {_plain(was), _plain(sent) if isinstance(sent, str) else ""}
    if not held.strip() or _plain(held) in known:
        return ""
    return held if len(held) <= _TOLD else f"{held[:_TOLD]}…"


def _held(story: Story, edit: str, values: Mapping[str, Any]) -> tuple[str, str] | None:
    """The value that a typed edit is about, by name, and the text that it holds now."""
    if edit == "set_variable":
        return "value", story.variables.get(str(values.get("name")), "")
    holder: object = None
    if edit == "set_title":
        holder = story
    elif edit == "update_look":
        holder = story.look
    elif edit == "update_shot":
        holder = story.shot(str(values.get("shot_id")))
    elif edit in ("set_character", "rename_character"):
        holder = next((person for person in story.characters if person.id == values.get("id")), None)
    if holder is None:
        return None
    for name in values:
        # The names come from a browser: only fields, nothing else of the object.
        held = getattr(holder, name) if name in getattr(type(holder), "model_fields", {}) else None
        if name != "id" and isinstance(held, str):
            return name, held
    return None


def _plain(text: str) -> str:
    return " ".join(text.split())
