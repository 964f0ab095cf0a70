"""English words with their parts of speech. The tagger comes with the English voice; our lists correct it."""

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from studio.text.terms import table, words

_TOKEN = re.compile(
    r"(?:Mr|Mrs|Ms|Dr|St|Prof)\.|\b[ap]\.m\.|\d+(?:[:.,]\d+)*(?:st|nd|rd|th|s|%)?"
    r"|[^\W\d_]+(?:[-'’][^\W\d_]+)*|[^\w\s]",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"(?=['’](?:s|re|ve|ll|d|m)$)|(?=n['’]t$)", re.IGNORECASE)
# fmt: off
_AFTER_VERB = (
    "IN", "TO", "RP", "RB", "DT", "PRP", "PRP$", ".", ",", "CC", "JJ", "VBG", "VBN", "CD", "NNP", ":",
)
# fmt: on
_OUT = frozenset(("out", "up", "down", "in", "off", "away", "over", "back", "along", "past", "by"))
_DOUBLING = re.compile(r"[aeiou][bdgmnprt]$")


@dataclass(frozen=True)
class Token:
    """text[start:end] with its Penn Treebank tag; `lemma`: the base form of a verb, else the word itself."""

    text: str
    tag: str
    start: int
    end: int
    lemma: str

    @property
    def low(self) -> str:
        return self.text.lower()


@cache
def _tagger() -> Any:
    from hibari.g2p import _load_json
    from hibari.g2p.tagger import Tagger

    return Tagger(_load_json("tagger.json.gz"))


@cache
def verb_forms() -> dict[str, str]:
    """Every form of every listed English verb, to its base form."""
    forms: dict[str, str] = {}
    for base in words("verbs", "seen", "en") | words("verbs", "unseen", "en"):
        if " " in base:
            continue
        stem = base[:-1] if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) else base
        double = (
            base + base[-1]
            if _DOUBLING.search(base) and not re.search(r"[aeiou]{2}.$|(?:er|en|on|el)$", base)
            else stem
        )
        soft = base[:-1] + "i" if base.endswith("y") and base[-2] not in "aeiou" else None
        for form in (
            base,
            base + "s",
            base + "es" if re.search(r"(?:s|x|z|ch|sh|o)$", base) else "",
            stem + "ing",
            double + "ing",
            stem + "ed",
            double + "ed",
        ):
            forms.setdefault(form, base)
        if soft:
            forms.update({soft + "es": base, soft + "ed": base})
    for line in re.split(r"[;\n]+", table("verbs")["irregular"]["en"]):
        listed = line.split()
        forms.update(dict.fromkeys(listed, listed[0] if listed else ""))
    forms.pop("", None)
    return forms


def tokens_of(text: str) -> list[Token]:
    """Words and signs of an English text, tagged; words wholly in capitals are read in small letters."""
    spans: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(text):
        at = match.start()
        for part in _SPLIT.split(match.group()):
            if part:
                spans.append((at, at + len(part)))
            at += len(part)
    raw = [text[a:b].replace("’", "'") for a, b in spans]
    shown = [w.lower() if w.isupper() and len(w) > 1 else w for w in raw]
    tags = _tagger()(shown) if shown else []
    tokens = [
        Token(text[a:b], tag, a, b, verb_forms().get(word.lower(), word.lower()))
        for (a, b), word, tag in zip(spans, raw, tags, strict=True)
    ]
    return _with_verb(_corrected(tokens))


@dataclass(frozen=True)
class _Here:
    """A token whose tag is looked at again, with what stands before and behind it."""

    token: Token
    found: list[Token]
    tokens: list[Token]
    finite: bool  # whether its clause has a verb already

    @property
    def before(self) -> str:
        return self.found[-1].tag if self.found else ""

    @property
    def after(self) -> Token | None:
        return self.tokens[len(self.found) + 1] if len(self.found) + 1 < len(self.tokens) else None

    @property
    def base(self) -> bool:
        return self.token.lemma == self.token.low

    @property
    def has_s(self) -> bool:
        return self.token.low.endswith("s") and not self.base


def _corrected(tokens: list[Token]) -> list[Token]:
    """What the tagger tends to take wrongly in plain narration: verbs that it reads as nouns."""
    found: list[Token] = []
    finite = False
    for token in tokens:
        if token.text in ".;:!?—," or token.tag == "CC":
            finite = False
        tag = "NN" if token.low == "lightning" or _does(token, found) else token.tag
        if token.low == "left" and found and found[-1].tag in ("DT", "PRP$"):
            tag = "NN"  # "to the left" is a direction
        elif _is_noun(_Here(token, found, tokens, finite)):
            tag = "NN"
        elif token.low in verb_forms():
            tag = _verb_tag(_Here(token, found, tokens, finite)) or tag
        finite = finite or tag in ("VBD", "VBZ", "VBP", "MD")
        found.append(Token(token.text, tag, token.start, token.end, token.lemma))
    return found


