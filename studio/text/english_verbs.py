"""English verbs in their sentence: which of them a camera sees, and how they stand to their subjects."""

from collections.abc import Sequence

from studio.text.english import Token
from studio.text.english_parts import IN_NOUN, NOUNS, Read
from studio.text.terms import words

_AUXILIARY = ("be", "have", "do")
_PHRASAL = frozenset(("up", "out", "off", "on", "in", "down", "into", "onto"))


def is_seen(read: Read, head: int) -> bool:
    """Whether a camera sees this verb here: "get up" but not "get", "make toast" but not "make him"."""
    lemma = read.tokens[head].lemma
    if lemma in _AUXILIARY:
        return False
    if lemma == "get":
        return read.low(head + 1) in _PHRASAL and read.tag(head + 1) in ("RP", "IN", "RB")
    if lemma == "go" and (read.tag(head + 1) == "JJ" or read.low(head) == "gone"):
        return False
    if lemma == "make" and read.tag(head + 1) == "PRP":
        return False
    return lemma in words("verbs", "seen", "en") and lemma not in words("verbs", "unseen", "en")


def commanded(read: Read, main: Token) -> bool:
    """Whether a verb is said to the reader ("Look north"), in a text that says you."""
    return main.tag == "VB" and not read.finite and any(t.low in ("you", "your") for t in read.tokens)


def group(tokens: Sequence[Token], i: int) -> tuple[int | None, bool]:
    """From the first word of a verb group: (place of its main verb, veiled).

    What has been done is veiled: it is over when the shot begins.
    """
    veils = words("grammar", "veils", "en")
    veiled = False
    head: int | None = None
    k = i
    while k < len(tokens):
        token = tokens[k]
        veiled = veiled or token.low.replace("’", "'") in veils or token.lemma in veils
        if token.tag.startswith("VB"):
            head = k
            if token.lemma not in _AUXILIARY or not _verb_follows(tokens, k + 1):
                return head, veiled
            veiled = veiled or (token.lemma == "have" and token.tag != "VBG")
        elif token.tag not in ("MD", "TO") and not (token.tag in ("RB", "RBR") and k > i):
            break
        k += 1
    return head, veiled


def _verb_follows(tokens: Sequence[Token], k: int) -> bool:
    while k < len(tokens) and tokens[k].tag in ("RB", "RBR"):
        k += 1
    return k < len(tokens) and tokens[k].tag in ("VB", "VBG", "VBN")


def inverted(read: Read, head: int) -> bool:
    """Whether the subject follows the verb: "there stood a house"."""
    if read.tag(head + 1) not in (*NOUNS, "DT", "JJ", "PRP$") or read.tag(head) == "VB" or not head:
        return False
    if read.tokens[head].lemma not in words("grammar", "presenting", "en"):
        return False
    if read.low(head - 1) == ",":
        return not read.subjects and not read.actions
    return read.tag(head - 1) != "CC"


def absolute(read: Read, i: int) -> bool:
    """Whether a participle has a noun of its own: "its engine coughing", "with her tail held high"."""
    if not read.finite or read.tag(i) not in ("VBG", "VBN", "VBD"):
        return False
    k = i - 1
    while k >= 0 and read.tag(k) in IN_NOUN:
        k -= 1
    if k == i - 1 or k < 0:
        return False
    if read.tag(i) == "VBG" or (read.tag(i) == "VBN" and read.low(i + 1) in (",", ".", "")):
        return read.low(k) in (",", "with")  # ", gun drawn,"
    return read.low(k) == "with"


def finite_ahead(tokens: Sequence[Token], i: int) -> bool:
    """Whether the sentence has a verb behind the word at i."""
    for token in tokens[i + 1 :]:
        if token.text in ".;!?":
            return False
        if token.tag in ("VBD", "VBZ", "VBP"):
            return True
    return False


def state_of(read: Read, head: int) -> str:
    """What a verb that shows nothing tells of its subject."""
    lemma = read.tokens[head].lemma
    if lemma == "be":
        following = read.tag(head + 1 + (read.tag(head + 1) == "RB"))
        return "state" if following in ("JJ", "VBN", "IN") else "be"
    if lemma == "have":
        return "have"
    if lemma in words("grammar", "says", "en"):
        return "say"
    return "mind" if lemma in words("verbs", "unseen", "en") else "verb"
