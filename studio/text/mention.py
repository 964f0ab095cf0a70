"""A noun phrase of a shot that may name a place of its picture, with the cues that tell."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from studio.text.grounds import kinds_of, size_of

# How a phrase stands in its clause. "adverb": outside, upstairs; "label": in a heading.
ROLES = (
    "in", "on", "at", "to", "from", "along", "under", "behind", "by", "between", "above", "outside", "with",
    "of", "subject", "object", "alone", "adverb", "label",
)  # fmt: skip


# Flags that mean one thing with one preposition and another with the next.
_CROSSED = frozenset(
    ("goes", "stays", "puts", "proper", "before_verb", "article_the", "article_a", "known_word")
)


@dataclass(frozen=True)
class Mention:
    """A phrase as the text has it, how it stands there (one of ROLES), and what else tells (0 to 1 each)."""

    phrase: str
    role: str
    flags: Mapping[str, float] = field(default_factory=dict)

    def cues(self, language: str) -> dict[str, float]:
        """Everything that is known of the phrase, alone and in the pairs that matter."""
        found: dict[str, float] = {}
        for kind in kinds_of(self.phrase):
            found[f"kind_{kind}"] = found[f"{kind}_{self.role}"] = 1.0
            found[f"{language}_kind_{kind}"] = 1.0
        size = size_of(self.phrase)
        found[f"size_{size}"] = found[f"{size}_{self.role}"] = found[f"{language}_{size}_{self.role}"] = 1.0
        found[f"role_{self.role}"] = found[f"{language}_role_{self.role}"] = 1.0
        for flag, value in self.flags.items():
            if value:
                found[flag] = found[f"{language}_{flag}"] = found[f"{flag}_{size}"] = value
                if flag in _CROSSED:
                    found[f"{flag}_{self.role}"] = value
        return found


def flags(names: Iterable[str]) -> dict[str, float]:
    """Each of these names as a flag that is set."""
    return {name: 1.0 for name in names if name}
