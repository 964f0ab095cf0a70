"""The rules and the meaning of a wish, weighed against each other; below a margin neither counts."""

from collections.abc import Mapping, Sequence

from studio.edits.sense import NOTHING

# What a rule that fits is worth beside a share of meaning.
RULE = 0.5
# What meaning alone must reach, and by how much it must lead.
LEAST, LEAD = 0.45, 0.15
# Meaning that is so sure overrules several rules that fit at once.
SURE = 0.85
_GUESSES = 3


def decided(ruled: Sequence[str], likely: Mapping[str, float]) -> list[str]:
    """The intents of one piece of a wish; none where neither is sure, or it asks for nothing."""
    best = max(likely, key=likely.__getitem__)
    if len(ruled) > 1:
        kept = likely[best] < SURE or best == NOTHING or best in ruled[1:] or len(set(ruled)) > 2
        return list(ruled) if kept else [best]
    if ruled:
        score = {name: share + RULE * (name == ruled[0]) for name, share in likely.items()}
        best = max(score, key=score.__getitem__)
        return [] if best == NOTHING else [best]
    rest = max(share for name, share in likely.items() if name != best)
    sure = likely[best] >= LEAST and likely[best] - rest >= LEAD
    return [best] if sure and best != NOTHING else []


def guesses(likely: Mapping[str, float]) -> tuple[str, ...]:
    """What may be meant, the likeliest first: for the question back."""
    names = sorted((name for name in likely if name != NOTHING), key=lambda name: -likely[name])
    return tuple(names[:_GUESSES])