def _is_noun(here: _Here) -> bool:
    """What is read as a verb right before the verb, or in "in the washing shed the cherries tumble"."""
    after = here.after
    if after is None or not here.base:
        return False
    if here.token.tag == "VB" and here.before in ("", "RB", "CC", "DT", "JJ", ",", "IN"):
        behind = here.tokens[len(here.found) + 2 : len(here.found) + 3]
        moves = after.tag == "NNS" and after.low in verb_forms() and behind and behind[0].tag in ("RP", "IN")
        return after.tag in ("VBZ", "VBD") or bool(moves)
    led = here.token.tag == "VBD" and after.tag == "DT" and _behind_preposition(here.found)
    return led and _finite_ahead(here.tokens, len(here.found) + 1)


def _with_verb(tokens: list[Token]) -> list[Token]:
    """A sentence in which no verb was found has one behind its plural noun, if any word may be one.

    "The panes burst", "Loose pens and a sock drift past".
    """
    start = 0
    for end in [k for k, token in enumerate(tokens) if token.text in ".;!?"] + [len(tokens)]:
        part = tokens[start:end]
        if not any(token.tag in ("VBD", "VBZ", "VBP", "MD", "VBG", "TO") for token in part):
            for k, token in enumerate(part):
                fits = (
                    token.low in verb_forms() and token.lemma == token.low and token.tag not in ("IN", "DT")
                )
                if (
                    k
                    and fits
                    and (_several_before(part[:k]) or _several_of(part[:k]))
                    and k + 1 < len(part) + (end == len(tokens) or 1)
                ):
                    tokens[start + k] = replace(token, tag="VBP")
                    if part[0].tag == "VB":
                        tokens[start] = replace(part[0], tag="JJ")  # "Loose pens drift past"
                    break
        start = end + 1
    return tokens


def _verb_tag(here: _Here) -> str:
    """The tag of a verb that was read as something else; "" if it is right as it is."""
    tag, before, after = here.token.tag, here.before, here.after
    if tag in ("NN", "NNP", "JJ") and before in ("EX", "MD", "TO"):
        return "VB"
    if (
        tag in ("NN", "NNP", "JJ")
        and here.found
        and here.found[-1].low in ("i", "you", "he", "she", "we", "they")
    ):
        return "VBP"
    if here.finite:
        return ""
    if _comes_out(here):
        return "VBZ" if here.has_s else "VBD"
    if here.base and tag in ("NN", "NNP", "JJ") and _commands(here):
        return "VB"
    if here.base and tag in ("NN", "NNP") and _several_before(here.found) and _leads_on(after):
        return "VBP"
    if (
        here.has_s
        and tag in ("NN", "NNS", "NNP")
        and (_after_subject(here) or _before_object(here) or _alone(here))
    ):
        return "VBZ"
    return "VBD" if _is_past(here) else ""


def _does(token: Token, found: list[Token]) -> bool:
    """Whether what looks like a comparative is somebody: a cleaner, the baker."""
    return (
        token.tag == "JJR"
        and bool(found)
        and found[-1].tag == "DT"
        and token.low in words("nouns", "people", "en")
    )


def _comes_out(here: _Here) -> bool:
    """ "Out slid the calf": a verb between the word of direction that opens a clause and an article."""
    if here.base or here.after is None or here.after.tag not in ("DT", "PRP$", "CD") or not here.found:
        return False
    opens = len(here.found) == 1 or here.found[-2].text in ",.;:—" or here.found[-2].tag == "CC"
    return opens and here.found[-1].low in _OUT and not here.token.low.endswith("ing")


def _alone(here: _Here) -> bool:
    """ "One shoot, no bigger than a nail, trembles in the bed": the only verb that the sentence can have."""
    if not here.found or here.found[-1].text != "," or here.after is None:
        return False
    if here.after.tag not in ("IN", "DT", "PRP$", "RB", "RP", "TO"):
        return False
    if here.found[0].tag in ("IN", "VB") or any(token.tag == "NNS" for token in here.found):
        return False
    return not any(
        token.tag in ("VBD", "VBZ", "VBP", "MD") for token in (*here.found, *here.tokens[len(here.found) :])
    )


