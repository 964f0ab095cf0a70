"""A wish about a finished clip is read: cut into pieces, and each by the rules and by its meaning."""

import re
from collections.abc import Sequence
from dataclasses import replace

from studio.edits.amounts import amount_of
from studio.edits.changes import all_changes
from studio.edits.clauses import Clause, tidy, without_manners
from studio.edits.concepts import marks, words
from studio.edits.decide import decided, guesses
from studio.edits.intents import intents
from studio.edits.operations import Clip
from studio.edits.rules import MEASURES, wishes_of
from studio.edits.sense import shares
from studio.edits.things import replaced
from studio.edits.types import Reading, Wish
from studio.edits.typos import mended

MOST_WISHES = 6
# How likely a piece must be what it was read as, by itself or in the whole, to stand beside others.
_OWN, _WHOLE = 0.3, 0.1
# "And" inside of these joins no wishes.
_PAIRS = (
    ("black and white", "black-and-white"), ("back and forth", "back-and-forth"),
    ("left and right", "left-right"), ("start and end", "start-end"), ("beginning and end", "start-end"),
    ("in and out", "in-and-out"), ("there and back", "there-and-back"), ("day and night", "day-and-night"),
    ("over and over", "over-over"), ("round and round", "round-round"), ("black & white", "black-and-white"),
)  # fmt: skip
_STRONG = re.compile(
    r"\s*[,，;；。!！?？…\n]+\s*|(?<!\d)\.(?!\d)\s*"
    r"|\s+(?:and (?:then|also)|then|but(?! an?\b| the\b)|also|plus(?= \w+ (?:it|the)))\s+"
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
    if not wishes:
        plain = without_manners(tidy(text)) or tidy(text)
        return Reading(guesses=guesses(shares(plain)) if re.search(r"\w", plain) else ())
    found = all_changes(wishes, replace(clip, said=text))
    return Reading(wishes, found.changes, found.alternatives, (), found.notices)


def read_chosen(text: str, intent: str, clip: Clip) -> Reading:
    """As `read_wishes`, where a person said which intent is meant."""
    wish = _filled(intent, Clause(without_manners(tidy(text)), clip.prompt))
    found = all_changes((wish,), clip)
    return Reading((wish,), found.changes, found.alternatives, (), found.notices)


def _wishes(text: str, prompt: str) -> tuple[Wish, ...]:
    plain = mended(tidy(text), prompt)
    for pair, joined in _PAIRS:
        plain = plain.replace(pair, joined)
    whole = Clause(without_manners(plain), prompt)
    pieces = [piece for piece in _STRONG.split(plain) if without_manners(piece)]
    ruled = [_ruled(piece, prompt) for piece in pieces]
    if 1 < len(pieces) <= 2 and not all(ruled) and (instead := replaced(whole)):
        return tuple(instead)
    if len(pieces) <= 1 or not any(ruled):
        return _once(_weighed(whole, ruled[0] if len(pieces) == 1 else wishes_of(whole)))[:MOST_WISHES]
    wishes: list[Wish] = []
    for piece, found in zip(pieces, ruled, strict=True):
        # What no rule reads beside something that one does is the reason for it, or a greeting.
        if found:
            wishes += _weighed(Clause(without_manners(piece), prompt), found)
    return _once(_supported(wishes, whole))[:MOST_WISHES]


def _supported(wishes: Sequence[Wish], whole: Clause) -> Sequence[Wish]:
    """Without pieces that only seem to be wishes: neither they nor the whole speak of it."""
    if len(wishes) < 2:
        return wishes
    likely = shares(whole.text)
    kept = [
        wish
        for wish in wishes
        if shares(wish.text).get(wish.intent, 0.0) >= _OWN or likely.get(wish.intent, 0.0) >= _WHOLE
    ]
    return kept or wishes


def _ruled(piece: str, prompt: str) -> Sequence[Wish]:
    """The wishes of what stands between two signs; its parts around "and", where each is a wish."""
    parts = [Clause(without_manners(part), prompt) for part in _WEAK.split(piece)]
    if len(parts) > 1:
        found = [wishes_of(part) for part in parts]
        if all(found):
            return [wish for wishes in found for wish in wishes]
    return wishes_of(Clause(without_manners(piece), prompt))


def _weighed(clause: Clause, ruled: Sequence[Wish]) -> Sequence[Wish]:
    """The wishes of a piece, its meaning beside what the rules found."""
    if not re.search(r"\w", clause.text) or (clause.has("chat") and not ruled):
        return ()
    if len({wish.text for wish in ruled}) > 1:
        return ruled  # each stands in a part of its own
    names = decided([wish.intent for wish in ruled], shares(clause.text))
    if names == [wish.intent for wish in ruled]:
        return ruled
    return [next((one for one in ruled if one.intent == name), _filled(name, clause)) for name in names]


def _filled(intent: str, clause: Clause) -> Wish:
    """A wish of an intent that no rule found, its slots by what stands there."""
    value = clause.word(intent) if intent in words() else ""
    if intent in ("colour", "attribute", "action", "count"):
        value = clause.word({"attribute": "looks", "action": "motion", "count": "number"}.get(intent, intent))
    if intent in ("time", "season", "weather", "light", "mood", "camera", "style", "place"):
        value = value or clause.text
    if intent == "length":
        value = next((mark.word for mark in marks(clause.text, "seconds")), "")
    if intent == "replace":
        value = clause.things[-1] if len(clause.things) > 1 else ""
    target = clause.thing if intents()[intent].by == "prompt" else ""
    named = intent if intent in (*MEASURES, "speed") else ""
    return Wish(intent, clause.text, target, value, amount_of(clause, named))


def _once(wishes: Sequence[Wish]) -> tuple[Wish, ...]:
    """Each wish once: what is too dark shall be brighter, and who is in the way is taken out."""
    kept: dict[tuple[str, str], Wish] = {}
    for wish in wishes:
        told = any(intent == wish.intent and target for intent, target in kept)
        if wish.target or not told:
            kept[(wish.intent, wish.target)] = wish
    return tuple(kept.values())
