"""What a clause shows, whatever its language: who acts, what is done, where."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Clause:
    """One clause of a shot. Everything is copied from the text as it stands there, in order.

    `subjects`: heads of who acts, pronouns too; empty if the clause leaves it to the one before. `owner`:
    whose the subject is (她 in 她的手), where that is a part of a body. `places`: nouns that a word of place
    leads to.
    """

    subjects: tuple[str, ...] = ()
    owner: str = ""
    actions: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    # The subject stands behind its verb: something new comes into view.
    appears: bool = False
    # Opens its sentence.
    first: bool = False
    # Nothing but a thing named: a picture without a verb.
    named: bool = False
    # Only tells when or how the main clause happens: as the sun set.
    subordinate: bool = False
    # What tells of the subject where nothing is seen to be done: be, have, say, mind, verb (another one),
    # state (an adjective), "" where nothing does.
    state: str = ""
