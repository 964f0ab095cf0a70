"""Reading English clauses: who acts, each visible verb with its object or direction, places."""

from collections.abc import Collection, Sequence

from studio.text.clause import Clause
from studio.text.english import Token, tokens_of
from studio.text.english_parts import (
    FINITE,
    IN_NOUN,
    NOUNS,
    Read,
    close,
    end,
    extend,
    head_of,
    lead_to,
    noun_end,
    take_subject,
)
from studio.text.english_verbs import absolute, commanded, finite_ahead, group, inverted, is_seen, state_of
from studio.text.terms import words

_AROUND = frozenset(("outside", "inside", "indoors", "outdoors", "upstairs", "downstairs"))
# "takes an interest": with nothing to be seen as their object these show nothing.
_LIGHT = frozenset(("take", "give", "make", "pay", "catch", "hold", "raise"))


def clauses_of(sentence: str, names: Collection[str]) -> list[Clause]:
    """What each clause of an English sentence shows; clauses that show nothing are left out."""
    if sentence.rstrip(" \"'”’").endswith("?"):
        return []  # what is only asked is not seen
    read = Read(sentence, tokens_of(sentence))
    i = 0
    while i < len(read.tokens):
        i = _step(read, i)
    close(read)
    return [c for c in read.found if c.subjects or c.actions or c.places]


def _step(read: Read, i: int) -> int:
    """Read the token at i; returns where to go on."""
    token = read.tokens[i]
    if token.tag == "TO" and not read.tag(i + 1).startswith(("VB", "RB")):
        return _led(read, i)
    if token.tag in ("MD", "TO") or token.tag.startswith("VB"):
        return _verb(read, i)
    if token.tag in ("IN", "WRB", "WDT", "WP", "WP$") or token.low in ("as", "while"):
        return _led(read, i)
    if token.tag in (*IN_NOUN, "PRP", "EX"):
        return _noun(read, i)
    if token.tag == "CC":
        return _and(read, i)
    if token.text in ",;:—–-…()[]":
        _comma(read, i)
    elif token.text in ".!?":
        close(read)
        read.verbal = False
    elif token.tag in ("RB", "RP", "RBR", "RBS"):
        _adverb(read, i)
    return i + 1


def _noun(read: Read, i: int) -> int:
    """A noun phrase up to its head."""
    tokens, start = read.tokens, i
    i = noun_end(tokens, i)
    phrase = tokens[start:i]
    if read.noun and phrase[0].low.endswith(("self", "selves")):
        return i  # "the king himself"
    if read.begin is not None:
        _object(read, start, phrase)
    elif read.noun and not read.finite and read.low(start - 1) == ",":
        # "MARA, 40s, in a coat": what stands behind the comma only describes, unless a verb follows it.
        named = phrase[-1].tag == "NNP" and read.noun[-1].tag != "NNP"
        if _listed(read, i):
            take_subject(read)
            read.noun = phrase
        elif read.tag(i) in FINITE or (named and read.low(i) == ","):
            read.noun = phrase  # "our teacher, Mr. Okonkwo, walked"
    else:
        read.noun = phrase
    return i


def _listed(read: Read, i: int) -> bool:
    """Whether the noun before i is one of several who act: "the welder, the cook and the maid wait"."""
    tokens = read.tokens
    while i < len(tokens):
        joined = tokens[i].tag == "CC" or (tokens[i].text == "," and read.tag(i + 1) == "CC")
        if not joined and tokens[i].text != ",":
            return False
        start = i + 1 + (tokens[i].text == "," and joined)
        i = noun_end(tokens, start)
        if i == start:
            return False
        if joined:
            return read.tag(i) in (*FINITE, "VB")
    return False


