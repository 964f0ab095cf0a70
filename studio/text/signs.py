"""The signs that one sentence gives of what a camera would see in it."""

from dataclasses import dataclass, field
from typing import Literal

SubjectKind = Literal["named", "pronoun", "unseen", "none"]


@dataclass(frozen=True)
class Signs:
    """Of one sentence, quotations left out. `subject` is a head noun or pronoun; "" where none is said."""

    length: int = 0  # as `words_of` counts
    chinese: bool = False
    spoken: float = 0.0  # share of it that stands in quotation marks, 0 to 1
    subject: str = ""
    subject_kind: SubjectKind = "none"
    actions: tuple[str, ...] = ()  # verbs that a camera sees
    states: int = 0  # verbs that it does not see
    nouns: frozenset[str] = field(default_factory=frozenset)
    time: bool = False  # begins with a time
    place: bool = False  # begins with a place
    sudden: bool = False  # something breaks in
    remark: bool = False  # begins like a remark or an explanation
    goes: bool = False  # somebody goes somewhere
    fresh: bool = False  # something new is named: a ship, 一只鸟
    reacts: bool = False  # nothing but a smile, a nod, a sigh
    exists: bool = False  # there is …

    @property
    def shows(self) -> bool:
        """Whether there is anything to see."""
        return (
            bool(self.actions)
            or self.exists
            or (self.subject_kind == "named" and (self.fresh or not self.states))
        )