def _commands(here: _Here) -> bool:
    """ "Layer strawberries …": a sentence that opens with a verb and has no other one."""
    starts = not here.found or here.found[-1].text in ".!?;:"
    if not starts or here.after is None or here.after.tag not in ("DT", "NNS", "PRP$", "CD"):
        return False
    for token in here.tokens[len(here.found) + 1 :]:
        if token.text in ",.;":
            return True
        if token.tag in ("VBD", "VBZ", "VBP", "MD"):
            return False
    return True


def _several_before(found: list[Token]) -> bool:
    """Whether a plural, or two names, stand right before: fireworks burst, Mara and Tom leap."""
    if not found or found[-1].tag in ("NNS", "NNPS"):
        return bool(found) and not _behind_preposition(found)
    if len(found) > 2 and found[-1].tag == "NNP" and found[-2].low == "and":
        return True
    k = len(found) - 1
    while k > 0 and found[k].tag in ("NN", "JJ", "DT", "PRP$"):
        k -= 1
    return 0 < k < len(found) - 1 and found[k].low == "and" and found[k - 1].tag in ("NN", "NNP")


def _several_of(found: list[Token]) -> bool:
    """Whether several of a kind stand right before: rows of lettuce, pens and a sock."""
    tags = [token.tag for token in found[-4:]]
    if tags[-3:-1] == ["NNS", "IN"] and found[-2].low == "of":
        return tags[-1] in ("NN", "NNS")
    return len(found) > 3 and tags[0] == "NNS" and found[-3].low == "and" and tags[2:] == ["DT", "NN"]


def _leads_on(after: Token | None) -> bool:
    return after is None or after.tag in ("IN", "RP", "RB", "TO", ",", ".", "DT", "PRP$")


def _after_subject(here: _Here) -> bool:
    before, after = here.found[-1] if here.found else None, here.after
    if (
        after is not None
        and after.tag not in _AFTER_VERB
        and after.low not in ("open", "shut", "closed", "wide")
        and after.low not in words("grammar", "particles", "en")
    ):
        return False
    if before is None or before.tag in ("NN", "NNP", "PRP"):
        return before is not None and not _behind_preposition(here.found)
    if before.low in ("and", "then", "but"):
        return len(here.found) == 1 or any(token.tag in ("VBZ", "VBP") for token in here.found)
    return before.tag == "RB"


def _before_object(here: _Here) -> bool:
    """ "a girl in a school uniform unwraps her sandwich": an article behind it makes it a verb."""
    return here.before == "JJ" and here.after is not None and here.after.tag in ("DT", "PRP$", "PRP")


def _is_past(here: _Here) -> bool:
    tag, after = here.token.tag, here.after
    if here.base or here.token.low.endswith("ing") or tag not in ("VBN", "JJ", "NN"):
        return False
    if here.before not in ("NN", "NNS", "NNP", "NNPS", "PRP", "WDT") or _finite_ahead(
        here.tokens, len(here.found) + 1
    ):
        return False
    near = here.found[-4:]
    if any(token.lemma in ("be", "have") or token.low == "with" for token in near):
        return False
    return tag == "VBN" or after is None or after.tag in (*_AFTER_VERB, "WRB")


def _finite_ahead(tokens: list[Token], i: int) -> bool:
    for token in tokens[i:]:
        if token.text in ".,;:!?—" or token.tag in ("CC", "WRB", "WDT", "WP") or token.low in ("as", "while"):
            return False
        if token.tag in ("VBD", "VBZ", "VBP", "MD"):
            return True
    return False


def _behind_preposition(found: list[Token]) -> bool:
    """Whether the noun phrase that ends here belongs to a preposition, with no subject before it."""
    k = len(found) - 1
    while k >= 0 and found[k].tag in ("NN", "NNP", "NNS", "JJ", "CD"):
        k -= 1
    if k >= 0 and found[k].tag in ("DT", "PRP$"):
        k -= 1
    if k < 0 or found[k].tag not in ("IN", "TO"):
        return False
    return not any(token.tag in ("NN", "NNP", "NNS", "PRP") for token in found[:k])


def is_plain_word(word: str) -> bool:
    """Whether a word in small letters is one of the language, not only a name."""
    tagger = _tagger()
    tag = tagger.tagdict.get(word)
    return (
        word in verb_forms()
        or (tag is not None and not tag.startswith("NNP"))
        or (word in tagger.vocab and tagger(["the", word])[1] != "NNP")
    )