def _object(read: Read, start: int, phrase: list[Token]) -> None:
    """The noun behind a verb: its object, or the place it reaches."""
    head = head_of(phrase)
    by_way = read.low(start - 1) in words("grammar", "where", "en") | {"over", "past", "off"}
    reaches = read.verb in words("grammar", "reaches", "en")
    if (
        (reaches or (by_way and read.verb in words("grammar", "stays_or_goes", "en")))
        and not read.objects
        and head
    ):
        read.places.append(head)
    if (
        read.verb in _LIGHT
        and head.lower().split()[-1:]
        and head.lower().split()[-1] in words("nouns", "unseen", "en")
    ):
        read.begin = None
    extend(read, phrase, 1)
    if read.begin is None:
        read.noun = phrase


def _verb(read: Read, i: int) -> int:
    tokens, token = read.tokens, read.tokens[i]
    before = tokens[i - 1] if i else None
    after_noun = before is not None and before.tag in (*NOUNS, "PRP")
    listed = token.tag == "VBN" and read.tag(i - 1) in ("CC", ",", "DT", "JJ", "IN", "CD")
    only_describes = token.tag in ("VBG", "VBN") and not read.verbal and not after_noun
    if token.tag == "VBG" and before and before.tag == "CC" and read.tag(i + 1) in NOUNS:
        only_describes = read.tag(noun_end(tokens, i + 1)) in FINITE  # "and glowing lava squeezes out"
    if (only_describes or listed) and read.tag(i + 1) in NOUNS:
        read.noun = tokens[i : noun_end(tokens, i + 1)]  # "fading light": no verb
        return max(noun_end(tokens, i + 1), i + 1)
    if token.low in ("named", "called") and read.tag(i + 1) in ("NNP", "NN", "NNPS"):
        return _name(read, i)
    if token.tag == "VBN" and after_noun and (read.finite or finite_ahead(tokens, i)):
        end(read)
        return _skip(tokens, i + 1)
    if before and ((token.tag == "VBG" and before.tag in ("IN", "TO")) or absolute(read, i)):
        end(read)
        read.veiled = True
        return i + 1
    head, veiled = group(tokens, i)
    return i + 1 if head is None else _main(read, i, head, veiled)


def _main(read: Read, i: int, head: int, veiled: bool) -> int:
    """The main verb of a group, with who does it."""
    tokens, main = read.tokens, read.tokens[head]
    fresh = any(token.tag in FINITE for token in tokens[i : head + 1])
    if fresh:
        if not read.noun and read.finite and read.tag(i - 1) in (*NOUNS, "JJ"):
            close(read)  # "out of the deep came": a place, then its verb
        take_subject(read)
        read.finite, read.veiled = True, False
    end(read)
    read.verbal, read.verb = True, main.lemma
    read.veiled = read.veiled or veiled
    if main.lemma in words("grammar", "passing", "en") and read.tag(head + 1) in ("TO", "VBG"):
        return head + 1
    if not is_seen(read, head):
        return _dull(read, head)
    if not read.veiled and not commanded(read, main):
        read.begin, read.last, read.objects, read.length = main.start, main.end, 0, 1
        if fresh and not read.subjects and not read.noun and inverted(read, head):
            return _appearing(read, head)
    return head + 1


def _dull(read: Read, head: int) -> int:
    """A verb that shows nothing. What it says or thinks of is not seen either."""
    lemma = read.tokens[head].lemma
    read.state = read.state or state_of(read, head)
    if lemma in words("grammar", "says", "en"):
        read.veiled = True
    if not read.subjects and not read.noun and (lemma == "be" or inverted(read, head)):
        return _appearing(read, head)
    return head + 1


def _appearing(read: Read, head: int) -> int:
    """The subject stands behind its verb: "there stood a house", "out of the deep came Cetus"."""
    tokens = read.tokens
    i = head + 1
    if read.tag(i) in IN_NOUN:
        start, i = i, noun_end(tokens, i)
        only_how = i - start == 1 and tokens[start].tag in ("JJ", "RB", "VBN")  # "it was late"
        read.noun = [] if tokens[start].low == "no" or only_how else tokens[start:i]
        take_subject(read)
        read.appears = True
        end(read)
    return max(i, head + 1)


