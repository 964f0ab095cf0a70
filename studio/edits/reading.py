"""A wish about a finished clip is read: what is wanted, of what, how much, and what to change for it."""

from studio.edits.intents import INTENTS, intents
from studio.edits.types import Reading, Wish
from studio.text.meaning import meanings

_LEAST = 0.45


def read_edit(text: str, *, prompt: str) -> Reading:
    """What a wish in Chinese or English (or both) asks for of the clip of `prompt`.

    Any text will do; one that is not understood, or asks for nothing, gives a reading that `asks_back`.
    """
    told = [(name, example) for name in INTENTS for example in (*intents()[name].zh, *intents()[name].en)]
    found = meanings([text, *(example for _, example in told)])
    near = found[1:] @ found[0]
    best = int(near.argmax())
    if near[best] < _LEAST:
        order = near.argsort()[::-1]
        return Reading(guesses=tuple(dict.fromkeys(told[at][0] for at in order[:8]))[:3])
    return Reading(wishes=(Wish(told[best][0], text.strip()),), source="meaning")
