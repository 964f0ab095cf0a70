"""Parts of an English sentence while it is read: noun phrases, the action, the clauses that are over."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from studio.text.clause import Clause
from studio.text.english import Token, is_plain_word
from studio.text.terms import words

NOUNS = ("NN", "NNS", "NNP", "NNPS", "CD", "FW", "ADD")
IN_NOUN = (*NOUNS, "DT", "PDT", "JJ", "JJR", "JJS", "PRP$", "POS", "WP$")
FINITE = ("VBD", "VBZ", "VBP", "MD")
_LONGEST = 12


@dataclass
class Read:
    """A sentence while it is read; `found` are the clauses that are over."""

    text: str
    tokens: list[Token]
    noun: list[Token] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    owner: str = ""
    actions: list[tuple[int, int]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    found: list[Clause] = field(default_factory=list)
    verb: str = ""  # base form of the verb last read
    state: str = ""  # what the first verb of the clause is that shows nothing
    begin: int | None = None  # where the action that is being read begins
    last: int = 0  # where its last word ends
    objects: int = 0  # how much it has: 1 its object, 2 its direction
    length: int = 0
    finite: bool = False
    veiled: bool = False
    subordinate: bool = False
    appears: bool = False
    listing: bool = False  # behind a colon: the nouns between commas all count
    led: int = -1  # where the last preposition's noun ended
    verbal: bool = False  # any verb in the sentence so far

    def tag(self, i: int) -> str:
        """Tag of the token at i, "" where there is none."""
        return self.tokens[i].tag if 0 <= i < len(self.tokens) else ""

    def low(self, i: int) -> str:
        """The token at i in small letters."""
        return self.tokens[i].low if 0 <= i < len(self.tokens) else ""


def noun_end(tokens: Sequence[Token], i: int) -> int:
    """Where the noun phrase that begins at i ends: a new article or pronoun begins another one."""
    start = i
    while i < len(tokens) and (tokens[i].tag in (*IN_NOUN, "PRP", "EX") or joins(tokens, i, start)):
        token, before = tokens[i], tokens[i - 1] if i > start else None
        anew = token.tag in ("DT", "PRP", "EX", "PRP$", "PDT")
        whole = before and (before.tag == "PDT" or before.low in ("all", "both", "half"))
        if before and anew and not whole:
            break
        if before and token.tag == "CD" and before.tag == "NNS":
            break
        i += 1
    return i


def joins(tokens: Sequence[Token], i: int, start: int) -> bool:
    """Participles and hyphens within a noun phrase: a rusted lever, the drifting floe."""
    if i == start or i + 1 >= len(tokens) or tokens[i + 1].tag not in (*NOUNS, "JJ"):
        return False
    before = tokens[i - 1].tag
    return tokens[i].tag in ("VBN", "VBG", "HYPH", "RB") and before in ("DT", "PRP$", "JJ", "CD", "POS")


def head_of(phrase: Sequence[Token]) -> str:
    """The noun itself with what is one word with it: alarm clock, Mr. Tuppence; adjectives stay with it."""
    last = len(phrase) - 1
    while last >= 0 and phrase[last].tag not in (*NOUNS, "PRP", "EX", "JJ", "DT"):
        last -= 1
    if last < 0 or phrase[0].low == "no":
        return ""
    if phrase[last].tag == "DT" and phrase[last].low not in ("all", "both", "some"):
        return ""
    if phrase[last].tag == "JJ" and phrase[0].tag not in ("DT", "PRP$", "CD"):
        return ""
    first = last
    name = phrase[last].tag in ("NNP", "NNPS") and phrase[last].text[:1].isupper()
    with_it = ("NNP", "NNPS") if name else (*NOUNS, "JJ", "JJR", "JJS", "VBN", "VBG", "HYPH")
    while first > 0 and phrase[first - 1].tag in with_it and phrase[first - 1].tag != "CD":
        first -= 1
    return _uncapitalised(phrase[first : last + 1])


def _uncapitalised(phrase: Sequence[Token]) -> str:
    """A common noun that has a capital only because it opens the sentence loses it."""
    head = " ".join(token.text for token in phrase)
    first, last = phrase[0], phrase[-1]
    common = first.start == 0 and first.tag not in ("NNP", "NNPS") and not first.text[1:].isupper()
    if len(phrase) == 1 and head.endswith("s") and (first.start == 0 or last.tag == "NNPS"):
        common = common or is_plain_word(head.lower())
    return head[0].lower() + head[1:] if common and not head.isupper() and head != "I" else head


def take_subject(read: Read) -> None:
    """The noun phrase read last is who acts; a clause that has both subject and verb already is over."""
    noun, head = read.noun, head_of(read.noun)
    if read.finite and read.subjects and head:
        close(read)
    if head and head.lower() != "there":
        read.subjects.append(head)
        owner = next((t.text for t in noun if t.tag == "PRP$"), "")
        possessive = next((k for k, t in enumerate(noun) if t.tag == "POS"), 0)
        article = noun[0].low if noun[0].low in ("a", "an") else ""
        read.owner = owner or (noun[possessive - 1].text if possessive else article)
    read.noun = []


def extend(read: Read, tokens: Sequence[Token], what: int) -> None:
    """Take words into the action: its object, then one direction; what comes after is left out."""
    if read.begin is None or not tokens:
        return
    again = what == 1 and read.objects == 1 and tokens[0].low != "of"
    if read.objects >= 2 or again or read.length + len(tokens) > _LONGEST:
        end(read)
        return
    if tokens[-1].low == "by":
        return  # "surrounded by parrots"
    read.last = tokens[-1].end
    read.objects = max(read.objects, what)
    read.length += len(tokens)


def end(read: Read) -> None:
    """The action that is being read is complete."""
    if read.begin is not None:
        read.actions.append((read.begin, read.last))
    read.begin = None


def close(read: Read) -> None:
    """The clause is over: keep what it shows."""
    end(read)
    named = False
    if read.veiled and not read.finite:
        read.noun = []  # "not the rain"
    if read.noun and ((not read.subjects and not read.verbal) or (read.listing and not read.finite)):
        take_subject(read)
        named = True
    read.found.append(
        Clause(
            subjects=tuple(dict.fromkeys(read.subjects)),
            owner=read.owner,
            actions=tuple(dict.fromkeys(read.text[a:b] for a, b in read.actions)),
            places=tuple(dict.fromkeys(read.places)),
            appears=read.appears,
            named=named,
            subordinate=read.subordinate,
            state="" if read.actions else read.state,
        )
    )
    read.noun, read.subjects, read.actions, read.places = [], [], [], []
    read.state = ""
    read.verb, read.owner, read.finite, read.veiled, read.appears = "", "", False, False, False
    read.subordinate = False


def lead_to(read: Read, leading: Sequence[Token], phrase: Sequence[Token]) -> None:
    """Note the place that a preposition leads to; "inside the ship" is kept with its preposition."""
    led = {token.low for token in leading}
    head = head_of(phrase)
    if read.veiled or not head:
        return
    if led & {"inside", "aboard"} and phrase[-1].tag != "PRP":
        read.places.append(read.text[leading[0].start : phrase[-1].end])
        return
    away = led & words("grammar", "away", "en") and led not in ({"from"}, {"out", "of"})
    if phrase[-1].tag == "PRP" or away:
        return
    if led & (words("grammar", "leading", "en") | {"out", "from"}):
        read.places.append(head)