def _name(read: Read, i: int) -> int:
    """Somebody is called by name: "a mouse named Pip" is Pip."""
    k = i + 1
    while read.tag(k) in ("NNP", "NN", "NNPS"):
        k += 1
    if read.noun and read.begin is None:
        read.noun = read.tokens[i + 1 : k]
    elif read.appears and read.subjects:
        read.subjects[-1] = head_of(read.tokens[i + 1 : k])
    return k


def _skip(tokens: Sequence[Token], i: int) -> int:
    """Past a phrase that only describes: up to a comma, or to the verb of the main clause."""
    while i < len(tokens) and tokens[i].text not in ",.;:!?—" and tokens[i].tag not in (*FINITE, "CC"):
        i += 1
    return i


def _led(read: Read, i: int) -> int:
    """A preposition with its noun, or a word that opens a clause."""
    tokens, token = read.tokens, read.tokens[i]
    following = read.tag(i + 1)
    if (
        token.tag in ("WDT", "WP", "WP$")
        or (token.low == "where" and read.tag(i - 1) not in ("", ","))
        or (token.low == "that" and following.startswith(("VB", "MD", "PRP", "RB")))
    ):
        return _relative(read, i)
    if token.low == "as" and following in ("JJ", "RB"):
        return _as_as(read, i)
    if token.low in ("if", "because", "unless"):
        close(read)
        return _to_stop(tokens, i + 1)
    if token.low in words("grammar", "clause_words", "en") and _is_clause(tokens, i + 1):
        close(read)
        read.subordinate = True
        read.veiled = token.low in words("grammar", "dull_clauses", "en")
        return _to_stop(tokens, i + 1) if read.veiled else i + 1
    participle = (
        following == "VBG" and read.tag(i + 2) in NOUNS and token.low not in ("by", "of", "for", "without")
    )
    if (
        not following
        or following in ("CC", "MD")
        or (following == "RB" and token.low != "of")
        or (following.startswith("VB") and not participle and following != "VBN")
    ):
        if token.low in words("grammar", "particles", "en"):
            extend(read, [token], 2)
        return i + 1
    return _of(read, i) if token.low == "of" else _place(read, i)


def _place(read: Read, i: int) -> int:
    """A preposition with its noun."""
    tokens = read.tokens
    start = i + 1
    while read.tag(start) in ("IN", "RB", "TO"):
        start += 1
    k = noun_end(tokens, start + 1 if read.tag(start) in ("VBN", "VBG") else start)
    k = _past_time(read, start, k)
    phrase = tokens[start:k]
    if read.low(k) == "of" and k + 1 < len(tokens):
        inner = _past_time(read, k + 1, noun_end(tokens, k + 1))
        phrase = (
            tokens[k + 1 : inner]
            if not phrase or phrase[-1].low in words("grammar", "sides", "en")
            else phrase
        )
        k = inner
    if phrase and phrase[-1].tag == "JJ" and read.low(k) == "," and read.tag(k + 1) in ("JJ", "VBG", "VBN"):
        k = noun_end(tokens, k + 2)  # "through black, smoking streets"
        phrase = tokens[start:k]
    nested = read.led == i and bool(read.places) and tokens[i].low in ("at", "in", "near")
    if not nested:  # the station at Stromness is one place
        lead_to(read, tokens[i:start], phrase)
    read.led = max(k, i + 1)
    extend(read, tokens[i:k], 2)
    return max(k, i + 1)


def _past_time(read: Read, start: int, k: int) -> int:
    """ "By midday thunderheads pile up", "of 1989 storms came": where the time before the subject ends."""
    if k - start < 2 or read.tag(k) not in FINITE or read.finite:
        return k
    first = read.tokens[start]
    year = first.tag == "CD" and len(first.text) == 4 and first.text.isdigit()
    months = words("times", "months", "en") | words("times", "season", "en") | words("times", "day", "en")
    return start + 1 if year or first.low in months else k


