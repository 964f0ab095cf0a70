"""A refusal: what was asked can't be done, said in words each reader gets worded."""

from collections.abc import Callable, Iterable

from pipelines.request import GenerationRequest, Notice

# Why one of these clips would certainly fail if it were queued; None where they may not.
Cannot = Callable[[Iterable[GenerationRequest]], Notice | None]


class Refused(Exception):
    """What was asked can't be done; `notices` say why, one a problem."""

    def __init__(self, *found: Notice) -> None:
        super().__init__(", ".join(notice.code for notice in found))
        self.notices = list(found)


class Objected(Refused):
    """What was asked may not be made: its words are why."""


def refuse_what_cannot(cannot: Cannot, requests: Iterable[GenerationRequest]) -> None:
    """Refused where one of these clips would certainly fail."""
    why = cannot(requests)
    if why is not None:
        raise Refused(why)
