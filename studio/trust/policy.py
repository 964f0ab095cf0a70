"""The rules of the house: what is checked how strictly, what waits for a person, how things are labelled.

An admin changes them; each change is kept with who, when and why, and the newest one holds.
"""

from typing import Annotated, Literal

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from studio.db import UtcTime, metadata, utc_now
from studio.media.label import MIN_SECONDS, TEXTS, Corner, LabelStyle
from studio.trust import ledger
from studio.trust.terms import Outcome

# A reason for taking the visible label off is a sentence, not a key that was hit.
MIN_REASON = 10
MAX_NAMES = 2000
NAME_LENGTH = (2, 60)

policy_table = sa.Table(
    "policy",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
)

ListedName = Annotated[str, Field(min_length=NAME_LENGTH[0], max_length=NAME_LENGTH[1])]


class LabelRule(BaseModel):
    """The AI label. `seconds` None: it stands as long as the video; else from the opening on, 2 s at least.

    `language` None: the words of the setting LABEL_TEXT. `shown` False takes the visible label off and leaves
    all the rest; it needs a reason of its own (`change`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Literal["zh", "en", "both"] | None = None
    corner: Corner = "bottom_right"
    seconds: Annotated[float | None, Field(ge=MIN_SECONDS, le=600)] = None
    shown: bool = True
    spoken: bool = False

    def style(self, text: str) -> LabelStyle:
        """How the visible label looks; `text` is what the setting LABEL_TEXT says."""
        said = TEXTS[self.language] if self.language else text
        return LabelStyle(said, self.corner, self.seconds, self.shown)


class Policy(BaseModel):
    """All rules. `publish`: whether what is made is shown at once, or when a person has approved it.

    `texts` and `pictures` set a category's outcome apart from the shipped one; `when_down` is what happens if
    a configured checking service does not answer; `names` are persons and brands whose naming is held.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    publish: Literal["at_once", "after_review"] = "at_once"
    label: LabelRule = LabelRule()
    texts: Annotated[dict[str, Outcome], Field(max_length=20)] = {}
    pictures: Annotated[dict[str, Outcome], Field(max_length=20)] = {}
    when_down: Literal["hold", "allow"] = "hold"
    names: Annotated[tuple[ListedName, ...], Field(max_length=MAX_NAMES)] = ()

    @field_validator("names")
    @classmethod
    def _plain_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        plain = tuple(dict.fromkeys(" ".join(name.split()) for name in names))
        if any(not name.isprintable() for name in plain):
            raise PydanticCustomError("policy_name", "policy_name")
        return plain


def current(connection: Connection) -> Policy:
    """The rules that hold now. Those of a newer studio that this one can't read hold everything back."""
    newest = sa.select(policy_table.c.document).order_by(policy_table.c.number.desc()).limit(1)
    document = connection.execute(newest).scalar()
    if document is None:
        return Policy()
    try:
        return Policy.model_validate(document)
    except ValueError:
        return Policy(publish="after_review")


def change(connection: Connection, policy: Policy, *, who: str, reason: str, key: bytes) -> None:
    """Let these rules hold from now on.

    Raises PydanticCustomError "policy_reason" if the label is taken off without a reason of at least
    MIN_REASON letters.
    """
    reason = " ".join(reason.split())[:500]
    before = current(connection)
    said = sum(c.isalnum() for c in reason)
    if not policy.label.shown and before.label != policy.label and said < MIN_REASON:
        raise PydanticCustomError("policy_reason", "policy_reason", {"low": MIN_REASON})
    if policy == before:
        return
    last = connection.execute(sa.select(sa.func.max(policy_table.c.number))).scalar()
    number = (last or 0) + 1
    document = policy.model_dump(mode="json")
    row = {"number": number, "at": utc_now(), "who": who, "reason": reason, "document": document}
    connection.execute(sa.insert(policy_table).values(**row))
    changed = sorted(name for name in document if document[name] != before.model_dump(mode="json")[name])
    facts = {"changed": changed, "reason": reason, "label": document["label"]}
    ledger.append(connection, "policy", f"policy {number}", key=key, who=who, facts=facts)
