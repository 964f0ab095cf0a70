"""The places of a shot when nobody is sure of those before it: several ways that a story may have gone.

Whoever takes one way only carries a mistake from shot to shot; with several, what was less likely comes back.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from studio.text.grounds import is_within
from studio.text.places import MOST, Named, Scenery, Shown, Weights, held_in, left_at, named_in, weights

# So many ways are followed, and so many go on from each.
WAYS = 6
_BRANCHES = 6
# Surer or less sure than this is settled.
_SETTLED = 0.04
# A place of so large a share of the ways is shown: with both kinds of mistake alike dear, less than half.
SHOWN = 0.42
_GUESS = 0.2
# Ways that tell the same of so many shots are one.
_ALIKE = 3

Way = tuple[Shown, ...]


@dataclass(frozen=True)
class Belief:
    """Ways that a story may have gone, the likeliest first, and the share of each (0 to 1, 1 in all)."""

    ways: tuple[tuple[float, Way], ...] = ((1.0, ()),)


def placed(scenery: Scenery, belief: Belief, weight: Weights | None = None) -> tuple[tuple[str, ...], Belief]:
    """The places of a shot behind all these ways, and the ways with this shot."""
    weight = weight or weights()
    shares: defaultdict[str, float] = defaultdict(float)
    further: dict[tuple[tuple[str, ...], ...], list[tuple[float, Way]]] = {}
    for share, past in belief.ways:
        for part, environment in _environments(scenery, past, weight):
            for place in environment:
                shares[place] += share * part
            way = (*past, Shown(environment, scenery.subjects))
            alike = tuple(shown.environment for shown in way[-_ALIKE:])
            further.setdefault(alike, []).append((share * part, way))
    merged = [
        (sum(share for share, _ in ways), max(ways, key=lambda one: one[0])[1]) for ways in further.values()
    ]
    merged = sorted(merged, key=lambda one: -one[0])[:WAYS]
    whole = sum(share for share, _ in merged)
    return _shown(shares), Belief(tuple((share / whole, way) for share, way in merged))


def _shown(shares: dict[str, float]) -> tuple[str, ...]:
    """The places that are in enough ways, none twice in other words, else the likeliest."""
    listed = sorted(shares.items(), key=lambda one: -one[1])
    found: list[str] = []
    for place, share in listed:
        if share > SHOWN and not is_within(place, found):
            found.append(place)
    if not found:
        found = [place for place, share in listed[:1] if share > _GUESS]
    order = list(shares)
    return tuple(sorted(found[:MOST], key=order.index))


def _environments(scenery: Scenery, past: Way, weight: Weights) -> list[tuple[float, tuple[str, ...]]]:
    """What a shot may show after one way, with the share of each."""
    named = named_in(scenery, past, weight.named)
    back = left_at(scenery.subjects, past)
    if back and scenery.flags["by_name"] and not scenery.scene and all(one.sure <= 0.5 for one in named):
        return [(1.0, back)]
    held = held_in(scenery, past, named, weight.held)
    choices = _choices([*held, *named])
    whole = sum(share for share, _ in choices)
    found = []
    for share, chosen in choices:
        here = [named[k - len(held)].phrase for k in chosen if k >= len(held)]
        kept = [held[k].phrase for k in chosen if k < len(held) and not is_within(held[k].phrase, here)]
        found.append((share / whole, tuple(dict.fromkeys([*kept, *here]))[:MOST]))
    return found


def _choices(offered: Sequence[Named]) -> list[tuple[float, tuple[int, ...]]]:
    """The likeliest choices among what is offered, and how likely each is."""
    found: list[tuple[float, tuple[int, ...]]] = [(1.0, ())]
    for k, one in enumerate(offered):
        more = [(share * one.sure, (*chosen, k)) for share, chosen in found if one.sure > _SETTLED]
        more += [(share * (1 - one.sure), chosen) for share, chosen in found if one.sure < 1 - _SETTLED]
        found = sorted(more, key=lambda choice: -choice[0])[:_BRANCHES]
    return found
