"""What the tab Story sends: one message an event. It comes from a browser, so all of it may be anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from studio.ui.markup import sent

Section = Literal["shots", "cast", "film", "text"]
SECTIONS: tuple[Section, ...] = get_args(Section)

# A story of 50,000 characters gets a sentence, and so does a file that is a little too big.
MAX_TEXT = 1_200_000
_MAX_NAME = 80
_MOST_VALUES = 12
_MOST_ITEMS = 40
# The values that are lists; nothing else may be one.
_LISTS = ("values", "characters", "aliases", "subtitles")


@dataclass(frozen=True)
class Here:
    """What one page shows of a story: a section, the open shot, whether a clip is picked, a film's job."""

    section: Section = "shots"
    open: str = ""
    pick: bool = False
    film: str = ""


@dataclass(frozen=True)
class Message:
    """What is asked for (`act`) on what (`key`); `number` is told back, `revision` is what the page saw.

    `was` is what stood in a field before somebody typed there.
    """

    act: str
    key: str = ""
    number: int = 0
    story: str = ""
    revision: int | None = None
    edit: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    here: Here = Here()
    was: str | None = None

    def text(self, name: str) -> str:
        """A value that is a text; empty if there is none."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""


def read(event: object) -> Message:
    """The message of an event; what is not as it should be counts as not there."""
    data = sent(event)
    section = data.get("section")
    return Message(
        act=_name(data.get("act"))[:40],
        key=_name(data.get("key")),
        number=_whole(data.get("number")) or 0,
        story=_name(data.get("story")),
        revision=_whole(data.get("revision")),
        edit=_name(data.get("edit")),
        values=_values(data.get("values")),
        here=Here(
            section=section if section in SECTIONS else "shots",
            open=_name(data.get("open")),
            pick=data.get("pick") is True,
            film=_name(data.get("film")),
        ),
        was=was[:MAX_TEXT] if isinstance(was := data.get("was"), str) else None,
    )


def _name(value: Any) -> str:
    return value[:_MAX_NAME] if isinstance(value, str) else ""


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _values(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or len(given) > _MOST_VALUES:
        return {}
    return {
        name: _value(name, value)
        for name, value in given.items()
        if isinstance(name, str) and name.isidentifier() and name != "revision"
    }


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, list) and name in _LISTS:
        return [item[:MAX_TEXT] for item in value[:_MOST_ITEMS] if isinstance(item, str)]
    return value if value is None or isinstance(value, bool | int | float) else ""
