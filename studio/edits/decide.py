"""The rules and the meaning of a wish, weighed against each other; below a margin the person is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.edits.sense import NOTHING

# What a rule that fits is worth beside a share of meaning.
RULE = 0.15
# What the likeliest of a part's own intents counts beside the whole's.
OWN = 0.3
# What the best must reach, and what whatever stands beside it must.
LEAST, BESIDE = 0.25, 0.33
# How sure the parts around "and" must be to stand for themselves.
APART = 0.5
_GUESSES = 3


@dataclass(frozen=True)
class Heard:
    """A wish or a part of it: what the rules read, and how likely each intent is by its meaning."""

    ruled: tuple[str, ...]
    likely: Mapping[str, float]

    def score(self) -> dict[str, float]:
        """Both in one."""
        return {name: share + RULE * (name in self.ruled) for name, share in self.likely.items()}

    def stands(self) -> bool:
        """Whether it is a wish by itself."""
        best = max(self.likely, key=self.likely.__getitem__)
        return bool(self.ruled) or (best != NOTHING and self.likely[best] >= APART)


def decided(whole: Heard, parts: Sequence[Heard]) -> list[tuple[str, int | None]]:
    """The intents of a wish, each with the part it stands in (None: no part by itself says so).

    Nothing where none is sure, or it asks for nothing. Parts that are no wishes, as reasons and greetings
    are not, fall away where the whole does not speak of what they seem to say.
    """
    scores = [part.score() for part in parts]
    total = {
        name: (1 - OWN) * score + OWN * max(one[name] for one in scores)
        for name, score in whole.score().items()
    }
    idle = sum(part.likely[NOTHING] for part in parts) / len(parts)
    total[NOTHING] = (1 - OWN) * whole.likely[NOTHING] + OWN * idle
    best = max(total, key=total.__getitem__)
    if best == NOTHING or total[best] < LEAST:
        return []
    found: dict[str, int | None] = {}
    for at, (part, score) in enumerate(zip(parts, scores, strict=True)):
        first = max(score, key=score.__getitem__)
        names = (first, *part.ruled) if len(part.ruled) > 1 else (first,)
        for name in names:
            if name != NOTHING and (total[name] >= BESIDE or name == first == best):
                found.setdefault(name, at)
    return list(found.items()) if best in found else [(best, None)]


def guesses(likely: Mapping[str, float]) -> tuple[str, ...]:
    """What may be meant, the likeliest first: for the question back."""
    names = sorted((name for name in likely if name != NOTHING), key=lambda name: -likely[name])
    return tuple(names[:_GUESSES])