def _as_as(read: Read, i: int) -> int:
    """Past words that only say how: "as high as houses", "as fast as legs can go"."""
    tokens = read.tokens
    end(read)
    again = next((k for k in range(i + 2, min(i + 4, len(tokens))) if tokens[k].low == "as"), i + 1)
    last = noun_end(tokens, again + 1)
    return last + 2 if read.tag(last) == "MD" else last


def _of(read: Read, i: int) -> int:
    start = i + 1 + (read.tag(i + 1) == "RB")
    k = _past_time(read, start, noun_end(read.tokens, start))
    if read.begin is not None:
        extend(read, read.tokens[i:k], 1)
    elif read.noun and read.noun[-1].low in words("grammar", "parts", "en"):
        read.noun = read.tokens[i + 1 : k]
    return max(k, i + 1)


def _relative(read: Read, i: int) -> int:
    """Past a clause that only describes a noun."""
    end(read)
    tokens = read.tokens
    verbs = 0
    k = i + 1
    while k < len(tokens) and tokens[k].text not in ",.;:!?—":
        if tokens[k].tag in FINITE:
            verbs += 1
            if verbs == 2 and tokens[k - 1].tag not in ("CC", "MD", "RB"):
                return k
        k += 1
    return k


def _is_clause(tokens: Sequence[Token], i: int) -> bool:
    """Whether a verb follows before the next stop: "as the sun set", not "as a gift"."""
    noun = False
    for token in tokens[i:]:
        if token.text in ".;:!?—,":
            return False
        if token.tag in FINITE:
            return noun
        noun = noun or token.tag in (*NOUNS, "PRP", "EX", "DT")
    return False


def _to_stop(tokens: Sequence[Token], i: int) -> int:
    while i < len(tokens) and tokens[i].text not in ",.;!?—":
        i += 1
    return i


def _and(read: Read, i: int) -> int:
    tokens, following = read.tokens, read.tag(i + 1)
    if read.led == i and read.begin is None and following in IN_NOUN and not _starts_clause(tokens, i + 1):
        read.led = noun_end(tokens, i + 1)
        return read.led  # "with boots and a raincoat"
    if read.noun and read.begin is None and not read.finite and following in (*IN_NOUN, "PRP"):
        take_subject(read)  # two who act together
        return i + 1
    if read.begin is not None and following in IN_NOUN and not _is_clause(tokens, i + 1):
        end(read)
        read.noun = []
        return noun_end(tokens, i + 1)
    end(read)
    if _starts_clause(tokens, i + 1) or _turns(read, i + 1):
        close(read)
    read.noun = []
    return i + 1


def _turns(read: Read, i: int) -> bool:
    """Whether a direction and its verb follow: "and out flops a frog"."""
    out = read.low(i) in words("grammar", "particles", "en") and read.tag(i + 1) in FINITE
    return out and read.tag(i + 2) in ("DT", "PRP$", "CD", *NOUNS)


def _starts_clause(tokens: Sequence[Token], i: int) -> bool:
    """Whether a noun and its own verb follow."""
    noun = False
    for token in tokens[i:]:
        if token.tag in FINITE:
            return noun
        if token.text in ".,;:!?—" or token.tag in ("CC", "VBG", "VB"):
            return False
        noun = noun or token.tag in (*NOUNS, "PRP", "EX")
    return False


def _comma(read: Read, i: int) -> None:
    token = read.tokens[i]
    end(read)
    if token.text == ":":
        read.listing = True
        read.noun = [] if i == 1 else read.noun
    elif token.text == "," and read.listing and read.noun and not read.finite:
        take_subject(read)
    own = _starts_clause(read.tokens, i + 1) and (read.finite or not read.noun)
    if token.text in ";:—–" or own:
        close(read)
    elif read.finite:
        read.noun = []


def _adverb(read: Read, i: int) -> None:
    token = read.tokens[i]
    if token.low.replace("’", "'") in ("not", "n't", "never"):
        read.veiled = True
    elif token.low in words("grammar", "particles", "en") and read.objects < 2 and read.begin is not None:
        extend(read, [token], 0)
    elif token.low in _AROUND and not read.finite:
        read.places.append(token.text)
