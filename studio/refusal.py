"""A refusal: what was asked can't be done, said in words each reader gets worded."""

from pipelines.request import Notice


class Refused(Exception):
    """What was asked can't be done; `notices` say why, one a problem."""

    def __init__(self, *found: Notice) -> None:
        super().__init__(", ".join(notice.code for notice in found))
        self.notices = list(found)


class Objected(Refused):
    """What was asked may not be made: its words are why."""
