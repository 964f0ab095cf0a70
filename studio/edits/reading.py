"""A wish about a finished clip is read: cut into pieces, and each piece by the rules."""

import re
from collections.abc import Sequence

from studio.edits.amounts import amount_of
from studio.edits.changes import all_changes
from studio.edits.clauses import Clause, tidy, without_manners
from studio.edits.operations import Clip
from studio.edits.rules import wishes_of
from studio.edits.things import replaced
from studio.edits.types import Reading, Wish

MOST_WISHES = 6
# "And" inside of these joins no wishes.
_PAIRS = (
    ("black and white", "black-and-white"), ("back and forth", "back-and-forth"),
    ("left and right", "left-right"), ("start and end", "start-end"), ("beginning and end", "start-end"),
    ("in and out", "in-and-out"), ("there and back", "there-and-back"), ("day and night", "day-and-night"),
    ("over and over", "over-over"), ("round and round", "round-round"), ("black & white", "black-and-white"),
)  # fmt: skip
_STRONG = re.compile(
    r"\s*[,，;；。!！?？…\n]+\s*|(?<!\d)\.(?!\d)\s*|\s+(?:and (?:then|also)|then|but(?! an?\b| "
    r"the\b)|also|plus(?= \w+ (?:it|the)))\s+"
    r"|然后|接着|并且|而且|同时|另外|还有|以及再|顺便"
)
_WEAK = re.compile(r"\s+(?:and|&|as well as)\s+|、|和|并|又|与")


def read_edit(text: str, *, prompt: str) -> Reading:
    """What a wish in Chinese or English (or both) asks for of the clip of `prompt`.

    Any text will do; one that is not understood, or asks for nothing, gives a reading that `asks_back`.
    """
    return read_wishes(text, Clip(prompt))


def read_wishes(text: str, clip: Clip) -> Reading:
    """As `read_edit`, of a clip of which more is known: settings are changed from what they are."""
    wishes = _wishes(text, clip.prompt)
    found = all_changes(wishes, clip)
    return Reading(wishes, found.changes, found.alternatives, (), found.notices)


def read_chosen(text: str, intent: str, clip: Clip) -> Reading:
    """As `read_wishes`, where a person said which intent is meant."""
    clause = Clause(without_manners(tidy(text)), clip.prompt)
    wish = Wish(intent, clause.text, clause.thing, value=clause.text, amount=amount_of(clause))
    found = all_changes((wish,), clip)
    return Reading((wish,), found.changes, found.alternatives, (), found.notices)


def _wishes(text: str, prompt: str) -> tuple[Wish, ...]:
    plain = tidy(text)
    for pair, joined in _PAIRS:
        plain = plain.replace(pair, joined)
    whole = Clause(without_manners(plain), prompt)
    pieces = [piece for piece in _STRONG.split(plain) if without_manners(piece)]
    found = [_of_piece(piece, prompt) for piece in pieces]
    if len(pieces) <= 2 and not all(found) and (instead := replaced(whole)):
        return tuple(instead)
    wishes = [wish for of_piece in found for wish in of_piece]
    return _once(wishes or wishes_of(whole))[:MOST_WISHES]


def _of_piece(piece: str, prompt: str) -> Sequence[Wish]:
    """The wishes of what stands between two signs; its parts around "and", where each is a wish."""
    whole = Clause(without_manners(piece), prompt)
    parts = [Clause(without_manners(part), prompt) for part in _WEAK.split(piece)]
    if len(parts) > 1:
        found = [wishes_of(part) for part in parts]
        if all(found):
            return [wish for wishes in found for wish in wishes]
    return wishes_of(whole)


def _once(wishes: Sequence[Wish]) -> tuple[Wish, ...]:
    """Each wish once: what is too dark shall be brighter, and who is in the way is taken out."""
    kept: dict[tuple[str, str], Wish] = {}
    for wish in wishes:
        told = any(intent == wish.intent and target for intent, target in kept)
        if wish.target or not told:
            kept[(wish.intent, wish.target)] = wish
    return tuple(kept.values())
