"""A wish about a finished clip is read: cut into pieces, and each by the rules and by its meaning."""

import re
from collections.abc import Sequence
from dataclasses import replace

from studio.edits.amounts import amount_of
from studio.edits.changes import all_changes
from studio.edits.clauses import Clause, tidy, without_manners
from studio.edits.concepts import marks, words
from studio.edits.decide import Heard, Said, decided, guesses
from studio.edits.intents import intents
from studio.edits.operations import Clip
from studio.edits.rules import MEASURES, wishes_of
from studio.edits.sense import scores, sense
from studio.edits.things import replaced
from studio.edits.types import Reading, Wish
from studio.edits.typos import mended

MOST_WISHES = 6
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
        heard = Heard((), scores(plain, clip.prompt))
        return Reading(guesses=guesses(heard) if re.search(r"\w", plain) else ())
    found = all_changes(wishes, replace(clip, said=text))
    return Reading(wishes, found.changes, found.alternatives, (), found.notices)


def read_chosen(text: str, intent: str, clip: Clip) -> Reading:
    """As `read_wishes`, where a person said which intent is meant."""
    wish = _filled(intent, Clause(without_manners(tidy(text)), clip.prompt))
    found = all_changes((wish,), clip)
    return Reading((wish,), found.changes, found.alternatives, (), found.notices)


def _wishes(text: str, prompt: str) -> tuple[Wish, ...]:
    heard = hear(text, prompt)
    if heard is None:
        return ()
    said, clauses = heard
    wishes: list[Wish] = []
    for name in decided(said):
        wishes += _wishes_for(name, said, clauses)
    # In the order said: the whole comes last among the clauses, and is where it is not said in which part.
    order = {clause.text: at for at, clause in reversed(list(enumerate(clauses)))}
    wishes.sort(key=lambda wish: order[wish.text])
    return _once(wishes)[:MOST_WISHES]


def hear(text: str, prompt: str) -> tuple[Said, tuple[Clause, ...]] | None:
    """A wish taken apart: what stands where, and the clauses of `Said`'s parts, finer ones and the whole.

    None where there are no words.
    """
    plain = mended(tidy(text), prompt)
    for pair, joined in _PAIRS:
        plain = plain.replace(pair, joined)
    whole = Clause(without_manners(plain) or plain, prompt)
    if not re.search(r"\w", whole.text):
        return None
    parts, finer = _parts(plain, whole)
    said = Said(_heard(whole), [_heard(part) for part in parts], [_heard(part) for part in finer])
    return said, (*parts, *finer, whole)


def _heard(clause: Clause) -> Heard:
    names = tuple(dict.fromkeys(wish.intent for wish in wishes_of(clause)))
    return Heard(names, scores(clause.text, clause.prompt))


def _wishes_for(name: str, said: Said, clauses: Sequence[Clause]) -> list[Wish]:
    """The wishes of one intent: as the rules read them in the parts, else what stands in the likeliest."""
    for some in (clauses[: len(said.parts)], clauses[len(said.parts) : -1], clauses[-1:]):
        found = [wish for clause in some for wish in wishes_of(clause) if wish.intent == name]
        if found:
            return found
    heard = (*said.parts, *said.finer)
    at = max(range(len(heard)), key=lambda one: float(heard[one].shares()[sense().names.index(name)]))
    return [_filled(name, clauses[at] if heard[at].best == name else clauses[-1])]


def pieces_of(plain: str) -> list[str]:
    """What stands between the signs of a tidied wish, without what is merely polite."""
    pieces = (without_manners(piece) for piece in _STRONG.split(plain))
    return [piece for piece in pieces if re.search(r"\w", piece)]


def _parts(plain: str, whole: Clause) -> tuple[list[Clause], list[Clause]]:
    """What stands between signs (one where two say one thing), and what stands around "and" within that."""
    pieces = pieces_of(plain) or [whole.text]
    one_thing = len(pieces) == 2 and bool(replaced(whole))
    if one_thing and not all(wishes_of(Clause(piece, whole.prompt)) for piece in pieces):
        return [whole], [whole]
    shorter = [without_manners(part) for piece in pieces for part in _WEAK.split(piece)]
    finer = [part for part in shorter if re.search(r"\w", part)] or [whole.text]
    return [Clause(piece, whole.prompt) for piece in pieces], [Clause(part, whole.prompt) for part in finer]


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
